//! The log of a rollout: what was heard, and when. It is all that is needed to decide the same again.

use serde::{Deserialize, Serialize};

use crate::{
    rollout::{Decision, Input, Plan, State, decide},
    time::Timestamp,
};

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_structs, reason = "the arguments of `decide` that are not known beforehand")]
pub struct Entry {
    /// The time it was heard at.
    pub now: Timestamp,
    /// What was heard.
    pub input: Input,
}

/// Decides everything in a log again, without a world: the same plan, first state and log give the same decisions,
/// byte for byte.
pub fn replay<'a>(
    plan: &'a Plan,
    first: State,
    log: impl IntoIterator<Item = &'a Entry> + 'a,
) -> impl Iterator<Item = Decision> + 'a {
    let mut state = Some(first);
    log.into_iter().filter_map(move |entry| {
        let decision = decide(plan, state.take()?, &entry.input, entry.now);
        state = Some(decision.state.clone());
        Some(decision)
    })
}
