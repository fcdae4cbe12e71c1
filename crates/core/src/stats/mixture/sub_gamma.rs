//! Processes with heavier tails on one side: sub-exponential, sub-gamma and sub-Poisson.

use super::{Mixture, NormalMixture};
use crate::stats::{
    Undefined, positive,
    special::{ln_gamma_lower, ln_gamma_scaled, ln_gamma_upper},
};

/// The mixture over a gamma effect of a sub-exponential process: centred sums of exponential-like increments of scale
/// `c`, against a mean of at most 0 (Howard et al. 2021, proposition 9).
///
/// With `G(a, m) = ln Γ(a) − a ln m + m + ln P(a, m)`, `P` the lower regularised incomplete gamma function, and
/// `A = (v+ρ)/c²`: `ln E = G(A, A + s/c) − G(ρ/c², ρ/c²)`; `ρ` as in [`NormalMixture::one_sided`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GammaExponentialMixture {
    rho: f64,
    scale: f64,
}

/// The mixture over a gamma effect of a sub-Poisson process: centred counts with increments of size `c`, against a mean
/// of at most 0 (Howard et al. 2021, proposition 10).
///
/// With `H(a, m) = ln Γ(a) − a ln m + m + ln Q(a, m)`, `Q` the upper regularised incomplete gamma function, and
/// `A = (v+ρ)/c²`: `ln E = H(A + s/c, A) − H(ρ/c², ρ/c²)`; `ρ` as in [`NormalMixture::one_sided`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GammaPoissonMixture {
    rho: f64,
    scale: f64,
}

impl GammaExponentialMixture {
    /// Narrowest at the variance `variance` with error probability `alpha` (< ½); `scale`, in the unit of the sum.
    ///
    /// # Errors
    ///
    /// A `variance` or `scale` that is not a finite number above 0, an `alpha` outside (0, ½).
    pub fn new(variance: f64, alpha: f64, scale: f64) -> Result<Self, Undefined> {
        let rho = NormalMixture::one_sided(variance, alpha)?.rho();
        Ok(Self { rho, scale: positive("scale", scale)? })
    }
}

impl GammaPoissonMixture {
    /// Narrowest at the variance `variance` with error probability `alpha` (< ½); `scale`, in the unit of the sum.
    ///
    /// # Errors
    ///
    /// A `variance` or `scale` that is not a finite number above 0, an `alpha` outside (0, ½).
    pub fn new(variance: f64, alpha: f64, scale: f64) -> Result<Self, Undefined> {
        let rho = NormalMixture::one_sided(variance, alpha)?.rho();
        Ok(Self { rho, scale: positive("scale", scale)? })
    }
}

impl Mixture for GammaExponentialMixture {
    fn log_e(&self, sum: f64, variance: f64) -> f64 {
        let square = self.scale * self.scale;
        let prior = self.rho / square;
        let shape = (variance + self.rho) / square;
        let rate = shape + sum / self.scale;
        if rate <= 0.0 {
            // Far below 0; no evidence at all is a valid bound.
            return f64::NEG_INFINITY;
        }
        ln_gamma_scaled(shape, rate) - ln_gamma_scaled(prior, prior) + ln_gamma_lower(shape, rate)
            - ln_gamma_lower(prior, prior)
    }
}

impl Mixture for GammaPoissonMixture {
    fn log_e(&self, sum: f64, variance: f64) -> f64 {
        let square = self.scale * self.scale;
        let prior = self.rho / square;
        let rate = (variance + self.rho) / square;
        let shape = rate + sum / self.scale;
        if shape <= 0.0 {
            return f64::NEG_INFINITY;
        }
        ln_gamma_scaled(shape, rate) - ln_gamma_scaled(prior, prior) + ln_gamma_upper(shape, rate)
            - ln_gamma_upper(prior, prior)
    }
}
