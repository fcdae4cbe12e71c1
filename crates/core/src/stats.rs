//! Statistics: tests, intervals and evidence that may be looked at at any time. Knows nothing of rollouts.
//!
//! Two families stand here.
//!
//! - **Evidence over time**, valid at every look and for every stopping rule. An *e-process* is a number that is on
//!   average at most 1 while the null hypothesis holds, so that it reaches `1/α` with probability at most `α`, ever
//!   (Ville 1939). [`grid`] compares the failures of two arms window by window and is the rule to decide a rollout
//!   with; [`exceedance`] does the same with latency; [`sample_ratio`] asks whether the split is the one that was
//!   planned; [`mixture`], [`betting`], [`bernoulli`], [`anytime_t`] and [`bands`] are the confidence sequences of
//!   the literature; [`combine`] puts several together; [`evidence`] says what they have in common.
//! - **Tests of one fixed sample**: [`proportions`], [`contingency`], [`means`], [`ranks`], [`poisson`], with
//!   [`group_sequential`] bounds for a few planned looks, [`bayes`] for reports, [`power`] for planning,
//!   [`multiplicity`] for many metrics and [`drift`] for the inputs and outputs of models.
//!
//! [`counters`] makes counts of what Prometheus exposes, and [`special`] holds the functions all of this stands on.
//!
//! # What every function keeps
//!
//! - Data that cannot answer gives an [`Undefined`], never a p-value of 1 and never a pass.
//! - Likelihoods, e-values and tails are logarithms (nats); an e-value of real traffic overflows an `f64`.
//! - Counts are `u64`; no input makes anything panic.
//! - The same input gives the same bits on every machine: logarithms and exponentials come from `libm`, or stand here.

use serde::{Deserialize, Serialize};

pub mod anytime_t;
pub mod bands;
pub mod bayes;
pub mod bernoulli;
pub mod betting;
pub mod combine;
pub mod contingency;
pub mod counters;
pub mod dispersion;
pub mod drift;
pub mod evidence;
pub mod exceedance;
pub mod grid;
pub mod group_sequential;
pub mod means;
pub mod mixture;
pub mod multiplicity;
pub mod poisson;
pub mod power;
pub mod proportions;
pub mod ranks;
pub mod sample_ratio;
pub mod special;

mod discrete;
mod quadrature;
pub(crate) mod root;

/// Why a question has no answer. Never to be read as "no difference".
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Undefined {
    /// An argument outside the range in which the method means something; NaN and infinities among them.
    #[error("`{name}` is {value}, but must be {expected}")]
    OutOfRange {
        /// The argument.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What would be accepted.
        expected: &'static str,
    },
    /// Fewer observations than the method needs.
    #[error("{what} has {got} observations where {needed} are needed: wait for more data")]
    TooFew {
        /// The sample.
        what: &'static str,
        /// Its observations.
        got: u64,
        /// How many the method needs.
        needed: u64,
    },
    /// Data that is the same under every hypothesis: no events at all, say.
    #[error("{what} says nothing about the question: {remedy}")]
    NoInformation {
        /// The data.
        what: &'static str,
        /// What would help.
        remedy: &'static str,
    },
    /// All observations are equal where the method divides by their variance.
    #[error("{what} does not vary: compare counts, or wait for other values")]
    NoVariance {
        /// The sample.
        what: &'static str,
    },
    /// Two lists that belong together differ in length.
    #[error("{left} has {left_length} entries and {right} {right_length}: give one for each")]
    Unequal {
        /// The one list.
        left: &'static str,
        /// Its length.
        left_length: usize,
        /// The other list.
        right: &'static str,
        /// Its length.
        right_length: usize,
    },
}

/// Which departure from the null hypothesis counts.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth side")]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The candidate's value is greater: harm for errors and latency.
    Greater,
    /// The candidate's value is less: harm for success and throughput.
    Less,
    /// Either.
    TwoSided,
}

/// A closed interval of values; an end may be infinite.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

impl Interval {
    /// The interval from `lower` to `upper`.
    pub const fn new(lower: f64, upper: f64) -> Self {
        Self { lower, upper }
    }

    /// Whether `value` lies in it, ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }

    /// Its length, in the unit of the values.
    pub fn width(&self) -> f64 {
        self.upper - self.lower
    }
}

/// `value`, if it is strictly between 0 and 1.
pub(crate) fn probability(name: &'static str, value: f64) -> Result<f64, Undefined> {
    require(name, value, value > 0.0 && value < 1.0, "between 0 and 1, both excluded")
}

/// `value`, if it is finite and above 0.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<f64, Undefined> {
    require(name, value, value > 0.0 && value.is_finite(), "a finite number above 0")
}

/// `value`, if it is finite and not below 0.
pub(crate) fn not_negative(name: &'static str, value: f64) -> Result<f64, Undefined> {
    require(name, value, value >= 0.0 && value.is_finite(), "a finite number, 0 or above")
}

/// `value`, if it is finite.
pub(crate) fn finite(name: &'static str, value: f64) -> Result<f64, Undefined> {
    require(name, value, value.is_finite(), "a finite number")
}

/// `value`, if it is `accepted`.
pub(crate) fn require(
    name: &'static str,
    value: f64,
    accepted: bool,
    expected: &'static str,
) -> Result<f64, Undefined> {
    if accepted { Ok(value) } else { Err(Undefined::OutOfRange { name, value, expected }) }
}
