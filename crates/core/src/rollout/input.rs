//! All the engine ever learns, already reduced to facts.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::RequestId;
use crate::{
    metric::Sample,
    port::{Fence, Fenced, Pools, PortError, PortErrorKind},
    traffic::{Revision, Route},
};

/// One thing learned.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Input {
    /// Nothing but the time.
    Tick,
    /// What the world looks like now.
    Seen(World),
    /// The answer to a question, or why there is none.
    #[serde(rename_all = "camelCase")]
    Answered {
        /// The question.
        id: RequestId,
        /// The answer.
        answer: Result<Answer, Failure>,
    },
    /// A route or scale effect that could not be applied.
    #[serde(rename_all = "camelCase")]
    Failed {
        /// The fence of the effect.
        fence: Fence,
        /// What went wrong.
        failure: Failure,
    },
    /// What a person wants.
    Commanded(Command),
    /// The revision that is to be delivered. A level, not an edge: saying it again changes nothing.
    Revised(Revision),
    /// Something else made this the revision that has all traffic, between attempts: it is stable from now on. Only where
    /// there is nobody to scale, as with the variants of a flag; otherwise, and during an attempt, it is noted and changes
    /// nothing. A level, too.
    Rebased(Revision),
    /// This driver leads in a new term: targets chosen from now on carry it.
    Elected(u64),
}

/// What the world looks like, as far as the ports show it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_structs, reason = "what the two observing ports return")]
pub struct World {
    /// The route in force, if there is a router and it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Fenced<Route>>,
    /// The instances there are, if there is a workload.
    #[serde(default)]
    pub pools: Pools,
}

/// What came back for a question or a notice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Answer {
    /// The answer of a metrics source.
    Sample(Sample),
    /// Whether a gate is open.
    Gate(bool),
    /// A notice was delivered.
    Told,
}

/// A failure, reduced to what can be stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a kind to decide by and a text to show")]
pub struct Failure {
    /// The kind, by which the engine decides.
    pub kind: PortErrorKind,
    /// The cause, for people.
    pub message: String,
}

impl From<&PortError> for Failure {
    fn from(error: &PortError) -> Self {
        Self { kind: error.kind(), message: error.chain() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What people can ask of a rollout. A command that makes no sense now is noted and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Command {
    /// Go on: ends a pause or a hold; else moves past the current step, as [`Command::Skip`] does.
    Promote,
    /// Leave out every remaining step, analyses included, and promote. Not in a plan that ends by going back.
    PromoteFully,
    /// Move past the current step without waiting for it.
    Skip,
    /// Give the attempt up, for this reason. Given again while traffic still moves back: move all of it at once.
    Abort(String),
    /// Start again with the candidate that was aborted, or whose plan ended by going back.
    Retry,
    /// Stay at the current step. Background analyses go on, and may still abort.
    Pause,
    /// Go on after a pause; also ends a hold without end.
    Resume,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Promote => "promote",
            Self::PromoteFully => "promote fully",
            Self::Skip => "skip",
            Self::Abort(_) => "abort",
            Self::Retry => "retry",
            Self::Pause => "pause",
            Self::Resume => "resume",
        })
    }
}
