//! The driver: a crash between any two things it does, two drivers on one store, a source that hangs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use futures_util::FutureExt;
use serinus_core::{
    analysis::{Analysis, Judge, Metric},
    driver::{Driver, DriverError, Entry, Ports, Watch, replay},
    metric::{Number, Query, Question, Sample},
    port::{
        Fence, Fenced, MetricProvider, Pools, PortError, PortErrorKind, Saved, StateStore, TrafficRouter,
        Version, Workload,
        memory::{ManualClock, MemoryMetrics, MemoryRouter, MemoryStore, MemoryWorkload},
    },
    rollout::{Command, Decision, Input, Outcome, Plan, Stage, State, Waits, waits_for},
    strategy::Canary,
    time::{GoDuration, Timestamp},
    traffic::{Revision, Route, Weight},
};

/// Ports that all stop answering at the n-th call: what a process sees of the world when it dies there.
#[derive(Debug, Default)]
struct Fuse {
    calls: AtomicUsize,
    blows_at: AtomicUsize,
}

impl Fuse {
    async fn pass(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.is_blown() {
            pending::<()>().await;
        }
    }

    fn is_blown(&self) -> bool {
        (1..=self.calls.load(Ordering::Relaxed)).contains(&self.blows_at.load(Ordering::Relaxed))
    }

    fn mend(&self) {
        self.blows_at.store(0, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Fused<T>(Arc<T>, Arc<Fuse>);

#[async_trait]
impl TrafficRouter for Fused<MemoryRouter> {
    async fn read(&self) -> Result<Option<Fenced<Route>>, PortError> {
        self.1.pass().await;
        self.0.read().await
    }

    async fn route(&self, route: &Route, fence: Fence) -> Result<(), PortError> {
        self.1.pass().await;
        self.0.route(route, fence).await
    }
}

#[async_trait]
impl Workload for Fused<MemoryWorkload> {
    async fn observe(&self) -> Result<Pools, PortError> {
        self.1.pass().await;
        self.0.observe().await
    }

    async fn scale(&self, revision: &Revision, replicas: u32, fence: Fence) -> Result<(), PortError> {
        self.1.pass().await;
        self.0.scale(revision, replicas, fence).await
    }
}

#[async_trait]
impl MetricProvider for Fused<MemoryMetrics> {
    async fn ask(&self, question: &Question) -> Result<Sample, PortError> {
        self.1.pass().await;
        self.0.ask(question).await
    }
}

#[async_trait]
impl StateStore for Fused<MemoryStore> {
    async fn load(&self) -> Result<Option<Saved>, PortError> {
        self.1.pass().await;
        self.0.load().await
    }

    async fn save(&self, document: &str, seen: Option<Version>) -> Result<Version, PortError> {
        self.1.pass().await;
        self.0.save(document, seen).await
    }
}

struct World {
    router: Arc<MemoryRouter>,
    workload: Arc<MemoryWorkload>,
    metrics: Arc<MemoryMetrics>,
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    fuse: Arc<Fuse>,
}

impl World {
    fn new(rate: f64) -> Self {
        let metrics = MemoryMetrics::new();
        metrics.always("rate", Sample::number(rate));
        Self {
            router: Arc::default(),
            workload: Arc::default(),
            metrics: Arc::new(metrics),
            store: Arc::default(),
            clock: Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH)),
            fuse: Arc::default(),
        }
    }

    fn ports(&self) -> Ports {
        Ports {
            router: Some(Arc::new(Fused(self.router.clone(), self.fuse.clone()))),
            workload: Some(Arc::new(Fused(self.workload.clone(), self.fuse.clone()))),
            metrics: Some(Arc::new(Fused(self.metrics.clone(), self.fuse.clone()))),
            hook: None,
            store: Arc::new(Fused(self.store.clone(), self.fuse.clone())),
            clock: self.clock.clone(),
        }
    }

    /// A driver that lives until the rollout is settled, or until the fuse blows.
    fn live(&self) -> Option<(State, Vec<(Entry, Decision)>)> {
        let first = State::new("v1".into(), Timestamp::UNIX_EPOCH);
        let mut driver = Driver::start(plan(), self.ports(), first).now_or_never()?.unwrap();
        driver.push(Input::Revised("v2".into()));
        let mut log = Vec::new();
        for _ in 0..500 {
            log.extend(driver.step(pending()).now_or_never()?.unwrap().turns);
            // A question that hangs does not stop a driver; but here the whole process is gone.
            if self.fuse.is_blown() {
                return None;
            }
            if driver.state().outcome().is_some() && driver.state().is_settled() {
                return Some((driver.state().clone(), log));
            }
            self.clock.set(self.clock_now().max(driver.wake()));
        }
        panic!("never settled: {:#?}", driver.state());
    }

    fn clock_now(&self) -> Timestamp {
        use serinus_core::port::Clock as _;
        self.clock.now()
    }
}

fn plan() -> Plan {
    let judge = Judge::Range { min: Some(Number::new(99.0)), max: None };
    let analysis = Analysis::of("healthy", [Metric::new("rate", Query::new("test", "rate"), judge)]);
    Canary::new(4)
        .weight(Weight::percent(25.0))
        .hold(GoDuration::from_mins(1))
        .analyse(analysis)
        .weight(Weight::percent(50.0))
        .plan()
        .unwrap()
}

#[test]
fn a_crash_between_any_two_calls_changes_nothing_about_the_end() {
    for rate in [100.0, 1.0] {
        let undisturbed = World::new(rate);
        let (state, _) = undisturbed.live().unwrap();
        let calls = undisturbed.fuse.calls.load(Ordering::Relaxed);
        assert!(calls > 30, "only {calls} calls");
        for blows_at in 1..=calls {
            let world = World::new(rate);
            world.fuse.blows_at.store(blows_at, Ordering::Relaxed);
            assert!(world.live().is_none(), "call {blows_at} was never made");
            world.fuse.mend();
            let (after, _) = world.live().unwrap();
            assert_eq!(after.outcome(), state.outcome(), "crash at call {blows_at}");
            let route = |world: &World| world.router.current().map(|route| route.value);
            assert_eq!(route(&world), route(&undisturbed), "crash at call {blows_at}");
            let counts = |world: &World| {
                let pools = world.workload.current().by_revision;
                pools.into_iter().map(|(revision, pool)| (revision, pool.wanted)).collect::<Vec<_>>()
            };
            assert_eq!(counts(&world), counts(&undisturbed), "crash at call {blows_at}");
        }
    }
}

#[test]
fn two_drivers_on_one_store_come_to_one_end() {
    let world = World::new(100.0);
    let first = State::new("v1".into(), Timestamp::UNIX_EPOCH);
    let mut drivers: Vec<_> = (0..2)
        .map(|_| Driver::start(plan(), world.ports(), first.clone()).now_or_never().unwrap().unwrap())
        .collect();
    for driver in &mut drivers {
        driver.push(Input::Revised("v2".into()));
    }
    for turn in 0..400 {
        let driver = &mut drivers[turn % 2];
        match driver.step(pending()).now_or_never() {
            Some(Ok(_)) | None | Some(Err(DriverError::Conflict)) => {}
            Some(Err(error)) => panic!("{error}"),
        }
        let wake = drivers.iter().map(Driver::wake).min();
        world.clock.set(world.clock_now().max(wake.unwrap_or(Timestamp::UNIX_EPOCH)));
    }
    for driver in &drivers {
        assert_eq!(driver.state().outcome(), Some(&Outcome::Promoted));
        assert_eq!(driver.state().attempt, 1);
    }
    assert_eq!(world.router.current().map(|route| route.value), Some(Route::all_to("v2".into())));
}

#[test]
fn the_log_of_a_rollout_decides_the_same_again_byte_for_byte() {
    let world = World::new(100.0);
    let (_, log) = world.live().unwrap();
    let first = State::new("v1".into(), Timestamp::UNIX_EPOCH);
    let entries: Vec<Entry> = log.iter().map(|(entry, _)| entry.clone()).collect();
    let stored = serde_json::to_string(&entries).unwrap();
    let entries: Vec<Entry> = serde_json::from_str(&stored).unwrap();
    let plan = plan();
    let again: Vec<_> =
        replay(&plan, first, &entries).map(|decision| serde_json::to_string(&decision).unwrap()).collect();
    let once: Vec<_> = log.iter().map(|(_, decision)| serde_json::to_string(decision).unwrap()).collect();
    assert_eq!(again, once);
}

#[test]
fn a_command_is_heard_while_a_source_hangs() {
    let world = World::new(100.0);
    let first = State::new("v1".into(), Timestamp::UNIX_EPOCH);
    let metrics: Arc<dyn MetricProvider> = Arc::new(Hanging);
    let ports = Ports { metrics: Some(metrics), ..world.ports() };
    let mut driver = Driver::start(plan(), ports, first).now_or_never().unwrap().unwrap();
    driver.push(Input::Revised("v2".into()));
    for _ in 0..30 {
        let _ = driver.step(pending()).now_or_never();
        if driver.state().attempt_under_way().is_some_and(|attempt| attempt.step == 2) {
            break;
        }
        world.clock.set(world.clock_now().max(driver.wake()));
    }
    let abort = Input::Commanded(Command::Abort("enough".into()));
    let step = driver.step(async { Some(abort) }).now_or_never();
    assert!(step.is_some_and(|step| step.is_ok()), "the command had to wait");
    assert!(matches!(driver.state().outcome(), Some(Outcome::Aborted(_))), "{:#?}", driver.state());
}

#[derive(Debug)]
struct Hanging;

#[async_trait]
impl MetricProvider for Hanging {
    async fn ask(&self, _: &Question) -> Result<Sample, PortError> {
        pending().await
    }
}

#[test]
fn what_the_world_shows_at_once_takes_no_time() {
    let world = World::new(100.0);
    let first = State::new("v1".into(), Timestamp::UNIX_EPOCH);
    let mut driver = Driver::start(plan(), world.ports(), first).now_or_never().unwrap().unwrap();
    driver.push(Input::Revised("v2".into()));
    driver.step(pending()).now_or_never().unwrap().unwrap();
    // The first route, instances, and their share of the traffic: three things written one after the other.
    assert_eq!(world.router.current().unwrap().value.weight, Weight::percent(25.0));
    let attempt = driver.state().attempt_under_way().unwrap();
    assert_eq!(
        (attempt.step, &attempt.stage),
        (1, &Stage::Holding(Some("1970-01-01T00:01:00Z".parse().unwrap())))
    );
    // The hold, the measurement, the second weight and the promotion. Nothing to look at but these.
    let never = GoDuration::from_mins(24 * 60);
    driver.set_watch(Watch { attempt: never, rest: never });
    let mut wakes = 0;
    world.clock.set(driver.wake());
    driver.step(pending()).now_or_never().unwrap().unwrap();
    while driver.state().outcome().is_none() {
        world.clock.set(driver.wake());
        driver.step(pending()).now_or_never().unwrap().unwrap();
        wakes += 1;
    }
    assert_eq!(driver.state().outcome(), Some(&Outcome::Promoted));
    assert_eq!(wakes, 1, "it waited for what was there");
    assert_eq!(world.clock_now(), "1970-01-01T00:01:00Z".parse().unwrap());
}

/// A router on which somebody else always writes last, under a newer fence.
#[derive(Debug, Default)]
struct Contested(Mutex<Option<Fenced<Route>>>);

#[async_trait]
impl TrafficRouter for Contested {
    async fn read(&self) -> Result<Option<Fenced<Route>>, PortError> {
        let newer = |fence: Fence| Fence { seq: fence.seq + 100, ..fence };
        let written = self.0.lock().unwrap().clone();
        Ok(written.map(|route| Fenced { fence: route.fence.map(newer), ..route }))
    }

    async fn route(&self, route: &Route, fence: Fence) -> Result<(), PortError> {
        *self.0.lock().unwrap() = Some(Fenced { value: route.clone(), fence: Some(fence) });
        Ok(())
    }
}

#[test]
fn a_step_ends_even_if_every_look_leads_to_another_write() {
    let world = World::new(100.0);
    let ports = Ports { router: Some(Arc::new(Contested::default())), ..world.ports() };
    let first = State::new("v1".into(), Timestamp::UNIX_EPOCH);
    let mut driver = Driver::start(plan(), ports, first).now_or_never().unwrap().unwrap();
    for _ in 0..3 {
        let fence = driver.state().fence;
        let step = driver.step(pending()).now_or_never().unwrap().unwrap();
        assert!(driver.state().fence > fence, "nothing was written again");
        assert!((2..=10).contains(&step.turns.len()), "{} turns", step.turns.len());
        world.clock.set(driver.wake());
    }
}

#[test]
fn instances_that_die_while_nothing_is_waited_for_are_noticed() {
    let world = World::new(100.0);
    let plan = Canary::new(4).weight(Weight::percent(25.0)).hold_until_resumed().plan().unwrap();
    let first = State::new("v1".into(), Timestamp::UNIX_EPOCH);
    let mut driver = Driver::start(plan, world.ports(), first).now_or_never().unwrap().unwrap();
    driver.push(Input::Revised("v2".into()));
    driver.step(pending()).now_or_never().unwrap().unwrap();
    assert_eq!(waits_for(driver.plan(), driver.state()), Waits::Person);
    world.workload.make_ready(&"v2".into(), 0);
    let before = world.clock_now();
    world.clock.set(driver.wake());
    driver.step(pending()).now_or_never().unwrap().unwrap();
    assert!(GoDuration::between(before, world.clock_now()) <= GoDuration::from_secs(10));
    assert!(world.router.current().unwrap().value.weight.is_zero(), "traffic goes to nobody");
}

/// A store that fails whenever it is told to.
#[derive(Debug, Default)]
struct Failing(MemoryStore, AtomicUsize);

#[async_trait]
impl StateStore for Failing {
    async fn load(&self) -> Result<Option<Saved>, PortError> {
        self.0.load().await
    }

    async fn save(&self, document: &str, seen: Option<Version>) -> Result<Version, PortError> {
        if self.1.fetch_add(1, Ordering::Relaxed) % 3 == 2 {
            return Err(PortError::new(PortErrorKind::Transient, "the disk is full"));
        }
        self.0.save(document, seen).await
    }
}

#[test]
fn what_was_done_before_an_error_of_the_store_is_reported_with_the_next_step() {
    let world = World::new(100.0);
    let ports = Ports { store: Arc::new(Failing::default()), ..world.ports() };
    let first = State::new("v1".into(), Timestamp::UNIX_EPOCH);
    let mut driver = Driver::start(plan(), ports, first.clone()).now_or_never().unwrap().unwrap();
    driver.push(Input::Revised("v2".into()));
    let (mut log, mut errors) = (Vec::new(), 0);
    for _ in 0..200 {
        match driver.step(pending()).now_or_never().unwrap() {
            Ok(step) => log.extend(step.turns),
            Err(_) => errors += 1,
        }
        if driver.state().outcome().is_some() && driver.state().is_settled() {
            break;
        }
        world.clock.set(world.clock_now().max(driver.wake()));
    }
    assert_eq!(driver.state().outcome(), Some(&Outcome::Promoted));
    assert!(errors > 3, "{errors} errors");
    let entries: Vec<Entry> = log.iter().map(|(entry, _)| entry.clone()).collect();
    let again: Vec<_> = replay(&plan(), first, &entries).collect();
    let once: Vec<_> = log.into_iter().map(|(_, decision)| decision).collect();
    assert!(again == once, "the log has a hole");
}

#[test]
fn a_missing_port_is_named_before_anything_happens() {
    let world = World::new(100.0);
    let ports = Ports { metrics: None, ..world.ports() };
    let first = State::new("v1".into(), Timestamp::UNIX_EPOCH);
    let error = Driver::start(plan(), ports, first).now_or_never().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the plan needs a metrics port: set `Ports::metrics`");
}

#[test]
fn a_state_of_a_newer_version_is_left_alone() {
    let world = World::new(100.0);
    world.store.save(r#"{"schema":99,"new":"things"}"#, None).now_or_never().unwrap().unwrap();
    let first = State::new("v1".into(), Timestamp::UNIX_EPOCH);
    let error = Driver::start(plan(), world.ports(), first).now_or_never().unwrap().unwrap_err();
    assert!(matches!(error, DriverError::NewerSchema { schema: 99, .. }), "{error}");
    assert_eq!(world.router.current(), None);
}
