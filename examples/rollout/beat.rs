//! The time by which requests are sent.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Passes as real time does; or, where no other program needs to agree, only as far as the sender of requests comes. A
/// machine that cannot keep up then takes longer, and every window still holds as many requests.
#[derive(Clone, Debug)]
pub(crate) enum Beat {
    Real(Instant),
    Traffic(Arc<Mutex<Ticks>>),
}

/// How far the sender has come.
#[derive(Debug)]
pub(crate) struct Ticks {
    began: Instant,
    before: Duration,
    last: Instant,
    longest: Duration,
}

impl Ticks {
    fn since_last(&self) -> Duration {
        self.last.elapsed().min(self.longest)
    }
}

impl Beat {
    /// A clock's time.
    pub(crate) fn real() -> Self {
        Self::Real(Instant::now())
    }

    /// The time of a sender that [ticks](Self::tick); as much as `longest` passes from one tick to the next.
    pub(crate) fn of_traffic(longest: Duration) -> Self {
        let began = Instant::now();
        Self::Traffic(Arc::new(Mutex::new(Ticks { began, before: Duration::ZERO, last: began, longest })))
    }

    /// How much has passed.
    pub(crate) fn elapsed(&self) -> Duration {
        match self {
            Self::Real(began) => began.elapsed(),
            Self::Traffic(ticks) => {
                let ticks = ticks.lock().unwrap_or_else(PoisonError::into_inner);
                ticks.before + ticks.since_last()
            }
        }
    }

    /// How long it stood still.
    pub(crate) fn stood_still(&self) -> Duration {
        match self {
            Self::Real(_) => Duration::ZERO,
            Self::Traffic(ticks) => {
                let ticks = ticks.lock().unwrap_or_else(PoisonError::into_inner);
                ticks.began.elapsed().saturating_sub(ticks.before + ticks.since_last())
            }
        }
    }

    /// Whether it waits for the traffic.
    pub(crate) const fn waits(&self) -> bool {
        matches!(self, Self::Traffic(_))
    }

    /// Goes on. Returns how much has passed since the last tick, whose requests are to be sent; nothing if it is real
    /// time.
    pub(crate) fn tick(&self) -> Option<Duration> {
        let Self::Traffic(ticks) = self else { return None };
        let mut ticks = ticks.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = ticks.since_last();
        ticks.before += passed;
        ticks.last = Instant::now();
        Some(passed)
    }
}
