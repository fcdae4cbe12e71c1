//! What a condition costs, and what a run costs while nothing is due.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot set itself up has nothing to measure")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use serinus_core::{
    analysis::{Analysis, Condition, Judge, Metric, run::Run},
    metric::{Query, Sample},
    time::{GoDuration, Timestamp},
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

criterion_group!(benches, conditions, idle_runs);
criterion_main!(benches);
