//! Variance reduction by a covariate from before the experiment.

use serde::{Deserialize, Serialize};

use super::{
    super::{Undefined, finite, not_negative},
    effect::{Arm, Difference, Effect, baseline, between, welch_degrees},
};

/// Sums over the units of one arm, of the metric `y` and its covariate `x`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "these sums are all there is to know of an arm")]
pub struct Covariate {
    /// Units.
    pub count: u64,
    /// `Σ y`
    pub metric: f64,
    /// `Σ y²`
    pub metric_squares: f64,
    /// `Σ x`
    pub covariate: f64,
    /// `Σ x²`
    pub covariate_squares: f64,
    /// `Σ x y`
    pub products: f64,
}

impl Covariate {
    /// The sums of two sets of units that share none.
    #[must_use = "the sums merged are new sums"]
    pub fn merge(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_add(other.count),
            metric: self.metric + other.metric,
            metric_squares: self.metric_squares + other.metric_squares,
            covariate: self.covariate + other.covariate,
            covariate_squares: self.covariate_squares + other.covariate_squares,
            products: self.products + other.products,
        }
    }

    fn moments(&self) -> Result<Joint, Undefined> {
        if self.count < 2 {
            return Err(Undefined::TooFew { what: "an arm", got: self.count, needed: 2 });
        }
        for (name, value) in
            [("metric", self.metric), ("covariate", self.covariate), ("products", self.products)]
        {
            finite(name, value)?;
        }
        not_negative("metric_squares", self.metric_squares)?;
        not_negative("covariate_squares", self.covariate_squares)?;
        let (n, rest) = (self.count as f64, (self.count - 1) as f64);
        Ok(Joint {
            metric: self.metric / n,
            covariate: self.covariate / n,
            metric_variance: (self.metric_squares - self.metric * self.metric / n) / rest,
            covariate_variance: (self.covariate_squares - self.covariate * self.covariate / n) / rest,
            covariance: (self.products - self.metric * self.covariate / n) / rest,
        })
    }
}

/// An effect after the covariate's share is taken out.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Cuped {
    /// The adjusted effect.
    pub effect: Effect,
    /// The effect without the covariate, for comparison.
    pub unadjusted: Effect,
    /// How much of the covariate was taken out of the metric, in units of `y` over `x`; 0 if the covariate does not
    /// vary.
    pub theta: f64,
}

/// The difference of two means of `y - θ x`, with one `θ = cov(y, x) / var(x)` of both arms pooled (Deng, Xu, Kohavi &
/// Walker 2013). The variance is that of `y` times `1 - correlation²`.
///
/// *Assumes* that the covariate was measured before the treatment could touch it; one that was not removes the effect
/// itself. The relative scale relates to the control's unadjusted mean, with its variance by the delta method.
///
/// # Errors
///
/// Fewer than two units in an arm, a metric that does not vary, sums that are not finite; on the relative scale also a
/// control whose mean is 0.
pub fn cuped(control: &Covariate, candidate: &Covariate, difference: Difference) -> Result<Cuped, Undefined> {
    let (first, second) = (control.moments()?, candidate.moments()?);
    let raw = |joint: Joint, count: u64| Arm { mean: joint.metric, variance: joint.metric_variance, count };
    for joint in [first, second] {
        if joint.metric_variance <= 0.0 {
            return Err(Undefined::NoVariance { what: "the metric of an arm" });
        }
    }
    let unadjusted = between(raw(first, control.count), raw(second, candidate.count), difference)?;
    let pooled = control.merge(*candidate).moments()?;
    let theta =
        if pooled.covariate_variance > 0.0 { pooled.covariance / pooled.covariate_variance } else { 0.0 };
    let adjusted = |joint: Joint, count: u64| Arm {
        mean: joint.metric - theta * joint.covariate,
        variance: joint.combination(1.0, -theta),
        count,
    };
    let (control, candidate) = (adjusted(first, control.count), adjusted(second, candidate.count));
    for arm in [control, candidate] {
        if arm.variance <= 0.0 {
            return Err(Undefined::NoVariance { what: "the metric, once its covariate is taken out," });
        }
    }
    let effect = match difference {
        Difference::Absolute => between(control, candidate, difference)?,
        Difference::Relative => {
            let base = baseline(first.metric)?;
            let change = candidate.mean - control.mean;
            // The slope in the control's mean, where the covariates' means are equal, as they are by randomisation.
            let slope = second.metric / first.metric;
            let of_control = first.combination(slope, -theta) / control.count as f64;
            let variance = (candidate.of_mean() + of_control) / base / base;
            Effect {
                difference: change / base,
                standard_error: variance.sqrt(),
                degrees_of_freedom: welch_degrees(control, candidate)?,
            }
        }
    };
    finite("standard error", effect.standard_error)?;
    Ok(Cuped { effect, unadjusted, theta })
}

#[derive(Clone, Copy)]
struct Joint {
    metric: f64,
    covariate: f64,
    metric_variance: f64,
    covariate_variance: f64,
    covariance: f64,
}

impl Joint {
    /// The variance of `a y + b x` for one unit.
    fn combination(&self, a: f64, b: f64) -> f64 {
        a * a * self.metric_variance + b * b * self.covariate_variance + 2.0 * a * b * self.covariance
    }
}
