//! What makes a guard move.

use std::{
    convert::Infallible,
    pin::pin,
    sync::{Arc, atomic::Ordering},
};

use futures_util::future::select;
use serinus_core::{
    driver::{Driver, DriverError, Ports, load},
    port::{Clock, MetricProvider, StateStore},
    rollout::{self, Input, State},
    time::GoDuration,
    traffic::Revision,
};
use tracing::Instrument as _;

use super::{Deciding, Guard, GuardError, Inner, ports::Doubted, store::Watched};

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
                Deciding::Here { store } | Deciding::Leader { store } => {
                    self.decide(store, clock, to_end).await
                }
                Deciding::Follower { store, every } => self.follow(store, *every, clock, to_end).await,
            }
        };
        let driven = driven.instrument(span).await;
        driven.map_err(|source| GuardError::Driver { flag: Arc::clone(&inner.key), source })
    }

    async fn decide(
        &self,
        store: &Arc<dyn StateStore>,
        clock: &Arc<dyn Clock>,
        to_end: bool,
    ) -> Result<rollout::Outcome, DriverError> {
        let inner = &self.0;
        let baseline = loop {
            match inner.revisions() {
                Some((_, baseline)) => break baseline,
                None => drop(inner.live.inbox.next().await),
            }
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
            store: Arc::new(Watched { store: Arc::clone(store), guard: Arc::clone(inner) }),
            clock: Arc::clone(clock),
        };
        let mut failures = 0;
        let mut driver = loop {
            let initial = State::new(baseline.clone(), clock.now());
            match Driver::start(inner.plan.clone(), ports.clone(), initial).await {
                Ok(driver) => break driver,
                Err(error) => pause(error, &mut failures, clock).await?,
            }
        };
        driver.set_watch(inner.watch);
        inner.take_up(driver.state());
        let mut wanted: Option<Revision> = None;
        loop {
            let now_wanted = inner.wanted(driver.state());
            if let Some(revision) = now_wanted.as_ref().filter(|_| now_wanted != wanted) {
                driver.push(Input::Revised(revision.clone()));
            }
            wanted = now_wanted;
            let step = match driver.step(async { Some(inner.live.inbox.next().await) }).await {
                Ok(step) => step,
                Err(error) => {
                    pause(error, &mut failures, clock).await?;
                    continue;
                }
            };
            failures = 0;
            for (entry, decision) in step.turns {
                decision.notes.into_iter().for_each(|note| inner.note(entry.now, note));
            }
            inner.look(clock.now());
            inner.set_state(driver.state().clone());
            if let Some(outcome) = driver.state().outcome().filter(|_| to_end && driver.state().is_settled())
            {
                return Ok(outcome.clone());
            }
        }
    }

    async fn follow(
        &self,
        store: &Arc<dyn StateStore>,
        every: GoDuration,
        clock: &Arc<dyn Clock>,
        to_end: bool,
    ) -> Result<rollout::Outcome, DriverError> {
        let inner = &self.0;
        let mut failures = 0;
        loop {
            let nothing = State::new(Revision::from(""), clock.now());
            match load(&**store, nothing).await {
                Ok(held) if held.version.is_some() => {
                    failures = 0;
                    inner.take_up(&held.state);
                    let is_settled = held.state.is_settled();
                    if let Some(outcome) = held.state.outcome().filter(|_| to_end && is_settled) {
                        return Ok(outcome.clone());
                    }
                }
                Ok(_) => failures = 0,
                Err(error) => {
                    pause(error, &mut failures, clock).await?;
                    continue;
                }
            }
            inner.look(clock.now());
            let next = clock.sleep_until(every.after(clock.now()));
            select(pin!(inner.live.inbox.next()), pin!(next)).await;
        }
    }
}

impl Inner {
    /// Does what a state says that was decided before, or by another instance.
    fn take_up(&self, state: &State) {
        self.set_state(state.clone());
        let Some(aim) = &state.route else { return };
        if let Err(error) = self.put(&aim.value, aim.fence) {
            tracing::warn!(error = error.chain(), "the shares of the stored state cannot be put in force");
        }
    }
}

/// Waits after a failure that may go away by itself; others are returned.
async fn pause(error: DriverError, failures: &mut u32, clock: &Arc<dyn Clock>) -> Result<(), DriverError> {
    match error {
        DriverError::Store(_) | DriverError::Conflict => {}
        _ => return Err(error),
    }
    let seconds = 1_u64 << (*failures).min(5);
    *failures = failures.saturating_add(1);
    tracing::warn!(?error, seconds, "the store of a guard failed; it is tried again");
    clock.sleep_until(GoDuration::from_secs(seconds).after(clock.now())).await;
    Ok(())
}

/// Somebody runs the guard, until this is dropped.
struct Running<'a>(&'a Inner);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.is_running.store(false, Ordering::Release);
    }
}
