//! How one rollout went.

use serde::{Deserialize, Serialize};

use crate::{time::GoDuration, traffic::Weight};

/// How one simulated rollout went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Course {
    /// How it ended.
    pub ending: Ending,
    /// From its beginning to its end.
    pub lasted: GoDuration,
    /// How often metrics were measured.
    pub looks: u64,
    /// Requests of users that failed meanwhile, whoever answered them.
    pub failures: u64,
    /// Failures that stable would not have had: of each failure of the candidate the share that is due to it.
    pub excess_failures: f64,
    /// Requests of users that failed on the candidate, whoever is to blame.
    pub candidate_failures: u64,
    /// Requests of users that the candidate answered.
    pub candidate_requests: u64,
    /// Users that met the candidate, as [`World::requests_per_user`](super::World::requests_per_user) has it.
    pub candidate_users: u64,
    /// The candidate's share of the traffic, each time it changed.
    pub trail: Vec<Turn>,
}

/// A change of the candidate's share of the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_structs, reason = "a time and a weight")]
pub struct Turn {
    /// How long after the rollout began.
    pub at: GoDuration,
    /// The share from then on.
    pub weight: Weight,
}

/// How a rollout ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Ending {
    /// The candidate is the new stable.
    Promoted,
    /// All traffic is back on stable, for this reason.
    RolledBack(String),
    /// The plan came to its end, and that is to go back to stable, with this result.
    Returned(String),
    /// An analysis could not tell: a person has to decide.
    LeftToPerson,
    /// Not ended by the [horizon](super::Simulation::horizon), or waiting for what never comes; what it waits for.
    Open(String),
}
