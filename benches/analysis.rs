//! What a condition costs, and what a run costs while nothing is due.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot set itself up has nothing to measure")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use serinus_core::{
    analysis::{
        Analysis, Condition, Judge, Metric,
        run::{Reading, Run},
    },
    metric::{ArmCounts, Arms, Number, Query, Sample},
    time::{GoDuration, Timestamp},
    traffic::Weight,
};

fn conditions(criterion: &mut Criterion) {
    let sample = Sample::List(vec![Sample::number(0.99)]);
    for text in ["result[0] >= 0.95", "isNaN(result[0]) || result[0] < 0.05"] {
        let condition: Condition = text.parse().unwrap();
        criterion.bench_function(&format!("condition {text}"), |bencher| {
            bencher.iter(|| condition.holds(black_box(&sample)));
        });
    }
}

fn idle_runs(criterion: &mut Criterion) {
    let judge = Judge::Range { min: None, max: None };
    let metric = Metric {
        interval: Some(GoDuration::from_secs(60)),
        initial_delay: GoDuration::from_secs(60),
        ..Metric::new("rate", Query::new("bench", "none"), judge)
    };
    let analysis = Analysis { name: "bench".to_owned(), metrics: vec![metric], rounds: None };
    let start = Timestamp::UNIX_EPOCH;
    let mut runs: Vec<Run> = (0..10_000).map(|_| Run::begin(&analysis, start)).collect();
    let now = GoDuration::from_secs(30).after(start);
    criterion.bench_function("10000 runs with nothing due", |bencher| {
        bencher.iter(|| {
            for run in &mut runs {
                run.expire(&analysis, now);
                run.start_due(&analysis, now);
                black_box(run.wake(&analysis));
            }
        });
    });
}

/// One window of ten thousand analyses that compare failures and latency: every 15 seconds, so that 150 ms are 1 % of a
/// core.
fn comparing_runs(criterion: &mut Criterion) {
    let analysis = Analysis::comparison("bench").without_end();
    let mut now = Timestamp::UNIX_EPOCH;
    let mut runs: Vec<Run> = (0..10_000).map(|_| Run::begin(&analysis, now)).collect();
    let arm = |requests: u64| ArmCounts {
        requests,
        failures: requests / 100,
        latency: (0..14_u32)
            .map(|edge| (Number::new(f64::from(edge + 1) / 10.0), requests - (requests >> (edge + 1))))
            .chain([(Number::new(f64::INFINITY), requests)])
            .collect(),
    };
    let answer = Sample::from(Arms { stable: arm(1_350), candidate: arm(150), control: None });
    for run in &mut runs {
        run.open_windows(&analysis, Weight::percent(10.0), now);
    }
    let mut windows = criterion.benchmark_group("comparisons");
    windows.sample_size(10);
    windows.bench_function("a window of 10000 analyses", |bencher| {
        bencher.iter(|| {
            now = GoDuration::from_secs(16).after(now);
            for run in &mut runs {
                run.start_due(&analysis, now);
                let asked: Vec<_> = run.open().collect();
                for open in asked {
                    let reading = Reading::Answer(answer.clone());
                    black_box(run.record(&analysis, open.metric, open.ordinal, reading, now));
                }
            }
        });
    });
    windows.finish();
    assert!(runs.iter().all(|run| !run.is_over()), "a run is over and measures nothing");
}

criterion_group!(benches, conditions, idle_runs, comparing_runs);
criterion_main!(benches);
