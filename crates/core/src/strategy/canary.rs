//! Canary: a growing share of the traffic.

use serde::{Deserialize, Serialize};

use crate::{
    analysis::Analysis,
    capacity::Amount,
    rollout::{Background, CandidateScale, Capacity, Plan, PlanError, PlanSpec, ProgressDeadline, Step},
    time::GoDuration,
    traffic::{Match, Weight},
};

/// A growing share of the traffic, step by step, with looks at the metrics in between.
///
/// Unless it is told what to look at, candidate and stable are compared while both take traffic
/// ([`Analysis::comparison`]; [`Canary::with_comparison`] adds it to other analyses): evidence that the candidate is worse takes it back, and without evidence that it is not,
/// it does not get all traffic.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[must_use = "a strategy does nothing until it is compiled to a plan"]
#[non_exhaustive]
pub struct Canary {
    /// Who runs how many instances.
    pub capacity: Capacity,
    /// The steps, in order; the candidate is promoted after the last.
    pub steps: Vec<CanaryStep>,
    /// Analyses that run beside the steps, each with the place of the step it begins with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Beside>,
    /// Whether candidate and stable are compared: where nothing is said, unless another analysis is named; `true`,
    /// beside the analyses that are named; `false`, never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<bool>,
    /// How long the world may take to follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_deadline: Option<ProgressDeadline>,
    /// How long the old revision is kept after a promotion.
    #[serde(default, skip_serializing_if = "GoDuration::is_zero")]
    pub keep_old: GoDuration,
}

/// One step of a [`Canary`], with its analysis written where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum CanaryStep {
    /// As [`Step::Weight`].
    Weight(Weight),
    /// As [`Step::Scale`].
    Scale(CandidateScale),
    /// As [`Step::Match`].
    Match(Vec<Match>),
    /// As [`Step::Mirror`].
    Mirror(Weight),
    /// As [`Step::Hold`].
    Hold(Option<GoDuration>),
    /// Run this analysis and wait for its verdict.
    Analyse(Analysis),
    /// As [`Step::Gate`].
    Gate(String),
}

/// An analysis that runs beside the steps of a [`Canary`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "a specification that people write")]
pub struct Beside {
    /// The analysis.
    pub analysis: Analysis,
    /// The place of the step it begins with, counted from 0.
    #[serde(default)]
    pub from_step: usize,
}

impl CanaryStep {
    /// Whether the candidate takes traffic from here on.
    fn leads_to_candidate(&self) -> bool {
        match self {
            Self::Weight(weight) | Self::Mirror(weight) => !weight.is_zero(),
            Self::Match(matches) => !matches.is_empty(),
            Self::Scale(_) | Self::Hold(_) | Self::Analyse(_) | Self::Gate(_) => false,
        }
    }
}

impl Canary {
    /// A canary behind a router, for an application of this many instances.
    pub const fn new(replicas: u32) -> Self {
        Self::with(Capacity::Routed {
            replicas,
            dynamic_stable: false,
            min_per_revision: 0,
            ready_enough: None,
        })
    }

    /// A canary between two revisions that are always there, such as the variants of a flag.
    pub const fn between_variants() -> Self {
        Self::with(Capacity::Unmanaged)
    }

    /// A canary without a router: the share of the traffic is the share of the instances. A quarter of them may be
    /// too many or missing for a while.
    pub const fn counted(replicas: u32) -> Self {
        let quarter = Amount::Percent(25);
        Self::with(Capacity::Counted { replicas, max_surge: quarter, max_unavailable: quarter })
    }

    /// A canary with this capacity.
    pub const fn with(capacity: Capacity) -> Self {
        Self {
            capacity,
            steps: Vec::new(),
            beside: Vec::new(),
            compare: None,
            progress_deadline: None,
            keep_old: GoDuration::ZERO,
        }
    }

    /// Then any step.
    pub fn step(mut self, step: CanaryStep) -> Self {
        self.steps.push(step);
        self
    }

    /// Then this share of the traffic.
    pub fn weight(self, weight: Weight) -> Self {
        self.step(CanaryStep::Weight(weight))
    }

    /// Then these shares, each held for a while.
    pub fn ladder(self, weights: impl IntoIterator<Item = Weight>, hold: GoDuration) -> Self {
        weights.into_iter().fold(self, |canary, weight| canary.weight(weight).hold(hold))
    }

    /// Then wait this long.
    pub fn hold(self, lasting: GoDuration) -> Self {
        self.step(CanaryStep::Hold(Some(lasting)))
    }

    /// Then wait for a person to resume.
    pub fn hold_until_resumed(self) -> Self {
        self.step(CanaryStep::Hold(None))
    }

    /// Then run an analysis and wait for its verdict.
    pub fn analyse(self, analysis: Analysis) -> Self {
        self.step(CanaryStep::Analyse(analysis))
    }

    /// Then wait for the gate of this name.
    pub fn gate(self, name: impl Into<String>) -> Self {
        self.step(CanaryStep::Gate(name.into()))
    }

    /// Runs an analysis beside the steps, from the next step on to the last.
    pub fn analyse_beside(mut self, analysis: Analysis) -> Self {
        self.beside.push(Beside { analysis, from_step: self.steps.len() });
        self
    }

    /// Looks at nothing but what is named: without any analysis only time and people decide.
    pub const fn without_comparison(mut self) -> Self {
        self.compare = Some(false);
        self
    }

    /// Compares candidate and stable beside the analyses that are named, too.
    pub const fn with_comparison(mut self) -> Self {
        self.compare = Some(true);
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
    /// If the steps contradict each other; see [`PlanError`].
    pub fn plan(self) -> Result<Plan, PlanError> {
        PlanSpec::from(self).try_into()
    }
}

impl From<Canary> for PlanSpec {
    fn from(mut canary: Canary) -> Self {
        let full = canary
            .steps
            .iter()
            .position(|step| matches!(step, CanaryStep::Weight(weight) if weight.is_full()));
        let first = canary.steps.iter().position(CanaryStep::leads_to_candidate);
        let is_judged = !canary.beside.is_empty()
            || canary.steps.iter().any(|step| matches!(step, CanaryStep::Analyse(_)));
        if let Some(first) = first.filter(|first| full.is_none_or(|full| *first < full))
            && canary.compare.unwrap_or(!is_judged)
        {
            let analysis = Analysis::comparison("comparison with stable").without_end();
            canary.beside.push(Beside { analysis, from_step: first });
        }
        let mut analyses = Vec::new();
        let mut place = |analysis: Analysis| {
            // Equal analyses are one: rounds that fail are counted together, wherever they are run.
            analyses.iter().position(|known| *known == analysis).unwrap_or_else(|| {
                analyses.push(analysis);
                analyses.len() - 1
            })
        };
        let steps: Vec<_> = canary
            .steps
            .into_iter()
            .map(|step| match step {
                CanaryStep::Weight(weight) => Step::Weight(weight),
                CanaryStep::Scale(scale) => Step::Scale(scale),
                CanaryStep::Match(matches) => Step::Match(matches),
                CanaryStep::Mirror(share) => Step::Mirror(share),
                CanaryStep::Hold(lasting) => Step::Hold(lasting),
                CanaryStep::Analyse(analysis) => Step::Analyse(place(analysis)),
                CanaryStep::Gate(name) => Step::Gate(name),
            })
            .collect();
        let background = canary
            .beside
            .into_iter()
            .map(|beside| {
                // Where stable takes no traffic there is nothing to compare with.
                let compares = beside.analysis.metrics.iter().any(|metric| metric.comparison().is_some());
                let end = full.filter(|_| compares).unwrap_or(steps.len());
                Background { analysis: place(beside.analysis), during: beside.from_step..end }
            })
            .collect();
        Self {
            steps,
            background,
            analyses,
            capacity: canary.capacity,
            progress_deadline: canary.progress_deadline,
            keep_old: canary.keep_old,
            ..Self::default()
        }
    }
}
