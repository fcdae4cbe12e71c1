//! Shares of events: one proportion, and two compared.
//!
//! These are tests of one fixed sample. Looked at every minute, a z-test at 5 % rolls a third of the healthy canaries
//! back; to watch a rollout use [`grid`](super::grid).
//!
//! ```
//! use serinus_core::stats::proportions::{Proportion, newcombe_interval, pooled_z};
//!
//! let (control, candidate) = (Proportion::new(100, 10_000)?, Proportion::new(140, 10_000)?);
//! let test = pooled_z(control, candidate)?;
//! assert!(test.greater < 0.005, "more failures than chance explains");
//! let increase = newcombe_interval(control, candidate, 0.05)?;
//! assert!(increase.lower > 0.0 && increase.upper < 0.01);
//! # Ok::<(), serinus_core::stats::Undefined>(())
//! ```

mod non_inferiority;
mod one;
mod two;

pub use non_inferiority::{NonInferiority, score_non_inferiority, wald_non_inferiority};
pub use one::{clopper_pearson_interval, jeffreys_interval, wilson_interval};
pub use two::{
    agresti_caffo_interval, miettinen_nurminen_interval, newcombe_interval, pooled_z, score_z, wald_interval,
    wald_z,
};

use super::{Undefined, special};

/// Events among trials: failures among requests, say.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Proportion {
    events: u64,
    trials: u64,
}

impl Proportion {
    /// `events` among `trials`.
    ///
    /// # Errors
    ///
    /// No trials, or more events than trials.
    pub fn new(events: u64, trials: u64) -> Result<Self, Undefined> {
        if trials == 0 {
            return Err(Undefined::TooFew { what: "a proportion", got: 0, needed: 1 });
        }
        super::require("events", events as f64, events <= trials, "at most the number of trials")?;
        Ok(Self { events, trials })
    }

    /// The events.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The trials.
    pub const fn trials(&self) -> u64 {
        self.trials
    }

    /// Events over trials.
    pub fn share(&self) -> f64 {
        self.events as f64 / self.trials as f64
    }

    /// Trials without event, over trials; exact where [`share`](Self::share) is near one.
    fn rest(&self) -> f64 {
        (self.trials - self.events) as f64 / self.trials as f64
    }

    fn variance_of_mean(&self) -> f64 {
        self.share() * self.rest() / self.trials as f64
    }
}

/// A statistic that is standard normal under the null hypothesis, and its tails.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct NormalTest {
    /// The statistic; above 0 if the candidate's value is greater.
    pub z: f64,
    /// The probability of a statistic as far from 0.
    pub two_sided: f64,
    /// The probability of one as great, or greater: small if the candidate's value is greater.
    pub greater: f64,
    /// The probability of one as small, or smaller.
    pub less: f64,
}

impl NormalTest {
    pub(crate) fn new(z: f64) -> Self {
        Self {
            z,
            two_sided: special::erfc(z.abs() * std::f64::consts::FRAC_1_SQRT_2),
            greater: special::normal_sf(z),
            less: special::normal_cdf(z),
        }
    }
}

/// `z` beyond which `tail` of the standard normal lies.
fn upper_quantile(tail: f64) -> f64 {
    -special::normal_quantile(tail)
}

/// The difference of two shares, without cancellation where both are near one.
fn difference(control: Proportion, candidate: Proportion) -> f64 {
    if control.share() > 0.5 && candidate.share() > 0.5 {
        control.rest() - candidate.rest()
    } else {
        candidate.share() - control.share()
    }
}
