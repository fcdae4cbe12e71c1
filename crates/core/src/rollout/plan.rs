//! What every strategy compiles to.

use std::{fmt, ops::Range};

use serde::{Deserialize, Serialize};

use self::{fingerprint::fingerprint, query::Prepared};
use super::{Place, budget};
use crate::{
    analysis::{Analysis, AnalysisError, Metric},
    capacity::Amount,
    metric::Number,
    time::GoDuration,
    traffic::{Match, Weight},
};

mod fingerprint;
mod query;

/// A validated [`PlanSpec`]: whoever holds one need not check it again.
///
/// Serialised as its specification; reading it back validates it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PlanSpec", into = "PlanSpec")]
pub struct Plan {
    spec: PlanSpec,
    /// Those of the specification, each with its part of the error probability.
    analyses: Vec<Analysis>,
    fingerprint: u64,
    /// Of each analysis, the queries of its metrics.
    queries: Vec<Vec<Prepared>>,
}

/// The plain data of a plan: what people and compilers write.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(
    clippy::exhaustive_structs,
    reason = "a specification that people write; use `..Default::default()`"
)]
pub struct PlanSpec {
    /// The steps, in order. When the last is done the candidate is promoted, unless `ends` says otherwise.
    pub steps: Vec<Step>,
    /// What happens when all steps are done.
    #[serde(default, skip_serializing_if = "Ending::is_promote")]
    pub ends: Ending,
    /// The analyses that steps name by their place in this list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub analyses: Vec<Analysis>,
    /// Analyses that run beside the steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub background: Vec<Background>,
    /// Who runs how many instances.
    #[serde(default)]
    pub capacity: Capacity,
    /// How long the world may take to follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_deadline: Option<ProgressDeadline>,
    /// How long the old revision is kept after a promotion, at its size.
    #[serde(default, skip_serializing_if = "GoDuration::is_zero")]
    pub keep_old: GoDuration,
    /// How long the candidate is kept after an abort or a return, once stable has its full capacity; `None`: for ever.
    #[serde(default = "PlanSpec::at_once", skip_serializing_if = "PlanSpec::is_at_once")]
    pub keep_aborted: Option<GoDuration>,
    /// Whether the preview address leads to the candidate from the first step on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preview: bool,
}

/// What happens when all steps of a plan are done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Ending {
    /// The candidate is promoted.
    #[default]
    Promote,
    /// All traffic goes back to stable, and the results of the analyses beside the steps are the outcome. An analysis
    /// that is inconclusive ends such a plan, too: whatever it would have said, nothing is promoted.
    Return,
}

impl Ending {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    const fn is_promote(&self) -> bool {
        matches!(self, Self::Promote)
    }
}

/// One element of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Step {
    /// Give the candidate this share of the traffic, after it has the capacity to take it. Never below an earlier
    /// weight.
    Weight(Weight),
    /// Run the candidate at this size, whatever its weight, until another `Scale` or the end. Only with
    /// [`Capacity::Routed`].
    Scale(CandidateScale),
    /// Send matching requests to the candidate; an empty list ends it.
    Match(Vec<Match>),
    /// Copy this share of stable's requests to the candidate; zero ends it.
    Mirror(Weight),
    /// Wait: this long, or with `None` until a person resumes or promotes.
    Hold(Option<GoDuration>),
    /// Run an analysis, by its place in [`PlanSpec::analyses`], and wait for its verdict.
    Analyse(usize),
    /// Wait until the gate of this name is open.
    Gate(String),
    /// Give the candidate all traffic at once, after it has full capacity.
    Switch,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weight(weight) => write!(f, "weight {weight}"),
            Self::Scale(scale) => write!(f, "scale to {scale}"),
            Self::Match(matches) if matches.is_empty() => f.write_str("end matches"),
            Self::Match(matches) => write!(f, "match {} rules", matches.len()),
            Self::Mirror(share) => write!(f, "mirror {share}"),
            Self::Hold(Some(lasting)) => write!(f, "hold {lasting}"),
            Self::Hold(None) => f.write_str("hold until resumed"),
            Self::Analyse(analysis) => write!(f, "analyse #{analysis}"),
            Self::Gate(name) => write!(f, "gate {name}"),
            Self::Switch => f.write_str("switch"),
        }
    }
}

/// How large the candidate is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum CandidateScale {
    /// This many instances.
    Replicas(u32),
    /// This many percent of all replicas; may exceed 100.
    Percent(u32),
    /// As many as its weight needs; ends an earlier [`Step::Scale`].
    MatchWeight,
}

impl fmt::Display for CandidateScale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replicas(replicas) => write!(f, "{replicas} replicas"),
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::MatchWeight => f.write_str("its weight"),
        }
    }
}

/// An analysis that runs beside the steps. Its failure aborts; its success changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "a specification that people write")]
pub struct Background {
    /// The analysis, by its place in [`PlanSpec::analyses`].
    pub analysis: usize,
    /// The steps during which it runs, by their places: from the first up to but not including the last.
    pub during: Range<usize>,
}

/// Who runs how many instances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Capacity {
    /// Nobody: both revisions are always there, as the two variants of a flag are. Only routes are set.
    #[default]
    Unmanaged,
    /// A router splits the traffic; instances follow the weights.
    #[serde(rename_all = "camelCase")]
    Routed {
        /// Instances of the application, if the workload does not say.
        replicas: u32,
        /// Let stable shrink as its traffic goes; it keeps its full size otherwise.
        #[serde(default)]
        dynamic_stable: bool,
        /// The least number of instances of a revision that has any.
        #[serde(default)]
        min_per_revision: u32,
        /// How much of the candidate must be ready before it counts as there; all of it without this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ready_enough: Option<Amount>,
    },
    /// No router: a revision's share of the traffic is its share of the instances. No route is set.
    #[serde(rename_all = "camelCase")]
    Counted {
        /// Instances of the application, if the workload does not say.
        replicas: u32,
        /// Instances above `replicas` allowed; a share is rounded up.
        max_surge: Amount,
        /// Instances below `replicas` allowed; a share is rounded down. If both are nothing, one is allowed.
        max_unavailable: Amount,
    },
}

/// How long the world may take to follow, and what happens when it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "a specification that people write")]
pub struct ProgressDeadline {
    /// The longest time without progress. Holds, analyses, gates and pauses do not count.
    pub within: GoDuration,
    /// What happens then.
    pub then: DeadlineAction,
}

/// What happens when the world does not follow in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum DeadlineAction {
    /// Abort.
    Abort,
    /// Say so, and go on waiting.
    Hold,
}

impl PlanSpec {
    #[expect(clippy::unnecessary_wraps, reason = "the default of an optional field")]
    const fn at_once() -> Option<GoDuration> {
        Some(GoDuration::ZERO)
    }

    fn is_at_once(kept: &Option<GoDuration>) -> bool {
        *kept == Some(GoDuration::ZERO)
    }
}

impl Default for PlanSpec {
    fn default() -> Self {
        Self {
            steps: Vec::new(),
            ends: Ending::default(),
            analyses: Vec::new(),
            background: Vec::new(),
            capacity: Capacity::default(),
            progress_deadline: None,
            keep_old: GoDuration::ZERO,
            keep_aborted: Self::at_once(),
            preview: false,
        }
    }
}

impl Plan {
    /// The specification, validated.
    pub fn spec(&self) -> &PlanSpec {
        &self.spec
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.spec.steps
    }

    /// A number that differs between plans that differ, and is the same on every machine. An attempt remembers it,
    /// so that a changed plan is noticed.
    pub const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The analysis that stands at a place. Its comparisons have the error probability that is theirs in this plan: all
    /// analyses of a plan share [`Comparison::ERROR_PROBABILITY`](crate::analysis::Comparison::ERROR_PROBABILITY).
    pub fn analysis_at(&self, place: Place) -> Option<&Analysis> {
        self.analyses.get(self.analysis_index(place)?)
    }

    pub(super) fn query_at(&self, place: Place, metric: usize) -> Option<&Prepared> {
        self.queries.get(self.analysis_index(place)?)?.get(metric)
    }

    /// The place in [`PlanSpec::analyses`] of the analysis that stands at a place.
    pub(crate) fn analysis_index(&self, place: Place) -> Option<usize> {
        match place {
            Place::Step(step) => match self.spec.steps.get(step)? {
                Step::Analyse(index) => Some(*index),
                _ => None,
            },
            Place::Background(index) => Some(self.spec.background.get(index)?.analysis),
        }
    }

    /// The weight in force once `steps` steps have been done.
    pub fn weight_after(&self, steps: usize) -> Weight {
        self.spec.steps[..steps.min(self.spec.steps.len())]
            .iter()
            .rev()
            .find_map(|step| match step {
                Step::Weight(weight) => Some(*weight),
                Step::Switch => Some(Weight::FULL),
                Step::Scale(_)
                | Step::Match(_)
                | Step::Mirror(_)
                | Step::Hold(_)
                | Step::Analyse(_)
                | Step::Gate(_) => None,
            })
            .unwrap_or(Weight::ZERO)
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spec.fmt(f)
    }
}

impl From<Plan> for PlanSpec {
    fn from(plan: Plan) -> Self {
        plan.spec
    }
}

impl TryFrom<PlanSpec> for Plan {
    type Error = PlanError;

    fn try_from(spec: PlanSpec) -> Result<Self, PlanError> {
        let mut weight = Weight::ZERO;
        for (step, kind) in spec.steps.iter().enumerate() {
            match kind {
                Step::Weight(to) if *to < weight => {
                    return Err(PlanError::WeightFalls { step, from: weight, to: *to });
                }
                Step::Weight(to) => weight = *to,
                Step::Switch => weight = Weight::FULL,
                Step::Scale(_) => {
                    if !matches!(spec.capacity, Capacity::Routed { .. }) {
                        return Err(PlanError::NeedsRouter { step, what: "scale" });
                    }
                }
                Step::Match(_) | Step::Mirror(_) => {
                    if matches!(spec.capacity, Capacity::Counted { .. }) {
                        return Err(PlanError::NeedsRouter { step, what: "match or mirror" });
                    }
                }
                Step::Hold(Some(lasting)) if lasting.is_negative() => {
                    return Err(PlanError::NegativeDuration { place: format!("steps[{step}]") });
                }
                Step::Analyse(analysis) => {
                    let named = spec.analyses.get(*analysis).ok_or_else(|| PlanError::NoSuchAnalysis {
                        place: format!("steps[{step}]"),
                        analysis: *analysis,
                        analyses: spec.analyses.len(),
                    })?;
                    if !named.ends_by_itself() {
                        return Err(PlanError::EndlessAnalysis { step, analysis: named.name.clone() });
                    }
                }
                Step::Gate(name) if name.is_empty() => return Err(PlanError::UnnamedGate { step }),
                Step::Hold(_) | Step::Gate(_) => {}
            }
        }
        for (index, background) in spec.background.iter().enumerate() {
            let place = format!("background[{index}]");
            if background.analysis >= spec.analyses.len() {
                return Err(PlanError::NoSuchAnalysis {
                    place,
                    analysis: background.analysis,
                    analyses: spec.analyses.len(),
                });
            }
            let Range { start, end } = background.during;
            if start >= end || end > spec.steps.len() {
                return Err(PlanError::NoSuchSteps { place, start, end, steps: spec.steps.len() });
            }
        }
        for (index, analysis) in spec.analyses.iter().enumerate() {
            analysis
                .validate()
                .map_err(|cause| PlanError::Analysis { place: format!("analyses[{index}]"), cause })?;
        }
        check_comparisons(&spec)?;
        for (place, length) in [
            ("keepOld", Some(spec.keep_old)),
            ("keepAborted", spec.keep_aborted),
            ("progressDeadline.within", spec.progress_deadline.map(|deadline| deadline.within)),
        ] {
            if length.is_some_and(GoDuration::is_negative) {
                return Err(PlanError::NegativeDuration { place: place.to_owned() });
            }
        }
        let (fingerprint, analyses) = (fingerprint(&spec), budget::shared(&spec)?);
        let queries = spec.analyses.iter().map(|it| it.metrics.iter().map(Prepared::of).collect()).collect();
        Ok(Self { spec, analyses, fingerprint, queries })
    }
}

/// Two arms can be compared only while both take traffic; elsewhere a comparison would wait for ever.
fn check_comparisons(spec: &PlanSpec) -> Result<(), PlanError> {
    let (mut weight, mut matched, mut mirrored) = (Weight::ZERO, false, false);
    // Before each step: whether both arms take traffic, and whether not only by weight.
    let mut both = Vec::with_capacity(spec.steps.len() + 1);
    let mut unplanned = Vec::with_capacity(spec.steps.len() + 1);
    let mut full = None;
    for (index, step) in spec.steps.iter().enumerate() {
        both.push(!weight.is_full() && (!weight.is_zero() || matched || mirrored));
        unplanned.push(!weight.is_full() && (matched || mirrored));
        match step {
            Step::Weight(to) => weight = *to,
            Step::Switch => weight = Weight::FULL,
            Step::Match(matches) => matched = !matches.is_empty(),
            Step::Mirror(share) => mirrored = !share.is_zero(),
            Step::Scale(_) | Step::Hold(_) | Step::Analyse(_) | Step::Gate(_) => {}
        }
        if weight.is_full() {
            full.get_or_insert(index);
        }
    }
    both.push(!weight.is_full() && (!weight.is_zero() || matched || mirrored));
    unplanned.push(!weight.is_full() && (matched || mirrored));
    let checks_split = |analysis: usize| {
        let metrics = spec.analyses.get(analysis).into_iter().flat_map(|analysis| &analysis.metrics);
        metrics.filter_map(Metric::comparison).any(|comparison| comparison.sample_ratio)
    };
    let compares = |analysis: usize| {
        let metrics = spec.analyses.get(analysis).into_iter().flat_map(|analysis| &analysis.metrics);
        metrics.filter(|metric| !metric.dry_run).any(|metric| metric.comparison().is_some())
    };
    for (step, kind) in spec.steps.iter().enumerate() {
        if matches!(kind, Step::Analyse(analysis) if compares(*analysis)) && !both[step] {
            return Err(PlanError::NothingToCompare { place: format!("steps[{step}]") });
        }
        if matches!(kind, Step::Analyse(analysis) if checks_split(*analysis)) && unplanned[step] {
            return Err(PlanError::NoPlannedSplit { place: format!("steps[{step}]") });
        }
    }
    for (index, background) in spec.background.iter().enumerate() {
        if !compares(background.analysis) {
            continue;
        }
        let place = format!("background[{index}]");
        if let Some(step) = full.filter(|full| *full < background.during.end) {
            return Err(PlanError::ComparedTooLong { place, step });
        }
        if !both[background.during.start + 1..=background.during.end].contains(&true) {
            return Err(PlanError::NothingToCompare { place });
        }
        if checks_split(background.analysis)
            && unplanned[background.during.start..=background.during.end].contains(&true)
        {
            return Err(PlanError::NoPlannedSplit { place });
        }
    }
    Ok(())
}

/// Why a specification is not a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A weight below an earlier one.
    #[error(
        "steps[{step}] lowers the weight from {from} to {to}: within an attempt a weight never falls; remove the step, or abort to go back"
    )]
    WeightFalls {
        /// The place of the step.
        step: usize,
        /// The weight before.
        from: Weight,
        /// The weight it asks for.
        to: Weight,
    },
    /// A step that only a router can take.
    #[error(
        "steps[{step}] is a {what} step, which needs a traffic router: set `capacity` to `routed`, or remove the step"
    )]
    NeedsRouter {
        /// The place of the step.
        step: usize,
        /// What kind of step it is.
        what: &'static str,
    },
    /// An analysis that is not in the list.
    #[error(
        "{place} names analysis #{analysis}, but there are {analyses} analyses: add it to `analyses`, counting from 0"
    )]
    NoSuchAnalysis {
        /// Where it is named.
        place: String,
        /// The number named.
        analysis: usize,
        /// How many there are.
        analyses: usize,
    },
    /// A blocking analysis that would block for ever.
    #[error(
        "steps[{step}] waits for analysis `{analysis}`, which never ends: give each of its metrics a `count`"
    )]
    EndlessAnalysis {
        /// The place of the step.
        step: usize,
        /// The analysis.
        analysis: String,
    },
    /// A range of steps that does not exist.
    #[error(
        "{place} runs during steps {start}..{end}, but there are {steps} steps: the range must be within them and not empty"
    )]
    NoSuchSteps {
        /// Where the range stands.
        place: String,
        /// Its first step.
        start: usize,
        /// The step it ends before.
        end: usize,
        /// How many steps there are.
        steps: usize,
    },
    /// A comparison without a second arm.
    #[error(
        "{place} compares candidate and stable where one of them takes no traffic: put it after a weight above 0 and below 100 %, a match or a mirror"
    )]
    NothingToCompare {
        /// Where it stands.
        place: String,
    },
    /// A check of the split of the requests where a match or a mirror sends some whatever the weight is.
    #[error(
        "{place} checks the split of the requests where a match or a mirror is in force, so that no split is planned: leave `sampleRatio` out, or end the match or mirror before"
    )]
    NoPlannedSplit {
        /// Where it stands.
        place: String,
    },
    /// A comparison that goes on when stable takes no traffic any more.
    #[error(
        "{place} compares candidate and stable, but steps[{step}] leaves stable without traffic: let it end before, at {step}"
    )]
    ComparedTooLong {
        /// Where it stands.
        place: String,
        /// The step that takes all traffic from stable.
        step: usize,
    },
    /// Error probabilities of single comparisons that leave nothing for the others of the plan.
    #[error(
        "{place}: nothing is left of an error probability of 0.01 for the metric `{metric}`, as others of this plan take {taken}: give it its own, or lower the others"
    )]
    NoErrorProbabilityLeft {
        /// Where the analysis stands.
        place: String,
        /// The metric.
        metric: String,
        /// What the others take together, over all analyses.
        taken: Number,
    },
    /// A gate nobody can open, having no name.
    #[error("steps[{step}] is a gate without a name: give it the name its hook knows")]
    UnnamedGate {
        /// The place of the step.
        step: usize,
    },
    /// A length of time below zero.
    #[error("{place} is negative: expected a length of time of zero or more")]
    NegativeDuration {
        /// Where it stands.
        place: String,
    },
    /// An analysis that cannot be run.
    #[error("{place}: {cause}")]
    Analysis {
        /// Where it stands.
        place: String,
        /// What is wrong with it.
        cause: AnalysisError,
    },
}
