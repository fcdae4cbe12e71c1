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
    cohort::{Reseed, Salt, Trial, murmur3::Hasher},
    driver::Watch,
    port::{Fence, Fenced, Hook, MetricProvider, PortError},
    rollout::{self, Command, Input, Note, Phase, Plan, State},
    time::Timestamp,
    traffic::{Revision, Route},
};

pub use self::{
    builder::GuardBuilder,
    deciding::Deciding,
    error::GuardError,
    health::{Balance, Finding, Health, LeftOut, Portion, Preconditions},
    lease::Lease,
    outcome::{Outcome, Recorded, Subject},
    ports::Rate,
    totals::{ArmTotals, Totals},
};
pub(crate) use self::{counters::Arm, over::Over};
use self::{counters::Reading, over::Live, record::Book};
use crate::{document::Variant, flags::Flags};

mod builder;
mod checks;
mod counters;
mod deciding;
mod envelope;
mod error;
pub(crate) mod exposition;
mod health;
mod inbox;
mod lease;
mod mark;
mod outcome;
pub(crate) mod over;
mod panel;
mod ports;
mod record;
mod run;
mod shown;
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
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let flags = Flags::default();
/// flags.load(&Document::from_json(
///     r#"{"flags": {"checkout": {"state": "ENABLED", "variants": {"new": true, "old": false}, "defaultVariant": "old"}}}"#,
/// )?);
/// let plan = Canary::between_variants()
///     .ladder([1.0, 10.0, 50.0].map(Weight::percent), GoDuration::from_mins(10))
///     .plan()?;
/// let guard = flags.guard("checkout").candidate("new").plan(plan).deciding(Deciding::here()).build()?;
/// // It moves for as long as this runs. The clock is of the feature `tokio`; any other will do.
/// # #[cfg(feature = "tokio")] {
/// # use std::sync::Arc;
/// # use serinus_flags::SystemClock;
/// let running = guard.clone();
/// tokio::spawn(async move {
///     let Err(error) = running.run(Arc::new(SystemClock)).await;
///     eprintln!("{error}: nothing is decided any more");
/// });
/// # }
///
/// // Wherever the flag is asked for, it is asked for as before.
/// let visitor = Context::new("user-42");
/// let is_new = flags.bool("checkout", &visitor).unwrap_or(false);
/// assert!(!is_new, "nobody gets it before it is decided");
/// guard.record(&visitor, Outcome::Success.after(Duration::from_millis(12)));
/// guard.record("user-43", Outcome::Error);
/// # Ok(())
/// # }
/// ```
///
/// The strategy and the weights are those of the crate `serinus-core`, or of `serinus`, which has both. The flag stays
/// guarded when the guard is dropped, up to [`Flags::unguard`].
///
/// # Preconditions
///
/// Counts that cannot be relied on promote nobody. Each time the comparison asks, these things are looked at; if one
/// does not hold, the verdict is [invalid](serinus_core::analysis::comparison::Verdict::Invalid) and says
/// [why](serinus_core::analysis::comparison::Why), and the rollout waits for a person at the share that it has. What
/// speaks against the candidate is heard before that and takes it back all the same, while it waits, too.
///
/// *Candidate and control are of the same size.* The control is drawn as large as the candidate, so a subject of either
/// is with probability ½ a candidate. With `x` of `n` subjects on the candidate's side the evidence against that is
/// `E = B(k/2 + x, k/2 + n − x) / (B(k/2, k/2) · 2⁻ⁿ)`, `k` = 100, which is above 1000 with probability 0.001 at most,
/// ever, at however many looks (Lindon and Malek 2022, [`SampleRatio`](serinus_core::stats::sample_ratio::SampleRatio)).
/// Subjects are counted, not requests, and each once per attempt: visits of one subject are no independent draws, so a
/// test of requests would find some chance imbalance sooner or later. The test is made twice: for who was shown a
/// variant ([`Finding::SampleRatio`]), and for whom an outcome was recorded ([`Finding::LostOutcomes`]), because what
/// crashes records nothing and would look healthy. The second is about those who were first shown a variant at least
/// [`Preconditions::grace`] ago, one minute by default, and assumes that an outcome comes within it: a candidate that is
/// slower has lost nothing as long as it is not slower than that. What is lost is found after one to two times as long
/// at the earliest, so that shorter steps are passed without. The second is left out with [`Rate::PerExposure`], where an outcome
/// is a failure, and with another [`metrics`](GuardBuilder::metrics) source.
///
/// *Hardly anybody sees both variants.* If certainly more than 1 % do ([`Preconditions::most_crossed`]; the lower end of
/// a [confidence sequence](serinus_core::stats::bernoulli::confidence_sequence) with error probability 0.001), what
/// comes of it belongs to neither arm ([`Finding::MultipleExposure`]). The hash never changes its mind about a key, so
/// what can be found here is whom a rule of the flag gives now and then the variant of the other arm, and, with
/// [`GuardBuilder::identity`], who comes with several keys. Whoever comes with several keys and nothing that is common
/// to them, or is placed by another salt elsewhere, nobody can know of.
///
/// *Variants are served.* Where an evaluation fails, or comes to another type than the program asks for, the program serves
/// its own default, and what comes of that belongs to neither arm. If that is so for more than half of the subjects, always,
/// nothing was compared ([`Finding::Unserved`]).
///
/// *There is something to judge.* Without requests in an arm there is no pass. Where only failures are recorded
/// ([`Rate::PerExposure`]) and none ever was, of neither arm, nobody can tell health from a `record` that is never
/// called: there is no pass before the first.
///
/// [`Guard::health`] has the numbers, and what else is worth knowing: subjects of whom nothing was recorded, outcomes of
/// subjects that were shown nothing, evaluations that failed. They are those of a sample of up to 32 768 subjects, the
/// first to come to each of as many cells by their hash; so the memory is bounded (128 KiB), and whoever is in it is
/// known exactly. Of 32 768 subjects, 51.3 % in one arm are found to be too many. Subjects are followed while the candidate has
/// at most one half; beyond, the control has to give its own subjects to the candidate, and nothing is added.
///
/// # Who decides
///
/// [`Deciding`] says it. [`Deciding::here`]: this process, which is the only one. [`Deciding::leader`]: whoever has the
/// [`Lease`] among all that are told so; the lease is kept in the store, renewed while it decides, taken over when it has
/// run out, and what a former leader writes is refused. [`Deciding::follower`]: another process.
///
/// A store holds one rollout: each guard needs one of its own, and refuses that of another flag. When it is emptied, the
/// rollout begins anew, and followers take that up. They keep what was promoted for a minute after the leader's document
/// has it, because theirs may come later.
///
/// # Guarantees
///
/// - A change of weight, a rollback among them, is one atomic swap: every evaluation sees the old or the new.
/// - A rollback outlives every load of the same document, and of others in between. The revision on trial is the variant
///   together with the definition of its flag, so that only another definition is tried again, or whatever
///   [`Command::Retry`] names; until that is decided, it is given to nobody. The last 32 that were taken back are
///   remembered.
/// - A promotion stays until the document itself makes the variant the default. From then on the document has the last
///   word: what it takes back stays back, for every instance and after restarts, and comes again only by
///   [`Command::Retry`], or with another value. If the document gives the promoted variant another value before it is
///   the default, nobody has tried that value: everybody gets the default, and another attempt begins.
/// - While the candidate has at most one half, nobody passes from control to candidate, and never the other way within
///   an attempt. The same salt gives the same assignment after a restart, and in every other program.
///
/// # Caveats
///
/// - An outcome is counted for the cohort that its subject is in when it is recorded.
/// - Subjects are told apart only by the hash of their key; see [`ArmTotals::exposures`] for the error of their count.
/// - The preconditions are those of comparisons. A threshold on the candidate alone is judged without them, and a plan
///   without any analysis judges nothing.
/// - A plan with [`Comparison::sample_ratio`](serinus_core::analysis::Comparison::sample_ratio) is refused: that is about
///   requests, and takes the control for what the candidate leaves over.
/// - The sample is of those who come first in an attempt. Once it is full nobody is added, at a later share neither:
///   a split that goes wrong only then is not found, nor are outcomes that only later subjects lose.
/// - An outcome that takes longer than [`Preconditions::grace`] looks lost until it comes.
/// - After a restart the preconditions are looked at from the beginning, over those who come from then on.
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
    /// What is kept beside the state.
    book: Arc<Book>,
    /// Which rollout in the store the route is of.
    begun: Mutex<Option<String>>,
    /// When the state was last read or saved.
    informed: Mutex<Option<Timestamp>>,
    /// Whether there was a state in the store, and is none any more.
    is_lost: AtomicBool,
    /// Which of several leaders this is.
    token: String,
    /// The lease as it was last seen, and whether it is this instance's.
    lease: Mutex<Option<(Lease, bool)>>,
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

    /// Who decides and until when, as this process last saw it; nothing before it first looked, and where no lease is
    /// needed.
    pub fn lease(&self) -> Option<Lease> {
        lock(&self.0.lease).as_ref().map(|(lease, _)| lease.clone())
    }

    /// When this process last read the state, or saved it, by the clock that it runs with; nothing before the first
    /// time. Who cannot read it goes on with the shares that it knows, and takes nothing back meanwhile.
    pub fn informed_at(&self) -> Option<Timestamp> {
        *lock(&self.0.informed)
    }

    /// Whether this process decides: it [runs](Guard::run), and decides alone or has the lease.
    pub fn is_deciding(&self) -> bool {
        self.0.is_running.load(Ordering::Relaxed)
            && match &self.0.deciding {
                Deciding::Here { .. } => true,
                Deciding::Leader { .. } => lock(&self.0.lease).as_ref().is_some_and(|(_, is_mine)| *is_mine),
                Deciding::Follower { .. } => false,
            }
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
    /// That it is taken does not say that it was done. Where several instances may lead, it is lost if another one
    /// takes over before it is saved, which a warning of `tracing` says: look at [`Guard::state`] and say it again.
    ///
    /// # Errors
    ///
    /// [`GuardError::Follows`] if another instance decides.
    pub fn command(&self, command: Command) -> Result<(), GuardError> {
        let has_another = lock(&self.0.lease).as_ref().is_some_and(|(_, is_mine)| !is_mine);
        if self.0.deciding.follows() || has_another {
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
        let body = document.flag_at(index)?.body.as_ref()?;
        let candidate = body.variants.iter().find(|variant| *variant.name == *self.candidate)?;
        let default = body.variants.get(body.default? as usize)?;
        Some((revision(candidate, definition), revision(default, definition)))
    }

    /// The revision that is to be delivered; nothing while the document does not say.
    fn wanted(&self, state: &State) -> Option<Revision> {
        let under_way = state.attempt_under_way().map(|attempt| &attempt.candidate);
        let Some((candidate, default)) = self.revisions() else {
            // Nobody can be given what is not there; what was decided about it before is left as it is.
            return under_way.map(|_| state.stable.clone());
        };
        let has_it = variant_of(&default) == &*self.candidate
            || says_the_same_value(&state.stable, &candidate)
            || (under_way != Some(&candidate) && self.book.is_tried(&candidate));
        Some(if has_it { state.stable.clone() } else { candidate })
    }

    /// What there is to say about who has all traffic between attempts: the document may know better than the state.
    fn baseline(&self, state: &State) -> Baseline {
        let (Phase::Idle | Phase::Done(_), Some((_, default))) = (&state.phase, self.revisions()) else {
            return Baseline::AsItIs;
        };
        let is_promoted = self.book.has_promoted(&state.stable);
        if variant_of(&default) == variant_of(&state.stable) {
            return if is_promoted { Baseline::TakenOver(default) } else { Baseline::AsItIs };
        }
        if is_promoted && !self.live.is_taken_over(&state.stable) {
            return Baseline::AsItIs;
        }
        Baseline::Another(default)
    }

    /// The shares in the store are of another rollout than those in force: they are to be put in force whatever the
    /// fences say, as those begin anew with it.
    fn adopt(&self) -> Result<(), PortError> {
        let begun = self.book.begun();
        let before = lock(&self.begun).replace(begun.clone());
        if before.is_none_or(|before| before == begun) {
            return Ok(());
        }
        tracing::warn!("the store was emptied and holds another rollout now, which is put in force");
        let Some(Fenced { value, .. }) = lock(&self.route).take() else { return Ok(()) };
        self.put(&Route::all_to(value.stable), Fence::default())?;
        *lock(&self.route) = None;
        Ok(())
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

/// Who has all traffic between attempts, by the document.
enum Baseline {
    /// Whoever the state says.
    AsItIs,
    /// What was promoted, which is the default of the document by now.
    TakenOver(Revision),
    /// The default of the document, though the state says another.
    Another(Revision),
}

/// A variant under one definition of its flag, and with one value: `new@1f2e3d4c.5b6a7988`.
fn revision(variant: &Variant, definition: u32) -> Revision {
    Revision::from(format!("{}@{definition:08x}.{:08x}", variant.name, value_of(variant)))
}

fn variant_of(revision: &Revision) -> &str {
    revision.as_str().rsplit_once('@').map_or(revision.as_str(), |(variant, _)| variant)
}

fn definition_of(revision: &Revision) -> Option<u32> {
    let (_, hashes) = revision.as_str().rsplit_once('@')?;
    u32::from_str_radix(hashes.split_once('.')?.0, 16).ok()
}

/// A hash of the value of a variant.
fn value_of(variant: &Variant) -> u32 {
    Hasher::new(0).with(variant.value.to_string().as_bytes()).finish()
}

/// Whether a revision is this variant with the value that it has now.
fn is_still(revision: &Revision, variant: &Variant) -> bool {
    let value = revision.as_str().rsplit_once('@').and_then(|(_, hashes)| hashes.split_once('.'));
    variant_of(revision) == &*variant.name
        && value.is_none_or(|(_, value)| u32::from_str_radix(value, 16) == Ok(value_of(variant)))
}

/// Whether both are the same variant with the same value, whatever else its flag says.
fn says_the_same_value(one: &Revision, other: &Revision) -> bool {
    let value =
        |revision: &Revision| Some(revision.as_str().rsplit_once('@')?.1.split_once('.')?.1.to_owned());
    variant_of(one) == variant_of(other)
        && (one == other || value(one).is_some_and(|of| Some(of) == value(other)))
}

/// Takes a lock that a panicking listener may have left poisoned: every holder leaves the value whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const MOST_NOTES: usize = 256;
