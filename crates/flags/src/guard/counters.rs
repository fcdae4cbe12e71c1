//! What is counted of a guarded flag, without one thread waiting for another.

use std::{
    cell::Cell,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use serinus_core::{
    cohort::Place,
    metric::{Counts, Histogram},
};

use super::{
    health::LeftOut,
    outcome::{Outcome, Recorded},
};

/// One of the two cohorts that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arm {
    Candidate,
    Control,
}

/// Written by every evaluation and every outcome; read now and then.
///
/// Every thread writes to a stripe of its own, as long as there are no more threads than processors, and no more than
/// 64; beyond, some share one.
#[derive(Debug)]
pub(crate) struct Counters {
    stripes: Box<[Stripe]>,
    /// Exposures of the windows that are closed, by arm.
    closed: Mutex<[u64; 2]>,
}

// No two stripes share a line of the processor's cache; some processors fetch lines in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Stripe {
    arms: [Tally; 2],
    /// Evaluations that the trial has no part in, by [`Apart`].
    apart: [AtomicU64; 3],
}

/// Why the trial has no part in an evaluation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Apart {
    Ruled,
    Keyless,
    Failed,
}

#[derive(Debug)]
#[repr(align(128))]
struct Tally {
    successes: AtomicU64,
    errors: AtomicU64,
    latency: Histogram,
    /// One bit for every subject seen in this window; several subjects may have the same.
    seen: Box<[AtomicU64]>,
}

/// What the counters held at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) candidate: ArmReading,
    pub(crate) control: ArmReading,
}

/// What was counted of one arm up to one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct ArmReading {
    pub(crate) exposures: u64,
    pub(crate) successes: u64,
    pub(crate) errors: u64,
    pub(crate) latency: Counts,
}

impl ArmReading {
    /// What came in since there was `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            exposures: self.exposures.saturating_sub(earlier.exposures),
            successes: self.successes.saturating_sub(earlier.successes),
            errors: self.errors.saturating_sub(earlier.errors),
            latency: self.latency.since(&earlier.latency),
        }
    }

    pub(crate) fn outcomes(&self) -> u64 {
        self.successes + self.errors
    }
}

impl Counters {
    pub(crate) fn new() -> Self {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let stripes = threads.next_power_of_two().min(MOST_STRIPES);
        Self { stripes: (0..stripes).map(|_| Stripe::new()).collect(), closed: Mutex::default() }
    }

    /// A subject sees its variant.
    #[inline]
    pub(crate) fn expose(&self, arm: Arm, place: Place) {
        // The upper bits of a place say which cohort it is in; the lower ones are as good as drawn.
        let bit = place.hash() as usize % BITS;
        let Some(word) = self.tally(arm).seen.get(bit / 64) else { return };
        let mask = 1_u64 << (bit % 64);
        if word.load(Ordering::Relaxed) & mask == 0 {
            word.fetch_or(mask, Ordering::Relaxed);
        }
    }

    /// The trial has no part in an evaluation.
    #[inline]
    pub(crate) fn leave_out(&self, why: Apart) {
        if let Some(count) = self.stripe().apart.get(why as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Something came of what a subject saw.
    #[inline]
    pub(crate) fn record(&self, arm: Arm, recorded: Recorded) {
        let tally = self.tally(arm);
        let count = match recorded.outcome {
            Outcome::Success => &tally.successes,
            Outcome::Error => &tally.errors,
        };
        count.fetch_add(1, Ordering::Relaxed);
        if let Some(latency) = recorded.latency {
            tally.latency.record(nanos(latency));
        }
    }

    /// The evaluations that the trial had no part in.
    pub(crate) fn left_out(&self) -> LeftOut {
        let of = |why: Apart| {
            let counts = self.stripes.iter().filter_map(|stripe| stripe.apart.get(why as usize));
            counts.map(|count| count.load(Ordering::Relaxed)).sum()
        };
        LeftOut { ruled: of(Apart::Ruled), keyless: of(Apart::Keyless), failed: of(Apart::Failed) }
    }

    /// Whether any outcome was ever recorded.
    pub(crate) fn has_heard(&self) -> bool {
        let mut tallies = ARMS.into_iter().flat_map(|arm| self.tallies(arm));
        tallies.any(|tally| {
            tally.successes.load(Ordering::Relaxed) > 0 || tally.errors.load(Ordering::Relaxed) > 0
        })
    }

    /// What there is now. The window of exposures goes on.
    pub(crate) fn look(&self) -> Reading {
        let closed = self.closed();
        let exposures = ARMS.map(|arm| distinct(self.bits(arm, |word| word.load(Ordering::Relaxed))));
        self.reading([0, 1].map(|arm: usize| closed[arm] + exposures[arm]))
    }

    /// What there is now; whoever is seen from now on is counted once more.
    pub(crate) fn close_window(&self) -> Reading {
        let mut closed = self.closed();
        for (arm, total) in ARMS.into_iter().zip(closed.iter_mut()) {
            *total += distinct(self.bits(arm, |word| word.swap(0, Ordering::Relaxed)));
        }
        self.reading(*closed)
    }

    fn reading(&self, [candidate, control]: [u64; 2]) -> Reading {
        Reading {
            candidate: self.arm_reading(Arm::Candidate, candidate),
            control: self.arm_reading(Arm::Control, control),
        }
    }

    fn arm_reading(&self, arm: Arm, exposures: u64) -> ArmReading {
        let mut reading = ArmReading { exposures, ..ArmReading::default() };
        for tally in self.tallies(arm) {
            reading.successes += tally.successes.load(Ordering::Relaxed);
            reading.errors += tally.errors.load(Ordering::Relaxed);
            tally.latency.add_to(&mut reading.latency);
        }
        reading
    }

    /// The bits that are set in any stripe: a subject that several threads saw is still one.
    fn bits(&self, arm: Arm, take: impl Fn(&AtomicU64) -> u64) -> u32 {
        let of_word = |index: usize| {
            self.tallies(arm)
                .filter_map(|tally| tally.seen.get(index))
                .map(&take)
                .fold(0, |all, one| all | one)
        };
        (0..BITS / 64).map(|index| of_word(index).count_ones()).sum()
    }

    fn tallies(&self, arm: Arm) -> impl Iterator<Item = &Tally> {
        self.stripes.iter().map(move |stripe| stripe.of(arm))
    }

    #[inline]
    fn tally(&self, arm: Arm) -> &Tally {
        self.stripe().of(arm)
    }

    #[inline]
    fn stripe(&self) -> &Stripe {
        // There are as many stripes as a power of two, and at least one.
        &self.stripes[stripe() & (self.stripes.len() - 1)]
    }

    fn closed(&self) -> MutexGuard<'_, [u64; 2]> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stripe {
    fn new() -> Self {
        Self { arms: [Tally::new(), Tally::new()], apart: Default::default() }
    }

    #[inline]
    fn of(&self, arm: Arm) -> &Tally {
        let [candidate, control] = &self.arms;
        match arm {
            Arm::Candidate => candidate,
            Arm::Control => control,
        }
    }
}

impl Tally {
    fn new() -> Self {
        Self {
            successes: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            latency: Histogram::default(),
            seen: (0..BITS / 64).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

/// How many subjects it most likely were that set this many of [`BITS`] bits (linear counting, Whang et al. 1990).
fn distinct(set: u32) -> u64 {
    let bits = BITS as f64;
    // With every bit set there is no telling; as if half a bit were left.
    let clear = (bits - f64::from(set)).max(0.5);
    (bits * (bits / clear).ln()).round() as u64
}

fn nanos(latency: Duration) -> u64 {
    latency.as_nanos().try_into().unwrap_or(u64::MAX)
}

/// The number of this thread, drawn in turn.
#[inline]
fn stripe() -> usize {
    thread_local! {
        static OWN: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    OWN.with(|own| {
        if own.get() == usize::MAX {
            own.set(NEXT.fetch_add(1, Ordering::Relaxed) % usize::MAX);
        }
        own.get()
    })
}

const ARMS: [Arm; 2] = [Arm::Candidate, Arm::Control];
/// With as many subjects in a window as bits the count is off by 0.3 % (standard deviation), with eight times as many
/// by 3 %.
const BITS: usize = 1 << 16;
const MOST_STRIPES: usize = 64;

#[cfg(test)]
mod tests {
    use serinus_core::cohort::Salt;

    use super::*;

    #[test]
    fn subjects_are_counted_to_within_two_percent_and_anew_in_every_window() {
        let (counters, salt) = (Counters::new(), Salt::new("salt"));
        for subjects in [1, 10, 1_000, 60_000, 300_000_u64] {
            let before = counters.look().candidate.exposures;
            for _ in 0..2 {
                (0..subjects).for_each(|subject| {
                    counters.expose(Arm::Candidate, salt.place(format!("{subjects}-{subject}")));
                });
            }
            let seen = counters.look().candidate.exposures - before;
            assert!(seen.abs_diff(subjects) <= subjects / 50, "{seen} of {subjects}");
            let reading = counters.close_window();
            assert_eq!(reading.candidate.exposures - before, seen);
            assert_eq!(reading.control.exposures, 0);
        }
        assert_eq!(counters.close_window().candidate.exposures, counters.look().candidate.exposures);
    }

    #[test]
    fn a_full_window_is_not_endless() {
        assert!(distinct(BITS as u32) < 1_000_000);
        assert_eq!(distinct(0), 0);
    }
}
