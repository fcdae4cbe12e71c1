//! A plan in words.

use std::fmt::{self, Write as _};

use serinus_core::{
    analysis::{Analysis, Compared, FailureBudget, Judge, Metric},
    metric::Query,
    rollout::{CandidateScale, Capacity, Step},
};

use crate::compiled::Compiled;

/// Tells what a rollout does: its steps, numbered, and what its analyses measure.
///
/// The text is for people: its wording may change in any version.
pub fn explain(compiled: &Compiled) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = write_all(&mut text, compiled);
    text
}

fn write_all(text: &mut String, compiled: &Compiled) -> fmt::Result {
    let spec = compiled.plan.spec();
    write!(text, "{} `{}`: {}", compiled.kind, compiled.name, compiled.strategy)?;
    match &spec.capacity {
        Capacity::Routed { replicas, .. } => {
            writeln!(text, ", traffic split by a router, {}", counted(*replicas, "replica"))?;
        }
        Capacity::Counted { replicas, .. } => {
            let replicas = counted(*replicas, "replica");
            writeln!(text, ", traffic split by the numbers of instances, {replicas}")?;
        }
        _ => writeln!(text)?,
    }
    let mut number = 1;
    let mut steps = spec.steps.as_slice();
    while let Some(first) = steps.first() {
        let times = steps.iter().take_while(|step| *step == first).count();
        write!(text, "{number:>4}. {}", step(first, &spec.analyses))?;
        if times > 1 {
            write!(text, ", {times} times, up to step {}", number + times - 1)?;
        }
        text.push('\n');
        number += times;
        steps = &steps[times..];
    }
    writeln!(text, "{number:>4}. promote: the new revision becomes stable")?;
    for background in &spec.background {
        let name = spec.analyses.get(background.analysis).map_or("?", |analysis| &analysis.name);
        writeln!(
            text,
            "beside steps {} to {}: `{name}`",
            background.during.start + 1,
            background.during.end
        )?;
    }
    for analysis in &spec.analyses {
        writeln!(text, "`{}` measures", analysis.name)?;
        for one in &analysis.metrics {
            writeln!(text, "      {}", metric(one))?;
        }
        if let Some(rounds) = &analysis.rounds {
            let budget = match rounds.budget {
                FailureBudget::Consecutive(most) => format!("{} in a row", counted(most, "failed round")),
                FailureBudget::Cumulative(most) => counted(most, "failed round"),
                _ => "too many failed rounds".to_owned(),
            };
            writeln!(text, "      every {}, all together; aborts at {budget}", rounds.interval)?;
        }
    }
    Ok(())
}

fn step(step: &Step, analyses: &[Analysis]) -> String {
    match step {
        Step::Weight(weight) => format!("send {weight} of the traffic to the new revision"),
        Step::Scale(CandidateScale::MatchWeight) => "size the new revision by its weight".into(),
        Step::Scale(CandidateScale::Replicas(replicas)) => {
            format!("size the new revision to {}", counted(*replicas, "replica"))
        }
        Step::Scale(scale) => format!("size the new revision to {scale}"),
        Step::Match(matches) if matches.is_empty() => "stop sending requests by what they match".into(),
        Step::Match(matches) => {
            format!("send requests that match {} to the new revision", counted(matches.len() as u64, "rule"))
        }
        Step::Mirror(share) if share.is_zero() => "stop copying requests".into(),
        Step::Mirror(share) => format!("copy {share} of the requests to the new revision"),
        Step::Hold(Some(lasting)) => format!("wait {lasting}"),
        Step::Hold(None) => "wait for a person to promote".into(),
        Step::Analyse(index) => {
            format!("wait for `{}` to pass", analyses.get(*index).map_or("?", |analysis| &analysis.name))
        }
        Step::Gate(name) => format!("wait for the gate `{name}`"),
        Step::Switch => "send all traffic to the new revision at once".into(),
        other => other.to_string(),
    }
}

fn metric(metric: &Metric) -> String {
    let mut text = format!("{}: {}", metric.name, judge(&metric.judge));
    if let (Query::BUILTIN, None) = (metric.query.provider.as_str(), metric.comparison()) {
        let _ = write!(text, ", over {}", metric.query.window.unwrap_or_default());
    }
    match (metric.count, metric.interval) {
        (Some(1), Some(interval)) if metric.comparison().is_some() => {
            let _ = write!(text, ", every {interval} until then");
        }
        (Some(count), Some(interval)) => {
            let _ = write!(text, ", {count} times, {interval} apart");
        }
        (None, Some(interval)) => {
            let _ = write!(text, ", every {interval}");
        }
        _ => {}
    }
    if metric.dry_run {
        text.push_str(", without deciding anything");
    }
    text
}

fn judge(judge: &Judge) -> String {
    match judge {
        Judge::Conditions { success: Some(success), failure: None } => {
            format!("good if {}", success.as_str())
        }
        Judge::Conditions { success: None, failure: Some(failure) } => format!("bad if {}", failure.as_str()),
        Judge::Conditions { success: Some(success), failure: Some(failure) } => {
            format!("bad if {}, else good if {}", failure.as_str(), success.as_str())
        }
        Judge::Range { min: Some(min), max: None } => format!("at least {}", min),
        Judge::Range { min: None, max: Some(max) } => format!("at most {}", max),
        Judge::Range { min: Some(min), max: Some(max) } => format!("{} to {}", min, max),
        Judge::Compare(comparison) => {
            let what = match comparison.of {
                Compared::Successes => "as few",
                _ => "as many",
            };
            let (bad, good) = (comparison.margin, comparison.safety_margin);
            format!(
                "compared with stable's; bad on evidence for more than {bad} times {what}, good on evidence for less \
                 than {good} times"
            )
        }
        _ => "any answer is good".into(),
    }
}

/// `1 rule`, `2 rules`.
fn counted(count: impl Into<u64> + Copy, noun: &str) -> String {
    let count = count.into();
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
