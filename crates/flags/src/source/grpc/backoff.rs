//! How long is waited before a server is called again.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::Duration,
};

/// Pauses that grow twofold, each somewhat shorter than that by chance: programs that lost one server together must not
/// call it together.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    coming: Duration,
}

impl Backoff {
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        let longest = longest.max(first);
        Self { first, longest, coming: first }
    }

    pub(super) fn longest(&self) -> Duration {
        self.longest
    }

    pub(super) fn reset(&mut self) {
        self.coming = self.first;
    }

    pub(super) fn next(&mut self) -> Duration {
        let pause = self.coming;
        self.coming = pause.saturating_mul(2).min(self.longest);
        // Keys that are drawn for every state: as much chance as is needed here.
        let chance = RandomState::new().build_hasher().finish() as u32;
        pause.mul_f64(1.0 - SPREAD * f64::from(chance) / f64::from(u32::MAX))
    }
}

/// By how much of itself a pause is shortened at most.
const SPREAD: f64 = 0.25;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_begin_anew() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(12));
        for _ in 0..2 {
            for expected in [1.0, 2.0, 4.0, 8.0, 12.0, 12.0] {
                let pause = backoff.next().as_secs_f64();
                assert!((0.75 * expected..=expected).contains(&pause), "{pause} where {expected} was due");
            }
            backoff.reset();
        }
        let mut pauses: Vec<_> = (0..20).map(|_| backoff.next()).skip(5).collect();
        pauses.dedup();
        assert!(pauses.len() > 1, "they differ: {pauses:?}");
    }
}
