//! Posterior distributions, to explain a result to people.
//!
//! Never to stop by: with a flat prior, "95 % chance to be worse" looked at every minute is the naive z rule, and rolls
//! a third of the healthy canaries back. Decide with [`grid`](super::grid).
//!
//! ```
//! use serinus_core::stats::{bayes::{Prior, compare_proportions}, proportions::Proportion};
//!
//! let (control, candidate) = (Proportion::new(50, 1000)?, Proportion::new(75, 1000)?);
//! let posterior = compare_proportions(control, candidate, Prior::UNIFORM)?;
//! assert!((posterior.chance_greater - 0.98946).abs() < 1e-5);
//! # Ok::<(), serinus_core::stats::Undefined>(())
//! ```

mod beta_binomial;
mod normal;

pub use beta_binomial::{Prior, ProportionPosterior, compare_proportions};
pub use normal::{EffectPosterior, NormalPrior, effect_posterior};
