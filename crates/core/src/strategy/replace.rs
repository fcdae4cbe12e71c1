//! Instances replaced, without a router: in batches, or all at once.

use serde::{Deserialize, Serialize};

use crate::{
    capacity::Amount,
    rollout::{Capacity, Plan, PlanError, PlanSpec, ProgressDeadline, Step},
    traffic::Weight,
};

/// Instances replaced in batches, within a surge above and a gap below the number there should be.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[must_use = "a strategy does nothing until it is compiled to a plan"]
#[non_exhaustive]
pub struct RollingUpdate {
    /// Instances of the application.
    pub replicas: u32,
    /// Instances above that allowed; a share is rounded up.
    #[serde(default = "RollingUpdate::quarter")]
    pub max_surge: Amount,
    /// Instances below that allowed; a share is rounded down.
    #[serde(default = "RollingUpdate::quarter")]
    pub max_unavailable: Amount,
    /// How long the world may take to follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_deadline: Option<ProgressDeadline>,
}

impl RollingUpdate {
    /// Replaces this many instances in batches of a quarter.
    pub const fn new(replicas: u32) -> Self {
        Self {
            replicas,
            max_surge: Self::quarter(),
            max_unavailable: Self::quarter(),
            progress_deadline: None,
        }
    }

    /// Instances above the number there should be that are allowed.
    pub const fn max_surge(mut self, amount: Amount) -> Self {
        self.max_surge = amount;
        self
    }

    /// Instances below the number there should be that are allowed.
    pub const fn max_unavailable(mut self, amount: Amount) -> Self {
        self.max_unavailable = amount;
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
    /// None today; see [`PlanError`].
    pub fn plan(self) -> Result<Plan, PlanError> {
        PlanSpec::from(self).try_into()
    }

    const fn quarter() -> Amount {
        Amount::Percent(25)
    }
}

impl From<RollingUpdate> for PlanSpec {
    fn from(spec: RollingUpdate) -> Self {
        Self {
            steps: vec![Step::Weight(Weight::FULL)],
            capacity: Capacity::Counted {
                replicas: spec.replicas,
                max_surge: spec.max_surge,
                max_unavailable: spec.max_unavailable,
            },
            progress_deadline: spec.progress_deadline,
            ..Self::default()
        }
    }
}

/// All old instances stopped, then all new ones started: an outage, chosen by whoever cannot run two revisions at
/// once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[must_use = "a strategy does nothing until it is compiled to a plan"]
#[non_exhaustive]
pub struct Recreate {
    /// Instances of the application.
    pub replicas: u32,
    /// How long the world may take to follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_deadline: Option<ProgressDeadline>,
}

impl Recreate {
    /// Replaces this many instances at once.
    pub const fn new(replicas: u32) -> Self {
        Self { replicas, progress_deadline: None }
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
    /// None today; see [`PlanError`].
    pub fn plan(self) -> Result<Plan, PlanError> {
        PlanSpec::from(self).try_into()
    }
}

impl From<Recreate> for PlanSpec {
    fn from(spec: Recreate) -> Self {
        RollingUpdate {
            replicas: spec.replicas,
            max_surge: Amount::Count(0),
            max_unavailable: Amount::Percent(100),
            progress_deadline: spec.progress_deadline,
        }
        .into()
    }
}
