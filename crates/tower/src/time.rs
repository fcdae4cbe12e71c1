//! The time as the split sees it.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

/// The times that are measured by.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    /// That of latencies.
    pub(crate) latencies: Monotonic,
    /// That of windows.
    pub(crate) windows: Monotonic,
}

impl Times {
    pub(crate) fn system() -> Self {
        let system = Monotonic::system();
        Self { latencies: system.clone(), windows: system }
    }
}

/// A time that only moves on, from any beginning.
#[derive(Clone)]
pub(crate) enum Monotonic {
    System(Instant),
    Given(Arc<dyn Fn() -> Duration + Send + Sync>),
}

impl Monotonic {
    pub(crate) fn system() -> Self {
        Self::System(Instant::now())
    }

    /// Nanoseconds since the beginning; more than 584 years saturate.
    pub(crate) fn nanos(&self) -> u64 {
        let elapsed = match self {
            Self::System(start) => start.elapsed(),
            Self::Given(clock) => clock(),
        };
        saturating_nanos(elapsed)
    }
}

impl fmt::Debug for Monotonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ns", self.nanos())
    }
}

pub(crate) fn saturating_nanos(length: Duration) -> u64 {
    length.as_nanos().try_into().unwrap_or(u64::MAX)
}
