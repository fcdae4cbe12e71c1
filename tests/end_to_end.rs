//! The example from end to end, with nothing but Rust: its own data plane is the source of metrics.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    time::Duration,
};

use support::{file, finish, rollout, run, wait};

#[expect(dead_code, reason = "shared by several test programs")]
mod support;

#[test]
fn the_front_door_promotes_the_healthy_candidate_and_rolls_the_faulty_one_back() {
    let run = run(&["--json", "--speed", "60"]);
    assert_eq!(run.outcomes(), ["promoted", "rolledBack", "promoted", "rolledBack"], "{}", run.told());
    assert_eq!(run.code, Some(0), "{}", run.told());
    let ended: Vec<_> = run.of("ended").collect();
    assert_eq!((&ended[0]["stable"], &ended[1]["stable"]), (&"v2".into(), &"v1".into()));
    assert!(ended[1]["reason"].as_str().unwrap().contains("5 rounds failed"), "{}", ended[1]);
    // The second run never gets beyond its first weight: every round finds one error of twenty. The other two take the
    // same two steps.
    let weights = [10.0, 20.0, 30.0, 40.0, 50.0, 10.0, 50.0, 10.0, 50.0];
    assert_eq!(run.weights(), weights, "{}", run.told());
    // Real requests went to both, by weight, and only the faulty candidate failed some.
    let answered =
        |run: usize, revision: &str, what: &str| ended[run]["answered"][revision][what].as_u64().unwrap();
    assert!(answered(0, "v2", "requests") > 100 && answered(0, "v2", "errors") == 0);
    assert!(answered(1, "v2", "requests") < answered(1, "v1", "requests") / 5);
    assert!(answered(1, "v2", "errors") > 0 && answered(1, "v1", "errors") == 0);
    // Half as many errors again as stable pass a threshold, and do not pass a comparison.
    let reason = ended[3]["reason"].as_str().unwrap();
    assert!(reason.contains("failures: candidate") && reason.contains("worse than 1.1 times"), "{reason}");
    let share =
        |run, revision| answered(run, revision, "errors") as f64 / answered(run, revision, "requests") as f64;
    for run in [2, 3] {
        assert!((0.009..0.011).contains(&share(run, "v1")), "{}", ended[run]);
        assert!((0.013..0.017).contains(&share(run, "v2")), "{}", ended[run]);
    }
    let said = run.of("conclusion").next().unwrap()["message"].as_str().unwrap();
    for part in
        ["the Canary `checkout` promoted it after", "the Delivery `checkout` took it back after", reason]
    {
        assert!(said.contains(part), "{part}\n{said}");
    }
}

#[test]
fn plain_lines_show_tracks_weights_rates_measurements_and_decisions() {
    let run = run(&["--healthy", "--speed", "60"]);
    assert_eq!(run.code, Some(0), "{}", run.told());
    for expected in [
        "Canary `podinfo` with a healthy candidate",
        "→ v1 90%, v2 10%",
        "req/s",
        "✓ podinfo/request-success-rate",
        "▸ step 3 of 10: weight 20%",
        "promoted: v2 is stable now",
        "why: podinfo/request-duration",
    ] {
        assert!(run.output.contains(expected), "{expected}\n{}", run.told());
    }
    assert!(!run.output.contains('\u{1b}'), "no control sequences where there is no terminal");
}

#[test]
fn a_slow_candidate_is_rolled_back() {
    let run = run(&["--json", "--speed", "60", "--fault", "latency=700ms"]);
    assert_eq!(run.outcomes(), ["rolledBack"], "{}", run.told());
    assert_eq!(run.code, Some(1));
    let reason = run.of("ended").next().unwrap()["reason"].as_str().unwrap();
    assert!(reason.contains("request-duration"), "{reason}");
}

#[test]
fn ctrl_c_brings_the_traffic_back_and_ends_the_program() {
    let mut child = rollout(&["--json", "--healthy", "--speed", "10"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let seen = lines.any(|line| line.unwrap().contains("\"weight\":10.0"));
    assert!(seen, "the candidate gets no traffic");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let status = wait(&mut child, Duration::from_secs(15)).unwrap();
    assert_eq!(status.code(), Some(130), "{rest:#?}");
    let last: serde_json::Value = serde_json::from_str(rest.last().unwrap()).unwrap();
    assert_eq!((&last["outcome"], &last["stable"]), (&"interrupted".into(), &"v1".into()), "{rest:#?}");
    assert!(rest.iter().any(|line| line.contains("interrupted by Ctrl-C")), "{rest:#?}");
}

#[test]
fn a_person_promotes_by_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = file(folder.path(), "manual.yaml", MANUAL);
    let mut child = rollout(&["--json", "--healthy", "--speed", "60", "--manifest", &manifest])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.as_mut().unwrap().write_all(b"nonsense\nretry\npause\nresume\nfull\n").unwrap();
    let promoted = finish(child);
    assert_eq!(promoted.outcomes(), ["promoted"], "{}", promoted.told());
    assert!(promoted.errors.contains("`nonsense` is not a command: type promote"), "{}", promoted.errors);
    // The program ends with its rollout, so there is nothing that could be tried again.
    let offered = promoted.errors.replace("`retry` is not a command", "");
    assert!(offered.len() < promoted.errors.len() && !offered.contains("retry"), "{}", promoted.errors);

    let by_itself =
        run(&["--json", "--healthy", "--speed", "60", "--manifest", &manifest, "--promote-after", "30s"]);
    assert_eq!(by_itself.outcomes(), ["promoted"], "{}", by_itself.told());
    assert_eq!(by_itself.of("waits").count(), 1, "{}", by_itself.told());
}

#[test]
fn without_a_router_the_instances_split_the_traffic() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = file(folder.path(), "counted.yaml", COUNTED);
    let run = run(&["--json", "--healthy", "--speed", "30", "--manifest", &manifest]);
    assert_eq!(run.outcomes(), ["promoted"], "{}", run.told());
    let rates: Vec<_> = run.of("rates").map(|event| event["perSecond"]["v2"].as_f64().unwrap()).collect();
    assert!(rates.iter().any(|rate| (30.0..150.0).contains(rate)), "a quarter of 300: {rates:?}");
    assert!(rates.iter().any(|rate| *rate > 200.0), "all of 300: {rates:?}");
}

#[test]
fn lengths_of_time_below_zero_are_refused() {
    for argument in ["--fault=latency=-5s", "--promote-after=-5s"] {
        let run = run(&[argument]);
        assert_eq!(run.code, Some(2), "{}", run.told());
        assert!(run.errors.contains("`-5s` is negative: expected 0s or more"), "{}", run.errors);
    }
}

#[test]
fn promql_without_prometheus_is_refused_with_a_remedy() {
    let run = run(&["--manifest", "examples/manifests/checkout-rollout.yaml"]);
    assert_eq!(run.code, Some(2));
    assert!(run.errors.contains("add `--prometheus auto`"), "{}", run.errors);
    assert!(run.output.is_empty(), "{}", run.output);
}

#[test]
fn a_killed_process_goes_on_from_its_state_file() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let record = folder.path().join("record");
    let record = record.to_str().unwrap();
    let arguments = ["--json", "--speed", "30", "--state", state.to_str().unwrap(), "--record", record];
    let mut child = rollout(&arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("\"weight\":30.0")));
    assert_eq!(support::kill(&mut child, Duration::ZERO, &state).as_deref(), Some("progressing"));

    let continued = run(&arguments);
    assert_eq!(continued.outcomes(), ["promoted"], "{}", continued.told());
    assert_eq!(continued.of("started").next().unwrap()["continued"], true);
    assert_eq!(continued.weights().first(), Some(&30.0), "{}", continued.told());

    let replayed = run(&["--replay", record]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.errors);
    assert!(replayed.errors.contains("of 2 rollouts replayed"), "{}", replayed.errors);

    let again = run(&arguments);
    assert_eq!((again.outcomes(), again.code), (vec!["promoted"], Some(0)), "{}", again.told());
    assert_eq!(again.of("weights").count(), 0, "nothing is done once it is over");
}

const MANUAL: &str = r"
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: cart
spec:
  replicas: 3
  selector:
    matchLabels: {app: cart}
  template:
    metadata:
      labels: {app: cart}
    spec:
      containers:
      - name: cart
        image: example.com/cart:2
  strategy:
    blueGreen:
      activeService: cart-active
      previewService: cart-preview
      autoPromotionEnabled: false
      scaleDownDelaySeconds: 30
";

const COUNTED: &str = r"
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: cart
spec:
  replicas: 4
  selector:
    matchLabels: {app: cart}
  template:
    metadata:
      labels: {app: cart}
    spec:
      containers:
      - name: cart
        image: example.com/cart:2
  strategy:
    canary:
      steps:
      - setWeight: 25
      - pause: {duration: 3m}
      - setWeight: 100
      - pause: {duration: 3m}
";
