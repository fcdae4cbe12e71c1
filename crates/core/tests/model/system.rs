//! The engine and a world that misbehaves, as a state machine that can be searched.

use std::collections::BTreeMap;

use serinus_core::{
    analysis::{Analysis, Comparison, Judge, Metric},
    metric::{Number, Query, Sample},
    port::{Fence, Fenced, Pool, Pools},
    rollout::{
        Answer, Capacity, Command, Effect, Ending, Input, Outcome, Phase, Plan, PlanSpec, State, Step, Waits,
        World, decide, effects_of, waits_for,
    },
    strategy::{Canary, Cohort, Conclusion, Experiment, Measure, Shadow},
    time::{GoDuration, Timestamp},
    traffic::{Match, Revision, Route, Weight},
};

/// How effects reach the world and how they are acknowledged. The engine is the same in all of them: what is weakened
/// is the harness around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Design {
    /// Effects are derived from the state at every turn; else they are sent once, when they arise.
    pub(crate) view: bool,
    /// The world refuses a write with an older fence.
    pub(crate) fence_checked: bool,
    /// A value counts as seen only under our fence; else the value is enough.
    pub(crate) fence_read_back: bool,
}

impl Design {
    /// The design of this library.
    pub(crate) const OURS: Self = Self { view: true, fence_checked: true, fence_read_back: true };
}

/// What may go wrong, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    pub(crate) crashes: u8,
    pub(crate) losses: u8,
    pub(crate) aborts: u8,
    pub(crate) retries: u8,
    pub(crate) skips: u8,
    pub(crate) flaps: u8,
    /// Other revisions to deliver in the middle of an attempt: a newer one, or the stable one again.
    pub(crate) changes: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Write {
    /// Stable, candidate, the candidate's weight, how many matches, what is mirrored.
    Route(Fence, String, Option<String>, u32, usize, u32),
    Scale(Fence, String, u32),
}

/// Everything there is: the store, the drivers' memories, writes on their way, the world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct System {
    pub(crate) saved: State,
    pub(crate) version: u32,
    /// What each driver holds in memory; none after a crash.
    pub(crate) held: Vec<Option<(State, u32)>>,
    pub(crate) wire: Vec<Write>,
    pub(crate) route: Option<Fenced<Route>>,
    pub(crate) pools: BTreeMap<Revision, Pool>,
    pub(crate) left: Budget,
    /// Whether the analysis passed in the current attempt, or a person left it out.
    pub(crate) cleared: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Look(usize),
    Answer(usize, bool),
    Command(usize, Command),
    Revise(usize, &'static str),
    /// A turn whose driver dies after saving and before acting.
    Die(usize),
    Deliver(usize),
    Lose(usize),
    Ready(Revision),
    Flap,
}

/// What is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Weights that grow, with an analysis between them.
    Canary,
    /// A cohort by weight, with an analysis beside it; back to stable.
    Experiment,
    /// The same with a cohort by match, and a promotion.
    Matching,
    /// Copies with an analysis, then a weight.
    Shadow,
}

pub(crate) fn plan(kind: Kind, managed: bool) -> Plan {
    let capacity = if managed {
        Capacity::Routed { replicas: 2, dynamic_stable: true, min_per_revision: 0, ready_enough: None }
    } else {
        Capacity::Unmanaged
    };
    let half = Weight::percent(50.0);
    let measure = || Measure::new("m", Comparison::default());
    let spec = match kind {
        Kind::Canary => {
            let weights = [Step::Weight(Weight::percent(10.0)), Step::Analyse(0), Step::Weight(half)];
            // Instances multiply the states: one weight is enough to see them come and go.
            let steps = if managed { weights[1..].to_vec() } else { weights.to_vec() };
            let analyses = vec![Analysis::of("a", [metric()])];
            PlanSpec { steps, analyses, capacity, ..PlanSpec::default() }
        }
        Kind::Experiment => {
            Experiment::with(capacity, Cohort::Requests(half), measure()).guardrails([]).into()
        }
        Kind::Matching => {
            let cohort = Cohort::Matching(vec![anybody()]);
            Experiment::with(capacity, cohort, measure()).guardrails([]).then(Conclusion::Promote).into()
        }
        Kind::Shadow => {
            let canary = Canary::with(capacity.clone()).without_comparison().weight(half);
            let copied = GoDuration::from_mins(10);
            Shadow::with(capacity, Weight::percent(10.0), copied).comparisons([measure()]).then(canary).into()
        }
    };
    Plan::try_from(without_time(spec)).expect("the plan of the model is valid")
}

/// The plan in a world without time, which knows no windows and in which no length of time ever ends: every analysis
/// asks one question with two answers, and holds of a length are left out.
fn without_time(mut spec: PlanSpec) -> PlanSpec {
    for analysis in &mut spec.analyses {
        analysis.metrics = vec![metric()];
    }
    let is_left = |step: &Step| !matches!(step, Step::Hold(Some(_)));
    for background in &mut spec.background {
        let left = |end: usize| spec.steps[..end].iter().filter(|step| is_left(step)).count();
        background.during = left(background.during.start)..left(background.during.end);
    }
    spec.steps.retain(is_left);
    spec
}

fn metric() -> Metric {
    let judge = Judge::Range { min: Some(Number::new(1.0)), max: None };
    Metric::new("m", Query::new("test", "q"), judge)
}

fn anybody() -> Match {
    Match { headers: Vec::new(), cookies: Vec::new(), path: None }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

impl System {
    pub(crate) fn new(drivers: usize, left: Budget) -> Self {
        Self {
            saved: State::new("old".into(), now()),
            version: 1,
            held: vec![None; drivers],
            wire: Vec::new(),
            route: None,
            pools: BTreeMap::new(),
            left,
            cleared: false,
        }
    }

    pub(crate) fn actions(&self, plan: &Plan) -> Vec<Action> {
        let mut actions = Vec::new();
        for driver in 0..self.held.len() {
            actions.push(Action::Look(driver));
            let state = self.held[driver].as_ref().map_or(&self.saved, |(state, _)| state);
            if effects_of(plan, state).iter().any(|effect| matches!(effect, Effect::Ask { .. })) {
                actions.push(Action::Answer(driver, true));
                actions.push(Action::Answer(driver, false));
            }
            if self.saved.phase == Phase::Idle {
                actions.push(Action::Revise(driver, "new"));
            }
            if self.left.changes > 0
                && matches!(self.saved.phase, Phase::Progressing(_) | Phase::Retreating(_))
            {
                actions.push(Action::Revise(driver, "newer"));
                actions.push(Action::Revise(driver, "old"));
            }
            if self.left.aborts > 0 {
                actions.push(Action::Command(driver, Command::Abort(String::new())));
            }
            if self.left.retries > 0 && matches!(self.saved.phase, Phase::Done(_) | Phase::Retreating(_)) {
                actions.push(Action::Command(driver, Command::Retry));
            }
            if self.left.skips > 0 && matches!(self.saved.phase, Phase::Progressing(_)) {
                actions.push(Action::Command(driver, Command::PromoteFully));
            }
            if self.left.crashes > 0 {
                actions.push(Action::Die(driver));
            }
        }
        for write in 0..self.wire.len() {
            actions.push(Action::Deliver(write));
            if self.left.losses > 0 {
                actions.push(Action::Lose(write));
            }
        }
        for (revision, pool) in &self.pools {
            if pool.ready != pool.wanted {
                actions.push(Action::Ready(revision.clone()));
            }
        }
        if self.left.flaps > 0 && self.pools.get(&"new".into()).is_some_and(|pool| pool.ready > 0) {
            actions.push(Action::Flap);
        }
        actions
    }

    pub(crate) fn apply(&mut self, plan: &Plan, design: Design, action: &Action) {
        self.act(plan, design, action);
        // Versions only tell whether somebody else has written since: two numbers are enough, and fewer states.
        for (_, version) in self.held.iter_mut().flatten() {
            *version = u32::from(*version == self.version);
        }
        self.version = 1;
    }

    fn act(&mut self, plan: &Plan, design: Design, action: &Action) {
        match action {
            Action::Look(driver) => {
                let held = self.held_by(*driver);
                let seen = self.seen_by(&held, design);
                self.turn(plan, design, *driver, &seen, false);
            }
            Action::Die(driver) => {
                self.left.crashes -= 1;
                let held = self.held_by(*driver);
                let seen = self.seen_by(&held, design);
                self.turn(plan, design, *driver, &seen, true);
            }
            Action::Answer(driver, passes) => {
                let held = self.held_by(*driver);
                let asked = effects_of(plan, &held).into_iter().find_map(|effect| match effect {
                    Effect::Ask { id, .. } => Some(id),
                    _ => None,
                });
                let Some(id) = asked else { return };
                let answer = Ok(Answer::Sample(Sample::number(if *passes { 1.0 } else { 0.0 })));
                let won = self.turn(plan, design, *driver, &Input::Answered { id, answer }, false);
                self.cleared |= won && *passes;
            }
            Action::Command(driver, command) => {
                match command {
                    Command::Abort(_) => self.left.aborts -= 1,
                    Command::Retry => self.left.retries -= 1,
                    _ => self.left.skips -= 1,
                }
                let won = self.turn(plan, design, *driver, &Input::Commanded(command.clone()), false);
                self.cleared |= won && *command == Command::PromoteFully;
            }
            Action::Revise(driver, revision) => {
                if self.saved.phase != Phase::Idle {
                    self.left.changes -= 1;
                }
                self.turn(plan, design, *driver, &Input::Revised((*revision).into()), false);
            }
            Action::Deliver(write) => {
                let write = self.wire.remove(*write);
                self.land(design, write);
            }
            Action::Lose(write) => {
                self.left.losses -= 1;
                self.wire.remove(*write);
            }
            Action::Ready(revision) => {
                if let Some(pool) = self.pools.get_mut(revision) {
                    pool.ready = pool.wanted;
                }
            }
            Action::Flap => {
                self.left.flaps -= 1;
                if let Some(pool) = self.pools.get_mut(&"new".into()) {
                    pool.ready = 0;
                }
            }
        }
    }

    fn held_by(&self, driver: usize) -> State {
        self.held[driver].as_ref().map_or_else(|| self.saved.clone(), |(state, _)| state.clone())
    }

    /// Whether the turn won the store.
    fn turn(&mut self, plan: &Plan, design: Design, driver: usize, input: &Input, dies: bool) -> bool {
        let (state, version) = self.held[driver].take().unwrap_or_else(|| (self.saved.clone(), self.version));
        let before = effects_of(plan, &state);
        let attempt = state.attempt;
        let decision = decide(plan, state, input, now());
        if version != self.version {
            // Lost the race: what was decided is forgotten, the store is read again at the next turn.
            return false;
        }
        if decision.state != self.saved {
            self.version += 1;
        }
        if decision.state.attempt != attempt {
            self.cleared = false;
        }
        self.saved = decision.state.clone();
        if dies {
            return true;
        }
        for effect in &decision.effects {
            if !design.view && before.contains(effect) {
                continue;
            }
            let write = match effect {
                Effect::Route { route, fence } => Write::Route(
                    *fence,
                    route.stable.to_string(),
                    route.candidate.as_ref().map(ToString::to_string),
                    route.weight.parts(),
                    route.matches.len(),
                    route.mirror.parts(),
                ),
                Effect::Scale { revision, replicas, fence } => {
                    Write::Scale(*fence, revision.to_string(), *replicas)
                }
                _ => continue,
            };
            if !self.wire.contains(&write) {
                self.wire.push(write);
                self.wire.sort();
            }
        }
        self.held[driver] = Some((decision.state, self.version));
        true
    }

    fn land(&mut self, design: Design, write: Write) {
        match write {
            Write::Route(fence, stable, candidate, weight, matches, mirror) => {
                let stale = self.route.as_ref().is_some_and(|route| route.fence > Some(fence));
                if !(design.fence_checked && stale) {
                    let value = Route {
                        candidate: candidate.map(Revision::from),
                        weight: Weight::try_parts(weight).expect("it was a weight before"),
                        matches: vec![anybody(); matches],
                        mirror: Weight::try_parts(mirror).expect("it was a weight before"),
                        ..Route::all_to(stable.into())
                    };
                    self.route = Some(Fenced { value, fence: Some(fence) });
                }
            }
            Write::Scale(fence, revision, replicas) => {
                let pool = self.pools.entry(revision.into()).or_default();
                if !(design.fence_checked && pool.fence > Some(fence)) {
                    *pool = Pool { wanted: replicas, ready: pool.ready.min(replicas), fence: Some(fence) };
                }
            }
        }
    }

    fn seen_by(&self, held: &State, design: Design) -> Input {
        let mut route = self.route.clone();
        let mut pools = self.pools.clone();
        if !design.fence_read_back {
            // "It already looks right" is taken for an acknowledgement.
            if let (Some(route), Some(aim)) = (&mut route, &held.route) {
                route.fence = (route.value == aim.value).then_some(aim.fence);
            }
            for (revision, pool) in &mut pools {
                let aim = held.pools.get(revision).and_then(|pool| pool.aim.as_ref());
                pool.fence = aim.filter(|aim| aim.value == pool.wanted).map(|aim| aim.fence);
            }
        }
        Input::Seen(World { route, pools: Pools { replicas: None, by_revision: pools } })
    }

    /// Of all traffic, what does not go to the revision everything began with.
    fn share_of_candidate(&self) -> u32 {
        self.route.as_ref().map_or(0, |route| {
            if route.value.stable.as_str() == "old" {
                route.value.weight.parts()
            } else {
                Weight::FULL.parts()
            }
        })
    }

    /// What must hold in every reachable state. The rule that does not, if one does not.
    pub(crate) fn broken_rule(&self, plan: &Plan, managed: bool, flaps: bool) -> Option<&'static str> {
        let share = self.share_of_candidate();
        let most = match &self.saved.phase {
            Phase::Idle => 0,
            Phase::Progressing(attempt)
                if attempt.step >= plan.steps().len() && plan.spec().ends == Ending::Promote =>
            {
                Weight::FULL.parts()
            }
            Phase::Progressing(attempt) => plan.weight_after(attempt.step + 1).parts(),
            Phase::Retreating(_) => Weight::FULL.parts(),
            Phase::Done(done) if done.outcome == Outcome::Promoted => Weight::FULL.parts(),
            _ => 0,
        };
        if share > most {
            return Some(
                "the candidate's weight is never above what its step allows, and nothing once aborted",
            );
        }
        if plan.spec().ends == Ending::Return && self.saved.stable.as_str() != "old" {
            return Some("a plan that returns promotes nobody");
        }
        let is_over = matches!(self.saved.phase, Phase::Done(_)) && self.saved.is_settled();
        if is_over
            && self
                .route
                .as_ref()
                .is_some_and(|route| !route.value.matches.is_empty() || !route.value.mirror.is_zero())
        {
            return Some("nobody is matched or copied once it is over");
        }
        if matches!(self.saved.outcome(), Some(Outcome::Promoted)) {
            if !self.cleared {
                return Some("nothing is promoted without its analysis or a person's word");
            }
            if share != Weight::FULL.parts() {
                return Some("a promoted candidate has all traffic");
            }
        }
        if managed {
            for (revision, pool) in &self.pools {
                let served = self.route.as_ref().is_some_and(|route| route.value.serves(revision));
                if served && pool.wanted == 0 {
                    return Some("nobody is scaled down while taking traffic");
                }
                if served && pool.ready == 0 && !flaps && revision.as_str() != "old" {
                    return Some("no weight without ready capacity");
                }
            }
            if matches!(self.saved.phase, Phase::Progressing(_) | Phase::Retreating(_))
                && self.pools.get(&"old".into()).is_some_and(|pool| pool.wanted == 0)
            {
                return Some("the way back is never scaled down");
            }
            if matches!(self.saved.outcome(), Some(Outcome::Aborted(_) | Outcome::Returned(_)))
                && self.pools.get(&"old".into()).is_none_or(|pool| pool.wanted < 2)
            {
                return Some("aborted or returned means stable has its full capacity");
            }
        }
        if waits_for(plan, &self.saved) == Waits::Nothing && !self.saved.is_settled() {
            return Some("whoever is not done waits for something with a name");
        }
        None
    }

    /// Lets everything go well from here: whether it comes to an end.
    pub(crate) fn ends_if_all_goes_well(&self, plan: &Plan, design: Design) -> bool {
        let mut system = self.clone();
        for _ in 0..60 {
            while !system.wire.is_empty() {
                system.apply(plan, design, &Action::Deliver(0));
            }
            for pool in system.pools.values_mut() {
                pool.ready = pool.wanted;
            }
            system.apply(plan, design, &Action::Look(0));
            if system.saved.phase == Phase::Idle && system.saved.is_settled() {
                system.apply(plan, design, &Action::Revise(0, "new"));
            }
            system.apply(plan, design, &Action::Answer(0, true));
            if matches!(system.saved.phase, Phase::Done(_))
                && system.saved.is_settled()
                && system.wire.is_empty()
            {
                return system
                    .route
                    .as_ref()
                    .is_some_and(|route| route.value == Route::all_to(system.saved.stable.clone()));
            }
        }
        false
    }
}
