//! What a decision costs, and what a whole rollout costs when nothing but decisions is in it.
//!
//! Bars: a tick of a canary that holds, under 1 µs; a canary of ten steps and fifty measurements, under 50 µs.

#![expect(clippy::expect_used, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use serinus_core::{
    analysis::{Analysis, Judge, Metric},
    metric::{Number, Query, Sample},
    port::{Fenced, Pool},
    rollout::{Answer, Effect, Input, Outcome, Phase, Plan, State, World, decide},
    strategy::Canary,
    time::{GoDuration, Timestamp},
    traffic::Weight,
};

/// Five weights, each with an analysis of ten measurements: ten steps, fifty measurements.
fn plan() -> Plan {
    let judge = Judge::Range { min: Some(Number::new(99.0)), max: None };
    let metric = Metric {
        interval: Some(GoDuration::from_secs(60)),
        count: Some(10),
        retention: 1,
        ..Metric::new("success-rate", Query::new("test", "rate"), judge)
    };
    let analysis = Analysis::of("healthy", [metric]);
    let weights = [5.0, 10.0, 25.0, 50.0, 75.0];
    weights
        .into_iter()
        .fold(Canary::new(20), |canary, percent| {
            canary.weight(Weight::percent(percent)).analyse(analysis.clone())
        })
        .plan()
        .expect("the plan of the benchmark is valid")
}

/// The world as one value: whatever is asked of it is so at once.
struct Simulated {
    state: Option<State>,
    world: World,
    now: Timestamp,
    decisions: u32,
}

impl Simulated {
    fn new() -> Self {
        let now = Timestamp::UNIX_EPOCH;
        Self { state: Some(State::new("v1".into(), now)), world: World::default(), now, decisions: 0 }
    }

    fn hear(&mut self, plan: &Plan, input: &Input) -> (Option<Timestamp>, Option<Input>) {
        let state = self.state.take().expect("every decision gives a state");
        let decision = decide(plan, state, input, self.now);
        self.decisions += 1;
        let mut answer = None;
        for effect in &decision.effects {
            match effect {
                Effect::Route { route, fence } => {
                    self.world.route = Some(Fenced { value: route.clone(), fence: Some(*fence) });
                }
                Effect::Scale { revision, replicas, fence } => {
                    let pool = Pool { wanted: *replicas, ready: *replicas, fence: Some(*fence) };
                    self.world.pools.by_revision.insert(revision.clone(), pool);
                }
                Effect::Ask { id, .. } => {
                    answer =
                        Some(Input::Answered { id: *id, answer: Ok(Answer::Sample(Sample::number(99.9))) });
                }
                Effect::Tell { id, .. } => {
                    answer.get_or_insert(Input::Answered { id: *id, answer: Ok(Answer::Told) });
                }
                _ => {}
            }
        }
        self.state = Some(decision.state);
        (decision.wake, answer)
    }

    fn state(&self) -> &State {
        self.state.as_ref().expect("every decision gives a state")
    }

    fn run(&mut self, plan: &Plan, until: impl Fn(&State) -> bool) {
        self.hear(plan, &Input::Revised("v2".into()));
        for _ in 0..1_000 {
            if until(self.state()) {
                return;
            }
            let world = Input::Seen(std::mem::take(&mut self.world));
            let (mut wake, mut answer) = self.hear(plan, &world);
            if let Input::Seen(seen) = world {
                // What was just written stands beside what was seen.
                let written = std::mem::replace(&mut self.world, seen);
                self.world.route = written.route.or(self.world.route.take());
                self.world.pools.by_revision.extend(written.pools.by_revision);
            }
            while let Some(input) = answer {
                (wake, answer) = self.hear(plan, &input);
            }
            self.now = wake.map_or(self.now, |wake| self.now.max(wake));
        }
    }
}

fn benchmarks(criterion: &mut Criterion) {
    let plan = plan();
    let mut holding = Simulated::new();
    holding.run(&plan, |state| state.attempt_under_way().is_some_and(|attempt| attempt.step == 3));
    let state = holding.state().clone();
    assert!(matches!(state.phase, Phase::Progressing(_)), "the canary is not under way: {state:?}");
    let now = holding.now;
    let seen = Input::Seen(holding.world.clone());
    criterion.bench_function("decide: a tick of a canary", |bencher| {
        bencher.iter_batched(
            || state.clone(),
            |state| decide(black_box(&plan), state, &Input::Tick, now),
            BatchSize::SmallInput,
        );
    });
    criterion.bench_function("decide: a look at the world", |bencher| {
        bencher.iter_batched(
            || state.clone(),
            |state| decide(black_box(&plan), state, &seen, now),
            BatchSize::SmallInput,
        );
    });
    criterion.bench_function("a canary of ten steps and fifty measurements", |bencher| {
        bencher.iter(|| {
            let mut simulated = Simulated::new();
            simulated.run(black_box(&plan), |state| matches!(state.phase, Phase::Done(_)));
            assert_eq!(simulated.state().outcome(), Some(&Outcome::Promoted));
            simulated.decisions
        });
    });
}

criterion_group!(benches, benchmarks);
criterion_main!(benches);
