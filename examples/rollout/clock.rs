//! A clock that runs faster than real time.

use std::{
    fmt,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use serinus::{
    port::Clock,
    time::{GoDuration, Timestamp},
};

/// Shows `origin` when it is made, and from then on `speed` seconds for each second that passes.
pub(crate) struct ScaledClock {
    origin: Timestamp,
    passed: Box<dyn Fn() -> Duration + Send + Sync>,
    started: Duration,
    started_at: Timestamp,
    speed: f64,
}

impl ScaledClock {
    /// A clock that starts now, at `origin`.
    pub(crate) fn starting_at(origin: Timestamp, speed: f64) -> Self {
        let started = Instant::now();
        Self::by(origin, speed, move || started.elapsed())
    }

    /// The same, for seconds that are not real ones: `passed` tells how many there were since some beginning.
    pub(crate) fn by(
        origin: Timestamp,
        speed: f64,
        passed: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        Self { origin, started: passed(), passed: Box::new(passed), started_at: Timestamp::now(), speed }
    }

    /// How many seconds it shows for each that passes.
    pub(crate) const fn speed(&self) -> f64 {
        self.speed
    }

    /// How much time has passed, without the speed.
    pub(crate) fn passed(&self) -> Duration {
        (self.passed)().saturating_sub(self.started)
    }

    /// When it really is what this clock calls `at`: the time by which other programs know it. For clocks of real time.
    pub(crate) fn real(&self, at: Timestamp) -> Timestamp {
        let passed = GoDuration::between(self.origin, at).as_nanos() as f64 / self.speed;
        GoDuration::from_nanos(passed as i64).after(self.started_at)
    }
}

#[async_trait]
impl Clock for ScaledClock {
    fn now(&self) -> Timestamp {
        let passed = self.passed().as_nanos() as f64 * self.speed;
        GoDuration::from_nanos(passed as i64).after(self.origin)
    }

    async fn sleep_until(&self, at: Timestamp) {
        loop {
            let left = GoDuration::between(self.now(), at).as_nanos();
            if left <= 0 {
                return;
            }
            // Rounded up to the resolution of timers, so that nobody wakes a moment too early over and over.
            let real = Duration::from_nanos((left as f64 / self.speed) as u64);
            tokio::time::sleep(real.clamp(Duration::from_millis(1), LONGEST_SLEEP)).await;
        }
    }
}

impl fmt::Debug for ScaledClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScaledClock").field("now", &self.now()).field("speed", &self.speed).finish()
    }
}

const LONGEST_SLEEP: Duration = Duration::from_secs(3600);
