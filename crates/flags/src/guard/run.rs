//! What makes a guard move.

use std::{
    convert::Infallible,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::future::{Either, select};
use serinus_core::{
    driver::{Driver, DriverError, Ports, load},
    port::{Clock, MetricProvider, PortErrorKind, StateStore},
    rollout::{self, Command, Input, Phase, State},
    time::{GoDuration, Timestamp},
    traffic::Revision,
};
use tracing::Instrument as _;

use super::{
    Baseline, Deciding, Guard, GuardError, Inner, Lease,
    envelope::Opened,
    inbox::is_command,
    lease::{Leased, Standing},
    lock,
    ports::Doubted,
    store::Watched,
};

impl Guard {
    /// Decides, or follows, for as long as it is awaited; and tries again what fails for a while. Needs no runtime: it
    /// sleeps by the clock. Dropping it is a crash, and a crash is harmless: the shares stay as they are, and another run
    /// goes on.
    ///
    /// # Errors
    ///
    /// If the guard runs already, or if the store holds what this program cannot read.
    pub async fn run(&self, clock: Arc<dyn Clock>) -> Result<Infallible, GuardError> {
        loop {
            // After the end of an attempt another one may begin: with another definition, or by a command.
            self.drive(&clock, false).await?;
        }
    }

    /// The same up to the end of the attempt that is under way or about to begin, and how it ended. At once, if this
    /// definition of the flag has had its attempt.
    ///
    /// # Errors
    ///
    /// As for [`Guard::run`].
    pub async fn finish(&self, clock: Arc<dyn Clock>) -> Result<rollout::Outcome, GuardError> {
        self.drive(&clock, true).await
    }

    async fn drive(&self, clock: &Arc<dyn Clock>, to_end: bool) -> Result<rollout::Outcome, GuardError> {
        let inner = &self.0;
        if inner.is_running.swap(true, Ordering::AcqRel) {
            return Err(GuardError::Running { flag: Arc::clone(&inner.key) });
        }
        let _running = Running(inner);
        let span = tracing::info_span!(
            target: "serinus_flags",
            "guard",
            feature_flag.key = &*inner.key,
            feature_flag.provider.name = "serinus"
        );
        let driven = async {
            match &inner.deciding {
                Deciding::Here { store } => {
                    self.decide(Arc::new(inner.opened(store)), None, clock, to_end).await
                }
                Deciding::Leader { store, name, lease } => {
                    let (store, clock) = (Arc::clone(store), Arc::clone(clock));
                    let (name, token) = (Arc::clone(name), inner.token.clone());
                    let book = Arc::clone(&inner.book);
                    let leased = Leased::new(store, book, Arc::clone(&clock), name, token, *lease);
                    self.lead(&Arc::new(leased), &clock, to_end).await
                }
                Deciding::Follower { store, every } => {
                    self.follow(&inner.opened(store), *every, clock, to_end).await
                }
            }
        };
        let driven = driven.instrument(span).await;
        driven.map_err(|source| GuardError::Driver { flag: Arc::clone(&inner.key), source })
    }

    /// Decides while it has the lease, and follows while another instance has it.
    async fn lead(
        &self,
        leased: &Arc<Leased>,
        clock: &Arc<dyn Clock>,
        to_end: bool,
    ) -> Result<rollout::Outcome, DriverError> {
        let inner = &self.0;
        let mut failures = 0;
        loop {
            let (lease, is_mine) = match leased.stand().await {
                Ok(Standing::Leads(lease)) => (lease, true),
                Ok(Standing::Follows(lease)) => (lease, false),
                Err(error) => {
                    pause(error.into(), &mut failures, LONGEST, clock).await?;
                    continue;
                }
            };
            failures = 0;
            inner.see(&lease, is_mine);
            if is_mine {
                let store = Arc::clone(leased) as Arc<dyn StateStore>;
                match self.decide(store, Some((leased, lease.fence)), clock, to_end).await {
                    Err(DriverError::Store(error)) if error.kind() == PortErrorKind::Fenced => {
                        tracing::warn!(error = error.chain(), "this instance stops deciding");
                    }
                    ended => {
                        leased.release().await;
                        return ended;
                    }
                }
                continue;
            }
            if inner.live.inbox.clear() {
                tracing::warn!(holder = lease.holder, "a command is dropped: another instance decides");
            }
            if let Some(outcome) = self.follow_once(&**leased, STANDBY, clock, to_end).await? {
                return Ok(outcome);
            }
            clock.sleep_until(STANDBY.after(clock.now()).min(lease.until.max(clock.now()))).await;
        }
    }

    async fn decide(
        &self,
        store: Arc<dyn StateStore>,
        lease: Option<(&Arc<Leased>, u64)>,
        clock: &Arc<dyn Clock>,
        to_end: bool,
    ) -> Result<rollout::Outcome, DriverError> {
        let inner = &self.0;
        let baseline = loop {
            if let Some((_, baseline)) = inner.revisions() {
                break baseline;
            }
            if is_command(&self.hear(lease, None, clock).await) {
                tracing::warn!("a command is dropped: the document does not have the flag and its variants");
            }
            self.keep(lease, clock).await?;
        };
        let metrics: Arc<dyn MetricProvider> = match &inner.metrics {
            Some(source) => Arc::new(Doubted { source: Arc::clone(source), guard: Arc::clone(inner) }),
            None => Arc::new(self.clone()),
        };
        let ports = Ports {
            router: Some(Arc::new(self.clone())),
            workload: None,
            metrics: Some(metrics),
            hook: inner.hook.clone(),
            store: Arc::new(Watched { store, guard: Arc::clone(inner) }),
            clock: Arc::clone(clock),
        };
        let mut failures = 0;
        let mut driver = loop {
            let initial = State::new(baseline.clone(), clock.now());
            match Driver::start(inner.plan.clone(), ports.clone(), initial).await {
                Ok(driver) => break driver,
                Err(error) => pause(error, &mut failures, LONGEST, clock).await?,
            }
        };
        driver.set_watch(inner.watch);
        inner.adopt()?;
        inner.take_up(driver.state(), clock);
        if let Some((_, term)) = lease {
            driver.push(Input::Elected(term));
        }
        let mut wanted: Option<Revision> = None;
        let mut taken_over: Option<Timestamp> = None;
        let has_command = AtomicBool::new(false);
        loop {
            let mut until = None;
            let is_over = to_end && inner.has_had_its_attempt(driver.state());
            let baseline = match inner.baseline(driver.state()) {
                Baseline::Another(default) => Some(default),
                Baseline::TakenOver(default) => {
                    let settled = SETTLING.after(*taken_over.get_or_insert_with(|| clock.now()));
                    until = Some(settled);
                    (settled <= clock.now()).then_some(default)
                }
                Baseline::AsItIs => {
                    taken_over = None;
                    None
                }
            };
            if let Some(baseline) = baseline.filter(|_| !is_over) {
                (until, taken_over) = (None, None);
                driver.push(Input::Rebased(baseline));
            } else {
                let now_wanted = inner.wanted(driver.state());
                if let Some(revision) = now_wanted.as_ref().filter(|_| now_wanted != wanted) {
                    driver.push(Input::Revised(revision.clone()));
                }
                wanted = now_wanted;
            }
            let outside = async {
                let input = self.hear(lease, until, clock).await;
                has_command.fetch_or(is_command(&input), Ordering::Relaxed);
                Some(input)
            };
            let step = match driver.step(outside).await {
                Ok(step) => step,
                Err(error) => {
                    // It is the driver's, and is kept for the next step only if there is one.
                    if let Err(error) = pause(error, &mut failures, LONGEST, clock).await {
                        if has_command.into_inner() {
                            tracing::warn!("a command is dropped: it could not be saved");
                        }
                        return Err(error);
                    }
                    continue;
                }
            };
            failures = 0;
            has_command.store(false, Ordering::Relaxed);
            for (entry, decision) in step.turns {
                decision.notes.into_iter().for_each(|note| inner.note(entry.now, note));
            }
            inner.look(clock.now());
            inner.set_state(driver.state().clone());
            *lock(&inner.informed) = Some(clock.now());
            self.keep(lease, clock).await?;
            if let Some(outcome) = driver.state().outcome().filter(|_| to_end && driver.state().is_settled())
            {
                return Ok(outcome.clone());
            }
        }
    }

    /// The next input from outside, or a tick when the lease is to be renewed or at this time. Cancel safe.
    async fn hear(
        &self,
        lease: Option<(&Arc<Leased>, u64)>,
        until: Option<Timestamp>,
        clock: &Arc<dyn Clock>,
    ) -> Input {
        let next = self.0.live.inbox.next();
        let renewal = lease.map(|(leased, _)| leased.renewal());
        let input = match renewal.into_iter().chain(until).min() {
            None => next.await,
            Some(at) => match select(pin!(next), clock.sleep_until(at)).await {
                Either::Left((input, _)) => input,
                Either::Right(_) => Input::Tick,
            },
        };
        if input == Input::Commanded(Command::Retry)
            && let Some((candidate, _)) = self.0.revisions()
        {
            self.0.book.forgive(&candidate);
        }
        input
    }

    /// Renews the lease when it is time.
    async fn keep(
        &self,
        lease: Option<(&Arc<Leased>, u64)>,
        clock: &Arc<dyn Clock>,
    ) -> Result<(), DriverError> {
        let Some((leased, _)) = lease else { return Ok(()) };
        // Every save renews it, too.
        if leased.renewal() > clock.now() {
            self.0.see(&leased.mine()?, true);
            return Ok(());
        }
        match leased.renew().await {
            Ok(lease) => self.0.see(&lease, true),
            Err(error) if error.kind() == PortErrorKind::Fenced => return Err(error.into()),
            Err(error) => pause(error.into(), &mut 0, LONGEST, clock).await?,
        }
        Ok(())
    }

    async fn follow(
        &self,
        store: &dyn StateStore,
        every: GoDuration,
        clock: &Arc<dyn Clock>,
        to_end: bool,
    ) -> Result<rollout::Outcome, DriverError> {
        loop {
            if let Some(outcome) = self.follow_once(store, every, clock, to_end).await? {
                return Ok(outcome);
            }
            let next = clock.sleep_until(every.after(clock.now()));
            select(pin!(self.0.live.inbox.next()), pin!(next)).await;
        }
    }

    /// Does what the store says. How the attempt ended, if that is what is waited for.
    async fn follow_once(
        &self,
        store: &dyn StateStore,
        every: GoDuration,
        clock: &Arc<dyn Clock>,
        to_end: bool,
    ) -> Result<Option<rollout::Outcome>, DriverError> {
        let inner = &self.0;
        let mut failures = 0;
        let held = loop {
            match load(store, State::new(Revision::from(""), clock.now())).await {
                Ok(held) => break held,
                // The first look after the store is back is to be as early as any other.
                Err(error) => pause(error, &mut failures, every, clock).await?,
            }
        };
        inner.look(clock.now());
        if held.version.is_none() {
            if inner.state().is_some() && !inner.is_lost.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    "the store is empty: the shares stay as they are until there is a state again"
                );
            }
            return Ok(None);
        }
        inner.is_lost.store(false, Ordering::Relaxed);
        inner.adopt()?;
        inner.take_up(&held.state, clock);
        let is_over = held.state.is_settled() && inner.has_had_its_attempt(&held.state);
        Ok(held.state.outcome().filter(|_| to_end && is_over).cloned())
    }
}

impl Inner {
    fn opened(&self, store: &Arc<dyn StateStore>) -> Opened {
        Opened { store: Arc::clone(store), book: Arc::clone(&self.book) }
    }

    fn see(&self, lease: &Lease, is_mine: bool) {
        *lock(&self.lease) = Some((lease.clone(), is_mine));
    }

    /// Whether the end of an attempt that a state tells is the end of what this document wants.
    fn has_had_its_attempt(&self, state: &State) -> bool {
        let Phase::Done(done) = &state.phase else { return false };
        self.wanted(state).is_none_or(|wanted| wanted == state.stable || wanted == done.candidate)
    }

    /// Does what a state says that was decided before, or by another instance.
    fn take_up(&self, state: &State, clock: &Arc<dyn Clock>) {
        self.set_state(state.clone());
        *lock(&self.informed) = Some(clock.now());
        let Some(aim) = &state.route else { return };
        if let Err(error) = self.put(&aim.value, aim.fence) {
            tracing::warn!(error = error.chain(), "the shares of the stored state cannot be put in force");
        }
    }
}

/// Waits after a failure that may go away by itself, no longer than so long; others are returned.
async fn pause(
    error: DriverError,
    failures: &mut u32,
    longest: GoDuration,
    clock: &Arc<dyn Clock>,
) -> Result<(), DriverError> {
    match &error {
        DriverError::Store(failure) => match failure.kind() {
            PortErrorKind::Fenced | PortErrorKind::Invalid => return Err(error),
            _ => {}
        },
        DriverError::Conflict => {}
        _ => return Err(error),
    }
    let wait = GoDuration::from_secs(1_u64 << (*failures).min(5)).min(longest);
    *failures = failures.saturating_add(1);
    tracing::warn!(?error, %wait, "the store of a guard failed; it is tried again");
    clock.sleep_until(wait.after(clock.now())).await;
    Ok(())
}

/// The longest pause between two attempts at a store by who decides.
const LONGEST: GoDuration = GoDuration::from_secs(32);

/// So long is what was promoted kept in force after the document has it: for those who get the document later.
const SETTLING: GoDuration = GoDuration::from_mins(1);

/// How often an instance that could decide reads what is decided.
const STANDBY: GoDuration = GoDuration::from_secs(2);

/// Somebody runs the guard, until this is dropped.
struct Running<'a>(&'a Inner);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.is_running.store(false, Ordering::Release);
    }
}
