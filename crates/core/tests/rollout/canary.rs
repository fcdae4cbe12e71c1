//! A canary on a router: how it goes forward, how it goes back, and what people can ask of it.

use crate::sim::Sim;
use serinus_core::{
    analysis::{Analysis, FailureBudget, Judge, Metric, Rounds},
    metric::{Number, Query, Sample},
    port::PortErrorKind,
    rollout::{
        Background, Capacity, Command, DeadlineAction, Failure, Input, Outcome, PlanSpec, ProgressDeadline,
        Rule, Step, Waits, waits_for,
    },
    time::GoDuration,
    traffic::Weight,
};

fn success_rate() -> Analysis {
    let judge = Judge::Range { min: Some(Number::new(99.0)), max: None };
    let metric = Metric {
        interval: Some(GoDuration::from_secs(60)),
        count: Some(3),
        ..Metric::new("success-rate", Query::builtin(Query::SUCCESS_RATE, GoDuration::from_secs(60)), judge)
    };
    Analysis { name: "health".into(), metrics: vec![metric], rounds: None }
}

fn canary() -> PlanSpec {
    PlanSpec {
        steps: vec![
            Step::Weight(Weight::percent(5.0)),
            Step::Hold(Some(GoDuration::from_mins(10))),
            Step::Analyse(0),
            Step::Weight(Weight::percent(50.0)),
            Step::Hold(None),
        ],
        analyses: vec![success_rate()],
        capacity: Capacity::Routed {
            replicas: 10,
            dynamic_stable: false,
            min_per_revision: 0,
            ready_enough: None,
        },
        ..PlanSpec::default()
    }
}

#[test]
fn a_good_candidate_is_promoted() {
    let mut sim = Sim::new(canary()).deliver("v2");
    sim.run_until("the hold without end", |sim| sim.step_number() == Some(4));
    sim.run_until_idle();
    assert_eq!(waits_for(&sim.plan, &sim.state), Waits::Person);
    assert_eq!(sim.pools[&"v2".into()].wanted, 5);
    sim.command(Command::Resume);
    sim.run_until_idle();
    assert!(sim.is_promoted(), "{:#?}", sim.state);
    assert_eq!(sim.ladder_percent(), [0.0, 5.0, 50.0, 0.0]);
    assert_eq!(sim.route.as_ref().map(|route| route.value.stable.as_str().to_owned()), Some("v2".to_owned()));
    assert_eq!(sim.pools[&"v2".into()].wanted, 10);
    assert_eq!(sim.pools[&"v1".into()].wanted, 0);
}

#[test]
fn a_bad_candidate_is_rolled_back() {
    let mut sim = Sim::new(canary()).deliver("v2");
    sim.source = Box::new(|_| Ok(Sample::number(80.0)));
    sim.run_until_idle();
    let Some(Outcome::Aborted(reason)) = sim.state.outcome() else { panic!("not aborted: {:#?}", sim.state) };
    assert!(reason.contains("success-rate"), "{reason}");
    assert_eq!(sim.ladder_percent(), [0.0, 5.0, 0.0]);
    assert_eq!(sim.pools[&"v1".into()].wanted, 10);
    assert_eq!(sim.pools[&"v2".into()].wanted, 0);
    sim.source = Box::new(|_| Ok(Sample::number(100.0)));
    sim.command(Command::Retry);
    sim.run_until("the second weight", |sim| sim.state.weight() == Weight::percent(50.0));
    assert_eq!(sim.state.attempt, 2);
}

#[test]
fn no_data_and_an_absent_source_promote_nothing() {
    for answer in [Ok(Sample::empty()), Ok(Sample::number(f64::NAN)), Ok(Sample::Null)] {
        let mut sim = Sim::new(canary()).deliver("v2");
        sim.source = Box::new(move |_| answer.clone());
        sim.run_until_idle();
        assert!(sim.is_aborted(), "{:#?}", sim.state);
    }
    let mut sim = Sim::new(canary()).deliver("v2");
    sim.source = Box::new(|_| Err(Failure { kind: PortErrorKind::Transient, message: "refused".into() }));
    sim.run_until_idle();
    assert!(sim.is_aborted());
}

#[test]
fn an_abort_works_from_every_step() {
    for step in 0..5 {
        let mut sim = Sim::new(canary()).deliver("v2");
        sim.run_until("the step", |sim| sim.step_number() == Some(step));
        sim.broken.push("v2".into());
        sim.pools.entry("v2".into()).or_default().ready = 0;
        sim.command(Command::Abort("enough".into()));
        sim.run_until_idle();
        assert_eq!(sim.state.outcome(), Some(&Outcome::Aborted("enough".into())), "step {step}");
        let route = sim.route.as_ref().map(|route| &route.value);
        assert!(
            route.is_some_and(|route| route.stable.as_str() == "v1" && route.weight.is_zero()),
            "step {step}"
        );
    }
}

#[test]
fn a_candidate_that_never_becomes_ready_takes_no_traffic() {
    let spec = PlanSpec {
        progress_deadline: Some(ProgressDeadline {
            within: GoDuration::from_mins(10),
            then: DeadlineAction::Hold,
        }),
        ..canary()
    };
    let mut sim = Sim::new(spec);
    sim.broken.push("v2".into());
    let mut sim = sim.deliver("v2");
    for _ in 0..500 {
        sim.step();
    }
    assert_eq!(sim.ladder_percent(), [0.0]);
    assert!(sim.noted(Rule::DeadlineExceeded));
    assert!(sim.is_progressing());
    assert!(matches!(waits_for(&sim.plan, &sim.state), Waits::Instances { wanted: 1, ready: 0, .. }));
}

#[test]
fn the_progress_deadline_aborts_if_it_is_to() {
    let spec = PlanSpec {
        progress_deadline: Some(ProgressDeadline {
            within: GoDuration::from_mins(10),
            then: DeadlineAction::Abort,
        }),
        ..canary()
    };
    let mut sim = Sim::new(spec);
    sim.broken.push("v2".into());
    let mut sim = sim.deliver("v2");
    sim.run_until_idle();
    assert!(sim.is_aborted());
}

#[test]
fn a_candidate_that_loses_all_instances_gives_its_traffic_back_until_it_has_some() {
    let mut sim = Sim::new(canary()).deliver("v2");
    sim.run_until("the hold", |sim| sim.step_number() == Some(1));
    sim.pools.entry("v2".into()).or_default().ready = 0;
    sim.step();
    sim.step();
    assert_eq!(sim.route.as_ref().map(|route| route.value.weight), Some(Weight::ZERO));
    assert!(sim.noted(Rule::Shortage));
    sim.pools.entry("v2".into()).or_default().ready = 1;
    sim.run_until("the weight again", |sim| {
        sim.route.as_ref().is_some_and(|route| route.value.weight == Weight::percent(5.0))
    });
    assert!(sim.noted(Rule::ShortageOver));
}

#[test]
fn a_newer_revision_starts_over_with_stable_in_between() {
    let mut sim = Sim::new(canary()).deliver("v2");
    sim.run_until("the last hold", |sim| sim.step_number() == Some(4));
    sim.hear(Input::Revised("v3".into()));
    sim.run_until("the next attempt", |sim| sim.state.attempt == 2 && sim.step_number() == Some(4));
    assert_eq!(sim.ladder_percent(), [0.0, 5.0, 50.0, 0.0, 5.0, 50.0]);
    sim.command(Command::Promote);
    sim.run_until_idle();
    assert!(sim.is_promoted());
    assert_eq!(sim.state.stable, "v3".into());
    assert_eq!(sim.pools[&"v2".into()].wanted, 0);
}

#[test]
fn the_stable_revision_asked_for_again_ends_the_attempt() {
    let mut sim = Sim::new(canary()).deliver("v2");
    sim.run_until("the hold", |sim| sim.step_number() == Some(1));
    sim.hear(Input::Revised("v1".into()));
    sim.run_until_idle();
    assert!(sim.is_aborted());
    assert_eq!(sim.state.stable, "v1".into());
}

#[test]
fn a_changed_plan_starts_the_attempt_again() {
    let mut sim = Sim::new(canary()).deliver("v2");
    sim.run_until("the last hold", |sim| sim.step_number() == Some(4));
    let mut spec = canary();
    spec.steps[0] = Step::Weight(Weight::percent(1.0));
    sim.plan = spec.try_into().unwrap();
    sim.run_until("the new first weight", |sim| sim.state.weight() == Weight::percent(1.0));
    assert_eq!(sim.state.attempt, 2);
    assert_eq!(sim.ladder_percent(), [0.0, 5.0, 50.0, 0.0, 1.0]);
}

#[test]
fn promoting_fully_leaves_the_rest_out_and_says_so() {
    let mut sim = Sim::new(canary()).deliver("v2");
    sim.source = Box::new(|_| Ok(Sample::number(0.0)));
    sim.run_until("the hold", |sim| sim.step_number() == Some(1));
    sim.command(Command::PromoteFully);
    sim.run_until_idle();
    assert!(sim.is_promoted());
    assert!(sim.noted(Rule::StepSkipped));
}

#[test]
fn a_pause_holds_the_step_and_a_resume_goes_on() {
    let mut sim = Sim::new(canary()).deliver("v2");
    sim.run_until("the hold", |sim| sim.step_number() == Some(1));
    sim.command(Command::Pause);
    sim.advance(GoDuration::from_mins(60));
    sim.run_until_idle();
    assert_eq!(sim.step_number(), Some(1));
    sim.command(Command::Resume);
    sim.run_until("the analysis", |sim| sim.step_number() == Some(2));
}

#[test]
fn commands_that_make_no_sense_are_noted_and_change_nothing() {
    let mut sim = Sim::new(canary());
    sim.run_until_idle();
    let before = sim.state.clone();
    for command in [
        Command::Promote,
        Command::PromoteFully,
        Command::Skip,
        Command::Abort(String::new()),
        Command::Retry,
        Command::Pause,
        Command::Resume,
    ] {
        sim.notes.clear();
        sim.command(command);
        assert_eq!(sim.state, before);
        assert!(sim.noted(Rule::CommandIgnored));
    }
}

#[test]
fn a_clock_stepped_back_pauses_and_never_unelapses() {
    let mut sim = Sim::new(canary()).deliver("v2");
    sim.run_until("the hold", |sim| sim.step_number() == Some(1));
    let high = sim.state.clock;
    sim.now = "2025-01-01T00:00:00Z".parse().unwrap();
    sim.hear(Input::Tick);
    assert_eq!(sim.state.clock, high);
    assert_eq!(sim.step_number(), Some(1));
}

#[test]
fn a_background_analysis_aborts_while_a_hold_waits() {
    let mut endless = success_rate();
    endless.metrics[0].count = None;
    let spec = PlanSpec {
        analyses: vec![success_rate(), endless],
        background: vec![Background { analysis: 1, during: 0..5 }],
        ..canary()
    };
    let mut sim = Sim::new(spec).deliver("v2");
    sim.run_until("the last hold", |sim| sim.step_number() == Some(4));
    sim.source = Box::new(|_| Ok(Sample::number(1.0)));
    sim.run_until("the end", Sim::is_aborted);
}

#[test]
fn a_promotion_does_not_overtake_a_background_analysis_whose_source_is_away() {
    let mut endless = success_rate();
    endless.metrics[0].count = None;
    endless.metrics[0].consecutive_error_limit = 1000;
    let spec = PlanSpec {
        steps: vec![Step::Weight(Weight::percent(50.0)), Step::Hold(Some(GoDuration::from_mins(5)))],
        analyses: vec![endless],
        background: vec![Background { analysis: 0, during: 0..2 }],
        ..canary()
    };
    let mut sim = Sim::new(spec).deliver("v2");
    sim.source = Box::new(|_| Err(Failure { kind: PortErrorKind::Transient, message: "away".into() }));
    for _ in 0..300 {
        sim.step();
    }
    assert!(sim.is_progressing());
    sim.source = Box::new(|_| Ok(Sample::number(100.0)));
    sim.run_until_idle();
    assert!(sim.is_promoted());
}

#[test]
fn flagger_counts_failed_rounds_over_the_whole_attempt() {
    let judge = Judge::Range { min: Some(Number::new(99.0)), max: None };
    let rounds =
        Rounds { interval: GoDuration::from_mins(1), passes: 1, budget: FailureBudget::Cumulative(3) };
    let metric =
        Metric::new("success-rate", Query::builtin(Query::SUCCESS_RATE, GoDuration::from_mins(1)), judge);
    let analysis = Analysis { name: "checks".into(), metrics: vec![metric], rounds: Some(rounds) };
    let steps =
        (1..=5).flat_map(|rung| [Step::Weight(Weight::percent(f64::from(rung) * 10.0)), Step::Analyse(0)]);
    let spec = PlanSpec { steps: steps.collect(), analyses: vec![analysis], ..canary() };
    let mut sim = Sim::new(spec).deliver("v2");
    let mut asked = 0;
    sim.source = Box::new(move |_| {
        asked += 1;
        Ok(Sample::number(if [1, 3, 5].contains(&asked) { 50.0 } else { 100.0 }))
    });
    sim.run_until_idle();
    assert!(sim.is_aborted());
    assert_eq!(sim.ladder_percent(), [0.0, 10.0, 20.0, 30.0, 0.0]);
}
