//! What e-processes have in common: what they answer, and why they refuse.

use libm::{exp, log};
use serde::{Deserialize, Serialize};

use super::{Undefined, probability};

/// A number that is at most 1 on average, at every stopping time, while its null hypothesis holds.
pub trait EProcess {
    /// The logarithm (nats) of the e-value now.
    fn log_e(&self) -> f64;

    /// The largest [`EProcess::log_e`] of all looks so far, 0 before the first.
    fn peak(&self) -> f64;

    /// The anytime-valid p-value, `min(1, exp(−peak))` (Ville's inequality).
    fn p_value(&self) -> f64 {
        exp(-self.peak()).min(1.0)
    }

    /// Whether the null hypothesis is rejected with error probability `alpha`: the e-value has reached `1/alpha`
    /// once. Evidence that came does not go away.
    fn rejects(&self, alpha: f64) -> Result<bool, Undefined> {
        Ok(self.peak() >= -log(probability("alpha", alpha)?))
    }
}

/// What became of a window.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[must_use = "a window that was seen already, or that says nothing, has not changed the evidence"]
#[non_exhaustive]
#[serde(rename_all = "kebab-case")]
pub enum Observed {
    /// It has been added to the evidence.
    Counted,
    /// It has been taken note of, but no evidence can be in it: one arm had no exposure, or nothing happened.
    NoInformation,
    /// Its number is not above the last one: nothing has changed. Late counts belong into the next window.
    AlreadySeen,
}

/// Why evidence refuses data, another state or its own stored form. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// Failures of an arm that nobody was exposed to.
    #[error("the {arm} has {failures} failures and no exposure: count both in the same window")]
    FailuresWithoutExposure {
        /// The arm.
        arm: &'static str,
        /// Its failures.
        failures: u64,
    },
    /// Arms that were counted in different windows. The base rate cancels only within one.
    #[error(
        "control was counted in window {control} and the candidate in window {candidate}: compare the same window"
    )]
    DifferentWindows {
        /// The window of control.
        control: u64,
        /// The window of the candidate.
        candidate: u64,
    },
    /// A sum that `u64` does not hold.
    #[error("the total {what} exceeds 64 bits: the feed is broken, as no service has served that much")]
    TooMany {
        /// What was summed.
        what: &'static str,
    },
    /// Evidence about another question.
    #[error("{what} differ: only evidence about the same question can be merged")]
    Different {
        /// What is not the same.
        what: &'static str,
    },
    /// Windows that stand in both.
    #[error(
        "windows {first} to {last} overlap windows {other_first} to {other_last}: merge only what was observed apart"
    )]
    Overlapping {
        /// The first window of the one.
        first: u64,
        /// The last window of the one.
        last: u64,
        /// The first window of the other.
        other_first: u64,
        /// The last window of the other.
        other_last: u64,
    },
    /// Histograms or arms of another shape than the evidence was made for.
    #[error("{what} has {got} entries where {expected} are expected: start anew when buckets or arms change")]
    Shape {
        /// The list.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The length of the state.
        expected: usize,
    },
    /// A stored form that a newer version has written.
    #[error("the state has version {version}, and this program knows {known}: update it, or start anew")]
    Version {
        /// The version found.
        version: u32,
        /// The newest version known.
        known: u32,
    },
    /// A stored form that this code cannot have written.
    #[error("the stored state is damaged: {what}; restore it, or start anew")]
    Damaged {
        /// What is wrong.
        what: &'static str,
    },
    /// An argument out of range.
    #[error(transparent)]
    Undefined(#[from] Undefined),
}

/// The version of a stored state, written and checked with it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct SchemaVersion;

impl Serialize for SchemaVersion {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(KNOWN_VERSION)
    }
}

impl<'de> Deserialize<'de> for SchemaVersion {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let version = u32::deserialize(deserializer)?;
        if version == KNOWN_VERSION {
            return Ok(Self);
        }
        Err(serde::de::Error::custom(EvidenceError::Version { version, known: KNOWN_VERSION }))
    }
}

/// The windows that a state holds, and the best moment of its evidence.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Progress {
    pub(crate) first: Option<u64>,
    pub(crate) last: Option<u64>,
    pub(crate) windows: u64,
    pub(crate) peak: f64,
    pub(crate) peak_window: Option<u64>,
}

impl Progress {
    pub(crate) fn has_seen(&self, window: u64) -> bool {
        self.last.is_some_and(|last| window <= last)
    }

    pub(crate) fn pass(&mut self, window: u64) {
        self.first.get_or_insert(window);
        self.last = Some(window);
        self.windows = self.windows.saturating_add(1);
    }

    pub(crate) fn look(&mut self, log_e: f64) {
        if log_e > self.peak {
            self.peak = log_e;
            self.peak_window = self.last;
        }
    }

    /// The progress of two states over disjoint windows, before the look at their sum.
    ///
    /// The sum passes through the earlier state and then jumps to the end; the later one alone was never looked at
    /// as a part of it, so its peak does not count.
    pub(crate) fn followed(&self, other: &Self) -> Result<Self, EvidenceError> {
        let (Some(first), Some(last)) = (self.first, self.last) else { return Ok(*other) };
        let (Some(other_first), Some(other_last)) = (other.first, other.last) else { return Ok(*self) };
        if first <= other_last && other_first <= last {
            return Err(EvidenceError::Overlapping { first, last, other_first, other_last });
        }
        let earlier = if first < other_first { self } else { other };
        Ok(Self {
            first: Some(first.min(other_first)),
            last: Some(last.max(other_last)),
            windows: self.windows.saturating_add(other.windows),
            peak: earlier.peak,
            peak_window: earlier.peak_window,
        })
    }

    /// The progress of two strata of the same windows: only the looks at their sum count.
    pub(crate) fn beside(&self, other: &Self) -> Self {
        let both = |a: Option<u64>, b: Option<u64>, choose: fn(u64, u64) -> u64| match (a, b) {
            (Some(a), Some(b)) => Some(choose(a, b)),
            (one, other) => one.or(other),
        };
        Self {
            first: both(self.first, other.first, u64::min),
            last: both(self.last, other.last, u64::max),
            windows: self.windows.max(other.windows),
            peak: 0.0,
            peak_window: None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), EvidenceError> {
        let ordered = match (self.first, self.last) {
            (Some(first), Some(last)) => first <= last && self.windows > 0,
            (None, None) => self.windows == 0,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !ordered {
            return Err(EvidenceError::Damaged { what: "its windows are out of order" });
        }
        if !(self.peak >= 0.0 && self.peak.is_finite()) {
            return Err(EvidenceError::Damaged { what: "its peak is no number at or above 0" });
        }
        Ok(())
    }
}

const KNOWN_VERSION: u32 = 1;
