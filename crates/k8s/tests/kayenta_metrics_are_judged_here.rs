//! A `kayenta` metric of Argo Rollouts, from the manifest to the outcome, without Kayenta.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use futures_util::FutureExt as _;
use serinus_core::{
    analysis::{Metric, Outcome, kayenta::KayentaProvider},
    metric::{Query, Question, Sample},
    port::{MetricProvider as _, memory::MemoryMetrics},
};
use serinus_k8s::{Compiled, FaultKind, Mode, Source, read};

const MANIFEST: &str = include_str!("data/kayenta.yaml");
const ERRORS: &str = r#"sum(rate(http_errors_total{hash="{{HASH}}",zone="eu-1"}[1m]))"#;
const CPU: &str = r#"avg(cpu_seconds{hash="{{HASH}}",job="checkout"})"#;

#[test]
fn the_score_is_compared_with_both_thresholds() {
    let level = |by: f64| -> Sample {
        Sample::List((0..21).map(|minute| Sample::number(by * (10.0 + f64::from(minute % 5)))).collect())
    };
    for (errors, cpu, outcome, value) in [
        (level(1.0), level(1.0), Outcome::Successful, r#"{"score":100.0,"suspect":{}}"#),
        (level(1.0), level(1.5), Outcome::Inconclusive, r#"{"score":70.0,"suspect":{"cpu":"High"}}"#),
        (level(1.5), level(1.0), Outcome::Failed, r#"{"score":30.0,"suspect":{"errors":"High"}}"#),
        // More by less than the config allows.
        (level(1.0), level(1.15), Outcome::Successful, r#"{"score":100.0,"suspect":{}}"#),
        // Half of the metrics without data.
        (level(1.0), Sample::empty(), Outcome::Failed, r#"{"score":0.0,"suspect":{"cpu":"Nodata"}}"#),
        // `nanStrategy: replace`: no errors.
        (Sample::empty(), level(1.0), Outcome::Successful, r#"{"score":100.0,"suspect":{}}"#),
        (Sample::empty(), Sample::empty(), Outcome::Error, "[]"),
    ] {
        let source = MemoryMetrics::new();
        for (text, candidate) in [(ERRORS, errors), (CPU, cpu)] {
            source.always(text.replace("HASH", "stable"), level(1.0));
            source.always(text.replace("HASH", "candidate"), candidate);
        }
        let provider = KayentaProvider::new(source);
        let metric = metric(&compiled(MANIFEST));
        let answer = provider.ask(&question(&metric)).now_or_never().unwrap().unwrap();
        assert_eq!(metric.judge.judge(&answer).outcome, outcome, "{answer}");
        assert_eq!(answer.to_string(), value);
    }
}

#[test]
fn both_scopes_are_asked_over_the_same_range_of_prometheus() {
    let source = std::sync::Arc::new(MemoryMetrics::new());
    source.answer_all_with(|_| Ok(Sample::empty()));
    let metric = metric(&compiled(MANIFEST));
    KayentaProvider::new(source.clone()).ask(&question(&metric)).now_or_never().unwrap().unwrap();
    let asked = source.asked();
    let texts: Vec<_> = asked.iter().map(|question| question.query.text.clone()).collect();
    let of = |text: &str, side: &str| text.replace("HASH", side);
    assert_eq!(
        texts,
        [of(ERRORS, "stable"), of(ERRORS, "candidate"), of(CPU, "stable"), of(CPU, "candidate")]
    );
    for Question { query, .. } in asked {
        assert_eq!(query.provider, "prometheus");
        let settings: Vec<_> =
            query.settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(
            settings,
            [
                ("range.end", "2026-01-01T12:00:00Z"),
                ("range.start", "2026-01-01T11:40:00Z"),
                ("range.step", "1m0s"),
                ("shape", "argo")
            ]
        );
    }
}

#[test]
fn a_question_about_anything_else_is_handed_on() {
    let source = MemoryMetrics::new();
    source.always("up", 1.0);
    let metric = metric(&compiled(MANIFEST));
    let other = Question { query: Query::new("prometheus", "up").into(), ..question(&metric) };
    let answer = KayentaProvider::new(source).ask(&other).now_or_never().unwrap();
    assert_eq!(answer.unwrap(), 1.0.into());
}

#[test]
fn what_is_not_used_is_said() {
    let warnings = compiled(MANIFEST).warnings;
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert_eq!(warning.field, "spec.metrics[0].provider.kayenta.address");
}

#[test]
fn what_is_missing_or_wrong_is_named_with_its_place() {
    for (from, to, kind, expected) in [
        (
            "checkout-health.json: |",
            "other.json: |",
            FaultKind::Missing,
            "no ConfigMap with `checkout-health.json`",
        ),
        ("NetflixACAJudge-v1.0", "another", FaultKind::Invalid, "the judge `another`"),
        ("{pass: 90, marginal: 60}", "{pass: 50, marginal: 60}", FaultKind::Conflict, "60 is above `pass`"),
        ("{pass: 90, marginal: 60}", "{pass: 101, marginal: 60}", FaultKind::Invalid, "101 is out of range"),
        ("{pass: 90, marginal: 60}", "{marginal: 60}", FaultKind::Missing, "add a score"),
        ("- name: default\n", "- name: other\n", FaultKind::Invalid, "scope `default`"),
        ("step: 60", "step: 0", FaultKind::Invalid, "0 is out of range"),
        ("start: now() - duration(\"20m\")", "start: yesterday", FaultKind::Invalid, "yesterday"),
        ("${scope}", "${nothing}", FaultKind::Invalid, "${nothing}"),
        ("            end: now()\n", "", FaultKind::Missing, "add `end: now()`"),
        (
            "        threshold: ",
            "        lookback: true\n        threshold: ",
            FaultKind::Unsupported,
            "`start`",
        ),
    ] {
        let text = MANIFEST.replacen(from, to, 1);
        assert_ne!(text, MANIFEST, "{from}");
        let read = read(&[Source::new("kayenta.yaml", text)], Mode::Strict);
        let faults = read.and_then(|manifests| manifests.compile("checkout")).unwrap_err();
        let found =
            faults.as_slice().iter().find(|fault| fault.kind == kind && fault.to_string().contains(expected));
        assert!(found.is_some_and(|fault| fault.line > 0), "{from} -> {to}: {faults}");
    }
}

fn compiled(text: &str) -> Compiled {
    read(&[Source::new("kayenta.yaml", text)], Mode::Strict).unwrap().compile("checkout").unwrap()
}

fn metric(compiled: &Compiled) -> Metric {
    let [analysis] = compiled.plan.spec().analyses.as_slice() else { panic!("one analysis") };
    let [metric] = analysis.metrics.as_slice() else { panic!("one metric") };
    metric.clone()
}

/// The placeholders of the revisions are filled in by the source.
fn question(metric: &Metric) -> Question {
    Question {
        query: metric.query.clone().into(),
        candidate: "v2".into(),
        stable: "v1".into(),
        at: "2026-01-01T12:00:00Z".parse().unwrap(),
        window: None,
    }
}
