//! From counters to phases.

use serde_json::{Value, json};
use serinus_core::{
    analysis::{
        Analysis, Condition, Counters, Judge, Metric, MetricStatus, Outcome, Phase,
        run::{Run, Standing, overall},
    },
    metric::{Query, Sample},
    time::Timestamp,
};

use crate::reading::{Answer, Input, Unreadable};

pub(crate) fn metric(input: &Input<'_>) -> Result<Answer, Unreadable> {
    let spec = match input.object("metric")? {
        Some(spec) => metric_spec(&spec)?,
        None => blank("metric"),
    };
    let counted = input.object("counters")?;
    let counters = counted.as_ref().map(read_counters).transpose()?;
    let phase = match input.text("phase")?.or(input.text("currentPhase")?) {
        Some(name) => phase_named(name)?,
        None => Phase::Running,
    };
    let in_flight = input.is("inFlight")? || input.is("unfinished")? || last_is_open(input)?;
    let none = input.is("noMeasurements")?
        || input
            .get("measurements")
            .is_some_and(|given| given == 0 || given == "none" || given == &json!([]));
    let status = MetricStatus {
        phase,
        measured: in_flight || (!none && counters.is_some()),
        in_flight,
        counters: counters.unwrap_or_default(),
    };
    let (now, message) = status.assess(&spec, false);
    let terminating = input.is("terminating")?;
    let (ending, _) = status.assess(&spec, true);
    Ok(Answer::default()
        .with("phase", if terminating { ending } else { now }.to_string())
        .with("phaseWhenTerminating", ending.to_string())
        .with("message", message))
}

fn last_is_open(input: &Input<'_>) -> Result<bool, Unreadable> {
    for key in ["lastMeasurement", "last", "measurement", "measurements"] {
        match input.get(key) {
            Some(Value::String(words)) => {
                let words = words.to_lowercase();
                if ["running", "unfinished", "in flight", "in-flight", "inflight"]
                    .iter()
                    .any(|word| words.contains(word))
                {
                    return Ok(true);
                }
                if !["none", "no measurement", "finished"].iter().any(|word| words.contains(word)) {
                    return Err(Unreadable(format!("unknown `{key}`: {words}")));
                }
            }
            Some(Value::Array(phases)) => return Ok(phases.last().is_some_and(|last| last == "Running")),
            Some(Value::Number(_)) | None => {}
            Some(other) => return Err(Unreadable(format!("unknown `{key}`: {other}"))),
        }
    }
    Ok(false)
}

pub(crate) fn counters(input: &Input<'_>) -> Result<Answer, Unreadable> {
    let before = input.object("before")?.map(|given| read_counters(&given)).transpose()?.unwrap_or_default();
    let mut after = before;
    match input.text("newMeasurement")? {
        Some("Running" | "Pending") | None => {}
        Some(name) => after.record(outcome_named(name)?),
    }
    let before = serde_json::to_value(before).map_err(|error| Unreadable(error.to_string()))?;
    let after = serde_json::to_value(after).map_err(|error| Unreadable(error.to_string()))?;
    let mut answer = Answer::default();
    for (key, value) in after.as_object().into_iter().flatten() {
        let difference = value.as_i64().unwrap_or(0) - before[key].as_i64().unwrap_or(0);
        answer = answer.with_change(key, value.clone(), difference);
    }
    Ok(answer)
}

pub(crate) fn run(input: &Input<'_>) -> Result<Answer, Unreadable> {
    if input.text("order")?.is_some() {
        let mut phases = [
            Phase::Pending,
            Phase::Running,
            Phase::Successful,
            Phase::Inconclusive,
            Phase::Error,
            Phase::Failed,
        ];
        phases.sort_unstable();
        return Ok(Answer::default().with("worstLast", phases.map(|phase| phase.to_string()).to_vec()));
    }
    let terminate = input.is("terminate")?;
    let described: Vec<(&str, &str)> = match input.get("metrics") {
        Some(Value::Object(metrics)) => metrics
            .iter()
            .map(|(name, words)| words.as_str().map(|words| (name.as_str(), words)))
            .collect::<Option<_>>()
            .ok_or_else(|| Unreadable("a metric is not described in words".to_owned()))?,
        // Names alone: they are there to be counted.
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).map(|name| (name, "Successful")).collect()
        }
        _ => return Err(Unreadable("there are no `metrics`".to_owned())),
    };
    let rules = rules(input)?;
    let mut metrics = Vec::new();
    for (name, words) in described {
        let mut described = Described::read(name, words)?;
        described.spec.dry_run = rules.iter().any(|rule| rule.holds(&Sample::Text(name.into())) == Ok(true));
        metrics.push(described);
    }
    let all_dry = metrics.iter().all(|metric| metric.spec.dry_run);

    let assessment = if metrics.iter().all(|metric| !metric.status.measured) {
        let analysis = Analysis {
            name: "run".to_owned(),
            metrics: metrics.into_iter().map(|metric| metric.spec).collect(),
            rounds: None,
        };
        let mut run = Run::begin(&analysis, Timestamp::UNIX_EPOCH);
        run.start_due(&analysis, Timestamp::UNIX_EPOCH);
        if terminate {
            run.terminate();
        }
        run.assess(&analysis)
    } else {
        let standings = metrics.iter().map(|metric| {
            let (phase, reason) = metric.status.assess(&metric.spec, terminate);
            let error = metric.error.as_deref();
            Standing { name: &metric.spec.name, dry_run: metric.spec.dry_run, phase, reason, error }
        });
        overall(standings, terminate)
    };
    let source = assessment.message.split('"').nth(1).unwrap_or_default().to_owned();
    let dry_run = serde_json::to_value(assessment.dry_run).map_err(|error| Unreadable(error.to_string()))?;
    Ok(Answer::default()
        .with("phase", assessment.phase.to_string())
        .with("message", assessment.message)
        .with("messageFrom", source)
        .with("dryRunSummary", dry_run)
        .with("bothDryRun", all_dry)
        .with("allDryRun", all_dry))
}

/// The rules that say which metrics are dry runs: names or patterns.
fn rules(input: &Input<'_>) -> Result<Vec<Condition>, Unreadable> {
    let Some(Value::Array(rules)) = input.get("dryRun") else { return Ok(Vec::new()) };
    rules
        .iter()
        .map(|rule| {
            let pattern = rule.as_str().or_else(|| rule.get("metricName")?.as_str());
            let pattern = pattern.ok_or_else(|| Unreadable(format!("unknown rule {rule}")))?;
            let pattern = if pattern == "*" { ".*" } else { pattern };
            format!("result matches `{pattern}`").parse().map_err(|error| Unreadable(format!("{error}")))
        })
        .collect()
}

struct Described {
    spec: Metric,
    status: MetricStatus,
    error: Option<String>,
}

impl Described {
    /// A metric in words: a phase; or `failed 1, limit 0`, perhaps with `provider message "…"`; or `no measurement
    /// yet`, perhaps with `initialDelay 20s`.
    fn read(name: &str, words: &str) -> Result<Self, Unreadable> {
        let mut described = Self {
            spec: blank(name),
            status: MetricStatus {
                phase: Phase::Running,
                measured: true,
                in_flight: false,
                counters: Counters::default(),
            },
            error: None,
        };
        let counters = &mut described.status.counters;
        for part in words.split(", ") {
            let (key, value) = part.rsplit_once(' ').unwrap_or((part, ""));
            let number = value.parse::<u32>();
            match (key, number) {
                ("Successful", _) => described.status.phase = Phase::Successful,
                ("Failed", _) => counters.failed = 1,
                ("Error", _) => counters.consecutive_error = 5,
                ("Inconclusive", _) => counters.inconclusive = 1,
                ("Running", _) => described.status.in_flight = true,
                ("Pending", _) => described.status.measured = false,
                ("failed", Ok(number)) => counters.failed = number,
                ("inconclusive", Ok(number)) => counters.inconclusive = number,
                ("successful", Ok(number)) => counters.successful = number,
                ("error" | "errors" | "consecutiveError" | "consecutive errors", Ok(number)) => {
                    counters.consecutive_error = number;
                }
                ("limit", Ok(number)) => {
                    described.spec.failure_limit = Some(number);
                    described.spec.inconclusive_limit = number;
                    described.spec.consecutive_error_limit = number;
                }
                ("initialDelay", _) => {
                    described.spec.initial_delay =
                        value.parse().map_err(|error| Unreadable(format!("{error}")))?;
                }
                _ if part.starts_with("no measurement") => described.status.measured = false,
                _ if part.starts_with("provider message") => {
                    described.error = part.split('"').nth(1).map(str::to_owned);
                }
                _ => return Err(Unreadable(format!("unknown words `{part}` about metric `{name}`"))),
            }
        }
        Ok(described)
    }
}

pub(crate) fn blank(name: &str) -> Metric {
    Metric::new(name, Query::new("cases", "none"), Judge::Range { min: None, max: None })
}

fn metric_spec(input: &Input<'_>) -> Result<Metric, Unreadable> {
    let mut metric = blank("metric");
    metric.interval = input.length("interval")?;
    metric.count = input.count("count")?;
    metric.initial_delay = input.length("initialDelay")?.unwrap_or_default();
    metric.dry_run = input.is("dryRun")?;
    if let Some(limit) = input.number("failureLimit")? {
        metric.failure_limit = u32::try_from(limit).ok();
    }
    if let Some(limit) = input.count("inconclusiveLimit")? {
        metric.inconclusive_limit = limit;
    }
    if let Some(limit) = input.count("consecutiveErrorLimit")? {
        metric.consecutive_error_limit = limit;
    }
    metric.consecutive_success_limit = input.count("consecutiveSuccessLimit")?;
    input.finish()?;
    Ok(metric)
}

fn read_counters(input: &Input<'_>) -> Result<Counters, Unreadable> {
    let count = |key| Ok::<_, Unreadable>(input.count(key)?.unwrap_or(0));
    let counters = Counters {
        successful: count("successful")?,
        failed: count("failed")?,
        inconclusive: count("inconclusive")?,
        error: count("error")?,
        consecutive_error: count("consecutiveError")?,
        consecutive_success: count("consecutiveSuccess")?,
        count: count("count")?,
    };
    input.finish()?;
    Ok(counters)
}

pub(crate) fn outcome_named(name: &str) -> Result<Outcome, Unreadable> {
    [Outcome::Successful, Outcome::Failed, Outcome::Inconclusive, Outcome::Error]
        .into_iter()
        .find(|outcome| outcome.to_string() == name)
        .ok_or_else(|| Unreadable(format!("unknown outcome `{name}`")))
}

fn phase_named(name: &str) -> Result<Phase, Unreadable> {
    [Phase::Successful, Phase::Running, Phase::Pending, Phase::Inconclusive, Phase::Error, Phase::Failed]
        .into_iter()
        .find(|phase| phase.to_string() == name)
        .ok_or_else(|| Unreadable(format!("unknown phase `{name}`")))
}
