//! Without a router: shares of the traffic are shares of the instances.

use crate::sim::Sim;
use serinus_core::{
    capacity::Amount,
    rollout::{Capacity, Command, PlanSpec, Step},
    traffic::Weight,
};

fn counted(replicas: u32, max_surge: Amount, max_unavailable: Amount, steps: Vec<Step>) -> PlanSpec {
    PlanSpec {
        steps,
        capacity: Capacity::Counted { replicas, max_surge, max_unavailable },
        ..PlanSpec::default()
    }
}

/// Counts of candidate and stable, each time they changed.
fn counts(sim: &mut Sim) -> Vec<(u32, u32)> {
    let mut seen: Vec<(u32, u32)> = Vec::new();
    for _ in 0..500 {
        let ready = |name: &str| sim.pools.get(&name.into()).map_or(0, |pool| pool.wanted);
        let now = (ready("v2"), ready("v1"));
        if seen.last() != Some(&now) {
            seen.push(now);
        }
        if !sim.step() {
            break;
        }
    }
    seen
}

#[test]
fn a_rolling_update_keeps_within_surge_and_unavailability() {
    let spec = counted(4, Amount::Count(1), Amount::Count(0), vec![Step::Weight(Weight::FULL)]);
    let mut sim = Sim::new(spec).deliver("v2");
    let way = counts(&mut sim);
    assert_eq!(way, [(1, 4), (1, 3), (2, 3), (2, 2), (3, 2), (3, 1), (4, 1), (4, 0)]);
    assert!(sim.is_promoted());
    assert!(sim.route.is_none());
}

#[test]
fn a_plan_without_steps_is_a_rolling_update() {
    let mut sim = Sim::new(counted(4, Amount::Count(1), Amount::Count(0), Vec::new())).deliver("v2");
    assert_eq!(counts(&mut sim).last(), Some(&(4, 0)));
    assert!(sim.is_promoted());
}

#[test]
fn recreating_stops_the_old_before_it_starts_the_new() {
    let spec = counted(3, Amount::Count(0), Amount::Percent(100), vec![Step::Switch]);
    let mut sim = Sim::new(spec).deliver("v2");
    assert_eq!(counts(&mut sim), [(0, 0), (3, 0)]);
    assert!(sim.is_promoted());
}

#[test]
fn a_weight_is_approximated_and_an_abort_goes_back_by_the_same_rules() {
    let steps = vec![Step::Weight(Weight::percent(20.0)), Step::Hold(None)];
    let mut sim = Sim::new(counted(10, Amount::Percent(25), Amount::Percent(25), steps)).deliver("v2");
    assert_eq!(counts(&mut sim).last(), Some(&(2, 8)));
    sim.command(Command::Abort("enough".into()));
    assert_eq!(counts(&mut sim).last(), Some(&(0, 10)));
    assert!(sim.is_aborted());
}

#[test]
fn a_candidate_that_never_becomes_ready_stops_the_update_and_can_be_aborted() {
    let mut sim = Sim::new(counted(4, Amount::Count(1), Amount::Count(0), Vec::new()));
    sim.broken.push("v2".into());
    let mut sim = sim.deliver("v2");
    for _ in 0..50 {
        sim.step();
    }
    assert_eq!((sim.pools[&"v2".into()].wanted, sim.pools[&"v1".into()].wanted), (1, 4));
    sim.command(Command::Abort("it never starts".into()));
    sim.run_until_idle();
    assert!(sim.is_aborted());
    assert_eq!(sim.pools[&"v1".into()].ready, 4);
}

#[test]
fn the_application_can_be_rescaled_while_a_step_holds() {
    let steps = vec![Step::Weight(Weight::percent(25.0)), Step::Hold(None)];
    let mut sim = Sim::new(counted(4, Amount::Percent(25), Amount::Percent(25), steps)).deliver("v2");
    sim.run_until("the hold", |sim| sim.step_number() == Some(1));
    sim.replicas = Some(8);
    for _ in 0..20 {
        sim.hear(serinus_core::rollout::Input::Seen(sim.world()));
    }
    assert_eq!((sim.pools[&"v2".into()].wanted, sim.pools[&"v1".into()].wanted), (2, 6));
}
