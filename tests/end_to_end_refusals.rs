//! What the example refuses, with the place and the remedy, before it starts anything.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    time::{Duration, Instant},
};

use support::{Run, file, rollout, run};

#[expect(dead_code, reason = "shared by several test programs")]
mod support;

#[test]
fn files_that_cannot_be_written() {
    for (argument, name) in [("--record", "record `/nowhere/x`"), ("--state", "state in `/nowhere/x`")] {
        let run = refused(&[argument, "/nowhere/x"]);
        assert!(run.errors.contains(name), "{}", run.errors);
        assert!(
            run.errors.contains("No such file") && run.errors.contains("; make its folder"),
            "{}",
            run.errors
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    assert!(refused(&["--state", folder]).errors.contains("a folder: name a file in it"));
    let file = format!("{folder}/one");
    let run = refused(&["--state", &file, "--record", &file]);
    assert!(run.errors.contains("give each its own file"), "{}", run.errors);
}

#[test]
fn an_address_that_is_none_or_where_no_prometheus_is() {
    let run = refused(&["--prometheus", "foo://"]);
    assert!(run.errors.contains("--prometheus names: the address `foo://` is none"), "{}", run.errors);
    assert!(run.errors.contains("--prometheus auto"), "{}", run.errors);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let run = refused(&["--prometheus", &format!("http://127.0.0.1:{port}")]);
    assert!(
        run.errors.contains(&format!("cannot reach Prometheus at http://127.0.0.1:{port}/")),
        "{}",
        run.errors
    );
    assert!(run.errors.contains("give the address of one that runs"), "{}", run.errors);
}

#[test]
fn a_speed_at_which_windows_hold_too_few_requests_to_judge_by() {
    let run = refused(&["--speed", "10000"]);
    for expected in ["the window of 1m0s", "`request-duration`", "about 0.2 requests", "--speed 360\n"] {
        assert!(run.errors.contains(expected), "{expected}\n{}", run.errors);
    }
    let run = refused(&["--speed", "720"]);
    assert!(run.errors.contains("; start with --requests 600 or --speed 360\n"), "{}", run.errors);
    // So few that they would be too few at the usual speed, which is none that anybody asked for.
    let mut child = rollout(&["--json", "--healthy", "--requests", "10"]).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(first.contains(r#""speed":12.0"#) && first.contains("the speed is 12, as"), "{first}");
}

#[test]
fn the_state_of_another_rollout() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let state = state.to_str().unwrap();
    let manifest = file(folder.path(), "cart.yaml", CART);
    let fast = ["--json", "--speed", "120", "--manifest", &manifest, "--state", state];
    assert_eq!(run(&fast).outcomes(), ["promoted"]);

    let other = "this state file is of another rollout: ";
    let run = refused(&["--state", state]);
    let healthy = "is of Canary `cart` with a healthy candidate, not of Canary `test/podinfo` with a healthy";
    assert!(run.errors.contains(other) && run.errors.contains(healthy), "{}", run.errors);
    assert!(run.errors.contains("; name another file with --state, or remove `"), "{}", run.errors);

    let run = refused(&["--manifest", &manifest, "--state", state, "--fault", "error-rate=50%"]);
    assert!(run.errors.contains(other) && run.errors.contains("candidate: error-rate=50%"), "{}", run.errors);

    let changed = file(folder.path(), "changed.yaml", &CART.replace("threshold: 5", "threshold: 6"));
    let run = refused(&["--manifest", &changed, "--state", state]);
    assert!(run.errors.contains(other) && run.errors.contains("with other steps"), "{}", run.errors);

    // At another speed it is the same rollout, and it is over.
    let again = support::run(&["--json", "--manifest", &manifest, "--state", state]);
    assert_eq!((again.outcomes(), again.of("weights").count()), (vec!["promoted"], 0), "{}", again.told());

    fs::remove_file(format!("{state}.rollout")).unwrap();
    let run = refused(&["--manifest", &manifest, "--state", state]);
    assert!(run.errors.contains(other) && run.errors.contains("cannot be read"), "{}", run.errors);
    fs::remove_file(state).unwrap();
    assert!(support::run(&fast).of("weights").count() > 0, "it does not begin anew");
}

/// Nothing was started: no event was printed, and it did not take the time that takes.
fn refused(arguments: &[&str]) -> Run {
    let started = Instant::now();
    let run = run(&[&["--json"], arguments].concat());
    assert_eq!((run.code, run.output.as_str()), (Some(2), ""), "{}", run.told());
    assert!(!run.errors.contains("%2"), "{}", run.errors);
    assert!(started.elapsed() < Duration::from_secs(20), "{}", run.told());
    run
}

const CART: &str = r"
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: cart}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: cart}
  service: {port: 80}
  analysis:
    interval: 1m
    threshold: 5
    maxWeight: 50
    stepWeight: 50
    metrics:
    - {name: request-success-rate, interval: 1m, thresholdRange: {min: 99}}
";
