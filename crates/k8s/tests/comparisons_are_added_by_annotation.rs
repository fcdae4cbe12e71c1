//! The annotation that adds a comparison with stable to manifests of others.

use serinus_core::{analysis::Comparison, metric::Query, rollout::PlanSpec};
use serinus_k8s::{Compiled, Faults, Mode, Source, explain, read};

#[test]
fn a_rollout_compares_from_its_first_share_of_the_traffic_to_the_last_before_all_of_it() {
    let compiled = compile(&rollout("default", "[{setCanaryScale: {replicas: 1}}, {setWeight: 20}, {pause: {duration: 5m}}, {setWeight: 100}, {pause: {}}]")).unwrap();
    let spec = compiled.plan.spec();
    assert_eq!(spec.background.len(), 1);
    assert_eq!(spec.background[0].during, 1..3);
    let analysis = &spec.analyses[spec.background[0].analysis];
    assert_eq!(analysis.name, "serinus.dev/compare");
    let expected =
        Comparison::defaults().map(|metric| serinus_core::analysis::Metric { count: None, ..metric });
    assert_eq!(analysis.metrics, expected);
    // Never silent: a warning with its place, and the plan in words.
    let warnings: Vec<_> = compiled.warnings.iter().map(ToString::to_string).collect();
    let said = "app.yaml:3:58: metadata.annotations['serinus.dev/compare']: adds to what the manifest says: failures and \
                latency of candidate and stable are compared beside steps 2 to 3; evidence that the candidate is worse \
                takes it back, and without evidence that it is not, it is not promoted";
    assert!(warnings.iter().any(|warning| warning == said), "{warnings:#?}");
    let told = explain(&compiled);
    for line in [
        "beside steps 2 to 3: `serinus.dev/compare`",
        "failures: compared with stable's",
        "latency: compared with stable's",
    ] {
        assert!(told.contains(line), "{told}");
    }
}

#[test]
fn a_canary_of_flagger_compares_what_its_other_metrics_are_about() {
    let compiled = compile(&canary("failures", "stepWeights: [10, 50]")).unwrap();
    let spec = compiled.plan.spec();
    assert_eq!(spec.background[0].during, 0..4);
    let [metric] = spec.analyses[spec.background[0].analysis].metrics.as_slice() else { panic!("{spec:?}") };
    assert_eq!((metric.name.as_str(), metric.query.text.as_str()), ("failures", Query::ARMS));
    let success = spec.analyses[0].metrics[0].query.clone();
    assert_eq!(metric.query.settings, success.settings);
    assert_eq!(metric.query.settings["source"], "istio");
}

#[test]
fn without_the_annotation_nothing_is_added() {
    let steps = "[{setWeight: 20}, {pause: {duration: 5m}}]";
    let annotated = compile(&rollout("latency", steps)).unwrap();
    let plain =
        compile(&rollout("latency", steps).replace("serinus.dev/compare", "example.com/compare")).unwrap();
    let (annotated, plain): (PlanSpec, PlanSpec) = (annotated.plan.into(), plain.plan.into());
    assert_eq!((annotated.analyses.len(), plain.analyses.len()), (1, 0));
    assert_eq!(PlanSpec { analyses: Vec::new(), background: Vec::new(), ..annotated }, plain);
}

#[test]
fn what_cannot_be_compared_is_a_fault_with_its_place_and_a_remedy() {
    let steps = "[{setWeight: 20}]";
    for (manifest, expected) in [
        (
            rollout("errors", steps),
            "`errors` is nothing that is compared: use `failures`, `latency`, `failures,latency` or `default`",
        ),
        (rollout("", steps), "`` is nothing that is compared: use"),
        (rollout("failures,failures", steps), "`failures` stands here twice: use"),
        (rollout("default,latency", steps), "`default` is nothing that is compared: use"),
        (rollout("default", "[{setWeight: 100}]"), "there is no step in which both revisions take traffic"),
        (canary("default", "iterations: 3"), "there is no step in which both revisions take traffic"),
        (canary("everything", "stepWeight: 10"), "`everything` is nothing that is compared: use"),
    ] {
        let faults = compile(&manifest).unwrap_err().to_string();
        let start = "app.yaml:3:58: metadata.annotations['serinus.dev/compare']: ";
        assert!(faults.starts_with(&format!("{start}{expected}")), "{faults}");
    }
    assert!(compile(&rollout("failures, latency", steps)).is_ok());
}

fn compile(manifest: &str) -> Result<Compiled, Faults> {
    read(&[Source::new("app.yaml", manifest)], Mode::Strict).and_then(|manifests| manifests.compile_only())
}

fn rollout(compare: &str, steps: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: app, annotations: {{serinus.dev/compare: \
         \"{compare}\"}}}}\nspec:\n  strategy:\n    canary:\n      stableService: a\n      canaryService: b\n      \
         trafficRouting: {{nginx: {{stableIngress: a}}}}\n      steps: {steps}"
    )
}

fn canary(compare: &str, analysis: &str) -> String {
    format!(
        "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {{name: app, annotations: {{serinus.dev/compare: \
         \"{compare}\"}}}}\nspec:\n  provider: istio\n  targetRef: {{name: app}}\n  analysis:\n    threshold: 5\n    \
         metrics: [{{name: request-success-rate, thresholdRange: {{min: 99}}}}]\n    {analysis}"
    )
}
