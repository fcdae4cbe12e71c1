//! Choosing what the world is to show: routes, pool sizes, revisions on their way out.

use super::{
    Aim, Attempt, CandidateScale, Capacity, Ending, Phase, Plan, PoolState, Retiring, Rule, Step,
    decide::Turn,
};
use crate::{
    capacity::{self, Amount, CountedInput, DynamicStable, RoutedInput},
    port::Fence,
    traffic::{Revision, Route, Weight},
};

/// Who moves instances and traffic, as far as choosing targets goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Managed {
    /// Only routes are set.
    Unmanaged,
    /// Routes are set and instances follow.
    Routed,
    /// Only instances are counted.
    Counted,
}

impl Turn<'_> {
    pub(super) fn managed(&self) -> Managed {
        match self.plan.spec().capacity {
            Capacity::Unmanaged => Managed::Unmanaged,
            Capacity::Routed { .. } => Managed::Routed,
            Capacity::Counted { .. } => Managed::Counted,
        }
    }

    /// Instances the application should have in all.
    pub(super) fn replicas(&self) -> u32 {
        self.state.replicas.unwrap_or(match self.plan.spec().capacity {
            Capacity::Unmanaged => 0,
            Capacity::Routed { replicas, .. } | Capacity::Counted { replicas, .. } => replicas,
        })
    }

    pub(super) fn ready(&self, revision: &Revision) -> u32 {
        self.state.pools.get(revision).map_or(0, |pool| pool.ready)
    }

    /// Whether the instances chosen for a revision are there.
    pub(super) fn is_there(&self, revision: &Revision, enough: Option<Amount>) -> bool {
        self.state.pools.get(revision).is_some_and(|pool| {
            pool.aim.as_ref().is_some_and(|aim| {
                let ready = match enough {
                    Some(enough) => pool.ready >= aim.value.min(1) && enough.is_met(pool.ready, aim.value),
                    None => pool.ready >= aim.value,
                };
                aim.seen && ready
            })
        })
    }

    pub(super) fn is_routed(&self) -> bool {
        self.state.route.as_ref().is_none_or(|aim| aim.seen)
    }

    /// Chooses a route. With `anew` it is written under a new fence even if it is the same: a phase ends only when
    /// the world shows a write of that phase, never because it already looks right.
    pub(super) fn aim_route(&mut self, route: Route, anew: bool) {
        if !anew && self.state.route.as_ref().is_some_and(|aim| aim.value == route) {
            return;
        }
        let fence = self.next_fence();
        self.state.route = Some(Aim::new(route, fence));
    }

    /// Chooses the size of a pool; `anew` as in [`Turn::aim_route`].
    pub(super) fn aim_pool(&mut self, revision: &Revision, replicas: u32, anew: bool) {
        if !anew && self.is_aimed(revision, replicas) {
            return;
        }
        let fence = self.next_fence();
        self.state.pools.get_or_default(revision).aim = Some(Aim::new(replicas, fence));
    }

    fn is_aimed(&self, revision: &Revision, replicas: u32) -> bool {
        let aim = self.state.pools.get(revision).and_then(|pool| pool.aim.as_ref());
        aim.is_some_and(|aim| aim.value == replicas)
    }

    /// Writes every target again under a fence of our own, after somebody else's was found.
    pub(super) fn refence(&mut self) {
        if let Some(aim) = &self.state.route {
            self.aim_route(aim.value.clone(), true);
        }
        let pools: Vec<_> = self
            .state
            .pools
            .iter()
            .filter_map(|(revision, pool)| Some((revision.clone(), pool.aim.as_ref()?.value)))
            .collect();
        for (revision, replicas) in pools {
            self.aim_pool(&revision, replicas, true);
        }
    }

    fn next_fence(&mut self) -> Fence {
        let Fence { epoch, seq } = self.state.fence;
        // Only a damaged fence in the world can bring numbering to its end; the next epoch goes on from there.
        self.state.fence = match seq.checked_add(1) {
            Some(seq) => Fence { epoch, seq },
            None => {
                Fence { epoch: epoch.saturating_add(1), seq: if epoch == u64::MAX { u64::MAX } else { 0 } }
            }
        };
        self.state.fence
    }

    /// Chooses the pools of an attempt, for the step it is at.
    pub(super) fn aim_pools(&mut self, attempt: &Attempt) {
        let replicas = self.replicas();
        match self.plan.spec().capacity {
            Capacity::Unmanaged => {}
            Capacity::Routed { dynamic_stable, min_per_revision, .. } => {
                let (share, fixed) = candidate_size(self.plan, attempt, replicas);
                let dynamic_stable = dynamic_stable.then(|| {
                    let in_force =
                        self.state.route.as_ref().map(|aim| aim.value.share_of(&attempt.candidate));
                    DynamicStable { in_force: in_force.unwrap_or(Weight::ZERO).into(), aborted: false }
                });
                let counts = capacity::routed(RoutedInput {
                    replicas,
                    share: share.into(),
                    candidate: fixed,
                    min_per_revision,
                    dynamic_stable,
                });
                self.aim_pool(&attempt.candidate, counts.candidate, false);
                // It shrinks only after its traffic is seen to be gone, and never to nothing: it is the way back.
                let least = if dynamic_stable.is_none() {
                    replicas
                } else if self.is_routed() {
                    replicas.min(1)
                } else {
                    let now = self.state.pools.get(&self.state.stable).and_then(|pool| pool.aim.as_ref());
                    now.map_or(replicas, |aim| aim.value.clamp(replicas.min(1), replicas))
                };
                let replicas = counts.stable.max(least);
                if !self.is_aimed(&self.state.stable, replicas) {
                    let stable = self.state.stable.clone();
                    self.aim_pool(&stable, replicas, false);
                }
            }
            Capacity::Counted { .. } => {
                let weight = match self.plan.steps().get(attempt.step) {
                    // Instances are the traffic: none moves on while a verdict is open.
                    _ if attempt.unconcluded(self.plan).is_some() => attempt.route.weight,
                    None if self.plan.spec().ends == Ending::Return => attempt.route.weight,
                    None | Some(Step::Switch) => Weight::FULL,
                    Some(Step::Weight(weight)) => *weight,
                    Some(_) => attempt.route.weight,
                };
                self.aim_counted(&attempt.candidate, weight);
            }
        }
    }

    /// Chooses the next move of instances towards a weight, without a router. One move at a time: the next is
    /// chosen from what the last one led to.
    pub(super) fn aim_counted(&mut self, candidate: &Revision, weight: Weight) {
        let is_awaited = |pool: &PoolState| pool.aim.as_ref().is_some_and(|aim| !aim.seen);
        let awaited = |revision: &Revision| self.state.pools.get(revision).is_some_and(is_awaited);
        if awaited(candidate) || awaited(&self.state.stable) {
            return;
        }
        let seen = |pool: &PoolState| capacity::Pool { wanted: pool.wanted, ready: pool.ready };
        let candidate_pool = self.state.pools.get(candidate).map(seen).unwrap_or_default();
        self.move_counted(candidate, candidate_pool, weight);
    }

    /// As [`Turn::aim_counted`], back to stable. It asks nothing of the candidate: instances that were told to go
    /// count as gone, whether the world shows it yet or not.
    pub(super) fn aim_counted_back(&mut self, candidate: &Revision) {
        let told = |pool: &PoolState| capacity::Pool {
            wanted: pool.aim.as_ref().map_or(pool.wanted, |aim| aim.value.min(pool.wanted)),
            ready: pool.ready,
        };
        // What the candidate is told makes room for stable at once, so a move may allow another.
        for _ in 0..MOST_MOVES {
            let stable = self.state.pools.get(&self.state.stable);
            if stable.is_some_and(|pool| pool.aim.as_ref().is_some_and(|aim| !aim.seen)) {
                return;
            }
            let fence = self.state.fence;
            let candidate_pool = self.state.pools.get(candidate).map(told).unwrap_or_default();
            self.move_counted(candidate, candidate_pool, Weight::ZERO);
            if self.state.fence == fence {
                return;
            }
        }
    }

    fn move_counted(&mut self, candidate: &Revision, candidate_pool: capacity::Pool, weight: Weight) {
        let Some((replicas, surge, unavailable)) = self.limits() else { return };
        let stable = self.state.stable.clone();
        if self.state.pools.get(&stable).is_none_or(|pool| pool.aim.is_none()) {
            // Moves are chosen from what there is, so stable must be seen at a size of ours first.
            self.aim_pool(&stable, replicas, false);
            return;
        }
        let counts = capacity::counted_pass(CountedInput {
            replicas,
            share: weight.into(),
            surge,
            unavailable,
            candidate: candidate_pool,
            stable: self
                .state
                .pools
                .get(&stable)
                .map(|pool| capacity::Pool { wanted: pool.wanted, ready: pool.ready }),
            others: self.others(candidate),
        });
        self.aim_pool(&stable, counts.stable, false);
        self.aim_pool(candidate, counts.candidate, false);
    }

    /// Whether the instances stand at the counts a weight wants, without a router.
    pub(super) fn is_counted(&self, candidate: &Revision, weight: Weight) -> bool {
        let Some((replicas, surge, _)) = self.limits() else { return true };
        let wanted = capacity::approximate(replicas, weight.into(), surge);
        let aimed = |revision: &Revision| {
            let aim = self.state.pools.get(revision).and_then(|pool| pool.aim.as_ref());
            aim.filter(|aim| aim.seen).map(|aim| aim.value)
        };
        aimed(candidate) == Some(wanted.candidate)
            && self.ready(candidate) >= wanted.candidate
            && aimed(&self.state.stable) == Some(wanted.stable)
    }

    /// Instances in all, and how many more and fewer there may be for a while.
    fn limits(&self) -> Option<(u32, u32, u32)> {
        let Capacity::Counted { max_surge, max_unavailable, .. } = self.plan.spec().capacity else {
            return None;
        };
        let replicas = self.replicas();
        let (surge, unavailable) = Amount::limits(max_surge, max_unavailable, replicas);
        Some((replicas, surge, unavailable.min(replicas)))
    }

    fn others(&self, candidate: &Revision) -> capacity::Pool {
        let mut sum = capacity::Pool::default();
        for (revision, pool) in self.state.pools.iter() {
            if revision != candidate && *revision != self.state.stable {
                sum.wanted = sum.wanted.saturating_add(pool.wanted);
                sum.ready = sum.ready.saturating_add(pool.ready);
            }
        }
        sum
    }

    /// Stable takes everything, at full size.
    pub(super) fn rest(&mut self) {
        let stable = self.state.stable.clone();
        match self.managed() {
            Managed::Unmanaged => self.aim_route(Route::all_to(stable), false),
            Managed::Routed => {
                self.aim_route(Route::all_to(stable.clone()), false);
                let replicas = self.replicas();
                self.aim_pool(&stable, replicas, false);
            }
            Managed::Counted => {
                let replicas = self.replicas();
                self.aim_pool(&stable, replicas, false);
            }
        }
    }

    /// A revision of ours that plays no part any more, such as one from before a state was lost, goes out.
    pub(super) fn adopt_strays(&mut self) {
        if self.managed() == Managed::Unmanaged {
            return;
        }
        let candidate = self.state.candidate();
        let strays: Vec<_> = self
            .state
            .pools
            .keys()
            .filter(|revision| {
                **revision != self.state.stable
                    && Some(*revision) != candidate
                    && !self.state.retiring.iter().any(|retiring| retiring.revision == **revision)
            })
            .cloned()
            .collect();
        for revision in strays {
            self.state.retiring.push(Retiring { revision, at: Some(self.state.clock) });
        }
    }

    /// After a change of the plan: targets that nobody sets any more would be waited for in vain.
    pub(super) fn forget_what_is_not_managed(&mut self) {
        match self.managed() {
            Managed::Unmanaged => {
                self.state.pools.clear();
                self.state.retiring.clear();
            }
            Managed::Counted => self.state.route = None,
            Managed::Routed => {}
        }
    }

    /// Lets a revision go, from a time on, or with `None` never by itself.
    pub(super) fn let_go(&mut self, revision: Revision, at: Option<crate::time::Timestamp>) {
        if self.managed() == Managed::Unmanaged {
            return;
        }
        self.state.retiring.retain(|retiring| retiring.revision != revision);
        self.state.retiring.push(Retiring { revision, at });
    }

    /// Scales down whoever is on the way out, is not served by the route that the world shows, and whose time has
    /// come. Tells whether a pool is gone for good.
    pub(super) fn retire(&mut self) -> bool {
        if self.state.retiring.is_empty() {
            return false;
        }
        let pools = self.state.pools.len();
        let mut due = Vec::new();
        let candidate = match &self.state.phase {
            Phase::Progressing(attempt) => Some(&attempt.candidate),
            Phase::Retreating(retreat) => Some(&retreat.candidate),
            Phase::Idle | Phase::Done(_) => None,
        };
        for retiring in &self.state.retiring {
            let revision = &retiring.revision;
            let in_use = *revision == self.state.stable
                || Some(revision) == candidate
                || self.state.route.as_ref().is_some_and(|aim| {
                    !aim.seen
                        || aim.value.stable == *revision
                        || aim.value.candidate.as_ref() == Some(revision)
                });
            if !in_use && retiring.at.is_some_and(|at| at <= self.state.clock) {
                due.push(revision.clone());
            }
        }
        for revision in due {
            let gone = self
                .state
                .pools
                .get(&revision)
                .is_none_or(|pool| pool.aim.as_ref().is_some_and(|aim| aim.value == 0 && aim.seen));
            if gone {
                self.state.pools.remove(&revision);
                self.state.retiring.retain(|retiring| retiring.revision != revision);
                self.note(Rule::Retired, format!("{revision} is scaled down: nobody needs it any more"));
            } else {
                self.aim_pool(&revision, 0, false);
            }
        }
        self.state.pools.len() < pools
    }
}

/// The share of all instances the candidate is to have, or a size that does not depend on it.
fn candidate_size(plan: &Plan, attempt: &Attempt, replicas: u32) -> (Weight, Option<u32>) {
    let (weight, special) = match plan.steps().get(attempt.step) {
        None if plan.spec().ends == Ending::Return => (attempt.route.weight, false),
        None | Some(Step::Switch) => return (Weight::FULL, Some(replicas)),
        Some(Step::Weight(weight)) => (attempt.route.weight.max(*weight), false),
        Some(Step::Match(matches)) => (attempt.route.weight, !matches.is_empty()),
        Some(Step::Mirror(share)) => (attempt.route.weight, !share.is_zero()),
        Some(Step::Scale(_) | Step::Hold(_) | Step::Analyse(_) | Step::Gate(_)) => {
            (attempt.route.weight, false)
        }
    };
    let special = special || !attempt.route.matches.is_empty() || !attempt.route.mirror.is_zero();
    let fixed = match attempt.scale {
        Some(CandidateScale::Replicas(replicas)) => Some(replicas),
        Some(CandidateScale::Percent(percent)) => Some(Amount::Percent(percent).up(replicas)),
        // Nobody knows which share of the requests matches, so a match or a mirror gets full capacity.
        Some(CandidateScale::MatchWeight) | None => special.then_some(replicas),
    };
    // Traffic needs somebody to take it, whatever a scale step says.
    let least = if weight.is_zero() && !special { 0 } else { replicas.min(1) };
    (weight, fixed.map(|size| size.max(least)))
}

/// How many moves back to stable are chosen at once; the next look chooses the others.
const MOST_MOVES: u32 = 64;
