//! How often two revisions gave the same answer.

use std::sync::{
    Mutex, PoisonError, TryLockError,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    meter::{TICK, thin},
    time::Monotonic,
};

/// What became of the pairs of answers: the live one of stable, and the candidate's to a copy of the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PairTotals {
    /// Pairs that agree.
    pub agreed: u64,
    /// Pairs that do not.
    pub differed: u64,
    /// Pairs without one of the answers: a side failed, was given up, or died.
    pub missing: u64,
    /// Pairs of which a body was too long to be compared.
    pub too_long: u64,
}

impl PairTotals {
    /// The pairs that were compared.
    pub const fn compared(&self) -> u64 {
        self.agreed.saturating_add(self.differed)
    }
}

/// What was said of one pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Agreed,
    Differed,
    Missing,
    TooLong,
}

/// The counters of one pair of revisions. Written without a lock.
#[derive(Debug)]
pub struct Pairs {
    time: Monotonic,
    agreed: AtomicU64,
    differed: AtomicU64,
    missing: AtomicU64,
    too_long: AtomicU64,
    next_snapshot: AtomicU64,
    past: Mutex<Vec<Snapshot>>,
}

/// What the counters held at one moment.
#[derive(Clone, Copy, Debug)]
struct Snapshot {
    at: u64,
    totals: PairTotals,
}

impl Pairs {
    pub(crate) fn new(time: Monotonic) -> Self {
        let now = time.nanos();
        Self {
            time,
            agreed: AtomicU64::new(0),
            differed: AtomicU64::new(0),
            missing: AtomicU64::new(0),
            too_long: AtomicU64::new(0),
            next_snapshot: AtomicU64::new(now.saturating_add(TICK)),
            past: Mutex::new(vec![Snapshot { at: now, totals: PairTotals::default() }]),
        }
    }

    pub(crate) fn totals(&self) -> PairTotals {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PairTotals {
            agreed: read(&self.agreed),
            differed: read(&self.differed),
            missing: read(&self.missing),
            too_long: read(&self.too_long),
        }
    }

    pub(crate) fn record(&self, said: Said) {
        let now = self.time.nanos();
        if now >= self.next_snapshot.load(Ordering::Relaxed) {
            // Whoever holds the lock takes the snapshot; nobody waits for it.
            match self.past.try_lock() {
                Ok(mut past) => self.take_snapshot(&mut past, now),
                Err(TryLockError::Poisoned(poisoned)) => self.take_snapshot(&mut poisoned.into_inner(), now),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let counter = match said {
            Said::Agreed => &self.agreed,
            Said::Differed => &self.differed,
            Said::Missing => &self.missing,
            Said::TooLong => &self.too_long,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Pairs that agreed, and pairs that were compared, in the last `window` nanoseconds.
    pub(crate) fn within(&self, window: u64) -> (u64, u64) {
        let now = self.time.nanos();
        let past = {
            let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
            if now >= self.next_snapshot.load(Ordering::Relaxed) {
                self.take_snapshot(&mut past, now);
            }
            let start = now.saturating_sub(window);
            past.iter().find(|snapshot| snapshot.at >= start).copied()
        };
        // Snapshots are taken before a pair is counted: none in the window, none counted in it.
        let Some(Snapshot { totals: before, .. }) = past else { return (0, 0) };
        let totals = self.totals();
        let agreed = totals.agreed.saturating_sub(before.agreed);
        (agreed, agreed.saturating_add(totals.differed.saturating_sub(before.differed)))
    }

    fn take_snapshot(&self, past: &mut Vec<Snapshot>, now: u64) {
        if now < self.next_snapshot.load(Ordering::Relaxed) {
            return;
        }
        self.next_snapshot.store(now.saturating_add(TICK), Ordering::Relaxed);
        past.push(Snapshot { at: now, totals: self.totals() });
        thin(past, now, |snapshot| snapshot.at);
    }
}
