use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll, Waker},
};

use async_trait::async_trait;

use super::lock;
use crate::{
    port::Clock,
    time::{GoDuration, Timestamp},
};

/// A clock that stands still until it is set.
#[derive(Debug)]
pub struct ManualClock {
    face: Mutex<Face>,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self { face: Mutex::new(Face { now, next: 0, sleepers: BTreeMap::new() }) }
    }

    /// Sets the clock, forwards or back, and wakes those whose time has come.
    pub fn set(&self, now: Timestamp) {
        let due = {
            let mut face = lock(&self.face);
            face.now = now;
            face.take_due()
        };
        due.into_iter().for_each(Waker::wake);
    }

    /// Moves the clock on, and wakes those whose time has come.
    pub fn advance(&self, by: GoDuration) {
        let due = {
            let mut face = lock(&self.face);
            face.now = by.after(face.now);
            face.take_due()
        };
        due.into_iter().for_each(Waker::wake);
    }

    /// When the first of those who sleep wants to be woken; none if nobody sleeps.
    pub fn next_wake(&self) -> Option<Timestamp> {
        lock(&self.face).sleepers.keys().next().map(|(at, _)| *at)
    }
}

impl Default for ManualClock {
    /// A clock that shows the start of the Unix epoch.
    fn default() -> Self {
        Self::new(Timestamp::UNIX_EPOCH)
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        lock(&self.face).now
    }

    async fn sleep_until(&self, at: Timestamp) {
        Sleep { clock: self, at, place: None }.await;
    }
}

#[derive(Debug)]
struct Face {
    now: Timestamp,
    next: u64,
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
}

impl Face {
    fn take_due(&mut self) -> Vec<Waker> {
        let now = self.now;
        let later = self.sleepers.split_off(&(now, u64::MAX));
        std::mem::replace(&mut self.sleepers, later).into_values().collect()
    }
}

struct Sleep<'a> {
    clock: &'a ManualClock,
    at: Timestamp,
    place: Option<u64>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut face = lock(&self.clock.face);
        if face.now >= self.at {
            return Poll::Ready(());
        }
        let place = self.place.unwrap_or(face.next);
        face.next = face.next.max(place + 1);
        face.sleepers.insert((self.at, place), context.waker().clone());
        drop(face);
        self.place = Some(place);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            lock(&self.clock.face).sleepers.remove(&(self.at, place));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn who_no_longer_waits_is_forgotten() {
        let clock = ManualClock::default();
        let at = GoDuration::from_secs(5).after(clock.now());
        assert!(clock.sleep_until(at).now_or_never().is_none());
        assert_eq!(clock.next_wake(), None);
        let mut sleep = clock.sleep_until(at);
        assert!((&mut sleep).now_or_never().is_none());
        assert_eq!(clock.next_wake(), Some(at));
        clock.advance(GoDuration::from_secs(4));
        assert!((&mut sleep).now_or_never().is_none());
        clock.advance(GoDuration::from_secs(1));
        assert!((&mut sleep).now_or_never().is_some());
    }
}
