//! The rate of yes-or-no observations, valid at all times.

use libm::log;

use super::{
    Interval, Undefined,
    mixture::{BetaBinomialMixture, Mixture as _},
    positive, probability, require,
    special::root,
};

/// The confidence sequence of a rate after `successes` of `trials`: the rates at which the two-sided beta-binomial
/// mixture is below `1/alpha`.
///
/// The mixture is tuned for each rate `p` anew, to be narrowest after `best` trials at error probability `best_alpha`
/// (usually `alpha`). No successes, or nothing else, make the interval start at 0, or end at 1. Exact for independent
/// observations; any number of looks. [`Undefined::TooFew`] without trials.
///
/// # Errors
///
/// [`Undefined::TooFew`] without trials; more successes than trials, an `alpha` or `best_alpha` outside (0, 1), a `best` that
/// is not a finite number above 0.
///
/// ```
/// use serinus_core::stats::bernoulli::confidence_sequence;
///
/// let interval = confidence_sequence(50, 1000, 0.05, 500.0, 0.05)?;
/// assert!((interval.lower - 0.031_27).abs() < 1e-5 && (interval.upper - 0.073_59).abs() < 1e-5);
/// # Ok::<(), serinus_core::stats::Undefined>(())
/// ```
pub fn confidence_sequence(
    successes: u64,
    trials: u64,
    alpha: f64,
    best: f64,
    best_alpha: f64,
) -> Result<Interval, Undefined> {
    let threshold = -log(probability("alpha", alpha)?);
    positive("best", best)?;
    probability("best_alpha", best_alpha)?;
    if trials == 0 {
        return Err(Undefined::TooFew { what: "the sample", got: 0, needed: 1 });
    }
    let (count, number) = (successes as f64, trials as f64);
    require("successes", count, successes <= trials, "at most the number of trials")?;
    let estimate = count / number;
    let is_inside = |rate: f64| {
        let variance = rate * (1.0 - rate);
        let mixture = BetaBinomialMixture::two_sided(variance * best, best_alpha, rate, 1.0 - rate);
        mixture.is_ok_and(|mixture| mixture.log_e(count - number * rate, variance * number) < threshold)
    };
    let lower = if successes == 0 { 0.0 } else { root::bisect(0.0, estimate, |rate| !is_inside(rate)) };
    let upper = if successes == trials { 1.0 } else { root::bisect(estimate, 1.0, is_inside) };
    Ok(Interval::new(lower, upper))
}
