//! The judge of Kayenta: a Mann-Whitney interval for each metric, a weighted score of all.
//!
//! Read from its source at `a69573be`, and checked with the values of its own tests. Its defects are kept, each named
//! where it stands:
//!
//! - a root is searched with an absolute tolerance of 1e-4, so that the verdict depends on the unit of the metric
//!   ([`compare`]);
//! - the tolerance is a quarter of the *estimated* shift, which is no margin ([`classify`]);
//! - an effect size that cannot be computed counts as great ([`classify`]);
//! - data that broke the test are in no denominator, so that a run of nothing but errors scores 100 ([`score`]).
//!
//! ```
//! use serinus_core::simulate::rival::kayenta::{Classification, Judge, classify};
//!
//! // A regression of 14 %, found in seconds and not in microseconds.
//! let baseline: Vec<f64> = (0..40).map(|i| 1.0 + 0.01 * f64::from(i)).collect();
//! let canary: Vec<f64> = baseline.iter().map(|value| value + 0.17).collect();
//! let scaled = |sample: &[f64]| sample.iter().map(|value| value * 1e-6).collect::<Vec<_>>();
//! let judge = Judge::default();
//! assert_eq!(classify(&canary, &baseline, &judge), Classification::High);
//! assert_eq!(classify(&scaled(&canary), &scaled(&baseline), &judge), Classification::Pass);
//! ```

pub use crate::analysis::kayenta::{
    Classification, Comparison, Direction, Judge, Judged, MissingValues, classify, compare, mean_ratio,
    score, wilcoxon_root,
};
