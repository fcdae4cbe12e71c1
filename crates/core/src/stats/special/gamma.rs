//! The gamma function and its incomplete forms.

use libm::{exp, log, log1p};

use super::{LN_SQRT_2_PI, normal::erfc};

/// `ln Γ(x)` for `x > 0`.
pub fn ln_gamma(x: f64) -> f64 {
    if x > 0.0 { libm::lgamma(x) } else { f64::NAN }
}

/// The lower regularised incomplete gamma function `P(a, x)`, `a > 0`, `x ≥ 0`: the distribution function of a
/// gamma variable of shape `a`, and `P(N ≥ a)` of a Poisson count with mean `x`.
pub fn gamma_lower(a: f64, x: f64) -> f64 {
    exp(ln_gamma_lower(a, x))
}

/// The upper regularised incomplete gamma function `Q(a, x) = 1 − P(a, x)`.
pub fn gamma_upper(a: f64, x: f64) -> f64 {
    exp(ln_gamma_upper(a, x))
}

/// `ln P(a, x)`.
pub fn ln_gamma_lower(a: f64, x: f64) -> f64 {
    ln_tails(a, x).0
}

/// `ln Q(a, x)`.
pub fn ln_gamma_upper(a: f64, x: f64) -> f64 {
    ln_tails(a, x).1
}

/// `P(X > x)` of the chi-squared distribution with `freedom` degrees of freedom.
pub fn chi_squared_sf(x: f64, freedom: f64) -> f64 {
    if x <= 0.0 && freedom > 0.0 { 1.0 } else { gamma_upper(freedom * 0.5, x * 0.5) }
}

/// `P(X ≤ x)` of the chi-squared distribution with `freedom` degrees of freedom.
pub fn chi_squared_cdf(x: f64, freedom: f64) -> f64 {
    if x <= 0.0 && freedom > 0.0 { 0.0 } else { gamma_lower(freedom * 0.5, x * 0.5) }
}

/// `x ln(x/m) + m − x`, the Poisson deviance, without cancellation where `x ≈ m`.
pub(crate) fn deviance(x: f64, m: f64) -> f64 {
    if x == 0.0 {
        return m;
    }
    let difference = x - m;
    if difference.abs() < 0.1 * (x + m) {
        // ln(x/m) = 2 artanh v, v = (x − m)/(x + m); the first term meets m − x in closed form.
        let v = difference / (x + m);
        let mut sum = difference * v;
        let mut power = 2.0 * x * v;
        let mut odd = 3.0;
        loop {
            power *= v * v;
            let next = sum + power / odd;
            // Not `<`: NaN must end it too.
            if next == sum || next.is_nan() {
                return next;
            }
            sum = next;
            odd += 2.0;
        }
    }
    x * log(x / m) - difference
}

/// `ln Γ(x) − [(x − ½) ln x − x + ln √(2π)]`: what Stirling's formula leaves.
pub(crate) fn stirling_remainder(x: f64) -> f64 {
    if x < 10.0 {
        return libm::lgamma(x) - ((x - 0.5) * log(x) - x + LN_SQRT_2_PI);
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    // Bernoulli numbers: B₂ₖ / (2k (2k − 1)).
    inverse
        * (1.0 / 12.0
            + square
                * (-1.0 / 360.0
                    + square
                        * (1.0 / 1260.0
                            + square
                                * (-1.0 / 1680.0
                                    + square
                                        * (1.0 / 1188.0
                                            + square * (-691.0 / 360_360.0 + square * (1.0 / 156.0)))))))
}

/// `ln P` and `ln Q`.
fn ln_tails(a: f64, x: f64) -> (f64, f64) {
    if a.is_nan() || x.is_nan() || a <= 0.0 || a.is_infinite() || x < 0.0 {
        return (f64::NAN, f64::NAN);
    }
    if x == 0.0 {
        return (f64::NEG_INFINITY, 0.0);
    }
    if x.is_infinite() {
        return (0.0, f64::NEG_INFINITY);
    }
    if a >= UNIFORM_FROM
        && ((x - a) / a).abs() < UNIFORM_WITHIN
        && let Some(tails) = uniform(a, x)
    {
        return tails;
    }
    let ln_prefactor = 0.5 * log(a) - LN_SQRT_2_PI - stirling_remainder(a) - deviance(a, x);
    if x < a + 1.0 {
        let ln_lower = (ln_prefactor + log(series(a, x) / a)).min(0.0);
        (ln_lower, ln_complement(ln_lower))
    } else {
        let ln_upper = (ln_prefactor + log(continued_fraction(a, x))).min(0.0);
        (ln_complement(ln_upper), ln_upper)
    }
}

/// `ln(1 − exp(x))`.
pub(super) fn ln_complement(x: f64) -> f64 {
    if x > -0.693 { log(-libm::expm1(x)) } else { log1p(-exp(x)) }
}

/// `Σ xⁿ / ((a+1)…(a+n))`.
fn series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (1.0, 1.0, a);
    for _ in 0..MOST_TERMS {
        n += 1.0;
        term *= x / n;
        sum += term;
        if sum.is_nan() || term < sum * f64::EPSILON * 0.25 {
            break;
        }
    }
    sum
}

/// Legendre's continued fraction, by Lentz's method.
fn continued_fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut h = d;
    let mut i = 0.0;
    for _ in 0..MOST_TERMS {
        i += 1.0;
        let numerator = -i * (i - a);
        b += 2.0;
        d = away_from_zero(numerator * d + b);
        c = away_from_zero(b + numerator / c);
        d = 1.0 / d;
        let factor = d * c;
        h *= factor;
        if factor.is_nan() || (factor - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    h
}

/// Temme's uniform expansion (DLMF 8.12.3, 8.12.7), two terms; `None` where a tail underflows.
fn uniform(a: f64, x: f64) -> Option<(f64, f64)> {
    let relative = (x - a) / a;
    let half_square = deviance(a, x);
    let eta = (2.0 * half_square / a).sqrt().copysign(relative);
    let correction = if eta.abs() < 0.02 {
        -1.0 / 3.0
            + eta
                * (1.0 / 12.0
                    + eta
                        * (-2.0 / 135.0
                            + eta * (1.0 / 864.0 + eta * (1.0 / 2835.0 - eta * 139.0 / 777_600.0))))
    } else {
        1.0 / relative - 1.0 / eta
    };
    let root = half_square.sqrt().copysign(eta);
    let rest = exp(-half_square - LN_SQRT_2_PI) / a.sqrt() * correction;
    let (lower, upper) = (0.5 * erfc(-root) - rest, 0.5 * erfc(root) + rest);
    (lower > SMALLEST && upper > SMALLEST).then(|| (ln_share(lower, upper), ln_share(upper, lower)))
}

/// `ln of_this` where the two shares make one, from the smaller.
pub(super) fn ln_share(of_this: f64, other: f64) -> f64 {
    if of_this < other { log(of_this) } else { log1p(-other) }
}

pub(super) fn away_from_zero(value: f64) -> f64 {
    if value.abs() < TINY { TINY } else { value }
}

const TINY: f64 = 1e-300;
/// A share below this is taken from the continued fraction, in logarithms.
pub(super) const SMALLEST: f64 = 1e-280;
/// Both expansions meet here with an error below 10⁻¹².
pub(super) const UNIFORM_FROM: f64 = 1e7;
pub(super) const UNIFORM_WITHIN: f64 = 0.3;
/// Near the mean the terms needed grow as the root of the parameter; below [`UNIFORM_FROM`] fewer than this.
pub(super) const MOST_TERMS: u32 = 200_000;
