//! Ratios of two sums over the same units: revenue per order, errors per session.

use serde::{Deserialize, Serialize};

use super::{
    super::{Undefined, finite, not_negative, require},
    effect::{Arm, Difference, Effect, baseline, between, welch_degrees},
};

/// Sums over the units of one arm, of a numerator `m` and a denominator `d`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "these sums are all there is to know of an arm")]
pub struct RatioSums {
    /// Units.
    pub count: u64,
    /// `Σ m`
    pub numerator: f64,
    /// `Σ m²`
    pub numerator_squares: f64,
    /// `Σ d`
    pub denominator: f64,
    /// `Σ d²`
    pub denominator_squares: f64,
    /// `Σ m d`
    pub products: f64,
}

impl RatioSums {
    /// The sums of two sets of units that share none.
    #[must_use = "the sums merged are new sums"]
    pub fn merge(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_add(other.count),
            numerator: self.numerator + other.numerator,
            numerator_squares: self.numerator_squares + other.numerator_squares,
            denominator: self.denominator + other.denominator,
            denominator_squares: self.denominator_squares + other.denominator_squares,
            products: self.products + other.products,
        }
    }

    /// The ratio, and its variance for one unit by the delta method:
    /// `(s_m² - 2 R s_md + R² s_d²) / mean(d)²` (Deng, Knoblich & Lu 2018).
    fn arm(&self) -> Result<Arm, Undefined> {
        if self.count < 2 {
            return Err(Undefined::TooFew { what: "an arm", got: self.count, needed: 2 });
        }
        for (name, value) in
            [("numerator", self.numerator), ("denominator", self.denominator), ("products", self.products)]
        {
            finite(name, value)?;
        }
        not_negative("numerator_squares", self.numerator_squares)?;
        not_negative("denominator_squares", self.denominator_squares)?;
        if self.denominator == 0.0 {
            return Err(Undefined::NoInformation {
                what: "a denominator of 0",
                remedy: "wait for units with one",
            });
        }
        let (n, rest) = (self.count as f64, (self.count - 1) as f64);
        let mean = self.denominator / n;
        let ratio = self.numerator / self.denominator;
        let numerator = (self.numerator_squares - self.numerator * self.numerator / n) / rest;
        let denominator = (self.denominator_squares - self.denominator * mean) / rest;
        let both = (self.products - self.numerator * mean) / rest;
        let variance = (numerator - 2.0 * ratio * both + ratio * ratio * denominator) / mean / mean;
        if variance <= 0.0 {
            return Err(Undefined::NoVariance { what: "the ratio of an arm" });
        }
        require("variance of the ratio", variance, variance.is_finite(), "finite sums")?;
        Ok(Arm { mean: ratio, variance, count: self.count })
    }
}

/// The difference of two ratios, with Welch's degrees of freedom.
///
/// *Assumes* independent units and many of them: the delta method is asymptotic.
///
/// # Errors
///
/// Fewer than two units in an arm, a denominator of 0, a ratio that does not vary, sums that are not finite; on the
/// relative scale also a control whose ratio is 0.
pub fn ratio_effect(
    control: &RatioSums,
    candidate: &RatioSums,
    difference: Difference,
) -> Result<Effect, Undefined> {
    between(control.arm()?, candidate.arm()?, difference)
}

/// `ln R₂ - ln R₁`, with variance `v₂/R₂² + v₁/R₁²`: the relative difference on a scale that is symmetric and cannot
/// leave its range. Prefer it for large changes.
///
/// # Errors
///
/// As [`ratio_effect`]; a ratio that is not above 0.
pub fn ln_ratio_effect(control: &RatioSums, candidate: &RatioSums) -> Result<Effect, Undefined> {
    let (control, candidate) = (control.arm()?, candidate.arm()?);
    for arm in [control, candidate] {
        require("ratio", arm.mean, arm.mean > 0.0, "above 0")?;
    }
    let (first, second) = (baseline(control.mean)?, baseline(candidate.mean)?);
    let variance = control.of_mean() / first / first + candidate.of_mean() / second / second;
    Ok(Effect {
        difference: libm::log(second / first),
        standard_error: variance.sqrt(),
        degrees_of_freedom: welch_degrees(control, candidate)?,
    })
}
