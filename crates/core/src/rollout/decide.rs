//! The one function that runs every plan.

use super::{
    Aim, Answer, Attempt, Command, Done, Effect, Failure, Input, Note, Notice, Outcome, Phase, Place, Plan,
    RequestId, Retreat, Retry, Rule, SCHEMA, Stage, State, Waits, World, aim::Managed, effects_of,
    retreat::Cause, runs::measured, state::back_off, waits_for, wake_of,
};
use crate::{
    analysis::run::Reading,
    metric::Sample,
    port::{Fence, PortErrorKind},
    text::Text,
    time::{GoDuration, Timestamp},
    traffic::Revision,
};

/// What [`decide`] came to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use = "save `state` first, then apply `effects`"]
#[non_exhaustive]
pub struct Decision {
    /// Where the rollout stands now. To be saved before anything is done about it.
    pub state: State,
    /// What is to be done: always [`effects_of`] this state.
    pub effects: Vec<Effect>,
    /// The next time anything can change by itself; none if only an input can change it.
    pub wake: Option<Timestamp>,
    /// What was decided, and why.
    pub notes: Vec<Note>,
    /// What the rollout waits for.
    pub waits: Waits,
}

/// Decides what follows from an input.
///
/// Pure and total: no clock, no randomness, no I/O, no error. Bad input becomes a note and no change. `now` may run
/// backwards: the state remembers the latest time it heard, and a clock stepped back pauses everything.
///
/// Deciding again with [`Input::Tick`] at the same time changes nothing more.
pub fn decide(plan: &Plan, mut state: State, input: &Input, now: Timestamp) -> Decision {
    let mut turn = Turn { plan, state: &mut state, notes: Vec::new() };
    if turn.state.schema > SCHEMA {
        turn.note(
            Rule::SchemaUnknown,
            format!(
                "the state has schema {}, this program knows {SCHEMA}: nothing is touched; run the newer version",
                turn.state.schema
            ),
        );
    } else {
        turn.state.clock = turn.state.clock.max(now);
        turn.hear(input);
        turn.settle();
    }
    let notes = turn.notes;
    Decision {
        effects: effects_of(plan, &state),
        wake: wake_of(plan, &state),
        waits: waits_for(plan, &state),
        notes,
        state,
    }
}

/// One call of [`decide`] under way.
pub(super) struct Turn<'a> {
    pub(super) plan: &'a Plan,
    pub(super) state: &'a mut State,
    pub(super) notes: Vec<Note>,
}

/// A phase, and whether it can go on at once.
pub(super) enum Next {
    Stay(Phase),
    Go(Phase),
}

impl Turn<'_> {
    fn hear(&mut self, input: &Input) {
        match input {
            Input::Tick => {}
            Input::Seen(world) => self.observe(world),
            Input::Answered { id, answer } => self.answered(*id, answer),
            Input::Failed { fence, failure } => self.failed(*fence, failure),
            Input::Commanded(command) => self.commanded(command),
            Input::Revised(revision) => self.revised(revision),
            Input::Rebased(revision) => self.rebased(revision),
            Input::Elected(epoch) => {
                if *epoch > self.state.fence.epoch {
                    self.state.fence = Fence { epoch: *epoch, seq: self.state.fence.seq };
                }
            }
        }
    }

    /// Goes on as far as the facts allow. Ends, because every `Go` moves a stage, a step or a phase forward, and there
    /// are only so many pools to remove.
    fn settle(&mut self) {
        self.forget_what_is_not_managed();
        loop {
            let next = match std::mem::replace(&mut self.state.phase, Phase::Idle) {
                Phase::Idle => {
                    self.rest();
                    Next::Stay(Phase::Idle)
                }
                Phase::Progressing(attempt) => self.advance(attempt),
                Phase::Retreating(retreat) => self.retreat(retreat),
                Phase::Done(done) => {
                    self.rest();
                    Next::Stay(Phase::Done(done))
                }
            };
            match next {
                Next::Go(phase) => self.state.phase = phase,
                Next::Stay(phase) => {
                    self.state.phase = phase;
                    // Who is gone makes room for others.
                    if !self.retire() {
                        break;
                    }
                }
            }
        }
    }

    fn observe(&mut self, world: &World) {
        if let Some(replicas) = world.pools.replicas
            && self.state.replicas != Some(replicas)
        {
            if let Some(before) = self.state.replicas {
                self.note(
                    Rule::Rescaled,
                    format!("the application is to have {replicas} instances, {before} before"),
                );
            }
            self.state.replicas = Some(replicas);
        }
        let newest = world
            .route
            .iter()
            .filter_map(|route| route.fence)
            .chain(world.pools.by_revision.values().filter_map(|pool| pool.fence))
            .max();
        if let Some(newest) = newest.filter(|newest| *newest > self.state.fence) {
            self.note(
                Rule::FenceAdopted,
                format!(
                    "the world holds fence {newest}, newer than {}: numbering goes on from there",
                    self.state.fence
                ),
            );
            self.state.fence = newest;
            self.refence();
        } else if self.is_overtaken(world) {
            self.refence();
        }
        if let Some(aim) = &mut self.state.route {
            aim.seen = world
                .route
                .as_ref()
                .is_some_and(|route| route.fence == Some(aim.fence) && route.value == aim.value);
            if aim.seen {
                aim.retry = None;
            }
        }
        if self.managed() == Managed::Unmanaged {
            return;
        }
        let State { pools, stable, phase, .. } = &mut *self.state;
        let is_known = |revision: &Revision| *stable == *revision || phase.candidate() == Some(revision);
        let mut found = 0;
        for (revision, seen) in &world.pools.by_revision {
            let pool = match pools.get_mut(revision) {
                Some(pool) => pool,
                // Instances that neither we made nor our revisions own are somebody else's business, and a pool of
                // ours that stands at nothing is where it is to be.
                None if (seen.fence.is_none() || seen.wanted == 0) && !is_known(revision) => continue,
                None => pools.get_or_default(revision),
            };
            found += 1;
            pool.wanted = seen.wanted;
            pool.ready = seen.ready;
            if let Some(aim) = &mut pool.aim {
                aim.seen = seen.fence == Some(aim.fence) && seen.wanted == aim.value;
                if aim.seen {
                    aim.retry = None;
                }
            }
        }
        let some_are_gone = found < pools.len();
        let mut has_strays = false;
        for (revision, pool) in pools.iter_mut() {
            has_strays |= !is_known(revision);
            if some_are_gone && !world.pools.by_revision.contains_key(revision) {
                pool.wanted = 0;
                pool.ready = 0;
                if let Some(aim) = &mut pool.aim {
                    // A pool that is gone has nothing left to show a fence on.
                    aim.seen = aim.value == 0;
                }
            }
        }
        if has_strays {
            self.adopt_strays();
        }
        if let Phase::Progressing(attempt) = &mut self.state.phase {
            let ready = self.state.pools.get(&attempt.candidate).map_or(0, |pool| pool.ready);
            if ready > attempt.most_ready {
                attempt.most_ready = ready;
                attempt.progress = self.state.clock;
            }
        }
    }

    /// Whether the world holds a fence of somebody else above that of a target: it would refuse to take ours.
    fn is_overtaken(&self, world: &World) -> bool {
        fn is_above<T>(aim: Option<&Aim<T>>, found: Option<Fence>) -> bool {
            aim.is_some_and(|aim| found > Some(aim.fence))
        }
        is_above(self.state.route.as_ref(), world.route.as_ref().and_then(|route| route.fence))
            || world.pools.by_revision.iter().any(|(revision, seen)| {
                let pool = self.state.pools.get(revision);
                is_above(pool.and_then(|pool| pool.aim.as_ref()), seen.fence)
            })
    }

    fn answered(&mut self, id: RequestId, answer: &Result<Answer, Failure>) {
        let heard = match id {
            RequestId::Measurement { attempt, place, run, metric, ordinal }
                if attempt == self.state.attempt =>
            {
                self.measured(place, run, metric, ordinal, answer)
            }
            RequestId::Gate { attempt, step, ordinal } if attempt == self.state.attempt => {
                self.gate_answered(step, ordinal, answer)
            }
            RequestId::Notice(number) => self.told(number, answer),
            RequestId::Measurement { .. } | RequestId::Gate { .. } => false,
        };
        if !heard {
            self.note(
                Rule::AnswerIgnored,
                format!("the answer to {id} is not heard: nobody asks that any more"),
            );
        }
    }

    fn measured(
        &mut self,
        place: Place,
        run: u32,
        metric: usize,
        ordinal: u32,
        answer: &Result<Answer, Failure>,
    ) -> bool {
        let now = self.state.clock;
        let Phase::Progressing(attempt) = &mut self.state.phase else { return false };
        let Some(analysis) = self.plan.analysis_at(place) else { return false };
        let Some(placed) =
            attempt.runs.iter_mut().find(|placed| placed.place == place && placed.ordinal == run)
        else {
            return false;
        };
        let reading = match answer {
            Ok(Answer::Sample(sample)) => Reading::Answer(sample.clone()),
            Ok(Answer::Gate(open)) => Reading::Answer(Sample::Bool(*open)),
            Ok(Answer::Told) => return false,
            Err(failure) => Reading::Failure { kind: failure.kind, message: failure.message.clone() },
        };
        let before = self.notes.len();
        let late = placed.run.expire(analysis, now);
        self.notes.extend(late.iter().map(|measurement| measured(analysis, measurement)));
        let heard = placed.run.record(analysis, metric, ordinal, reading, now);
        if let Some(measurement) = heard {
            self.notes.push(measured(analysis, measurement));
        }
        self.notes.len() > before
    }

    fn gate_answered(&mut self, step: usize, asked: u32, answer: &Result<Answer, Failure>) -> bool {
        let again = GATE_INTERVAL.after(self.state.clock);
        let Phase::Progressing(attempt) = &mut self.state.phase else { return false };
        if attempt.step != step || attempt.stage != (Stage::Gating { ordinal: asked, again: None }) {
            return false;
        }
        let why = match answer {
            Ok(Answer::Gate(true)) => {
                attempt.stage = Stage::Passed;
                return true;
            }
            Ok(Answer::Gate(false)) => "it is shut".to_owned(),
            Ok(Answer::Sample(_) | Answer::Told) => "the answer is no answer to a gate".to_owned(),
            Err(failure) => failure.to_string(),
        };
        attempt.stage = Stage::Gating { ordinal: asked, again: Some(again) };
        self.note(
            Rule::GateShut,
            format!("step {step} waits for its gate: {why}; asked again in {GATE_INTERVAL}"),
        );
        true
    }

    fn told(&mut self, number: u64, answer: &Result<Answer, Failure>) -> bool {
        let now = self.state.clock;
        let Some(index) = self.state.notices.iter().position(|notice| notice.number == number) else {
            return false;
        };
        if answer.is_ok() {
            self.state.notices.remove(index);
        } else {
            let notice = &mut self.state.notices[index];
            notice.failures = notice.failures.saturating_add(1);
            notice.not_before = back_off(notice.failures, number).after(now);
        }
        true
    }

    fn failed(&mut self, fence: Fence, failure: &Failure) {
        let now = self.state.clock;
        let retry = |retry: &mut Option<Retry>| {
            let failures = retry.as_ref().map_or(0, |retry| retry.failures).saturating_add(1);
            let wait = back_off(failures, fence.seq);
            *retry = Some(Retry { failures, at: wait.after(now) });
            (failures, wait)
        };
        let mut found = None;
        if let Some(aim) = self.state.route.as_mut().filter(|aim| aim.fence == fence && !aim.seen) {
            found = Some(("the route".to_owned(), retry(&mut aim.retry)));
        }
        for (revision, pool) in self.state.pools.iter_mut() {
            if let Some(aim) = pool.aim.as_mut().filter(|aim| aim.fence == fence && !aim.seen) {
                found = Some((format!("the instances of {revision}"), retry(&mut aim.retry)));
            }
        }
        if let Some((what, (failures, wait))) = found {
            let remedy = match failure.kind {
                PortErrorKind::Denied | PortErrorKind::Invalid | PortErrorKind::NotFound => {
                    "; this needs a person"
                }
                PortErrorKind::Transient | PortErrorKind::Conflict | PortErrorKind::Fenced => "",
            };
            self.note(
                Rule::EffectFailed,
                format!("{what} under fence {fence} could not be written ({failures} times): {failure}; next try in {wait}{remedy}"),
            );
        }
    }

    fn commanded(&mut self, command: &Command) {
        let phase = std::mem::replace(&mut self.state.phase, Phase::Idle);
        self.state.phase = match (phase, command) {
            (Phase::Progressing(attempt), Command::Abort(reason)) => {
                let reason = if reason.is_empty() { "a person said so" } else { reason };
                self.begin_retreat(attempt, reason.to_owned(), Cause::Refused)
            }
            (Phase::Progressing(attempt), command) => self.command_attempt(attempt, command),
            (Phase::Retreating(mut retreat), Command::Abort(_)) => {
                retreat.at_once = true;
                retreat.is_refused = true;
                retreat.then = None;
                Phase::Retreating(retreat)
            }
            (Phase::Retreating(retreat), Command::Retry)
                if retreat.then.as_ref().is_some_and(|then| *then != retreat.candidate) =>
            {
                self.note(
                    Rule::CommandIgnored,
                    format!(
                        "`retry` changes nothing: {} was submitted after {}",
                        retreat.then.as_ref().map_or("", Revision::as_str),
                        retreat.candidate
                    ),
                );
                Phase::Retreating(retreat)
            }
            (Phase::Retreating(mut retreat), Command::Retry) => {
                self.note(
                    Rule::AttemptStarted,
                    format!("{} is tried again once stable has all traffic", retreat.candidate),
                );
                retreat.then = Some(retreat.candidate.clone());
                Phase::Retreating(retreat)
            }
            (
                Phase::Done(Done { candidate, outcome: Outcome::Aborted(_) | Outcome::Returned(_), .. }),
                Command::Retry,
            ) => self.begin_attempt(candidate),
            (phase @ (Phase::Idle | Phase::Retreating(_) | Phase::Done(_)), command) => {
                let state = match &phase {
                    Phase::Idle => "there is no candidate".to_owned(),
                    Phase::Done(done) if done.outcome == Outcome::Promoted => {
                        format!(
                            "{} is promoted; to go back, submit the revision to go back to",
                            done.candidate
                        )
                    }
                    Phase::Done(done) => {
                        format!("the attempt with {} is over; retry it or submit another", done.candidate)
                    }
                    Phase::Progressing(_) | Phase::Retreating(_) => {
                        "traffic is on its way back to stable".to_owned()
                    }
                };
                self.note(Rule::CommandIgnored, format!("`{command}` changes nothing: {state}"));
                phase
            }
        };
    }

    fn revised(&mut self, revision: &Revision) {
        let phase = std::mem::replace(&mut self.state.phase, Phase::Idle);
        self.state.phase = match phase {
            Phase::Idle | Phase::Done(Done { outcome: Outcome::Promoted, .. })
                if *revision == self.state.stable =>
            {
                phase
            }
            Phase::Idle => self.begin_attempt(revision.clone()),
            // Whoever submits something else in between and then the same again means it.
            Phase::Done(done) if *revision == self.state.stable => {
                Phase::Done(Done { is_refused: false, ..done })
            }
            Phase::Done(done) if done.candidate == *revision && done.is_refused => Phase::Done(done),
            Phase::Done(_) => self.begin_attempt(revision.clone()),
            Phase::Progressing(attempt) if attempt.candidate == *revision => Phase::Progressing(attempt),
            Phase::Progressing(attempt) if *revision == self.state.stable => self.begin_retreat(
                attempt,
                "the revision to deliver is the stable one again".to_owned(),
                Cause::Changed(None),
            ),
            Phase::Progressing(attempt) => self.begin_retreat(
                attempt,
                format!("superseded by {revision}"),
                Cause::Changed(Some(revision.clone())),
            ),
            Phase::Retreating(retreat) => Phase::Retreating(self.revised_on_the_way_back(retreat, revision)),
        };
    }

    fn rebased(&mut self, revision: &Revision) {
        if *revision == self.state.stable {
            return;
        }
        let why_not = match self.state.phase {
            _ if self.managed() != Managed::Unmanaged => {
                "its instances are scaled here, so submit it instead"
            }
            Phase::Progressing(_) | Phase::Retreating(_) => "an attempt is under way",
            Phase::Idle | Phase::Done(_) => {
                let before = std::mem::replace(&mut self.state.stable, revision.clone());
                self.state.phase = Phase::Idle;
                self.note(Rule::Rebased, format!("{revision} has all traffic now, {before} had it before"));
                return;
            }
        };
        self.note(Rule::CommandIgnored, format!("{revision} is not taken for stable: {why_not}"));
    }

    fn revised_on_the_way_back(&self, mut retreat: Retreat, revision: &Revision) -> Retreat {
        if *revision == self.state.stable {
            retreat.is_refused = false;
            retreat.then = None;
        } else if *revision != retreat.candidate {
            retreat.is_refused = false;
            retreat.then = Some(revision.clone());
        } else if !retreat.is_refused {
            retreat.then = Some(revision.clone());
        }
        retreat
    }

    pub(super) fn begin_attempt(&mut self, candidate: Revision) -> Phase {
        self.state.attempt = self.state.attempt.saturating_add(1);
        self.state.plan = self.plan.fingerprint();
        self.state.retiring.retain(|retiring| retiring.revision != candidate);
        // What was kept to be looked at is kept until the next attempt.
        for retiring in &mut self.state.retiring {
            retiring.at.get_or_insert(self.state.clock);
        }
        let attempt = Attempt::new(&self.state.stable, candidate, self.plan.spec().preview, self.state.clock);
        self.say(
            Rule::AttemptStarted,
            format!(
                "attempt {}: {} goes out, stable is {}",
                self.state.attempt, attempt.candidate, self.state.stable
            ),
        );
        if self.managed() != Managed::Counted {
            self.aim_route(attempt.route.clone(), true);
        }
        Phase::Progressing(Box::new(attempt))
    }

    pub(super) fn note(&mut self, rule: Rule, message: impl Into<Text>) {
        self.notes.push(Note { rule, message: message.into() });
    }

    /// Notes something that whoever listens should hear as well.
    pub(super) fn say(&mut self, rule: Rule, message: String) {
        if self.state.notices.len() >= MOST_NOTICES {
            self.state.notices.remove(0);
            self.note(
                Rule::NoticesDropped,
                format!("over {MOST_NOTICES} notices wait to be delivered: the oldest is dropped"),
            );
        }
        self.state.notices.push(Notice {
            number: self.state.notices_so_far,
            message: message.clone(),
            not_before: self.state.clock,
            failures: 0,
        });
        self.state.notices_so_far = self.state.notices_so_far.saturating_add(1);
        self.note(rule, message);
    }
}

/// Time between two questions to a gate that is shut.
const GATE_INTERVAL: GoDuration = GoDuration::from_secs(10);
/// Undelivered notices kept.
const MOST_NOTICES: usize = 64;
