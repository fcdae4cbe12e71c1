//! The loop around a turn.

use std::{
    collections::{BTreeSet, VecDeque},
    future::{Future, pending},
    pin::{Pin, pin},
    sync::Arc,
};

use futures_util::{
    future::{Either, FutureExt, select},
    stream::{FuturesUnordered, StreamExt},
};

use super::{DriverError, Entry, Held, Ports, Report, answer, load, observe, request_id, turn};
use crate::{
    port::{PortError, PortErrorKind},
    rollout::{Answer, Decision, Effect, Failure, Input, Phase, Plan, RequestId, State},
    time::{GoDuration, Timestamp},
};

/// Drives one rollout: waits for the next thing that matters, looks at the world, takes a turn.
///
/// Questions run beside the turns; a slow metrics source does not hold up a command. Dropping the driver at any point
/// is a crash, and a crash is harmless: another driver on the same store goes on.
#[derive(Debug)]
pub struct Driver {
    plan: Plan,
    ports: Ports,
    held: Held,
    inbox: VecDeque<Input>,
    running: FuturesUnordered<Running>,
    asked: BTreeSet<RequestId>,
    wake: Option<Timestamp>,
    /// When the world is to be looked at, whether or not the engine waits for anything.
    look: Timestamp,
    watch: Watch,
    /// What this step has done so far; still here if it ended in an error.
    done: Step,
    outside_is_closed: bool,
}

/// How often the world is looked at when nothing in particular is waited for: instances die and routes are changed by
/// others. Whoever is told of changes pushes [`Input::Seen`] and can look less often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "two times")]
pub struct Watch {
    /// While an attempt is under way, or on its way back; 10 s by default.
    pub attempt: GoDuration,
    /// While all traffic is on stable; 60 s by default.
    pub rest: GoDuration,
}

impl Default for Watch {
    fn default() -> Self {
        Self { attempt: GoDuration::from_secs(10), rest: GoDuration::from_secs(60) }
    }
}

type Running = Pin<Box<dyn Future<Output = (RequestId, Input)> + Send>>;

/// What one [`Driver::step`] did.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "everything there is to report")]
pub struct Step {
    /// What was heard and decided, in order; the log of a rollout is all of these entries. After a step that ended in
    /// an error, what that one did comes first.
    pub turns: Vec<(Entry, Decision)>,
    /// Why the world could not be looked at, if it could not. It is looked at again.
    pub blind: Option<PortError>,
}

impl Driver {
    /// Takes up the rollout in the store, or begins one in the state `initial`.
    ///
    /// # Errors
    ///
    /// If the plan needs a port that is missing, or the stored state cannot be read.
    pub async fn start(plan: Plan, ports: Ports, initial: State) -> Result<Self, DriverError> {
        ports.suit(&plan)?;
        let held = load(&*ports.store, initial).await?;
        Ok(Self {
            plan,
            ports,
            held,
            inbox: VecDeque::new(),
            running: FuturesUnordered::new(),
            asked: BTreeSet::new(),
            // The first step happens at once: deriving the effects again is all there is to crash recovery.
            wake: Some(Timestamp::MIN),
            look: Timestamp::MIN,
            watch: Watch::default(),
            done: Step::default(),
            outside_is_closed: false,
        })
    }

    /// Where the rollout stands.
    pub fn state(&self) -> &State {
        &self.held.state
    }

    /// The plan that is run.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// When the next step happens, if nothing else does: anything may change by itself then, or it is time to look at
    /// the world. It may be over.
    pub fn wake(&self) -> Timestamp {
        self.wake.map_or(self.look, |wake| wake.min(self.look))
    }

    /// Looks at the world this often from the next step on.
    pub fn set_watch(&mut self, watch: Watch) {
        self.watch = watch;
    }

    /// Runs another plan from now on. The engine notices, and starts the attempt again.
    ///
    /// # Errors
    ///
    /// If the plan needs a port that is missing; the plan is not changed then.
    pub fn set_plan(&mut self, plan: Plan) -> Result<(), DriverError> {
        self.ports.suit(&plan)?;
        self.plan = plan;
        self.wake = Some(Timestamp::MIN);
        Ok(())
    }

    /// Gives an input, for the next step to hear.
    pub fn push(&mut self, input: Input) {
        self.inbox.push_back(input);
    }

    /// Waits for the next thing that matters, and takes the turns it needs.
    ///
    /// That is the earliest of: an input from `outside` (commands, revisions; `None`: there will be no more), an
    /// answer, the wake-up time. `outside` is dropped if something else comes first, so it must be cancel safe, as
    /// the `recv` of a channel is.
    ///
    /// # Errors
    ///
    /// If the state cannot be saved or loaded. The input is kept for the next step, and so is what was done before the
    /// error: call again.
    pub async fn step(&mut self, outside: impl Future<Output = Option<Input>>) -> Result<Step, DriverError> {
        if self.inbox.is_empty() {
            self.wait(outside).await;
        }
        match observe(&self.ports).await {
            Ok(seen) => self.turn(&seen).await?,
            Err(error) => {
                tracing::warn!(error = error.chain(), "the world cannot be looked at");
                self.done.blind = Some(error);
                self.turn(&Input::Tick).await?;
            }
        }
        self.hear_all().await?;
        // What was written a moment ago can often be seen at once, and may lead to the next thing to write: instances,
        // then the route. Then nothing needs to wait for the next look.
        let mut looked_after = 0;
        for _ in 0..MOST_LOOKS {
            let writes = |(_, decision): &(Entry, Decision)| {
                decision.effects.iter().any(|effect| request_id(effect).is_none())
            };
            if !self.done.turns[looked_after..].iter().any(writes) {
                break;
            }
            let Ok(seen) = observe(&self.ports).await else { break };
            let fence = self.held.state.fence;
            looked_after = self.done.turns.len();
            self.turn(&seen).await?;
            self.hear_all().await?;
            // Targets that were open before need time, not another look.
            if self.held.state.fence == fence {
                break;
            }
        }
        let every = match self.held.state.phase {
            Phase::Progressing(_) | Phase::Retreating(_) => self.watch.attempt,
            Phase::Idle | Phase::Done(_) => self.watch.rest,
        };
        self.look = every.after(self.ports.clock.now());
        Ok(std::mem::take(&mut self.done))
    }

    /// Takes a turn for every input there is, answers that come at once included.
    async fn hear_all(&mut self) -> Result<(), DriverError> {
        // A bound, so that a source that answers at once cannot keep commands waiting.
        for _ in 0..MOST_ANSWERS {
            while let Some(input) = self.inbox.front().cloned() {
                self.turn(&input).await?;
                self.inbox.pop_front();
                // Only now: until its answer is heard, a question is still open in the state.
                if let Input::Answered { id, .. } = input {
                    self.asked.remove(&id);
                }
            }
            match self.running.next().now_or_never().flatten() {
                Some((_, input)) => self.inbox.push_back(input),
                None => break,
            }
        }
        Ok(())
    }

    async fn wait(&mut self, outside: impl Future<Output = Option<Input>>) {
        let closed = self.outside_is_closed;
        let outside = async { if closed { pending().await } else { outside.await } };
        let (wake, running) = (self.wake(), &mut self.running);
        let answered = async {
            match running.next().await {
                Some(answered) => answered,
                None => pending().await,
            }
        };
        let clock = &self.ports.clock;
        let woken = async {
            if wake > clock.now() {
                clock.sleep_until(wake).await;
            }
        };
        let (outside, answered, woken) = (pin!(outside), pin!(answered), pin!(woken));
        match select(outside, select(answered, woken)).await {
            Either::Left((Some(input), _)) => self.inbox.push_back(input),
            Either::Left((None, _)) => self.outside_is_closed = true,
            Either::Right((Either::Left(((_, input), _)), _)) => self.inbox.push_back(input),
            Either::Right((Either::Right(_), _)) => {}
        }
    }

    async fn turn(&mut self, input: &Input) -> Result<(), DriverError> {
        let mut tries = 0;
        let report = loop {
            match turn(&self.plan, &self.ports, self.held.clone(), input).await {
                Err(DriverError::Conflict) if tries < MOST_CONFLICTS => {
                    tries += 1;
                    self.held = load(&*self.ports.store, self.held.state.clone()).await?;
                }
                other => break other?,
            }
        };
        self.ask(&report);
        let Report { held, decision, now, heard } = report;
        for note in &decision.notes {
            tracing::info!(rule = ?note.rule, "{note}");
        }
        self.held = held;
        self.wake = decision.wake;
        self.inbox.extend(heard);
        self.done.turns.push((Entry { now, input: input.clone() }, decision));
        Ok(())
    }

    /// Starts what is open and not yet under way.
    fn ask(&mut self, report: &Report) {
        for request in report.requests() {
            let Some(id) = request_id(request).filter(|id| self.asked.insert(*id)) else { continue };
            let (ports, request) = (self.ports.clone(), request.clone());
            self.running.push(Box::pin(async move {
                let due = match &request {
                    Effect::Ask { due, .. } => *due,
                    _ => GATE_TIMEOUT.after(ports.clock.now()),
                };
                let clock = Arc::clone(&ports.clock);
                let answered = pin!(answer(&ports, &request));
                let input = match select(answered, pin!(clock.sleep_until(due))).await {
                    Either::Left((input, _)) => input,
                    Either::Right(_) => Input::Answered { id, answer: late(&request) },
                };
                (id, input)
            }));
        }
    }
}

fn late(request: &Effect) -> Result<Answer, Failure> {
    let what = match request {
        Effect::Ask { .. } => "the metrics source",
        Effect::AskGate { .. } => "the gate",
        Effect::Tell { .. } | Effect::Route { .. } | Effect::Scale { .. } => "the listener",
    };
    Err(Failure { kind: PortErrorKind::Transient, message: format!("{what} did not answer in time") })
}

/// How often a lost race for the store is run again within one step.
const MOST_CONFLICTS: u32 = 8;
/// How often the world is looked at again within one step, while that leads to new things to write.
const MOST_LOOKS: u32 = 8;
/// How many answers that come at once are heard within one step; the others are heard in the next.
const MOST_ANSWERS: u32 = 64;
/// How long a gate or a listener may take.
const GATE_TIMEOUT: GoDuration = GoDuration::from_secs(30);
