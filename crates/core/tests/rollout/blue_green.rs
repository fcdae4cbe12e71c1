//! Blue/green: two full sides and one switch.

use crate::sim::Sim;
use serinus_core::{
    analysis::{Analysis, Judge, Metric},
    metric::{Number, Query, Sample},
    rollout::{Command, Outcome, Phase, Waits, waits_for},
    strategy::{BlueGreen, Promotion},
    time::GoDuration,
};

fn smoke() -> Analysis {
    let judge = Judge::Range { min: Some(Number::new(1.0)), max: None };
    Analysis::of("smoke", [Metric::new("answers", Query::new("test", "up"), judge)])
}

#[test]
fn the_new_side_is_previewed_switched_to_and_the_old_one_kept_for_a_while() {
    let spec = BlueGreen::new(3)
        .preview_replicas(1)
        .analyse_before(smoke())
        .promotion(Promotion::After(GoDuration::from_mins(5)))
        .keep_old(GoDuration::from_mins(30));
    let mut sim = Sim::new(spec.into()).deliver("v2");
    sim.run_until("the wait before the switch", |sim| sim.step_number() == Some(2));
    assert_eq!(sim.pools[&"v2".into()].wanted, 1);
    assert!(sim.route.as_ref().is_some_and(|route| route.value.preview && route.value.weight.is_zero()));
    sim.run_until("the promotion", Sim::is_promoted);
    assert_eq!(sim.ladder_percent(), [0.0, 100.0, 0.0]);
    assert_eq!(sim.pools[&"v1".into()].wanted, 3, "the old side is kept");
    assert_eq!(sim.pools[&"v2".into()].wanted, 3);
    let Phase::Done(done) = &sim.state.phase else { panic!("not done") };
    let promoted = done.at;
    sim.run_until("the old side is gone", |sim| sim.pools[&"v1".into()].wanted == 0);
    assert!(GoDuration::between(promoted, sim.state.clock) >= GoDuration::from_mins(30));
}

#[test]
fn a_manual_switch_waits_for_a_person() {
    let mut sim = Sim::new(BlueGreen::new(2).promotion(Promotion::Manual).into()).deliver("v2");
    sim.run_until_idle();
    assert_eq!(waits_for(&sim.plan, &sim.state), Waits::Person);
    sim.command(Command::Promote);
    sim.run_until_idle();
    assert!(sim.is_promoted());
}

#[test]
fn a_failure_before_the_switch_leaves_users_alone() {
    let mut sim = Sim::new(BlueGreen::new(2).analyse_before(smoke()).into()).deliver("v2");
    sim.source = Box::new(|_| Ok(Sample::number(0.0)));
    sim.run_until_idle();
    assert!(sim.is_aborted());
    assert_eq!(sim.ladder_percent(), [0.0]);
}

#[test]
fn a_failure_after_the_switch_switches_back() {
    let mut sim = Sim::new(BlueGreen::new(2).analyse_after(smoke()).into()).deliver("v2");
    sim.source = Box::new(|_| Ok(Sample::number(0.0)));
    sim.run_until_idle();
    assert!(matches!(sim.state.outcome(), Some(Outcome::Aborted(_))));
    assert_eq!(sim.ladder_percent(), [0.0, 100.0, 0.0]);
    assert_eq!(sim.pools[&"v1".into()].ready, 2);
}

#[test]
fn a_new_side_that_loses_its_instances_after_the_switch_gives_the_traffic_back() {
    let mut sim = Sim::new(BlueGreen::new(2).analyse_after(smoke()).into()).deliver("v2");
    sim.run_until("the switch", |sim| sim.route.as_ref().is_some_and(|route| route.value.weight.is_full()));
    sim.pools.entry("v2".into()).or_default().ready = 0;
    sim.step();
    assert!(sim.route.as_ref().is_some_and(|route| route.value.weight.is_zero()));
    sim.command(Command::Abort("it is gone".into()));
    sim.run_until_idle();
    assert!(sim.is_aborted());
}
