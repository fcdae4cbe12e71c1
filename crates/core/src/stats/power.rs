//! Planning: how many observations a comparison needs, and how long a rollout will take to notice harm.
//!
//! The forms of the classical formulas differ by a few per cent; each function names its own. All give the sample size
//! as a real number, to be rounded up.
//!
//! ```
//! use serinus_core::stats::power::{Design, sample_size_unpooled, windows_to_detect};
//!
//! // Failures from 1 % to 1.5 %, at 5 % two-sided, with power 80 %, arms of equal size.
//! let n = sample_size_unpooled(0.01, 0.015, Design::new(0.05, 0.8)?)?;
//! assert!((n - 7746.8).abs() < 0.1);
//! // A doubling of 1 % at 6,000 requests a minute, 10 % of them to the candidate:
//! let minutes = windows_to_detect(5400.0 * 0.01, 0.1, 2.0, 0.05)?;
//! assert!(minutes < 10);
//! # Ok::<(), serinus_core::stats::Undefined>(())
//! ```

mod detection;
mod means;
mod proportions;

pub use detection::windows_to_detect;
pub use means::{power_of_t_test, sample_size_t, sample_size_z};
pub use proportions::{
    effect_h, power_of_pooled, sample_size_arcsine, sample_size_pooled, sample_size_unpooled,
};

use super::{Undefined, positive, probability, special};

/// The error probabilities of a planned comparison, and the sizes of its arms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Design {
    alpha: f64,
    power: f64,
    two_sided: bool,
    ratio: f64,
}

impl Design {
    /// A two-sided test of level `alpha` that finds the effect with probability `power`, with arms of equal size.
    ///
    /// # Errors
    ///
    /// Probabilities outside (0, 1).
    pub fn new(alpha: f64, power: f64) -> Result<Self, Undefined> {
        Ok(Self {
            alpha: probability("alpha", alpha)?,
            power: probability("power", power)?,
            two_sided: true,
            ratio: 1.0,
        })
    }

    /// The same, one-sided.
    #[must_use = "the design is a new one"]
    pub const fn one_sided(mut self) -> Self {
        self.two_sided = false;
        self
    }

    /// The same with `ratio` observations of the candidate for each of the control.
    ///
    /// # Errors
    ///
    /// A ratio that is not a finite number above 0.
    pub fn with_ratio(mut self, ratio: f64) -> Result<Self, Undefined> {
        self.ratio = positive("ratio", ratio)?;
        Ok(self)
    }

    /// The error probability of one side.
    fn tail(&self) -> f64 {
        if self.two_sided { self.alpha / 2.0 } else { self.alpha }
    }

    /// The normal quantile of the level.
    fn z_level(&self) -> f64 {
        -special::normal_quantile(self.tail())
    }

    /// The normal quantile of the power.
    fn z_power(&self) -> f64 {
        special::normal_quantile(self.power)
    }
}
