//! Manifests as guides have them, mistakes included: each runs to its end, or is refused with a message that says
//! how to mend it.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use support::{Run, file};

#[expect(dead_code, reason = "shared by several test programs")]
mod support;

#[test]
fn shapes_of_manifests_in_guides_run_or_say_how_to_mend_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut cases = Vec::new();
    for (name, text, expected) in SHAPES {
        cases.push((file(folder.path(), name, text), *expected));
    }
    let ended: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> =
            cases.iter().map(|(path, _)| scope.spawn(|| attempt(&[path.as_str()], false))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    for ((path, expected), run) in cases.iter().zip(ended) {
        println!("{:<28} {}", Path::new(path).file_name().unwrap().to_str().unwrap(), outcome(&run));
        assert!(outcome(&run).contains(expected), "{path}: {expected}\n{}", run.told());
    }
}

/// The collection stands beside the project where it is developed; elsewhere there is nothing to look at.
#[test]
fn each_manifest_of_the_collected_guides_ends_or_is_refused_with_a_remedy() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/guides");
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("no collection of guides beside the project: nothing to look at");
        return;
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let text = |path: &PathBuf| fs::read_to_string(path).unwrap();
    let is_template = |path: &PathBuf| text(path).contains("kind: AnalysisTemplate");
    let templates: Vec<_> = files.iter().filter(|path| is_template(path)).collect();
    assert!(files.len() > templates.len(), "no manifests in {}", folder.display());
    let rollouts = files.iter().filter(|path| !is_template(path));
    let ended: Vec<(PathBuf, Option<Run>)> = thread::scope(|scope| {
        let mut runs = Vec::new();
        for path in rollouts {
            // Of the templates of one name, the one that fits is that of the same namespace, else that beside it.
            let text = text(path);
            let namespace = text.lines().find(|line| line.starts_with("  namespace: "));
            let template = templates.iter().filter(|_| text.contains("templateName")).find(|template| {
                namespace
                    == fs::read_to_string(template)
                        .unwrap()
                        .lines()
                        .find(|line| line.starts_with("  namespace: "))
            });
            let mut arguments = vec![path.to_str().unwrap().to_owned()];
            arguments.extend(template.map(|template| template.to_str().unwrap().to_owned()));
            runs.push((
                path.clone(),
                scope.spawn(move || {
                    let files: Vec<_> = arguments.iter().map(String::as_str).collect();
                    let needs_prometheus = files.len() > 1;
                    (!needs_prometheus || support::has_prometheus())
                        .then(|| attempt(&files, needs_prometheus))
                }),
            ));
        }
        runs.into_iter().map(|(path, run)| (path, run.join().unwrap())).collect()
    });
    let mut promoted = 0;
    for (path, run) in &ended {
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(run) = run else { continue };
        println!("{name:<36} {}", outcome(run));
        match run.code {
            Some(0) => promoted += 1,
            // With a healthy candidate, nothing else but a refusal is right; it names the place and the remedy.
            Some(2) => {
                assert!(run.errors.contains(name), "{}", run.told());
                let remedies = ["move it", "leave them out", "split it", "write ", "add "];
                assert!(remedies.iter().any(|remedy| run.errors.contains(remedy)), "{}", run.told());
            }
            _ => panic!("{name}\n{}", run.told()),
        }
    }
    assert!(promoted > 0);
}

/// A fast run with a healthy candidate and a person who promotes whatever waits for one.
fn attempt(files: &[&str], with_prometheus: bool) -> Run {
    let speed = if with_prometheus { "60" } else { "90" };
    let mut arguments = vec!["--json", "--healthy", "--speed", speed, "--promote-after", "1m"];
    arguments.extend(files.iter().flat_map(|file| ["--manifest", *file]));
    if with_prometheus {
        arguments.extend(["--prometheus", "auto"]);
    }
    support::run(&arguments)
}

fn outcome(run: &Run) -> String {
    match run.code {
        Some(2) => format!("refused: {}", run.errors.trim_end().replace('\n', "; ")),
        _ => run.outcomes().join(", "),
    }
}

/// A name, a manifest, and what is expected of the outcome.
const SHAPES: &[(&str, &str, &str)] = &[
    (
        "metrics-server-too-deep.yaml",
        r"
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: shop}
spec:
  provider: istio
  metricsServer: http://prometheus:9090
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}
  service: {port: 80, targetPort: 8080}
  analysis:
    interval: 1m
    threshold: 5
    maxWeight: 50
    stepWeight: 25
    metrics:
    - {name: request-success-rate, interval: 1m, thresholdRange: {min: 99}}
",
        "promoted",
    ),
    (
        "a-b-test.yaml",
        r"
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: shop}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}
  service: {port: 80}
  analysis:
    interval: 1m
    threshold: 2
    iterations: 3
    match:
    - headers: {x-group: {exact: testers}}
    metrics:
    - {name: request-success-rate, interval: 1m, thresholdRange: {min: 99}}
",
        "promoted",
    ),
    (
        "blue-green.yaml",
        r"
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: shop}
spec:
  provider: kubernetes
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}
  service: {port: 80}
  analysis:
    interval: 1m
    threshold: 2
    iterations: 3
    metrics:
    - {name: request-success-rate, interval: 1m, thresholdRange: {min: 99}}
",
        "promoted",
    ),
    (
        "waits-for-a-person.yaml",
        r"
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: example.com/shop:2}]}
  strategy:
    canary:
      canaryService: shop-canary
      stableService: shop-stable
      trafficRouting: {nginx: {stableIngress: shop}}
      steps:
      - setWeight: 50
      - pause: {}
",
        "promoted",
    ),
    (
        "threshold-at-the-wrong-level.yaml",
        r"
apiVersion: flagger.app/v1beta1
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
    - {name: request-success-rate, interval: 1m, min: 99}
",
        "thresholdRange.min`; move it there",
    ),
    (
        "template-that-is-not-there.yaml",
        r"
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: example.com/shop:2}]}
  strategy:
    canary:
      steps:
      - setWeight: 50
      - analysis: {templates: [{templateName: success-rate}]}
",
        "success-rate",
    ),
];
