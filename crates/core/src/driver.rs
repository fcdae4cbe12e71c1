//! Connects the engine to the world: decide, save, act, report.
//!
//! The driver has no policy and no runtime. [`turn`] is one round; [`Driver`] is the loop around it, for hosts that
//! do not have one of their own (a Kubernetes controller has: its reconcile is one [`turn`]).
//!
//! # Flow
//!
//! 1. [`decide`] what follows from one input.
//! 2. Save the state by compare-and-swap. Whoever loses the race starts again from what the winner saved.
//! 3. Apply the routes and scales that are open, once. What fails comes back as an input.
//! 4. Report: what was noted, when to wake, which questions are open.
//!
//! # Guarantees
//!
//! Nothing is done about a state that is not saved. Every `.await` is a point where a crash or a cancellation is
//! harmless: the effects are derived again from the saved state.

use std::sync::Arc;

pub use self::{
    log::{Entry, replay},
    run::{Driver, Step, Watch},
};
use crate::{
    port::{
        Clock, Hook, MetricProvider, PortError, PortErrorKind, StateStore, TrafficRouter, Version, Workload,
    },
    rollout::{
        Answer, Capacity, Decision, Effect, Failure, Input, Plan, RequestId, SCHEMA, State, World, decide,
    },
    time::Timestamp,
};

mod log;
mod run;

/// What a rollout is connected to.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "built by the host, field by field")]
pub struct Ports {
    /// Moves the traffic; none for a plan with [`Capacity::Counted`].
    pub router: Option<Arc<dyn TrafficRouter>>,
    /// Runs the instances; none for a plan with [`Capacity::Unmanaged`].
    pub workload: Option<Arc<dyn Workload>>,
    /// Answers questions about metrics; none for a plan without analyses.
    pub metrics: Option<Arc<dyn MetricProvider>>,
    /// Opens gates and hears notices; without one notices are dropped and gates stay shut.
    pub hook: Option<Arc<dyn Hook>>,
    /// Keeps the state.
    pub store: Arc<dyn StateStore>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Ports {
    /// Checks that everything a plan needs is there.
    ///
    /// # Errors
    ///
    /// [`DriverError::MissingPort`] naming the first that is not.
    pub fn suit(&self, plan: &Plan) -> Result<(), DriverError> {
        let (router, workload) = match plan.spec().capacity {
            Capacity::Unmanaged => (true, false),
            Capacity::Routed { .. } => (true, true),
            Capacity::Counted { .. } => (false, true),
        };
        let missing = if router && self.router.is_none() {
            "router"
        } else if workload && self.workload.is_none() {
            "workload"
        } else if !plan.spec().analyses.is_empty() && self.metrics.is_none() {
            "metrics"
        } else {
            return Ok(());
        };
        Err(DriverError::MissingPort { port: missing })
    }
}

/// A state together with the saving it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a pair by nature")]
pub struct Held {
    /// The state.
    pub state: State,
    /// Which saving it is from; none if it was never saved.
    pub version: Option<Version>,
}

/// The state in the store, or `initial` if there is none yet.
///
/// # Errors
///
/// If the store cannot be read, or holds something that is not a state this version knows.
pub async fn load(store: &dyn StateStore, initial: State) -> Result<Held, DriverError> {
    let Some(saved) = store.load().await? else { return Ok(Held { state: initial, version: None }) };
    let state = serde_json::from_str(&saved.document).map_err(|cause| {
        #[derive(serde::Deserialize)]
        struct OnlySchema {
            schema: u16,
        }
        match serde_json::from_str::<OnlySchema>(&saved.document) {
            Ok(OnlySchema { schema }) if schema > SCHEMA => {
                DriverError::NewerSchema { schema, known: SCHEMA }
            }
            _ => DriverError::Unreadable { cause: cause.to_string() },
        }
    })?;
    Ok(Held { state, version: Some(saved.version) })
}

/// What one [`turn`] came to.
#[derive(Clone, Debug)]
#[must_use = "the next turn needs the state, and the open requests need answers"]
#[expect(clippy::exhaustive_structs, reason = "everything there is to report")]
pub struct Report {
    /// The state, saved.
    pub held: Held,
    /// What was decided.
    pub decision: Decision,
    /// The time it was decided at.
    pub now: Timestamp,
    /// What became known while acting: inputs for the next turns.
    pub heard: Vec<Input>,
}

impl Report {
    /// The questions and notices that are open. Each is answered by [`answer`].
    pub fn requests(&self) -> impl Iterator<Item = &Effect> {
        self.decision.effects.iter().filter(|effect| request_id(effect).is_some())
    }
}

/// One round: decide, save, act on routes and scales, report.
///
/// # Errors
///
/// [`DriverError::Conflict`] if somebody else saved first: load again, and give the same input again. Other errors
/// of the store likewise leave everything as it was. A port that fails to act is no error but an input.
pub async fn turn(plan: &Plan, ports: &Ports, held: Held, input: &Input) -> Result<Report, DriverError> {
    let now = ports.clock.now();
    let before = held.state.clone();
    let decision = decide(plan, held.state, input, now);
    let mut version = held.version;
    if version.is_none() || decision.state != (State { clock: decision.state.clock, ..before }) {
        let document = serde_json::to_string(&decision.state)
            .map_err(|cause| DriverError::Unreadable { cause: cause.to_string() })?;
        version =
            Some(ports.store.save(&document, held.version).await.map_err(|error| match error.kind() {
                PortErrorKind::Conflict => DriverError::Conflict,
                _ => DriverError::Store(error),
            })?);
    }
    let mut heard = Vec::new();
    for effect in &decision.effects {
        let (done, fence) = match effect {
            Effect::Route { route, fence } => match &ports.router {
                Some(router) => (router.route(route, *fence).await, *fence),
                None => continue,
            },
            Effect::Scale { revision, replicas, fence } => match &ports.workload {
                Some(workload) => (workload.scale(revision, *replicas, *fence).await, *fence),
                None => continue,
            },
            Effect::Ask { .. } | Effect::AskGate { .. } | Effect::Tell { .. } => continue,
        };
        if let Err(error) = done {
            heard.push(Input::Failed { fence, failure: Failure::from(&error) });
        }
    }
    Ok(Report { held: Held { state: decision.state.clone(), version }, decision, now, heard })
}

/// What the world looks like now, as an input.
///
/// # Errors
///
/// If a port cannot be read. Nothing is known about the world then; in particular it is not empty.
pub async fn observe(ports: &Ports) -> Result<Input, PortError> {
    let route = match &ports.router {
        Some(router) => router.read().await?,
        None => None,
    };
    let pools = match &ports.workload {
        Some(workload) => workload.observe().await?,
        None => Default::default(),
    };
    Ok(Input::Seen(World { route, pools }))
}

/// Puts one question, or tells one notice, and waits for what comes back; an [`Effect::Route`] or
/// [`Effect::Scale`] is not a request and gives [`Input::Tick`].
pub async fn answer(ports: &Ports, request: &Effect) -> Input {
    let missing = |port: &'static str| Failure {
        kind: PortErrorKind::NotFound,
        message: format!("no port for {port}: connect one"),
    };
    let (id, answer) = match request {
        Effect::Ask { id, question, .. } => {
            let answer = match &ports.metrics {
                Some(metrics) => {
                    metrics.ask(question).await.map(Answer::Sample).map_err(|error| Failure::from(&error))
                }
                None => Err(missing("metrics")),
            };
            (*id, answer)
        }
        Effect::AskGate { id, gate, candidate } => {
            let answer = match &ports.hook {
                Some(hook) => hook
                    .is_open(gate, candidate)
                    .await
                    .map(Answer::Gate)
                    .map_err(|error| Failure::from(&error)),
                None => Err(missing("gates")),
            };
            (*id, answer)
        }
        Effect::Tell { id, message } => {
            let answer = match &ports.hook {
                Some(hook) => {
                    hook.tell(&id.to_string(), message).await.map_err(|error| Failure::from(&error))
                }
                None => Ok(()),
            };
            (*id, answer.map(|()| Answer::Told))
        }
        Effect::Route { .. } | Effect::Scale { .. } => return Input::Tick,
    };
    Input::Answered { id, answer }
}

fn request_id(effect: &Effect) -> Option<RequestId> {
    match effect {
        Effect::Ask { id, .. } | Effect::AskGate { id, .. } | Effect::Tell { id, .. } => Some(*id),
        Effect::Route { .. } | Effect::Scale { .. } => None,
    }
}

/// Why a turn did not happen.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriverError {
    /// The plan needs a port that is not connected.
    #[error("the plan needs a {port} port: set `Ports::{port}`")]
    MissingPort {
        /// The port.
        port: &'static str,
    },
    /// Somebody else saved a newer state.
    #[error("somebody else saved a newer state: load it and try again")]
    Conflict,
    /// The store does not work.
    #[error("the state store failed")]
    Store(#[from] PortError),
    /// What is stored is not a state.
    #[error("the stored state cannot be read: {cause}; restore it from a copy, or remove it to begin anew")]
    Unreadable {
        /// What is wrong with it.
        cause: String,
    },
    /// What is stored was written by a newer version.
    #[error("the stored state has schema {schema}, this program knows {known}: run the newer version")]
    NewerSchema {
        /// The schema stored.
        schema: u16,
        /// The newest schema known.
        known: u16,
    },
}
