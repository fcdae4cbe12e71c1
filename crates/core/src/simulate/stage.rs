//! The engine, with a made-up world around it.

use super::{
    course::{Course, Ending, Turn},
    signal::Signal,
    simulation::{Answering, Shape, Simulation},
    traffic::{Split, Traffic},
};
use crate::{
    metric::{Question, Sample},
    port::{Fence, Fenced, Pool, PortErrorKind},
    rollout::{
        Answer, Command, Effect, Failure, Input, Outcome, Pause, Phase, RequestId, State, Waits, World,
        decide,
    },
    time::{GoDuration, Timestamp},
    traffic::{Revision, Route, Weight},
};

/// One rollout under way.
pub(super) struct Stage<'a> {
    simulation: &'a Simulation,
    traffic: Traffic<'a>,
    stable: Revision,
    candidate: Revision,
    state: State,
    waits: Waits,
    wake: Option<Timestamp>,
    shown: World,
    now: Timestamp,
    looks: u64,
    trail: Vec<Turn>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(simulation: &'a Simulation, seed: u64, rollout: u64) -> Self {
        let stable = Revision::from("stable");
        let Simulation { world, edges, drawn, .. } = simulation;
        Self {
            traffic: Traffic::new(world, edges, (seed, rollout), *drawn),
            state: State::new(stable.clone(), BEGINNING),
            stable,
            candidate: Revision::from("candidate"),
            waits: Waits::Nothing,
            wake: Some(BEGINNING),
            shown: World::default(),
            now: BEGINNING,
            looks: 0,
            trail: Vec::new(),
            simulation,
        }
    }

    /// From the first look at stable, which runs alone, to the end.
    pub(super) fn play(mut self) -> Course {
        self.turn(Input::Tick);
        self.turn(Input::Revised(self.candidate.clone()));
        let end = self.simulation.horizon.after(BEGINNING);
        let mut person: Option<Timestamp> = None;
        let ending = loop {
            if let Some(ending) = self.ending() {
                break ending;
            }
            let waits_for_person = matches!(self.waits, Waits::Person);
            person = waits_for_person
                .then(|| person.unwrap_or_else(|| self.simulation.person_after.after(self.now)));
            let Some(next) = self.wake.into_iter().chain(person).min() else {
                break Ending::Open(self.waiting());
            };
            if next > end {
                self.pass_time(end);
                break Ending::Open(self.waiting());
            }
            // Time must pass, or a plan could wake itself for ever.
            self.pass_time(if next > self.now { next } else { MOMENT.after(self.now) });
            let comes = person.is_some_and(|person| person <= self.now);
            if comes {
                person = None;
            }
            self.turn(if comes { Input::Commanded(Command::Resume) } else { Input::Tick });
        };
        let toll = self.traffic.toll;
        let users = toll.candidate as f64 / self.simulation.world.requests_per_user;
        Course {
            ending,
            lasted: GoDuration::between(BEGINNING, self.now),
            looks: self.looks,
            failures: toll.failures,
            excess_failures: toll.excess,
            candidate_failures: toll.candidate_failures,
            candidate_requests: toll.candidate,
            candidate_users: users.ceil() as u64,
            trail: self.trail,
        }
    }

    fn ending(&self) -> Option<Ending> {
        match &self.state.phase {
            Phase::Done(done) => Some(match &done.outcome {
                Outcome::Promoted => Ending::Promoted,
                Outcome::Aborted(reason) => Ending::RolledBack(reason.clone()),
                Outcome::Returned(result) => Ending::Returned(result.clone()),
            }),
            Phase::Progressing(attempt) => {
                matches!(attempt.paused, Some(Pause::Inconclusive(_))).then_some(Ending::LeftToPerson)
            }
            Phase::Idle | Phase::Retreating(_) => None,
        }
    }

    fn waiting(&self) -> String {
        format!("waits for {:?}", self.waits)
    }

    fn pass_time(&mut self, to: Timestamp) {
        self.traffic.advance(since_beginning(to));
        self.now = to;
    }

    /// One input, then looks at the world and answers, until nothing is left to do at this moment.
    fn turn(&mut self, first: Input) {
        let mut next = Some(first);
        let mut looked = false;
        for _ in 0..MOST_DECISIONS {
            let Some(input) = next.take() else { break };
            let state = std::mem::replace(&mut self.state, State::new(self.stable.clone(), self.now));
            let decision = decide(&self.simulation.plan, state, &input, self.now);
            (self.state, self.waits, self.wake) = (decision.state, decision.waits, decision.wake);
            let mut wrote = false;
            for effect in decision.effects {
                match effect {
                    Effect::Route { route, fence } => {
                        self.shown.route = Some(Fenced { value: route, fence: Some(fence) });
                        wrote = true;
                    }
                    Effect::Scale { revision, replicas, fence } => {
                        self.scale(revision, replicas, fence);
                        wrote = true;
                    }
                    Effect::Ask { id, question, .. } => {
                        if next.is_none() {
                            next = Some(Input::Answered { id, answer: self.ask(id, &question) });
                        }
                    }
                    Effect::AskGate { id, .. } => {
                        next.get_or_insert(Input::Answered { id, answer: Ok(Answer::Gate(true)) });
                    }
                    Effect::Tell { id, .. } => {
                        next.get_or_insert(Input::Answered { id, answer: Ok(Answer::Told) });
                    }
                }
            }
            if wrote {
                self.redirect();
            }
            // What was just written is to be seen before anything is answered.
            if wrote || (next.is_none() && !looked) {
                looked = true;
                next = Some(Input::Seen(self.shown.clone()));
            } else if let Some(Input::Answered { id: RequestId::Measurement { .. }, .. }) = next {
                self.looks += 1;
            }
        }
    }

    fn scale(&mut self, revision: Revision, replicas: u32, fence: Fence) {
        let pool = Pool { wanted: replicas, ready: replicas, fence: Some(fence) };
        self.shown.pools.by_revision.insert(revision, pool);
    }

    /// Sends the requests from now on where the route and the instances send them.
    fn redirect(&mut self) {
        let split = self.shown.route.as_ref().map_or_else(
            || Split { candidate: self.share_of_instances(), ..Split::default() },
            |route| self.split_of(&route.value),
        );
        if split == self.traffic.split {
            return;
        }
        if split.candidate != self.traffic.split.candidate {
            let weight = Weight::try_percent(100.0 * split.candidate).unwrap_or_default();
            self.trail.push(Turn { at: GoDuration::between(BEGINNING, self.now), weight });
        }
        self.traffic.split = split;
    }

    fn split_of(&self, route: &Route) -> Split {
        let share = |weight: Weight| f64::from(weight.parts()) / f64::from(Weight::FULL.parts());
        if route.stable == self.candidate {
            return Split { candidate: 1.0, ..Split::default() };
        }
        if route.candidate.is_none() {
            return Split::default();
        }
        let world = &self.simulation.world;
        let matching = if route.matches.is_empty() { 0.0 } else { world.matching };
        Split {
            candidate: matching + (1.0 - matching) * share(route.weight),
            mirror: share(route.mirror),
            preview: if route.preview { world.preview } else { 0.0 },
        }
    }

    fn share_of_instances(&self) -> f64 {
        let ready = |revision: &Revision| {
            self.shown.pools.by_revision.get(revision).map_or(0.0, |pool| f64::from(pool.ready))
        };
        let (stable, candidate) = (ready(&self.stable), ready(&self.candidate));
        if candidate > 0.0 { candidate / (stable + candidate) } else { 0.0 }
    }

    fn ask(&mut self, id: RequestId, question: &Question) -> Result<Answer, Failure> {
        let answering = match id {
            RequestId::Measurement { place, metric, .. } => self.simulation.answering(place, metric),
            RequestId::Gate { .. } | RequestId::Notice(_) => None,
        };
        let Some(Answering { signal, window, shape, drawn }) = answering.copied() else {
            let message = "this metric is not in the plan that is simulated".to_owned();
            return Err(Failure { kind: PortErrorKind::NotFound, message });
        };
        let at = since_beginning(question.at);
        let (from, to) = question.window.map_or((at.saturating_sub(window), at), |window| {
            (since_beginning(window.from), since_beginning(window.to))
        });
        let both = self.traffic.within(from, to);
        if signal == Signal::Arms {
            return Ok(Answer::Sample(both.arms(drawn).into()));
        }
        let value = signal.value(&both.candidate, (to - from) as f64 / 1e9);
        // A counter that never counted anything is not there, which is not the same as a rate of nothing.
        let is_absent = value.is_nan() && self.traffic.within(0, to).candidate.requests == 0;
        Ok(Answer::Sample(match shape {
            Shape::List if is_absent => Sample::empty(),
            Shape::List => Sample::List(vec![value.into()]),
            Shape::Number if value.is_nan() => Sample::empty(),
            Shape::Number => value.into(),
        }))
    }
}

fn since_beginning(at: Timestamp) -> i64 {
    GoDuration::between(BEGINNING, at).as_nanos()
}

/// Any time will do: nothing here looks at a calendar.
const BEGINNING: Timestamp = Timestamp::UNIX_EPOCH;
const MOMENT: GoDuration = GoDuration::from_secs(1);
/// Decisions at one moment; a plan that needs more is in a loop.
const MOST_DECISIONS: u32 = 10_000;
