//! A world with virtual time for one rollout: a router and pools that obey, sources that answer as scripted.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test harness")]

use std::collections::BTreeMap;

use serinus_core::{
    metric::{Question, Sample},
    port::{Fence, Fenced, Pool, Pools},
    rollout::{
        Answer, Command, Decision, Effect, Failure, Input, Note, Outcome, Phase, Plan, PlanSpec, Rule, Stage,
        State, World, decide, effects_of,
    },
    time::{GoDuration, Timestamp},
    traffic::{Revision, Route, Weight},
};

/// What a metrics source answers.
type Source = Box<dyn FnMut(&Question) -> Result<Sample, Failure>>;

/// One rollout and everything around it. Time moves only when the engine says when to wake.
pub(crate) struct Sim {
    pub(crate) plan: Plan,
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    pub(crate) wake: Option<Timestamp>,
    pub(crate) route: Option<Fenced<Route>>,
    pub(crate) pools: BTreeMap<Revision, Pool>,
    pub(crate) replicas: Option<u32>,
    /// Revisions whose instances never become ready.
    pub(crate) broken: Vec<Revision>,
    pub(crate) source: Source,
    pub(crate) gate: Box<dyn FnMut(&str) -> bool>,
    pub(crate) notes: Vec<Note>,
    /// The candidate's weight in force, each time it changed.
    pub(crate) ladder: Vec<Weight>,
    pub(crate) told: Vec<String>,
    pub(crate) frozen: bool,
    pub(crate) frozen_routes: bool,
    pub(crate) frozen_pools: bool,
    /// Revisions whose instances are scaled by nobody.
    pub(crate) deaf: Vec<Revision>,
    /// Whether answers come a second after their time.
    pub(crate) late: bool,
}

impl Sim {
    pub(crate) fn new(spec: PlanSpec) -> Self {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        Self {
            plan: Plan::try_from(spec).unwrap(),
            state: State::new("v1".into(), now),
            now,
            wake: Some(now),
            route: None,
            pools: BTreeMap::new(),
            replicas: None,
            broken: Vec::new(),
            source: Box::new(|_| Ok(Sample::number(100.0))),
            gate: Box::new(|_| true),
            notes: Vec::new(),
            ladder: Vec::new(),
            told: Vec::new(),
            frozen: false,
            frozen_routes: false,
            frozen_pools: false,
            deaf: Vec::new(),
            late: false,
        }
    }

    /// Settles on the first revision, then asks for the second.
    pub(crate) fn deliver(mut self, revision: &str) -> Self {
        self.run_until_idle();
        self.hear(Input::Revised(revision.into()));
        self
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.hear(Input::Commanded(command));
    }

    /// One decision, with the laws that hold for every decision, and what it asks for carried out.
    pub(crate) fn hear(&mut self, input: Input) {
        let before = self.state.clone();
        let decision = decide(&self.plan, self.state.clone(), &input, self.now);
        assert_eq!(decision, decide(&self.plan, before, &input, self.now), "deciding again differs");
        let text = serde_json::to_string(&decision.state).unwrap();
        let reloaded: State = serde_json::from_str(&text).unwrap();
        assert_eq!(reloaded, decision.state, "the state does not survive storage");
        assert_eq!(decision.effects, effects_of(&self.plan, &reloaded), "effects are no view of the state");
        let again = decide(&self.plan, reloaded, &Input::Tick, self.now);
        assert_eq!(again.state, decision.state, "a tick at the same time changes something");
        if matches!(input, Input::Seen(_)) && !effects_of(&self.plan, &decision.state).iter().any(is_question)
        {
            assert!(
                decision.wake.is_none_or(|wake| wake > decision.state.clock),
                "it asks to be woken at once, over and over: {:#?}",
                decision.state
            );
        }
        let Decision { state, effects, wake, notes, .. } = decision;
        self.state = state;
        self.wake = wake;
        self.notes.extend(notes);
        let mut answers = Vec::new();
        for effect in effects {
            match effect {
                Effect::Route { route, fence } if !(self.frozen || self.frozen_routes) => {
                    self.apply_route(route, fence)
                }
                Effect::Scale { revision, replicas, fence }
                    if !(self.frozen || self.frozen_pools || self.deaf.contains(&revision)) =>
                {
                    self.apply_scale(revision, replicas, fence)
                }
                Effect::Route { .. } | Effect::Scale { .. } => {}
                Effect::Ask { id, due, .. } if self.late => {
                    self.now = GoDuration::from_secs(1).after(due);
                    answers.push(Input::Answered { id, answer: Ok(Answer::Sample(Sample::number(100.0))) });
                }
                Effect::Ask { id, question, .. } => {
                    answers
                        .push(Input::Answered { id, answer: (self.source)(&question).map(Answer::Sample) });
                }
                Effect::AskGate { id, gate, .. } => {
                    answers.push(Input::Answered { id, answer: Ok(Answer::Gate((self.gate)(&gate))) });
                }
                Effect::Tell { id, message } => {
                    self.told.push(message);
                    answers.push(Input::Answered { id, answer: Ok(Answer::Told) });
                }
                _ => panic!("an effect this harness does not know"),
            }
        }
        for answer in answers {
            self.hear(answer);
        }
    }

    pub(crate) fn apply_route(&mut self, route: Route, fence: Fence) {
        if self.route.as_ref().is_some_and(|held| held.fence.is_some_and(|held| held > fence)) {
            return;
        }
        if self.ladder.last() != Some(&route.weight) {
            self.ladder.push(route.weight);
        }
        self.route = Some(Fenced { value: route, fence: Some(fence) });
    }

    pub(crate) fn apply_scale(&mut self, revision: Revision, replicas: u32, fence: Fence) {
        let ready = if self.broken.contains(&revision) { 0 } else { replicas };
        let pool = self.pools.entry(revision).or_default();
        if pool.fence.is_none_or(|held| held <= fence) {
            *pool = Pool { wanted: replicas, ready, fence: Some(fence) };
        }
    }

    pub(crate) fn world(&self) -> World {
        World {
            route: self.route.clone(),
            pools: Pools { replicas: self.replicas, by_revision: self.pools.clone() },
        }
    }

    /// Looks at the world, and moves time to the next wake-up. False if there is none.
    pub(crate) fn step(&mut self) -> bool {
        self.hear(Input::Seen(self.world()));
        match self.wake {
            Some(wake) => {
                self.now = self.now.max(wake);
                true
            }
            None => false,
        }
    }

    /// Steps until nothing changes by itself; a livelock fails.
    pub(crate) fn run_until_idle(&mut self) {
        for _ in 0..2_000 {
            if !self.step() {
                let written = self.state.fence;
                for _ in 0..3 {
                    self.hear(Input::Seen(self.world()));
                }
                assert_eq!(self.state.fence, written, "looking again writes again, though nothing happened");
                return;
            }
        }
        panic!("livelock: {:#?}", self.state);
    }

    /// Steps until a condition holds; fails if it never does.
    pub(crate) fn run_until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..2_000 {
            if holds(self) {
                return;
            }
            let going = self.step();
            assert!(going || holds(self), "nothing moves, and never: {what}\n{:#?}", self.state);
        }
        panic!("never: {what}\n{:#?}", self.state);
    }

    pub(crate) fn stage(&self) -> Option<Stage> {
        self.state.attempt_under_way().map(|attempt| attempt.stage.clone())
    }

    /// All instances of a revision die.
    pub(crate) fn kill(&mut self, revision: &str) {
        self.pools.get_mut(&revision.into()).unwrap().ready = 0;
    }

    /// All instances of a revision come up.
    pub(crate) fn heal(&mut self, revision: &str) {
        let pool = self.pools.get_mut(&revision.into()).unwrap();
        pool.ready = pool.wanted;
    }

    pub(crate) fn advance(&mut self, length: GoDuration) {
        self.now = length.after(self.now);
    }

    pub(crate) fn is_promoted(&self) -> bool {
        self.state.outcome() == Some(&Outcome::Promoted)
    }

    pub(crate) fn is_aborted(&self) -> bool {
        matches!(self.state.outcome(), Some(Outcome::Aborted(_)))
    }

    pub(crate) fn is_progressing(&self) -> bool {
        matches!(self.state.phase, Phase::Progressing(_))
    }

    pub(crate) fn step_number(&self) -> Option<usize> {
        self.state.attempt_under_way().map(|attempt| attempt.step)
    }

    pub(crate) fn noted(&self, rule: Rule) -> bool {
        self.notes.iter().any(|note| note.rule == rule)
    }

    pub(crate) fn ladder_percent(&self) -> Vec<f64> {
        self.ladder.iter().map(|weight| weight.as_percent()).collect()
    }
}

/// Whether an answer may come at any moment.
fn is_question(effect: &Effect) -> bool {
    !matches!(effect, Effect::Route { .. } | Effect::Scale { .. })
}
