//! Intervals for one proportion.

use super::{
    super::{Interval, Undefined, probability, special},
    Proportion, upper_quantile,
};

/// Wilson's score interval of level `1 - alpha`, in `[0, 1]`: the default.
///
/// `(p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)` (Wilson 1927). Covers `1 - alpha` on average over the true
/// shares, somewhat less for some.
///
/// # Errors
///
/// An `alpha` outside (0, 1).
pub fn wilson_interval(of: Proportion, alpha: f64) -> Result<Interval, Undefined> {
    let z = upper_quantile(probability("alpha", alpha)? / 2.0);
    let (n, p) = (of.trials() as f64, of.share());
    let per_trial = z * z / n;
    let centre = (p + per_trial / 2.0) / (1.0 + per_trial);
    let half = z / (1.0 + per_trial) * (p * of.rest() / n + per_trial / (4.0 * n)).sqrt();
    let lower = if of.events() == 0 { 0.0 } else { (centre - half).max(0.0) };
    let upper = if of.events() == of.trials() { 1.0 } else { (centre + half).min(1.0) };
    Ok(Interval::new(lower, upper))
}

/// Clopper and Pearson's exact interval of level `1 - alpha`: covers at least that much, whatever the true share.
///
/// Quantiles of beta distributions, `B(x, n - x + 1)` below and `B(x + 1, n - x)` above (Clopper & Pearson 1934).
///
/// # Errors
///
/// An `alpha` outside (0, 1).
pub fn clopper_pearson_interval(of: Proportion, alpha: f64) -> Result<Interval, Undefined> {
    let tail = probability("alpha", alpha)? / 2.0;
    let (x, n) = (of.events() as f64, of.trials() as f64);
    let rest = (of.trials() - of.events()) as f64;
    let lower = if x == 0.0 { 0.0 } else { special::beta_quantile(x, rest + 1.0, tail) };
    // By the mirror image, which keeps the digits of a small tail.
    let upper = if x == n { 1.0 } else { 1.0 - special::beta_quantile(rest, x + 1.0, tail) };
    Ok(Interval::new(lower, upper))
}

/// The interval between the `alpha / 2` quantiles of the posterior `B(x + ½, n - x + ½)`, Jeffreys' prior.
///
/// # Errors
///
/// An `alpha` outside (0, 1).
pub fn jeffreys_interval(of: Proportion, alpha: f64) -> Result<Interval, Undefined> {
    let tail = probability("alpha", alpha)? / 2.0;
    let (a, b) = (of.events() as f64 + 0.5, (of.trials() - of.events()) as f64 + 0.5);
    Ok(Interval::new(special::beta_quantile(a, b, tail), 1.0 - special::beta_quantile(b, a, tail)))
}
