//! Tests of one fixed sample: the costs that are claimed, each beside what it is measured against.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use serinus_core::stats::{
    Side,
    contingency::{Table, fisher_exact},
    group_sequential::{Boundary, Spending},
    means::{Moments, welch_t},
    ranks::{kolmogorov_smirnov, mann_whitney, mann_whitney_of_histograms, shift},
};

/// Under three times the cost of sorting the two samples.
fn ranks(criterion: &mut Criterion) {
    let (control, candidate) = (sample(1, 1_000_000), sample(2, 1_000_000));
    let mut group = criterion.benchmark_group("ranks of 1e6 against 1e6");
    group.sample_size(10);
    let sort = |(mut control, mut candidate): (Vec<f64>, Vec<f64>)| {
        control.sort_unstable_by(f64::total_cmp);
        candidate.sort_unstable_by(f64::total_cmp);
        (control, candidate)
    };
    group.bench_function("two sorts", |bencher| {
        bencher.iter_batched(|| (control.clone(), candidate.clone()), sort, BatchSize::LargeInput);
    });
    group.bench_function("mann_whitney", |bencher| {
        bencher.iter(|| mann_whitney(black_box(&control), black_box(&candidate)));
    });
    group.bench_function("kolmogorov_smirnov", |bencher| {
        bencher.iter(|| kolmogorov_smirnov(black_box(&control), black_box(&candidate)));
    });
    group.finish();
    let (control, candidate) = (sample(3, 2_000), sample(4, 2_000));
    criterion.bench_function("shift of 2000 against 2000, with interval", |bencher| {
        bencher.iter(|| {
            shift(black_box(&control), black_box(&candidate)).and_then(|shift| shift.interval(0.05))
        });
    });
    let buckets = [5, 40, 300, 2_000, 9_000, 20_000, 21_000, 8_000, 1_500, 300, 40, 2];
    criterion.bench_function("mann_whitney_of_histograms, 12 buckets", |bencher| {
        bencher.iter(|| mann_whitney_of_histograms(black_box(&buckets), black_box(&buckets)));
    });
}

/// Under a millisecond.
fn tables(criterion: &mut Criterion) {
    let table = Table::new([100_020_000, 99_980_000], [100_000_000, 100_000_000]);
    criterion.bench_function("fisher_exact on counts of 1e8", |bencher| {
        bencher.iter(|| fisher_exact(black_box(&table)));
    });
    let control = Moments::from_summary(1_000_000, 100.0, 15.0);
    let candidate = Moments::from_summary(1_000_000, 100.1, 15.0);
    if let (Ok(control), Ok(candidate)) = (control, candidate) {
        criterion.bench_function("welch_t with its p-value", |bencher| {
            bencher.iter(|| welch_t(black_box(&control), &candidate).map(|effect| effect.p_two_sided()));
        });
    }
    let looks: Vec<f64> = (1..=60).map(|look| f64::from(look) / 60.0).collect();
    let boundary = Boundary::new(0.05, Spending::OBrienFleming, Side::Greater);
    if let Ok(boundary) = boundary {
        let mut group = criterion.benchmark_group("group_sequential");
        group.sample_size(10);
        group.bench_function("60 looks", |bencher| bencher.iter(|| boundary.bounds(black_box(&looks))));
        group.finish();
    }
}

/// Uniform numbers from a linear congruential generator.
fn sample(seed: u32, count: usize) -> Vec<f64> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state)
    };
    std::iter::repeat_with(next).take(count).collect()
}

criterion_group!(benches, ranks, tables);
criterion_main!(benches);
