//! Its test of two means, and what it answers when there is no answer.

use crate::stats::{
    Interval,
    means::Difference,
    special::{student_t_cdf, student_t_quantile},
};

/// The sums of an arm.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Arm {
    /// Events among units.
    Proportion {
        /// Units.
        count: f64,
        /// Events.
        sum: f64,
    },
    /// Values of units.
    Mean {
        /// Units.
        count: f64,
        /// `Σ y`
        sum: f64,
        /// `Σ y²`
        squares: f64,
    },
}

impl Arm {
    pub(super) const fn count(self) -> f64 {
        match self {
            Self::Proportion { count, .. } | Self::Mean { count, .. } => count,
        }
    }

    /// The mean; 0 without units.
    pub(super) fn mean(self) -> f64 {
        let (Self::Proportion { count, sum } | Self::Mean { count, sum, .. }) = self;
        if count == 0.0 { 0.0 } else { sum / count }
    }

    /// The variance of one unit: `p (1 - p)` of a proportion, with divisor `n - 1` of a mean, 0 of a mean of one unit.
    pub(super) fn variance(self) -> f64 {
        match self {
            Self::Proportion { .. } => self.mean() * (1.0 - self.mean()),
            Self::Mean { count, .. } if count <= 1.0 => 0.0,
            Self::Mean { count, sum, squares } => (squares - sum * sum / count) / (count - 1.0),
        }
    }
}

/// What gbstats reports.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The estimate.
    pub expected: f64,
    /// Its interval.
    pub interval: Interval,
    /// The p-value, `2 (1 - F(|t|))`: all digits are lost below 1e-16.
    pub p: f64,
    /// The standard error.
    pub standard_error: f64,
    /// Why there is no answer. The p-value is then 1 and the interval from 0 to 0, as if nothing had happened: with no
    /// error in the control it never alarms, whatever the canary does.
    pub error: Option<&'static str>,
}

/// Welch's t, two-sided, on the absolute or the relative scale; the latter with the degrees of freedom of the former.
pub fn welch(control: Arm, canary: Arm, difference: Difference, alpha: f64) -> Report {
    let (first, second) = (control.variance() / control.count(), canary.variance() / canary.count());
    let (base, mean) = (control.mean(), canary.mean());
    let (expected, variance) = match difference {
        Difference::Absolute => (mean - base, first + second),
        Difference::Relative if base == 0.0 => (0.0, 0.0),
        Difference::Relative => {
            ((mean - base) / base.abs(), second / (base * base) + first * mean * mean / base.powi(4))
        }
    };
    let some_do_not_vary = control.variance() <= 0.0 || canary.variance() <= 0.0 || variance <= 0.0;
    if some_do_not_vary || variance.is_nan() {
        return Report {
            expected: 0.0,
            interval: Interval::new(0.0, 0.0),
            p: 1.0,
            standard_error: 0.0,
            error: Some("ZERO_NEGATIVE_VARIANCE"),
        };
    }
    let sum = first + second;
    let freedom =
        sum * sum / (second * second / (canary.count() - 1.0) + first * first / (control.count() - 1.0));
    let standard_error = variance.sqrt();
    let half = student_t_quantile(1.0 - alpha / 2.0, freedom) * standard_error;
    Report {
        expected,
        interval: Interval::new(expected - half, expected + half),
        p: 2.0 * (1.0 - student_t_cdf((expected / standard_error).abs(), freedom)),
        standard_error,
        error: None,
    }
}
