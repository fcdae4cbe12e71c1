//! The way back: first thing, from every state, asking nothing of the candidate.

use super::{
    Attempt, Capacity, Done, Outcome, Phase, PoolState, Retreat, Rule,
    aim::Managed,
    decide::{Next, Turn},
};
use crate::traffic::{Revision, Route, Weight};

impl Turn<'_> {
    pub(super) fn begin_retreat(&mut self, attempt: Box<Attempt>, reason: String, cause: Cause) -> Phase {
        let (rule, is_refused, then) = match cause {
            Cause::Refused => (Rule::AbortStarted, true, None),
            Cause::Concluded => (Rule::Concluded, true, None),
            Cause::Changed(then) => (Rule::AbortStarted, false, then),
        };
        self.say(
            rule,
            format!(
                "attempt {}: traffic goes back from {} to {}: {reason}",
                self.state.attempt, attempt.candidate, self.state.stable
            ),
        );
        let retreat = Retreat {
            candidate: attempt.candidate,
            reason,
            since: self.state.clock,
            at_once: false,
            is_refused,
            is_concluded: rule == Rule::Concluded,
            then,
        };
        let stable = self.state.stable.clone();
        let replicas = self.replicas();
        match self.managed() {
            Managed::Unmanaged => self.aim_route(self.way_back(&retreat), true),
            Managed::Routed => {
                self.aim_pool(&stable, replicas, true);
                self.aim_route(self.way_back(&retreat), true);
            }
            // Targets on their way are replaced at once: they point the wrong way.
            Managed::Counted => {
                for (_, pool) in self.state.pools.iter_mut() {
                    if let Some(aim) = &mut pool.aim {
                        aim.seen = true;
                    }
                }
                self.aim_counted_back(&retreat.candidate);
            }
        }
        Phase::Retreating(retreat)
    }

    pub(super) fn retreat(&mut self, retreat: Retreat) -> Next {
        let stable = self.state.stable.clone();
        let replicas = self.replicas();
        let back = match self.managed() {
            Managed::Unmanaged => {
                self.aim_route(self.way_back(&retreat), false);
                self.is_routed()
            }
            Managed::Routed => {
                self.aim_pool(&stable, replicas, false);
                self.keep_while_it_serves(&retreat.candidate);
                self.aim_route(self.way_back(&retreat), false);
                self.is_routed() && self.state.weight().is_zero() && self.is_there(&stable, None)
            }
            Managed::Counted => {
                self.aim_counted_back(&retreat.candidate);
                self.is_counted(&retreat.candidate, Weight::ZERO) && self.is_there(&stable, None)
            }
        };
        if back { Next::Go(self.back_on_stable(retreat)) } else { Next::Stay(Phase::Retreating(retreat)) }
    }

    /// An application that was scaled to nothing for a moment, and is not any more, may have told the candidate to go;
    /// as long as it takes traffic it stays as it is.
    fn keep_while_it_serves(&mut self, candidate: &Revision) {
        let is_left = self.is_routed() && self.state.weight().is_zero();
        let told_to_go = |pool: &&PoolState| {
            pool.wanted > 0 && pool.aim.as_ref().is_some_and(|aim| aim.value == 0 && !aim.seen)
        };
        if !is_left
            && self.replicas() > 0
            && let Some(pool) = self.state.pools.get(candidate).filter(told_to_go)
        {
            self.aim_pool(candidate, pool.wanted, false);
        }
    }

    /// The route of a retreat. Where stable was allowed to shrink, it gets back only what it can take, so that going
    /// back does not overload it; everything at once on command, or if the candidate has nobody left.
    fn way_back(&self, retreat: &Retreat) -> Route {
        let shrunk = matches!(self.plan.spec().capacity, Capacity::Routed { dynamic_stable: true, .. });
        let in_force =
            self.state.route.as_ref().map_or(Weight::ZERO, |aim| aim.value.share_of(&retreat.candidate));
        let weight = if shrunk && !retreat.at_once && self.ready(&retreat.candidate) > 0 {
            let replicas = u64::from(self.replicas());
            let missing = replicas.saturating_sub(self.ready(&self.state.stable).into());
            let share = (u64::from(Weight::FULL.parts()) * missing).checked_div(replicas).unwrap_or(0);
            let share = u32::try_from(share).ok().and_then(|parts| Weight::try_parts(parts).ok());
            in_force.min(share.unwrap_or(Weight::FULL))
        } else {
            Weight::ZERO
        };
        Route {
            candidate: Some(retreat.candidate.clone()),
            weight,
            ..Route::all_to(self.state.stable.clone())
        }
    }

    fn back_on_stable(&mut self, retreat: Retreat) -> Phase {
        let now = self.state.clock;
        let Retreat { candidate, reason, is_refused, is_concluded, then, .. } = retreat;
        if then.as_ref() != Some(&candidate) {
            self.let_go(candidate.clone(), self.plan.spec().keep_aborted.map(|kept| kept.after(now)));
        }
        self.say(
            if is_concluded { Rule::Returned } else { Rule::Aborted },
            format!(
                "attempt {}: all traffic is on {} again: {reason}",
                self.state.attempt, self.state.stable
            ),
        );
        match then {
            Some(next) => self.begin_attempt(next),
            None => {
                let outcome = if is_concluded { Outcome::Returned(reason) } else { Outcome::Aborted(reason) };
                Phase::Done(Done { candidate, outcome, at: now, is_refused })
            }
        }
    }
}

/// Why traffic goes back.
pub(super) enum Cause {
    /// The candidate is not good enough, or a person said so: submitting it again changes nothing.
    Refused,
    /// The plan came to its end, which is to go back.
    Concluded,
    /// Something else is to be delivered, or in another way; with what to try next, if that is known.
    Changed(Option<Revision>),
}
