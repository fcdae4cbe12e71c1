//! The tests of GrowthBook's gbstats 0.8.

mod sample_ratio;
mod sequential;
mod welch;

pub use sample_ratio::check_sample_ratio;
pub use sequential::{sequential, sequential_rho};
pub use welch::{Arm, Report, welch};
