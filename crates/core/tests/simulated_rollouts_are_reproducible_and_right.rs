//! Simulated rollouts: the same for the same seed, and as the figures and the arithmetic say.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    num::NonZero,
    sync::atomic::{AtomicU64, Ordering},
};

use serinus_core::{
    analysis::{Analysis, Judge, Metric},
    metric::{Number, Query},
    rollout::{CandidateScale, Plan, PlanSpec, Step},
    simulate::{
        Behaviour, Contestant, Ending, Incident, Ladder, Report, Signal, Simulation, SimulationError, Study,
        Sweep, Swing, World, rival::Rival,
    },
    strategy::Canary,
    time::GoDuration,
    traffic::Weight,
};

fn contestants() -> Vec<Contestant> {
    let ladder = Ladder::default();
    vec![
        Contestant::plan("argo", ladder.argo_thresholds(99.0, 2).unwrap()),
        Contestant::plan("flagger", ladder.flagger_thresholds(99.0, 5).unwrap()),
        Contestant::rival("z", Rival::ZTestEachLook { alpha: 0.05 }, ladder.clone()),
        Contestant::rival("statsig", Rival::Statsig { alpha: 0.05 }, ladder.clone()),
        Contestant::rival("growthbook", Rival::GrowthBook { alpha: 0.05, tuning: 5000.0 }, ladder),
    ]
}

fn kayenta() -> Contestant {
    Contestant::rival("kayenta", Rival::Kayenta { pass: 95.0, marginal: 75.0 }, Ladder::default())
}

fn study(world: World, effects: &[f64], rollouts: u64) -> Study {
    Study { effects: effects.to_vec(), rollouts, ..Study::of(world) }
}

fn run(study: &Study, contestants: &[Contestant]) -> Report {
    study.run(contestants, &|_| {}).unwrap()
}

/// Rolled back, in percent, by the name of the strategy and the place of the effect.
fn rolled_back(report: &Report, name: &str, effect: usize) -> f64 {
    let strategy = report.strategies.iter().find(|strategy| strategy.name == name).unwrap();
    100.0 * strategy.cells[effect].rolled_back.share
}

/// To the second: an interval ends a nanosecond after its length, so that looks are later by some.
fn minutes(length: GoDuration) -> f64 {
    length.as_secs_f64().round() / 60.0
}

#[test]
fn the_same_seed_gives_the_same_bytes_whatever_the_number_of_threads() {
    let world = World { dispersion: 4.0, drift_per_hour: 1.0, ..World::default() };
    let mut contestants = contestants();
    contestants.push(kayenta());
    let bytes = |threads: usize, seed| {
        let threads = NonZero::new(threads);
        let study = Study { threads, seed, trails: 3, ..study(world.clone(), &[1.0, 3.0], 70) };
        serde_json::to_string(&run(&study, &contestants)).unwrap()
    };
    let one = bytes(1, 7);
    assert_eq!(one, bytes(2, 7));
    assert_eq!(one, bytes(5, 7));
    assert_ne!(one, bytes(1, 8));
    let read: Report = serde_json::from_str(&one).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), one);
}

#[test]
fn the_figures_of_the_literature_come_out_again() {
    // 6000 requests a minute, 1 % of them fail; numpy found these, with 20 000 rollouts for each.
    let world = World { failure_rate: 0.01, ..World::default() };
    let ladder = Ladder::default();
    let limit = 98.0;
    let mut contestants = contestants();
    contestants[0] = Contestant::plan("argo", ladder.argo_thresholds(limit, 2).unwrap());
    contestants[1] = Contestant::plan("flagger", ladder.flagger_thresholds(limit, 5).unwrap());
    contestants.push(Contestant::plan("argo 0", ladder.argo_thresholds(limit, 0).unwrap()));
    let report = run(&study(world, &[1.0, 1.5], 1000), &contestants);
    for (name, healthy, faulty, minute) in [
        ("argo 0", 57.2, 99.9, 3.0),
        ("argo", 4.7, 95.8, 12.0),
        ("growthbook", 0.38, 100.0, 16.0),
        ("statsig", 0.01, 100.0, 28.0),
        ("z", 35.5, 100.0, 3.0),
    ] {
        let found = rolled_back(&report, name, 0);
        assert!((found - healthy).abs() < 5.0, "{name}: {found} % instead of {healthy} %");
        let found = rolled_back(&report, name, 1);
        assert!((found - faulty).abs() < 3.0, "{name}: {found} % instead of {faulty} %");
        let strategy = report.strategies.iter().find(|strategy| strategy.name == name).unwrap();
        let found = strategy.cells[1].minutes_to_rollback.unwrap().median;
        assert!((found - minute).abs() <= 1.0, "{name}: minute {found} instead of {minute}");
    }
    // There the weight rose by the clock; here it waits for checks that pass, as Flagger's does.
    assert!(rolled_back(&report, "flagger", 0) < 1.0);
    assert!((75.0..90.0).contains(&rolled_back(&report, "flagger", 1)));
}

#[test]
fn a_drift_of_the_base_rate_fools_pooled_totals_and_thresholds() {
    let world = World { failure_rate: 0.01, drift_per_hour: 2.0, ..World::default() };
    let mut contestants = contestants();
    contestants.push(kayenta());
    let report = run(&study(world, &[1.0], 60), &contestants);
    for name in ["argo", "flagger", "statsig", "growthbook"] {
        assert!(rolled_back(&report, name, 0) > 90.0, "{name}");
    }
    assert!(rolled_back(&report, "kayenta", 0) < 10.0);
}

#[test]
fn a_plan_without_metrics_always_promotes() {
    let hold = || Step::Hold(Some(GoDuration::from_mins(5)));
    let steps = vec![
        Step::Weight(Weight::percent(10.0)),
        hold(),
        Step::Weight(Weight::percent(50.0)),
        hold(),
        Step::Hold(None),
        Step::Gate("night".to_owned()),
        Step::Weight(Weight::FULL),
    ];
    let plan = Plan::try_from(PlanSpec { steps, ..PlanSpec::default() }).unwrap();
    let broken = Behaviour { failure_ratio: 1000.0, ..Behaviour::default() };
    let simulation = Simulation::new(plan, World::default().with_candidate(broken)).unwrap();
    for rollout in 0..50 {
        let course = simulation.run(3, rollout);
        assert_eq!(course.ending, Ending::Promoted);
        // Two holds, and a person who comes after ten minutes.
        assert_eq!(course.lasted, GoDuration::from_mins(20));
        assert_eq!(course.looks, 0);
        let weights: Vec<_> = course.trail.iter().map(|turn| turn.weight.as_percent()).collect();
        assert_eq!(weights, [10.0, 50.0, 100.0]);
    }
}

#[test]
fn a_candidate_that_fails_fifty_times_as_often_is_always_rolled_back_at_99_percent() {
    let ladder = Ladder::default();
    let world = World { failure_rate: 0.005, ..World::default() };
    let contestants = [
        Contestant::plan("argo", ladder.argo_thresholds(99.0, 2).unwrap()),
        Contestant::plan("flagger", ladder.flagger_thresholds(99.0, 5).unwrap()),
    ];
    let report = run(&study(world, &[50.0], 300), &contestants);
    for strategy in &report.strategies {
        let cell = &strategy.cells[0];
        assert_eq!((cell.rolled_back.count, cell.promoted.count), (300, 0), "{}", strategy.name);
        assert!(!cell.is_healthy);
        assert!(cell.excess_failures > 0.9 * cell.candidate_requests * 0.25 * 0.98);
    }
}

#[test]
fn what_is_counted_adds_up() {
    let world = World { dispersion: 3.0, requests_per_user: 7.0, ..World::default() };
    let report = run(&study(world, &[1.0, 2.0], 200), &contestants());
    for cell in report.strategies.iter().flat_map(|strategy| &strategy.cells) {
        let ended = [cell.rolled_back, cell.promoted, cell.left_to_person, cell.open];
        assert_eq!(ended.iter().map(|share| share.count).sum::<u64>(), 200);
        assert!(cell.excess_failures <= cell.failures);
        assert!(cell.candidate_users * 7.0 >= cell.candidate_requests);
        assert_eq!(cell.is_healthy, cell.excess_failures == 0.0);
    }
}

#[test]
fn progress_ends_at_all() {
    let most = AtomicU64::new(0);
    let study = study(World::default(), &[1.0, 2.0], 50);
    study
        .run(&contestants(), &|progress| {
            assert_eq!(progress.all, 500);
            most.fetch_max(progress.done, Ordering::Relaxed);
        })
        .unwrap();
    assert_eq!(most.into_inner(), 500);
}

#[test]
fn a_fault_that_comes_late_is_found_late() {
    let plan = Ladder::default().argo_thresholds(95.0, 2).unwrap();
    let late = Behaviour { failure_ratio: 40.0, after: GoDuration::from_mins(30), ..Behaviour::default() };
    let simulation = Simulation::new(plan, World::default().with_candidate(late)).unwrap();
    for rollout in 0..20 {
        let course = simulation.run(1, rollout);
        assert!(matches!(course.ending, Ending::RolledBack(_)));
        assert_eq!(minutes(course.lasted), 33.0);
    }
}

#[test]
fn an_incident_hits_both_versions_while_it_lasts() {
    let incident = Incident { start: GoDuration::from_mins(20), length: GoDuration::from_mins(5), rate: 0.5 };
    let world = World { incidents: vec![incident], ..World::default() };
    let plan = Ladder::default().argo_thresholds(95.0, 2).unwrap();
    let course = Simulation::new(plan, world).unwrap().run(1, 0);
    assert!(matches!(course.ending, Ending::RolledBack(_)));
    assert_eq!(minutes(course.lasted), 23.0);
    assert_eq!(course.excess_failures, 0.0, "it is not the candidate's fault");
}

#[test]
fn slow_answers_are_found_by_a_bound_on_the_latency() {
    let judge = Judge::Range { min: None, max: Some(Number::new(500.0)) };
    let metric = Metric {
        interval: Some(GoDuration::from_mins(1)),
        initial_delay: GoDuration::from_mins(1),
        failure_limit: Some(5),
        ..Metric::new("duration", Query::builtin(Query::DURATION, GoDuration::from_mins(1)), judge)
    };
    let plan = Ladder::default().beside(Analysis::of("latency", [metric])).unwrap();
    let study = Study { sweep: Sweep::Latency, ..study(World::default(), &[1.0, 3.0], 50) };
    let report = run(&study, &[Contestant::plan("latency", plan)]);
    assert_eq!(rolled_back(&report, "latency", 0), 0.0);
    assert_eq!(rolled_back(&report, "latency", 1), 100.0);
}

#[test]
fn shares_of_instances_are_shares_of_traffic_without_a_router() {
    let hold = || Step::Hold(Some(GoDuration::from_mins(5)));
    let spec = PlanSpec {
        steps: vec![Step::Weight(Weight::percent(25.0)), hold(), Step::Weight(Weight::percent(50.0)), hold()],
        capacity: Canary::counted(4).capacity,
        ..PlanSpec::default()
    };
    let plan = Plan::try_from(spec).unwrap();
    let course = Simulation::new(plan, World::default()).unwrap().run(1, 0);
    assert_eq!(course.ending, Ending::Promoted);
    let weights: Vec<_> = course.trail.iter().map(|turn| turn.weight.as_percent()).collect();
    assert!(weights.contains(&25.0) && weights.contains(&50.0), "{weights:?}");
    assert!(course.candidate_requests > 0);
}

#[test]
fn mirrored_requests_are_measured_and_hurt_nobody() {
    let judge = Judge::Range { min: Some(Number::new(99.0)), max: None };
    let metric = Metric {
        interval: Some(GoDuration::from_mins(1)),
        initial_delay: GoDuration::from_mins(1),
        count: Some(3),
        ..Metric::new("success-rate", Query::builtin(Query::SUCCESS_RATE, GoDuration::from_mins(1)), judge)
    };
    let spec = PlanSpec {
        steps: vec![
            Step::Scale(CandidateScale::Replicas(1)),
            Step::Mirror(Weight::percent(20.0)),
            Step::Analyse(0),
        ],
        analyses: vec![Analysis::of("mirrored", [metric])],
        capacity: Canary::new(4).capacity,
        ..PlanSpec::default()
    };
    let broken = Behaviour { failure_ratio: 100.0, ..Behaviour::default() };
    let world = World::default().with_candidate(broken);
    let course = Simulation::new(Plan::try_from(spec).unwrap(), world).unwrap().run(1, 0);
    assert!(matches!(course.ending, Ending::RolledBack(_)), "{:?}", course.ending);
    assert_eq!((course.candidate_requests, course.candidate_users, course.excess_failures), (0, 0, 0.0));
}

#[test]
fn what_no_world_answers_is_an_error_until_it_is_said() {
    let judge = Judge::Range { min: None, max: Some(Number::new(80.0)) };
    let metric = Metric::new("memory", Query::new("prometheus", "container_memory"), judge);
    let plan = Canary::between_variants().analyse(Analysis::of("a", [metric])).plan().unwrap();
    let error = Simulation::new(plan.clone(), World::default()).unwrap_err().to_string();
    assert!(error.contains("what the metric `memory` measures"), "{error}");
    assert!(error.contains("say it with a signal for `memory`"), "{error}");
    let said = |name: &str, signal: &str| [(name.to_owned(), signal.parse::<Signal>().unwrap())].into();
    for (signal, promoted) in [("value:79", true), ("value:81", false)] {
        let simulation =
            Simulation::with_signals(plan.clone(), World::default(), &said("memory", signal)).unwrap();
        assert_eq!(simulation.run(1, 0).ending == Ending::Promoted, promoted);
    }
    let error = Simulation::with_signals(plan, World::default(), &said("cpu", "value:1")).unwrap_err();
    assert_eq!(error.to_string(), "there is no metric `cpu` to give a signal to: the plan has `memory`");
}

#[test]
fn worlds_that_cannot_be_are_refused_with_place_and_remedy() {
    for (text, expected) in [
        (r#"{"requestsPerSecond": 0}"#, "requestsPerSecond is 0: expected a number above 0, at most 1e7"),
        (r#"{"failureRate": 1.5}"#, "failureRate is 1.5: expected a share from 0 to 1, such as 0.01 for 1 %"),
        (r#"{"dispersion": 0.5}"#, "dispersion is 0.5: expected a number from 1"),
        (r#"{"driftPerHour": 1e9}"#, "driftPerHour is 1000000000: expected"),
        (r#"{"latency": {"median": -1}}"#, "latency.median is -1: expected a number above 0"),
        (r#"{"requestsPerUser": 0}"#, "requestsPerUser is 0"),
        (r#"{"candidate": {"failureRatio": -1}}"#, "candidate.failureRatio is -1"),
        (
            r#"{"candidate": {"after": "-1s"}}"#,
            "candidate.after is -1s: expected a length of time of 0s or more",
        ),
        (
            r#"{"incidents": [{"start": "1m", "length": "1m", "rate": 7}]}"#,
            "incidents[0].rate is 7: expected a share",
        ),
        (r#"{"swing": {"period": "0s"}}"#, "swing.period is 0s: expected a length of time above 0s"),
    ] {
        let world: World = serde_json::from_str(text).unwrap();
        let error = world.check().unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
        let plan = Ladder::default().argo_thresholds(99.0, 2).unwrap();
        assert_eq!(Simulation::new(plan, world).unwrap_err(), SimulationError::World(error));
    }
    for text in [r#"{"requestPerSecond": 1}"#, r#"{"latency": {"mean": 1}}"#, r#"{"swing": {}}"#] {
        assert!(serde_json::from_str::<World>(text).is_err(), "{text}");
    }
    let world = World { failure_rate: f64::NAN, ..World::default() };
    assert!(world.check().is_err());
}

#[test]
fn ladders_and_rules_that_cannot_be_are_refused() {
    let rival = Rival::Statsig { alpha: 0.05 };
    let short = Ladder { interval: GoDuration::ZERO, ..Ladder::default() };
    let empty = Ladder { weights: Vec::new(), ..Ladder::default() };
    let endless = Ladder { looks_at_each: u32::MAX, ..Ladder::default() };
    for (contestant, expected) in [
        (Contestant::rival("short", rival, short), "60 looks, one every 0s: expected 1 to 100000 looks"),
        (Contestant::rival("empty", rival, empty), "the ladder has 0 looks"),
        (Contestant::rival("endless", rival, endless), "the ladder has 21474836475 looks"),
        (
            Contestant::rival("rule", Rival::Statsig { alpha: 7.0 }, Ladder::default()),
            "the rule cannot be: `alpha` is 7",
        ),
    ] {
        let error = study(World::default(), &[1.0], 5).run(&[contestant], &|_| {}).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn the_greatest_and_smallest_worlds_run() {
    let swing = Swing { period: GoDuration::from_millis(1), requests: 1.0, failures: 1.0 };
    for world in [
        World { requests_per_second: 1e7, failure_rate: 1.0, dispersion: 1e6, ..World::default() },
        World { requests_per_second: 1e-9, failure_rate: 0.0, ..World::default() },
        World { drift_per_hour: -100.0, swing: Some(swing), dispersion: 50.0, ..World::default() },
        World { dispersion: 1e6, failure_rate: 1e-12, ..World::default() },
    ] {
        let mut contestants = contestants();
        contestants.push(kayenta());
        run(&study(world, &[0.0, 1.0, 1e6], 3), &contestants);
    }
}
