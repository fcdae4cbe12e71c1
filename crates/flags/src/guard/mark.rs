//! What is remembered of the end of a window.

use serinus_core::metric::{ArmCounts, Counts, Number};

use super::{
    Rate,
    counters::{ArmReading, Reading},
};

/// What the counters held when a window ended, of both arms. There are two thousand of them after some hours, so it has
/// only what a comparison gets to see: of latencies the counts at the edges that are shown, and of those only the ones
/// between the shortest and the longest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mark {
    pub(super) candidate: ArmMark,
    pub(super) control: ArmMark,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ArmMark {
    exposures: u64,
    outcomes: u64,
    errors: u64,
    latency: Below,
}

/// How many latencies were at or below each edge that is shown.
#[derive(Clone, Debug, Default)]
struct Below {
    /// How many edges have nothing at or below them.
    empty: usize,
    /// From the first edge with anything to the last with more than the one before.
    counts: Box<[u64]>,
    total: u64,
}

impl From<&Reading> for Mark {
    fn from(reading: &Reading) -> Self {
        Self { candidate: ArmMark::from(&reading.candidate), control: ArmMark::from(&reading.control) }
    }
}

impl From<&ArmReading> for ArmMark {
    fn from(reading: &ArmReading) -> Self {
        let latency = Below::from(&reading.latency);
        Self { exposures: reading.exposures, outcomes: reading.outcomes(), errors: reading.errors, latency }
    }
}

impl ArmMark {
    /// What came in since there was `earlier`.
    pub(super) fn since(&self, earlier: &Self, rate: Rate) -> ArmCounts {
        let requests = match rate {
            Rate::PerOutcome => self.outcomes.saturating_sub(earlier.outcomes),
            Rate::PerExposure => self.exposures.saturating_sub(earlier.exposures),
        };
        let failures = self.errors.saturating_sub(earlier.errors).min(requests);
        ArmCounts { requests, failures, latency: self.latency.since(&earlier.latency) }
    }
}

impl From<&Counts> for Below {
    fn from(counts: &Counts) -> Self {
        let all: Vec<_> = counts.cumulative().map(|(_, count)| count).collect();
        let empty = all.iter().take_while(|count| **count == 0).count();
        let last = all.last().copied().unwrap_or(0);
        let end = all.iter().position(|count| *count == last).map_or(all.len(), |place| place + 1);
        let counts_shown = all.get(empty..end).unwrap_or_default().into();
        Self { empty, counts: counts_shown, total: counts.total() }
    }
}

impl Below {
    fn at(&self, edge: usize) -> u64 {
        match edge.checked_sub(self.empty) {
            None => 0,
            Some(place) => self.counts.get(place).or(self.counts.last()).copied().unwrap_or(0),
        }
    }

    /// Empty if there was none.
    fn since(&self, earlier: &Self) -> Vec<(Number, u64)> {
        let total = self.total.saturating_sub(earlier.total);
        if total == 0 {
            return Vec::new();
        }
        let mut edges = Counts::default().edges();
        let last = edges.len().saturating_sub(1);
        for (place, (_, count)) in edges.iter_mut().enumerate() {
            let of = |below: &Self| if place == last { below.total } else { below.at(place) };
            *count = of(self).saturating_sub(of(earlier));
        }
        edges
    }
}

#[cfg(test)]
mod tests {
    use serinus_core::metric::Histogram;

    use super::*;

    #[test]
    fn nothing_that_a_comparison_gets_to_see_is_lost() {
        let histogram = Histogram::default();
        let now = || {
            let mut counts = Counts::default();
            histogram.add_to(&mut counts);
            counts
        };
        let (mut before, mut state) = (now(), 1_u64);
        for round in 0..40_u32 {
            for _ in 0..round {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                histogram.record(1 << ((state >> 33) % 45));
            }
            let after = now();
            let between = Below::from(&after).since(&Below::from(&before));
            let exact = after.since(&before);
            assert_eq!(between, if exact.total() == 0 { Vec::new() } else { exact.edges() }, "{round}");
            before = after;
        }
    }
}
