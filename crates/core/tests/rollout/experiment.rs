//! Experiments: fixed cohorts, when they end, and what they find out.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use serinus_core::{
    analysis::{Compared, Comparison},
    metric::{ArmCounts, Arms, Number, Query, Question, Sample},
    rollout::{Command, Failure, Input, Outcome, Phase, Plan, PlanError, Rule},
    strategy::{Canary, Cohort, Conclusion, Experiment, Measure, Stop},
    time::GoDuration,
    traffic::{Match, Weight},
};

use crate::{
    comparing::{arms, is_paused},
    sim::Sim,
};

fn experiment() -> Experiment {
    let primary = Measure::new("failures", Comparison::of(Compared::Failures));
    Experiment::new(4, Cohort::Requests(Weight::percent(50.0)), primary)
}

fn begin(experiment: Experiment, source: impl FnMut(&Question) -> Result<Sample, Failure> + 'static) -> Sim {
    let mut sim = Sim::new(experiment.plan().unwrap().into());
    sim.source = Box::new(source);
    sim.deliver("v2")
}

fn run(experiment: Experiment, source: impl FnMut(&Question) -> Result<Sample, Failure> + 'static) -> Sim {
    let mut sim = begin(experiment, source);
    sim.run_until_idle();
    sim
}

fn returned(sim: &Sim) -> &str {
    let Some(Outcome::Returned(result)) = sim.state.outcome() else { panic!("{:#?}", sim.state) };
    assert_eq!(sim.state.stable, "v1".into());
    assert_eq!(sim.state.weight(), Weight::ZERO);
    result
}

#[test]
fn an_experiment_ends_on_stable_with_intervals_of_each_arm() {
    let sim = run(experiment(), arms(1.0));
    let result = returned(&sim);
    assert!(result.starts_with("failures: candidate 1.00% of "), "{result}");
    assert!(result.contains(", stable 1.00% of "), "{result}");
    assert_eq!(result.matches("(99.5% interval ").count(), 4, "two arms of two metrics: {result}");
    assert_eq!(result.matches(": no worse").count(), 2, "{result}");
    assert!(sim.noted(Rule::Concluded) && sim.noted(Rule::Returned) && !sim.noted(Rule::AbortStarted));
    assert_eq!(sim.ladder_percent(), [0.0, 50.0, 0.0], "the cohort is fixed");
    assert_eq!(sim.pools.get(&"v1".into()).unwrap().ready, 4);
    assert!(sim.pools.get(&"v2".into()).is_none_or(|pool| pool.wanted == 0));
}

#[test]
fn that_the_candidate_is_worse_by_the_primary_metric_is_a_result() {
    let sim = run(experiment().guardrails([]), arms(1.6));
    let result = returned(&sim);
    assert!(result.contains(": worse"), "{result}");
    assert!(result.contains("failures: candidate 1.6"), "{result}");
}

#[test]
fn that_the_candidate_is_better_is_said() {
    let sim = run(experiment().stop(Stop::Horizon(GoDuration::from_mins(30))).guardrails([]), arms(0.5));
    assert!(returned(&sim).ends_with(": better"), "{}", returned(&sim));
}

#[test]
fn a_guardrail_takes_the_candidate_back() {
    // Latency is the guardrail; the failures of the primary metric are equal.
    let (mut good, mut slow) = (arms(1.0), arms(1.0));
    let source = move |question: &Question| {
        let mut map = good(question).unwrap().into_map().unwrap();
        let mut arms = Arms::try_from(&slow(question)?).unwrap();
        for (_, count) in arms.candidate.latency.iter_mut().take(2) {
            *count /= 2;
        }
        let changed = Sample::from(arms).into_map().unwrap();
        map.extend(changed);
        Ok(Sample::Map(map))
    };
    let sim = run(experiment(), source);
    let Some(Outcome::Aborted(reason)) = sim.state.outcome() else { panic!("{:#?}", sim.state) };
    assert!(reason.contains("latency") && reason.contains("; failures: candidate 1.00% of"), "{reason}");
}

#[test]
fn a_horizon_is_kept_though_the_evidence_is_there_before() {
    let lasting = |stop: Stop| {
        let sim = run(experiment().stop(stop), arms(1.0));
        returned(&sim);
        let Phase::Done(done) = &sim.state.phase else { panic!("{:#?}", sim.state) };
        GoDuration::between("2026-01-01T00:00:00Z".parse().unwrap(), done.at)
    };
    let longest = GoDuration::from_mins(100);
    assert!(lasting(Stop::Evidence(longest)) < GoDuration::from_mins(60));
    assert!(lasting(Stop::Horizon(longest)) >= longest);
}

#[test]
fn without_evidence_an_experiment_that_returns_is_uncertain_and_one_that_promotes_asks() {
    let few = |question: &Question| {
        let empty = question.window.is_some_and(|window| window.from == window.to);
        let counts = ArmCounts { requests: u64::from(!empty), ..ArmCounts::default() };
        Ok(Sample::from(Arms { stable: counts.clone(), candidate: counts, control: None }))
    };
    let hour = GoDuration::from_mins(60);
    for stop in [Stop::Evidence(hour), Stop::Horizon(hour)] {
        let uncertain = experiment().stop(stop).guardrails([]);
        let sim = run(uncertain.clone(), few);
        assert!(returned(&sim).contains("not certain after 1h"), "{}", returned(&sim));
        for then in [Conclusion::Promote, Conclusion::Ask] {
            let mut sim = begin(uncertain.clone().then(then), few);
            sim.run_until("it is paused", is_paused);
            assert_eq!(sim.state.weight(), Weight::percent(50.0));
            sim.command(Command::Abort(String::new()));
            sim.run_until_idle();
            assert!(sim.is_aborted());
        }
    }
}

#[test]
fn the_winner_is_promoted_if_the_plan_says_so_or_a_person_does() {
    assert!(run(experiment().then(Conclusion::Promote), arms(1.0)).is_promoted());
    let mut sim = run(experiment().then(Conclusion::Ask), arms(1.0));
    assert!(sim.is_progressing());
    assert!(
        sim.notes.iter().any(|note| note.rule == Rule::AnalysisEnded && note.message.contains("no worse"))
    );
    sim.command(Command::Promote);
    sim.run_until_idle();
    assert!(sim.is_promoted());
}

#[test]
fn requests_that_are_split_otherwise_make_an_experiment_invalid() {
    let uneven = |question: &Question| {
        let mut arms = Arms::try_from(&arms(1.0)(question)?).unwrap();
        arms.candidate.requests = arms.candidate.requests * 4 / 5;
        Ok(Sample::from(arms))
    };
    let base = experiment().guardrails([]);
    let sim = run(base.clone(), uneven);
    assert!(returned(&sim).contains("invalid: the requests"), "{}", returned(&sim));
    let mut subjects = base;
    subjects.cohort = Cohort::Subjects(Weight::percent(50.0));
    assert!(!returned(&run(subjects.clone(), uneven)).contains("invalid"));
    // Unless somebody counts the subjects.
    let checked = Comparison { sample_ratio: true, ..Comparison::default() };
    let seen = Measure::new("subjects", checked).asking(Query::new("test", "subjects"));
    let subjects = subjects.guardrails([seen]);
    let sim = run(subjects, move |question: &Question| match question.query.text.as_str() {
        "subjects" => uneven(question),
        _ => arms(1.0)(question),
    });
    assert!(returned(&sim).contains("invalid: the requests"), "{}", returned(&sim));
}

#[test]
fn a_cohort_by_match_gets_the_candidate_whatever_the_weight() {
    let beta = Match { path: None, headers: Vec::new(), cookies: Vec::new() };
    let cohort = Cohort::Matching(vec![beta.clone()]);
    let mut by_match = experiment();
    by_match.cohort = cohort;
    let mut sim = begin(by_match, arms(1.0));
    sim.run_until("the match is in force", |sim| {
        sim.route.as_ref().is_some_and(|route| route.value.matches == [beta.clone()])
    });
    assert_eq!(sim.pools.get(&"v2".into()).unwrap().ready, 4, "nobody knows how many fit");
    sim.run_until_idle();
    assert_eq!(sim.ladder_percent(), [0.0]);
    returned(&sim);
}

#[test]
fn a_finished_experiment_begins_again_only_when_somebody_means_it() {
    let mut sim = run(experiment(), arms(1.0));
    sim.hear(Input::Revised("v2".into()));
    assert!(!sim.is_progressing(), "the same revision again is no news");
    sim.command(Command::PromoteFully);
    assert!(!sim.is_progressing());
    sim.command(Command::Retry);
    assert!(sim.is_progressing());
    sim.command(Command::PromoteFully);
    assert!(sim.notes.last().unwrap().message.contains("ends by going back"), "{:?}", sim.notes.last());
    sim.run_until_idle();
    returned(&sim);
}

#[test]
fn without_a_router_no_instance_moves_before_the_verdict() {
    for then in [Conclusion::Return, Conclusion::Promote] {
        let mut counted = experiment().then(then);
        counted.capacity = Canary::counted(4).capacity;
        let mut sim = begin(counted, arms(1.0));
        sim.run_until("the cohort is there", |sim| sim.step_number() == Some(1));
        let wanted = |sim: &Sim| {
            ["v1", "v2"].map(|revision| sim.pools.get(&revision.into()).map_or(0, |pool| pool.wanted))
        };
        let before = wanted(&sim);
        assert!(before.iter().all(|wanted| (2..=3).contains(wanted)), "{before:?}");
        while sim
            .state
            .attempt_under_way()
            .is_some_and(|attempt| attempt.runs.iter().any(|placed| !placed.run.is_over()))
        {
            assert_eq!(wanted(&sim), before);
            sim.step();
        }
        sim.run_until_idle();
        assert_eq!(sim.is_promoted(), then == Conclusion::Promote);
        assert_eq!(sim.pools.get(&sim.state.stable).unwrap().ready, 4);
    }
}

#[test]
fn cohorts_of_nobody_or_of_everybody_and_negative_horizons_are_refused() {
    for (cohort, stop) in [
        (Cohort::Requests(Weight::ZERO), Stop::default()),
        (Cohort::Subjects(Weight::FULL), Stop::default()),
        (Cohort::Matching(Vec::new()), Stop::default()),
        (Cohort::Requests(Weight::percent(50.0)), Stop::Horizon(GoDuration::from_nanos(-1))),
        (Cohort::Requests(Weight::percent(50.0)), Stop::Evidence(GoDuration::ZERO)),
    ] {
        let mut refused = experiment().stop(stop);
        refused.cohort = cohort;
        let plan = refused.plan();
        assert!(plan.is_err(), "{plan:?}");
    }
    let same_name = experiment().guardrails([Measure::new("failures", Comparison::default())]).plan();
    assert!(matches!(same_name, Err(PlanError::Analysis { .. })), "{same_name:?}");
}

#[test]
fn an_experiment_is_written_as_it_is_read() {
    let text = r#"{
        "capacity": "unmanaged",
        "cohort": {"subjects": 50000},
        "primary": {"name": "orders", "compare": {"of": "successes", "dispersion": 2.0}, "every": "1m"},
        "stop": {"horizon": "168h"},
        "then": "ask"
    }"#;
    let read: Experiment = serde_json::from_str(text).unwrap();
    let primary = Measure::new(
        "orders",
        Comparison { dispersion: Number::new(2.0).into(), ..Comparison::of(Compared::Successes) },
    );
    let built = Experiment::between_variants(
        Cohort::Subjects(Weight::percent(50.0)),
        primary.every(GoDuration::from_mins(1)),
    )
    .stop(Stop::Horizon(GoDuration::from_mins(168 * 60)))
    .then(Conclusion::Ask);
    assert_eq!(read, built);
    let plan: Plan = built.plan().unwrap();
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
}
