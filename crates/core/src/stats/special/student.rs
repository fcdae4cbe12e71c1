//! Student's t distribution.

use std::f64::consts::LN_2;

use libm::{exp, log};

use super::{
    beta::ln_tails,
    normal::{normal_quantile, normal_sf},
    root::{beyond, bisect},
};

/// `P(T > t)` of Student's distribution with `freedom > 0` degrees of freedom; infinite degrees are the normal.
pub fn student_t_sf(t: f64, freedom: f64) -> f64 {
    let tail = exp(ln_tail(t.abs(), freedom));
    if t < 0.0 { 1.0 - tail } else { tail }
}

/// `P(T ≤ t)`.
pub fn student_t_cdf(t: f64, freedom: f64) -> f64 {
    student_t_sf(-t, freedom)
}

/// The `t` at which `P(T ≤ t) = p`.
pub fn student_t_quantile(p: f64, freedom: f64) -> f64 {
    if !((0.0..=1.0).contains(&p) && freedom > 0.0) {
        return f64::NAN;
    }
    if p == 0.5 {
        return 0.0;
    }
    if p == 0.0 || p == 1.0 || freedom.is_infinite() {
        return normal_quantile(p);
    }
    let target = log(p.min(1.0 - p));
    let is_below = |t: f64| ln_tail(t, freedom) > target;
    let magnitude = bisect(0.0, beyond(1.0, is_below), is_below);
    if p < 0.5 { -magnitude } else { magnitude }
}

/// `ln P(T > t)` for `t ≥ 0`.
fn ln_tail(t: f64, freedom: f64) -> f64 {
    if t.is_nan() || freedom.is_nan() || freedom <= 0.0 {
        return f64::NAN;
    }
    if freedom.is_infinite() {
        return log(normal_sf(t));
    }
    let ratio = t / freedom.sqrt();
    let square = ratio * ratio;
    // Both sides by themselves: each is small somewhere.
    let (x, y) = (1.0 / (1.0 + square), 1.0 / (1.0 + 1.0 / square));
    ln_tails(freedom * 0.5, 0.5, x, y).0 - LN_2
}
