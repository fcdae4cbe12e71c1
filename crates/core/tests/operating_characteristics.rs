//! What comparison promises, shown by simulation: healthy candidates are spared at the stated rate, faulty ones are found
//! in time and at less cost than by the rules of others, in the same worlds.
//!
//! The page docs/operating-characteristics.md has the whole table, with the command that prints it.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use serinus_core::{
    analysis::{Analysis, Compared, Comparison, Judge, comparison::Dispersal},
    metric::Number,
    rollout::Plan,
    simulate::{Cell, Contestant, Detection, Ladder, Report, Scenario, Study, Sweep, Theme, rival::Rival},
    stats::proportions::{Proportion, clopper_pearson_interval},
};

const SEED: u64 = 2026;
const DEFAULT: &str = "default";

fn study(scenario: &Scenario, effects: &[f64], rollouts: u64) -> Study {
    Study {
        sweep: scenario.sweep,
        effects: effects.to_vec(),
        rollouts,
        seed: SEED,
        ..Study::of(scenario.world.clone())
    }
}

fn run(scenario: &Scenario, effects: &[f64], rollouts: u64, contestants: &[Contestant]) -> Report {
    study(scenario, effects, rollouts).run(contestants, &|_| {}).unwrap()
}

/// The plan that a canary compiles to where nothing else is said.
fn default() -> Contestant {
    Contestant::plan(DEFAULT, Ladder::default().plan().unwrap())
}

/// The default plan with its comparisons changed.
fn compared(change: impl Fn(&mut Comparison)) -> Plan {
    let mut metrics = Comparison::defaults();
    for metric in &mut metrics {
        if let Judge::Compare(comparison) = &mut metric.judge {
            change(comparison);
        }
    }
    let analysis = Analysis::of("comparison with stable", metrics).without_end();
    Ladder::default().beside(analysis).unwrap()
}

/// The default plan with an error probability of 5 %, shared by failures and latency as its 1 % is.
fn at_five_percent() -> Contestant {
    let plan = compared(|comparison| {
        let share = if comparison.of == Compared::Failures { 0.75 } else { 0.25 };
        comparison.error_probability = Some(Number::new(0.05 * share));
    });
    Contestant::plan("5 %", plan)
}

fn failures_only(name: &str, error: f64, margin: f64) -> Contestant {
    Contestant::plan(name, Ladder::default().comparing(error, margin).unwrap())
}

fn scenario(name: &str) -> Scenario {
    Scenario::all().into_iter().find(|scenario| scenario.name == name).unwrap()
}

fn cell<'a>(report: &'a Report, strategy: &str) -> &'a Cell {
    &report.strategies.iter().find(|found| found.name == strategy).unwrap().cells[0]
}

/// The upper end of the one-sided 99 % interval of Clopper and Pearson for what was rolled back is at most nominal: of a
/// thousand up to two for 1 %.
fn assert_certainly_at_most(nominal: f64, cell: &Cell, what: &str) {
    let upper = most(cell.rolled_back.count, cell.rollouts);
    assert!(
        upper <= nominal,
        "{what}: {} of {} healthy candidates are rolled back: up to {upper}, where {nominal} is nominal",
        cell.rolled_back.count,
        cell.rollouts
    );
}

fn most(count: u64, of: u64) -> f64 {
    // Two sides of 1 % each.
    clopper_pearson_interval(Proportion::new(count, of).unwrap(), 0.02).unwrap().upper
}

#[test]
fn healthy_candidates_are_rolled_back_no_more_often_than_stated() {
    let latency_only = Comparison {
        error_probability: Some(Number::new(0.05)),
        margin: Number::new(1.0),
        ..Comparison::of(Compared::Latency)
    };
    let latency_only = Analysis::of("comparison with stable", [latency_only.metric("latency")]).without_end();
    let latency_only = Contestant::plan("one metric", Ladder::default().beside(latency_only).unwrap());
    let scenarios = Scenario::all();
    let independent = scenarios.iter().filter(|it| it.begins_healthy() && it.theme != Theme::Clumped);
    for scenario in independent {
        let one_metric = match scenario.sweep {
            Sweep::Latency => latency_only.clone(),
            _ => failures_only("one metric", 0.05, 1.0),
        };
        let report = run(scenario, &[1.0], 1000, &[default(), one_metric]);
        for (strategy, nominal) in [(DEFAULT, 0.01), ("one metric", 0.05)] {
            assert_certainly_at_most(nominal, cell(&report, strategy), scenario.name);
        }
    }
}

#[test]
fn a_doubled_failure_rate_is_found_in_time_and_with_fewer_failed_requests_than_by_others() {
    let scenario = scenario("6000/min, 1 %");
    let ladder = Ladder::default();
    // The limit is twice the true base rate.
    let contestants = [
        default(),
        at_five_percent(),
        failures_only("failures only, 1 %", 0.01, 1.1),
        failures_only("failures only, 5 %", 0.05, 1.0),
        Contestant::plan("argo", ladder.argo_thresholds(98.0, 2).unwrap()),
        Contestant::plan("flagger", ladder.flagger_thresholds(98.0, 5).unwrap()),
        Contestant::rival("kayenta", Rival::Kayenta { pass: 95.0, marginal: 75.0 }, ladder),
    ];
    // Looks are a quarter of a minute apart: of fewer rollouts the median may be one look later.
    let report = run(&scenario, &[2.0], 2000, &contestants);
    for strategy in [DEFAULT, "failures only, 1 %"] {
        let found = cell(&report, strategy);
        assert_eq!(found.rolled_back.count, found.rollouts, "{strategy}");
        let minute = found.minutes_to_rollback.unwrap().median;
        assert!(minute <= 7.0, "{strategy}: found at minute {minute}");
    }
    let failed = |strategy| cell(&report, strategy).candidate_failures;
    let fewer = |ours, other| {
        assert!(
            failed(ours) < failed(other),
            "{} failed with {ours}, {} with {other}",
            failed(ours),
            failed(other)
        );
    };
    for ours in [DEFAULT, "failures only, 1 %"] {
        fewer(ours, "kayenta");
        fewer(ours, "flagger");
    }
    fewer("5 %", "argo");
    fewer("failures only, 5 %", "argo");
}

#[test]
fn a_slower_candidate_is_found_in_time() {
    for (name, effect, latest) in [
        ("latency, 6000/min", 1.3, 3.0),
        ("latency, 6000/min, 2 % of the candidate's answers 1 s late", 1.0, 4.0),
        ("latency, 6000/min, twice as long for both after 60 min", 1.3, 4.0),
        ("latency, 600/min, 2 % of the candidate's answers 1 s late", 1.0, 20.0),
    ] {
        let report = run(&scenario(name), &[effect], 200, &[default()]);
        let found = cell(&report, DEFAULT);
        assert_eq!(found.rolled_back.count, 200, "{name}");
        let minute = found.minutes_to_rollback.unwrap().median;
        assert!(minute <= latest, "{name}: found at minute {minute}");
    }
}

#[test]
fn clumped_failures_void_the_promise_unless_the_dispersion_is_told() {
    // Evidence that is divided keeps its promise if clumps are small. Those of ten times the variance are larger than what
    // the candidate's share of a window holds: told, the promise is missed by little, where it was missed by far.
    for (name, most) in [("clumps, three times the variance", 0.01), ("clumps, ten times the variance", 0.03)]
    {
        let scenario = scenario(name);
        let with = |dispersion| {
            compared(|comparison| {
                if comparison.of == Compared::Failures {
                    comparison.dispersion = dispersion;
                }
            })
        };
        let told = with(Dispersal::Fixed(Number::new(scenario.world.dispersion)));
        let calibrated = with(Dispersal::Calibrated { windows: 30 });
        let contestants =
            [default(), Contestant::plan("told", told), Contestant::plan("calibrated", calibrated)];
        let report = run(&scenario, &[1.0], 1000, &contestants);
        assert_certainly_at_most(most, cell(&report, "told"), name);
        let share = |strategy| cell(&report, strategy).rolled_back.share;
        // A known failure, which the page states: whoever mends it mends the page, too.
        assert!(share(DEFAULT) > 0.05, "{name}: {}", share(DEFAULT));
        assert!(share("calibrated") < share(DEFAULT) / 2.0, "{name}: {}", share("calibrated"));
    }
}

#[test]
fn a_bad_candidate_passes_as_negligible_only_where_hardly_anything_fails() {
    let scenario = scenario("6000/min, 0.01 %");
    let strict = compared(|comparison| {
        if comparison.of == Compared::Failures {
            comparison.negligible = Number::new(0.0);
        }
    });
    let contestants = [default(), Contestant::plan("nothing is negligible", strict)];
    // Twice as often is 0.02 %, far below what nobody minds: most pass, and the page says so.
    let promoted = |effect, strategy| cell(&run(&scenario, &[effect], 300, &contestants), strategy).promoted;
    assert!(promoted(2.0, DEFAULT).share > 0.5, "{}", promoted(2.0, DEFAULT).share);
    assert!(promoted(2.0, "nothing is negligible").share <= 0.05);
    // Twenty times is 0.2 %, which nobody calls negligible: each way to pass errs at most once in twenty times.
    assert!(promoted(20.0, DEFAULT).share <= 0.1, "{}", promoted(20.0, DEFAULT).share);
}

#[test]
fn a_healthy_candidate_is_promoted_where_there_is_traffic_to_tell() {
    let scenarios = Scenario::all();
    let busy = |scenario: &&Scenario| {
        let world = &scenario.world;
        scenario.theme == Theme::Flat && world.requests_per_second >= 100.0 && world.failure_rate >= 0.01
    };
    for scenario in scenarios.iter().filter(busy) {
        let report = run(scenario, &[1.0], 200, &[default()]);
        let promoted = cell(&report, DEFAULT).promoted;
        assert!(promoted.share > 0.9, "{}: {} of 200 promoted", scenario.name, promoted.count);
    }
}

#[test]
fn the_time_to_find_a_regression_is_as_expected_without_simulating_it() {
    let plan = Ladder::default().plan().unwrap();
    for (name, ratio) in [
        ("600/min, 1 %", 5.0),
        ("6000/min, 0.1 %", 2.0),
        ("6000/min, 1 %", 1.5),
        ("6000/min, 1 %", 2.0),
        ("60 000/min, 1 %", 1.5),
    ] {
        let scenario = scenario(name);
        let Some(Detection::After(expected)) = Detection::expected(&plan, &scenario.world, ratio) else {
            panic!("{name}: nothing is expected");
        };
        let expected = expected.as_secs_f64() / 60.0;
        let report = run(&scenario, &[ratio], 200, &[default()]);
        let found = cell(&report, DEFAULT).minutes_to_rollback.unwrap().median;
        assert!((found - expected).abs() <= 1.0 + 0.15 * expected, "{name}: {found}, expected {expected}");
    }
}
