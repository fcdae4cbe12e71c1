//! Its sequential test: an asymptotic confidence sequence on totals that are pooled over time.
//!
//! *The defects:* totals pooled over a ramp compare different base rates; an arm without events has no variance, and
//! then the p-value is 1; the one-sided p-value is searched for with an *absolute* tolerance of 10⁻⁶ on the end of the
//! interval, so that it depends on the unit, and never leaves 10⁻⁵ to 0.4999.

use libm::{exp, log};

use super::{Arm, Report};
use crate::stats::{
    Interval, Side, Undefined,
    means::Difference,
    mixture::{asymptotic_half_width, asymptotic_tuning},
};

/// The tuning `ρ` for `tuning` observations in both arms together.
pub fn sequential_rho(tuning: f64, alpha: f64, side: Side) -> Result<f64, Undefined> {
    Ok(asymptotic_tuning(tuning, alpha, side)?.sqrt())
}

/// The sequential test of the difference of canary and control, tuned for `tuning` observations (5000 by default).
pub fn sequential(
    control: Arm,
    canary: Arm,
    difference: Difference,
    alpha: f64,
    tuning: f64,
    side: Side,
) -> Result<Report, Undefined> {
    let (base, mean) = (control.mean(), canary.mean());
    let (first, second) = (control.variance(), canary.variance());
    if first <= 0.0 || second <= 0.0 || first.is_nan() || second.is_nan() {
        return Ok(no_answer("ZERO_NEGATIVE_VARIANCE"));
    }
    if base == 0.0 {
        return Ok(no_answer("ZERO_NEGATIVE_BASELINE_VARIATION"));
    }
    if side != Side::TwoSided && alpha >= 0.5 {
        return Ok(no_answer("ALPHA_GREATER_THAN_0.5_FOR_SEQUENTIAL_ONE_SIDED_TEST"));
    }
    let (first, second) = (first / control.count(), second / canary.count());
    let (expected, variance) = match difference {
        Difference::Absolute => (mean - base, first + second),
        Difference::Relative => {
            ((mean - base) / base.abs(), second / (base * base) + first * mean * mean / base.powi(4))
        }
    };
    let standard_error = variance.sqrt();
    let count = control.count() + canary.count();
    let rho_squared = asymptotic_tuning(tuning, alpha, side)?;
    // One observation of the difference has the variance of the estimate times the count.
    let half = |alpha: f64| -> Result<f64, Undefined> {
        Ok(standard_error * count.sqrt() * asymptotic_half_width(count, rho_squared, alpha, side)?)
    };
    let width = half(alpha)?;
    let (interval, p) = match side {
        Side::TwoSided => {
            let grown = count * rho_squared + 1.0;
            let z = expected / standard_error;
            let log_e = rho_squared * count * z * z / (2.0 * grown) - 0.5 * log(grown);
            (Interval::new(expected - width, expected + width), exp(-log_e).min(1.0))
        }
        Side::Greater => {
            (Interval::new(expected - width, f64::INFINITY), searched(|alpha| Ok(expected - half(alpha)?))?)
        }
        Side::Less => (
            Interval::new(f64::NEG_INFINITY, expected + width),
            searched(|alpha| Ok(-(expected + half(alpha)?)))?,
        ),
    };
    Ok(Report { expected, interval, p, standard_error, error: None })
}

/// The error probability at which the end of the interval, turned so that it grows with it, is "0"; NaN where the
/// search does not come to an end.
fn searched(end: impl Fn(f64) -> Result<f64, Undefined>) -> Result<f64, Undefined> {
    let (mut least, mut most) = (LEAST_P, MOST_P);
    if end(least)? > 0.0 {
        return Ok(least);
    }
    if end(most)? < 0.0 {
        return Ok(most);
    }
    for _ in 0..MOST_STEPS {
        let alpha = 0.5 * (least + most);
        let end = end(alpha)?;
        if end < 0.0 {
            least = alpha;
        } else {
            most = alpha;
        }
        if end.abs() < ABSOLUTE_TOLERANCE {
            return Ok(0.5 * (least + most));
        }
    }
    Ok(f64::NAN)
}

fn no_answer(error: &'static str) -> Report {
    Report {
        expected: 0.0,
        interval: Interval::new(0.0, 0.0),
        p: 1.0,
        standard_error: 0.0,
        error: Some(error),
    }
}

const LEAST_P: f64 = 1e-5;
const MOST_P: f64 = 0.4999;
const ABSOLUTE_TOLERANCE: f64 = 1e-6;
const MOST_STEPS: u32 = 100;
