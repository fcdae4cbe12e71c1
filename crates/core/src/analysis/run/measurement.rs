//! One answer and what it came to.

use serde::{Deserialize, Serialize};

use super::progress::Asked;
use crate::{
    analysis::{
        Data, Judged, Metric, Outcome,
        comparison::{Comparison, Evidence, Strictness},
    },
    metric::{Arms, Sample, Window},
    port::PortErrorKind,
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
    pub value: String,
    /// Why it came to that. At most [`Measurement::MAX_TEXT`] bytes are kept.
    pub reason: String,
}

impl Measurement {
    /// How much of a value or a reason is kept, in bytes. An answer may be a whole document; a state must stay small.
    pub const MAX_TEXT: usize = 512;

    pub(super) fn new(spec: &Metric, metric: usize, asked: Asked, reading: Reading, now: Timestamp) -> Self {
        let (judged, value) = match reading {
            Reading::Answer(Sample::Number(value)) => {
                (spec.judge.judge(&Sample::Number(value)), value.text())
            }
            Reading::Answer(sample) => (spec.judge.judge(&sample), sample.to_string()),
            Reading::Failure { kind, message } => {
                let reason = if message.is_empty() { kind.to_string() } else { message };
                (Judged { outcome: Outcome::Error, data: Data::Erroneous, reason }, String::new())
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
                let judged = Judged { outcome: Outcome::Error, data: Data::Erroneous, reason };
                return Self::ended(metric, asked, judged, String::new(), now);
            }
        };
        let window = Window { from: asked.from.unwrap_or(asked.at), to: asked.at };
        let arms = Arms::try_from(&sample);
        let value = match &arms {
            Ok(Arms { stable, candidate, .. }) => format!(
                "stable {} of {} failed, candidate {} of {}",
                stable.failures, stable.requests, candidate.failures, candidate.requests
            ),
            Err(_) => sample.to_string(),
        };
        let judged = evidence.judge(comparison, strictness, window, asked.share, arms);
        Self::ended(metric, asked, judged, value, now)
    }

    pub(super) fn late(spec: &Metric, metric: usize, asked: Asked, now: Timestamp) -> Self {
        let reason = format!("no answer within {}", spec.timeout);
        let judged = Judged { outcome: Outcome::Error, data: Data::Late, reason };
        Self::ended(metric, asked, judged, String::new(), now)
    }

    fn ended(metric: usize, asked: Asked, judged: Judged, value: String, now: Timestamp) -> Self {
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
}

fn shortened(mut text: String) -> String {
    if text.len() > Measurement::MAX_TEXT {
        let mut end = Measurement::MAX_TEXT - '…'.len_utf8();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let cut = shortened("ä".repeat(400));
        assert!(cut.len() <= Measurement::MAX_TEXT && cut.ends_with('…'), "{}", cut.len());
        assert_eq!(shortened("short".into()), "short");
    }
}
