//! Manifests with the mistakes that guides teach: each runs, or the message says how to mend it.

use serinus_core::rollout::Step;
use serinus_k8s::{Mode, Source, Strategy, read};

#[test]
fn hooks_at_the_level_of_the_analysis() {
    assert_eq!(
        told(&[("hooks.yaml", include_str!("data/pasted/hooks-beside-analysis.yaml"))]),
        [
            "hooks.yaml:14:3: spec.webhooks: unknown field: it belongs in `spec.analysis.webhooks`, which is not \
          supported yet: leave them out, and do by hand what they do (gates, load, tests, reports)"
        ]
    );
}

#[test]
fn bounds_that_belong_in_a_range() {
    assert_eq!(
        told(&[("bounds.yaml", include_str!("data/pasted/bounds-beside-range.yaml"))]),
        [
            "bounds.yaml:10:9: spec.analysis.metrics[0].min: unknown field: it belongs in \
             `spec.analysis.metrics[].thresholdRange.min`; move it there",
            "bounds.yaml:12:9: spec.analysis.metrics[1].max: unknown field: it belongs in \
             `spec.analysis.metrics[].thresholdRange.max`; move it there",
            "bounds.yaml:14:7: spec.analysis.webhooks: not supported yet: leave them out, and do by hand what they \
             do (gates, load, tests, reports)",
        ]
    );
}

#[test]
fn a_weight_and_an_analysis_in_one_step() {
    let text = include_str!("data/pasted/two-kinds-in-one-step.yaml");
    assert_eq!(
        told(&[("steps.yaml", text)]),
        [
            "steps.yaml:12:9: spec.strategy.canary.steps[2]: a step has one kind, and this has setWeight and analysis: \
          split it into 2 steps, `- setWeight: …` and `- analysis: …`"
        ]
    );
    let mended = text.replace("        analysis:\n  ", "      - analysis:\n  ");
    assert_eq!(
        told(&[("steps.yaml", &mended)]),
        ["steps.yaml:14:38: spec.strategy.canary.steps[3].analysis.templates[0].templateName: there is no \
          AnalysisTemplate `errors` among these files: add the file it is in; there: none"]
    );
    // A router between two services, neither of which is named: it runs here, and not in a cluster.
    let without = mended.split("      - analysis").next().unwrap_or_default().to_owned()
        + "      trafficRouting: {istio: {virtualService: {name: search, routes: [main]}}}";
    assert_eq!(
        told(&[("steps.yaml", &without)]),
        [
            "steps.yaml:9:7: spec.strategy.canary.canaryService: a cluster refuses this: the router splits between \
             two services; name both",
            "steps.yaml:9:7: spec.strategy.canary.stableService: a cluster refuses this: the router splits between \
             two services; name both",
        ]
    );
}

#[test]
fn a_pod_template_that_its_selector_does_not_select() {
    let text = include_str!("data/pasted/pod-template-without-labels.yaml");
    assert_eq!(
        told(&[("blue.yaml", text)]),
        [
            "blue.yaml:6:13: spec.template: a cluster refuses this: add `metadata.labels` that `spec.selector` selects"
        ]
    );
}

#[test]
fn a_template_that_measures_for_ever_and_compares_a_list() {
    let template = ("template.yaml", include_str!("data/pasted/endless-template.yaml"));
    let rollout = include_str!("data/pasted/rollout-with-endless-template.yaml");
    assert_eq!(
        told(&[("rollout.yaml", rollout), template]),
        [
            "template.yaml:7:7: spec.metrics[0].count: `errors` is measured for ever, and a step of `search` waits for \
          its end: add `count: 5` beside `interval`, or name the template in `spec.strategy.canary.analysis`, which \
          runs beside the steps"
        ]
    );
    let background = rollout
        .replace("      - analysis:", "      analysis:")
        .replace("          templates:", "        templates:")
        .replace("          args:", "        args:");
    assert_eq!(
        told(&[("rollout.yaml", &background), template]),
        [
            "template.yaml:9:25: spec.metrics[0].successCondition: a query over series answers with a list, which \
          cannot be compared with a number, so each measurement will be an error: write `result[0]` for `result`"
        ]
    );
}

#[test]
fn an_ab_test_without_a_threshold_fails_at_the_first_failure() {
    let text = include_str!("data/pasted/ab-test-without-threshold.yaml");
    assert_eq!(told(&[("ab.yaml", text)]), [] as [String; 0]);
    let compiled = read(&[Source::new("ab.yaml", text)], Mode::Strict).unwrap().compile("search").unwrap();
    assert_eq!(compiled.strategy, Strategy::AbTest);
    assert!(matches!(
        compiled.plan.steps(),
        [Step::Match(_), Step::Analyse(0), Step::Analyse(0), Step::Analyse(0)]
    ));
}

#[test]
fn weights_beside_iterations_play_no_part() {
    let text = include_str!("data/pasted/iterations-and-weights.yaml");
    assert_eq!(
        told(&[("green.yaml", text)]),
        [
            "green.yaml:8:16: spec.analysis.maxWeight: plays no part beside `iterations`, which moves all traffic \
             at once: remove it, or remove `iterations`",
            "green.yaml:9:17: spec.analysis.stepWeight: plays no part beside `iterations`, which moves all traffic \
             at once: remove it, or remove `iterations`",
        ]
    );
}

/// What is said about the manifests: faults, else warnings.
fn told(files: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<_> = files.iter().map(|(name, text)| Source::new(*name, *text)).collect();
    match read(&sources, Mode::Strict).and_then(|manifests| manifests.compile_all()) {
        Ok(compiled) => {
            compiled.iter().flat_map(|compiled| &compiled.warnings).map(ToString::to_string).collect()
        }
        Err(faults) => faults.to_string().lines().map(str::to_owned).collect(),
    }
}
