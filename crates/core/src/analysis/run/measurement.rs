//! One answer and what it came to.

use serde::{Deserialize, Serialize};

use super::progress::Asked;
use crate::{
    analysis::{
        Data, Judged, Metric, Outcome,
        comparison::{Comparison, Evidence, Objection, Strictness},
    },
    metric::{Arms, Sample, Window},
    port::PortErrorKind,
    text::Text,
    time::Timestamp,
};

/// What came back for a question.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_enums, reason = "a question is answered or it is not")]
pub enum Reading {
    /// An answer.
    Answer(Sample),
    /// No answer, and why.
    Failure {
        /// What kind of failure it was.
        kind: PortErrorKind,
        /// The cause, in words.
        message: String,
    },
}

/// One measurement that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Measurement {
    /// The metric, by its place in the analysis.
    pub metric: usize,
    /// Which measurement of that metric, counted from 0.
    pub ordinal: u32,
    /// The moment asked about.
    pub at: Timestamp,
    /// When the answer was heard, or waiting ended.
    pub finished: Timestamp,
    /// What it came to.
    pub outcome: Outcome,
    /// What data it rests on.
    pub data: Data,
    /// The answer as a text; empty if there was none. At most [`Measurement::MAX_TEXT`] bytes are kept.
    pub value: Text,
    /// Why it came to that. At most [`Measurement::MAX_TEXT`] bytes are kept.
    pub reason: Text,
}

impl Measurement {
    /// How much of a value or a reason is kept, in bytes. An answer may be a whole document; a state must stay small.
    pub const MAX_TEXT: usize = 512;

    pub(super) fn new(spec: &Metric, metric: usize, asked: Asked, reading: Reading, now: Timestamp) -> Self {
        let (judged, value) = match reading {
            Reading::Answer(Sample::Number(value)) => {
                (spec.judge.judge(&Sample::Number(value)), value.text().into())
            }
            Reading::Answer(sample) => (spec.judge.judge(&sample), sample.to_string().into()),
            Reading::Failure { kind, message } => {
                let reason = if message.is_empty() { kind.to_string() } else { message };
                let reason = reason.into();
                (Judged { outcome: Outcome::Error, data: Data::Erroneous, reason }, Text::EMPTY)
            }
        };
        Self::ended(metric, asked, judged, value, now)
    }

    /// One window of a comparison.
    pub(super) fn compared(
        comparison: &Comparison,
        strictness: Strictness,
        evidence: &mut Evidence,
        metric: usize,
        asked: Asked,
        reading: Reading,
        now: Timestamp,
    ) -> Self {
        let sample = match reading {
            Reading::Answer(sample) => sample,
            Reading::Failure { kind, message } => {
                let reason = if message.is_empty() { kind.to_string() } else { message };
                let reason = reason.into();
                let judged = Judged { outcome: Outcome::Error, data: Data::Erroneous, reason };
                return Self::ended(metric, asked, judged, Text::EMPTY, now);
            }
        };
        let window = Window { from: asked.from.unwrap_or(asked.at), to: asked.at };
        let arms = Arms::of(&sample);
        let value = match &arms {
            Ok(arms) => {
                let [stable, candidate] =
                    [&arms.stable, &arms.candidate].map(|arm| (arm.failures, arm.requests));
                Text::lazily(move || {
                    format!(
                        "stable {} of {} failed, candidate {} of {}",
                        stable.0, stable.1, candidate.0, candidate.1
                    )
                })
            }
            Err(_) => sample.to_string().into(),
        };
        let objection = Objection::of(&sample);
        let (share, arms) = (asked.share, arms.as_deref());
        let judged = evidence.judge(comparison, strictness, window, share, arms, objection.as_ref());
        Self::ended(metric, asked, judged, value, now)
    }

    pub(super) fn late(spec: &Metric, metric: usize, asked: Asked, now: Timestamp) -> Self {
        let reason = format!("no answer within {}", spec.timeout).into();
        let judged = Judged { outcome: Outcome::Error, data: Data::Late, reason };
        Self::ended(metric, asked, judged, Text::EMPTY, now)
    }

    fn ended(metric: usize, asked: Asked, judged: Judged, value: Text, now: Timestamp) -> Self {
        Self {
            metric,
            ordinal: asked.ordinal,
            at: asked.at,
            finished: now,
            outcome: judged.outcome,
            data: judged.data,
            value: shortened(value),
            reason: shortened(judged.reason),
        }
    }

    /// The measurement in one line, after the names of analysis and metric: what it was, what it came to, why.
    pub(crate) fn told(&self, names: [&str; 2]) -> Text {
        if self.value.is_written() && self.reason.is_written() {
            return line(names, self.outcome, &self.value, &self.reason).into();
        }
        let [analysis, metric] = names.map(str::to_owned);
        let (outcome, value, reason) = (self.outcome, self.value.clone(), self.reason.clone());
        Text::lazily(move || line([&analysis, &metric], outcome, &value, &reason))
    }
}

fn line([analysis, metric]: [&str; 2], outcome: Outcome, value: &str, reason: &str) -> String {
    let mut line = String::with_capacity(32 + analysis.len() + metric.len() + value.len() + reason.len());
    for part in [analysis, "/", metric, ": ", outcome.as_str()] {
        line.push_str(part);
    }
    for (before, part, after) in [(", value ", value, ""), (" (", reason, ")")] {
        if !part.is_empty() {
            line.push_str(before);
            line.push_str(part);
            line.push_str(after);
        }
    }
    line
}

/// What is yet to be told is cut when it is.
fn shortened(text: Text) -> Text {
    if text.is_written() && text.len() > Measurement::MAX_TEXT {
        return Text::cut(text.into(), Measurement::MAX_TEXT).into();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let cut = shortened("ä".repeat(400).into());
        assert!(cut.len() <= Measurement::MAX_TEXT && cut.ends_with('…'), "{}", cut.len());
        assert_eq!(shortened("short".into()), "short");
    }
}
