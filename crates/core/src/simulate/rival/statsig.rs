//! The sequential boundary of Statsig, as its documentation gives it.
//!
//! *The defect:* the spread `τ` of effects is taken in proportion to the variance of the estimate, so that the boundary
//! depends on the split alone and not on the number of observations. A constant boundary for a z statistic is crossed
//! for sure in the end (law of the iterated logarithm): it is no confidence sequence. For realistic horizons it is very
//! conservative instead, most where the candidate's share is small: 3.58 for equal arms, 5.36 for 5 %, 10.3 for 1 %.

use libm::log;

use crate::stats::{Interval, Side, Undefined, positive, probability, require, special::normal_quantile};

/// Mean, variance and size of one arm.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "three numbers")]
pub struct Arm {
    /// The mean.
    pub mean: f64,
    /// The variance of one observation.
    pub variance: f64,
    /// The number of observations.
    pub count: f64,
}

/// The boundary for the z statistic: `Z*² = ((V+τ)/τ) (−2 ln(α/2) − ln(V/(V+τ)))`, where `V` is the variance of the
/// difference and `τ = z²_{α/2} (σ²_t + σ²_c)/(n_t + n_c)`; one-sided with `2α` in the place of `α`.
pub fn boundary(treatment: Arm, control: Arm, alpha: f64, side: Side) -> Result<f64, Undefined> {
    let alpha = match side {
        Side::TwoSided => probability("alpha", alpha)?,
        Side::Greater | Side::Less => {
            2.0 * require("alpha", alpha, alpha > 0.0 && alpha < 0.5, "between 0 and 1/2, both excluded")?
        }
    };
    for arm in [treatment, control] {
        positive("variance", arm.variance)?;
        positive("count", arm.count)?;
    }
    let variance = variance(treatment, control);
    let quantile = normal_quantile(alpha / 2.0);
    let pooled = (treatment.variance + control.variance) / (treatment.count + control.count);
    let tau = quantile * quantile * pooled;
    let square = (variance + tau) / tau * (-2.0 * log(alpha / 2.0) - log(variance / (variance + tau)));
    Ok(square.sqrt())
}

/// The interval of the difference, `d ± Z* √V`; open on the other side for a one-sided one.
pub fn interval(treatment: Arm, control: Arm, alpha: f64, side: Side) -> Result<Interval, Undefined> {
    let half = boundary(treatment, control, alpha, side)? * variance(treatment, control).sqrt();
    let difference = treatment.mean - control.mean;
    Ok(match side {
        Side::TwoSided => Interval::new(difference - half, difference + half),
        Side::Greater => Interval::new(difference - half, f64::INFINITY),
        Side::Less => Interval::new(f64::NEG_INFINITY, difference + half),
    })
}

fn variance(treatment: Arm, control: Arm) -> f64 {
    treatment.variance / treatment.count + control.variance / control.count
}
