//! What it costs to ask for a guarded flag, whose exposures are counted, and to record what came of it; beside the same
//! flag without a guard.

#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::{
    hint::black_box,
    pin::pin,
    sync::Barrier,
    task::{Context as Task, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use serinus_core::{
    cohort::{Cohort, Salt},
    port::{Fence, TrafficRouter as _},
    strategy::Canary,
    time::GoDuration,
    traffic::{Route, Weight},
};
use serinus_flags::{Context, Deciding, Flags, Format, Guard, Outcome};

const DOCUMENT: &str = r#"{"flags": {
    "free": {"state": "ENABLED", "variants": {"new": true, "old": false}, "defaultVariant": "old"},
    "guarded": {"state": "ENABLED", "variants": {"new": true, "old": false}, "defaultVariant": "old"},
    "rule": {"state": "ENABLED", "variants": {"new": true, "old": false}, "defaultVariant": "old",
             "targeting": {"if": [{"==": [{"var": "plan"}, "gold"]}, "new", null]}}
}}"#;

fn guarded(key: &str) -> (Flags, Guard) {
    let flags = Flags::default();
    flags.update(DOCUMENT.as_bytes(), Format::Json).unwrap();
    let ladder = [Weight::percent(10.0)];
    let plan = Canary::between_variants().ladder(ladder, GoDuration::from_mins(10)).plan().unwrap();
    let guard = flags.guard(key).candidate("new").plan(plan).deciding(Deciding::here()).build().unwrap();
    let route =
        Route { candidate: Some("new".into()), weight: Weight::percent(10.0), ..Route::all_to("old".into()) };
    run(guard.route(&route, Fence::default())).unwrap();
    (flags, guard)
}

/// A thousand subjects of a cohort.
fn subjects(key: &str, guard: &Guard, cohort: Cohort) -> Vec<Context> {
    let (salt, trial) = (Salt::new(key), guard.trial());
    let keys = (0_u32..).map(|number| format!("user-0123456789-{number:08}"));
    keys.filter(|key| trial.cohort_of(salt.place(key)) == cohort)
        .take(1_000)
        .map(|key| Context::new(key).with("plan", "silver"))
        .collect()
}

fn asking(criterion: &mut Criterion) {
    let (flags, guard) = guarded("guarded");
    let candidates = subjects("guarded", &guard, Cohort::Candidate);
    for threads in [1, 2] {
        let mut group = criterion.benchmark_group(format!("ask for a flag, threads {threads}"));
        let mut bench = |name: &str, key: &str, contexts: &[Context]| {
            let handle = flags.handle(key);
            group.bench_function(name, |bencher| {
                bencher.iter_custom(|times| {
                    on_threads(threads, times, |round| {
                        let context = &contexts[round as usize % contexts.len()];
                        black_box(handle.bool(black_box(context)).is_ok());
                    })
                });
            });
        };
        bench("without a guard", "free", &candidates);
        bench("guarded, a candidate, exposure counted", "guarded", &candidates);
        bench(
            "guarded, a control, exposure counted",
            "guarded",
            &subjects("guarded", &guard, Cohort::Control),
        );
        bench("guarded, in no cohort", "guarded", &subjects("guarded", &guard, Cohort::Rest));
        group.finish();
    }
}

fn recording(criterion: &mut Criterion) {
    let (_flags, guard) = guarded("guarded");
    let (_ruled_flags, ruled) = guarded("rule");
    let contexts = subjects("guarded", &guard, Cohort::Candidate);
    let ruled_contexts = subjects("rule", &ruled, Cohort::Candidate);
    for threads in [1, 2] {
        let mut group = criterion.benchmark_group(format!("record an outcome, threads {threads}"));
        let mut bench = |name: &str, body: &(dyn Fn(usize) + Sync)| {
            group.bench_function(name, |bencher| {
                bencher.iter_custom(|times| on_threads(threads, times, |round| body(round as usize % 1_000)));
            });
        };
        let latency = Duration::from_micros(1_500);
        bench("by key", &|number| {
            guard.record(contexts[number].targeting_key().unwrap_or_default(), Outcome::Success);
        });
        bench("by key, with a latency", &|number| {
            let key = contexts[number].targeting_key().unwrap_or_default();
            guard.record(key, Outcome::Success.after(latency));
        });
        bench("by context, with a latency", &|number| {
            guard.record(&contexts[number], Outcome::Success.after(latency));
        });
        bench("by context, with a latency and a rule", &|number| {
            ruled.record(&ruled_contexts[number], Outcome::Success.after(latency));
        });
        group.finish();
    }
}

/// What rarely happens: a look at everything that is known of 32 768 subjects.
fn looking(criterion: &mut Criterion) {
    let (flags, guard) = guarded("guarded");
    for number in 0..500_000 {
        let _ = flags.bool("guarded", &Context::new(format!("user-{number}")));
    }
    criterion.bench_function("look at the preconditions", |bencher| bencher.iter(|| guard.health()));
}

/// How long it takes so many threads to do it so often each.
fn on_threads(threads: usize, times: u64, body: impl Fn(u64) + Sync) -> Duration {
    if threads == 1 {
        let began = Instant::now();
        (0..times).for_each(&body);
        return began.elapsed();
    }
    let (barrier, body) = (&Barrier::new(threads), &body);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(move || {
                    barrier.wait();
                    let began = Instant::now();
                    (0..times).for_each(body);
                    began.elapsed()
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).max().unwrap_or_default()
    })
}

/// Runs a future that does not wait.
fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Task::from_waker(Waker::noop())) {
            return output;
        }
    }
}

criterion_group!(benches, asking, recording, looking);
criterion_main!(benches);
