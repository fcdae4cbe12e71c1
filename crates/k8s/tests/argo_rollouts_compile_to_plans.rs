//! What each field of a Rollout becomes in a plan.
#![expect(clippy::unwrap_used, reason = "tests")]

use serinus_core::{
    analysis::{Judge, Metric},
    capacity::Amount,
    metric::Query,
    rollout::{Background, CandidateScale, Capacity, DeadlineAction, ProgressDeadline, Step},
    time::GoDuration,
    traffic::{Match, NamedPattern, Pattern, Weight},
};
use serinus_k8s::{Compiled, Mode, Source, Strategy, explain, read};

#[test]
fn every_field_that_is_supported() {
    let compiled = compiled(include_str!("data/every-argo-field.yaml"));
    let header = NamedPattern { name: "x-beta".into(), value: Pattern::Exact("yes".into()) };
    let beta = Match { headers: vec![header], cookies: vec![], path: None };
    assert_eq!(
        compiled.plan.steps(),
        [
            Step::Scale(CandidateScale::Percent(25)),
            Step::Match(vec![beta]),
            Step::Mirror(Weight::percent(35.0)),
            Step::Weight(Weight::percent(10.0)),
            Step::Hold(Some(GoDuration::from_secs(10))),
            Step::Mirror(Weight::ZERO),
            Step::Match(vec![]),
            Step::Analyse(0),
            Step::Scale(CandidateScale::MatchWeight),
            Step::Weight(Weight::percent(60.0)),
            Step::Hold(None),
        ]
    );
    let spec = compiled.plan.spec();
    assert_eq!(spec.background, [Background { analysis: 1, during: 2..11 }]);
    assert_eq!(
        spec.capacity,
        Capacity::Routed {
            replicas: 8,
            dynamic_stable: true,
            min_per_revision: 2,
            ready_enough: Some(Amount::Percent(90))
        }
    );
    assert_eq!(
        spec.progress_deadline,
        Some(ProgressDeadline { within: GoDuration::from_mins(5), then: DeadlineAction::Abort })
    );
    assert_eq!((spec.keep_old, spec.keep_aborted), (GoDuration::ZERO, None));
    assert_eq!(compiled.strategy, Strategy::Canary);
    assert_eq!(compiled.namespace.as_deref(), Some("shop"));
    assert_eq!(compiled.names.stable_service.as_deref(), Some("web-stable"));
    assert_eq!(compiled.names.candidate_service.as_deref(), Some("web-canary"));
    assert_eq!(compiled.names.routers, ["istio"]);
    assert_eq!(compiled.warnings, []);
    assert!(explain(&compiled).contains("beside steps 3 to 11: `watch`"), "{}", explain(&compiled));
}

#[test]
fn templates_are_flattened_and_their_arguments_filled_in() {
    let compiled = compiled(include_str!("data/every-argo-field.yaml"));
    let [gate, watch] = compiled.plan.spec().analyses.as_slice() else { panic!("two analyses") };
    assert_eq!(gate.name, "gate+shared");
    let [latency, up] = gate.metrics.as_slice() else { panic!("two metrics") };
    let mut query = Query::new("prometheus", r#"histogram_quantile(0.99, latency{app="web"})"#);
    query.settings = [
        ("shape", "argo"),
        ("address", "http://prometheus:9090"),
        ("timeout", "12s"),
        ("insecure", "true"),
        ("header.X-Scope-OrgID", "web"),
        ("range.start", r#"now() - duration("5m")"#),
        ("range.end", "now()"),
        ("range.step", "1m"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let judge = Judge::Conditions {
        success: Some("result[0] < 0.5".parse().unwrap()),
        failure: Some("result[0] > 10 * 0.5".parse().unwrap()),
    };
    let expected = Metric {
        interval: Some(GoDuration::from_secs(30)),
        count: Some(3),
        failure_limit: Some(2),
        inconclusive_limit: 1,
        consecutive_error_limit: 2,
        consecutive_success_limit: Some(1),
        dry_run: true,
        timeout: GoDuration::from_secs(12),
        retention: 20,
        ..Metric::new("latency-p99", query, judge)
    };
    assert_eq!(*latency, expected);
    assert_eq!((up.name.as_str(), up.dry_run, up.failure_limit), ("up", false, Some(0)));
    assert_eq!(watch.metrics[0].query.text, r#"errors{hash="{{candidate}}"} / errors{hash="{{stable}}"}"#);
    assert_eq!(watch.metrics[0].failure_limit, None);
    assert_eq!(watch.metrics[0].initial_delay, GoDuration::from_mins(1));
}

#[test]
fn without_a_router_shares_of_instances_split_the_traffic() {
    let compiled = canary("{maxSurge: 1, maxUnavailable: '10', steps: [{setWeight: 20}]}");
    let spec = compiled.plan.spec();
    let (max_surge, max_unavailable) = (Amount::Count(1), Amount::Percent(10));
    assert_eq!(spec.capacity, Capacity::Counted { replicas: 1, max_surge, max_unavailable });
    assert_eq!((spec.keep_old, spec.keep_aborted), (GoDuration::ZERO, Some(GoDuration::ZERO)));
    let defaults = canary("{}").plan.spec().capacity.clone();
    let quarter = Amount::Percent(25);
    assert_eq!(defaults, Capacity::Counted { replicas: 1, max_surge: quarter, max_unavailable: quarter });
}

#[test]
fn without_steps_it_is_a_rolling_update() {
    for text in ["{}", "{steps: []}", "{maxSurge: 1}"] {
        let compiled = canary(text);
        assert_eq!(compiled.strategy, Strategy::RollingUpdate);
        assert_eq!(compiled.plan.steps(), [Step::Weight(Weight::FULL)]);
    }
}

#[test]
fn with_a_router_the_old_revision_stays_for_half_a_minute() {
    let kept = |text: &str| {
        let compiled = canary(text);
        (compiled.plan.spec().keep_old, compiled.plan.spec().keep_aborted)
    };
    let secs = GoDuration::from_secs;
    assert_eq!(kept("{trafficRouting: {nginx: {}}}"), (secs(30), Some(secs(30))));
    assert_eq!(
        kept("{trafficRouting: {nginx: {}}, scaleDownDelaySeconds: 9, abortScaleDownDelaySeconds: 0}"),
        (secs(9), None)
    );
}

#[test]
fn a_weight_is_a_share_of_the_greatest_weight() {
    let compiled = canary("{trafficRouting: {maxTrafficWeight: 1000, nginx: {}}, steps: [{setWeight: 5}]}");
    assert_eq!(compiled.plan.steps(), [Step::Weight(Weight::percent(0.5))]);
}

#[test]
fn one_element_may_set_a_weight_and_the_size_for_it() {
    let compiled =
        canary("{trafficRouting: {nginx: {}}, steps: [{setWeight: 5, setCanaryScale: {replicas: 3}}]}");
    assert_eq!(
        compiled.plan.steps(),
        [Step::Scale(CandidateScale::Replicas(3)), Step::Weight(Weight::percent(5.0))]
    );
}

#[test]
fn the_replicas_of_a_workload_that_is_named_count() {
    let text = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 4}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: app}
spec:
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  strategy: {canary: {}}
";
    let manifests = read(&[Source::new("app.yaml", text)], Mode::Strict).unwrap();
    assert_eq!(manifests.ignored()[0].kind, "Deployment");
    let compiled = manifests.compile("app").unwrap();
    assert_eq!(compiled.names.workload, "web");
    assert!(matches!(compiled.plan.spec().capacity, Capacity::Counted { replicas: 4, .. }));
}

#[test]
fn json_and_lists_are_read_too() {
    let text = r#"{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout", "metadata": {"name": "app"}, "spec": {"strategy": {"canary": {"steps":
        [{"setWeight": 20}, {"pause": {}}]}}}}]}"#;
    assert_eq!(compiled(text).plan.steps(), [Step::Weight(Weight::percent(20.0)), Step::Hold(None)]);
}

#[test]
fn what_a_cluster_would_refuse_is_a_warning() {
    let warnings = |text: &str| -> Vec<String> {
        compiled(text)
            .warnings
            .iter()
            .map(|warning| format!("{}: {}", warning.field, warning.message))
            .collect()
    };
    let rollout = |spec: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: app}}\nspec: \
             {{strategy: {{canary: {{}}}}, {spec}}}"
        )
    };
    assert_eq!(
        warnings(&rollout("template: {metadata: {labels: {app: a}}}")),
        ["spec.selector: a cluster refuses this: add `matchLabels` with labels of `spec.template`"]
    );
    assert_eq!(
        warnings(&rollout("selector: {matchLabels: {app: b}}, template: {metadata: {labels: {app: a}}}")),
        [
            "spec.selector.matchLabels.app: a cluster refuses this: the labels of `spec.template` must have the same \
          label"
        ]
    );
}

#[test]
fn a_list_compared_with_a_number_is_a_warning() {
    let text = include_str!("data/every-argo-field.yaml").replace("result[0] == 1", "result == 1");
    let warnings = compiled(&text).warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].message.ends_with("write `result[0]` for `result`"), "{}", warnings[0]);
    let text = text.replace("query: up", "query: scalar(up)");
    assert_eq!(compiled(&text).warnings, []);
}

fn canary(strategy: &str) -> Compiled {
    compiled(&format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: app}}\nspec: {{strategy: {{canary: \
         {strategy}}}}}"
    ))
}

fn compiled(text: &str) -> Compiled {
    read(&[Source::new("app.yaml", text)], Mode::Strict).unwrap().compile_only().unwrap()
}
