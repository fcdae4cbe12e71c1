//! Whether the candidate's share is at most a margin above the control's.

use super::{
    super::{Undefined, require, special},
    Proportion, difference, newcombe_interval,
    two::{score_z, wald_z},
};

/// A test of the null hypothesis that the candidate is worse by the margin or more.
///
/// A small `p` is evidence *for* the candidate. A large one says nothing for it: that is inconclusive, not safe.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct NonInferiority {
    /// The statistic; far below 0 if the candidate is better than the margin.
    pub z: f64,
    /// The probability of one as small, or smaller, at the margin.
    pub p: f64,
    /// Newcombe's one-sided limit of level 95 % above the difference, to be read beside the margin.
    pub upper_limit: f64,
}

/// By the score test at the margin (Farrington & Manning 1990): the one to use, defined without events too.
///
/// `margin` is a difference of shares: 0.001 allows one failure more among a thousand.
///
/// # Errors
///
/// A margin outside (-1, 1).
pub fn score_non_inferiority(
    control: Proportion,
    candidate: Proportion,
    margin: f64,
) -> Result<NonInferiority, Undefined> {
    with_limit(control, candidate, score_z(control, candidate, margin)?.z)
}

/// By Wald's statistic `(d - margin) / √(p₁q₁/n₁ + p₂q₂/n₂)`: for comparison with tools that use it.
///
/// # Errors
///
/// A margin outside (-1, 1), or arms that do not vary, where it would be infinite.
pub fn wald_non_inferiority(
    control: Proportion,
    candidate: Proportion,
    margin: f64,
) -> Result<NonInferiority, Undefined> {
    require("margin", margin, margin > -1.0 && margin < 1.0, "between -1 and 1, both excluded")?;
    wald_z(control, candidate)?;
    let error = (control.variance_of_mean() + candidate.variance_of_mean()).sqrt();
    with_limit(control, candidate, (difference(control, candidate) - margin) / error)
}

fn with_limit(control: Proportion, candidate: Proportion, z: f64) -> Result<NonInferiority, Undefined> {
    let upper_limit = newcombe_interval(control, candidate, 0.1)?.upper;
    Ok(NonInferiority { z, p: special::normal_cdf(z), upper_limit })
}
