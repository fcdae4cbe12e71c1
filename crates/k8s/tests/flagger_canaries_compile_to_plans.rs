//! What each field of a Canary becomes in a plan.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use serinus_core::{
    analysis::{FailureBudget, Judge, Metric, Rounds},
    capacity::Amount,
    metric::{Number, Query},
    rollout::{Capacity, DeadlineAction, ProgressDeadline, Step},
    time::GoDuration,
    traffic::{Match, NamedPattern, Pattern, Weight},
};
use serinus_k8s::{Compiled, Mode, Source, Strategy, explain, read};

#[test]
fn the_example_climbs_in_five_rungs_with_a_check_on_each() {
    let compiled = compiled(include_str!("../../../examples/manifests/podinfo-canary.yaml"));
    assert_eq!(weights(&compiled), [10.0, 20.0, 30.0, 40.0, 50.0]);
    assert!(compiled.plan.steps().iter().skip(1).step_by(2).all(|step| *step == Step::Analyse(0)));
    let [analysis] = compiled.plan.spec().analyses.as_slice() else { panic!("one analysis") };
    assert_eq!(
        analysis.rounds,
        Some(Rounds { interval: GoDuration::from_mins(1), passes: 1, budget: FailureBudget::Cumulative(5) })
    );
    assert_eq!(
        judges(&analysis.metrics),
        [("request-success-rate", Some(99.0), None), ("request-duration", None, Some(500.0))]
    );
    assert_eq!(compiled.names.workload, "podinfo");
    assert_eq!(compiled.names.service.as_deref(), Some("podinfo"));
    assert_eq!(compiled.names.candidate_service.as_deref(), Some("podinfo-canary"));
    assert_eq!(compiled.warnings, []);
}

#[test]
fn every_field_that_is_supported() {
    let compiled = compiled(include_str!("data/every-flagger-field.yaml"));
    assert_eq!(
        compiled.plan.steps(),
        [
            Step::Mirror(Weight::percent(10.0)),
            Step::Analyse(0),
            Step::Mirror(Weight::ZERO),
            Step::Weight(Weight::percent(1.0)),
            Step::Analyse(0),
            Step::Weight(Weight::percent(5.0)),
            Step::Analyse(0),
            Step::Weight(Weight::percent(20.0)),
            Step::Analyse(0),
        ]
    );
    let spec = compiled.plan.spec();
    assert_eq!(
        spec.progress_deadline,
        Some(ProgressDeadline { within: GoDuration::from_mins(2), then: DeadlineAction::Abort })
    );
    assert_eq!(
        spec.capacity,
        Capacity::Routed {
            replicas: 7,
            dynamic_stable: false,
            min_per_revision: 0,
            ready_enough: Some(Amount::Percent(75))
        }
    );
    assert_eq!(
        judges(&spec.analyses[0].metrics),
        [
            ("request-success-rate", Some(99.0), None),
            ("request-duration", None, Some(500.0)),
            ("errors", Some(0.0), Some(0.5)),
            ("saturation", None, Some(0.8)),
        ]
    );
    assert_eq!(compiled.metrics_server.as_deref(), Some("http://prometheus.shop:9090"));
    assert_eq!(compiled.names.service.as_deref(), Some("front"));
    assert_eq!(compiled.names.stable_service.as_deref(), Some("front-primary"));
    assert_eq!(compiled.names.hosts, ["shop.example.com"]);
    let fields: Vec<_> = compiled.warnings.iter().map(|warning| warning.field.as_str()).collect();
    assert_eq!(fields, ["spec.analysis.stepWeightPromotion", "spec.analysis.primaryReadyThreshold"]);
    assert!(explain(&compiled).contains("aborts at 3 failed rounds"), "{}", explain(&compiled));
}

#[test]
fn queries_are_filled_in_and_know_where_to_ask() {
    let compiled = compiled(include_str!("data/every-flagger-field.yaml"));
    let [success, duration, errors, saturation] = compiled.plan.spec().analyses[0].metrics.as_slice() else {
        panic!("four metrics")
    };
    assert_eq!(
        (success.query.provider.as_str(), success.query.window),
        (Query::BUILTIN, Some(GoDuration::from_mins(1)))
    );
    assert_eq!(duration.query.window, Some(GoDuration::from_mins(2)));
    let setting = |metric: &Metric, name: &str| metric.query.settings.get(name).cloned().unwrap_or_default();
    for (name, value) in [
        ("shape", "flagger"),
        ("address", "http://prometheus.shop:9090"),
        ("source", "istio"),
        ("namespace", "shop"),
        ("target", "web"),
        ("service", "front"),
        ("ingress", "web"),
    ] {
        assert_eq!(setting(success, name), value, "{name}");
    }
    assert_eq!(errors.query.text, "sum(rate(errors{ns=\"shop\",app=\"web\",kind=\"fatal\"}[1m]))\n");
    assert_eq!(setting(errors, "address"), "http://prometheus.metrics:9090");
    assert_eq!(setting(errors, "header.X-Scope-OrgID"), "shop");
    assert_eq!(setting(errors, "insecure"), "true");
    assert_eq!(saturation.query.text, "max(saturation{app=\"web\", service=\"front\"}[1m])");
    assert_eq!(setting(saturation, "address"), "http://prometheus.shop:9090");
    assert_eq!(saturation.timeout, GoDuration::from_secs(5));
}

#[test]
fn the_ladder_reaches_or_passes_its_top() {
    for (analysis, rungs) in [
        ("{stepWeight: 20, maxWeight: 50}", vec![20.0, 40.0, 60.0]),
        ("{stepWeight: 50, maxWeight: 50}", vec![50.0]),
        ("{stepWeight: 60}", vec![60.0, 100.0]),
        ("{stepWeight: 40, maxWeight: 0}", vec![40.0, 80.0, 100.0]),
        ("{stepWeights: [1, 2, 10, 80], maxWeight: 5}", vec![1.0, 2.0, 10.0, 80.0]),
        ("{stepWeights: [5, 30], stepWeight: 20}", vec![20.0, 40.0]),
    ] {
        assert_eq!(weights(&canary(analysis)), rungs, "{analysis}");
    }
}

#[test]
fn without_metrics_only_time_passes() {
    let compiled = canary("{stepWeight: 50, maxWeight: 50, interval: 20s}");
    assert_eq!(
        compiled.plan.steps(),
        [Step::Weight(Weight::percent(50.0)), Step::Hold(Some(GoDuration::from_secs(20)))]
    );
    assert_eq!(compiled.plan.spec().analyses, []);
}

#[test]
fn iterations_are_blue_green_with_a_check_after_the_switch() {
    let compiled = canary("{iterations: 2, metrics: [{name: request-duration, threshold: 1}]}");
    assert_eq!(compiled.strategy, Strategy::BlueGreen);
    assert_eq!(compiled.plan.steps(), [Step::Analyse(0), Step::Analyse(0), Step::Switch, Step::Analyse(0)]);
    let budget = compiled.plan.spec().analyses[0].rounds.as_ref().map(|rounds| rounds.budget);
    assert_eq!(budget, Some(FailureBudget::Cumulative(1)));
}

#[test]
fn iterations_with_a_match_are_an_ab_test() {
    let compiled = canary(
        "{iterations: 2, match: [{headers: {x-beta: {exact: a}, cookie: {regex: '.*b.*'}}}], metrics: [{name: \
         request-duration, threshold: 1}]}",
    );
    assert_eq!(compiled.strategy, Strategy::AbTest);
    let headers = vec![
        NamedPattern { name: "x-beta".into(), value: Pattern::Exact("a".into()) },
        NamedPattern { name: "cookie".into(), value: Pattern::Regex(".*b.*".into()) },
    ];
    let one = Match { headers, cookies: vec![], path: None };
    assert_eq!(compiled.plan.steps(), [Step::Match(vec![one]), Step::Analyse(0), Step::Analyse(0)]);
}

#[test]
fn mirrored_blue_green_copies_until_the_switch() {
    let compiled = canary("{iterations: 1, mirror: true, metrics: [{name: request-duration, threshold: 1}]}");
    assert_eq!(
        compiled.plan.steps(),
        [
            Step::Mirror(Weight::FULL),
            Step::Analyse(0),
            Step::Mirror(Weight::ZERO),
            Step::Switch,
            Step::Analyse(0),
        ]
    );
}

#[test]
fn an_analysis_that_is_skipped_is_one_switch() {
    let text = CANARY.replace("spec:", "spec:\n  skipAnalysis: true") + "{stepWeight: 10}";
    let compiled = compiled(&text);
    assert_eq!((compiled.strategy, compiled.plan.steps()), (Strategy::Unchecked, [Step::Switch].as_slice()));
}

#[test]
fn intervals_below_ten_seconds_count_as_ten() {
    let compiled = canary("{stepWeight: 100, interval: 1s}");
    assert_eq!(compiled.plan.steps()[1], Step::Hold(Some(GoDuration::from_secs(10))));
    assert_eq!(compiled.warnings.len(), 1);
}

#[test]
fn an_entry_can_ask_twice_and_names_stay_apart() {
    let compiled = canary(
        "{stepWeight: 100, metrics: [{name: request-success-rate, threshold: 99, query: up}, {name: a, query: x, \
         threshold: 1}, {name: a, query: z, threshold: 1}]}",
    );
    let names: Vec<_> =
        compiled.plan.spec().analyses[0].metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, ["request-success-rate", "request-success-rate (query)", "a", "a (query)"]);
}

#[test]
fn lenient_drops_what_an_api_server_drops_and_says_so() {
    let text = format!("{CANARY}{{stepWeight: 10, metrics: [{{name: request-success-rate, min: 99}}]}}");
    let manifests = read(&[Source::new("app.yaml", text)], Mode::Lenient).unwrap();
    let [dropped] = manifests.dropped() else { panic!("one field") };
    assert_eq!(dropped.field, "spec.analysis.metrics[0].min");
    let compiled = manifests.compile_only().unwrap();
    assert_eq!(compiled.warnings[0].message, "no threshold, so every value passes: add `min: 99`");
}

fn weights(compiled: &Compiled) -> Vec<f64> {
    let weight = |step: &Step| if let Step::Weight(weight) = step { Some(weight.as_percent()) } else { None };
    compiled.plan.steps().iter().filter_map(weight).collect()
}

fn judges(metrics: &[Metric]) -> Vec<(&str, Option<f64>, Option<f64>)> {
    let judge = |metric: &Metric| match &metric.judge {
        Judge::Range { min, max } => (min.map(Number::get), max.map(Number::get)),
        other => panic!("{other:?}"),
    };
    metrics.iter().map(|metric| (metric.name.as_str(), judge(metric).0, judge(metric).1)).collect()
}

fn canary(analysis: &str) -> Compiled {
    compiled(&format!("{CANARY}{analysis}"))
}

fn compiled(text: &str) -> Compiled {
    read(&[Source::new("app.yaml", text)], Mode::Strict).unwrap().compile_only().unwrap()
}

const CANARY: &str = "apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: app}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: app}
  analysis: ";
