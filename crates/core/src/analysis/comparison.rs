//! Comparing candidate with stable, window by window.
//!
//! Thresholds do not scale with traffic, pooled totals break under a ramp while the base rate drifts, and a test at
//! each look rolls healthy candidates back. A comparison does none of that: within each window the failures of both arms
//! are split by chance in the ratio of their requests if the candidate is no worse, whatever the base rate is just then.
//! The likelihood of what is seen is compared with that, over a grid of rate ratios, and multiplied over the windows:
//! an e-process ([`stats::grid`](crate::stats::grid)), valid at every look.
//!
//! Two of them run at once. One gathers evidence that the candidate is *worse* than [`Comparison::margin`] times
//! stable; reaching `1 / error probability` fails the analysis. The other gathers evidence that it is *not worse* than
//! [`Comparison::safety_margin`] times stable; only that passes it, or evidence that it fails less often than anybody
//! minds ([`Comparison::negligible`]). Not enough data is neither.

use serde::{Deserialize, Serialize};

pub use self::{
    dispersal::Dispersal,
    error::ComparisonError,
    evidence::Evidence,
    findings::Findings,
    objection::Objection,
    verdict::{Verdict, Why},
};
use super::{Analysis, AnalysisError, Judge, Metric};
pub use crate::metric::Window;
use crate::{
    metric::{Number, Query},
    time::GoDuration,
};

mod dispersal;
mod error;
mod evidence;
mod findings;
mod latency;
mod objection;
mod rare;
mod sentence;
mod standing;
mod verdict;

/// How candidate and stable are compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "a specification that people write")]
pub struct Comparison {
    /// What is compared.
    pub of: Compared,
    /// How many times stable's rate is still no harm, at least 1. 1.1 by default: a tenth more is forgiven, as no two
    /// sets of instances are quite equal.
    pub margin: Number,
    /// A pass is evidence that the candidate's rate is below this many times stable's; more than
    /// [`Comparison::margin`]. 1.5 by default.
    pub safety_margin: Number,
    /// The probability with which a healthy candidate may be failed, ever, however often it is looked at; `0 < p < 1`.
    /// Without it the metric takes its part, by [`Comparison::weight`], of what the plan has left of
    /// [`Comparison::ERROR_PROBABILITY`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_probability: Option<Number>,
    /// A share of failed requests that nobody minds, whatever stable's is: evidence that the candidate's is below it
    /// is a pass, too. Without it, a service in which nothing ever fails could never pass. `0 <= p < 1`, with 0 for
    /// none; 0.001 by default. Only for [`Compared::Failures`]; of latencies it is [`Comparison::RARELY_SLOW`].
    pub negligible: Number,
    /// The probability with which each of the two ways to pass may err, ever: for a candidate at the safety margin or
    /// beyond, and for one that fails as often as [`Comparison::negligible`] or more, or at some edge is slow as often as
    /// [`Comparison::RARELY_SLOW`] or more. One that is both passes with at
    /// most twice this probability. `0 < p < 1`; 0.05 by default.
    pub miss_probability: Number,
    /// This metric's part of the plan's error probability, relative to the other metrics. 1 by default.
    pub weight: u32,
    /// Whether a failure takes the candidate back. If not, it pauses the rollout as an inconclusive end does. True by
    /// default.
    pub critical: bool,
    /// The least number of the candidate's requests before it can pass, counted since the analysis was begun for this
    /// step or beside these steps; of a latency, since its edges were chosen. 100 by default. A failure needs no minimum.
    pub least_requests: u64,
    /// What happens this long after a change of weight is not compared: connections drain, caches are cold. 10 s by
    /// default.
    pub settle: GoDuration,
    /// How much time may be compared before the metric ends inconclusively, unless it passed before; windows without
    /// data of one arm count, too. None: any. One hour by default.
    pub horizon: Option<GoDuration>,
    /// Whether to check that the requests are split as the route says. Only where requests are split one by one: with
    /// sticky subjects or connections their number differs from the weight by nature, and with a match or a mirror in
    /// force no split is planned: a plan that checks it there is refused. False by default.
    pub sample_ratio: bool,
    /// How many times more the counts vary within a window than independent requests would, at least 1; evidence is
    /// divided by it, and intervals are widened. A number, estimated with
    /// [`stats::dispersion`](crate::stats::dispersion) from two groups of stable instances in windows like these, or
    /// [calibrated](Dispersal::Calibrated) during the rollout. 1 by default.
    pub dispersion: Dispersal,
}

/// What is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Compared {
    /// The share of requests that fail; more is harm.
    #[default]
    Failures,
    /// The share of requests that come to what was hoped for, counted as failures are; less is harm.
    Successes,
    /// How long requests take: the share above each of up to twelve edges of a histogram; more is harm.
    ///
    /// Harm is looked for at every edge above stable's median. A pass is evidence at each of those that at least 1 % of
    /// stable's requests exceed, or at the lowest if there is none: what is rarer never gets certain, so that a pass
    /// says nothing of a tail beyond the 99th percentile.
    Latency,
}

/// The probabilities of error of one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "there are two kinds of error")]
pub struct Strictness {
    /// That a healthy candidate is failed.
    pub error: f64,
    /// That one passes by either of the two ways, each on its own ([`Comparison::miss_probability`]).
    pub miss: f64,
}

impl Comparison {
    /// The error probability with which requests that are split as planned count as split otherwise.
    pub const SPLIT_ERROR_PROBABILITY: f64 = 0.001;
    /// The error probability that the comparisons of one plan share, over all its analyses; outside a plan, those of one
    /// analysis. Each attempt has it anew.
    pub const ERROR_PROBABILITY: f64 = 0.01;
    /// Of latencies, the share of the candidate's requests above an edge that nobody minds: evidence that it is below is
    /// as good as a comparison at that edge. Edges that fewer of stable's requests exceed are looked at for harm only.
    pub const RARELY_SLOW: f64 = 0.01;
    /// How often both arms are asked, unless the metric says otherwise.
    pub const INTERVAL: GoDuration = GoDuration::from_secs(15);

    /// A comparison with the defaults.
    pub fn of(compared: Compared) -> Self {
        Self { of: compared, ..Self::default() }
    }

    /// A metric that compares, asked every 15 seconds, and that passes as soon as there is evidence for it.
    pub fn metric(self, name: impl Into<String>) -> Metric {
        let query = Query { window: None, ..Query::builtin(Query::ARMS, Self::INTERVAL) };
        Metric {
            interval: Some(Self::INTERVAL),
            count: Some(1),
            ..Metric::new(name, query, Judge::Compare(Box::new(self)))
        }
    }

    /// The two comparisons that every service can have: its failures and its latency.
    ///
    /// Failures have three quarters of the error probability: there are few of them, so that evidence is dear, while of
    /// latency every request tells something.
    pub fn defaults() -> [Metric; 2] {
        [("failures", Compared::Failures, 3), ("latency", Compared::Latency, 1)]
            .map(|(name, compared, weight)| Self { weight, ..Self::of(compared) }.metric(name))
    }

    fn check(&self) -> Result<(), (&'static str, String, &'static str)> {
        let is_probability = |number: Number| number.get() > 0.0 && number.get() < 1.0;
        let margin = self.margin.get();
        if !(margin.is_finite() && margin >= 1.0) {
            return Err(("margin", self.margin.to_string(), "a number from 1"));
        }
        if !(self.safety_margin.get().is_finite() && self.safety_margin.get() > margin) {
            return Err(("safetyMargin", self.safety_margin.to_string(), "a number above `margin`"));
        }
        if let Some(error) = self.error_probability.filter(|error| !is_probability(*error)) {
            return Err(("errorProbability", error.to_string(), "more than 0 and less than 1"));
        }
        if !(self.negligible.get() >= 0.0 && self.negligible.get() < 1.0) {
            return Err(("negligible", self.negligible.to_string(), "0 or more and less than 1"));
        }
        if !is_probability(self.miss_probability) {
            return Err((
                "missProbability",
                self.miss_probability.to_string(),
                "more than 0 and less than 1",
            ));
        }
        if !self.dispersion.is_usable() {
            let expected = "a number from 1, or 30 windows or more to calibrate in";
            return Err(("dispersion", self.dispersion.to_string(), expected));
        }
        if self.weight == 0 {
            return Err(("weight", self.weight.to_string(), "a number from 1"));
        }
        if self.settle.is_negative() {
            return Err(("settle", self.settle.to_string(), "zero or more"));
        }
        match self.horizon {
            Some(horizon) if horizon <= GoDuration::ZERO => {
                Err(("horizon", horizon.to_string(), "more than zero"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Default for Comparison {
    fn default() -> Self {
        Self {
            of: Compared::default(),
            margin: Number::new(1.1),
            safety_margin: Number::new(1.5),
            error_probability: None,
            negligible: Number::new(0.001),
            miss_probability: Number::new(0.05),
            weight: 1,
            critical: true,
            least_requests: 100,
            settle: GoDuration::from_secs(10),
            horizon: Some(GoDuration::from_mins(60)),
            sample_ratio: false,
            dispersion: Dispersal::default(),
        }
    }
}

impl Analysis {
    /// Failures and latency of both arms, compared until there is evidence for a verdict ([`Comparison::defaults`]): for
    /// a step that is to wait for it.
    pub fn comparison(name: impl Into<String>) -> Self {
        Self::of(name, Comparison::defaults())
    }

    /// The same metrics without an end: for a background, where what passed is looked at further, and what has not
    /// passed once holds the promotion.
    #[must_use]
    pub fn without_end(mut self) -> Self {
        for metric in &mut self.metrics {
            metric.count = None;
        }
        self
    }

    /// Whether a metric that decides compares candidate and stable.
    pub fn compares(&self) -> bool {
        self.metrics.iter().any(|metric| !metric.dry_run && metric.comparison().is_some())
    }

    /// Both probabilities of error of a comparison.
    pub(in crate::analysis) fn strictness(&self, comparison: &Comparison) -> Strictness {
        Strictness { error: self.error_probability(comparison), miss: comparison.miss_probability.get() }
    }

    /// The error probability that a comparison has: its own, or its part of what is left. That of a plan with several
    /// analyses is smaller: ask the analysis [of the plan](crate::rollout::Plan::analysis_at).
    pub fn error_probability(&self, comparison: &Comparison) -> f64 {
        if let Some(own) = comparison.error_probability {
            return own.get();
        }
        let others = || self.metrics.iter().filter(|metric| !metric.dry_run).filter_map(Metric::comparison);
        let taken: f64 = others().filter_map(|other| other.error_probability).map(Number::get).sum();
        let parts: f64 = others()
            .filter(|other| other.error_probability.is_none())
            .map(|other| f64::from(other.weight))
            .sum();
        let left = (Comparison::ERROR_PROBABILITY - taken).max(0.0);
        // A dry run decides nothing and takes nothing from the others.
        left * f64::from(comparison.weight) / parts.max(f64::from(comparison.weight))
    }

    pub(super) fn check_comparisons(&self) -> Result<(), AnalysisError> {
        for (index, metric) in self.metrics.iter().enumerate() {
            let Some(comparison) = metric.comparison() else { continue };
            let fault = |(field, value, expected)| AnalysisError::BadComparison {
                place: format!("analysis `{}`: metrics[{index}].judge.compare", self.name),
                field,
                value,
                expected,
            };
            comparison.check().map_err(fault)?;
            if self.rounds.is_some() {
                let value = metric.name.clone();
                return Err(fault((
                    "of",
                    value,
                    "an analysis without `rounds`: give comparisons one of their own",
                )));
            }
            if metric.interval.is_none_or(|interval| interval <= GoDuration::ZERO) {
                let value =
                    metric.interval.map_or_else(|| "none".to_owned(), |interval| interval.to_string());
                return Err(fault(("interval", value, "the length of a window, such as 15s")));
            }
            let probability = self.error_probability(comparison);
            if probability <= 0.0 {
                return Err(fault((
                    "errorProbability",
                    probability.to_string(),
                    "something left of 0.01 for the metrics without one: give each its own, or lower the others",
                )));
            }
        }
        Ok(())
    }
}

impl Metric {
    /// How the metric compares, if it does.
    pub fn comparison(&self) -> Option<&Comparison> {
        match &self.judge {
            Judge::Compare(comparison) => Some(&**comparison),
            _ => None,
        }
    }
}
