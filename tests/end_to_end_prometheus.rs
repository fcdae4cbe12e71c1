//! The example with a real Prometheus: a manifest of Argo Rollouts of the textbook kind, judged by its own PromQL.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

#[expect(dead_code, reason = "shared by several test programs")]
mod support;

const TEXTBOOK: &str = "examples/manifests/checkout-rollout.yaml";

#[test]
fn prometheus_promotes_the_healthy_candidate() {
    if !support::has_prometheus() {
        return;
    }
    let run = support::run(&[
        "--json",
        "--healthy",
        "--prometheus",
        "auto",
        "--speed",
        "30",
        "--manifest",
        TEXTBOOK,
    ]);
    assert_eq!((run.outcomes(), run.code), (vec!["promoted"], Some(0)), "{}", run.told());
    assert_eq!(run.weights(), [5.0, 25.0, 50.0], "{}", run.told());
    let measured = run.of("note").filter(|note| note["rule"] == "measured").count();
    assert_eq!(measured, 10, "{}", run.told());
    // What was asked is shown: the manifest's own query, with a window that fits the speed.
    let remarks = run.of("run").next().unwrap()["remarks"].to_string();
    assert!(remarks.contains("checkout-canary") && remarks.contains("[4s]"), "{remarks}");
}

#[test]
fn prometheus_rolls_the_faulty_candidate_back() {
    if !support::has_prometheus() {
        return;
    }
    let run = support::run(&[
        "--json",
        "--fault",
        "error-rate=10%",
        "--prometheus",
        "auto",
        "--speed",
        "30",
        "--manifest",
        TEXTBOOK,
    ]);
    assert_eq!((run.outcomes(), run.code), (vec!["rolledBack"], Some(1)), "{}", run.told());
    assert_eq!(run.weights().first(), Some(&5.0), "{}", run.told());
    assert!(run.weights().iter().all(|weight| *weight <= 5.0), "{}", run.told());
    let reason = run.of("ended").next().unwrap()["reason"].as_str().unwrap();
    assert!(reason.contains("success-rate"), "{reason}");
}

#[test]
fn the_built_in_metrics_of_a_canary_are_answered_by_prometheus_too() {
    if !support::has_prometheus() {
        return;
    }
    let run = support::run(&["--json", "--healthy", "--prometheus", "auto"]);
    assert_eq!((run.outcomes(), run.code), (vec!["promoted"], Some(0)), "{}", run.told());
    assert_eq!(run.weights(), [10.0, 20.0, 30.0, 40.0, 50.0], "{}", run.told());
}
