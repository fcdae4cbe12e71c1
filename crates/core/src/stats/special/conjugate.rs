//! The integrals of conjugate mixtures, in forms in which the large terms have cancelled already.

use libm::log;

use super::{
    LN_SQRT_2_PI,
    gamma::{deviance, stirling_remainder},
};

/// `Σ ln Γ(nᵢ) − ln Γ(n) − Σ nᵢ ln θᵢ`, `n = Σ nᵢ`: the Dirichlet integral over the likelihood at the shares `θᵢ`, which
/// add to 1.
pub(crate) fn ln_dirichlet_scaled(counts_and_shares: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let total: f64 = counts_and_shares.clone().map(|(count, _)| count).sum();
    let each: f64 = counts_and_shares.map(|(count, share)| ln_gamma_scaled(count, total * share)).sum();
    each - (LN_SQRT_2_PI - 0.5 * log(total) + stirling_remainder(total))
}

/// `ln Γ(a) − a ln m + m`: the gamma integral over the likelihood of a Poisson mean.
pub(crate) fn ln_gamma_scaled(a: f64, m: f64) -> f64 {
    deviance(a, m) - 0.5 * log(a) + LN_SQRT_2_PI + stirling_remainder(a)
}
