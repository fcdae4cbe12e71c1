//! Metrics measured over time, ending in a verdict.

use serde::{Deserialize, Serialize};

#[cfg(feature = "expr")]
pub use self::condition::{Condition, ConditionError, EvaluationError};
pub use self::{
    comparison::{Compared, Comparison},
    counters::{Counters, MetricStatus},
    judge::Judged,
    outcome::{Data, Outcome, Phase},
    time_expression::{TimeExpression, TimeExpressionError},
    validate::{AnalysisError, MetricNumbers, MetricRule, check_providers},
};
use crate::{
    metric::{Number, Query},
    time::GoDuration,
};

pub mod arguments;
pub mod comparison;
#[cfg(feature = "expr")]
mod condition;
mod counters;
mod judge;
pub mod kayenta;
mod outcome;
pub mod run;
pub mod template;
mod time_expression;
mod validate;

/// What must hold for a rollout to go on: metrics, and how their measurements add up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "a specification that people write")]
pub struct Analysis {
    /// The name people see.
    pub name: String,
    /// What is measured; at least one metric, names unique.
    pub metrics: Vec<Metric>,
    /// Measure all metrics together, in rounds, and count whole rounds, as Flagger does. Without it each metric
    /// keeps its own time and its own limits, as in Argo Rollouts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<Rounds>,
}

impl Analysis {
    /// An analysis of these metrics, each with its own time and limits.
    pub fn of(name: impl Into<String>, metrics: impl IntoIterator<Item = Metric>) -> Self {
        Self { name: name.into(), metrics: metrics.into_iter().collect(), rounds: None }
    }
}

/// All metrics measured together; a round passes if every metric does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "a specification that people write")]
pub struct Rounds {
    /// Time before the first round and between rounds.
    pub interval: GoDuration,
    /// Rounds that must pass, not necessarily in a row, before the analysis has passed.
    pub passes: u32,
    /// How many rounds may fail. Counted over the whole attempt: every step that names this analysis shares it.
    pub budget: FailureBudget,
}

/// How many failures end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum FailureBudget {
    /// This many failures in a row.
    Consecutive(u32),
    /// This many failures in all; a success between them does not forgive. What Flagger's `threshold` means.
    Cumulative(u32),
}

/// One metric: what is asked, when, and how the answers are judged.
///
/// The limits are those of Argo Rollouts: a metric fails when its count of failures *exceeds* the limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "a specification that people write")]
pub struct Metric {
    /// The name people see; unique within the analysis.
    pub name: String,
    /// What is asked.
    pub query: Query,
    /// How an answer is judged.
    pub judge: Judge,
    /// Time from the end of one measurement to the next. Needed if more than one is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<GoDuration>,
    /// Time before the first measurement.
    #[serde(default, skip_serializing_if = "GoDuration::is_zero")]
    pub initial_delay: GoDuration,
    /// How many measurements end the metric; errors do not count. Without it: one if there is no interval, endless
    /// otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Failures allowed; `None` allows any number.
    #[serde(default = "Metric::none_allowed")]
    pub failure_limit: Option<u32>,
    /// Inconclusive measurements allowed.
    #[serde(default)]
    pub inconclusive_limit: u32,
    /// Errors in a row allowed.
    #[serde(default = "Metric::default_error_limit")]
    pub consecutive_error_limit: u32,
    /// Successes in a row that end the metric well; `None`: no such end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consecutive_success_limit: Option<u32>,
    /// Measure and report, but do not let the result decide anything.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// How long an answer may take; after that the measurement is an error, and the answer is not heard.
    #[serde(default = "Metric::default_timeout")]
    pub timeout: GoDuration,
    /// How many measurements are kept in the state.
    #[serde(default = "Metric::default_retention")]
    pub retention: u32,
}

impl Metric {
    /// A metric measured once, with the field's default limits.
    pub fn new(name: impl Into<String>, query: Query, judge: Judge) -> Self {
        Self {
            name: name.into(),
            query,
            judge,
            interval: None,
            initial_delay: GoDuration::ZERO,
            count: None,
            failure_limit: Self::none_allowed(),
            inconclusive_limit: 0,
            consecutive_error_limit: Self::default_error_limit(),
            consecutive_success_limit: None,
            dry_run: false,
            timeout: Self::default_timeout(),
            retention: Self::default_retention(),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "the default of an optional field")]
    const fn none_allowed() -> Option<u32> {
        Some(0)
    }

    const fn default_error_limit() -> u32 {
        4
    }

    const fn default_timeout() -> GoDuration {
        GoDuration::from_secs(30)
    }

    const fn default_retention() -> u32 {
        10
    }
}

/// How an answer is judged.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Judge {
    /// By expressions over `result`, as in Argo Rollouts: a failure condition that holds fails, else a success
    /// condition that holds passes; if both are given and neither holds, the measurement is inconclusive.
    #[cfg(feature = "expr")]
    #[serde(rename_all = "camelCase")]
    Conditions {
        /// Holds if the measurement is good.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        success: Option<Condition>,
        /// Holds if the measurement is bad.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Condition>,
    },
    /// By a range of the one number that the answer is; both ends belong to it. As Flagger's `thresholdRange`.
    #[serde(rename_all = "camelCase")]
    Range {
        /// The least good value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<Number>,
        /// The greatest good value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<Number>,
    },
    /// By comparing the candidate with stable, window by window, until there is evidence. The query answers with the
    /// counts of both arms ([`Arms`](crate::metric::Arms)), as [`Query::ARMS`] does.
    Compare(Box<Comparison>),
}
