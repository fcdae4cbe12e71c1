//! Where rollouts go wrong in practice: nothing to scale, nobody answers, people change their minds.

use serinus_core::{
    analysis::{Analysis, Judge, Metric},
    capacity::Amount,
    metric::{Number, Query, Sample},
    port::{Fence, Pool, PortErrorKind},
    rollout::{
        Background, Capacity, Command, Failure, Input, Outcome, Phase, Plan, PlanSpec, Rule, Stage, Step,
        Waits, waits_for,
    },
    time::GoDuration,
    traffic::{Route, Weight},
};

use crate::sim::Sim;

fn routed(replicas: u32) -> Capacity {
    Capacity::Routed { replicas, dynamic_stable: false, min_per_revision: 0, ready_enough: None }
}

fn counted(replicas: u32) -> Capacity {
    Capacity::Counted { replicas, max_surge: Amount::Count(1), max_unavailable: Amount::Count(0) }
}

fn steps(weights: &[f64], capacity: Capacity) -> PlanSpec {
    let steps = weights
        .iter()
        .flat_map(|weight| {
            [Step::Weight(Weight::percent(*weight)), Step::Hold(Some(GoDuration::from_mins(1)))]
        })
        .collect();
    PlanSpec { steps, capacity, ..PlanSpec::default() }
}

fn endless(name: &str) -> Analysis {
    let judge = Judge::Range { min: Some(Number::new(99.0)), max: None };
    let metric = Metric::new(name, Query::new("test", "q"), judge);
    Analysis::of(name, [Metric { interval: Some(GoDuration::from_secs(20)), ..metric }])
}

fn away() -> Failure {
    Failure { kind: PortErrorKind::Transient, message: "away".to_owned() }
}

#[test]
fn an_application_scaled_to_nothing_is_rolled_out_and_back_up() {
    let mut sim = Sim::new(steps(&[20.0], routed(0))).deliver("v2");
    sim.run_until("the hold", |sim| sim.step_number() == Some(1));
    assert!(!sim.noted(Rule::Shortage));
    sim.replicas = Some(4);
    sim.run_until_idle();
    assert!(sim.is_promoted());
    assert_eq!(sim.pools[&"v2".into()].ready, 4);
}

#[test]
fn an_application_scaled_to_nothing_in_the_middle_goes_on() {
    let mut sim = Sim::new(steps(&[20.0, 50.0], routed(4))).deliver("v2");
    sim.run_until("the first hold", |sim| sim.step_number() == Some(1));
    sim.replicas = Some(0);
    sim.run_until_idle();
    assert!(sim.is_promoted());
}

#[test]
fn a_write_that_failed_is_not_tried_without_a_pause() {
    let mut sim = Sim::new(steps(&[20.0], routed(2))).deliver("v2");
    sim.frozen = true;
    sim.run_until("a route on its way", |sim| {
        matches!(sim.stage(), Some(Stage::Shifting) | Some(Stage::Opening))
            || sim.state.route.as_ref().is_some_and(|aim| !aim.seen)
    });
    let fence = sim.state.route.as_ref().map(|aim| aim.fence).unwrap_or_default();
    sim.hear(Input::Failed { fence, failure: away() });
    let started = sim.now;
    for _ in 0..10 {
        sim.step();
    }
    assert!(sim.now >= GoDuration::from_secs(30).after(started), "ten looks until {}", sim.now);
}

#[test]
fn a_hold_that_is_over_while_instances_are_missing_does_not_spin() {
    let mut sim = Sim::new(steps(&[20.0], routed(2))).deliver("v2");
    sim.run_until("the hold", |sim| matches!(sim.stage(), Some(Stage::Holding(_))));
    sim.broken.push("v2".into());
    sim.kill("v2");
    // Whoever asks to be woken at once is found by the harness.
    for _ in 0..40 {
        sim.step();
    }
    assert!(sim.noted(Rule::Shortage));
    sim.broken.clear();
    sim.heal("v2");
    sim.run_until_idle();
    assert!(sim.is_promoted());
}

#[test]
fn a_background_analysis_ends_with_its_steps() {
    let spec = PlanSpec {
        analyses: vec![endless("early")],
        background: vec![Background { analysis: 0, during: 0..2 }],
        ..steps(&[20.0, 50.0], routed(2))
    };
    let mut sim = Sim::new(spec).deliver("v2");
    sim.run_until("the second hold", |sim| sim.step_number() == Some(3));
    assert!(sim.noted(Rule::AnalysisEnded));
    // What the source says now is not asked for any more.
    sim.source = Box::new(|_| panic!("asked after the steps of the analysis"));
    sim.run_until_idle();
    assert!(sim.is_promoted());
}

#[test]
fn only_routes_are_set_where_nobody_scales() {
    let spec = PlanSpec { keep_old: GoDuration::from_mins(60), ..steps(&[20.0], Capacity::Unmanaged) };
    let mut sim = Sim::new(spec);
    for revision in ["v1", "v2"] {
        let pool = Pool { wanted: 3, ready: 3, fence: Some(Fence::default()) };
        sim.pools.insert(revision.into(), pool);
    }
    let mut sim = sim.deliver("v2");
    sim.run_until_idle();
    assert!(sim.is_promoted());
    assert!(sim.pools.values().all(|pool| pool.wanted == 3), "{:?}", sim.pools);
}

#[test]
fn a_person_can_go_on_without_a_verdict_that_never_comes() {
    let spec = PlanSpec {
        analyses: vec![Analysis {
            metrics: vec![Metric { consecutive_error_limit: 1000, ..endless("early").metrics.remove(0) }],
            ..endless("early")
        }],
        background: vec![Background { analysis: 0, during: 0..2 }],
        ..steps(&[20.0, 50.0, 80.0], routed(2))
    };
    let mut sim = Sim::new(spec).deliver("v2");
    sim.source = Box::new(|_| Err(away()));
    sim.run_until("the verdict is waited for", |sim| {
        matches!(waits_for(&sim.plan, &sim.state), Waits::Verdict(_)) && sim.step_number() == Some(2)
    });
    sim.command(Command::Promote);
    assert_eq!(sim.step_number(), Some(2), "a step was left out instead");
    sim.run_until_idle();
    assert!(sim.is_promoted());
    assert_eq!(sim.ladder_percent(), [0.0, 20.0, 50.0, 80.0, 0.0]);
}

#[test]
fn whoever_submits_a_revision_again_after_another_gets_it() {
    // Superseded, and then wanted after all.
    let mut sim = Sim::new(steps(&[20.0], routed(2))).deliver("v2");
    sim.run_until("the hold", |sim| sim.step_number() == Some(1));
    sim.frozen = true;
    sim.hear(Input::Revised("v3".into()));
    sim.hear(Input::Revised("v2".into()));
    sim.frozen = false;
    sim.run_until_idle();
    assert!(sim.is_promoted());
    assert_eq!(sim.state.stable.as_str(), "v2");

    // Given up, the old one submitted, and then the same again.
    let mut sim = Sim::new(steps(&[20.0], routed(2))).deliver("v2");
    sim.command(Command::Abort(String::new()));
    sim.run_until_idle();
    sim.hear(Input::Revised("v2".into()));
    assert!(sim.is_aborted(), "the same revision again is no new wish");
    sim.hear(Input::Revised("v1".into()));
    sim.hear(Input::Revised("v2".into()));
    sim.run_until_idle();
    assert!(sim.is_promoted());
}

#[test]
fn another_stable_is_taken_over_between_attempts_and_only_where_nobody_is_scaled() {
    let mut sim = Sim::new(steps(&[20.0], Capacity::Unmanaged)).deliver("v2");
    sim.run_until("the hold", |sim| sim.step_number() == Some(1));
    sim.hear(Input::Rebased("v0".into()));
    assert_eq!(sim.state.stable.as_str(), "v1", "an attempt is under way");
    sim.run_until_idle();
    assert!(sim.is_promoted());
    // Whoever has all traffic is the one that the next attempt is measured against, and goes back to.
    sim.hear(Input::Rebased("v1".into()));
    sim.run_until_idle();
    assert_eq!((sim.state.stable.as_str(), sim.state.outcome()), ("v1", None));
    assert_eq!(sim.state.route.as_ref().unwrap().value, Route::all_to("v1".into()));
    let before = sim.state.clone();
    sim.hear(Input::Rebased("v1".into()));
    assert_eq!(sim.state, before, "a level, not an edge");
    sim.hear(Input::Revised("v2".into()));
    assert_eq!((sim.state.attempt, sim.state.candidate().unwrap().as_str()), (2, "v2"));

    let mut scaled = Sim::new(steps(&[20.0], routed(2)));
    scaled.hear(Input::Rebased("v0".into()));
    assert_eq!(scaled.state.stable.as_str(), "v1", "it would have no instances");
}

#[test]
fn a_retry_does_not_forget_what_was_submitted_since() {
    let mut sim = Sim::new(steps(&[20.0], routed(2))).deliver("v2");
    sim.run_until("the hold", |sim| sim.step_number() == Some(1));
    sim.frozen = true;
    sim.hear(Input::Revised("v3".into()));
    sim.command(Command::Retry);
    sim.frozen = false;
    sim.run_until_idle();
    assert_eq!(sim.state.stable.as_str(), "v3");
}

#[test]
fn what_an_aborted_attempt_left_behind_goes_with_the_next_attempt() {
    let spec = PlanSpec { keep_aborted: None, ..steps(&[20.0], routed(5)) };
    let mut sim = Sim::new(spec);
    for revision in ["v2", "v3", "v4"] {
        sim = sim.deliver(revision);
        sim.run_until("the hold", |sim| sim.step_number() == Some(1));
        sim.command(Command::Abort(String::new()));
        sim.run_until_idle();
        assert_eq!(sim.pools[&revision.into()].wanted, 1, "kept to be looked at");
    }
    assert_eq!(sim.pools.values().filter(|pool| pool.wanted > 0).count(), 2, "{:?}", sim.pools);
    sim = sim.deliver("v5");
    sim.run_until_idle();
    assert_eq!(sim.pools.values().filter(|pool| pool.wanted > 0).count(), 1, "{:?}", sim.pools);
}

#[test]
fn a_damaged_fence_in_the_world_does_no_harm() {
    let mut sim = Sim::new(steps(&[20.0], routed(2)));
    sim.pools
        .insert("v1".into(), Pool { wanted: 2, ready: 2, fence: Some(Fence { epoch: 3, seq: u64::MAX }) });
    let mut sim = sim.deliver("v2");
    sim.run_until_idle();
    assert!(sim.is_promoted());

    let mut sim = Sim::new(steps(&[20.0], routed(2)));
    let last = Fence { epoch: u64::MAX, seq: u64::MAX };
    sim.pools.insert("v1".into(), Pool { wanted: 2, ready: 2, fence: Some(last) });
    let mut sim = sim.deliver("v2");
    sim.run_until_idle();
    assert!(sim.is_promoted());
}

#[test]
fn stable_gets_its_instances_back_even_if_the_candidate_does_not_obey() {
    let mut sim = Sim::new(steps(&[50.0], counted(10))).deliver("v2");
    sim.run_until("the hold", |sim| matches!(sim.stage(), Some(Stage::Holding(_))));
    sim.deaf.push("v2".into());
    sim.command(Command::Abort(String::new()));
    for _ in 0..40 {
        sim.step();
    }
    assert_eq!(sim.pools[&"v1".into()].ready, 10);
    sim.deaf.clear();
    sim.run_until_idle();
    assert!(sim.is_aborted());
    assert_eq!(sim.pools[&"v2".into()].wanted, 0);
}

#[test]
fn a_plan_that_manages_less_is_not_waited_for() {
    for capacity in [Capacity::Unmanaged, counted(4)] {
        let mut sim = Sim::new(steps(&[20.0], routed(4))).deliver("v2");
        sim.run_until("the hold", |sim| sim.step_number() == Some(1));
        let is_routed = capacity == Capacity::Unmanaged;
        sim.plan = Plan::try_from(steps(&[20.0], capacity)).unwrap();
        // What the new plan does not manage obeys nobody.
        sim.frozen_routes = !is_routed;
        sim.frozen_pools = is_routed;
        sim.run_until_idle();
        assert!(sim.is_promoted(), "{:#?}", sim.state);
    }
}

#[test]
fn an_attempt_goes_on_if_only_times_or_sizes_of_its_plan_change() {
    let mut sim = Sim::new(steps(&[20.0], routed(4))).deliver("v2");
    sim.run_until("the hold", |sim| sim.step_number() == Some(1));
    let changed = PlanSpec { keep_old: GoDuration::from_mins(5), ..steps(&[20.0], routed(6)) };
    sim.plan = Plan::try_from(changed).unwrap();
    sim.run_until_idle();
    assert!(sim.is_promoted());
    assert_eq!(sim.state.attempt, 1);
}

#[test]
fn a_promotion_ends_a_hold_on_record() {
    let spec = PlanSpec { steps: vec![Step::Hold(None)], ..steps(&[], routed(2)) };
    let mut sim = Sim::new(spec).deliver("v2");
    sim.run_until("the hold", |sim| sim.stage() == Some(Stage::Holding(None)));
    sim.command(Command::Promote);
    assert!(sim.noted(Rule::Resumed));
    sim.run_until_idle();
    assert!(sim.is_promoted());
}

#[test]
fn a_command_repeated_a_hundred_times_leaves_one_trace() {
    let spec = PlanSpec {
        analyses: vec![endless("early")],
        background: vec![Background { analysis: 0, during: 0..2 }],
        ..steps(&[20.0], routed(2))
    };
    let mut sim = Sim::new(spec).deliver("v2");
    sim.broken.push("v2".into());
    for _ in 0..100 {
        sim.command(Command::PromoteFully);
    }
    let Phase::Progressing(attempt) = &sim.state.phase else { panic!("it is over") };
    assert_eq!((attempt.waived.len(), attempt.waived_places.len()), (2, 1));
    assert!(sim.told.len() < 5, "{:?}", sim.told);
    assert_ne!(sim.state.outcome(), Some(&Outcome::Promoted));
}

#[test]
fn an_answer_that_comes_too_late_is_said_to_be_late() {
    let spec = PlanSpec { analyses: vec![endless("slow")], ..steps(&[20.0], routed(2)) };
    let spec = PlanSpec { background: vec![Background { analysis: 0, during: 0..2 }], ..spec };
    let mut sim = Sim::new(spec).deliver("v2");
    sim.source = Box::new(|_| Ok(Sample::number(100.0)));
    sim.late = true;
    sim.run_until("a late answer", |sim| {
        sim.notes.iter().any(|note| note.rule == Rule::Measured && note.message.contains("no answer within"))
    });
}
