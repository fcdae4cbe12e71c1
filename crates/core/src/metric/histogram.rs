//! A histogram of latencies that any number of threads write at once without a lock.

use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
};

use super::Number;

/// Latencies in buckets whose width is a sixteenth of their size.
///
/// A quantile read from it is off by at most 1/32 (3.2 %) from 1 µs to 1 000 s, and by at most 32 ns below. Longer
/// latencies count as 1 073 s.
///
/// ```
/// use serinus_core::metric::{Counts, Histogram};
///
/// let histogram = Histogram::default();
/// for millis in 1..=100 {
///     histogram.record(millis * 1_000_000);
/// }
/// let mut counts = Counts::default();
/// histogram.add_to(&mut counts);
/// let median = counts.quantile(0.5).unwrap_or_default();
/// assert!((median - 50e6).abs() < 50e6 / 31.0);
/// ```
#[derive(Debug)]
pub struct Histogram {
    buckets: Box<[AtomicU64]>,
    sum_nanos: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(), sum_nanos: AtomicU64::new(0) }
    }
}

impl Histogram {
    /// Counts a latency in nanoseconds.
    pub fn record(&self, nanos: u64) {
        if let Some(bucket) = self.buckets.get(bucket_of(nanos)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Adds what it holds now. Written to at the same time, it holds some of that.
    pub fn add_to(&self, counts: &mut Counts) {
        let holds = |bucket: &AtomicU64| bucket.load(Ordering::Relaxed) > 0;
        if let Some(first) = self.buckets.iter().position(holds) {
            let end = self.buckets.iter().rposition(holds).map_or(first, |last| last + 1);
            counts.widen(first..end);
            let start = first - counts.first;
            for (sum, bucket) in counts.buckets[start..].iter_mut().zip(&self.buckets[first..end]) {
                *sum += bucket.load(Ordering::Relaxed);
            }
        }
        counts.sum_nanos = counts.sum_nanos.wrapping_add(self.sum_nanos.load(Ordering::Relaxed));
    }
}

/// What histograms held at one moment. It is as large as the latencies are far apart: of what lies below the shortest
/// and above the longest nothing is kept.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// The bucket that the first count is of.
    first: usize,
    buckets: Vec<u64>,
    sum_nanos: u64,
}

impl Counts {
    /// How many latencies there are.
    pub fn total(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// All of them together, in seconds.
    pub fn sum_seconds(&self) -> f64 {
        self.sum_nanos as f64 / 1e9
    }

    /// The buckets that are not empty: what is worth keeping.
    pub fn to_sparse(&self) -> Vec<(u16, u64)> {
        let buckets = (self.first..).zip(&self.buckets).filter(|(_, count)| **count > 0);
        buckets.filter_map(|(bucket, count)| Some((u16::try_from(bucket).ok()?, *count))).collect()
    }

    /// Takes away what was there earlier.
    pub fn subtract(&mut self, earlier: &[(u16, u64)]) {
        for (index, count) in earlier {
            let place = usize::from(*index).checked_sub(self.first);
            if let Some(bucket) = place.and_then(|place| self.buckets.get_mut(place)) {
                *bucket = bucket.saturating_sub(*count);
            }
        }
    }

    /// What came in since there was `earlier`.
    #[must_use = "the difference is the value returned"]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |bucket: usize| {
            let place = bucket.checked_sub(earlier.first)?;
            earlier.buckets.get(place)
        };
        let buckets = (self.first..).zip(&self.buckets);
        Self {
            first: self.first,
            buckets: buckets
                .map(|(bucket, now)| now.saturating_sub(before(bucket).copied().unwrap_or(0)))
                .collect(),
            sum_nanos: self.sum_nanos.wrapping_sub(earlier.sum_nanos),
        }
    }

    /// Makes room for counts of these buckets.
    fn widen(&mut self, to: Range<usize>) {
        if self.buckets.is_empty() {
            self.first = to.start;
        }
        if let Some(before) = self.first.checked_sub(to.start).filter(|before| *before > 0) {
            self.buckets.splice(..0, (0..before).map(|_| 0));
            self.first = to.start;
        }
        let length = to.end.saturating_sub(self.first).max(self.buckets.len());
        self.buckets.resize(length, 0);
    }

    /// The counts at the edges that are shown to the outside, in seconds, and of all.
    pub fn edges(&self) -> Vec<(Number, u64)> {
        let shown = self.cumulative().map(|(edge, count)| (Number::new(edge), count));
        shown.chain([(Number::new(f64::INFINITY), self.total())]).collect()
    }

    /// The latency in nanoseconds that this share (`0.0..=1.0`) of the requests did not exceed; none without any.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let total = self.total();
        if total == 0 {
            return None;
        }
        let rank = ((share.clamp(0.0, 1.0) * total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let place = self.buckets.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        let index = self.first + place;
        Some((upper_bound(index) + index.checked_sub(1).map_or(0.0, upper_bound)) / 2.0)
    }

    /// How many latencies there are at or below each of [`Counts::edges`], in the same order.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let mut buckets = (self.first..).zip(&self.buckets).peekable();
        let mut sum = 0;
        edges().map(move |(seconds, last)| {
            while let Some((_, count)) = buckets.next_if(|(bucket, _)| *bucket <= last) {
                sum += count;
            }
            (seconds, sum)
        })
    }
}

// Counts are equal if they say the same, however much room they take.
impl PartialEq for Counts {
    fn eq(&self, other: &Self) -> bool {
        self.sum_nanos == other.sum_nanos && self.to_sparse() == other.to_sparse()
    }
}

impl Eq for Counts {}

/// The edges that are shown to the outside, in seconds, each with the last bucket at or below it: 2^k and 1.5 x 2^k
/// microseconds. They are edges of buckets, so that the counts between them are exact.
fn edges() -> impl Iterator<Item = (f64, usize)> {
    (FIRST_EDGE..LAST_EDGE).flat_map(|octave| {
        let start = octave * PER_OCTAVE + PER_OCTAVE - 1;
        [start, start + PER_OCTAVE / 2].map(|last| (upper_bound(last) / 1e9, last))
    })
}

/// The bucket of a latency; a latency on an edge lies below it.
fn bucket_of(nanos: u64) -> usize {
    // In sixteenths of a microsecond, counted from zero.
    let units = nanos.saturating_mul(PER_OCTAVE as u64).div_ceil(1000).saturating_sub(1);
    if units < PER_OCTAVE as u64 {
        return units as usize;
    }
    let octave = (units.ilog2() - PER_OCTAVE.ilog2()) as usize;
    // The leading bit is always set; what follows it is the place within the octave.
    let index = (octave + 1) * PER_OCTAVE + (units >> octave) as usize - PER_OCTAVE;
    index.min(BUCKETS - 1)
}

/// The longest latency in a bucket, in nanoseconds.
fn upper_bound(index: usize) -> f64 {
    let (octave, place) = (index / PER_OCTAVE, index % PER_OCTAVE);
    let units = match octave.checked_sub(1) {
        None => (place + 1) as f64,
        Some(shift) => ((PER_OCTAVE + place + 1) as f64) * (1_u64 << shift) as f64,
    };
    units * 1000.0 / PER_OCTAVE as f64
}

/// Buckets in each doubling.
const PER_OCTAVE: usize = 16;
/// Up to 1 µs linearly, then 30 doublings: to 1 073 s.
const BUCKETS: usize = PER_OCTAVE * 31;
/// Shown from 64 µs ...
const FIRST_EDGE: usize = 6;
/// ... to 50 s.
const LAST_EDGE: usize = 26;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_follow_one_another_without_gaps() {
        for index in 0..BUCKETS - 1 {
            let edge = upper_bound(index);
            assert_eq!(bucket_of(edge as u64), index, "{edge}");
            assert_eq!(bucket_of(edge as u64 + 1), index + 1, "{edge}");
        }
        assert_eq!(bucket_of(0), 0);
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn edges_shown_are_exact_and_cumulative() {
        let histogram = Histogram::default();
        for nanos in [64_000, 64_001, 1_024_000, 1_024_001, 100_000_000_000] {
            histogram.record(nanos);
        }
        let mut counts = Counts::default();
        histogram.add_to(&mut counts);
        let shown: Vec<_> = counts.cumulative().collect();
        let at = |seconds: f64| shown.iter().find(|(edge, _)| *edge == seconds).map(|(_, count)| *count);
        assert_eq!(shown[0], (0.000_064, 1));
        assert_eq!(at(0.000_096), Some(2));
        assert_eq!(at(0.001_024), Some(3));
        assert_eq!(at(0.001_536), Some(4));
        assert_eq!(shown.last().map(|(_, count)| *count), Some(4));
        assert_eq!(counts.total(), 5);
    }

    fn counts_of(latencies: &[u64]) -> Counts {
        let histogram = Histogram::default();
        latencies.iter().for_each(|nanos| histogram.record(*nanos));
        let mut counts = Counts::default();
        histogram.add_to(&mut counts);
        counts
    }

    #[test]
    fn counts_are_as_large_as_latencies_are_far_apart() {
        assert!(counts_of(&[]).buckets.is_empty());
        assert_eq!(counts_of(&[5_000_000, 5_000_001]).buckets, [2]);
        let within_ten_times = counts_of(&[2_000_000, 20_000_000]);
        assert!(within_ten_times.buckets.len() < 60, "{}", within_ten_times.buckets.len());
    }

    proptest! {
        #[test]
        fn counts_add_and_subtract_as_if_every_bucket_were_kept(
            first in proptest::collection::vec((0.0_f64..12.5).prop_map(|power| 10_f64.powf(power) as u64), 0..20),
            second in proptest::collection::vec((0.0_f64..12.5).prop_map(|power| 10_f64.powf(power) as u64), 0..20),
        ) {
            let all: Vec<_> = first.iter().chain(&second).copied().collect();
            let (first, second, all) = (counts_of(&first), counts_of(&second), counts_of(&all));
            prop_assert_eq!(&all.since(&first), &second);
            prop_assert_eq!(&all.since(&second), &first);
            prop_assert_eq!(all.since(&all).total(), 0);
            let mut rest = all.clone();
            rest.subtract(&first.to_sparse());
            prop_assert_eq!(rest.to_sparse(), second.to_sparse());
            for (edge, (both, one)) in all.edges().into_iter().zip(first.edges().into_iter().zip(second.edges())) {
                prop_assert_eq!(edge.1, both.1 + one.1);
            }
        }

        #[test]
        fn a_quantile_is_within_a_thirty_second(
            mut latencies in proptest::collection::vec((0.0_f64..12.0).prop_map(|power| 10_f64.powf(power) as u64), 1..300),
            share in 0.0_f64..=1.0,
        ) {
            let histogram = Histogram::default();
            for nanos in &latencies {
                histogram.record(*nanos);
            }
            let mut counts = Counts::default();
            histogram.add_to(&mut counts);
            prop_assert_eq!(counts.total(), latencies.len() as u64);
            latencies.sort_unstable();
            let rank = ((share * latencies.len() as f64).ceil() as usize).max(1);
            let exact = latencies[rank - 1] as f64;
            let read = counts.quantile(share).unwrap();
            prop_assert!((read - exact).abs() <= (exact / 31.0).max(33.0), "{read} for {exact}");
        }
    }
}
