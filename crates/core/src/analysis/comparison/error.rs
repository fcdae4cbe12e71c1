//! Why a window could not be compared.

use super::Why;
use crate::{metric::ArmsError, stats::evidence::EvidenceError};

/// Why a window could not be compared.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ComparisonError {
    /// The answer holds no counts of two arms.
    #[error(transparent)]
    Arms(#[from] ArmsError),
    /// The counts cannot be taken in.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A number of the comparison is out of range.
    #[error(transparent)]
    Undefined(#[from] crate::stats::Undefined),
    /// No histogram of latencies in the answer.
    #[error(
        "the answer has no latencies of the {arm} arm: compare failures only, or count latencies by bucket"
    )]
    NoLatencies {
        /// `stable` or `candidate`.
        arm: &'static str,
    },
    /// The buckets are not those of the windows before.
    #[error(
        "the {arm} arm has no bucket up to {edge} s any more: begin a new attempt after a change of buckets"
    )]
    BucketsChanged {
        /// `stable` or `candidate`.
        arm: &'static str,
        /// The edge that is missing.
        edge: f64,
    },
    /// The two arms have no bucket in common.
    #[error("the buckets of both arms have no finite edge in common: give both the same buckets")]
    NoCommonBuckets,
}

impl ComparisonError {
    pub(super) const fn why(&self) -> Why {
        match self {
            Self::Arms(ArmsError::Missing { .. }) => Why::MissingArm,
            Self::Arms(_)
            | Self::Evidence(_)
            | Self::Undefined(_)
            | Self::NoLatencies { .. }
            | Self::BucketsChanged { .. }
            | Self::NoCommonBuckets => Why::Counts,
        }
    }
}
