//! The strategies of the field, as specifications that compile to a [`Plan`].
//!
//! Each is plain data: built by methods that read like prose, or read from somebody's own configuration by serde
//! (and described to them by `JsonSchema` with the feature `schema`).
//!
//! ```
//! use serinus_core::{
//!     analysis::{Analysis, Judge, Metric},
//!     metric::{Number, Query},
//!     rollout::{Plan, PlanSpec},
//!     strategy::{BlueGreen, Canary, RollingUpdate},
//!     time::GoDuration,
//!     traffic::Weight,
//! };
//!
//! let at_least_99 = Judge::Range { min: Some(Number::new(99.0)), max: None };
//! let success = Query::builtin(Query::SUCCESS_RATE, GoDuration::from_mins(1));
//! let healthy = Analysis::of("healthy", [Metric::new("success-rate", success, at_least_99)]);
//!
//! // 5 %, ten minutes, a look at the metrics, then everybody.
//! let canary = Canary::new(10).weight(Weight::percent(5.0)).hold(GoDuration::from_mins(10)).analyse(healthy.clone());
//! // The new side is looked at in private first; the old side is kept for half an hour.
//! let blue_green = BlueGreen::new(10).analyse_before(healthy).keep_old(GoDuration::from_mins(30));
//! // Pods replaced in batches of a quarter.
//! let rolling = RollingUpdate::new(10);
//!
//! for spec in [PlanSpec::from(canary), blue_green.into(), rolling.into()] {
//!     Plan::try_from(spec)?;
//! }
//! # Ok::<(), serinus_core::rollout::PlanError>(())
//! ```
//!
//! [`Plan`]: crate::rollout::Plan

pub use self::{
    blue_green::{BlueGreen, Promotion},
    canary::{Beside, Canary, CanaryStep},
    experiment::{Cohort, Conclusion, Experiment, Stop},
    measure::Measure,
    replace::{Recreate, RollingUpdate},
    shadow::{AfterShadow, Agreement, Shadow},
};

mod blue_green;
mod canary;
mod experiment;
mod measure;
mod replace;
mod shadow;
