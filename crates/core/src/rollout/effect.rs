//! What is to be done about a state: a view of it, not a queue.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Plan, SCHEMA, Stage, State};
use crate::{
    metric::Question,
    port::Fence,
    time::Timestamp,
    traffic::{Revision, Route},
};

/// Something to be done. Absolute and repeatable: doing it again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Effect {
    /// Put this route in force.
    Route {
        /// The route.
        route: Route,
        /// The fence to write beside it.
        fence: Fence,
    },
    /// Ask for this many instances of a revision.
    Scale {
        /// The revision.
        revision: Revision,
        /// How many.
        replicas: u32,
        /// The fence to write beside it.
        fence: Fence,
    },
    /// Ask a metrics source, and answer with [`Input::Answered`](super::Input::Answered).
    Ask {
        /// The question's id.
        id: RequestId,
        /// The question.
        question: Question,
        /// When an answer comes too late.
        due: Timestamp,
    },
    /// Ask whether a gate is open, and answer with [`Input::Answered`](super::Input::Answered).
    AskGate {
        /// The question's id.
        id: RequestId,
        /// The name of the gate.
        gate: String,
        /// The revision that waits.
        candidate: Revision,
    },
    /// Tell whoever listens, and report with [`Input::Answered`](super::Input::Answered).
    Tell {
        /// The notice's id, the same each time it is told.
        id: RequestId,
        /// What happened.
        message: String,
    },
}

/// What a question or notice is about; the same for the same question, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum RequestId {
    /// One measurement.
    #[serde(rename_all = "camelCase")]
    Measurement {
        /// The attempt.
        attempt: u32,
        /// Where the analysis stands in the plan.
        place: Place,
        /// Which run of it: an analysis is run again after an inconclusive end.
        run: u32,
        /// The metric's place in the analysis.
        metric: usize,
        /// Which measurement of it.
        ordinal: u32,
    },
    /// One question to a gate.
    #[serde(rename_all = "camelCase")]
    Gate {
        /// The attempt.
        attempt: u32,
        /// The step.
        step: usize,
        /// Which time it is asked.
        ordinal: u32,
    },
    /// One notice.
    Notice(u64),
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measurement { attempt, place, run, metric, ordinal } => {
                write!(f, "{attempt}/{place}/{run}/{metric}/{ordinal}")
            }
            Self::Gate { attempt, step, ordinal } => write!(f, "{attempt}/step-{step}/gate/{ordinal}"),
            Self::Notice(number) => write!(f, "notice-{number}"),
        }
    }
}

/// Where an analysis stands in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_enums, reason = "a plan has these two places and no other")]
pub enum Place {
    /// It is this step.
    Step(usize),
    /// It is this background analysis.
    Background(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => write!(f, "step-{step}"),
            Self::Background(index) => write!(f, "background-{index}"),
        }
    }
}

/// Everything that is to be done about a state, derived from the state alone.
///
/// Deriving it again, after a crash or a reload, gives the same list. A target that the world shows under our fence
/// is not in it; it comes back if the world drifts.
pub fn effects_of(plan: &Plan, state: &State) -> Vec<Effect> {
    let mut effects = Vec::new();
    if state.schema > SCHEMA {
        return effects;
    }
    for (revision, pool) in state.pools.iter() {
        if let Some(aim) = pool.aim.as_ref().filter(|aim| aim.is_open(state.clock)) {
            effects.push(Effect::Scale { revision: revision.clone(), replicas: aim.value, fence: aim.fence });
        }
    }
    if let Some(aim) = state.route.as_ref().filter(|aim| aim.is_open(state.clock)) {
        effects.push(Effect::Route { route: aim.value.clone(), fence: aim.fence });
    }
    if let Some(attempt) = state.attempt_under_way() {
        for placed in &attempt.runs {
            for open in placed.run.open() {
                let Some(query) = plan.query_at(placed.place, open.metric) else { continue };
                effects.push(Effect::Ask {
                    id: RequestId::Measurement {
                        attempt: state.attempt,
                        place: placed.place,
                        run: placed.ordinal,
                        metric: open.metric,
                        ordinal: open.ordinal,
                    },
                    question: Question {
                        query: query.about(&attempt.candidate, &state.stable),
                        candidate: attempt.candidate.clone(),
                        stable: state.stable.clone(),
                        at: open.at,
                        window: open.window,
                    },
                    due: open.due,
                });
            }
        }
        if let Stage::Gating { ordinal, again: None } = attempt.stage
            && let Some(super::Step::Gate(gate)) = plan.steps().get(attempt.step)
        {
            effects.push(Effect::AskGate {
                id: RequestId::Gate { attempt: state.attempt, step: attempt.step, ordinal },
                gate: gate.clone(),
                candidate: attempt.candidate.clone(),
            });
        }
    }
    for notice in state.notices.iter().filter(|notice| notice.not_before <= state.clock) {
        effects.push(Effect::Tell { id: RequestId::Notice(notice.number), message: notice.message.clone() });
    }
    effects
}
