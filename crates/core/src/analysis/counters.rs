//! What the measurements of one metric add up to.

use serde::{Deserialize, Serialize};

use super::{Metric, Outcome, Phase};

/// How many measurements of one metric came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "plain counts, set up by hand in tables")]
pub struct Counters {
    /// Good ones.
    pub successful: u32,
    /// Bad ones.
    pub failed: u32,
    /// Ones that were neither.
    pub inconclusive: u32,
    /// Ones without an answer to judge.
    pub error: u32,
    /// Errors since the last measurement that was none.
    pub consecutive_error: u32,
    /// Successes since the last measurement that was none.
    pub consecutive_success: u32,
    /// All measurements but errors.
    pub count: u32,
}

impl Counters {
    /// Counts one measurement more.
    pub fn record(&mut self, outcome: Outcome) {
        let add = |counter: &mut u32| *counter = counter.saturating_add(1);
        add(match outcome {
            Outcome::Successful => &mut self.successful,
            Outcome::Failed => &mut self.failed,
            Outcome::Inconclusive => &mut self.inconclusive,
            Outcome::Error => &mut self.error,
            Outcome::Undecided => {
                self.consecutive_error = 0;
                return;
            }
        });
        if outcome == Outcome::Error {
            add(&mut self.consecutive_error);
        } else {
            add(&mut self.count);
            self.consecutive_error = 0;
        }
        if outcome == Outcome::Successful {
            add(&mut self.consecutive_success);
        } else {
            self.consecutive_success = 0;
        }
    }

    /// How far a metric with these counts is, and which limit it broke, if it broke one.
    ///
    /// Limits are strict: a limit of 3 allows three. If several are broken, an error outweighs an inconclusive end,
    /// and that a failure. `ending`: no further measurement will be taken, so what has broken no limit has passed.
    pub fn assess(&self, metric: &Metric, ending: bool) -> (Phase, String) {
        if let Some((phase, message)) = self.broken_limit(metric) {
            return (phase, message);
        }
        let enough = metric.consecutive_success_limit.filter(|limit| *limit > 0);
        if enough.is_some_and(|limit| self.consecutive_success >= limit) {
            return (Phase::Successful, String::new());
        }
        if metric.effective_count().is_some_and(|count| self.count >= count) {
            let in_a_row = self.consecutive_success;
            return match (metric.failure_limit, enough) {
                (_, None) => (Phase::Successful, String::new()),
                (None, Some(limit)) => (
                    Phase::Failed,
                    format!("consecutiveSuccess ({in_a_row}) < consecutiveSuccessLimit ({limit})"),
                ),
                (Some(failures), Some(limit)) => (
                    Phase::Inconclusive,
                    format!(
                        "consecutiveSuccess ({in_a_row}) < consecutiveSuccessLimit ({limit}) and failed ({}) <= failureLimit ({failures})",
                        self.failed
                    ),
                ),
            };
        }
        (if ending { Phase::Successful } else { Phase::Running }, String::new())
    }

    fn broken_limit(&self, metric: &Metric) -> Option<(Phase, String)> {
        if self.consecutive_error > metric.consecutive_error_limit {
            return Some((
                Phase::Error,
                format!(
                    "consecutiveErrors ({}) > consecutiveErrorLimit ({})",
                    self.consecutive_error, metric.consecutive_error_limit
                ),
            ));
        }
        if self.inconclusive > metric.inconclusive_limit {
            return Some((
                Phase::Inconclusive,
                format!(
                    "inconclusive ({}) > inconclusiveLimit ({})",
                    self.inconclusive, metric.inconclusive_limit
                ),
            ));
        }
        let limit = metric.failure_limit.filter(|limit| self.failed > *limit)?;
        Some((Phase::Failed, format!("failed ({}) > failureLimit ({limit})", self.failed)))
    }
}

/// What is known of one metric at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the whole input of a pure function")]
pub struct MetricStatus {
    /// How far it was said to be.
    pub phase: Phase,
    /// Whether there is any measurement, ended or not.
    pub measured: bool,
    /// Whether one has not ended yet.
    pub in_flight: bool,
    /// What those that have ended came to.
    pub counters: Counters,
}

impl MetricStatus {
    /// How far the metric is now, and why. An end stays; a measurement in flight is waited for; a metric that was never
    /// measured passes if it is `ending`, as there is nothing against it.
    pub fn assess(&self, metric: &Metric, ending: bool) -> (Phase, String) {
        if self.phase.is_over() {
            (self.phase, String::new())
        } else if self.in_flight {
            (Phase::Running, String::new())
        } else if self.measured {
            self.counters.assess(metric, ending)
        } else {
            (if ending { Phase::Successful } else { Phase::Pending }, String::new())
        }
    }
}

impl Metric {
    /// How many measurements end this metric; `None`: no number does. A count of zero counts as not given.
    pub fn effective_count(&self) -> Option<u32> {
        match (self.count.filter(|count| *count > 0), self.interval) {
            (Some(count), _) => Some(count),
            (None, None) => Some(1),
            (None, Some(_)) => None,
        }
    }
}
