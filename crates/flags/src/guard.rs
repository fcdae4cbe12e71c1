//! Flags that roll themselves out.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serinus_core::{
    cohort::{Reseed, Salt, Trial},
    driver::Watch,
    port::{Fenced, Hook, MetricProvider},
    rollout::{self, Command, Input, Note, Plan, State},
    time::Timestamp,
    traffic::{Revision, Route},
};

pub use self::{
    builder::{Deciding, GuardBuilder},
    error::GuardError,
    health::{Balance, Finding, Health, LeftOut, Portion, Preconditions},
    outcome::{Outcome, Recorded, Subject},
    ports::Rate,
    totals::{ArmTotals, Totals},
};
pub(crate) use self::{counters::Arm, over::Over};
use self::{counters::Reading, over::Live};
use crate::flags::Flags;

mod builder;
mod checks;
mod counters;
mod error;
pub(crate) mod exposition;
mod health;
mod inbox;
mod mark;
mod outcome;
pub(crate) mod over;
mod panel;
mod ports;
mod run;
mod store;
mod telemetry;
mod totals;

/// A flag whose ramp is a [`Plan`]: the same plan, decided by the same engine, as that of a deployment.
///
/// The flag's document decides first. Whomever it leaves at the flag's default variant is placed by the hash of the
/// targeting key: from the low end candidates, who get the candidate variant; from the high end as many controls, who
/// get the default variant; both are counted, and compared. Everybody else gets the default variant as before. Whom a
/// rule of the flag gives a variant, and who has no targeting key, is left alone and not counted.
///
/// Made by [`Flags::guard`]; cheap to clone. [`Guard::run`] makes it move.
///
/// ```
/// use std::time::Duration;
///
/// use serinus_core::{strategy::Canary, time::GoDuration, traffic::Weight};
/// use serinus_flags::{Context, Deciding, Document, Flags, Outcome};
///
/// let flags = Flags::default();
/// flags.load(&Document::from_json(
///     r#"{"flags": {"checkout": {"state": "ENABLED", "variants": {"new": true, "old": false}, "defaultVariant": "old"}}}"#,
/// )?);
/// let plan = Canary::between_variants()
///     .ladder([1.0, 10.0, 50.0].map(Weight::percent), GoDuration::from_mins(10))
///     .plan()?;
/// let guard = flags.guard("checkout").candidate("new").plan(plan).deciding(Deciding::here()).build()?;
/// // Somewhere: tokio::spawn(async move { guard.run(clock).await });
///
/// // Wherever the flag is asked for, it is asked for as before.
/// let visitor = Context::new("user-42");
/// let is_new = flags.bool("checkout", &visitor).unwrap_or(false);
/// assert!(!is_new, "nobody gets it before it runs");
/// guard.record(&visitor, Outcome::Success.after(Duration::from_millis(12)));
/// guard.record("user-43", Outcome::Error);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Guarantees
///
/// - A change of weight, a rollback among them, is one atomic swap: every evaluation sees the old or the new.
/// - A rollback outlives every load of the same document. The revision on trial is the variant together with the
///   definition of its flag, so that only another definition is tried again; until that is decided, it is given to
///   nobody. A promotion stays until the document itself makes the variant the default.
/// - While the candidate has at most one half, nobody passes from control to candidate, and never the other way within
///   an attempt. The same salt gives the same assignment after a restart, and in every other program.
///
/// # Caveats
///
/// - An outcome is counted for the cohort that its subject is in when it is recorded.
/// - Subjects are told apart only by the hash of their key; see [`ArmTotals::exposures`] for the error of their count.
/// - [`Comparison::sample_ratio`](serinus_core::analysis::Comparison::sample_ratio) has to stay off: the control is as
///   large as the candidate, and not what the candidate leaves over.
/// - Without latencies in [`Guard::record`], a comparison of latencies never passes: compare failures only.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

pub(crate) struct Inner {
    flags: Flags,
    key: Arc<str>,
    candidate: Arc<str>,
    salt: Salt,
    reseed: Reseed,
    identity: Option<Arc<str>>,
    plan: Plan,
    deciding: Deciding,
    rate: Rate,
    metrics: Option<Arc<dyn MetricProvider>>,
    hook: Option<Arc<dyn Hook>>,
    watch: Watch,
    listener: Option<Listener>,
    live: Arc<Live>,
    route: Mutex<Option<Fenced<Route>>>,
    /// What was counted at times past, the oldest first.
    past: Mutex<VecDeque<(Timestamp, Reading)>>,
    state: Mutex<Option<State>>,
    notes: Mutex<VecDeque<(Timestamp, Note)>>,
    is_running: AtomicBool,
}

type Listener = Box<dyn Fn(Timestamp, &Note) + Send + Sync>;

impl Guard {
    /// The key of the flag.
    pub fn key(&self) -> &str {
        &self.0.key
    }

    /// Where the rollout stands, as it was last saved or read; nothing before the first time.
    pub fn state(&self) -> Option<State> {
        self.0.state().clone()
    }

    /// The shares that are in force for this process and its document.
    pub fn trial(&self) -> Trial {
        self.0.flags.trial(&self.0.key).unwrap_or(Trial::even(serinus_core::traffic::Weight::ZERO))
    }

    /// The latest notes, the oldest first: what was decided, and why.
    pub fn notes(&self) -> Vec<(Timestamp, Note)> {
        lock(&self.0.notes).iter().cloned().collect()
    }

    /// How the latest attempt ended, if it has.
    pub fn outcome(&self) -> Option<rollout::Outcome> {
        self.0.state().as_ref().and_then(State::outcome).cloned()
    }

    /// Counts what came of what a subject saw, if it is a candidate or a control.
    pub fn record<S: Subject + ?Sized>(&self, subject: &S, recorded: impl Into<Recorded>) {
        self.0.flags.record(&self.0.key, subject, recorded.into());
    }

    /// What was counted in this process since the guard was made.
    pub fn totals(&self) -> Totals {
        Totals::from(&self.0.live.counters.look())
    }

    /// Whether what is counted can be relied on: what is known of the attempt under way, in this process.
    pub fn health(&self) -> Health {
        self.0.live.checks.look(&self.0.key, &self.0.live.counters)
    }

    /// The counters in the text format of Prometheus, version 0.0.4; of all guards with [`Flags::metrics`].
    pub fn metrics(&self) -> String {
        exposition::render(&self.0.flags, Some(&self.0.key))
    }

    /// Tells the rollout what a person wants of it. It is heard by whoever runs this guard.
    ///
    /// # Errors
    ///
    /// [`GuardError::Follows`] if another instance decides.
    pub fn command(&self, command: Command) -> Result<(), GuardError> {
        if self.0.deciding.follows() {
            return Err(GuardError::Follows { flag: Arc::clone(&self.0.key) });
        }
        self.0.live.inbox.push(Input::Commanded(command));
        Ok(())
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Guard")
            .field("key", &self.key)
            .field("candidate", &self.candidate)
            .field("route", &*lock(&self.route))
            .field("runs", &self.is_running.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, Option<State>> {
        lock(&self.state)
    }

    pub(crate) fn set_state(&self, state: State) {
        *self.state() = Some(state);
    }

    /// The candidate under the definition that the document has now, and the default variant under it.
    fn revisions(&self) -> Option<(Revision, Revision)> {
        let snapshot = self.flags.snapshot();
        let document = snapshot.document();
        let index = document.index_of(&self.key)?;
        let definition = document.fingerprint(index)?;
        let flag = document.flag_at(index)?;
        flag.has_variant(&self.candidate).then_some(())?;
        Some((revision(&self.candidate, definition), revision(flag.default_variant()?, definition)))
    }

    /// The revision that is to be delivered; nothing while the document does not say.
    fn wanted(&self, state: &State) -> Option<Revision> {
        let is_progressing = state.attempt_under_way().is_some();
        let Some((candidate, default)) = self.revisions() else {
            // Nobody can be given what is not there; what was decided about it before is left as it is.
            return is_progressing.then(|| state.stable.clone());
        };
        let has_it = |revision: &Revision| variant_of(revision) == &*self.candidate;
        Some(if has_it(&state.stable) || has_it(&default) { state.stable.clone() } else { candidate })
    }

    fn note(&self, at: Timestamp, note: Note) {
        if let Some(listener) = &self.listener {
            listener(at, &note);
        }
        let mut notes = lock(&self.notes);
        if notes.len() >= MOST_NOTES {
            notes.pop_front();
        }
        notes.push_back((at, note));
    }
}

/// A variant under one definition of its flag: `new@1f2e3d4c`.
fn revision(variant: &str, definition: u32) -> Revision {
    Revision::from(format!("{variant}@{definition:08x}"))
}

fn variant_of(revision: &Revision) -> &str {
    revision.as_str().rsplit_once('@').map_or(revision.as_str(), |(variant, _)| variant)
}

fn definition_of(revision: &Revision) -> Option<u32> {
    let (_, definition) = revision.as_str().rsplit_once('@')?;
    u32::from_str_radix(definition, 16).ok()
}

/// Takes a lock that a panicking listener may have left poisoned: every holder leaves the value whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const MOST_NOTES: usize = 256;
