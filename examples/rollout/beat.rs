//! The time by which requests are sent.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Passes as real time does; or, where nobody but this program needs to agree, only while the requests of that time are
/// sent and answered. So a machine that cannot keep up takes longer, and every window still holds as many requests.
#[derive(Clone, Debug)]
pub(crate) enum Beat {
    Real(Instant),
    Traffic(Arc<Mutex<Ticks>>),
}

/// What the sender did.
#[derive(Debug)]
pub(crate) struct Ticks {
    before: Duration,
    last: Instant,
    length: Duration,
}

impl Beat {
    /// A clock's time.
    pub(crate) fn real() -> Self {
        Self::Real(Instant::now())
    }

    /// The time of a sender that [ticks](Self::tick) this often if it can.
    pub(crate) fn of_traffic(length: Duration) -> Self {
        Self::Traffic(Arc::new(Mutex::new(Ticks { before: Duration::ZERO, last: Instant::now(), length })))
    }

    /// How much has passed.
    pub(crate) fn elapsed(&self) -> Duration {
        match self {
            Self::Real(started) => started.elapsed(),
            Self::Traffic(ticks) => {
                let ticks = ticks.lock().unwrap_or_else(PoisonError::into_inner);
                ticks.before + ticks.last.elapsed().min(ticks.length)
            }
        }
    }

    /// Whether it waits for the traffic.
    pub(crate) const fn waits(&self) -> bool {
        matches!(self, Self::Traffic(_))
    }

    /// The requests of a tick are sent: time may pass to the end of the next.
    pub(crate) fn tick(&self) {
        if let Self::Traffic(ticks) = self {
            let mut ticks = ticks.lock().unwrap_or_else(PoisonError::into_inner);
            ticks.before = ticks.before.saturating_add(ticks.length);
            ticks.last = Instant::now();
        }
    }
}
