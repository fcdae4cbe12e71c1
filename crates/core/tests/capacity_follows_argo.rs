//! Replica counts are those of Argo Rollouts, and no input breaks the arithmetic.

#![expect(clippy::unwrap_used, reason = "a case that cannot be read is a test that fails")]

use proptest::prelude::*;
use serde_json::{Value, json};
use serinus_core::capacity::{
    Amount, CountedInput, Counts, DynamicStable, Pool, RoutedInput, Share, approximate, counted_move,
    counted_pass, returning_share, routed, weight_to_replicas,
};

fn cases(area: &str) -> Vec<Value> {
    let cases: Vec<Value> = serde_json::from_str(include_str!("data/argo-cases.json")).unwrap();
    let cases: Vec<Value> = cases.into_iter().filter(|case| case["area"] == area).collect();
    assert!(!cases.is_empty(), "{area}");
    cases
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn share(input: &Value, weight: &str) -> Share {
    Share::of(input[weight].as_u64().unwrap(), input["maxWeight"].as_u64().unwrap_or(100))
}

fn limits(input: &Value) -> (u32, u32) {
    let amount = |key: &str| match &input[key] {
        Value::String(text) => Amount::from_argo_text(text).unwrap(),
        count => Amount::Count(number(count)),
    };
    Amount::limits(amount("maxSurge"), amount("maxUnavailable"), number(&input["replicas"]))
}

fn pool(pool: &Value) -> Pool {
    Pool { wanted: number(&pool["spec"]), ready: number(&pool["available"]) }
}

fn as_expected(counts: Counts) -> Value {
    json!({ "canary": counts.candidate, "stable": counts.stable })
}

#[test]
fn weights_are_approximated_as_in_argo() {
    for case in cases("approximate-weight") {
        let input = &case["input"];
        let counts =
            approximate(number(&input["replicas"]), share(input, "weight"), number(&input["maxSurge"]));
        assert_eq!(as_expected(counts), case["expected"], "{case}");
    }
}

#[test]
fn instances_move_as_in_argo_without_a_router() {
    for case in cases("replicas-basic") {
        let input = &case["input"];
        let (surge, unavailable) = limits(input);
        let older = number(&input["olderReplicas"]);
        let counts = counted_move(CountedInput {
            replicas: number(&input["replicas"]),
            share: if input["promoteFull"] == true { Share::FULL } else { share(input, "setWeight") },
            surge,
            unavailable,
            candidate: pool(&input["canary"]),
            stable: Some(pool(&input["stable"])),
            others: Pool { wanted: older, ready: older },
        });
        assert_eq!(as_expected(counts), case["expected"], "{case}");
    }
}

#[test]
fn a_path_is_walked_as_in_argo() {
    for case in cases("trajectory-basic") {
        let input = &case["input"];
        let (surge, unavailable) = limits(input);
        let mut at = Counts {
            candidate: number(&input["start"]["canary"]),
            stable: number(&input["start"]["stable"]),
        };
        for (index, expected) in case["expected"]["canaryStable"].as_array().unwrap().iter().enumerate() {
            assert_eq!(json!([at.candidate, at.stable]), *expected, "{case}, pass {index}");
            let ready = if input["podsReadyInstantly"] == true { at.candidate } else { 0 };
            at = counted_pass(CountedInput {
                replicas: number(&input["replicas"]),
                share: share(input, "setWeight"),
                surge,
                unavailable,
                candidate: Pool { wanted: at.candidate, ready },
                stable: Some(Pool { wanted: at.stable, ready: at.stable }),
                others: Pool::default(),
            });
        }
        let last = case["expected"]["canaryStable"].as_array().unwrap().last().unwrap();
        assert_eq!(json!([at.candidate, at.stable]), *last, "{case}: it stays there");
    }
}

#[test]
fn a_share_behind_a_router_is_rounded_up() {
    for case in cases("weight-to-replicas") {
        let input = &case["input"];
        let replicas = weight_to_replicas(number(&input["replicas"]), share(input, "weight"));
        assert_eq!(json!({ "replicas": replicas }), case["expected"], "{case}");
    }
}

#[test]
fn stable_shrinks_only_after_its_traffic_and_grows_before_it() {
    let input = |share, in_force, aborted| RoutedInput {
        replicas: 10,
        share: Share::of(share, 100),
        candidate: None,
        min_per_revision: 0,
        dynamic_stable: Some(DynamicStable { in_force: Share::of(in_force, 100), aborted }),
    };
    assert_eq!(routed(input(20, 10, false)), Counts { candidate: 2, stable: 9 });
    assert_eq!(routed(input(20, 60, true)), Counts { candidate: 6, stable: 8 });
    let (candidate, stable) = (Pool { wanted: 6, ready: 6 }, Pool { wanted: 4, ready: 4 });
    let weights = [Share::of(20, 100), Share::of(60, 100)];
    assert_eq!(returning_share(10, Some(candidate), Some(stable), &weights, false), weights[0]);
    assert_eq!(returning_share(10, None, Some(stable), &weights, false), Share::NONE);
}

proptest! {
    #[test]
    fn no_input_overflows_and_the_upper_limit_holds(
        replicas: u32, part: u64, whole: u64, surge: u32, unavailable: u32,
        candidate: (u32, u32), stable: (u32, u32), others in prop_oneof![Just(0_u32), any::<u32>()],
    ) {
        let share = Share::of(part, whole);
        let pool = |(wanted, ready)| Pool { wanted, ready };
        let input = CountedInput {
            replicas, share, surge, unavailable,
            candidate: pool(candidate), stable: Some(pool(stable)),
            others: Pool { wanted: others, ready: others },
        };
        let next = counted_move(input);
        let limit = u64::from(replicas) + u64::from(surge);
        let before = u64::from(candidate.0) + u64::from(stable.0);
        prop_assert!(u64::from(next.candidate) + u64::from(next.stable) <= limit.max(before));
        let _ = (counted_pass(input), counted_move(CountedInput { stable: None, ..input }));
        let _ = Amount::limits(Amount::Percent(surge), Amount::Percent(unavailable), replicas);
        let _ = routed(RoutedInput {
            replicas, share, candidate: None, min_per_revision: surge,
            dynamic_stable: Some(DynamicStable { in_force: share.rest(), aborted: true }),
        });
    }

    #[test]
    fn a_pair_adds_up_and_denies_nobody_its_last_instance(replicas in 1_u32..2000, part in 0_u64..=1000, surge in 0_u32..5) {
        let counts = approximate(replicas, Share::of(part, 1000), surge);
        let total = counts.candidate + counts.stable;
        prop_assert!(total == replicas || (surge > 0 && total == replicas + 1));
        if part > 0 && part < 1000 && (replicas > 1 || surge > 0) {
            prop_assert!(counts.candidate > 0 && counts.stable > 0);
        }
    }

    #[test]
    fn every_path_ends_at_the_wanted_pair(
        replicas in 1_u32..60, from in 0_u64..=100, to in 0_u64..=100, surge in 0_u32..10, unavailable in 0_u32..10,
    ) {
        let unavailable = if surge == 0 { unavailable.max(1) } else { unavailable };
        let mut at = approximate(replicas, Share::of(from, 100), surge);
        let wanted = approximate(replicas, Share::of(to, 100), surge);
        for _ in 0..1000 {
            at = counted_pass(CountedInput {
                replicas, share: Share::of(to, 100), surge, unavailable,
                candidate: Pool { wanted: at.candidate, ready: at.candidate },
                stable: Some(Pool { wanted: at.stable, ready: at.stable }),
                others: Pool::default(),
            });
        }
        prop_assert_eq!(at, wanted);
    }
}
