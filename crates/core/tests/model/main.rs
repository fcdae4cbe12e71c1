//! The safety rules over every reachable state of small plans: crashes, lost and late writes, two drivers, pods that
//! come and go, commands and other revisions at any moment. And proof that the search finds what it looks for: every
//! weaker design fails.
//!
//! Bounds: one or two weights with an analysis between them, an experiment that ends on stable, a shadow that goes on to a
//! weight; two instances, unmanaged or behind a router, and no time passes. Without time there are no windows, so that the
//! analyses are thresholds. Time, plans without a router, changes of the plan and everything else are left to the random plans of the
//! property tests (`tests/rollout/laws.rs`).

#![expect(clippy::expect_used, reason = "a test harness")]

use std::collections::HashMap;

use system::{Action, Budget, Design, Kind, System, plan};

mod system;

/// Far above what any search below needs: more means that the engine goes in circles, always with a new fence.
const MOST_STATES: usize = 400_000;
const CALM: Budget = Budget { crashes: 0, losses: 0, aborts: 0, retries: 0, skips: 0, flaps: 0, changes: 0 };

/// Searches breadth first. The shortest way to a broken rule, or how many states there are.
fn search(managed: bool, design: Design, drivers: usize, budget: Budget) -> Result<usize, String> {
    search_plan(Kind::Canary, managed, design, drivers, budget)
}

#[expect(clippy::mutable_key_type, reason = "a text that is told when it is first read is always the same")]
fn search_plan(
    kind: Kind,
    managed: bool,
    design: Design,
    drivers: usize,
    budget: Budget,
) -> Result<usize, String> {
    let plan = plan(kind, managed);
    let mut places = HashMap::new();
    let mut trail: Vec<(System, usize, Option<Action>)> = vec![(System::new(drivers, budget), 0, None)];
    places.insert(trail[0].0.clone(), 0);
    let mut next = 0;
    while next < trail.len() {
        let system = trail[next].0.clone();
        let broken = system.broken_rule(&plan, managed, budget.flaps > 0).or_else(|| {
            (!system.ends_if_all_goes_well(&plan, design)).then_some("it always comes to an end")
        });
        if let Some(rule) = broken {
            return Err(explain(rule, &trail, next));
        }
        for action in system.actions(&plan) {
            let mut after = system.clone();
            after.apply(&plan, design, &action);
            if !places.contains_key(&after) {
                places.insert(after.clone(), trail.len());
                trail.push((after, next, Some(action)));
            }
        }
        next += 1;
        if next > MOST_STATES {
            return Err(explain("the number of states has a bound", &trail, next));
        }
    }
    Ok(trail.len())
}

fn explain(rule: &str, trail: &[(System, usize, Option<Action>)], mut at: usize) -> String {
    let last = format!("{:#?}", trail[at].0);
    let mut way = Vec::new();
    while let Some(action) = &trail[at].2 {
        way.push(format!("{action:?}"));
        at = trail[at].1;
    }
    way.reverse();
    format!("broken: {rule}\nby: {}\nat: {last}", way.join("\n    "))
}

#[test]
fn the_rules_hold_with_one_driver_that_crashes_and_writes_that_are_lost_or_late() {
    let budget = Budget { crashes: 2, losses: 2, aborts: 1, ..CALM };
    let states = search(false, Design::OURS, 1, budget).unwrap_or_else(|way| panic!("{way}"));
    println!("{states} states");
    assert!(states > 500, "the search saw only {states} states");
}

#[test]
fn the_rules_hold_with_two_drivers() {
    let budget = Budget { crashes: 1, losses: 1, aborts: 1, ..CALM };
    let states = search(false, Design::OURS, 2, budget).unwrap_or_else(|way| panic!("{way}"));
    println!("{states} states");
    assert!(states > 1_000, "the search saw only {states} states");
}

#[test]
fn the_rules_hold_across_attempts_and_commands() {
    let budget = Budget { losses: 1, aborts: 1, retries: 1, skips: 1, ..CALM };
    let states = search(false, Design::OURS, 1, budget).unwrap_or_else(|way| panic!("{way}"));
    println!("{states} states");
}

#[test]
fn the_rules_hold_when_another_revision_comes_in_the_middle() {
    let budget = Budget { losses: 1, aborts: 1, changes: 2, ..CALM };
    let states = search(false, Design::OURS, 1, budget).unwrap_or_else(|way| panic!("{way}"));
    println!("{states} states");
    assert!(states > 1_000, "the search saw only {states} states");
}

#[test]
fn the_rules_hold_with_instances_that_come_and_go() {
    let one_of_each = [
        Budget { aborts: 1, ..CALM },
        Budget { crashes: 1, ..CALM },
        Budget { losses: 1, ..CALM },
        Budget { flaps: 1, ..CALM },
    ];
    for budget in one_of_each {
        let states = search(true, Design::OURS, 1, budget).unwrap_or_else(|way| panic!("{way}"));
        println!("{states} states with {budget:?}");
    }
}

#[test]
fn the_rules_hold_for_an_experiment_and_for_a_shadow() {
    for kind in [Kind::Experiment, Kind::Matching, Kind::Shadow] {
        for budget in [
            Budget { crashes: 1, losses: 1, aborts: 1, ..CALM },
            Budget { losses: 1, aborts: 1, retries: 1, skips: 1, ..CALM },
            Budget { losses: 1, changes: 1, ..CALM },
        ] {
            let states =
                search_plan(kind, false, Design::OURS, 1, budget).unwrap_or_else(|way| panic!("{way}"));
            println!("{kind:?}: {states} states with {budget:?}");
            assert!(states > 100, "the search saw only {states} states");
        }
        for budget in [Budget { losses: 1, ..CALM }, Budget { aborts: 1, ..CALM }] {
            let states =
                search_plan(kind, true, Design::OURS, 1, budget).unwrap_or_else(|way| panic!("{way}"));
            println!("{kind:?} behind a router: {states} states with {budget:?}");
        }
    }
}

#[test]
fn a_weaker_design_fails_for_an_experiment_and_for_a_shadow() {
    let design = Design { view: true, fence_checked: false, fence_read_back: false };
    let budget = Budget { crashes: 1, losses: 1, aborts: 1, ..CALM };
    for kind in [Kind::Experiment, Kind::Matching, Kind::Shadow] {
        search_plan(kind, false, design, 1, budget)
            .expect_err("a weaker design passed: the search has no teeth");
    }
}

fn fails(view: bool, fence_checked: bool, fence_read_back: bool) -> String {
    let design = Design { view, fence_checked, fence_read_back };
    let budget = Budget { crashes: 1, losses: 1, aborts: 1, ..CALM };
    search(false, design, 1, budget).expect_err("a weaker design passed: the search has no teeth")
}

#[test]
fn a_queue_of_effects_without_fences_fails() {
    fails(false, false, false);
}

#[test]
fn a_queue_of_effects_with_fences_fails() {
    fails(false, true, false);
}

#[test]
fn a_view_without_fences_lets_a_late_write_land_after_an_abort() {
    let way = fails(true, false, false);
    assert!(way.contains("nothing once aborted"), "{way}");
}

#[test]
fn a_view_with_fences_that_only_the_writer_checks_fails() {
    let way = fails(true, true, false);
    assert!(way.contains("nothing once aborted"), "{way}");
}

#[test]
fn a_queue_of_effects_with_fences_read_back_gets_stuck() {
    let way = fails(false, true, true);
    assert!(way.contains("always comes to an end"), "{way}");
}
