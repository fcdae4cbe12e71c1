//! Prometheus counters and histograms as data: raw samples in, counts of disjoint windows out.
//!
//! The tests need counts. `rate()` and `increase()` give something else: they extrapolate to the edges of their window,
//! by up to a third, and their windows overlap; both double to sextuple the false alarms. So take the raw samples of
//! each series, let [`Counter`] or the histograms here make differences of them, and sum over series *after* that.
//!
//! - The first sample of a series is its baseline, unless its creation time says that it began inside the window.
//! - A sample below the one before is a restart: it counts from 0.
//! - What a process counted between its last sample and its end is lost. A crash loop loses exactly the failures: count
//!   restarts as a metric of their own.

use serde::{Deserialize, Serialize};

use super::evidence::SchemaVersion;
pub use classic::{BucketCounts, ClassicHistogram};
pub use native::NativeHistogram;

mod classic;
mod native;

/// Why samples make no counts.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CounterError {
    /// A sample that no counter has: NaN, infinite or below 0.
    #[error("the {what} is {value}, which no counter can be: check the query")]
    NotACount {
        /// The sample.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// A difference that is no whole number, so that the samples are not raw counts.
    #[error("the {what} grew by {value}: take the raw counter, not `rate` or `increase`")]
    Fractional {
        /// The sample.
        what: &'static str,
        /// The difference.
        value: f64,
    },
    /// Two samples of a histogram with different buckets.
    #[error("the buckets have changed from {before} to {after}, or their bounds have: start a new baseline")]
    BucketsChanged {
        /// Their number before.
        before: usize,
        /// Their number now.
        after: usize,
    },
    /// A classic histogram without its last bucket.
    #[error("there is no bucket `+Inf`: select all `le` of the histogram")]
    NoInfiniteBucket,
    /// A bound that is NaN, or no bucket at all, or a resolution that does not exist.
    #[error("the {what} is {value}: {remedy}")]
    BadShape {
        /// The part.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What would be right.
        remedy: &'static str,
    },
    /// Counts that cannot be brought to common edges without guessing inside a bucket.
    #[error("{edge} is no edge of both histograms: compare over the edges that they share")]
    NoSuchEdge {
        /// The edge.
        edge: f64,
    },
    /// Counts that exceed 64 bits.
    #[error("the {what} exceeds 64 bits: the feed is broken, as no service has served that much")]
    TooMany {
        /// What was summed.
        what: &'static str,
    },
}

/// What a counter has done since the sample before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Increase {
    /// By how much it grew.
    pub amount: f64,
    /// Whether it started again from 0.
    pub reset: bool,
}

/// One series of a counter, sample by sample.
///
/// ```
/// use serinus_core::stats::counters::Counter;
///
/// let mut counter = Counter::new();
/// assert_eq!(counter.advance(100.0)?, None); // the baseline
/// assert_eq!(counter.advance(110.0)?.map(|increase| increase.amount), Some(10.0));
/// let after_restart = counter.advance(5.0)?;
/// assert!(after_restart.is_some_and(|increase| increase.reset && increase.amount == 5.0));
/// # Ok::<(), serinus_core::stats::counters::CounterError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Counter {
    version: SchemaVersion,
    last: Option<f64>,
}

impl Counter {
    /// A series that was not there before: the first sample will be its baseline.
    pub const fn new() -> Self {
        Self { version: SchemaVersion, last: None }
    }

    /// A series that is known to have begun, at 0, inside the present window.
    pub const fn begun() -> Self {
        Self { version: SchemaVersion, last: Some(0.0) }
    }

    /// Takes the next sample: nothing for a baseline. One that is NaN, infinite or below 0 is refused, and nothing has
    /// changed.
    ///
    /// # Errors
    ///
    /// [`CounterError::NotACount`] for a sample that is NaN, infinite or below 0; nothing has changed then.
    pub fn advance(&mut self, sample: f64) -> Result<Option<Increase>, CounterError> {
        let sample = checked("counter", sample)?;
        let increase = self.last.map(|last| {
            let reset = sample < last;
            Increase { amount: if reset { sample } else { sample - last }, reset }
        });
        self.last = Some(sample);
        Ok(increase)
    }

    /// Takes the next sample of a process that was started anew since the last one, as its creation time tells; seen
    /// so even where the counter has already grown past its old value.
    ///
    /// # Errors
    ///
    /// As [`advance`](Self::advance).
    pub fn restart(&mut self, sample: f64) -> Result<Increase, CounterError> {
        let amount = checked("counter", sample)?;
        self.last = Some(amount);
        Ok(Increase { amount, reset: true })
    }
}

/// By how much a counter grew over consecutive samples, and how often it started again. Without extrapolation.
///
/// # Errors
///
/// [`CounterError::NotACount`] for a sample that is NaN, infinite or below 0.
pub fn increase(samples: &[f64]) -> Result<(f64, u64), CounterError> {
    let mut counter = Counter::new();
    let (mut total, mut resets) = (0.0, 0);
    for sample in samples {
        let increase = counter.advance(*sample)?.unwrap_or_default();
        total += increase.amount;
        resets += u64::from(increase.reset);
    }
    Ok((total, resets))
}

/// A difference of raw counters as a count.
///
/// # Errors
///
/// [`CounterError::NotACount`] for NaN, infinities and what is below 0; [`CounterError::Fractional`] for a number that is not
/// whole, as `rate` and `increase` give; [`CounterError::TooMany`] from 2⁶⁴ on.
pub fn whole(amount: f64) -> Result<u64, CounterError> {
    checked("counter", amount)?;
    if amount.fract() != 0.0 {
        return Err(CounterError::Fractional { what: "counter", value: amount });
    }
    if amount >= TWO_TO_64 {
        return Err(CounterError::TooMany { what: "counter" });
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole and in range, as checked"
    )]
    Ok(amount as u64)
}

fn checked(what: &'static str, value: f64) -> Result<f64, CounterError> {
    if value.is_finite() && value >= 0.0 { Ok(value) } else { Err(CounterError::NotACount { what, value }) }
}

/// A quantile read from a histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Quantile {
    /// The value, in the unit of the histogram.
    pub value: f64,
    /// Whether the quantile lies above the last finite bound, so that `value` is only a lower bound for it.
    pub censored: bool,
}

const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;
