//! A run asks when it should, hears what it should, and comes to the verdict of its limits.

use serde_json::Value;
use serinus_core::{
    analysis::{
        Analysis, Counters, Data, FailureBudget, Judge, Metric, MetricStatus, Outcome, Phase, Rounds,
        run::{Measurement, Reading, RoundTally, Run},
    },
    metric::{Number, Query, Sample},
    port::PortErrorKind,
    time::{GoDuration, Timestamp},
};

const GOOD: f64 = 99.9;
const BAD: f64 = 50.0;

fn at(secs: u64) -> Timestamp {
    GoDuration::from_secs(secs).after(Timestamp::UNIX_EPOCH)
}

fn metric(name: &str) -> Metric {
    let judge = Judge::Range { min: Some(Number::new(99.0)), max: None };
    Metric::new(name, Query::new("test", "none"), judge)
}

fn repeated(name: &str, count: u32) -> Metric {
    Metric { interval: Some(GoDuration::from_secs(60)), count: Some(count), ..metric(name) }
}

fn analysis(metrics: Vec<Metric>) -> Analysis {
    Analysis { name: "test".into(), metrics, rounds: None }
}

fn in_rounds(metrics: Vec<Metric>, passes: u32, budget: FailureBudget) -> Analysis {
    let rounds = Rounds { interval: GoDuration::from_secs(60), passes, budget };
    Analysis { rounds: Some(rounds), ..analysis(metrics) }
}

/// Puts what is due and answers the question of one metric, if it has one.
fn answer(
    run: &mut Run,
    analysis: &Analysis,
    metric: usize,
    value: f64,
    now: Timestamp,
) -> Option<Measurement> {
    run.start_due(analysis, now);
    let open = run.open().find(|open| open.metric == metric)?;
    run.record(analysis, metric, open.ordinal, Reading::Answer(value.into()), now).cloned()
}

fn unanswered(run: &mut Run, analysis: &Analysis, metric: usize, now: Timestamp) -> Option<Measurement> {
    run.start_due(analysis, now);
    let open = run.open().find(|open| open.metric == metric)?;
    let failure = Reading::Failure { kind: PortErrorKind::Transient, message: "connection refused".into() };
    run.record(analysis, metric, open.ordinal, failure, now).cloned()
}

#[test]
fn metrics_are_assessed_as_in_argo() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("data/argo-cases.json")).unwrap();
    let mut seen = 0;
    for case in cases.iter().filter(|case| case["area"] == "metric-assessment") {
        seen += 1;
        let (spec, expected) = (&case["input"]["metric"], &case["expected"]);
        let number = |key: &str| spec[key].as_i64().map(|number| u32::try_from(number).ok());
        let metric = Metric {
            interval: spec["interval"].as_str().map(|text| text.parse().unwrap()),
            count: number("count").flatten(),
            failure_limit: number("failureLimit").unwrap_or(Some(0)),
            inconclusive_limit: number("inconclusiveLimit").flatten().unwrap_or(0),
            consecutive_success_limit: number("consecutiveSuccessLimit").flatten(),
            ..metric("case")
        };
        let counters: Counters = serde_json::from_value(case["input"]["counters"].clone()).unwrap();
        let status = MetricStatus { phase: Phase::Running, measured: true, in_flight: false, counters };
        let (phase, message) = status.assess(&metric, false);
        assert_eq!(phase.to_string(), expected["phase"], "{case}");
        if let Some(ending) = expected.get("phaseWhenTerminating") {
            assert_eq!(status.assess(&metric, true).0.to_string(), *ending, "{case}");
        }
        if let Some(expected) = expected.get("message") {
            assert_eq!(message, *expected, "{case}");
        }
    }
    assert!(seen > 15);
}

#[test]
fn the_next_measurement_is_due_strictly_after_the_interval_since_the_end_of_the_last() {
    let analysis = analysis(vec![repeated("rate", 3)]);
    let mut run = Run::begin(&analysis, at(0));
    run.start_due(&analysis, at(0));
    run.record(&analysis, 0, 0, Reading::Answer(GOOD.into()), at(20)).unwrap();
    run.start_due(&analysis, at(80));
    assert_eq!(run.open().count(), 0);
    let wake = run.wake(&analysis).unwrap();
    assert_eq!(wake, GoDuration::from_nanos(1).after(at(80)));
    run.start_due(&analysis, wake);
    let open = run.open().next().unwrap();
    assert_eq!((open.ordinal, open.at, open.due), (1, wake, GoDuration::from_secs(30).after(wake)));
}

#[test]
fn after_an_error_ten_seconds_are_waited_and_errors_do_not_count() {
    let analysis = analysis(vec![repeated("rate", 1)]);
    let mut run = Run::begin(&analysis, at(0));
    for errors in 0..4 {
        let error = unanswered(&mut run, &analysis, 0, at(errors * 11)).unwrap();
        assert_eq!((error.outcome, error.data), (Outcome::Error, Data::Erroneous));
        assert_eq!(run.phase(), Phase::Running);
    }
    assert!(answer(&mut run, &analysis, 0, GOOD, at(43)).is_none(), "ten seconds are not over");
    answer(&mut run, &analysis, 0, GOOD, at(44)).unwrap();
    assert_eq!(run.assess(&analysis).phase, Phase::Successful);
    assert_eq!(run.wake(&analysis), None);
}

#[test]
fn the_fifth_error_in_a_row_ends_the_run_in_error() {
    let analysis = analysis(vec![metric("rate")]);
    let mut run = Run::begin(&analysis, at(0));
    for errors in 0..5 {
        unanswered(&mut run, &analysis, 0, at(errors * 11)).unwrap();
    }
    let assessment = run.assess(&analysis);
    assert_eq!(assessment.phase, Phase::Error);
    assert_eq!(
        assessment.message,
        "Metric \"rate\" assessed Error due to consecutiveErrors (5) > consecutiveErrorLimit (4): \"Error Message: connection refused\""
    );
}

#[test]
fn a_limit_is_broken_by_one_more_and_ends_the_others_too() {
    let metrics = vec![Metric { failure_limit: Some(2), ..repeated("rate", 10) }, repeated("duration", 10)];
    let analysis = analysis(metrics);
    let mut run = Run::begin(&analysis, at(0));
    for round in 0..3 {
        assert!(!run.is_over());
        answer(&mut run, &analysis, 0, BAD, at(round * 61)).unwrap();
    }
    let assessment = run.assess(&analysis);
    assert_eq!(assessment.phase, Phase::Failed);
    assert_eq!(assessment.message, "Metric \"rate\" assessed Failed due to failed (3) > failureLimit (2)");
    assert_eq!(run.open().count(), 0, "the question of the other metric is dropped");
    assert!(run.record(&analysis, 1, 0, Reading::Answer(GOOD.into()), at(123)).is_none());
    let ended = run.clone();
    run.start_due(&analysis, at(1000));
    run.terminate();
    assert!(run.expire(&analysis, at(2000)).is_empty());
    assert_eq!(run, ended, "an end is an end");
}

#[test]
fn a_dry_run_decides_nothing() {
    let analysis = analysis(vec![Metric { dry_run: true, ..metric("trial") }, metric("rate")]);
    let mut run = Run::begin(&analysis, at(0));
    answer(&mut run, &analysis, 0, BAD, at(0)).unwrap();
    assert!(!run.is_over());
    answer(&mut run, &analysis, 1, GOOD, at(0)).unwrap();
    let assessment = run.assess(&analysis);
    assert_eq!((assessment.phase, assessment.message.as_str()), (Phase::Successful, ""));
    assert_eq!((assessment.dry_run.count, assessment.dry_run.failed), (1, 1));
}

#[test]
fn a_late_answer_is_an_error_and_not_heard() {
    let analysis = analysis(vec![metric("rate")]);
    let mut run = Run::begin(&analysis, at(0));
    run.start_due(&analysis, at(0));
    assert_eq!(run.wake(&analysis), Some(at(30)));
    let mut other = run.clone();
    assert!(other.record(&analysis, 0, 0, Reading::Answer(GOOD.into()), at(30)).is_none());
    let late = run.expire(&analysis, at(30));
    assert_eq!((late[0].outcome, late[0].data, late[0].value.as_str()), (Outcome::Error, Data::Late, ""));
    assert_eq!(run, other, "hearing it late is the same as not hearing it");
    assert!(run.record(&analysis, 0, 0, Reading::Answer(GOOD.into()), at(31)).is_none());
    run.start_due(&analysis, at(41));
    assert_eq!(run.open().next().unwrap().ordinal, 1, "an ordinal is never used twice");
}

#[test]
fn absent_data_never_passes() {
    for sample in [Sample::empty(), Sample::Null, Sample::number(f64::NAN)] {
        let analysis = analysis(vec![metric("rate")]);
        let mut run = Run::begin(&analysis, at(0));
        run.start_due(&analysis, at(0));
        let measurement = run.record(&analysis, 0, 0, Reading::Answer(sample), at(0)).unwrap();
        assert_eq!(measurement.outcome, Outcome::Error);
        assert_ne!(measurement.data, Data::Present);
    }
}

#[test]
#[cfg(feature = "expr")]
fn a_condition_passes_absent_data_only_if_it_asks_about_it() {
    let judge = |success: Option<&str>, failure: Option<&str>| Judge::Conditions {
        success: success.map(|text| text.parse().unwrap()),
        failure: failure.map(|text| text.parse().unwrap()),
    };
    let nan = Sample::number(f64::NAN);
    for (judge, sample, outcome) in [
        (judge(None, Some("result > 0.1")), &nan, Outcome::Error),
        (judge(None, Some("isNaN(result) || result > 0.1")), &nan, Outcome::Failed),
        (judge(Some("isNaN(result) || result < 0.1"), None), &nan, Outcome::Successful),
        (judge(Some("result < 0.1"), None), &nan, Outcome::Failed),
        (judge(Some("result < 0.1"), Some("result > 0.1")), &nan, Outcome::Inconclusive),
        (judge(Some("all(result, # < 0.1)"), None), &Sample::empty(), Outcome::Error),
        (judge(Some("len(result) == 0"), None), &Sample::empty(), Outcome::Successful),
        (judge(None, None), &Sample::empty(), Outcome::Error),
        (judge(None, None), &Sample::number(1.0), Outcome::Successful),
    ] {
        let judged = judge.judge(sample);
        assert_eq!(judged.outcome, outcome, "{judge:?} of {sample}: {}", judged.reason);
    }
}

#[test]
fn a_run_stopped_before_its_first_measurement_has_nothing_against_it() {
    let delayed = Metric { initial_delay: GoDuration::from_secs(20), ..metric("rate") };
    let analysis = analysis(vec![delayed]);
    let mut run = Run::begin(&analysis, at(0));
    run.start_due(&analysis, at(19));
    assert_eq!((run.open().count(), run.phase()), (0, Phase::Pending));
    run.terminate();
    let assessment = run.assess(&analysis);
    assert_eq!((assessment.phase, assessment.message.as_str()), (Phase::Successful, "Run Terminated"));
}

#[test]
fn rounds_start_one_interval_in_and_fail_by_the_first_metric_that_does() {
    let analysis = in_rounds(vec![metric("rate"), metric("duration")], 2, FailureBudget::Cumulative(2));
    let mut run = Run::begin(&analysis, at(0));
    run.start_due(&analysis, at(59));
    assert_eq!(run.open().count(), 0);
    assert_eq!(run.wake(&analysis), Some(at(60)));
    run.start_due(&analysis, at(60));
    assert_eq!(run.open().count(), 2);
    answer(&mut run, &analysis, 0, BAD, at(61)).unwrap();
    assert_eq!(run.carried().rounds, RoundTally { passed: 0, failed: 1, failed_in_a_row: 1 });
    assert_eq!(run.open().count(), 0, "the round is over");
    assert_eq!(run.wake(&analysis), Some(at(121)));
    for metric in [1, 0] {
        answer(&mut run, &analysis, metric, GOOD, at(121)).unwrap();
    }
    assert_eq!(run.carried().rounds, RoundTally { passed: 1, failed: 1, failed_in_a_row: 0 });
    answer(&mut run, &analysis, 0, GOOD, at(181)).unwrap();
    answer(&mut run, &analysis, 1, f64::NAN, at(181)).unwrap();
    let assessment = run.assess(&analysis);
    assert_eq!(assessment.phase, Phase::Failed, "a success between two failures does not forgive");
    assert!(
        assessment.message.contains("2 rounds failed, limit 2; the last: Metric \"duration\""),
        "{assessment:?}"
    );
}

#[test]
fn failures_in_a_row_are_forgiven_by_a_success_and_inherited_by_the_next_run() {
    let analysis = in_rounds(vec![metric("rate")], 1, FailureBudget::Consecutive(2));
    let mut run = Run::begin(&analysis, at(0));
    answer(&mut run, &analysis, 0, BAD, at(60)).unwrap();
    answer(&mut run, &analysis, 0, GOOD, at(120)).unwrap();
    assert_eq!(run.phase(), Phase::Successful);
    let mut next = Run::continuing(&analysis, run.carried(), at(120));
    assert_eq!(next.carried().rounds, RoundTally { passed: 0, failed: 1, failed_in_a_row: 0 });
    answer(&mut next, &analysis, 0, BAD, at(180)).unwrap();
    assert_eq!(next.phase(), Phase::Running);
    answer(&mut next, &analysis, 0, BAD, at(240)).unwrap();
    assert_eq!(next.phase(), Phase::Failed);
}

#[test]
fn a_run_survives_being_stored_and_keeps_only_so_many_measurements() {
    let analysis = analysis(vec![Metric { retention: 2, ..repeated("rate", 5) }]);
    let mut run = Run::begin(&analysis, at(0));
    for round in 0..4 {
        answer(&mut run, &analysis, 0, GOOD + round as f64 / 100.0, at(round * 61)).unwrap();
        let text = serde_json::to_string(&run).unwrap();
        assert_eq!(serde_json::from_str::<Run>(&text).unwrap(), run, "{text}");
    }
    let kept: Vec<_> = run.measurements(0).iter().map(|measurement| measurement.value.as_str()).collect();
    assert_eq!(kept, ["99.92", "99.93"]);
}

#[test]
fn an_analysis_that_cannot_be_run_is_refused() {
    assert!(analysis(vec![repeated("rate", 3)]).validate().is_ok());
    for (analysis, words) in [
        (analysis(vec![]), "no metrics"),
        (analysis(vec![metric("a"), metric("a")]), "same name 'a'"),
        (analysis(vec![metric("")]), "no name"),
        (
            analysis(vec![Metric { count: Some(2), ..metric("a") }]),
            "interval must be specified when count > 1",
        ),
        (
            analysis(vec![Metric { count: Some(1), failure_limit: Some(2), ..metric("a") }]),
            "count (1) must be >=",
        ),
        (analysis(vec![Metric { timeout: GoDuration::ZERO, ..metric("a") }]), "timeout is 0s"),
        (in_rounds(vec![metric("a")], 0, FailureBudget::Cumulative(1)), "0 rounds"),
    ] {
        let error = analysis.validate().unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(
        !analysis(vec![Metric { interval: Some(GoDuration::from_secs(1)), ..metric("a") }]).ends_by_itself()
    );
}
