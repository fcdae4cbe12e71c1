//! The normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

use libm::{exp, log, log1p};

use super::LN_SQRT_2_PI;

/// The complementary error function, `1 − erf(x)` without the cancellation.
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// The error function, `2/√π ∫₀ˣ exp(−t²) dt`.
pub fn erf(x: f64) -> f64 {
    libm::erf(x)
}

/// The density of the standard normal distribution.
pub fn normal_density(x: f64) -> f64 {
    exp(-0.5 * x * x - LN_SQRT_2_PI)
}

/// `P(Z ≤ x)` of the standard normal distribution.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x * FRAC_1_SQRT_2)
}

/// `P(Z > x)` of the standard normal distribution, with full relative precision in the upper tail.
pub fn normal_sf(x: f64) -> f64 {
    0.5 * erfc(x * FRAC_1_SQRT_2)
}

/// `ln P(Z ≤ x)`: finite far beyond the place where the probability itself vanishes.
///
/// ```
/// use serinus_core::stats::special::ln_normal_cdf;
///
/// assert!((ln_normal_cdf(-100.0) + 5005.524_208_694_205).abs() < 1e-9);
/// ```
pub fn ln_normal_cdf(x: f64) -> f64 {
    if x > 0.0 {
        log1p(-normal_sf(x))
    } else if x > ASYMPTOTIC_BELOW {
        log(normal_cdf(x))
    } else {
        ln_scaled_normal_cdf(x) - 0.5 * x * x
    }
}

/// `ln P(Z ≤ x) + x²/2`, without the cancellation of the two far below 0.
pub(crate) fn ln_scaled_normal_cdf(x: f64) -> f64 {
    if x > ASYMPTOTIC_BELOW {
        return ln_normal_cdf(x) + 0.5 * x * x;
    }
    // Abramowitz & Stegun 26.2.12, whose terms shrink until they are below the last bit.
    let inverse_square = 1.0 / (x * x);
    let (mut term, mut sum, mut odd) = (1.0, 1.0, 1.0);
    for _ in 0..20 {
        term *= -odd * inverse_square;
        sum += term;
        odd += 2.0;
    }
    log(sum) - log(-x) - LN_SQRT_2_PI
}

/// The `x` at which `P(Z ≤ x) = p`; infinite at 0 and 1.
pub fn normal_quantile(p: f64) -> f64 {
    if p.is_nan() || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 0.0 {
        return f64::NEG_INFINITY;
    }
    if p == 1.0 {
        return f64::INFINITY;
    }
    let from_middle = p - 0.5;
    if from_middle.abs() < 0.1 {
        let mut x = from_middle / normal_density(0.0);
        for _ in 0..NEWTON_STEPS {
            x -= (0.5 * erf(x / SQRT_2) - from_middle) / normal_density(x);
        }
        return x;
    }
    // 1 − p is exact above a half.
    if p < 0.5 { lower_quantile(p) } else { -lower_quantile(1.0 - p) }
}

/// Newton's method on the logarithm, which is concave, from Abramowitz & Stegun 26.2.23.
fn lower_quantile(p: f64) -> f64 {
    let target = log(p);
    let t = (-2.0 * target).sqrt();
    let numerator = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let denominator = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let mut x = numerator / denominator - t;
    for _ in 0..NEWTON_STEPS {
        let value = ln_normal_cdf(x);
        let slope = exp(-0.5 * x * x - LN_SQRT_2_PI - value);
        x -= (value - target) / slope;
    }
    x
}

/// From four digits, each step doubles them.
const NEWTON_STEPS: u32 = 4;
const ASYMPTOTIC_BELOW: f64 = -14.0;
