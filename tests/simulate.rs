//! The program `simulate`: manifests in, a table, a report and a page of plots out.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    fs,
    process::{Command, Stdio},
};

use serinus_core::simulate::Report;
use support::{Run, example, file, finish};

#[expect(dead_code, reason = "shared by several test programs")]
mod support;

#[test]
fn manifests_of_argo_rollouts_and_of_flagger_are_simulated_and_drawn() {
    for (manifest, metric) in [
        ("examples/manifests/checkout-rollout.yaml", "checkout: `success-rate` is taken for"),
        ("examples/manifests/podinfo-canary.yaml", "podinfo: `request-duration` is taken for percentile 99"),
        ("examples/manifests/bluegreen-rollout.yaml", "catalogue: `success-rate` is taken for"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let svg = folder.path().join("out.svg");
        let run = simulate(&["--manifest", manifest, "--rollouts", "30", "--svg", svg.to_str().unwrap()]);
        assert_eq!(run.code, Some(0), "{}", run.told());
        assert!(run.errors.contains(metric), "{}", run.told());
        assert!(run.output.contains("1 (healthy)") && run.output.contains("rolled back"), "{}", run.told());
        let drawn = fs::read_to_string(&svg).unwrap();
        assert!(drawn.starts_with("<svg") && drawn.trim_end().ends_with("</svg>"), "{manifest}");
        for title in ["How often it is rolled back", "How many minutes that takes", "Some rollouts: "] {
            assert!(drawn.contains(title), "{manifest}: {title}");
        }
    }
}

#[test]
fn strategies_stand_side_by_side_and_the_report_is_the_same_again() {
    let arguments = ["--compare", "--json", "--rollouts", "20", "--effects", "1,5", "--seed", "11"];
    let run = simulate(&arguments);
    assert_eq!(run.code, Some(0), "{}", run.told());
    let report: Report = serde_json::from_str(&run.output).unwrap();
    let names: Vec<_> = report.strategies.iter().map(|strategy| strategy.name.as_str()).collect();
    for name in ["Argo, failureLimit 0", "Flagger, threshold 5", "Kayenta", "GrowthBook", "Statsig"] {
        assert!(names.contains(&name), "{names:?}");
    }
    for strategy in &report.strategies {
        assert_eq!(strategy.cells[1].rolled_back.count, 20, "{}", strategy.name);
    }
    let again = simulate(&[&arguments[..], &["--threads", "1"]].concat());
    assert_eq!(run.output, again.output);
}

#[test]
fn what_is_wrong_is_said_with_place_and_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let world = |text: &str| file(folder.path(), "world.yaml", text);
    let canary = "apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: shop}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}
  service: {port: 80}
  analysis:
    interval: 1m
    threshold: 5
    maxWeight: 50
    stepWeight: 25
    metrics:
    - {name: queue, thresholdRange: {max: 100}, templateRef: {name: queue}}
---
apiVersion: flagger.app/v1beta1
kind: MetricTemplate
metadata: {name: queue}
spec:
  provider: {type: prometheus, address: http://prometheus}
  query: max(queue_length)
";
    let shop = file(folder.path(), "shop.yaml", canary);
    for (arguments, expected) in [
        (vec!["--base", "2"], "the world cannot be: failureRate is 2: expected a share from 0 to 1"),
        (vec!["--effects=-1"], "candidate.failureRatio is -1: expected a number from 0"),
        (vec!["--world", "nowhere.yaml"], "cannot read `nowhere.yaml`"),
        (vec!["--manifest", "nowhere.yaml"], "cannot read `nowhere.yaml`"),
        (vec!["--world", &world("requestPerSecond: 5")], "unknown field `requestPerSecond`"),
        (vec!["--manifest", &shop], "cannot tell what the metric `queue` measures"),
        (vec!["--manifest", &shop, "--signal", "queue=length"], "`length` is not a signal: expected"),
        (
            vec!["--manifest", &shop, "--signal", "queue=value:7", "--signal", "q=value:7"],
            "--signal q=…: no manifest has a metric of that name",
        ),
    ] {
        let run = simulate(&arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}: {}", run.told());
        assert!(run.errors.contains(expected), "{arguments:?}: {}", run.told());
        assert!(run.output.is_empty(), "{}", run.told());
    }
    let run = simulate(&["--manifest", &shop, "--signal", "queue=value:7", "--rollouts", "5"]);
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert!(run.errors.contains("`queue` is taken for always 7"), "{}", run.told());
}

fn simulate(arguments: &[&str]) -> Run {
    finish(
        Command::new(example("simulate"))
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    )
}
