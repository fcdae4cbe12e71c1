//! Everything needed to go on after a crash.

use serde::{Deserialize, Serialize};

use super::{CandidateScale, PerRevision, Place, Plan};
use crate::{
    analysis::run::{Carried, Run},
    port::Fence,
    time::{GoDuration, Timestamp},
    traffic::{Revision, Route, Weight},
};

/// The version of [`State`] this crate writes. A state with a newer one is left alone.
pub const SCHEMA: u16 = 1;

/// Where one rollout stands: small, plain, comparable, without floats. Fit for a status field, a row or a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct State {
    /// The version of this layout.
    pub schema: u16,
    /// The fence of the target chosen last.
    pub fence: Fence,
    /// The latest time ever heard: in here time never runs back.
    pub clock: Timestamp,
    /// The fingerprint of the plan the attempt under way began with.
    pub plan: u64,
    /// The proven revision.
    pub stable: Revision,
    /// The number of the latest attempt; zero before the first.
    pub attempt: u32,
    /// How far things are.
    pub phase: Phase,
    /// Instances the application should have in all, as the workload said last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// The route that is to be in force; none without a router.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Aim<Route>>,
    /// The instances of each revision: how many are to be, how many there are.
    #[serde(default, skip_serializing_if = "PerRevision::is_empty")]
    pub pools: PerRevision<PoolState>,
    /// Revisions on their way out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retiring: Vec<Retiring>,
    /// Notices not yet delivered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// How many notices there have been.
    #[serde(default)]
    pub notices_so_far: u64,
}

impl State {
    /// A rollout that has nothing to do: all traffic on the revision that runs now.
    pub fn new(stable: Revision, now: Timestamp) -> Self {
        Self {
            schema: SCHEMA,
            fence: Fence::default(),
            clock: now,
            plan: 0,
            stable,
            attempt: 0,
            phase: Phase::Idle,
            replicas: None,
            route: None,
            pools: PerRevision::new(),
            retiring: Vec::new(),
            notices: Vec::new(),
            notices_so_far: 0,
        }
    }

    /// The revision on trial, or on its way back; none otherwise.
    pub fn candidate(&self) -> Option<&Revision> {
        self.phase.candidate()
    }

    /// The attempt under way, if it is going forward.
    pub fn attempt_under_way(&self) -> Option<&Attempt> {
        match &self.phase {
            Phase::Progressing(attempt) => Some(attempt),
            Phase::Retreating(_) | Phase::Idle | Phase::Done(_) => None,
        }
    }

    /// The candidate's share of the traffic that is to be in force.
    pub fn weight(&self) -> Weight {
        self.route.as_ref().map_or(Weight::ZERO, |aim| aim.value.weight)
    }

    /// Whether the world shows everything it should, and nothing is on its way out by itself.
    pub fn is_settled(&self) -> bool {
        matches!(self.phase, Phase::Idle | Phase::Done(_))
            && self.route.as_ref().is_none_or(|aim| aim.seen)
            && self.pools.values().all(|pool| pool.aim.as_ref().is_none_or(|aim| aim.seen))
            && self.retiring.iter().all(|retiring| retiring.at.is_none())
    }

    /// How the latest attempt ended, if it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.phase {
            Phase::Done(done) => Some(&done.outcome),
            Phase::Idle | Phase::Progressing(_) | Phase::Retreating(_) => None,
        }
    }
}

/// How far a rollout is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "phase")]
#[non_exhaustive]
pub enum Phase {
    /// No attempt was ever made: stable takes everything.
    Idle,
    /// A candidate goes through the steps.
    Progressing(Box<Attempt>),
    /// Traffic goes back to stable.
    Retreating(Retreat),
    /// The attempt is over. Stable takes everything; whichever revision that is.
    Done(Done),
}

impl Phase {
    pub(super) fn candidate(&self) -> Option<&Revision> {
        match self {
            Self::Progressing(attempt) => Some(&attempt.candidate),
            Self::Retreating(retreat) => Some(&retreat.candidate),
            Self::Idle | Self::Done(_) => None,
        }
    }
}

/// One try to bring one candidate out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Attempt {
    /// The revision on trial.
    pub candidate: Revision,
    /// When the attempt began.
    pub began: Timestamp,
    /// The place of the current step; the number of steps once all are done and the promotion is under way.
    pub step: usize,
    /// How far the current step is.
    pub stage: Stage,
    /// The last time the world followed: what the progress deadline counts from.
    pub progress: Timestamp,
    /// The most instances of the candidate seen ready in this stage.
    #[serde(default)]
    pub most_ready: u32,
    /// Whether the progress deadline has passed and was only said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stalled: bool,
    /// Whether the candidate has nobody to take its traffic.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub short: bool,
    /// Why the attempt stays where it is, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// The route as far as the steps have brought it; what is in force unless the candidate is short of instances.
    pub route: Route,
    /// The size a scale step gave the candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<CandidateScale>,
    /// The analyses that run or ran, the latest run of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<PlacedRun>,
    /// What the steps that name the same analysis have in common, each with the place of the analysis.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<(usize, Carried)>,
    /// Steps that people moved past; part of the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<usize>,
    /// Background analyses that people go on without; part of the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived_places: Vec<Place>,
}

/// How far a step is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Stage {
    /// The attempt's first route is on its way.
    Opening,
    /// The step is next; nothing is done about it yet.
    Starting,
    /// Waiting for instances.
    Settling,
    /// Waiting for the route to be seen.
    Shifting,
    /// Waiting for a time, or without one for a person.
    Holding(Option<Timestamp>),
    /// Waiting for a verdict.
    Analysing,
    /// Waiting for a gate.
    Gating {
        /// Which time it is asked.
        ordinal: u32,
        /// When it is asked again; none while the question is open.
        again: Option<Timestamp>,
    },
    /// The gate was found open.
    Passed,
}

/// Why an attempt stays where it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Pause {
    /// A person said so.
    Person,
    /// An analysis could not tell.
    Inconclusive(Place),
}

/// One run of an analysis, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_structs, reason = "a run with its address")]
pub struct PlacedRun {
    /// Where the analysis stands in the plan.
    pub place: Place,
    /// Which run of it this is.
    pub ordinal: u32,
    /// The run.
    pub run: Run,
}

/// An attempt that goes back to stable: it is being given up, or it ends there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Retreat {
    /// The revision that is given up.
    pub candidate: Revision,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// Move all traffic at once, even if stable has not its full capacity yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_once: bool,
    /// Whether the candidate failed, a person gave it up, or its plan came to its end: submitting it again then changes
    /// nothing. It can be tried again by a retry, or by submitting it after another revision was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_refused: bool,
    /// Whether the plan came to its end, which is to go back: nothing was given up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_concluded: bool,
    /// The revision to try next, once stable has everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<Revision>,
}

/// An attempt that is over.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Done {
    /// The revision that was on trial.
    pub candidate: Revision,
    /// How it ended.
    pub outcome: Outcome,
    /// When.
    pub at: Timestamp,
    /// As [`Retreat::is_refused`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_refused: bool,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Outcome {
    /// The candidate is the new stable.
    Promoted,
    /// Everything is as it was before, for this reason.
    Aborted(String),
    /// The plan came to its end, and that is to go back ([`Ending::Return`](super::Ending::Return)): everything is as
    /// it was before, with this result.
    Returned(String),
}

/// A value that the world is to show, and whether it does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Aim<T> {
    /// The value.
    pub value: T,
    /// The fence at which it was chosen.
    pub fence: Fence,
    /// Whether the world showed this value under this fence when it was last seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seen: bool,
    /// How often writing it failed, and when to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
}

impl<T> Aim<T> {
    pub(super) const fn new(value: T, fence: Fence) -> Self {
        Self { value, fence, seen: false, retry: None }
    }

    pub(super) fn is_open(&self, now: Timestamp) -> bool {
        !self.seen && self.retry.as_ref().is_none_or(|retry| retry.at <= now)
    }
}

/// A write that failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_structs, reason = "a count and a time")]
pub struct Retry {
    /// How often it failed in a row.
    pub failures: u32,
    /// When it is tried again.
    pub at: Timestamp,
}

/// The instances of one revision: how many are to be, how many there were when last seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PoolState {
    /// How many are to be; none if that was never decided here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aim: Option<Aim<u32>>,
    /// How many were asked for.
    #[serde(default)]
    pub wanted: u32,
    /// How many could take traffic.
    #[serde(default)]
    pub ready: u32,
}

/// A revision on its way out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_structs, reason = "a revision and a time")]
pub struct Retiring {
    /// The revision.
    pub revision: Revision,
    /// From when on it may be scaled down; none: never by itself.
    pub at: Option<Timestamp>,
}

/// Something that whoever listens should hear.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_structs, reason = "a numbered text")]
pub struct Notice {
    /// Its number, never used again.
    pub number: u64,
    /// What happened.
    pub message: String,
    /// Not told before this time: earlier tries failed.
    pub not_before: Timestamp,
    /// How often telling it failed.
    #[serde(default)]
    pub failures: u32,
}

/// What a rollout waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Waits {
    /// Nothing: it is over and everything is in place.
    Nothing,
    /// A person.
    Person,
    /// A point in time.
    Time(Timestamp),
    /// Instances of a revision.
    #[serde(rename_all = "camelCase")]
    Instances {
        /// The revision.
        revision: Revision,
        /// How many there are to be.
        wanted: u32,
        /// How many are ready.
        ready: u32,
    },
    /// The router to show our route.
    Route,
    /// The verdict of an analysis.
    Verdict(Place),
    /// A gate.
    Gate(String),
    /// Somebody with a newer version of this program.
    NewerVersion,
}

/// What a rollout in this state waits for: there is always something with a name.
pub fn waits_for(plan: &Plan, state: &State) -> Waits {
    if state.schema > SCHEMA {
        return Waits::NewerVersion;
    }
    let instances = |revision: &Revision| {
        let pool = state.pools.get(revision)?;
        let aim = pool.aim.as_ref()?;
        (!aim.seen || pool.ready < aim.value).then(|| Waits::Instances {
            revision: revision.clone(),
            wanted: aim.value,
            ready: pool.ready,
        })
    };
    let route = || state.route.as_ref().is_some_and(|aim| !aim.seen).then_some(Waits::Route);
    match &state.phase {
        Phase::Progressing(attempt) => {
            if attempt.paused.is_some() {
                return Waits::Person;
            }
            if attempt.short {
                return instances(&attempt.candidate).unwrap_or(Waits::Route);
            }
            if let Some(place) = attempt.unconcluded(plan) {
                return Waits::Verdict(place);
            }
            match &attempt.stage {
                Stage::Settling => instances(&attempt.candidate)
                    .or_else(|| instances(&state.stable))
                    .or_else(route)
                    .unwrap_or(Waits::Route),
                Stage::Opening | Stage::Shifting | Stage::Starting | Stage::Passed => Waits::Route,
                Stage::Holding(Some(until)) => Waits::Time(*until),
                Stage::Holding(None) => Waits::Person,
                Stage::Analysing => Waits::Verdict(Place::Step(attempt.step)),
                Stage::Gating { .. } => match plan.steps().get(attempt.step) {
                    Some(super::Step::Gate(gate)) => Waits::Gate(gate.clone()),
                    _ => Waits::Route,
                },
            }
        }
        Phase::Retreating(_) => instances(&state.stable).or_else(route).unwrap_or(Waits::Route),
        Phase::Idle | Phase::Done(_) => route()
            .or_else(|| instances(&state.stable))
            .or_else(|| state.retiring.iter().filter_map(|retiring| retiring.at).min().map(Waits::Time))
            .unwrap_or(Waits::Nothing),
    }
}

/// The time to wait after the `failures`-th failure in a row: doubling from one second to a minute, up to a fifth
/// shorter by a hash of what failed, so that many rollouts do not knock at once and a replay waits as long.
pub(super) fn back_off(failures: u32, salt: u64) -> GoDuration {
    let whole = 1_000_u64 << failures.saturating_sub(1).min(6);
    let whole = whole.min(60_000);
    let mixed = (salt ^ u64::from(failures)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    GoDuration::from_millis(whole - whole / 5 * (mixed % 1000) / 1000)
}
