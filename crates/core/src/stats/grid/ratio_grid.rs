//! The rate ratios that evidence is mixed over.

use libm::{exp, log};
use serde::{Deserialize, Serialize};

use super::{elementary, log_sum_exp};
use crate::stats::{Interval, Undefined, evidence::EvidenceError, positive, probability, require};

/// What is to be refuted about the ratio of the candidate's rate of failure to that of control.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[expect(clippy::exhaustive_enums, reason = "a ratio has two sides")]
#[serde(rename_all = "kebab-case")]
pub enum Hypothesis {
    /// "It is at most the margin": refuted by harm.
    AtMost,
    /// "It is at least the margin": refuted by safety.
    AtLeast,
}

/// A margin, and the ratios on its far side that speak against the hypothesis, with their weights.
///
/// The ratios are spaced evenly in the logarithm from `margin × nearest` to `margin × farthest` (divided instead for
/// [`Hypothesis::AtLeast`]); the weights are half-normal in `|ln(r/margin)|`. Everything is fixed before the data.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "Specification", into = "Specification")]
pub struct RatioGrid {
    specification: Specification,
    /// ln(r/r₀) of each ratio.
    ln_ratios: Vec<f64>,
    /// r − r₀ of each ratio.
    excesses: Vec<f64>,
    ln_weights: Vec<f64>,
}

impl RatioGrid {
    /// Against "the candidate fails at most `margin` times as often": 16 ratios from 1.05 to 20 times the margin,
    /// spread 0.8.
    ///
    /// The margin is at least 1: below, a candidate that is exactly as good as stable would be harmful.
    ///
    /// # Errors
    ///
    /// A margin below 1, or so large that twenty times as much is not finite.
    pub fn harm(margin: f64) -> Result<Self, Undefined> {
        require("margin", margin, margin >= 1.0, "a finite number, 1 or above")?;
        Self::new(Hypothesis::AtMost, margin, 1.05, 20.0, 16, 0.8)
    }

    /// Against "the candidate fails at least `margin` times as often": 16 ratios from a 1.05th to a quarter of the
    /// margin, spread 0.8. What refutes it certifies that the candidate is not worse than the margin.
    ///
    /// The margin is at least 1: below, only an improvement could be certified, which is another question.
    ///
    /// # Errors
    ///
    /// A margin below 1, or not finite.
    pub fn safety(margin: f64) -> Result<Self, Undefined> {
        require("margin", margin, margin >= 1.0, "a finite number, 1 or above")?;
        Self::new(Hypothesis::AtLeast, margin, 1.05, 4.0, 16, 0.8)
    }

    /// Any grid: `1 < nearest < farthest`, both as factors from the margin; `count` ratios, 2 to 1024; `spread`, the
    /// standard deviation of the half-normal weights in nats.
    ///
    /// # Errors
    ///
    /// A margin or spread that is not a finite number above 0; a `nearest` that is not above 1, a `farthest` that is not above
    /// it; a `count` out of its range.
    pub fn new(
        hypothesis: Hypothesis,
        margin: f64,
        nearest: f64,
        farthest: f64,
        count: u32,
        spread: f64,
    ) -> Result<Self, Undefined> {
        Specification { hypothesis, margin, nearest, farthest, count, spread }.grid()
    }

    /// The hypothesis.
    pub fn hypothesis(&self) -> Hypothesis {
        self.specification.hypothesis
    }

    /// The margin `r₀`.
    pub fn margin(&self) -> f64 {
        self.specification.margin
    }

    /// How many ratios there are.
    pub(crate) fn count(&self) -> usize {
        self.ln_ratios.len()
    }

    /// `ln(r/r₀)` of each ratio.
    pub(crate) fn ln_ratios(&self) -> &[f64] {
        &self.ln_ratios
    }

    /// `r − r₀` of each ratio.
    pub(crate) fn excesses(&self) -> &[f64] {
        &self.excesses
    }

    /// The factor by which `excess` goes into the logarithm, for a candidate with this share of the exposure.
    pub(crate) fn scale(&self, share: f64) -> f64 {
        // ln(1 + ρ(r − 1)) − ln(1 + ρ(r₀ − 1)) = ln(1 + ρ(r − r₀) / (1 + ρ(r₀ − 1)))
        share / (1.0 + share * (self.specification.margin - 1.0))
    }

    /// The ratios, the margin among them, whose likelihood the mixture does not exceed `1/alpha` times; `sums` are the
    /// logarithms of the likelihood against that of the margin. Rounded outward.
    pub(crate) fn interval(&self, sums: &[f64], alpha: f64, dispersion: f64) -> Result<Interval, Undefined> {
        let usable = dispersion >= 1.0 && dispersion.is_finite();
        require("dispersion", dispersion, usable, "a finite number, 1 or above")?;
        let threshold = -log(probability("alpha", alpha)?) * dispersion;
        let mixture = self.mixed(sums);
        let mut points: Vec<(f64, bool)> = std::iter::once((0.0, 0.0))
            .chain(self.ln_ratios.iter().copied().zip(sums.iter().copied()))
            .map(|(ln_ratio, sum)| (ln_ratio, mixture - sum < threshold))
            .collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        let ratio = |index: usize| points.get(index).map(|(ln_ratio, _)| self.margin() * exp(*ln_ratio));
        // The mixture is at most the greatest likelihood: at least one is kept, and those kept have no gap.
        let first = points.iter().position(|(_, kept)| *kept).unwrap_or(0);
        let last = points.iter().rposition(|(_, kept)| *kept).unwrap_or(points.len());
        let lower = first.checked_sub(1).and_then(ratio).unwrap_or(0.0);
        Ok(Interval::new(lower, ratio(last.saturating_add(1)).unwrap_or(f64::INFINITY)))
    }

    /// The logarithm of the mixture of `exp(sums)`.
    pub(crate) fn mixed(&self, sums: &[f64]) -> f64 {
        elementary::log_mixture(&self.ln_weights, sums)
    }
}

/// What is stored: the points follow from it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Specification {
    hypothesis: Hypothesis,
    margin: f64,
    nearest: f64,
    farthest: f64,
    count: u32,
    spread: f64,
}

impl Specification {
    fn grid(self) -> Result<RatioGrid, Undefined> {
        let Self { hypothesis, margin, nearest, farthest, count, spread } = self;
        positive("margin", margin)?;
        positive("spread", spread)?;
        require("nearest", nearest, nearest > 1.0, "above 1, as a factor from the margin")?;
        require(
            "farthest",
            farthest,
            farthest > nearest && farthest.is_finite(),
            "a finite factor from the margin, above `nearest`",
        )?;
        require("count", f64::from(count), (2..=1024).contains(&count), "from 2 to 1024")?;
        let (from, to) = (log(nearest), log(farthest));
        let distances = (0..count).map(|index| from + (to - from) * f64::from(index) / f64::from(count - 1));
        let raw = |distance: f64| -0.5 * (distance / spread) * (distance / spread);
        let total = log_sum_exp(distances.clone().map(raw));
        let sign = match hypothesis {
            Hypothesis::AtMost => 1.0,
            Hypothesis::AtLeast => -1.0,
        };
        let ln_weights = distances.clone().map(|distance| raw(distance) - total).collect();
        let ln_ratios: Vec<f64> = distances.map(|distance| sign * distance).collect();
        let excesses: Vec<f64> = ln_ratios.iter().map(|ln_ratio| margin * libm::expm1(*ln_ratio)).collect();
        let usable = excesses.iter().all(|excess| excess.is_finite())
            && ln_ratios.iter().all(|ln_ratio| exp(*ln_ratio) > 0.0);
        require("margin", margin, usable, "small enough that the farthest ratio is finite")?;
        Ok(RatioGrid { specification: self, ln_ratios, excesses, ln_weights })
    }
}

impl TryFrom<Specification> for RatioGrid {
    type Error = EvidenceError;

    fn try_from(specification: Specification) -> Result<Self, EvidenceError> {
        Ok(specification.grid()?)
    }
}

impl From<RatioGrid> for Specification {
    fn from(grid: RatioGrid) -> Self {
        grid.specification
    }
}
