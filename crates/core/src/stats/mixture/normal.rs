//! Sub-Gaussian processes.

use libm::{log, log1p};
use serde::{Deserialize, Serialize};

use super::Mixture;
use crate::stats::{Undefined, not_negative, positive, probability, require, special::ln_scaled_normal_cdf};

/// The mixture over a normal effect, for sums whose increments are no wilder than normal ones.
///
/// Two-sided `ln E = ½ ln(ρ/(v+ρ)) + s²/(2(v+ρ))`; one-sided, over positive effects only,
/// `½ ln(4ρ/(v+ρ)) + s²/(2(v+ρ)) + ln Φ(s/√(v+ρ))`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct NormalMixture {
    rho: f64,
    one_sided: bool,
}

impl NormalMixture {
    /// Against a mean of 0 on either side; narrowest at the variance `variance` with error probability `alpha`.
    ///
    /// # Errors
    ///
    /// A `variance` that is not a finite number above 0, an `alpha` outside (0, 1).
    pub fn two_sided(variance: f64, alpha: f64) -> Result<Self, Undefined> {
        positive("variance", variance)?;
        let twice = -2.0 * log(probability("alpha", alpha)?);
        Ok(Self { rho: variance / (twice + log1p(twice)), one_sided: false })
    }

    /// Against a mean of at most 0; narrowest at the variance `variance` with error probability `alpha`, which must
    /// be below ½.
    ///
    /// # Errors
    ///
    /// A `variance` that is not a finite number above 0, an `alpha` outside (0, ½).
    pub fn one_sided(variance: f64, alpha: f64) -> Result<Self, Undefined> {
        require("alpha", alpha, alpha > 0.0 && alpha < 0.5, "between 0 and 1/2, both excluded")?;
        Ok(Self { one_sided: true, ..Self::two_sided(variance, 2.0 * alpha)? })
    }

    /// The variance `ρ` of the sum at which the prior weighs as much as the data.
    pub fn rho(&self) -> f64 {
        self.rho
    }
}

impl Mixture for NormalMixture {
    fn log_e(&self, sum: f64, variance: f64) -> f64 {
        let total = variance + self.rho;
        if self.one_sided {
            0.5 * log(4.0 * self.rho / total) + ln_scaled_normal_cdf(sum / total.sqrt())
        } else {
            0.5 * log(self.rho / total) + sum * sum / (2.0 * total)
        }
    }

    fn bound(&self, variance: f64, alpha: f64) -> Result<f64, Undefined> {
        if self.one_sided {
            return OneSided(*self).bound(variance, alpha);
        }
        not_negative("variance", variance)?;
        let twice = -2.0 * log(probability("alpha", alpha)?);
        Ok(((variance + self.rho) * (log1p(variance / self.rho) + twice)).sqrt())
    }
}

/// The same, with the boundary found by search.
struct OneSided(NormalMixture);

impl Mixture for OneSided {
    fn log_e(&self, sum: f64, variance: f64) -> f64 {
        self.0.log_e(sum, variance)
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    rho: f64,
    one_sided: bool,
}

impl From<NormalMixture> for Stored {
    fn from(NormalMixture { rho, one_sided }: NormalMixture) -> Self {
        Self { rho, one_sided }
    }
}

impl TryFrom<Stored> for NormalMixture {
    type Error = Undefined;

    fn try_from(Stored { rho, one_sided }: Stored) -> Result<Self, Undefined> {
        Ok(Self { rho: positive("rho", rho)?, one_sided })
    }
}
