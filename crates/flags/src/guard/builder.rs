//! How a guard is described.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, atomic::AtomicBool},
};

use serinus_core::{
    analysis::Metric,
    cohort::{Reseed, Salt},
    driver::Watch,
    metric::Windows,
    port::{Hook, MetricProvider},
    rollout::{Capacity, Note, Plan, Step},
    time::{GoDuration, Timestamp},
    traffic::Weight,
};

use super::{
    Deciding, Guard, GuardError, Inner, Listener, Preconditions, Rate,
    checks::Checks,
    counters::Counters,
    inbox::Inbox,
    over::{Live, Rollout},
    record::{Book, new_token},
    shown::Shown,
};
use crate::flags::Flags;

/// Describes the guard of a flag. Made by [`Flags::guard`].
#[must_use = "nothing is guarded until it is built"]
pub struct GuardBuilder {
    flags: Flags,
    key: Arc<str>,
    candidate: Option<Arc<str>>,
    plan: Option<Plan>,
    deciding: Option<Deciding>,
    salt: Option<Salt>,
    reseed: Reseed,
    identity: Option<Arc<str>>,
    preconditions: Preconditions,
    rate: Rate,
    metrics: Option<Arc<dyn MetricProvider>>,
    hook: Option<Arc<dyn Hook>>,
    watch: Watch,
    listener: Option<Listener>,
}

impl GuardBuilder {
    pub(crate) fn new(flags: Flags, key: Arc<str>) -> Self {
        Self {
            flags,
            key,
            candidate: None,
            plan: None,
            deciding: None,
            salt: None,
            reseed: Reseed::Never,
            identity: None,
            preconditions: Preconditions::default(),
            rate: Rate::PerOutcome,
            metrics: None,
            hook: None,
            watch: Watch::default(),
            listener: None,
        }
    }

    /// The variant to bring out. Needed.
    pub fn candidate(mut self, variant: impl Into<Arc<str>>) -> Self {
        self.candidate = Some(variant.into());
        self
    }

    /// The way there: of a strategy between variants, such as
    /// [`Canary::between_variants`](serinus_core::strategy::Canary::between_variants). Needed.
    pub fn plan(mut self, plan: Plan) -> Self {
        self.plan = Some(plan);
        self
    }

    /// Who decides. Needed.
    pub fn deciding(mut self, deciding: Deciding) -> Self {
        self.deciding = Some(deciding);
        self
    }

    /// What the lots are drawn with; the key of the flag by default. The same for every instance.
    pub fn salt(mut self, salt: impl Into<Salt>) -> Self {
        self.salt = Some(salt.into());
        self
    }

    /// Whether another attempt draws other lots; by default the same subjects come first in every attempt.
    pub fn reseed(mut self, reseed: Reseed) -> Self {
        self.reseed = reseed;
        self
    }

    /// The attribute by which a person is known whose targeting key may change, such as a device where somebody logs in:
    /// who is shown both variants under two keys is found by it. By default the targeting key itself. A subject without
    /// it is not followed for the [`preconditions`](GuardBuilder::preconditions), nor is an outcome that is recorded by
    /// its key alone.
    pub fn identity(mut self, attribute: impl Into<Arc<str>>) -> Self {
        self.identity = Some(attribute.into());
        self
    }

    /// What has to hold before the candidate may be promoted.
    pub fn preconditions(mut self, preconditions: Preconditions) -> Self {
        self.preconditions = preconditions;
        self
    }

    /// What failures are counted per; by default per outcome.
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rate = rate;
        self
    }

    /// Answers the questions of the plan instead of this guard's own counters.
    pub fn metrics(mut self, metrics: Arc<dyn MetricProvider>) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// Opens the gates of the plan, and hears what happens.
    pub fn hook(mut self, hook: Arc<dyn Hook>) -> Self {
        self.hook = Some(hook);
        self
    }

    /// How often the world is looked at; every 10 s during an attempt by default.
    pub fn watch(mut self, watch: Watch) -> Self {
        self.watch = watch;
        self
    }

    /// Hears every note as it is made. It is called by whoever runs the guard, and should be quick.
    pub fn on_note(mut self, listener: impl Fn(Timestamp, &Note) + Send + Sync + 'static) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// The guard. Until it runs, nobody gets the candidate.
    ///
    /// # Errors
    ///
    /// If something needed was not said; if the flag is not there, is at fault, has no default variant, has no variant of
    /// the candidate's name, or has it as its default; if it is guarded already; if the plan wants instances,
    /// mirrored requests or matches, which a flag has not, or a comparison of it the
    /// [`sample_ratio`](serinus_core::analysis::Comparison::sample_ratio) of requests; or if the lease of
    /// [`Deciding::Leader`] is shorter than one second.
    pub fn build(self) -> Result<Guard, GuardError> {
        let Self { flags, key, reseed, identity, preconditions, rate, metrics, hook, .. } = self;
        let (watch, listener) = (self.watch, self.listener);
        let missing = |what, call| GuardError::Missing { flag: Arc::clone(&key), what, call };
        let candidate = self.candidate.ok_or_else(|| missing("a variant to bring out", "candidate"))?;
        let plan = self.plan.ok_or_else(|| missing("a plan", "plan"))?;
        let deciding = self.deciding.ok_or_else(|| missing("to know who decides", "deciding"))?;
        if let Some(what) = unsuited(&plan) {
            return Err(GuardError::Plan { flag: key, what });
        }
        if let Deciding::Leader { lease, .. } = &deciding
            && *lease < SHORTEST_LEASE
        {
            return Err(GuardError::Lease { flag: key, lease: *lease });
        }
        check(&flags, &key, &candidate)?;
        let salt = self.salt.unwrap_or_else(|| Salt::new(Arc::clone(&key)));
        let live = Arc::new(Live {
            counters: Counters::new(),
            windows: Windows::default(),
            checks: Checks::new(preconditions, rate, metrics.is_some()),
            inbox: Inbox::default(),
            taken_over: Mutex::default(),
            shown: Shown::default(),
        });
        let rollout = Rollout {
            key: Arc::clone(&key),
            salt: salt.clone(),
            promoted: None,
            candidate: Arc::clone(&candidate),
            weight: Weight::ZERO,
            definition: None,
            identity: identity.clone(),
            live: Arc::clone(&live),
        };
        if !flags.begin(rollout) {
            return Err(GuardError::Twice { flag: key });
        }
        Ok(Guard(Arc::new(Inner {
            flags,
            book: Arc::new(Book::of(Arc::clone(&key))),
            key,
            candidate,
            salt,
            reseed,
            identity,
            plan,
            deciding,
            rate,
            metrics,
            hook,
            watch,
            listener,
            live,
            route: Mutex::default(),
            past: Mutex::new(VecDeque::new()),
            state: Mutex::default(),
            begun: Mutex::default(),
            informed: Mutex::default(),
            is_lost: AtomicBool::new(false),
            token: new_token(),
            lease: Mutex::default(),
            notes: Mutex::default(),
            is_running: AtomicBool::new(false),
        })))
    }
}

impl fmt::Debug for GuardBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GuardBuilder")
            .field("key", &self.key)
            .field("candidate", &self.candidate)
            .field("deciding", &self.deciding)
            .finish_non_exhaustive()
    }
}

fn check(flags: &Flags, key: &Arc<str>, candidate: &Arc<str>) -> Result<(), GuardError> {
    let no_flag = |why: &str| GuardError::NoFlag { flag: Arc::clone(key), why: why.to_owned() };
    let snapshot = flags.snapshot();
    if !snapshot.is_ready() {
        return Err(no_flag("no document was loaded yet: load one first"));
    }
    let Some(flag) = snapshot.document().flag(key) else {
        return Err(no_flag("the document does not have it: correct the key, or add the flag"));
    };
    let Some(body) = &flag.body else {
        return Err(no_flag("it is at fault: see the faults of the document"));
    };
    let Some(default) = flag.default_variant() else {
        return Err(no_flag("it has no default variant to go back to: name one"));
    };
    if !flag.has_variant(candidate) {
        let names = body.variants.iter().map(|variant| format!("\"{}\"", variant.name));
        let known = names.take(MOST_NAMES).collect::<Vec<_>>().join(", ");
        let (flag, variant) = (Arc::clone(key), Arc::clone(candidate));
        return Err(GuardError::UnknownVariant { flag, variant, known });
    }
    if default == &**candidate {
        return Err(GuardError::IsDefault { flag: Arc::clone(key), variant: Arc::clone(candidate) });
    }
    Ok(())
}

/// What a flag cannot do of what the plan wants.
fn unsuited(plan: &Plan) -> Option<&'static str> {
    if !matches!(plan.spec().capacity, Capacity::Unmanaged) {
        return Some("is about instances, and a flag has none: take `Canary::between_variants`");
    }
    let metrics = plan.spec().analyses.iter().flat_map(|analysis| &analysis.metrics);
    if metrics.filter_map(Metric::comparison).any(|comparison| comparison.sample_ratio) {
        return Some(
            "checks the split of requests, but the control of a flag is as large as its candidate: leave `sample_ratio` out, as the guard itself checks the split of subjects",
        );
    }
    plan.steps().iter().find_map(|step| match step {
        Step::Match(_) => Some("matches requests, and a flag has none: match by a rule of the flag"),
        Step::Mirror(_) => Some("mirrors requests, and a flag has none: leave that step out"),
        _ => None,
    })
}

const SHORTEST_LEASE: GoDuration = GoDuration::from_secs(1);
const MOST_NAMES: usize = 16;
