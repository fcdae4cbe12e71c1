//! What a comparison comes to.

use std::fmt;

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// There is evidence that the candidate is worse than the margin allows. It stays, whatever comes later.
    Worse,
    /// There is evidence that it is not worse than the safety margin allows, and the whole interval of the ratio says
    /// that it is better.
    Better,
    /// There is evidence that it is not worse than the safety margin allows.
    NoWorse,
    /// What was counted cannot be compared; what speaks against the candidate goes before this.
    Invalid(Why),
    /// There is not enough data yet for either.
    NotEnough {
        /// About how many more requests of the candidate a pass needs, if the candidate is as good as stable; none
        /// where nobody can tell yet, as nothing has failed.
        candidate_requests: Option<u64>,
    },
    /// The [horizon](super::Comparison::horizon) is reached without evidence for either.
    Uncertain,
}

/// Why what was counted cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Why {
    /// The requests are not split as planned ([`Comparison::sample_ratio`](super::Comparison::sample_ratio)).
    SampleRatio,
    /// The last window has no data of one arm.
    MissingArm,
    /// The counts of the last window contradict each other or those before: more failures than requests, buckets that
    /// changed, a total above 64 bits.
    Counts,
    /// Of the subjects that were split evenly, more had an outcome recorded in one arm than in the other: the source
    /// [objects](super::Objection).
    LostOutcomes,
    /// Too many subjects saw the variants of both arms: the source [objects](super::Objection).
    MultipleExposure,
    /// The source [objects](super::Objection) for a reason of its own.
    Source,
}

impl Verdict {
    /// In words, without numbers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::NoWorse => "no worse",
            Self::Invalid(Why::SampleRatio) => "invalid, as the requests are not split as planned",
            Self::Invalid(Why::MissingArm) => "invalid, as an arm is missing",
            Self::Invalid(Why::Counts) => "invalid, as the counts contradict each other",
            Self::Invalid(Why::LostOutcomes) => "invalid, as one arm loses outcomes",
            Self::Invalid(Why::MultipleExposure) => "invalid, as too many subjects saw both arms",
            Self::Invalid(Why::Source) => "invalid, as the source of the counts objects",
            Self::NotEnough { .. } => "not enough data",
            Self::Uncertain => "not certain",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        match self {
            Self::NotEnough { candidate_requests: Some(requests) } => {
                write!(f, ", about {requests} more requests of the candidate needed")
            }
            Self::Worse
            | Self::Better
            | Self::NoWorse
            | Self::Invalid(_)
            | Self::NotEnough { candidate_requests: None }
            | Self::Uncertain => Ok(()),
        }
    }
}
