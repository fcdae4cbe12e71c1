//! Mixture boundaries, the confidence sequences made of them, and the mixture sequential probability ratio tests.
//!
//! A process `S` with variance process `V` (sums of centred observations and of their variances, say) is compared with
//! a boundary that it crosses at any time with probability at most `α`. Each [`Mixture`] averages the likelihood of
//! such a process over effects, so that one boundary serves all sizes. After Howard, Ramdas, McAuliffe & Sekhon 2021
//! (arXiv 1810.08240); the asymptotic form is of Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024 (arXiv
//! 2103.06476).

use libm::log;

use super::{Undefined, not_negative, probability, special::root};
pub use asymptotic::{AsymptoticMean, asymptotic_half_width, asymptotic_tuning, asymptotic_tuning_exact};
pub use beta_binomial::BetaBinomialMixture;
pub use normal::NormalMixture;
pub use sequential_ratio::{
    NormalRatio, bernoulli_log_ratio, normal_log_ratio, normal_ratio_radius, poisson_log_ratio,
};
pub use sub_gamma::{GammaExponentialMixture, GammaPoissonMixture};

mod asymptotic;
mod beta_binomial;
mod normal;
mod sequential_ratio;
mod sub_gamma;

/// A mixture over effects of the likelihood of a process.
pub trait Mixture {
    /// The logarithm of the e-value of the process at `sum` with variance process `variance ≥ 0`, both in the unit
    /// of the sum (the variance in its square). Grows with `sum`; NaN for arguments that no process can have.
    fn log_e(&self, sum: f64, variance: f64) -> f64;

    /// The largest sum that a process with this variance can have.
    fn greatest_sum(&self, variance: f64) -> f64 {
        let _ = variance;
        f64::INFINITY
    }

    /// The boundary: the sum at which the e-value reaches `1/alpha`, or the greatest sum there is.
    fn bound(&self, variance: f64, alpha: f64) -> Result<f64, Undefined> {
        let threshold = -log(probability("alpha", alpha)?);
        not_negative("variance", variance)?;
        let is_below = |sum: f64| self.log_e(sum, variance) < threshold;
        let mut greatest = self.greatest_sum(variance);
        if greatest.is_infinite() {
            greatest = root::beyond(variance.sqrt().max(1e-9), is_below);
        }
        if is_below(greatest) {
            return Ok(greatest);
        }
        Ok(root::bisect(0.0, greatest, is_below))
    }
}
