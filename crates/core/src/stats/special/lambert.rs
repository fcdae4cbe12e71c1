//! Lambert's W function.

use libm::{exp, log};

/// The lower branch `W₋₁(x)` for `−1/e ≤ x < 0`: the `w ≤ −1` with `w exp(w) = x`.
pub fn lambert_w_minus_1(x: f64) -> f64 {
    if !(-INVERSE_E..0.0).contains(&x) {
        return f64::NAN;
    }
    // Near the branch point a series in √(2(1 + e x)), elsewhere the first terms of the asymptotic one.
    let from_branch = 2.0 * (1.0 + x * std::f64::consts::E);
    let mut w = if from_branch < 0.5 {
        let p = from_branch.max(0.0).sqrt();
        -1.0 - p * (1.0 + p * (1.0 / 3.0 + p * 11.0 / 72.0))
    } else {
        let logarithm = log(-x);
        logarithm - log(-logarithm)
    };
    // Newton's method on w + ln(−w) = ln(−x), which neither over- nor underflows.
    let target = log(-x);
    for _ in 0..STEPS {
        let slope = 1.0 + 1.0 / w;
        if slope == 0.0 {
            return w;
        }
        let next = w - (w + log(-w) - target) / slope;
        if next >= -1.0 {
            return w;
        }
        w = next;
    }
    // One step on w exp(w) itself, which is better conditioned near the branch point.
    let error = w * exp(w) - x;
    let slope = exp(w) * (w + 1.0);
    if slope.abs() > f64::MIN_POSITIVE && w > -50.0 { w - error / slope } else { w }
}

/// `W₋₁(−exp(y))` for `y ≤ −1`, where the argument itself may underflow.
pub(crate) fn lambert_w_minus_1_of_exponential(y: f64) -> f64 {
    if y > -700.0 {
        return lambert_w_minus_1(-exp(y));
    }
    let mut w = y - log(-y);
    for _ in 0..STEPS {
        w -= (w + log(-w) - y) / (1.0 + 1.0 / w);
    }
    w
}

/// 1/e.
const INVERSE_E: f64 = 0.367_879_441_171_442_33;
const STEPS: u32 = 8;
