//! What was decided, and why.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::Text;

/// One line of a rollout's history: the rule that applied, and the numbers it saw.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_structs, reason = "a code for programs and a text for people")]
pub struct Note {
    /// Which rule applied.
    pub rule: Rule,
    /// What happened, with the numbers, in one sentence.
    pub message: Text,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The rules that notes speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Rule {
    /// An attempt began.
    AttemptStarted,
    /// Stable is another revision now, and not by an attempt.
    Rebased,
    /// A step began.
    StepStarted,
    /// A step was done.
    StepDone,
    /// A person moved past a step.
    StepSkipped,
    /// A measurement was judged.
    Measured,
    /// An analysis came to its end.
    AnalysisEnded,
    /// The attempt was paused, by a person or by an inconclusive analysis.
    Paused,
    /// The attempt goes on.
    Resumed,
    /// The candidate has nobody to take its traffic: it goes to stable until there is somebody.
    Shortage,
    /// The shortage is over.
    ShortageOver,
    /// The world does not follow in time.
    DeadlineExceeded,
    /// The attempt is being given up.
    AbortStarted,
    /// All traffic is back on stable.
    Aborted,
    /// The candidate is the new stable.
    Promoted,
    /// The plan came to its end, which is to go back to stable.
    Concluded,
    /// All traffic is back on stable, as the plan ends.
    Returned,
    /// A revision nobody needs any more is scaled down.
    Retired,
    /// The number of instances wanted changed.
    Rescaled,
    /// A command that makes no sense now.
    CommandIgnored,
    /// An answer to a question nobody asks any more.
    AnswerIgnored,
    /// An effect could not be applied; it will be tried again.
    EffectFailed,
    /// A gate is shut, or could not be asked.
    GateShut,
    /// The world holds a fence newer than any of ours: numbering goes on from there.
    FenceAdopted,
    /// The state was written by a newer version: nothing is touched.
    SchemaUnknown,
    /// Notices that could not be delivered were dropped.
    NoticesDropped,
}
