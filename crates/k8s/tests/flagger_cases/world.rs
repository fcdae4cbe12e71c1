//! A world in virtual time, in which a scenario is run on the engine: a router and instances that obey, a metric that
//! answers as the case says.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use futures_util::FutureExt as _;
use serde_json::Value;
use serinus_k8s::{Compiled, Fault, Faults, Mode, Source, read};

use crate::{
    course::{Course, End, Rung},
    engine::{
        driver::{Driver, Ports},
        metric::{Query, Sample},
        port::{
            Clock as _,
            memory::{ManualClock, MemoryMetrics, MemoryRouter, MemoryStore, MemoryWorkload},
        },
        rollout::{Command, Input, Outcome, State, Waits, waits_for},
        traffic::{Route, Weight},
    },
    scenario::{Answer, Begin, Expected, Scenario},
    words::Event,
};

/// What we say to a scenario.
pub(crate) fn run(scenario: &Scenario) -> Answer {
    let compiled = match compiled(&scenario.manifests) {
        Ok(compiled) => compiled,
        Err(faults) => return Answer::Course(refused(&faults)),
    };
    if matches!(scenario.expected, Expected::Query(_)) {
        let spec = compiled.plan.spec();
        let query = spec.analyses.first().and_then(|analysis| analysis.metrics.first());
        return Answer::Query(query.map(|metric| metric.query.text.clone()).unwrap_or_default());
    }
    if scenario.begins == Begin::PromotionFailed {
        return Answer::Course(Course::refused("nothing is copied, so no copy can fail"));
    }
    Answer::Course(World::new(scenario, compiled).run(scenario))
}

fn compiled(manifests: &[Value]) -> Result<Compiled, Faults> {
    let sources: Vec<_> =
        manifests.iter().map(|manifest| Source::new("case.json", manifest.to_string())).collect();
    read(&sources, Mode::Strict)?.compile_only()
}

/// The fields that are at fault.
fn refused(faults: &Faults) -> Course {
    let fields: Vec<_> = faults.as_slice().iter().map(|fault: &Fault| fault.field.as_str()).collect();
    Course::refused(fields.join(", "))
}

struct World {
    router: Arc<MemoryRouter>,
    clock: Arc<ManualClock>,
    driver: Driver,
    /// The routes from before what the case speaks of.
    prelude: usize,
}

impl World {
    fn new(scenario: &Scenario, compiled: Compiled) -> Self {
        let (router, clock) = (Arc::new(MemoryRouter::new()), Arc::new(ManualClock::default()));
        let metrics = MemoryMetrics::new();
        let (asked, failing, answer) = (AtomicU32::new(0), scenario.failing.clone(), scenario.answer);
        metrics.answer_all_with(move |question| {
            let check = asked.fetch_add(1, Ordering::Relaxed) + 1;
            let fails = failing.iter().any(|checks| checks.contains(&check));
            let bad = if question.query.text == Query::DURATION { 10_000.0 } else { 0.0 };
            Ok(Sample::number(if fails { bad } else { answer.unwrap_or(100.0) }))
        });
        let ports = Ports {
            router: Some(Arc::clone(&router) as _),
            workload: Some(Arc::new(MemoryWorkload::new())),
            metrics: Some(Arc::new(metrics)),
            hook: None,
            store: Arc::new(MemoryStore::new()),
            clock: Arc::clone(&clock) as _,
        };
        let first = State::new(STABLE.into(), clock.now());
        let driver = Driver::start(compiled.plan, ports, first).now_or_never().unwrap().unwrap();
        Self { router, clock, driver, prelude: 0 }
    }

    fn run(mut self, scenario: &Scenario) -> Course {
        if scenario.begins == Begin::Failed {
            self.driver.push(Input::Revised("faulty".into()));
            self.step();
            self.driver.push(Input::Commanded(Command::Abort("before the case".into())));
            while self.end() == End::Open && self.step() {}
            assert_eq!(self.end(), End::RolledBack, "the case begins after a rollback");
            self.prelude = self.router.history().len();
        }
        let mut events = scenario.events.iter().peekable();
        self.driver.push(Input::Revised("v2".into()));
        // The end may be that of an attempt before; only a step tells.
        for _ in 0..MOST_STEPS {
            let going = self.step();
            let rungs = self.course().ladder.len();
            let due = events.next_if(|(after, _)| rungs >= *after);
            if let Some((_, event)) = due {
                self.happen(*event, scenario);
            } else if self.end() != End::Open || !going {
                break;
            }
        }
        assert_eq!(events.next(), None, "it never came to that: {:#?}", self.driver.state());
        self.course()
    }

    /// One step, then on to when the next is due. False if only a person or an event can change anything.
    fn step(&mut self) -> bool {
        if let Some(step) = self.driver.step(pending()).now_or_never() {
            step.unwrap();
        }
        self.clock.set(self.clock.now().max(self.driver.wake()));
        !matches!(waits_for(self.driver.plan(), self.driver.state()), Waits::Nothing | Waits::Person)
    }

    fn happen(&mut self, event: Event, scenario: &Scenario) {
        match event {
            Event::Changed => self.driver.push(Input::Revised("v3".into())),
            Event::Reverted => self.driver.push(Input::Revised(STABLE.into())),
            Event::SkipAnalysis => {
                let mut manifests = scenario.manifests.clone();
                manifests[0]["spec"]["skipAnalysis"] = true.into();
                self.driver.set_plan(compiled(&manifests).unwrap().plan).unwrap();
            }
            Event::Meddled(percent) => {
                let route = self.router.current().unwrap().value;
                self.router.set(Route { weight: Weight::percent(percent.into()), ..route });
                self.driver.push(Input::Tick);
            }
        }
    }

    fn end(&self) -> End {
        let state = self.driver.state();
        match state.outcome() {
            Some(Outcome::Promoted) if state.is_settled() => End::Promoted,
            Some(Outcome::Aborted(_)) if state.is_settled() => End::RolledBack,
            _ => End::Open,
        }
    }

    fn course(&self) -> Course {
        let mut course = Course { ladder: Vec::new(), end: self.end() };
        // What somebody else wrote bears no fence.
        for written in self.router.history().iter().skip(self.prelude).filter(|route| route.fence.is_some()) {
            course.climb(rung(&written.value));
        }
        course
    }
}

/// What the canary gets by a route; within the requests that match, it gets all of them.
fn rung(route: &Route) -> Rung {
    let weight = if route.matches.is_empty() { route.weight } else { Weight::FULL };
    Rung { weight: weight.parts(), mirrored: !route.mirror.is_zero() }
}

const STABLE: &str = "v1";
const MOST_STEPS: u32 = 2_000;
