//! What makes an analysis one that can be run.

use std::collections::BTreeSet;

use super::{Analysis, Metric};
use crate::time::GoDuration;

impl Analysis {
    /// Whether the analysis comes to a verdict even if nothing goes wrong.
    pub fn ends_by_itself(&self) -> bool {
        self.rounds.is_some()
            || self.metrics.iter().all(|metric| {
                metric.effective_count().is_some()
                    || metric.consecutive_success_limit.is_some_and(|limit| limit > 0)
            })
    }

    /// Checks what a run relies on.
    ///
    /// # Errors
    ///
    /// If there is no metric, two have one name, or the numbers of one contradict each other.
    pub fn validate(&self) -> Result<(), AnalysisError> {
        if self.metrics.is_empty() {
            return Err(AnalysisError::NoMetrics { analysis: self.name.clone() });
        }
        let mut names = BTreeSet::new();
        for (index, metric) in self.metrics.iter().enumerate() {
            let place = || format!("analysis `{}`: metrics[{index}]", self.name);
            if metric.name.is_empty() {
                return Err(AnalysisError::UnnamedMetric { place: place() });
            }
            if !names.insert(metric.name.as_str()) {
                return Err(AnalysisError::DuplicateMetric { place: place(), metric: metric.name.clone() });
            }
            metric.check_times(&place)?;
            MetricNumbers::from(metric)
                .check()
                .map_err(|cause| AnalysisError::Metric { place: place(), cause })?;
        }
        self.check_comparisons()?;
        match &self.rounds {
            Some(rounds) if rounds.passes == 0 => {
                Err(AnalysisError::NoRounds { analysis: self.name.clone() })
            }
            Some(rounds) if rounds.interval.is_negative() => Err(AnalysisError::BadTime {
                place: format!("analysis `{}`: rounds", self.name),
                field: "interval",
                value: rounds.interval,
                expected: "zero or more",
            }),
            Some(_) | None => Ok(()),
        }
    }
}

impl Metric {
    fn check_times(&self, place: &dyn Fn() -> String) -> Result<(), AnalysisError> {
        let fault =
            |field, value, expected| AnalysisError::BadTime { place: place(), field, value, expected };
        if let Some(interval) = self.interval.filter(|interval| interval.is_negative()) {
            return Err(fault("interval", interval, "zero or more"));
        }
        if self.initial_delay.is_negative() {
            return Err(fault("initialDelay", self.initial_delay, "zero or more"));
        }
        if self.timeout <= GoDuration::ZERO {
            return Err(fault("timeout", self.timeout, "more than zero"));
        }
        Ok(())
    }
}

/// The numbers of a metric as a manifest of Argo Rollouts gives them, and the rules between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "set up by readers of manifests")]
pub struct MetricNumbers {
    /// How many measurements; zero is as good as none given.
    pub count: Option<i64>,
    /// Time between measurements.
    pub interval: Option<GoDuration>,
    /// Failures allowed; -1 allows any number.
    pub failure_limit: Option<i64>,
    /// Inconclusive measurements allowed.
    pub inconclusive_limit: Option<i64>,
    /// Errors in a row allowed.
    pub consecutive_error_limit: Option<i64>,
    /// Successes in a row that end the metric; zero is as good as none given.
    pub consecutive_success_limit: Option<i64>,
}

impl MetricNumbers {
    /// Checks the rules of Argo Rollouts.
    ///
    /// # Errors
    ///
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), MetricRule> {
        let count = self.count.unwrap_or(0);
        let failures = self.failure_limit.unwrap_or(0);
        let successes = self.consecutive_success_limit.unwrap_or(0);
        let inconclusive = self.inconclusive_limit.unwrap_or(0);
        if count > 0 && failures >= 0 && successes >= 0 && count < failures.saturating_add(successes) {
            return Err(MetricRule::CountTooSmall { count, failures, successes });
        }
        if count > 0 && count < inconclusive {
            return Err(MetricRule::CountBelowInconclusive { count, inconclusive });
        }
        if count > 1 && self.interval.is_none() {
            return Err(MetricRule::NoInterval);
        }
        if failures < -1 {
            return Err(MetricRule::FailureLimit { value: failures });
        }
        for (field, value) in [
            ("count", count),
            ("inconclusiveLimit", inconclusive),
            ("consecutiveErrorLimit", self.consecutive_error_limit.unwrap_or(0)),
            ("consecutiveSuccessLimit", successes),
        ] {
            if value < 0 {
                return Err(MetricRule::Negative { field, value });
            }
        }
        Ok(())
    }
}

/// Checks that a metric of a manifest names exactly one provider.
///
/// # Errors
///
/// If it names none, or several.
pub const fn check_providers(providers: usize) -> Result<(), MetricRule> {
    match providers {
        0 => Err(MetricRule::NoProvider),
        1 => Ok(()),
        _ => Err(MetricRule::SeveralProviders),
    }
}

impl From<&Metric> for MetricNumbers {
    fn from(metric: &Metric) -> Self {
        Self {
            count: metric.count.map(Into::into),
            interval: metric.interval,
            failure_limit: Some(metric.failure_limit.map_or(-1, Into::into)),
            inconclusive_limit: Some(metric.inconclusive_limit.into()),
            consecutive_error_limit: Some(metric.consecutive_error_limit.into()),
            consecutive_success_limit: metric.consecutive_success_limit.map(Into::into),
        }
    }
}

/// A rule between the numbers of a metric that is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricRule {
    /// Too few measurements for a limit ever to be reached.
    #[error(
        "count ({count}) must be >= failureLimit + consecutiveSuccessLimit ({failures} + {successes}) if both >= 0"
    )]
    CountTooSmall {
        /// The count.
        count: i64,
        /// The failure limit.
        failures: i64,
        /// The limit of successes in a row.
        successes: i64,
    },
    /// Likewise for inconclusive measurements.
    #[error("count ({count}) must be >= inconclusiveLimit ({inconclusive})")]
    CountBelowInconclusive {
        /// The count.
        count: i64,
        /// The limit.
        inconclusive: i64,
    },
    /// Several measurements without time between them.
    #[error("interval must be specified when count > 1")]
    NoInterval,
    /// Nobody to ask.
    #[error("no provider specified: name one")]
    NoProvider,
    /// Several to ask.
    #[error("multiple providers specified: keep one, and make a metric of each other")]
    SeveralProviders,
    /// A failure limit that means nothing.
    #[error("failureLimit must be >= 0, or -1 to be disabled, not {value}")]
    FailureLimit {
        /// The limit.
        value: i64,
    },
    /// A negative number.
    #[error("{field} must be >= 0, not {value}")]
    Negative {
        /// The field.
        field: &'static str,
        /// Its value.
        value: i64,
    },
}

/// Why an analysis cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnalysisError {
    /// Nothing is measured.
    #[error("analysis `{analysis}` has no metrics: add at least one")]
    NoMetrics {
        /// The analysis.
        analysis: String,
    },
    /// A metric nobody can talk about.
    #[error("{place} has no name: give it one")]
    UnnamedMetric {
        /// Where it stands.
        place: String,
    },
    /// Two metrics with one name.
    #[error("{place}: two metrics have the same name '{metric}': rename one")]
    DuplicateMetric {
        /// Where the second stands.
        place: String,
        /// The name.
        metric: String,
    },
    /// Numbers that contradict each other.
    #[error("{place}: {cause}")]
    Metric {
        /// Where it stands.
        place: String,
        /// The broken rule.
        cause: MetricRule,
    },
    /// A length of time out of range.
    #[error("{place}: {field} is {value}: expected {expected}")]
    BadTime {
        /// Where it stands.
        place: String,
        /// The field.
        field: &'static str,
        /// Its value.
        value: GoDuration,
        /// What would be right.
        expected: &'static str,
    },
    /// A comparison that cannot be made.
    #[error("{place}: {field} is {value}: expected {expected}")]
    BadComparison {
        /// Where it stands.
        place: String,
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// An analysis in rounds that asks for none.
    #[error("analysis `{analysis}` is to pass 0 rounds: set `passes` to at least 1")]
    NoRounds {
        /// The analysis.
        analysis: String,
    },
}
