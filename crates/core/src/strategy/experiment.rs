//! A/B test: a fixed cohort gets the candidate, and the result says with which certainty it does better or worse.

use serde::{Deserialize, Serialize};

use super::Measure;
use crate::{
    analysis::{Analysis, Comparison},
    rollout::{Background, Capacity, Ending, Plan, PlanError, PlanSpec, ProgressDeadline, Step},
    time::GoDuration,
    traffic::{Match, Weight},
};

/// A fixed cohort gets the candidate while one primary metric, and guardrails, compare it with stable.
///
/// All comparisons share one error probability, and their evidence is valid at every look
/// ([`Comparison`]): an experiment may be watched and stopped at any time without making its result less certain. The
/// cohort never changes while it runs.
///
/// - Evidence that the candidate is worse by a guardrail takes it back at once; by the primary metric it ends the
///   experiment, too.
/// - [`Stop`] says when it ends otherwise.
/// - [`Conclusion`] says what happens then: by default all traffic goes back to stable, and
///   [`Outcome::Returned`](crate::rollout::Outcome::Returned) holds the result: of each metric the share of both arms,
///   how many times the one is the other, each with its interval, and what that comes to.
///
/// ```
/// use serinus_core::{
///     analysis::{Compared, Comparison},
///     metric::Query,
///     strategy::{Cohort, Experiment, Measure, Stop},
///     time::GoDuration,
///     traffic::Weight,
/// };
///
/// let orders = Query::new("shop", "orders by revision");
/// let primary = Measure::new("orders", Comparison::of(Compared::Successes)).asking(orders);
/// let plan = Experiment::new(4, Cohort::Subjects(Weight::percent(50.0)), primary)
///     .stop(Stop::Horizon(GoDuration::from_mins(7 * 24 * 60)))
///     .plan()?;
/// assert_eq!(plan.steps().len(), 2); // the cohort, and a week
/// # Ok::<(), serinus_core::rollout::PlanError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[must_use = "a strategy does nothing until it is compiled to a plan"]
#[non_exhaustive]
pub struct Experiment {
    /// Who runs how many instances.
    pub capacity: Capacity,
    /// Who gets the candidate.
    pub cohort: Cohort,
    /// What the experiment is about.
    pub primary: Measure,
    /// What must not get worse meanwhile. Failures and latency by default.
    #[serde(default = "Measure::defaults")]
    pub guardrails: Vec<Measure>,
    /// When it ends.
    #[serde(default)]
    pub stop: Stop,
    /// What happens then.
    #[serde(default)]
    pub then: Conclusion,
    /// How long the world may take to follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_deadline: Option<ProgressDeadline>,
    /// How long the old revision is kept after a promotion.
    #[serde(default, skip_serializing_if = "GoDuration::is_zero")]
    pub keep_old: GoDuration,
}

/// Who gets the candidate in an [`Experiment`]. Fixed from its beginning to its end.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Cohort {
    /// This share of the requests, dealt out one by one, or by a hash of somebody who asks about once. Requests are the
    /// unit, so before anything is compared it is checked that they are split as planned
    /// ([`Comparison::sample_ratio`]); a split that does not fit makes the experiment invalid. Not checked with
    /// [`Capacity::Counted`], where connections are what is split.
    Requests(Weight),
    /// This share of the subjects, such as users: the data plane hashes each to one side and keeps it there. Subjects
    /// differ in how often they ask, so the split of the requests is not checked, and what they ask is not independent:
    /// set [`Comparison::dispersion`]. Where subjects are counted when they are first seen, a guardrail that
    /// [asks](Measure::asking) for these counts and sets [`Comparison::sample_ratio`] checks how they are split.
    Subjects(Weight),
    /// Whoever fits one of these. Nobody knows which share that is, so no split is checked, and the two arms differ by
    /// more than the revision if those who fit do.
    Matching(Vec<Match>),
}

/// When an [`Experiment`] ends, unless it does harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Stop {
    /// As soon as every metric has its evidence, and uncertain after this time of comparing.
    Evidence(GoDuration),
    /// After this time, with whatever is certain then: intervals narrow as long as it goes on, and whole days or weeks
    /// balance what differs between their hours.
    Horizon(GoDuration),
}

/// What happens when an [`Experiment`] has ended.
///
/// To *pass* is evidence that the candidate is not worse than [`Comparison::safety_margin`] allows, not that it is
/// better; the result says whether it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Conclusion {
    /// All traffic goes back to stable.
    #[default]
    Return,
    /// The cohort keeps the candidate until a person promotes or aborts; also if the result is uncertain.
    Ask,
    /// The candidate is promoted if every metric passes. If it is uncertain, a person is asked.
    Promote,
}

impl Stop {
    /// The longest time that is compared.
    pub const fn longest(self) -> GoDuration {
        match self {
            Self::Evidence(length) | Self::Horizon(length) => length,
        }
    }
}

impl Default for Stop {
    /// With evidence, after a day at the latest.
    fn default() -> Self {
        Self::Evidence(GoDuration::from_mins(24 * 60))
    }
}

impl Experiment {
    /// An experiment behind a router, for an application of this many instances.
    pub fn new(replicas: u32, cohort: Cohort, primary: Measure) -> Self {
        let capacity =
            Capacity::Routed { replicas, dynamic_stable: false, min_per_revision: 0, ready_enough: None };
        Self::with(capacity, cohort, primary)
    }

    /// An experiment between two revisions that are always there, such as the variants of a flag.
    pub fn between_variants(cohort: Cohort, primary: Measure) -> Self {
        Self::with(Capacity::Unmanaged, cohort, primary)
    }

    /// An experiment with this capacity.
    pub fn with(capacity: Capacity, cohort: Cohort, primary: Measure) -> Self {
        // What the primary metric compares needs no guard.
        let mut guardrails = Measure::defaults();
        guardrails.retain(|guardrail| guardrail.compare.of != primary.compare.of);
        Self {
            capacity,
            cohort,
            primary,
            guardrails,
            stop: Stop::default(),
            then: Conclusion::default(),
            progress_deadline: None,
            keep_old: GoDuration::ZERO,
        }
    }

    /// Sets what must not get worse, in place of failures and latency.
    pub fn guardrails(mut self, guardrails: impl IntoIterator<Item = Measure>) -> Self {
        self.guardrails = guardrails.into_iter().collect();
        self
    }

    /// When it ends.
    pub const fn stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// What happens when it has ended.
    pub const fn then(mut self, conclusion: Conclusion) -> Self {
        self.then = conclusion;
        self
    }

    /// How long the world may take to follow.
    pub const fn progress_deadline(mut self, deadline: ProgressDeadline) -> Self {
        self.progress_deadline = Some(deadline);
        self
    }

    /// Keeps the old revision this long after a promotion.
    pub const fn keep_old(mut self, lasting: GoDuration) -> Self {
        self.keep_old = lasting;
        self
    }

    /// The validated plan.
    ///
    /// # Errors
    ///
    /// If the cohort is empty or everybody, a match or a length of time is unusable, or two metrics have one name; see
    /// [`PlanError`].
    pub fn plan(self) -> Result<Plan, PlanError> {
        PlanSpec::from(self).try_into()
    }
}

impl From<Experiment> for PlanSpec {
    fn from(experiment: Experiment) -> Self {
        let Experiment { capacity, cohort, primary, guardrails, stop, then, progress_deadline, keep_old } =
            experiment;
        let is_counted = matches!(capacity, Capacity::Counted { .. });
        let sample_ratio = matches!(cohort, Cohort::Requests(_)) && !is_counted;
        let mut primary = primary.metric(stop.longest(), sample_ratio);
        if then == Conclusion::Return
            && let crate::analysis::Judge::Compare(comparison) = &mut primary.judge
        {
            // Both ways lead back to stable, and that the candidate is worse is a result as any other.
            **comparison = Comparison { critical: false, ..Comparison::clone(comparison) };
        }
        let guardrails = guardrails.into_iter().map(|guardrail| guardrail.metric(stop.longest(), false));
        let analysis = Analysis::of("experiment", std::iter::once(primary).chain(guardrails));
        let mut steps = vec![match cohort {
            Cohort::Requests(share) | Cohort::Subjects(share) => Step::Weight(share),
            Cohort::Matching(matches) => Step::Match(matches),
        }];
        if let Stop::Horizon(length) = stop {
            steps.push(Step::Hold(Some(length)));
        }
        let background = vec![Background { analysis: 0, during: 0..steps.len() }];
        if then == Conclusion::Ask {
            steps.push(Step::Hold(None));
        }
        Self {
            steps,
            ends: if then == Conclusion::Return { Ending::Return } else { Ending::Promote },
            analyses: vec![analysis],
            background,
            capacity,
            progress_deadline,
            keep_old,
            ..Self::default()
        }
    }
}
