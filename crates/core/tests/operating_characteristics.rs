//! What comparison promises, shown by simulation: healthy candidates are spared at the stated rate, faulty ones are found
//! in time and at less cost than by the rules of others, in the same worlds.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use serinus_core::simulate::{Cell, Contestant, Ladder, Report, Scenario, Study, rival::Rival};

const SEED: u64 = 2026;

fn study(scenario: &Scenario, effects: &[f64], rollouts: u64) -> Study {
    Study { effects: effects.to_vec(), rollouts, seed: SEED, ..Study::of(scenario.world.clone()) }
}

fn ours(error: f64, margin: f64) -> Contestant {
    Contestant::plan(format!("{error}"), Ladder::default().comparing(error, margin).unwrap())
}

fn cell<'a>(report: &'a Report, strategy: &str) -> &'a Cell {
    &report.strategies.iter().find(|found| found.name == strategy).unwrap().cells[0]
}

#[test]
fn healthy_candidates_are_rolled_back_no_more_often_than_stated() {
    for scenario in Scenario::all() {
        let report = study(&scenario, &[1.0], 500).run(&[ours(0.01, 1.1), ours(0.05, 1.0)], &|_| {}).unwrap();
        for (strategy, nominal) in [("0.01", 0.01), ("0.05", 0.05)] {
            let found = cell(&report, strategy).rolled_back;
            assert!(
                found.share <= nominal,
                "{}, {nominal}: {} of 500 healthy candidates are rolled back",
                scenario.name,
                found.count
            );
        }
    }
}

#[test]
fn a_doubled_failure_rate_is_found_in_time_and_cheaper_than_by_others() {
    let scenarios = Scenario::all();
    let scenario = scenarios.iter().find(|scenario| scenario.name == "6000/min, 1 %").unwrap();
    let ladder = Ladder::default();
    let contestants = [
        ours(0.01, 1.1),
        ours(0.05, 1.0),
        Contestant::plan("argo", ladder.argo_thresholds(98.0, 2).unwrap()),
        Contestant::plan("flagger", ladder.flagger_thresholds(98.0, 5).unwrap()),
        Contestant::rival("kayenta", Rival::Kayenta { pass: 95.0, marginal: 75.0 }, ladder),
    ];
    let report = study(scenario, &[2.0], 200).run(&contestants, &|_| {}).unwrap();
    let default = cell(&report, "0.01");
    assert_eq!(default.rolled_back.count, 200);
    let minute = default.minutes_to_rollback.unwrap().median;
    assert!(minute <= 7.0, "found at minute {minute}");
    let cost = |strategy| cell(&report, strategy).excess_failures;
    for other in ["kayenta", "flagger"] {
        assert!(cost("0.01") < cost(other), "{} failed, {} with {other}", cost("0.01"), cost(other));
    }
    assert!(cost("0.05") < cost("argo"), "{} failed, {} with Argo's limit", cost("0.05"), cost("argo"));
}

#[test]
fn a_healthy_candidate_is_promoted_where_there_is_traffic_to_tell() {
    for scenario in
        Scenario::all().into_iter().filter(|it| it.is_flat && it.world.requests_per_second >= 100.0)
    {
        if scenario.world.failure_rate < 0.01 {
            continue;
        }
        let report = study(&scenario, &[1.0], 200).run(&[ours(0.01, 1.1)], &|_| {}).unwrap();
        let promoted = cell(&report, "0.01").promoted;
        assert!(promoted.share > 0.9, "{}: {} of 200 promoted", scenario.name, promoted.count);
    }
}
