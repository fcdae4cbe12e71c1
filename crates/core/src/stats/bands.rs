//! Bands on distribution functions and quantiles that hold at all times (Howard & Ramdas 2022, arXiv 1906.09712).
//!
//! They say everything about a distribution at once and are wide for it. To decide about latency take
//! [`exceedance`](super::exceedance).

use libm::{exp, log, log1p, pow};

use super::{
    Undefined,
    mixture::{BetaBinomialMixture, Mixture as _},
    not_negative, positive, probability, require,
    special::root,
};

/// The half-width of the band on a distribution function after `count` observations: `sup |Fₜ − F|` stays below
/// it at all times from `from` on with probability `1 − alpha`.
///
/// `A √((ln(1 + ln(t/m)) + C)/t)` with the least `C` for the factor `A > 1/√2`, 0.85 by default
/// ([`CDF_FACTOR`]); infinite before `from`. Independent observations of one distribution.
///
/// # Errors
///
/// A `count` that is not a finite number above 0, a `from` below 1, an `alpha` outside (0, 1), a `factor` that is not above
/// `1/√2`; a combination for which there is no `C`.
pub fn cdf_half_width(count: f64, from: f64, alpha: f64, factor: f64) -> Result<f64, Undefined> {
    positive("count", count)?;
    require("from", from, from >= 1.0 && from.is_finite(), "a finite number, 1 or above")?;
    probability("alpha", alpha)?;
    let least = std::f64::consts::FRAC_1_SQRT_2;
    require("factor", factor, factor > least && factor.is_finite(), "a finite number above 0.7072")?;
    if count < from {
        return Ok(f64::INFINITY);
    }
    let constant = least_constant(alpha, factor)?;
    Ok(factor * ((log1p(log(count / from)) + constant) / count).sqrt())
}

/// The same with the published constant, `0.85 √((ln ln(e t/m) + 0.8 ln(1612/α)) / t)`: a little wider, in closed form.
///
/// # Errors
///
/// As [`cdf_half_width`].
pub fn cdf_half_width_closed(count: f64, from: f64, alpha: f64) -> Result<f64, Undefined> {
    positive("count", count)?;
    require("from", from, from >= 1.0 && from.is_finite(), "a finite number, 1 or above")?;
    let logarithm = log(1612.0) - log(probability("alpha", alpha)?);
    if count < from {
        return Ok(f64::INFINITY);
    }
    Ok(CDF_FACTOR * ((log1p(log(count / from)) + 0.8 * logarithm) / count).sqrt())
}

/// The boundary of polynomial stitching on a sum with variance process `variance`, from the variance `from` on:
/// `√(k₁² v l + (k₂ c l)²) + k₂ c l`, `l = s ln ln(η v/m) + ln(ζ(s)/lnˢ η) + ln(1/α)`.
///
/// `scale` (`c ≥ 0`) is that of sub-gamma increments, 0 for sub-Gaussian ones; `exponent` (`s > 1`) and `ratio`
/// (`η > 1`) are usually 1.4 and 2. Grows like the law of the iterated logarithm, and is wider than a mixture in
/// practice (Howard et al. 2021, theorem 1).
///
/// # Errors
///
/// A `variance` or `scale` below 0, a `from` that is not above 0, an `alpha` outside (0, 1), an `exponent` or `ratio` that is
/// not above 1; NaN and infinities anywhere.
pub fn stitching_bound(
    variance: f64,
    alpha: f64,
    from: f64,
    scale: f64,
    exponent: f64,
    ratio: f64,
) -> Result<f64, Undefined> {
    not_negative("variance", variance)?;
    positive("from", from)?;
    not_negative("scale", scale)?;
    check_shape(exponent, ratio)?;
    let (first, second) = stitching_factors(ratio);
    let used = variance.max(from);
    let prior = log(zeta(exponent)) - exponent * log(log(ratio));
    let l = exponent * log(log(ratio * used / from)) + prior - log(probability("alpha", alpha)?);
    let linear = second * scale * l;
    Ok((first * first * used * l + linear * linear).sqrt() + linear)
}

/// The boundary, in observations, on how far the number of observations at or below the `quantile` may stray from
/// `quantile × count`, for all quantiles and all times from `from` on at once, by double stitching
/// (Howard & Ramdas 2022, theorem 3; `δ = 0.5`, `s = 1.4`, `η = 2`).
///
/// It is the upper boundary; that on the lower side is the upper one of `1 − quantile`.
///
/// # Errors
///
/// A `quantile` or `alpha` outside (0, 1), a `count` that is not a finite number above 0, a `from` below 1.
pub fn quantile_bound(quantile: f64, count: f64, alpha: f64, from: f64) -> Result<f64, Undefined> {
    probability("quantile", quantile)?;
    positive("count", count)?;
    require("from", from, from >= 1.0 && from.is_finite(), "a finite number, 1 or above")?;
    probability("alpha", alpha)?;
    let (first, second) = stitching_factors(RATIO);
    let used = count.max(from);
    let logit = log(quantile) - log1p(-quantile);
    let spread = if quantile >= 0.5 {
        quantile
    } else {
        (1.0 / (1.0 + exp(-logit - 2.0 * DELTA * (from * RATIO / used).sqrt()))).min(0.5)
    };
    let variance = spread * (1.0 - spread);
    let epoch = (used / from).sqrt() * logit.abs() / (2.0 * DELTA) + 1.0;
    let sum = zeta(EXPONENT);
    let l =
        EXPONENT * log(log(RATIO * used / from)) + EXPONENT * log(epoch) + log(2.0 * sum * (2.0 * sum + 1.0))
            - log(alpha)
            - EXPONENT * log(log(RATIO));
    let linear = second * (1.0 - 2.0 * quantile) / 3.0 * l;
    Ok(DELTA * (RATIO * used * variance / from).sqrt()
        + (first * first * variance * used * l + linear * linear).sqrt()
        + linear)
}

/// The anytime-valid p-value of "both samples have the same `quantile`", two-sided.
///
/// The evidence of each sample against a candidate value `x` of the quantile is the beta-binomial mixture on the count
/// of its observations at or below `x`; the p-value comes from the `x` that both samples reconcile best:
/// `min over x of (ln E₁(x) + ln E₂(x))`. Tuned to `best` observations at error probability `best_alpha`. Continuous
/// values, or ties handled as favourably to the hypothesis as can be. [`Undefined::TooFew`] for an empty sample; NaN
/// and infinities are refused.
///
/// # Errors
///
/// [`Undefined::TooFew`] for an empty sample; a value that is NaN or infinite, a `quantile` or `best_alpha` outside (0, 1), a
/// `best` that is not a finite number above 0.
pub fn quantile_p_value(
    first: &[f64],
    second: &[f64],
    quantile: f64,
    best: f64,
    best_alpha: f64,
) -> Result<f64, Undefined> {
    probability("quantile", quantile)?;
    positive("best", best)?;
    let variance = quantile * (1.0 - quantile);
    let mixture = BetaBinomialMixture::two_sided(best * variance, best_alpha, quantile, 1.0 - quantile)?;
    let [first, second] =
        [("the first sample", first), ("the second sample", second)].map(|(what, sample)| {
            if sample.is_empty() {
                return Err(Undefined::TooFew { what, got: 0, needed: 1 });
            }
            for value in sample {
                require("value", *value, value.is_finite(), "a finite number")?;
            }
            let mut sorted = sample.to_vec();
            sorted.sort_unstable_by(f64::total_cmp);
            Ok(Sorted::new(sorted, quantile, mixture))
        });
    let (first, second) = (first?, second?);
    let evidence = |x: f64| first.least(x) + second.least(x);
    // The sum can change only at observations.
    let least = first.values.iter().chain(&second.values).map(|x| evidence(*x)).fold(f64::INFINITY, f64::min);
    Ok(exp(-least).min(1.0))
}

struct Sorted {
    values: Vec<f64>,
    quantile: f64,
    mixture: BetaBinomialMixture,
    /// The number of observations at or below the quantile that speaks least against it.
    fairest: f64,
}

impl Sorted {
    fn new(values: Vec<f64>, quantile: f64, mixture: BetaBinomialMixture) -> Self {
        let number = values.len() as f64;
        let mut sorted = Self { values, quantile, mixture, fairest: 0.0 };
        sorted.fairest = root::minimise(0.0, number, |count| sorted.log_e(count)).0;
        sorted
    }

    /// The least evidence against `x` as the quantile, over the counts from below `x` to at most `x`.
    fn least(&self, x: f64) -> f64 {
        let less = self.values.partition_point(|value| *value < x) as f64;
        let at_most = self.values.partition_point(|value| *value <= x) as f64;
        // The evidence is convex in the count.
        self.log_e(self.fairest.clamp(less, at_most))
    }

    fn log_e(&self, count: f64) -> f64 {
        let expected = self.values.len() as f64 * self.quantile;
        self.mixture.log_e(count - expected, expected * (1.0 - self.quantile))
    }
}

/// The least `C` of the band of distribution functions.
fn least_constant(alpha: f64, factor: f64) -> Result<f64, Undefined> {
    let error = |constant: f64| {
        let at = |eta: f64| {
            let root = factor - (2.0 * (eta - 1.0) / constant).sqrt();
            let gamma = 2.0 / eta * root * root;
            if gamma <= 1.0 || root <= 0.0 {
                return f64::INFINITY;
            }
            // In logarithms: the error probability may be less than a double holds.
            log(4.0) - gamma * constant + log1p(1.0 / ((gamma - 1.0) * log(eta)))
        };
        let most = root::bisect(1.0, 2.0 * factor * factor, |eta| {
            (eta / 2.0).sqrt() + (2.0 * (eta - 1.0) / constant).sqrt() < factor
        });
        root::minimise(1.0, most, at).1
    };
    let target = log(alpha);
    let constant = root::bisect(0.0, root::beyond(5.0, |constant| error(constant) > target), |constant| {
        error(constant) > target
    });
    positive("factor", constant)
}

fn check_shape(exponent: f64, ratio: f64) -> Result<(), Undefined> {
    require("exponent", exponent, exponent > 1.0 && exponent <= 100.0, "above 1, at most 100")?;
    require("ratio", ratio, ratio > 1.0 && ratio.is_finite(), "a finite number above 1")?;
    Ok(())
}

/// `k₁ = (η^¼ + η^−¼)/√2` and `k₂ = (√η + 1)/2`.
fn stitching_factors(ratio: f64) -> (f64, f64) {
    let quarter = ratio.sqrt().sqrt();
    ((quarter + 1.0 / quarter) * std::f64::consts::FRAC_1_SQRT_2, (ratio.sqrt() + 1.0) * 0.5)
}

/// Riemann's ζ(s) for `s > 1`, by the formula of Euler and Maclaurin.
fn zeta(s: f64) -> f64 {
    let cut: f64 = 20.0;
    let head: f64 = (1..20).map(|n| pow(f64::from(n), -s)).sum();
    let power = pow(cut, -s);
    let mut tail = cut * power / (s - 1.0) + 0.5 * power;
    let mut term = s * power / cut;
    for (index, bernoulli) in BERNOULLI_OVER_FACTORIAL.iter().enumerate() {
        tail += bernoulli * term;
        let step = 2.0 * index as f64;
        term *= (s + step + 1.0) * (s + step + 2.0) / (cut * cut);
    }
    head + tail
}

/// The usual factor of [`cdf_half_width`].
pub const CDF_FACTOR: f64 = 0.85;
const DELTA: f64 = 0.5;
const EXPONENT: f64 = 1.4;
const RATIO: f64 = 2.0;
/// B₂ₖ/(2k)!, k from 1.
const BERNOULLI_OVER_FACTORIAL: [f64; 6] = [
    1.0 / 12.0,
    -1.0 / 720.0,
    1.0 / 30_240.0,
    -1.0 / 1_209_600.0,
    1.0 / 47_900_160.0,
    -691.0 / 1_307_674_368_000.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeta_has_its_known_values() {
        let pi = std::f64::consts::PI;
        assert!((zeta(2.0) - pi * pi / 6.0).abs() < 1e-14);
        assert!((zeta(4.0) - pi.powi(4) / 90.0).abs() < 1e-14);
        assert!((zeta(1.4) - 3.105_547_277_977_58).abs() < 1e-13, "{}", zeta(1.4));
    }
}
