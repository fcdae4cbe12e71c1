//! Sums of centred yes-or-no observations.

use super::{Mixture, NormalMixture};
use crate::stats::{
    Undefined, positive,
    special::{ln_beta_lower, ln_dirichlet_scaled},
};

/// The mixture over a beta effect of a sub-Bernoulli process, whose increments lie between `−g` and `h`
/// (Howard et al. 2021, propositions 7 and 8). For successes of rate `p`, `g = p` and `h = 1 − p`.
///
/// With `w` the weight of the prior (`ρ` of the [`NormalMixture`] less `g h`), `r = g + h`,
/// `a = (w + v − g s)/(g r)` and `b = (w + v + h s)/(h r)`, `D = ln B(a, b) − a ln(h/r) − b ln(g/r)`, on one side plus
/// `ln I(h/r; a, b)`: `ln E` is `D` at the sum and its variance less `D` at 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BetaBinomialMixture {
    /// The weight of the prior, in the unit of the variance.
    weight: f64,
    below: f64,
    above: f64,
    one_sided: bool,
}

impl BetaBinomialMixture {
    /// Against a mean of 0 on either side; narrowest at the variance `variance` with error probability `alpha`.
    ///
    /// # Errors
    ///
    /// A `variance`, `below` or `above` that is not a finite number above 0, an `alpha` outside (0, 1).
    pub fn two_sided(variance: f64, alpha: f64, below: f64, above: f64) -> Result<Self, Undefined> {
        Self::of(NormalMixture::two_sided(variance, alpha)?, below, above, false)
    }

    /// Against a mean of at most 0; `alpha` must be below ½.
    ///
    /// # Errors
    ///
    /// As [`two_sided`](Self::two_sided); an `alpha` of ½ or more.
    pub fn one_sided(variance: f64, alpha: f64, below: f64, above: f64) -> Result<Self, Undefined> {
        Self::of(NormalMixture::one_sided(variance, alpha)?, below, above, true)
    }

    fn of(normal: NormalMixture, below: f64, above: f64, one_sided: bool) -> Result<Self, Undefined> {
        positive("below", below)?;
        positive("above", above)?;
        // The variance of one observation is part of the prior; a sliver of it must remain.
        let one = below * above;
        Ok(Self { weight: (normal.rho() - one).max(1e-3 * one), below, above, one_sided })
    }

    /// The integral with prior and data, over the likelihood of the null, in logarithms.
    fn ln_integral(&self, sum: f64, variance: f64) -> f64 {
        let Self { weight, below, above, one_sided } = *self;
        let range = below + above;
        let failures = (weight + variance - below * sum) / (below * range);
        let successes = (weight + variance + above * sum) / (above * range);
        if !(failures > 0.0 && successes > 0.0) {
            return f64::NAN;
        }
        let (share, rest) = (above / range, below / range);
        let whole = ln_dirichlet_scaled([(failures, share), (successes, rest)].into_iter());
        if one_sided { whole + ln_beta_lower(failures, successes, share) } else { whole }
    }
}

impl Mixture for BetaBinomialMixture {
    fn log_e(&self, sum: f64, variance: f64) -> f64 {
        self.ln_integral(sum, variance) - self.ln_integral(0.0, 0.0)
    }

    fn greatest_sum(&self, variance: f64) -> f64 {
        variance / self.below
    }
}
