//! The example with a real Envoy that carries the traffic, and a real Prometheus that scrapes it.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

#[expect(dead_code, reason = "shared by several test programs")]
mod support;

#[test]
fn behind_envoy_the_healthy_candidate_is_promoted() {
    if !(support::has_envoy() && support::has_prometheus()) {
        return;
    }
    let run = support::run(&["--json", "--healthy", "--envoy", "auto"]);
    assert_eq!((run.outcomes(), run.code), (vec!["promoted"], Some(0)), "{}", run.told());
    assert_eq!(run.weights(), [10.0, 20.0, 30.0, 40.0, 50.0], "{}", run.told());
    let answered = &run.of("ended").next().unwrap()["answered"];
    assert!(answered["v2"]["requests"].as_u64().unwrap() > 500, "{answered}");
    assert_eq!(answered["v2"]["errors"], 0, "{answered}");
}

#[test]
fn behind_envoy_the_faulty_candidate_is_rolled_back() {
    if !(support::has_envoy() && support::has_prometheus()) {
        return;
    }
    let run = support::run(&["--json", "--fault", "error-rate=10%", "--envoy", "auto"]);
    assert_eq!((run.outcomes(), run.code), (vec!["rolledBack"], Some(1)), "{}", run.told());
    let answered = &run.of("ended").next().unwrap()["answered"];
    assert!(answered["v2"]["errors"].as_u64().unwrap() > 0, "{answered}");
    assert_eq!(answered["v1"]["errors"], 0, "{answered}");
}

#[test]
fn a_manifest_of_argo_rollouts_runs_behind_envoy() {
    if !(support::has_envoy() && support::has_prometheus()) {
        return;
    }
    let manifest = "examples/manifests/checkout-rollout.yaml";
    let run =
        support::run(&["--json", "--healthy", "--envoy", "auto", "--speed", "30", "--manifest", manifest]);
    assert_eq!((run.outcomes(), run.code), (vec!["promoted"], Some(0)), "{}", run.told());
    assert_eq!(run.weights(), [5.0, 25.0, 50.0], "{}", run.told());
}
