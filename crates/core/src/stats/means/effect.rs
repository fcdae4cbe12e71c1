//! A difference of two estimates with Student's t around it.

use serde::{Deserialize, Serialize};

use super::{
    super::{Interval, Undefined, finite, probability, special},
    Moments,
};

/// On which scale a candidate is compared with its control.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there is no third scale here; for ln ratios there is a function"
)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// `candidate - control`, in the unit of the metric.
    Absolute,
    /// `(candidate - control) / |control|`: 0.1 is ten per cent more.
    Relative,
}

/// An estimated difference, its standard error, and the degrees of freedom of its t distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Effect {
    /// The estimate: above 0 if the candidate's value is greater.
    pub difference: f64,
    /// Its standard error, above 0.
    pub standard_error: f64,
    /// Welch's degrees of freedom.
    pub degrees_of_freedom: f64,
}

impl Effect {
    /// Student's statistic for no difference.
    pub fn t(&self) -> f64 {
        self.t_against(0.0)
    }

    /// Student's statistic for a difference of `value`.
    pub fn t_against(&self, value: f64) -> f64 {
        (self.difference - value) / self.standard_error
    }

    /// The probability of a statistic as far from 0, if there is no difference.
    pub fn p_two_sided(&self) -> f64 {
        (2.0 * special::student_t_sf(self.t().abs(), self.degrees_of_freedom)).min(1.0)
    }

    /// The probability of one as great, or greater: small if the candidate's value is greater.
    pub fn p_greater(&self) -> f64 {
        special::student_t_sf(self.t(), self.degrees_of_freedom)
    }

    /// The probability of one as small, or smaller.
    pub fn p_less(&self) -> f64 {
        special::student_t_cdf(self.t(), self.degrees_of_freedom)
    }

    /// The two-sided interval of level `1 - alpha`.
    ///
    /// # Errors
    ///
    /// An `alpha` outside (0, 1).
    pub fn interval(&self, alpha: f64) -> Result<Interval, Undefined> {
        let half = self.half_width(probability("alpha", alpha)? / 2.0);
        Ok(Interval::new(self.difference - half, self.difference + half))
    }

    /// The limit that the difference exceeds with probability `alpha` at most.
    ///
    /// # Errors
    ///
    /// An `alpha` outside (0, 1).
    pub fn upper_limit(&self, alpha: f64) -> Result<f64, Undefined> {
        Ok(self.difference + self.half_width(probability("alpha", alpha)?))
    }

    fn half_width(&self, tail: f64) -> f64 {
        -special::student_t_quantile(tail, self.degrees_of_freedom) * self.standard_error
    }
}

/// The difference of two means: `se² = s₁²/n₁ + s₂²/n₂`, with the degrees of freedom of Welch (1947),
/// `se⁴ / (s₁⁴/(n₁²(n₁-1)) + s₂⁴/(n₂²(n₂-1)))`.
///
/// *Assumes* independent observations, and means that are about normal. For one fixed sample.
///
/// # Errors
///
/// Fewer than two observations in an arm; arms that both do not vary.
pub fn welch_t(control: &Moments, candidate: &Moments) -> Result<Effect, Undefined> {
    mean_effect(control, candidate, Difference::Absolute)
}

/// [`welch_t`] on either scale; the relative one by the delta method, `v₂/m₁² + v₁ m₂²/m₁⁴`.
///
/// # Errors
///
/// As [`welch_t`]; on the relative scale also a control whose mean is 0.
pub fn mean_effect(
    control: &Moments,
    candidate: &Moments,
    difference: Difference,
) -> Result<Effect, Undefined> {
    let arm = |moments: &Moments| -> Result<Arm, Undefined> {
        Ok(Arm { mean: moments.mean(), variance: moments.variance()?, count: moments.count() })
    };
    between(arm(control)?, arm(candidate)?, difference)
}

/// Whether the candidate's mean is at least `margin` above the control's, by Welch's t: a small p-value is evidence
/// that it is not. Returns the statistic and its p-value.
///
/// Read it beside [`Effect::upper_limit`]. A large p-value is inconclusive, not safe.
///
/// # Errors
///
/// A margin that is not finite.
pub fn welch_non_inferiority(effect: &Effect, margin: f64) -> Result<(f64, f64), Undefined> {
    let t = effect.t_against(finite("margin", margin)?);
    Ok((t, special::student_t_cdf(t, effect.degrees_of_freedom)))
}

/// An estimate of one arm: `variance` is that of one observation.
#[derive(Clone, Copy)]
pub(super) struct Arm {
    pub(super) mean: f64,
    pub(super) variance: f64,
    pub(super) count: u64,
}

impl Arm {
    pub(super) fn of_mean(self) -> f64 {
        self.variance / self.count as f64
    }
}

pub(super) fn between(control: Arm, candidate: Arm, difference: Difference) -> Result<Effect, Undefined> {
    let (first, second) = (control.of_mean(), candidate.of_mean());
    let degrees_of_freedom = welch_degrees(control, candidate)?;
    let change = candidate.mean - control.mean;
    let (difference, variance) = match difference {
        Difference::Absolute => (change, first + second),
        Difference::Relative => {
            let base = baseline(control.mean)?;
            let ratio = candidate.mean / base;
            (change / base, (second + first * ratio * ratio) / base / base)
        }
    };
    finite("standard error", variance.sqrt())?;
    Ok(Effect { difference, standard_error: variance.sqrt(), degrees_of_freedom })
}

/// The absolute mean to which a change is related.
pub(super) fn baseline(mean: f64) -> Result<f64, Undefined> {
    if mean == 0.0 {
        return Err(Undefined::NoInformation {
            what: "a control whose mean is 0",
            remedy: "compare on the absolute scale",
        });
    }
    Ok(mean.abs())
}

pub(super) fn welch_degrees(control: Arm, candidate: Arm) -> Result<f64, Undefined> {
    for arm in [control, candidate] {
        if arm.count < 2 {
            return Err(Undefined::TooFew { what: "an arm", got: arm.count, needed: 2 });
        }
    }
    let (first, second) = (control.of_mean(), candidate.of_mean());
    let sum = first + second;
    if sum <= 0.0 {
        return Err(Undefined::NoVariance { what: "either arm" });
    }
    // As shares of the sum, which neither overflow nor vanish.
    let (first, second) = (first / sum, second / sum);
    Ok(1.0 / (first * first / (control.count - 1) as f64 + second * second / (candidate.count - 1) as f64))
}
