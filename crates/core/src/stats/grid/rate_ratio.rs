//! How many times as often the candidate fails: estimate and interval.

use std::sync::LazyLock;

use libm::{exp, log};
use serde::{Deserialize, Serialize};

use super::{Window, elementary, log_sum_exp};
use crate::stats::{
    Interval, Undefined,
    evidence::{EvidenceError, Observed, Progress, SchemaVersion},
    probability, require,
};

/// The likelihood of the rate ratio over windows of failures, and its confidence sequence.
///
/// The interval holds the ratio at all times at once with probability `1 − α`: it is the set of ratios at which the
/// mixture of all likelihoods, `Σ w(r) L(r)`, is less than `1/α` times the likelihood. The likelihoods are kept at
/// 129 ratios from 1/64 to 64 and the ends are rounded outward to the next of these; a ratio beyond them makes the end
/// 0 or infinite. The weights are normal in `ln r` with standard deviation 0.8. Same model and same assumptions as
/// [`CounterGrid`](super::CounterGrid).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct RateRatio {
    sums: Vec<f64>,
    failures: u64,
    progress: Progress,
}

impl RateRatio {
    /// The greatest ratio that is looked at; the least is its inverse.
    pub const FARTHEST: u32 = 64;

    /// Nothing known.
    pub fn new() -> Self {
        Self { sums: vec![0.0; POINTS], failures: 0, progress: Progress::default() }
    }

    /// Adds a window. On an error nothing has changed.
    ///
    /// # Errors
    ///
    /// As [`CounterGrid::observe`](super::CounterGrid::observe).
    pub fn observe(&mut self, window: &Window) -> Result<Observed, EvidenceError> {
        if self.progress.has_seen(window.id) {
            return Ok(Observed::AlreadySeen);
        }
        let share = window.share()?;
        let counted = window.control.failures.checked_add(window.candidate.failures);
        let total = counted.and_then(|counted| self.failures.checked_add(counted));
        let total = total.ok_or(EvidenceError::TooMany { what: "number of failures" })?;
        self.progress.pass(window.id);
        let failures = window.failures();
        let Some(share) = share.filter(|_| failures > 0.0) else { return Ok(Observed::NoInformation) };
        // Those of an arm that nothing stands against say nothing of a ratio.
        self.failures = total;
        let failed = window.candidate.failures as f64;
        let Table { ln_ratios, excesses, .. } = &*TABLE;
        for (sum, (ln_ratio, excess)) in self.sums.iter_mut().zip(ln_ratios.iter().zip(excesses)) {
            *sum += failed * ln_ratio - failures * elementary::ln_1p(share * excess);
        }
        Ok(Observed::Counted)
    }

    /// The most likely ratio, within a quarter of the distance of two ratios of the grid (7 %); 0 for one below the grid
    /// and infinite for one above it, as where only one of the arms has failures.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoInformation`] before the first failure in a window in which both arms were exposed.
    pub fn estimate(&self) -> Result<f64, Undefined> {
        if self.failures == 0 || self.sums.iter().all(|sum| *sum == 0.0) {
            return Err(Undefined::NoInformation {
                what: "a comparison without failures",
                remedy: "wait for some, or compare something that happens more often",
            });
        }
        let top = self.sums.iter().fold(f64::NEG_INFINITY, |top, sum| if *sum > top { *sum } else { top });
        let index = self.sums.iter().rposition(|sum| *sum == top).unwrap_or(HALF);
        let neighbours =
            index.checked_sub(1).and_then(|left| self.sums.get(left)).zip(self.sums.get(index + 1));
        let Some((left, right)) = neighbours else {
            return Ok(if index == 0 { 0.0 } else { f64::INFINITY });
        };
        // The vertex of the parabola through the three highest.
        let curvature = left - 2.0 * top + right;
        let shift = if curvature < 0.0 { (0.5 * (left - right) / curvature).clamp(-0.5, 0.5) } else { 0.0 };
        Ok(exp(ln_ratio(index) + shift * STEP))
    }

    /// The ratios that are not refuted with error probability `alpha`; all of them before the first failure.
    ///
    /// # Errors
    ///
    /// An `alpha` outside (0, 1).
    pub fn interval(&self, alpha: f64) -> Result<Interval, Undefined> {
        self.dispersed_interval(alpha, 1.0)
    }

    /// The same where counts vary `dispersion` times as much as those of independent requests
    /// ([`Dispersion::factor`](crate::stats::dispersion::Dispersion::factor)): evidence is divided by it, so that the
    /// interval says what evidence that is divided says.
    ///
    /// # Errors
    ///
    /// An `alpha` outside (0, 1), a `dispersion` that is not a finite number from 1.
    pub fn dispersed_interval(&self, alpha: f64, dispersion: f64) -> Result<Interval, Undefined> {
        let usable = dispersion >= 1.0 && dispersion.is_finite();
        require("dispersion", dispersion, usable, "a finite number, 1 or above")?;
        let threshold = -log(probability("alpha", alpha)?) * dispersion;
        let mixture = elementary::log_mixture(&TABLE.ln_weights, &self.sums);
        let kept = |sum: &f64| mixture - sum < threshold;
        // The mixture never exceeds the greatest likelihood, so that at least one ratio is kept; the likelihood is
        // concave in the logarithm of the ratio, so that those kept have no gap.
        let first = self.sums.iter().position(kept).unwrap_or(0);
        let last = self.sums.iter().rposition(kept).unwrap_or(2 * HALF);
        let lower = if first == 0 { 0.0 } else { exp(ln_ratio(first - 1)) };
        let upper = if last == 2 * HALF { f64::INFINITY } else { exp(ln_ratio(last + 1)) };
        Ok(Interval::new(lower, upper))
    }
}

impl Default for RateRatio {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: SchemaVersion,
    log_likelihoods: Vec<f64>,
    failures: u64,
    progress: Progress,
}

impl From<RateRatio> for Stored {
    fn from(state: RateRatio) -> Self {
        let RateRatio { sums, failures, progress } = state;
        Self { version: SchemaVersion, log_likelihoods: sums, failures, progress }
    }
}

impl TryFrom<Stored> for RateRatio {
    type Error = EvidenceError;

    fn try_from(stored: Stored) -> Result<Self, EvidenceError> {
        let Stored { version: SchemaVersion, log_likelihoods: sums, failures, progress } = stored;
        progress.check()?;
        if sums.len() != POINTS {
            return Err(EvidenceError::Shape {
                what: "the list of log-likelihoods",
                got: sums.len(),
                expected: POINTS,
            });
        }
        if sums.iter().any(|sum| !sum.is_finite()) {
            return Err(EvidenceError::Damaged { what: "a log-likelihood is not finite" });
        }
        Ok(Self { sums, failures, progress })
    }
}

fn ln_ratio(index: usize) -> f64 {
    (index as f64 - HALF as f64) * STEP
}

/// Ratios on each side of 1.
const HALF: usize = 64;
/// ln 64 / 64.
const STEP: f64 = std::f64::consts::LN_2 * 6.0 / 64.0;
const SPREAD: f64 = 0.8;
const POINTS: usize = 2 * HALF + 1;

/// What is known of each ratio beforehand.
struct Table {
    ln_ratios: [f64; POINTS],
    /// r − 1.
    excesses: [f64; POINTS],
    ln_weights: [f64; POINTS],
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let raw = |index: usize| -0.5 * (ln_ratio(index) / SPREAD) * (ln_ratio(index) / SPREAD);
    let total = log_sum_exp((0..POINTS).map(raw));
    Table {
        ln_ratios: std::array::from_fn(ln_ratio),
        excesses: std::array::from_fn(|index| libm::expm1(ln_ratio(index))),
        ln_weights: std::array::from_fn(|index| raw(index) - total),
    }
});
