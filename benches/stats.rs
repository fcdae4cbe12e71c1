//! What evidence costs: a window of a counter, a window of a latency histogram, a window of a split; and the tests of
//! one fixed sample, the rank test beside the sorting of the same two samples.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use serinus_core::stats::{
    Side,
    contingency::{Table, fisher_exact},
    exceedance::{BucketWindow, ExceedanceHistogram},
    grid::{Arm, CounterGrid, RateRatio, RatioGrid, Window},
    group_sequential::{Boundary, Spending},
    means::{Moments, welch_t},
    ranks::{kolmogorov_smirnov, mann_whitney, mann_whitney_of_histograms, shift},
    sample_ratio::SampleRatio,
};

fn evidence(criterion: &mut Criterion) {
    let Ok(grid) = RatioGrid::harm(1.1) else { return };
    // Fresh evidence each time: old evidence is cheaper, as most ratios are out of the question by then.
    let mut group = criterion.benchmark_group("a rollout of 64 windows");
    group.throughput(Throughput::Elements(64));
    let counter = CounterGrid::new(grid.clone());
    group.bench_function("grid e-process (bar: 19.2 us, 300 ns a window)", |bencher| {
        let rollout = |mut counter: CounterGrid| {
            for id in 0..64 {
                let (control, candidate) = (Arm::new(900 + id % 7, 9), Arm::new(100, id % 3));
                let _ = black_box(counter.observe(black_box(&Window { id, control, candidate })));
            }
            counter
        };
        bencher.iter_batched(|| counter.clone(), rollout, BatchSize::SmallInput);
    });

    let edges = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
    let Ok(latency) = ExceedanceHistogram::new(grid, &edges) else { return };
    let control = [0, 3, 90, 700, 2000, 1800, 300, 80, 20, 5, 2, 1, 1];
    let candidate = [0, 0, 9, 65, 210, 190, 33, 9, 2, 1, 1, 0, 0];
    group.bench_function("latency over twelve edges (bar: 320 us, 5 us a window)", |bencher| {
        let rollout = |mut latency: ExceedanceHistogram| {
            for id in 0..64 {
                let window =
                    BucketWindow { id, control: black_box(&control), candidate: black_box(&candidate) };
                let _ = black_box(latency.observe(&window));
            }
            latency
        };
        bencher.iter_batched(|| latency.clone(), rollout, BatchSize::SmallInput);
    });
    group.finish();

    let mut ratio = RateRatio::new();
    let mut id = 0;
    criterion.bench_function("rate ratio with interval, one window", |bencher| {
        bencher.iter(|| {
            id += 1;
            let (control, candidate) = (Arm::new(9000, 90), Arm::new(1000, 9 + id % 5));
            let observed = ratio.observe(&Window { id, control, candidate });
            black_box((observed, ratio.interval(0.05)))
        });
    });

    let Ok(mut split) = SampleRatio::new(&[0.9, 0.1], 100.0) else { return };
    let mut id = 0;
    criterion.bench_function("sample ratio, one batch", |bencher| {
        bencher.iter(|| {
            id += 1;
            black_box(split.observe(id, black_box(&[900 + id % 3, 100])))
        });
    });
}

fn tables(criterion: &mut Criterion) {
    let table = Table::new([100_000_000, 900_000_000], [100_010_000, 899_990_000]);
    criterion.bench_function("Fisher on counts of 1e8 (bar: 1 ms)", |bencher| {
        bencher.iter(|| black_box(fisher_exact(black_box(&table))));
    });
    let moments = |mean| Moments::from_summary(1_000_000, mean, 15.0);
    if let (Ok(control), Ok(candidate)) = (moments(100.0), moments(100.1)) {
        criterion.bench_function("Welch's t with its p-value", |bencher| {
            bencher.iter(|| welch_t(black_box(&control), &candidate).map(|effect| effect.p_two_sided()));
        });
    }
    let looks: Vec<f64> = (1..=60).map(|look| f64::from(look) / 60.0).collect();
    if let Ok(boundary) = Boundary::new(0.05, Spending::OBrienFleming, Side::Greater) {
        let mut group = criterion.benchmark_group("group sequential");
        group.sample_size(10);
        group.bench_function("bounds of 60 looks", |bencher| {
            bencher.iter(|| boundary.bounds(black_box(&looks)));
        });
        group.finish();
    }
}

fn samples(criterion: &mut Criterion) {
    let (first, second) = (sample(1, 1_000_000), sample(2, 1_000_000));
    let mut group = criterion.benchmark_group("a million against a million");
    group.sample_size(10);
    let sort = |(mut first, mut second): (Vec<f64>, Vec<f64>)| {
        first.sort_unstable_by(f64::total_cmp);
        second.sort_unstable_by(f64::total_cmp);
        (first, second)
    };
    group.bench_function("sorting both", |bencher| {
        bencher.iter_batched(|| (first.clone(), second.clone()), sort, BatchSize::LargeInput);
    });
    group.bench_function("Mann-Whitney (bar: three times the sorting)", |bencher| {
        bencher.iter(|| black_box(mann_whitney(black_box(&first), black_box(&second))));
    });
    group.bench_function("Kolmogorov-Smirnov", |bencher| {
        bencher.iter(|| black_box(kolmogorov_smirnov(black_box(&first), black_box(&second))));
    });
    group.finish();
    let (first, second) = (sample(3, 2000), sample(4, 2000));
    criterion.bench_function("Hodges-Lehmann with interval, 2000 against 2000", |bencher| {
        bencher.iter(|| shift(black_box(&first), black_box(&second)).and_then(|shift| shift.interval(0.05)));
    });
    let buckets = [5, 40, 300, 2000, 9000, 20_000, 21_000, 8000, 1500, 300, 40, 2];
    criterion.bench_function("Mann-Whitney of histograms, 12 buckets", |bencher| {
        bencher.iter(|| mann_whitney_of_histograms(black_box(&buckets), black_box(&buckets)));
    });
}

/// Uniform numbers from a linear congruential generator.
fn sample(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64
    };
    std::iter::repeat_with(next).take(count).collect()
}

criterion_group!(benches, evidence, tables, samples);
criterion_main!(benches);
