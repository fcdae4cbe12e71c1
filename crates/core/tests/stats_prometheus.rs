//! Samples of Prometheus become counts, or are refused by name.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use serinus_core::stats::{
    Undefined,
    counters::{BucketCounts, ClassicHistogram, Counter, CounterError, NativeHistogram, increase, whole},
};

fn classic(buckets: &[(f64, f64)]) -> ClassicHistogram {
    ClassicHistogram::new(buckets.iter().copied()).unwrap()
}

fn native(schema: i8, positive: &[(i32, u64)]) -> NativeHistogram {
    NativeHistogram::new(schema, 0.0, 0, positive.iter().copied().collect(), BTreeMap::new()).unwrap()
}

#[test]
fn a_counter_that_goes_backwards_has_started_anew() {
    assert_eq!(increase(&[100.0, 110.0, 5.0, 15.0]), Ok((25.0, 1)));
    assert_eq!(increase(&[]), Ok((0.0, 0)));
    assert_eq!(increase(&[7.0]), Ok((0.0, 0)));
    let mut counter = Counter::begun();
    assert_eq!(counter.advance(3.0).unwrap().map(|increase| increase.amount), Some(3.0));
    // Restarted and already past its old value: only the creation time tells.
    assert_eq!(counter.restart(10.0).map(|increase| (increase.amount, increase.reset)), Ok((10.0, true)));
    assert_eq!(counter.advance(12.0).unwrap().map(|increase| increase.amount), Some(2.0));
}

#[test]
fn samples_that_no_counter_has_are_refused() {
    for sample in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
        let mut counter = Counter::begun();
        assert!(matches!(counter.advance(sample), Err(CounterError::NotACount { .. })), "{sample}");
        assert_eq!(counter, Counter::begun());
        assert!(matches!(increase(&[1.0, sample]), Err(CounterError::NotACount { .. })));
    }
    assert!(matches!(whole(2.5), Err(CounterError::Fractional { .. })));
    assert!(matches!(whole(1e20), Err(CounterError::TooMany { .. })));
    assert_eq!(whole(12.0), Ok(12));
}

#[test]
fn a_classic_histogram_gives_the_counts_between_two_samples() {
    let before = classic(&[(0.1, 10.0), (1.0, 15.0), (f64::INFINITY, 16.0)]);
    let after = classic(&[(f64::INFINITY, 30.0), (1.0, 25.0), (0.1, 18.0)]);
    let counts = after.since(&before).unwrap();
    assert_eq!((counts.edges(), counts.counts()), (&[0.1, 1.0][..], &[8, 2, 4][..]));
    // Any bucket that shrank: everything since is new.
    let restarted = classic(&[(0.1, 2.0), (1.0, 20.0), (f64::INFINITY, 40.0)]);
    assert_eq!(restarted.since(&after).unwrap().counts(), &[2, 18, 20]);
    assert_eq!(after.since(&after).unwrap().counts(), &[0, 0, 0]);
}

#[test]
fn buckets_that_changed_between_scrapes_are_refused() {
    let before = classic(&[(0.1, 10.0), (f64::INFINITY, 16.0)]);
    let finer = classic(&[(0.1, 10.0), (0.5, 12.0), (f64::INFINITY, 16.0)]);
    let moved = classic(&[(0.2, 10.0), (f64::INFINITY, 16.0)]);
    assert!(matches!(finer.since(&before), Err(CounterError::BucketsChanged { before: 2, after: 3 })));
    assert!(matches!(moved.since(&before), Err(CounterError::BucketsChanged { .. })));
    assert!(matches!(ClassicHistogram::new([(0.1, 5.0)]), Err(CounterError::NoInfiniteBucket)));
    assert!(matches!(ClassicHistogram::new([]), Err(CounterError::NoInfiniteBucket)));
    let nan = ClassicHistogram::new([(f64::NAN, 5.0), (f64::INFINITY, 5.0)]);
    assert!(matches!(nan, Err(CounterError::BadShape { .. })));
    let fractional = classic(&[(0.1, 10.5), (f64::INFINITY, 16.0)]);
    assert!(matches!(fractional.since(&before), Err(CounterError::Fractional { .. })));
}

#[test]
fn a_quantile_above_the_last_bound_is_censored() {
    let histogram = classic(&[(1.0, 90.0), (10.0, 95.0), (f64::INFINITY, 100.0)]);
    let high = histogram.quantile(0.99).unwrap();
    assert!(high.censored && high.value == 10.0);
    assert!(!histogram.quantile(0.5).unwrap().censored);
    assert!(matches!(histogram.quantile(1.5), Err(Undefined::OutOfRange { .. })));
    assert!(matches!(histogram.quantile(f64::NAN), Err(Undefined::OutOfRange { .. })));
    let empty = classic(&[(1.0, 0.0), (f64::INFINITY, 0.0)]);
    assert!(matches!(empty.quantile(0.5), Err(Undefined::NoInformation { .. })));
    assert!(matches!(classic(&[(f64::INFINITY, 5.0)]).quantile(0.5), Err(Undefined::TooFew { .. })));
}

#[test]
fn histograms_compare_over_the_edges_they_share() {
    let fine = BucketCounts::new(vec![0.1, 0.5, 1.0], vec![1, 2, 3, 4]).unwrap();
    let other = BucketCounts::new(vec![0.1, 0.7, 1.0], vec![5, 6, 7, 8]).unwrap();
    let shared = fine.common_edges(&other);
    assert_eq!(shared, [0.1, 1.0]);
    assert_eq!(fine.over(&shared).unwrap().counts(), &[1, 5, 4]);
    assert_eq!(other.over(&shared).unwrap().counts(), &[5, 13, 8]);
    assert!(matches!(fine.over(&[0.7]), Err(CounterError::NoSuchEdge { .. })));
    let mut sum = fine.clone();
    assert!(matches!(sum.add(&other), Err(CounterError::BucketsChanged { .. })));
    sum.add(&fine).unwrap();
    assert_eq!(sum.counts(), &[2, 4, 6, 8]);
    let huge = BucketCounts::new(vec![], vec![u64::MAX]).unwrap();
    assert!(matches!(huge.clone().add(&huge), Err(CounterError::TooMany { .. })));
    assert!(BucketCounts::new(vec![1.0, 1.0], vec![0; 3]).is_err());
    assert!(BucketCounts::new(vec![1.0], vec![0]).is_err());
}

#[test]
fn native_histograms_are_made_alike_before_they_are_compared() {
    // Schema 1: (1, √2], (√2, 2], (2, 2√2], (2√2, 4]. Schema 0: (1, 2], (2, 4].
    let fine = native(1, &[(1, 1), (2, 2), (3, 3), (4, 4)]);
    let coarse = fine.coarsened(0).unwrap();
    assert_eq!(coarse, native(0, &[(1, 3), (2, 7)]));
    assert!(fine.coarsened(2).is_err());
    let later = native(0, &[(1, 5), (2, 7), (3, 1)]);
    assert_eq!(later.since(&fine).unwrap(), native(0, &[(1, 2), (3, 1)]));
    // A finer schema, or a bucket that shrank: a restart.
    assert_eq!(fine.since(&later).unwrap(), fine);
    let shrunk = native(0, &[(1, 4), (2, 9)]);
    assert_eq!(shrunk.since(&later).unwrap(), shrunk);
}

#[test]
fn a_zero_bucket_that_grew_swallows_what_it_covers() {
    let before = native(0, &[(-3, 2), (1, 5)]);
    let wide = before.with_zero_threshold(0.1).unwrap();
    let after = NativeHistogram::new(0, 0.125, 4, BTreeMap::from([(1, 6)]), BTreeMap::new()).unwrap();
    assert_eq!(wide.with_zero_threshold(0.125).unwrap().total(), 7);
    let delta = after.since(&before).unwrap();
    assert_eq!(delta.total(), 3);
    assert_eq!(delta.bucket_counts().unwrap().counts(), &[2, 0, 1, 0]);
}

#[test]
fn observations_of_nan_count_and_stand_in_no_bucket() {
    let histogram = native(0, &[(1, 6)]).with_total(10).unwrap();
    assert!(histogram.quantile(0.5).unwrap().value <= 2.0);
    assert!(matches!(histogram.quantile(0.9), Err(Undefined::NoInformation { .. })));
    assert!(native(0, &[(1, 6)]).with_total(5).is_err());
    assert!(matches!(native(0, &[]).quantile(0.5), Err(Undefined::NoInformation { .. })));
    assert!(NativeHistogram::new(9, 0.0, 0, BTreeMap::new(), BTreeMap::new()).is_err());
    assert!(NativeHistogram::new(0, f64::NAN, 0, BTreeMap::new(), BTreeMap::new()).is_err());
}

#[test]
fn buckets_beyond_all_numbers_hold_infinity() {
    let extreme = native(-4, &[(i32::MAX, 1), (64, 2), (i32::MIN, 4)]);
    assert_eq!(extreme.quantile(0.3).unwrap().value, 0.0);
    assert_eq!(extreme.quantile(1.0).unwrap().value, f64::INFINITY);
    let counts = extreme.bucket_counts().unwrap();
    assert_eq!(counts.edges(), [0.0, 2_f64.powi(1008), f64::MAX]);
    assert_eq!(counts.counts(), [4, 0, 2, 1]);
}
