//! The time of this machine.

use std::time::Duration;

use async_trait::async_trait;

use serinus_core::{
    port::Clock,
    time::{GoDuration, Timestamp},
};

/// The clock of this machine, which sleeps by tokio's timer, for [`Guard::run`](crate::Guard::run) and whatever else wants
/// a [`Clock`]. What it needs is a runtime with time enabled.
///
/// Whoever sleeps looks at the clock once a second, so that a clock that is set is noticed within that.
///
/// ```
/// use serinus_core::{port::Clock, time::GoDuration};
/// use serinus_flags::SystemClock;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let soon = GoDuration::from_millis(5).after(SystemClock.now());
/// SystemClock.sleep_until(soon).await;
/// assert!(SystemClock.now() >= soon);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "there is one such clock")]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, at: Timestamp) {
        loop {
            let left = GoDuration::between(self.now(), at);
            if left.is_negative() || left.is_zero() {
                return;
            }
            // Not less than the resolution of timers, so that nobody wakes a moment too early over and over.
            let left = Duration::from_nanos(left.as_nanos().unsigned_abs());
            tokio::time::sleep(left.clamp(Duration::from_millis(1), LONGEST)).await;
        }
    }
}

const LONGEST: Duration = Duration::from_secs(1);
