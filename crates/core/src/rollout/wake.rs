//! When to look again.

use super::{Phase, Plan, Retry, SCHEMA, Stage, State};
use crate::time::{GoDuration, Timestamp};

/// The next time anything can change by itself; none if only an input can change it.
///
/// While the world is waited for, that is the time to look at it again.
pub fn wake_of(plan: &Plan, state: &State) -> Option<Timestamp> {
    if state.schema > SCHEMA {
        return None;
    }
    let mut earliest = Earliest(None);
    let mut world_is_awaited = false;
    // A retry whose time has come is among the effects; from then on it is the world that is awaited.
    let retry = |retry: Option<&Retry>| retry.map(|retry| retry.at).filter(|at| *at > state.clock);
    if let Some(aim) = state.route.as_ref().filter(|aim| !aim.seen) {
        world_is_awaited = true;
        earliest.or(retry(aim.retry.as_ref()));
    }
    for pool in state.pools.values() {
        if let Some(aim) = &pool.aim {
            if !aim.seen || pool.ready < aim.value {
                world_is_awaited = true;
            }
            earliest.or(retry(aim.retry.as_ref().filter(|_| !aim.seen)));
        }
    }
    match &state.phase {
        Phase::Idle | Phase::Done(_) => {}
        Phase::Retreating(_) => world_is_awaited = true,
        Phase::Progressing(attempt) => {
            for placed in &attempt.runs {
                if let Some(analysis) = plan.analysis_at(placed.place) {
                    earliest.or(placed.run.wake(analysis));
                }
            }
            earliest.or(attempt.deadline(plan));
            if attempt.short {
                world_is_awaited = true;
            } else if attempt.paused.is_none() && attempt.unconcluded(plan).is_none() {
                match attempt.stage {
                    Stage::Holding(until) => earliest.or(until),
                    Stage::Gating { again, .. } => earliest.or(again),
                    Stage::Opening | Stage::Starting | Stage::Settling | Stage::Shifting => {
                        world_is_awaited = true
                    }
                    Stage::Analysing | Stage::Passed => {}
                }
            }
        }
    }
    for retiring in &state.retiring {
        match retiring.at {
            Some(at) if at > state.clock => earliest.or(Some(at)),
            Some(_) => world_is_awaited = true,
            None => {}
        }
    }
    earliest.or(state.notices.iter().map(|notice| notice.not_before).filter(|at| *at > state.clock).min());
    if world_is_awaited {
        earliest.or(Some(OBSERVE_INTERVAL.after(state.clock)));
    }
    earliest.0.map(|at| at.max(state.clock))
}

struct Earliest(Option<Timestamp>);

impl Earliest {
    fn or(&mut self, other: Option<Timestamp>) {
        self.0 = match (self.0, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
}

/// How often the world is looked at while something in it is waited for.
const OBSERVE_INTERVAL: GoDuration = GoDuration::from_secs(5);
