//! Special functions, accurate at counts up to 10⁹ and in tails down to 10⁻³⁰⁰.
//!
//! The error function, `lgamma`, logarithms and exponentials come from `libm`, the same code on every machine; the
//! rest stands here, because the incomplete beta function of `statrs` is wrong near the mean above about 10⁵
//! observations. Outside their domain all of these return NaN; none panics.
//!
//! | function | relative error, measured against 50 digits |
//! |---|---|
//! | normal distribution and quantile, `ln_gamma` | 10⁻¹³ |
//! | incomplete beta and gamma, Student's t | 10⁻¹² for parameters to 10⁵, 10⁻¹⁰ to 10⁹ |

mod beta;
mod conjugate;
mod gamma;
mod lambert;
mod normal;
pub(crate) mod root;
mod student;

pub use beta::{beta_lower, beta_quantile, beta_upper, ln_beta, ln_beta_lower, ln_beta_upper, ln_choose};
pub(crate) use conjugate::{ln_dirichlet_scaled, ln_gamma_scaled};
pub use gamma::{
    chi_squared_cdf, chi_squared_sf, gamma_lower, gamma_upper, ln_gamma, ln_gamma_lower, ln_gamma_upper,
};
pub(crate) use gamma::{deviance, stirling_remainder};
pub use lambert::lambert_w_minus_1;
pub(crate) use lambert::lambert_w_minus_1_of_exponential;
pub(crate) use normal::ln_scaled_normal_cdf;
pub use normal::{erf, erfc, ln_normal_cdf, normal_cdf, normal_density, normal_quantile, normal_sf};
pub use student::{student_t_cdf, student_t_quantile, student_t_sf};

/// ln √(2π).
pub(crate) const LN_SQRT_2_PI: f64 = 0.918_938_533_204_672_8;
