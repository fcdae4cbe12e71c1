//! What is measured of one revision.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError, TryLockError,
    atomic::{AtomicU64, Ordering},
};

use http::StatusCode;
use serinus_core::metric::{Counts, Histogram};

use crate::{
    time::Times,
    windows::{Counted, Reading},
};

/// How many requests a revision was sent, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Requests that were answered, or that the service failed to answer.
    pub requests: u64,
    /// Those of them that failed: answers of 500 to 599, errors and panics of the service.
    pub errors: u64,
    /// Requests being answered now.
    pub in_flight: u64,
    /// Requests whose caller went away before the answer. They count nowhere else.
    pub cancelled: u64,
}

/// The counters of one revision. Written by every request, without a lock.
#[derive(Debug)]
pub(crate) struct Meter {
    times: Times,
    statuses: Statuses,
    /// Those of requests that fell into a control group, if there is one: each request is in one of the two.
    control: Option<Statuses>,
    started: AtomicU64,
    cancelled: AtomicU64,
    next_snapshot: AtomicU64,
    past: Mutex<Vec<Snapshot>>,
}

/// Latencies by status, from 100; made when the status is first seen.
#[derive(Debug)]
struct Statuses(Box<[OnceLock<Histogram>]>);

impl Statuses {
    fn new() -> Self {
        Self((FIRST_STATUS..=LAST_STATUS).map(|_| OnceLock::new()).collect())
    }

    fn record(&self, status: u16, nanos: u64) {
        let index = usize::from(status.clamp(FIRST_STATUS, LAST_STATUS) - FIRST_STATUS);
        if let Some(cell) = self.0.get(index) {
            cell.get_or_init(Histogram::default).record(nanos);
        }
    }

    /// Adds everything, and returns how many of it were errors.
    fn add_to(&self, all: &mut Counts) -> u64 {
        let mut errors = 0;
        for (status, histogram) in (FIRST_STATUS..).zip(&self.0) {
            if let Some(histogram) = histogram.get() {
                let before = if is_error(status) { all.total() } else { 0 };
                histogram.add_to(all);
                if is_error(status) {
                    errors += all.total() - before;
                }
            }
        }
        errors
    }

    fn counted(&self) -> Counted {
        let mut counts = Counts::default();
        let errors = self.add_to(&mut counts);
        Counted { errors, counts }
    }

    fn each(&self) -> impl Iterator<Item = (u16, Counts)> {
        (FIRST_STATUS..).zip(&self.0).filter_map(|(status, cell)| {
            let histogram = cell.get()?;
            let mut counts = Counts::default();
            histogram.add_to(&mut counts);
            Some((status, counts))
        })
    }
}

impl Meter {
    pub(crate) fn new(times: Times, has_control: bool) -> Self {
        let now = times.windows.nanos();
        Self {
            times,
            statuses: Statuses::new(),
            control: has_control.then(Statuses::new),
            started: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            next_snapshot: AtomicU64::new(now.saturating_add(TICK)),
            past: Mutex::new(vec![Snapshot { at: now, errors: 0, buckets: Vec::new() }]),
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        // Those on their way are what is left of the started, which are therefore read last.
        let (counts, errors) = self.counts();
        let requests = counts.total();
        let cancelled = self.cancelled.load(Ordering::Relaxed);
        let started = self.started.load(Ordering::Relaxed);
        let in_flight = started.saturating_sub(requests).saturating_sub(cancelled);
        Totals { requests, errors, in_flight, cancelled }
    }

    /// What happened in the last `window` nanoseconds, or since the meter was made.
    pub(crate) fn within(&self, window: u64) -> Within {
        let now = self.times.windows.nanos();
        let past = {
            let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
            if now >= self.next_snapshot.load(Ordering::Relaxed) {
                self.take_snapshot(&mut past, now);
            }
            // The first snapshot inside the window: all that it holds happened before.
            let start = now.saturating_sub(window);
            past.iter().find(|snapshot| snapshot.at >= start).cloned()
        };
        let Some(past) = past else {
            // Snapshots are taken before a request is counted: none in the window, none counted in it.
            return Within::default();
        };
        let (mut counts, errors) = self.counts();
        counts.subtract(&past.buckets);
        Within { errors: errors.saturating_sub(past.errors), counts, nanos: now.saturating_sub(past.at) }
    }

    /// The statuses seen so far, each with its latencies, and whether those are of the control group.
    pub(crate) fn by_status(&self) -> impl Iterator<Item = (bool, u16, Counts)> {
        let control = self.control.iter().flat_map(Statuses::each);
        let control = control.map(|(status, counts)| (true, status, counts));
        self.statuses.each().map(|(status, counts)| (false, status, counts)).chain(control)
    }

    /// Everything since the meter was made.
    pub(crate) fn reading(&self) -> Reading {
        Reading { rest: self.statuses.counted(), control: self.control.as_ref().map(Statuses::counted) }
    }

    fn counts(&self) -> (Counts, u64) {
        let Counted { errors, mut counts } = self.statuses.counted();
        let control = self.control.as_ref().map_or(0, |control| control.add_to(&mut counts));
        (counts, errors + control)
    }

    fn record(&self, status: u16, started: u64, is_control: bool) {
        let latency = self.times.latencies.nanos().saturating_sub(started);
        let now = self.times.windows.nanos();
        if now >= self.next_snapshot.load(Ordering::Relaxed) {
            // Whoever holds the lock takes the snapshot; no request waits for it.
            match self.past.try_lock() {
                Ok(mut past) => self.take_snapshot(&mut past, now),
                Err(TryLockError::Poisoned(poisoned)) => self.take_snapshot(&mut poisoned.into_inner(), now),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let statuses = self.control.as_ref().filter(|_| is_control).unwrap_or(&self.statuses);
        statuses.record(status, latency);
    }

    fn take_snapshot(&self, past: &mut Vec<Snapshot>, now: u64) {
        if now < self.next_snapshot.load(Ordering::Relaxed) {
            return;
        }
        self.next_snapshot.store(now.saturating_add(TICK), Ordering::Relaxed);
        let (counts, errors) = self.counts();
        past.push(Snapshot { at: now, errors, buckets: counts.to_sparse() });
        thin(past, now, |snapshot| snapshot.at);
    }
}

/// What happened within a window.
#[derive(Clone, Debug, Default)]
pub(crate) struct Within {
    pub(crate) counts: Counts,
    pub(crate) errors: u64,
    /// How much of the window there is.
    pub(crate) nanos: u64,
}

/// One request on its way: it counts once, as answered or as cancelled.
#[derive(Debug)]
pub(crate) struct Flight {
    meter: Arc<Meter>,
    is_control: bool,
    started: u64,
    landed: bool,
}

impl Flight {
    pub(crate) fn start(meter: Arc<Meter>, is_control: bool) -> Self {
        meter.started.fetch_add(1, Ordering::Relaxed);
        let started = meter.times.latencies.nanos();
        Self { meter, is_control, started, landed: false }
    }

    /// Counts the answer; none if the service failed.
    pub(crate) fn land(&mut self, status: Option<StatusCode>) {
        if !std::mem::replace(&mut self.landed, true) {
            let status = status.map_or(FAILED, |status| status.as_u16());
            self.meter.record(status, self.started, self.is_control);
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if self.landed {
            return;
        }
        if std::thread::panicking() {
            // A service that panics has failed; nobody went away.
            self.land(None);
        } else {
            self.meter.cancelled.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What a meter held at one moment.
#[derive(Clone, Debug)]
struct Snapshot {
    at: u64,
    errors: u64,
    buckets: Vec<(u16, u64)>,
}

/// Drops snapshots so that those kept lie no further apart than a twentieth of their age: a window of any length
/// finds its beginning to within 5 %, and a year takes four hundred of them.
pub(crate) fn thin<T>(past: &mut Vec<T>, now: u64, at: impl Fn(&T) -> u64) {
    let mut kept = 0;
    for index in 1..past.len() {
        let next = past.get(index + 1).map(&at);
        let is_needed =
            next.is_none_or(|next| next.saturating_sub(at(&past[kept])) > now.saturating_sub(next) / 20);
        if is_needed {
            kept += 1;
            past.swap(kept, index);
        }
    }
    past.truncate(kept + 1);
}

const fn is_error(status: u16) -> bool {
    status >= 500 && status <= 599
}

const FIRST_STATUS: u16 = 100;
const LAST_STATUS: u16 = 999;
/// The status under which an error of the service counts.
const FAILED: u16 = 500;
/// The shortest time between two snapshots, in nanoseconds.
pub(crate) const TICK: u64 = 20_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_stay_few_and_close_enough() {
        let mut past = Vec::new();
        let mut now = 0;
        for _ in 0..30_000_u64 {
            now += TICK;
            past.push(Snapshot { at: now, errors: 0, buckets: Vec::new() });
            thin(&mut past, now, |snapshot| snapshot.at);
        }
        assert!(past.len() < 300, "{}", past.len());
        for window in [TICK * 2, TICK * 10, TICK * 500, TICK * 10_000, TICK * 29_000] {
            let start = now - window;
            let found = past.iter().find(|snapshot| snapshot.at >= start).unwrap().at;
            assert!(found - start <= (window / 20).max(TICK), "{window}: {}", found - start);
        }
    }
}
