//! The judge of Kayenta: a Mann-Whitney interval for each metric, a weighted score of all.
//!
//! For those who have a canary config of Kayenta and want it judged without the service: [`CanaryConfig`] reads it,
//! [`CanaryConfig::judge`] scores what both scopes did, and [`KayentaProvider`] asks any
//! [`MetricProvider`](crate::port::MetricProvider) for that, so that a metric of a plan can be such a score
//! ([`CanaryAnalysis::query`]). An Argo Rollouts manifest with a `kayenta` metric compiles to one.
//!
//! It is no recommendation. A sample of this judge is a minute, not a request, so its power does not grow with traffic;
//! and no error probability holds if it is asked again and again. [`comparison`](super::comparison) does better on both.
//!
//! # What is as in Kayenta, and what is not
//!
//! [`assess`], [`compare`] and [`score`] are Kayenta's at `a69573be`, checked with the values of its own tests; their
//! defects are kept, each named where it stands, for they are what Kayenta would have said:
//!
//! - a root is searched with an absolute tolerance of 1e-4, so that the verdict depends on the unit of the metric
//!   ([`compare`]);
//! - the tolerance is a quarter of the *estimated* shift, which is no margin ([`Judge::tolerance`]);
//! - an effect size that cannot be computed counts as great ([`assess`]);
//! - data that broke the test are in no denominator, so that a run of nothing but errors scores 100 ([`score`]).
//!
//! [`CanaryConfig::judge`], which decides about rollouts, takes the safe side of those that pass what nobody looked at:
//!
//! - values are scaled up to a common spread first, so that the unit plays no part;
//! - a metric whose test cannot be worked out counts as one without data, and stays critical;
//! - where a scope has no values at all, `nanStrategy: replace` makes them zeros, which are then compared, instead of
//!   a pass;
//! - if no metric has a value in the experiment, there is no score.
//!
//! ```
//! use serinus_core::analysis::kayenta::{CanaryConfig, Classification, Values};
//!
//! let config: CanaryConfig = r#"{
//!   "metrics": [{
//!     "name": "errors",
//!     "query": {"type": "prometheus", "customInlineTemplate": "PromQL:sum(rate(errors{app=\"${scope}\"}[1m]))"},
//!     "groups": ["health"],
//!     "analysisConfigurations": {"canary": {"direction": "increase", "critical": true}}
//!   }],
//!   "classifier": {"groupWeights": {"health": 100}}
//! }"#
//! .parse()?;
//!
//! let control: Vec<f64> = (0..20).map(|minute| 10.0 + f64::from(minute % 3)).collect();
//! let experiment = control.iter().map(|rate| rate * 1.5).collect();
//! let judgement = config
//!     .judge(&[("errors".to_owned(), Values { control, experiment })].into())
//!     .ok_or("no data")?;
//! assert_eq!(judgement.score, 0.0);
//! assert_eq!(judgement.metrics["errors"], Classification::High);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod brent;
mod config;
mod interval;
mod judge;
mod provider;
mod score;

pub use self::{
    config::{CanaryConfig, ConfigError, Judgement, Values},
    interval::{Comparison, compare, wilcoxon_root},
    judge::{
        Assessment, Classification, Direction, EffectSize, Judge, MissingValues, assess, classify, mean_ratio,
    },
    provider::{CanaryAnalysis, KayentaError, KayentaProvider, Scope, ScopePair},
    score::{Judged, score},
};
