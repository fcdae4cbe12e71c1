//! What each field of the strategy `blueGreen` becomes in a plan.
#![expect(clippy::unwrap_used, reason = "tests")]

use serinus_core::{
    rollout::{CandidateScale, Capacity, Step},
    time::GoDuration,
};
use serinus_k8s::{Compiled, Mode, Source, Strategy, read};

#[test]
fn the_example_tries_out_of_sight_waits_switches_and_tries_in_sight() {
    let compiled = compiled(include_str!("../../../examples/manifests/bluegreen-rollout.yaml"));
    assert_eq!(compiled.strategy, Strategy::BlueGreen);
    assert_eq!(
        compiled.plan.steps(),
        [
            Step::Scale(CandidateScale::Replicas(1)),
            Step::Analyse(0),
            Step::Hold(None),
            Step::Switch,
            Step::Analyse(1),
        ]
    );
    let spec = compiled.plan.spec();
    assert!(spec.preview);
    assert_eq!(
        (spec.keep_old, spec.keep_aborted),
        (GoDuration::from_mins(5), Some(GoDuration::from_secs(30)))
    );
    assert!(matches!(spec.capacity, Capacity::Routed { replicas: 4, dynamic_stable: false, .. }));
    assert_eq!(compiled.names.stable_service.as_deref(), Some("catalogue"));
    assert_eq!(compiled.names.candidate_service.as_deref(), Some("catalogue-preview"));
    assert!(spec.analyses[0].metrics[0].query.text.contains(r#"service="catalogue-preview""#));
    assert!(spec.analyses[1].metrics[0].query.text.contains(r#"service="catalogue""#));
}

#[test]
fn the_wait_before_the_switch() {
    let steps = |fields: &str| blue_green(fields).unwrap().plan.steps().to_vec();
    let half_a_minute = Step::Hold(Some(GoDuration::from_secs(30)));
    assert_eq!(steps(""), [Step::Switch]);
    assert_eq!(steps("autoPromotionEnabled: true"), [Step::Switch]);
    assert_eq!(steps("autoPromotionEnabled: false"), [Step::Hold(None), Step::Switch]);
    assert_eq!(steps("autoPromotionSeconds: 30"), [half_a_minute.clone(), Step::Switch]);
    assert_eq!(steps("autoPromotionEnabled: false, autoPromotionSeconds: 30"), [half_a_minute, Step::Switch]);
    assert_eq!(steps("autoPromotionSeconds: 0, previewReplicaCount: 0"), [Step::Switch]);
}

#[test]
fn zero_keeps_an_aborted_candidate_for_ever() {
    let spec = blue_green("abortScaleDownDelaySeconds: 0, scaleDownDelaySeconds: 0").unwrap();
    assert_eq!((spec.plan.spec().keep_old, spec.plan.spec().keep_aborted), (GoDuration::ZERO, None));
}

#[test]
fn two_services_are_needed_that_are_not_one() {
    assert_eq!(
        blue_green("previewService: web").unwrap_err(),
        "app.yaml:4:67: spec.strategy.blueGreen.previewService: `web` is the `activeService` too: name another \
         service"
    );
    let text = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: app}\nspec: {strategy: {blueGreen: \
                {previewService: web}}}";
    let manifests = read(&[Source::new("app.yaml", text)], Mode::Strict).unwrap();
    assert_eq!(
        manifests.compile_only().unwrap_err().to_string(),
        "app.yaml:4:30: spec.strategy.blueGreen.activeService: add the name of the service that users call"
    );
}

fn blue_green(fields: &str) -> Result<Compiled, String> {
    let text = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: app}}\nspec: {{strategy: {{blueGreen: \
         {{activeService: web, {fields}}}}}}}"
    );
    let manifests = read(&[Source::new("app.yaml", text)], Mode::Strict).unwrap();
    manifests.compile_only().map_err(|faults| faults.to_string())
}

fn compiled(text: &str) -> Compiled {
    read(&[Source::new("app.yaml", text)], Mode::Strict).unwrap().compile_only().unwrap()
}
