//! When the next measurement is due, and how many are kept: answered by a real run, set up through its own doors.

use serde_json::Value;
use serinus_core::{
    analysis::{
        Analysis, Metric, Outcome,
        run::{Reading, Run},
    },
    metric::Sample,
    port::PortErrorKind,
    time::{GoDuration, Timestamp},
};

use crate::{
    reading::{Answer, Input, Unreadable},
    runs::{blank, outcome_named},
};

pub(crate) fn schedule(input: &Input<'_>) -> Result<Answer, Unreadable> {
    if let Some(retention) = input.count("retention")? {
        let mut answer = Answer::default();
        for (given, kept) in [("values", "kept"), ("values2", "kept2")] {
            if let Some(Value::Array(values)) = input.get(given) {
                answer = answer.with(kept, kept_values(retention, values));
            }
        }
        return Ok(answer);
    }
    let now = Timestamp::UNIX_EPOCH;
    let mut pasts = Vec::new();
    if let Some(Value::Array(metrics)) = input.get("metrics") {
        for (index, metric) in metrics.iter().enumerate() {
            let metric = Input::new(metric)?;
            pasts.push(Past::read(&metric, index, now)?);
            metric.finish()?;
        }
    } else {
        pasts.push(Past::read(input, 0, now)?);
    }
    let analysis = Analysis {
        name: "schedule".to_owned(),
        metrics: pasts.iter().map(|past| past.metric.clone()).collect(),
        rounds: None,
    };
    let start = pasts.iter().map(|past| past.start).min().unwrap_or(now);
    let mut run = Run::begin(&analysis, start);
    let mut answers: Vec<(Timestamp, usize, Outcome)> = pasts
        .iter()
        .enumerate()
        .flat_map(|(index, past)| past.answers.iter().map(move |(at, outcome)| (*at, index, *outcome)))
        .collect();
    answers.sort_by_key(|(at, ..)| *at);
    for (at, index, outcome) in answers {
        run.start_due(&analysis, at);
        let Some(open) = run.open().find(|open| open.metric == index) else { break };
        run.record(&analysis, index, open.ordinal, reading(outcome), at);
    }
    let in_flight: Vec<usize> = (0..pasts.len()).filter(|index| pasts[*index].in_flight).collect();
    if !in_flight.is_empty() {
        run.start_due(&analysis, now);
    }
    let next = run
        .wake(&analysis)
        .map(|wake| (wake.as_nanosecond() - now.as_nanosecond()).div_euclid(1_000_000_000) as i64);
    let answer = Answer::default().with("nextInSeconds", next);
    let ends = input.is("terminate")? || input.is("terminating")?;
    if !in_flight.is_empty() {
        // A measurement in flight with a time to look at it again, or one to be broken off, is no task here.
        let plain = !ends && !input.has("resumeInSeconds");
        return Ok(if plain { answer.with("tasks", run.open().count()) } else { answer });
    }
    if ends {
        run.terminate();
    }
    run.start_due(&analysis, now);
    Ok(answer.with("tasks", run.open().count()))
}

/// What has happened to one metric.
struct Past {
    metric: Metric,
    start: Timestamp,
    answers: Vec<(Timestamp, Outcome)>,
    in_flight: bool,
}

impl Past {
    fn read(input: &Input<'_>, index: usize, now: Timestamp) -> Result<Self, Unreadable> {
        let ago = |secs: i64| GoDuration::from_nanos(secs.saturating_mul(-1_000_000_000)).after(now);
        let mut metric = blank(&format!("metric {index}"));
        metric.interval = input.length("interval")?;
        metric.count = input.count("count")?;
        metric.initial_delay = input.length("initialDelay")?.unwrap_or_default();
        metric.failure_limit = None;
        metric.inconclusive_limit = u32::MAX;
        metric.consecutive_error_limit = u32::MAX;
        metric.timeout = GoDuration::from_secs(YEAR);
        let in_flight = input.is("inFlight")?;
        if let Some(secs) = input.number("resumeInSeconds")? {
            metric.timeout = GoDuration::from_nanos(secs.saturating_mul(1_000_000_000));
        }
        let outcome = input.text("lastPhase")?.map_or(Ok(Outcome::Successful), outcome_named)?;
        let finished = input.number("lastFinishedSecondsAgo")?;
        let so_far = input.count("countSoFar")?.unwrap_or(u32::from(finished.is_some()));
        if so_far > 100 {
            return Err(Unreadable(format!("{so_far} measurements are too many to take")));
        }
        // The earlier ones lie one interval and a bit apart.
        let apart = metric.interval.map_or(1, |interval| interval.as_nanos() / 1_000_000_000 + 11);
        let last = finished.unwrap_or(YEAR as i64 / 1000);
        let answers: Vec<_> = (0..so_far)
            .rev()
            .map(|back| {
                let outcome = if back == 0 { outcome } else { Outcome::Successful };
                (ago(last.saturating_add(apart.saturating_mul(back.into()))), outcome)
            })
            .collect();
        let started_at = input.get("startedAt").map(seconds_ago).transpose()?;
        let started =
            input.number("startedSecondsAgo")?.or(input.number("startedAtSecondsAgo")?).or(started_at);
        let start = match (started, answers.first()) {
            (Some(secs), _) => ago(secs),
            (None, Some((first, _))) => {
                GoDuration::from_nanos(-metric.initial_delay.as_nanos()).after(*first)
            }
            (None, None) => now,
        };
        Ok(Self { metric, start, answers, in_flight })
    }
}

/// `20`, `20s ago`, or `now`.
fn seconds_ago(value: &Value) -> Result<i64, Unreadable> {
    let words = value.as_str().map(|words| words.strip_suffix(" ago").unwrap_or(words));
    let secs = match words {
        Some("now") => Some(0),
        Some(words) => words.parse::<GoDuration>().ok().map(|ago| ago.as_nanos() / 1_000_000_000),
        None => value.as_i64(),
    };
    secs.ok_or_else(|| Unreadable(format!("unknown `startedAt`: {value}")))
}

fn reading(outcome: Outcome) -> Reading {
    match outcome {
        Outcome::Error => Reading::Failure { kind: PortErrorKind::Transient, message: "case".to_owned() },
        _ => Reading::Answer(Sample::number(1.0)),
    }
}

/// The values a run keeps of those it was given.
fn kept_values(retention: u32, values: &[Value]) -> Vec<String> {
    let mut metric = blank("kept");
    metric.interval = Some(GoDuration::from_secs(1));
    metric.retention = retention;
    let analysis = Analysis { name: "kept".to_owned(), metrics: vec![metric], rounds: None };
    let mut now = Timestamp::UNIX_EPOCH;
    let mut run = Run::begin(&analysis, now);
    for value in values {
        run.start_due(&analysis, now);
        let Some(open) = run.open().next() else { break };
        let number = value.as_str().and_then(|text| text.parse().ok()).or(value.as_f64()).unwrap_or(0.0);
        run.record(&analysis, open.metric, open.ordinal, Reading::Answer(number.into()), now);
        now = GoDuration::from_secs(2).after(now);
    }
    run.measurements(0).iter().map(|measurement| measurement.value.to_string()).collect()
}

const YEAR: u64 = 365 * 24 * 3600;
