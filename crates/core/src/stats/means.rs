//! Means, and ratios of means: Welch's t, the delta method, CUPED.
//!
//! All of it works on sums that can be kept in constant space and merged. The unit of observation is what was
//! randomised: a user, a session, an instance; not the request, if requests of one user fail together.
//!
//! ```
//! use serinus_core::stats::means::{Moments, welch_t};
//!
//! let control: Moments = [10.1, 9.9, 10.0, 10.2].into_iter().collect();
//! let candidate: Moments = [10.9, 11.2, 11.0, 10.8].into_iter().collect();
//! let test = welch_t(&control, &candidate)?;
//! assert!(test.p_greater() < 0.001);
//! assert!(test.interval(0.05)?.contains(0.9));
//! # Ok::<(), serinus_core::stats::Undefined>(())
//! ```

mod cuped;
mod effect;
mod moments;
mod ratio;

pub use cuped::{Covariate, Cuped, cuped};
pub use effect::{Difference, Effect, mean_effect, welch_non_inferiority, welch_t};
pub use moments::Moments;
pub use ratio::{RatioSums, ln_ratio_effect, ratio_effect};
