//! What candidate and stable are compared by, with a name.

use serde::{Deserialize, Serialize};

use crate::{
    analysis::{Compared, Comparison, Metric},
    metric::Query,
    time::GoDuration,
};

/// One thing by which candidate and stable are compared, window by window.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[must_use = "a measure does nothing until a strategy has it"]
#[non_exhaustive]
pub struct Measure {
    /// The name people see; unique within the strategy.
    pub name: String,
    /// How the two are compared.
    #[serde(default)]
    pub compare: Comparison,
    /// What is asked, with the counts of both arms ([`Arms`](crate::metric::Arms)) as its answer; [`Query::ARMS`]
    /// without this, which every provider knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Query>,
    /// The length of a window; [`Comparison::INTERVAL`] by default.
    #[serde(default = "Measure::default_every")]
    pub every: GoDuration,
}

impl Measure {
    /// Compares what every provider counts: requests, failures and latency.
    pub fn new(name: impl Into<String>, compare: Comparison) -> Self {
        Self { name: name.into(), compare, query: None, every: Self::default_every() }
    }

    /// Asks for counts of its own, such as orders.
    pub fn asking(mut self, query: Query) -> Self {
        self.query = Some(query);
        self
    }

    /// The length of a window.
    pub const fn every(mut self, length: GoDuration) -> Self {
        self.every = length;
        self
    }

    /// The failures and the latency of both.
    pub(super) fn defaults() -> Vec<Self> {
        [("failures", Compared::Failures), ("latency", Compared::Latency)]
            .map(|(name, compared)| Self::new(name, Comparison::of(compared)))
            .into()
    }

    /// The metric, compared for this long at most. It has no end of its own: it runs beside the steps.
    pub(super) fn metric(self, horizon: GoDuration, sample_ratio: bool) -> Metric {
        let sample_ratio = sample_ratio || self.compare.sample_ratio;
        let compare = Comparison { horizon: Some(horizon), sample_ratio, ..self.compare };
        let metric = Metric { interval: Some(self.every), count: None, ..compare.metric(self.name) };
        match self.query {
            Some(query) => Metric { query, ..metric },
            None => metric,
        }
    }

    const fn default_every() -> GoDuration {
        Comparison::INTERVAL
    }
}
