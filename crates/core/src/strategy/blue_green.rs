//! Blue/green: two full sides, and one switch between them.

use serde::{Deserialize, Serialize};

use crate::{
    analysis::Analysis,
    rollout::{CandidateScale, Capacity, Plan, PlanError, PlanSpec, ProgressDeadline, Step},
    time::GoDuration,
};

/// Two full sides, and one switch between them. The new side can be previewed before, and the old one is kept for a
/// while after.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[must_use = "a strategy does nothing until it is compiled to a plan"]
#[non_exhaustive]
pub struct BlueGreen {
    /// Instances of each side.
    pub replicas: u32,
    /// Instances of the new side until the switch is near; all of them without this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview_replicas: Option<u32>,
    /// What must pass on the new side, before any user sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Analysis>,
    /// When the switch happens.
    #[serde(default)]
    pub promotion: Promotion,
    /// What must pass after the switch; if it does not, traffic switches back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Analysis>,
    /// How long the old side is kept.
    #[serde(default = "BlueGreen::default_keep_old")]
    pub keep_old: GoDuration,
    /// How long the world may take to follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_deadline: Option<ProgressDeadline>,
}

/// When traffic switches to the new side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Promotion {
    /// As soon as the new side is ready and its analysis passed.
    #[default]
    Automatic,
    /// This long after that.
    After(GoDuration),
    /// When a person says so.
    Manual,
}

impl BlueGreen {
    /// Two sides of this many instances; an automatic switch; the old side kept for 30 seconds.
    pub const fn new(replicas: u32) -> Self {
        Self {
            replicas,
            preview_replicas: None,
            before: None,
            promotion: Promotion::Automatic,
            after: None,
            keep_old: Self::default_keep_old(),
            progress_deadline: None,
        }
    }

    /// Starts the new side with fewer instances; it gets the rest just before the switch.
    pub const fn preview_replicas(mut self, replicas: u32) -> Self {
        self.preview_replicas = Some(replicas);
        self
    }

    /// Runs an analysis on the new side before the switch.
    pub fn analyse_before(mut self, analysis: Analysis) -> Self {
        self.before = Some(analysis);
        self
    }

    /// When the switch happens.
    pub const fn promotion(mut self, promotion: Promotion) -> Self {
        self.promotion = promotion;
        self
    }

    /// Runs an analysis after the switch.
    pub fn analyse_after(mut self, analysis: Analysis) -> Self {
        self.after = Some(analysis);
        self
    }

    /// Keeps the old side this long.
    pub const fn keep_old(mut self, lasting: GoDuration) -> Self {
        self.keep_old = lasting;
        self
    }

    /// The validated plan.
    ///
    /// # Errors
    ///
    /// If the parts contradict each other; see [`PlanError`].
    pub fn plan(self) -> Result<Plan, PlanError> {
        PlanSpec::from(self).try_into()
    }

    const fn default_keep_old() -> GoDuration {
        GoDuration::from_secs(30)
    }
}

impl From<BlueGreen> for PlanSpec {
    fn from(spec: BlueGreen) -> Self {
        let mut analyses = Vec::new();
        let mut steps = vec![Step::Scale(
            spec.preview_replicas.map_or(CandidateScale::Percent(100), CandidateScale::Replicas),
        )];
        let mut analyse = |analysis: Option<Analysis>| {
            analysis.map(|analysis| {
                analyses.push(analysis);
                Step::Analyse(analyses.len() - 1)
            })
        };
        steps.extend(analyse(spec.before));
        match spec.promotion {
            Promotion::Automatic => {}
            Promotion::After(lasting) => steps.push(Step::Hold(Some(lasting))),
            Promotion::Manual => steps.push(Step::Hold(None)),
        }
        steps.push(Step::Switch);
        steps.extend(analyse(spec.after));
        Self {
            steps,
            analyses,
            capacity: Capacity::Routed {
                replicas: spec.replicas,
                dynamic_stable: false,
                min_per_revision: 0,
                ready_enough: None,
            },
            keep_old: spec.keep_old,
            progress_deadline: spec.progress_deadline,
            preview: true,
            ..Self::default()
        }
    }
}
