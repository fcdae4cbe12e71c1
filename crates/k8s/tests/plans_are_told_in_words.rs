//! What a person reads about a plan.

#![expect(clippy::unwrap_used, reason = "tests")]

use serinus_k8s::{Mode, Source, explain, read};

#[test]
fn a_weighted_canary() {
    assert_eq!(
        told(include_str!("../../../examples/manifests/podinfo-canary.yaml")),
        "\
Canary `podinfo`: canary, traffic split by a router, 1 replica
   1. send 10% of the traffic to the new revision
   2. wait for `podinfo` to pass
   3. send 20% of the traffic to the new revision
   4. wait for `podinfo` to pass
   5. send 30% of the traffic to the new revision
   6. wait for `podinfo` to pass
   7. send 40% of the traffic to the new revision
   8. wait for `podinfo` to pass
   9. send 50% of the traffic to the new revision
  10. wait for `podinfo` to pass
  11. promote: the new revision becomes stable
`podinfo` measures
      request-success-rate: at least 99, over 1m0s
      request-duration: at most 500, over 1m0s
      every 1m0s, all together; aborts at 5 failed rounds
"
    );
}

#[test]
fn an_ab_test() {
    assert_eq!(
        told(include_str!("data/pasted/ab-test-without-threshold.yaml")),
        "\
Canary `search`: A/B test, traffic split by a router, 1 replica
   1. send requests that match 1 rule to the new revision
   2. wait for `search` to pass, 3 times, up to step 4
   5. promote: the new revision becomes stable
`search` measures
      request-success-rate: at least 98, over 1m0s
      every 1m0s, all together; aborts at 1 failed round
"
    );
}

fn told(text: &str) -> String {
    explain(&read(&[Source::new("app.yaml", text)], Mode::Strict).unwrap().compile_only().unwrap())
}
