//! Asymptotic confidence sequences: a normal mixture around any mean.

use libm::{log, log1p};
use serde::{Deserialize, Serialize};

use super::NormalMixture;
use crate::stats::{
    Interval, Side, Undefined, evidence::SchemaVersion, finite, positive, probability, require,
    special::lambert_w_minus_1_of_exponential,
};

/// `ρ²`, the tuning that makes the half-width small at `time` observations, in the closed form of Waudby-Smith et al.
/// (their equation 161): `(−2 ln α + ln(1 − 2 ln α)) / t`, with `2α` for one side.
///
/// # Errors
///
/// A `time` that is not a finite number above 0, an `alpha` outside (0, 1), for one side outside (0, ½).
pub fn asymptotic_tuning(time: f64, alpha: f64, side: Side) -> Result<f64, Undefined> {
    positive("time", time)?;
    let mixture = match side {
        Side::TwoSided => NormalMixture::two_sided(1.0, alpha)?,
        Side::Greater | Side::Less => NormalMixture::one_sided(1.0, alpha)?,
    };
    Ok(1.0 / (mixture.rho() * time))
}

/// `ρ²` that makes the two-sided half-width least at `time` observations: `(−W₋₁(−α²/e) − 1) / t`.
///
/// # Errors
///
/// A `time` that is not a finite number above 0, an `alpha` outside (0, 1).
pub fn asymptotic_tuning_exact(time: f64, alpha: f64) -> Result<f64, Undefined> {
    positive("time", time)?;
    let ln_alpha = log(probability("alpha", alpha)?);
    Ok((-lambert_w_minus_1_of_exponential(2.0 * ln_alpha - 1.0) - 1.0) / time)
}

/// The half-width of the sequence after `count` observations of standard deviation 1, with tuning `rho_squared`.
///
/// Two-sided `√(2(tρ²+1)/(t²ρ²) · ln(√(tρ²+1)/α))`; for one side the logarithm is of `1 + √(tρ²+1)/(2α)`.
/// The guarantee is of large samples: hold the verdict until each arm has had 50 events or so, and never use it for an
/// arm without any.
///
/// # Errors
///
/// A `count` or `rho_squared` that is not a finite number above 0, an `alpha` outside (0, 1).
pub fn asymptotic_half_width(count: f64, rho_squared: f64, alpha: f64, side: Side) -> Result<f64, Undefined> {
    positive("count", count)?;
    positive("rho_squared", rho_squared)?;
    probability("alpha", alpha)?;
    let grown = count * rho_squared;
    let logarithm = match side {
        Side::TwoSided => 0.5 * log1p(grown) - log(alpha),
        Side::Greater | Side::Less => log1p((grown + 1.0).sqrt() / (2.0 * alpha)),
    };
    Ok((2.0 * (grown + 1.0) / (count * grown) * logarithm).sqrt())
}

/// The mean of independent observations, with an asymptotic confidence sequence. State of three numbers.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AsymptoticMean {
    version: SchemaVersion,
    count: u64,
    mean: f64,
    /// The sum of squared deviations from the mean.
    squares: f64,
}

impl AsymptoticMean {
    /// Nothing observed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an observation; one that is not finite, or whose square is not, is refused and nothing has changed.
    ///
    /// # Errors
    ///
    /// A value that is not finite, or whose square is not; nothing has changed then.
    pub fn observe(&mut self, value: f64) -> Result<(), Undefined> {
        finite("value", value)?;
        let count = self.count.saturating_add(1);
        let difference = value - self.mean;
        let mean = self.mean + difference / count as f64;
        let squares = self.squares + difference * (value - mean);
        require("value", value, squares.is_finite(), "small enough that its square is finite")?;
        *self = Self { count, mean, squares, ..*self };
        Ok(())
    }

    /// Adds the observations of another sample, none of which is in both (Chan, Golub & LeVeque 1979).
    ///
    /// # Errors
    ///
    /// Values so large that the sum of squares is not finite; nothing has changed then.
    pub fn merge(&mut self, other: &Self) -> Result<(), Undefined> {
        if other.count == 0 {
            return Ok(());
        }
        let count = self.count.saturating_add(other.count);
        let share = other.count as f64 / count as f64;
        let difference = other.mean - self.mean;
        let mean = self.mean + difference * share;
        let between = difference * difference * share * self.count as f64;
        let squares = finite("value", self.squares + other.squares + between)?;
        *self = Self { count, mean, squares, ..*self };
        Ok(())
    }

    /// The mean; [`Undefined::TooFew`] before the first observation.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] before the first observation.
    pub fn estimate(&self) -> Result<f64, Undefined> {
        if self.count == 0 {
            return Err(Undefined::TooFew { what: "the sample", got: 0, needed: 1 });
        }
        Ok(self.mean)
    }

    /// The two-sided interval with tuning `rho_squared`, from two observations on, with the standard deviation of the
    /// sample (which divides by one less than the count).
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] before the second observation; a `rho_squared` that is not a finite number above 0, an `alpha`
    /// outside (0, 1).
    pub fn interval(&self, rho_squared: f64, alpha: f64) -> Result<Interval, Undefined> {
        if self.count < 2 {
            return Err(Undefined::TooFew { what: "the sample", got: self.count, needed: 2 });
        }
        let count = self.count as f64;
        let deviation = (self.squares / (count - 1.0)).sqrt();
        let half = deviation * asymptotic_half_width(count, rho_squared, alpha, Side::TwoSided)?;
        Ok(Interval::new(self.mean - half, self.mean + half))
    }
}
