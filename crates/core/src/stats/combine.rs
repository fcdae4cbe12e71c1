//! Combination of e-values.
//!
//! E-values are given as logarithms (nats). One error probability serves a whole rollout: an e-process goes on over
//! its stages, and several guardrails share `α` by weight. What must *all* hold, as the safety of every guardrail,
//! needs no correction.

use libm::log;

use super::{Undefined, grid::log_sum_exp, positive, probability, require};

/// The logarithm of the mean of e-values: an e-value under any dependence (Vovk & Wang 2021).
///
/// # Errors
///
/// [`Undefined::TooFew`] for an empty list; a NaN.
pub fn log_mean(log_e: &[f64]) -> Result<f64, Undefined> {
    check(log_e)?;
    Ok(log_sum_exp(log_e.iter().copied()) - log(log_e.len() as f64))
}

/// The logarithm of the weighted mean of e-values; the weights are above 0, in any unit.
///
/// # Errors
///
/// As [`log_mean`]; lists of different lengths, a weight that is not a finite number above 0.
pub fn log_weighted_mean(log_e: &[f64], weights: &[f64]) -> Result<f64, Undefined> {
    check(log_e)?;
    if log_e.len() != weights.len() {
        return Err(Undefined::Unequal {
            left: "the list of e-values",
            left_length: log_e.len(),
            right: "the list of weights",
            right_length: weights.len(),
        });
    }
    for weight in weights {
        positive("weights", *weight)?;
    }
    let total = positive("weights", weights.iter().sum())?;
    Ok(log_sum_exp(log_e.iter().zip(weights).map(|(log_e, weight)| log_e + log(weight / total))))
}

/// The logarithm of the product: an e-value only of *independent* or successive evidence, never of metrics that share
/// a control arm.
///
/// # Errors
///
/// As [`log_mean`].
pub fn log_product(log_e: &[f64]) -> Result<f64, Undefined> {
    check(log_e)?;
    if log_e.contains(&f64::NEG_INFINITY) {
        return Ok(f64::NEG_INFINITY);
    }
    Ok(log_e.iter().sum())
}

/// Which hypotheses to reject so that of those rejected a share of at most `alpha` is true on average, under any
/// dependence: e-BH, the `k` largest with `k eₖ / m ≥ 1/α` (Wang & Ramdas 2022).
///
/// # Errors
///
/// As [`log_mean`]; an `alpha` outside (0, 1).
///
/// ```
/// use serinus_core::stats::combine::e_bh;
///
/// let log_e = [41.0_f64, 41.0, 10.0, 39.9].map(f64::ln);
/// assert_eq!(e_bh(&log_e, 0.05)?, [true, true, false, true]);
/// # Ok::<(), serinus_core::stats::Undefined>(())
/// ```
pub fn e_bh(log_e: &[f64], alpha: f64) -> Result<Vec<bool>, Undefined> {
    check(log_e)?;
    let threshold = log(log_e.len() as f64) - log(probability("alpha", alpha)?);
    let mut sorted = log_e.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let reached = |(log_e, rank): (&f64, f64)| log_e + log(rank) >= threshold - ROUNDING * threshold.abs();
    let ranks = (1..).map(f64::from);
    let least = sorted.iter().zip(ranks).filter(|pair| reached(*pair)).map(|(log_e, _)| *log_e).last();
    Ok(log_e.iter().map(|log_e| least.is_some_and(|least| *log_e >= least)).collect())
}

/// Which guardrails speak for a rollback, with error probability `alpha` over all of them: `eᵢ ≥ 1/(α wᵢ)`, the weights
/// divided by their sum (weighted Bonferroni).
///
/// # Errors
///
/// As [`log_weighted_mean`]; an `alpha` outside (0, 1).
pub fn any_of(log_e: &[f64], weights: &[f64], alpha: f64) -> Result<Vec<bool>, Undefined> {
    let threshold = -log(probability("alpha", alpha)?);
    // The mean checks both lists.
    log_weighted_mean(log_e, weights)?;
    let total: f64 = weights.iter().sum();
    Ok(log_e.iter().zip(weights).map(|(log_e, weight)| log_e + log(weight / total) >= threshold).collect())
}

/// The log e-value made of a p-value by the calibrator `κ p^(κ−1)`, `0 < κ < 1` (Vovk & Wang 2021).
///
/// # Errors
///
/// A `p` outside `[0, 1]`, a `kappa` outside (0, 1).
pub fn calibrate(p: f64, kappa: f64) -> Result<f64, Undefined> {
    require("p", p, (0.0..=1.0).contains(&p), "between 0 and 1")?;
    probability("kappa", kappa)?;
    Ok(log(kappa) + (kappa - 1.0) * log(p))
}

/// The p-value of an e-value: `min(1, 1/e)`.
///
/// # Errors
///
/// A NaN.
pub fn to_p_value(log_e: f64) -> Result<f64, Undefined> {
    check(&[log_e])?;
    Ok(libm::exp(-log_e).min(1.0))
}

/// An e-value of 0 or of infinity is one; NaN and nothing at all are not.
fn check(log_e: &[f64]) -> Result<(), Undefined> {
    if log_e.is_empty() {
        return Err(Undefined::TooFew { what: "the list of e-values", got: 0, needed: 1 });
    }
    for value in log_e {
        require("log_e", *value, !value.is_nan(), "the logarithm of a number, 0 or above")?;
    }
    Ok(())
}

/// The logarithms of `20` and of `1/0.05` differ in the last bit.
const ROUNDING: f64 = 4.0 * f64::EPSILON;
