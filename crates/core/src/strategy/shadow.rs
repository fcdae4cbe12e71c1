//! Shadow: the candidate gets copies of requests, and nobody sees its answers.

use serde::{Deserialize, Serialize};

use super::{Canary, Measure};
use crate::{
    analysis::{Analysis, Judge, Metric},
    metric::{Number, Query},
    rollout::{Background, Capacity, Ending, Plan, PlanError, PlanSpec, ProgressDeadline, Step},
    time::GoDuration,
    traffic::Weight,
};

/// A share of stable's requests is copied to the candidate for a while; its answers are compared and thrown away. Then
/// it goes on to a [`Canary`], or stops, without ever having had a user.
///
/// What is looked at: the failures and the latency of both ([`Comparison`](crate::analysis::Comparison)), and, if
/// asked for, whether the answers to one request agree ([`Query::AGREEMENT`]). Evidence that the candidate is worse, or
/// too little agreement, ends it; without evidence that it is not worse, a canary does not begin before a person says
/// so.
///
/// Copies have effects: a service that writes must tell them apart, or not be shadowed.
///
/// ```
/// use serinus_core::{
///     metric::Number,
///     strategy::{Canary, Shadow},
///     time::GoDuration,
///     traffic::Weight,
/// };
///
/// let canary = Canary::new(4).weight(Weight::percent(5.0)).hold(GoDuration::from_mins(10));
/// let plan = Shadow::new(4, Weight::percent(20.0), GoDuration::from_mins(30))
///     .agreement(Number::new(99.5))
///     .then(canary)
///     .plan()?;
/// assert_eq!(plan.steps().len(), 5); // mirror, hold, mirror nothing, 5 %, hold
/// # Ok::<(), serinus_core::rollout::PlanError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[must_use = "a strategy does nothing until it is compiled to a plan"]
#[non_exhaustive]
pub struct Shadow {
    /// The share of stable's requests that is copied.
    pub share: Weight,
    /// How long.
    pub lasting: GoDuration,
    /// What candidate and stable are compared by. Failures and latency by default.
    #[serde(default = "Measure::defaults")]
    pub comparisons: Vec<Measure>,
    /// How often both must give the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Agreement>,
    /// What happens when all of that is good.
    pub then: AfterShadow,
    /// How long the world may take to follow; that of the canary without this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_deadline: Option<ProgressDeadline>,
}

/// How often both revisions must give the same answer to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "a specification that people write")]
pub struct Agreement {
    /// The least share of the pairs compared that agree, in percent, `0..=100`.
    pub at_least: Number,
    /// The least number of pairs compared before that share says anything; 100 by default.
    #[serde(default = "Agreement::default_pairs")]
    pub least_pairs: u32,
}

/// What happens after a [`Shadow`] that is good.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum AfterShadow {
    /// It ends, with what was found as its result.
    #[serde(rename_all = "camelCase")]
    Stop {
        /// Who runs how many instances.
        #[serde(default)]
        capacity: Capacity,
    },
    /// The steps of a canary follow, with its capacity.
    Canary(Box<Canary>),
}

impl Agreement {
    const fn default_pairs() -> u32 {
        100
    }
}

impl Shadow {
    /// Copies this share for this long, behind a router, for an application of this many instances; then stops.
    pub fn new(replicas: u32, share: Weight, lasting: GoDuration) -> Self {
        let capacity =
            Capacity::Routed { replicas, dynamic_stable: false, min_per_revision: 0, ready_enough: None };
        Self::with(capacity, share, lasting)
    }

    /// The same between two revisions that are always there, such as two models in one process.
    pub fn between_variants(share: Weight, lasting: GoDuration) -> Self {
        Self::with(Capacity::Unmanaged, share, lasting)
    }

    /// The same with this capacity.
    pub fn with(capacity: Capacity, share: Weight, lasting: GoDuration) -> Self {
        Self {
            share,
            lasting,
            comparisons: Measure::defaults(),
            agreement: None,
            then: AfterShadow::Stop { capacity },
            progress_deadline: None,
        }
    }

    /// Sets what candidate and stable are compared by, in place of failures and latency.
    pub fn comparisons(mut self, comparisons: impl IntoIterator<Item = Measure>) -> Self {
        self.comparisons = comparisons.into_iter().collect();
        self
    }

    /// Asks for the same answer in at least this share of a hundred pairs or more, in percent, `0..=100`.
    pub const fn agreement(mut self, at_least: Number) -> Self {
        self.agreement = Some(Agreement { at_least, least_pairs: Agreement::default_pairs() });
        self
    }

    /// Goes on with a canary, whose capacity is then that of the shadow.
    pub fn then(mut self, canary: Canary) -> Self {
        self.then = AfterShadow::Canary(Box::new(canary));
        self
    }

    /// How long the world may take to follow.
    pub const fn progress_deadline(mut self, deadline: ProgressDeadline) -> Self {
        self.progress_deadline = Some(deadline);
        self
    }

    /// The validated plan.
    ///
    /// # Errors
    ///
    /// If nothing is copied or nothing is looked at, there is no router, or the canary contradicts itself; see
    /// [`PlanError`].
    pub fn plan(self) -> Result<Plan, PlanError> {
        PlanSpec::from(self).try_into()
    }
}

impl From<Shadow> for PlanSpec {
    fn from(shadow: Shadow) -> Self {
        let Shadow { share, lasting, comparisons, agreement, then, progress_deadline } = shadow;
        let metrics = comparisons.into_iter().map(|measure| measure.metric(lasting, false));
        let agreement = agreement.map(|agreement| agreement.metric(lasting));
        let analysis = Analysis::of("shadow", metrics.chain(agreement));
        let mut steps = vec![Step::Mirror(share), Step::Hold(Some(lasting))];
        let mut background = vec![Background { analysis: 0, during: 0..steps.len() }];
        let mut analyses = vec![analysis];
        let plan = match then {
            AfterShadow::Stop { capacity } => Self { capacity, ends: Ending::Return, ..Self::default() },
            AfterShadow::Canary(canary) => {
                steps.push(Step::Mirror(Weight::ZERO));
                let mut canary = Self::from(*canary);
                let (before, known) = (steps.len(), analyses.len());
                steps.extend(canary.steps.drain(..).map(|step| match step {
                    Step::Analyse(analysis) => Step::Analyse(analysis + known),
                    other => other,
                }));
                background.extend(canary.background.drain(..).map(|beside| Background {
                    analysis: beside.analysis.saturating_add(known),
                    during: beside.during.start.saturating_add(before)
                        ..beside.during.end.saturating_add(before),
                }));
                analyses.append(&mut canary.analyses);
                canary
            }
        };
        let progress_deadline = progress_deadline.or(plan.progress_deadline);
        Self { steps, analyses, background, progress_deadline, ..plan }
    }
}

impl Agreement {
    /// Asked once, when the copies have been compared all the time.
    fn metric(self, lasting: GoDuration) -> Metric {
        let mut query = Query::builtin(Query::AGREEMENT, lasting);
        query.settings.insert(Query::LEAST_PAIRS.to_owned(), self.least_pairs.to_string());
        let judge = Judge::Range { min: Some(self.at_least), max: None };
        Metric { initial_delay: lasting, ..Metric::new("agreement", query, judge) }
    }
}
