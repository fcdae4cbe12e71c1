//! What one measurement and a whole analysis can come to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What one measurement came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Outcome {
    /// The answer is good.
    Successful,
    /// The answer is bad.
    Failed,
    /// The answer is neither good nor bad.
    Inconclusive,
    /// There was no answer that could be judged.
    Error,
    /// The answer is one more piece of evidence, and there is not enough yet to say anything. It counts towards no
    /// limit. Only comparisons come to it.
    Undecided,
}

impl Outcome {
    /// The name, as Argo Rollouts writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Successful => "Successful",
            Self::Failed => "Failed",
            Self::Inconclusive => "Inconclusive",
            Self::Error => "Error",
            Self::Undecided => "Undecided",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What kind of data a measurement rested on. Kept beside the outcome, so that a pass on no data can be told from a
/// pass on data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Data {
    /// There was data.
    Present,
    /// The source answered without any value.
    Empty,
    /// The answer is NaN, or not the one number that was asked for.
    NotANumber,
    /// The answer is infinite.
    Infinite,
    /// No answer came in time.
    Late,
    /// The source could not be asked, or its answer could not be evaluated.
    Erroneous,
}

/// How far a metric, or a whole analysis, has come. Ordered by severity: the least worrying first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Phase {
    /// Ended well.
    Successful,
    /// Measuring.
    Running,
    /// Nothing has been measured yet.
    Pending,
    /// Ended without a clear answer.
    Inconclusive,
    /// Ended because the source could not be asked.
    Error,
    /// Ended badly.
    Failed,
}

impl Phase {
    /// Whether this is an end: nothing changes any more, but that an analysis that compares may still fail after an
    /// inconclusive one.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Successful | Self::Inconclusive | Self::Error | Self::Failed => true,
            Self::Running | Self::Pending => false,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Successful => "Successful",
            Self::Running => "Running",
            Self::Pending => "Pending",
            Self::Inconclusive => "Inconclusive",
            Self::Error => "Error",
            Self::Failed => "Failed",
        })
    }
}
