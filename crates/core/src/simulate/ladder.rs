//! The ladder of weights that strategies are compared on.

use serde::{Deserialize, Serialize};

use super::simulation::SimulationError;
use crate::{
    analysis::{Analysis, Comparison, FailureBudget, Judge, Metric, Rounds},
    metric::{Number, Query},
    rollout::{Plan, PlanError},
    strategy::Canary,
    time::GoDuration,
    traffic::Weight,
};

/// Growing weights, each for the same number of looks: 5, 10, 20, 35 and 50 % for twelve minutes each, with a look
/// each minute, unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a specification that people write")]
pub struct Ladder {
    /// The weights, rising.
    pub weights: Vec<Weight>,
    /// Looks at each.
    pub looks_at_each: u32,
    /// Time before a look and between looks.
    pub interval: GoDuration,
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            weights: [5.0, 10.0, 20.0, 35.0, 50.0].map(Weight::percent).to_vec(),
            looks_at_each: 12,
            interval: GoDuration::from_mins(1),
        }
    }
}

impl Ladder {
    /// How long each weight is held.
    pub const fn hold(&self) -> GoDuration {
        self.interval.saturating_mul(self.looks_at_each as i64)
    }

    /// How many looks there are in all.
    pub fn looks(&self) -> u64 {
        u64::from(self.looks_at_each).saturating_mul(self.weights.len() as u64)
    }

    /// A canary that climbs this ladder by the clock, judged as [`Canary`] judges where nothing else is said.
    ///
    /// # Errors
    ///
    /// If weights fall.
    pub fn plan(&self) -> Result<Plan, PlanError> {
        Canary::between_variants().ladder(self.weights.iter().copied(), self.hold()).plan()
    }

    /// A canary that climbs this ladder by the clock, with an analysis beside it that may roll it back.
    ///
    /// # Errors
    ///
    /// If weights fall, or the analysis cannot be run.
    pub fn beside(&self, analysis: Analysis) -> Result<Plan, PlanError> {
        Canary::between_variants()
            .analyse_beside(analysis)
            .ladder(self.weights.iter().copied(), self.hold())
            .plan()
    }

    /// A canary that climbs this ladder by the clock while its failures are compared with stable's, at this strictness:
    /// the error probability with which a healthy candidate may be rolled back, and the margin that is forgiven.
    ///
    /// # Errors
    ///
    /// If weights fall, the error probability is not within `0..1`, or the margin is not from 1 to below 1.5.
    pub fn comparing(&self, error_probability: f64, margin: f64) -> Result<Plan, PlanError> {
        let comparison = Comparison {
            error_probability: Some(Number::new(error_probability)),
            margin: Number::new(margin),
            ..Comparison::default()
        };
        let metric = Metric { retention: 1, ..comparison.metric("failures") };
        self.beside(Analysis::of("comparison with stable", [metric]).without_end())
    }

    /// A canary as people write it for Argo Rollouts: a background analysis of the success rate, which rolls back when
    /// more than `failure_limit` measurements were below `least` percent.
    ///
    /// # Errors
    ///
    /// If weights fall, or the interval is not above zero.
    pub fn argo_thresholds(&self, least: f64, failure_limit: u32) -> Result<Plan, PlanError> {
        self.argo(self.success_rate(least), failure_limit)
    }

    /// As [`Ladder::argo_thresholds`], with measurements of the 99th percentile of the latency above `most` seconds.
    ///
    /// # Errors
    ///
    /// If weights fall, or the interval is not above zero.
    pub fn argo_latency_thresholds(&self, most: f64, failure_limit: u32) -> Result<Plan, PlanError> {
        self.argo(self.latency(most), failure_limit)
    }

    /// A canary as Flagger runs it: a check at each interval, the weight rises with the checks that pass, and
    /// `threshold` checks in all that saw a success rate below `least` percent roll back.
    ///
    /// # Errors
    ///
    /// If weights fall, or the interval is not above zero.
    pub fn flagger_thresholds(&self, least: f64, threshold: u32) -> Result<Plan, PlanError> {
        self.flagger(self.success_rate(least), threshold)
    }

    /// As [`Ladder::flagger_thresholds`], with checks that saw a 99th percentile of the latency above `most` seconds.
    ///
    /// # Errors
    ///
    /// If weights fall, or the interval is not above zero.
    pub fn flagger_latency_thresholds(&self, most: f64, threshold: u32) -> Result<Plan, PlanError> {
        self.flagger(self.latency(most), threshold)
    }

    /// Whether it can be climbed in a reasonable time.
    pub(super) fn check(&self) -> Result<(), SimulationError> {
        let Self { interval, .. } = *self;
        let looks = self.looks();
        if interval <= GoDuration::ZERO || looks == 0 || looks > MOST_LOOKS {
            return Err(SimulationError::Ladder { looks, interval });
        }
        Ok(())
    }

    fn argo(&self, metric: Metric, failure_limit: u32) -> Result<Plan, PlanError> {
        let metric = Metric {
            interval: Some(self.interval),
            initial_delay: self.interval,
            failure_limit: Some(failure_limit),
            retention: 1,
            ..metric
        };
        self.beside(Analysis::of("thresholds", [metric]))
    }

    fn flagger(&self, metric: Metric, threshold: u32) -> Result<Plan, PlanError> {
        let rounds = Rounds {
            interval: self.interval,
            passes: self.looks_at_each,
            budget: FailureBudget::Cumulative(threshold),
        };
        let metric = Metric { retention: 1, ..metric };
        let checks = Analysis { rounds: Some(rounds), ..Analysis::of("checks", [metric]) };
        self.weights
            .iter()
            .fold(Canary::between_variants(), |canary, weight| canary.weight(*weight).analyse(checks.clone()))
            .plan()
    }

    fn success_rate(&self, least: f64) -> Metric {
        let judge = Judge::Range { min: Some(Number::new(least)), max: None };
        Metric::new("success-rate", Query::builtin(Query::SUCCESS_RATE, self.interval), judge)
    }

    fn latency(&self, most: f64) -> Metric {
        let judge = Judge::Range { min: None, max: Some(Number::new(1000.0 * most)) };
        let query = Query::builtin(Query::DURATION, self.interval);
        Metric::new("latency", query, judge)
    }
}

const MOST_LOOKS: u64 = 100_000;
