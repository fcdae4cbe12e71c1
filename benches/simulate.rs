//! What simulated rollouts cost.
//!
//! Bar: ten thousand rollouts of sixty looks of the default plan, in under ten seconds on two cores.

#![expect(clippy::expect_used, reason = "a benchmark")]

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serinus_core::{
    simulate::{Contestant, Ladder, Study, World, rival::Rival},
    time::GoDuration,
};

/// Rollouts that take all of their sixty looks: nothing ever fails, and the threshold is far away.
fn ten_thousand(criterion: &mut Criterion) {
    let ladder = Ladder::default();
    let plan = ladder.argo_thresholds(50.0, 2).expect("the plan of the benchmark is valid");
    let rival = Rival::GrowthBook { alpha: 0.05, tuning: 5000.0 };
    // Sixty looks at the interval at which a canary looks where nothing else is said.
    let quarter = Ladder { interval: GoDuration::from_secs(15), ..Ladder::default() };
    let default = quarter.plan().expect("the default plan is valid");
    let looks = !default.spec().analyses.is_empty();
    let default = looks.then(|| Contestant::plan("default", default));
    let mut group = criterion.benchmark_group("simulate");
    group.sample_size(10).measurement_time(Duration::from_secs(20));
    let thresholds = Contestant::plan("thresholds", plan);
    let others = [
        ("10 000 rollouts of 60 looks, thresholds", 10_000, thresholds),
        ("1 000 rollouts of 60 looks, GrowthBook", 1_000, Contestant::rival("GrowthBook", rival, ladder)),
    ];
    let default = default.map(|default| ("10 000 rollouts of 60 looks, the default plan", 10_000, default));
    for (name, rollouts, contestant) in default.into_iter().chain(others) {
        let contestants = [contestant];
        let study = Study { effects: vec![1.0], rollouts, ..Study::of(World::default()) };
        group.throughput(Throughput::Elements(rollouts));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let report = study.run(&contestants, &|_| {}).expect("the world of the benchmark is valid");
                let cell = &report.strategies[0].cells[0];
                assert!(cell.looks > 58.0, "too few looks: {}", cell.looks);
                report
            });
        });
    }
}

criterion_group!(benches, ten_thousand);
criterion_main!(benches);
