//! One rollout, from its start to its end.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use serinus::{
    driver::{Driver, Ports, load},
    port::{Clock as _, StateStore, file::FileStore, memory::MemoryStore},
    rollout::{Capacity, Command, Input, Outcome, State, Waits},
    time::{GoDuration, Timestamp},
};

use crate::{
    arguments::{Arguments, Fault},
    clock::ScaledClock,
    commands::Commands,
    display::Display,
    exposition::Services,
    hook::NoWebhooks,
    load::Mix,
    manifest::Manifest,
    metrics::LocalMetrics,
    problem::{Because as _, Problem},
    record::Recorder,
    stage::{Answered, Stage, Wanted},
    stage_process::{self, Lease},
    workload::{CANDIDATE, LocalWorkload, STABLE},
};

/// A run that is over.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    pub(crate) ended: Ended,
    /// Why it was rolled back; empty if it was not.
    pub(crate) reason: String,
    /// How long it took, in the rollout's time.
    pub(crate) took: GoDuration,
    /// What each revision answered.
    pub(crate) answered: Answered,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Promoted,
    RolledBack,
    Interrupted,
}

/// Runs a manifest with this fault in the candidate.
pub(crate) async fn run(
    arguments: &Arguments,
    manifest: &Manifest,
    fault: Option<Fault>,
    commands: &mut Commands,
    recorder: &mut Recorder,
    display: &Display,
) -> Result<Finished, Problem> {
    display.begin(manifest, fault, arguments);
    let initial = State::new(STABLE.into(), Timestamp::now());
    let store: Arc<dyn StateStore> = match &arguments.state {
        Some(path) => Arc::new(FileStore::new(path)),
        None => Arc::new(MemoryStore::new()),
    };
    let held = load(&*store, initial.clone()).await.because("cannot take up the rollout")?;
    if let Some(outcome) = held.state.outcome()
        && !is_up(arguments).await
    {
        let ended = if *outcome == Outcome::Promoted { Ended::Promoted } else { Ended::RolledBack };
        display.ended(&held.state, ended, None).await;
        return Ok(Finished::of(&held.state, ended, Answered::new(), held.state.clock));
    }
    let began = held.state.clock.max(initial.clock);
    let (stage, lease) = surroundings(arguments, manifest, fault, &held.state).await?;
    // The rollout's time was ahead of ours; it must not wait until ours catches up.
    let origin = held.state.clock.max(initial.clock);
    let beat = stage.beat.clone();
    let clock = Arc::new(ScaledClock::by(origin, arguments.speed(), move || beat.elapsed()));
    let ports = ports(arguments, manifest, &stage, store, &clock)?;
    let mut driver =
        Driver::start(manifest.plan.clone(), ports, initial).await.because("cannot start the rollout")?;
    recorder.begin(driver.plan(), driver.state())?;
    display.started(driver.state(), &stage, held.version.is_some());
    driver.push(Input::Revised(CANDIDATE.into()));
    let watch = display.watch(stage.plane.clone(), Arc::clone(&clock));
    let ended = drive(&mut driver, arguments, &clock, commands, recorder, display).await;
    watch.abort();
    recorder.flush()?;
    let ended = ended?;
    display.ended(driver.state(), ended, Some(&stage)).await;
    let answered = stage.plane.totals().await.unwrap_or_default();
    let finished = Finished::of(driver.state(), ended, answered, began);
    drop(stage);
    if let Some(lease) = lease {
        lease.end().await;
    }
    Ok(finished)
}

impl Finished {
    fn of(state: &State, ended: Ended, answered: Answered, began: Timestamp) -> Self {
        let reason = match state.outcome() {
            Some(Outcome::Aborted(reason)) => reason.clone(),
            _ => String::new(),
        };
        Self { ended, reason, took: GoDuration::between(began, state.clock), answered }
    }
}

async fn drive(
    driver: &mut Driver,
    arguments: &Arguments,
    clock: &Arc<ScaledClock>,
    commands: &mut Commands,
    recorder: &mut Recorder,
    display: &Display,
) -> Result<Ended, Problem> {
    let mut waited_for: Option<Waits> = None;
    let mut over: Option<Instant> = None;
    loop {
        let step = driver.step(commands.receiver.recv()).await.because("the rollout cannot go on")?;
        for (entry, decision) in &step.turns {
            recorder.turn(entry, decision)?;
            display.turn(entry, decision, driver.plan());
        }
        recorder.flush()?;
        let Some((_, last)) = step.turns.last() else { continue };
        let state = driver.state();
        if last.waits != Waits::Person && !matches!(last.waits, Waits::Gate(_)) {
            waited_for = None;
        } else if waited_for.as_ref() != Some(&last.waits) {
            waited_for = Some(last.waits.clone());
            display.waits(&last.waits, arguments.promote_after);
            if let Some(after) = arguments.promote_after {
                let (clock, at) = (Arc::clone(clock), after.after(clock.now()));
                let promote = Input::Commanded(Command::Promote);
                send_after(commands, async move { clock.sleep_until(at).await }, promote);
            }
        }
        let Some(outcome) = state.outcome() else { continue };
        let since = *over.get_or_insert_with(|| {
            send_after(commands, tokio::time::sleep(SETTLING), Input::Tick);
            Instant::now()
        });
        if state.is_settled() || since.elapsed() >= SETTLING {
            return Ok(match outcome {
                _ if commands.is_interrupted() => Ended::Interrupted,
                Outcome::Promoted => Ended::Promoted,
                _ => Ended::RolledBack,
            });
        }
    }
}

fn send_after(commands: &Commands, waiting: impl Future<Output = ()> + Send + 'static, input: Input) {
    let sender = commands.sender.clone();
    tokio::spawn(async move {
        waiting.await;
        drop(sender.send(input));
    });
}

async fn surroundings(
    arguments: &Arguments,
    manifest: &Manifest,
    fault: Option<Fault>,
    state: &State,
) -> Result<(Stage, Option<Lease>), Problem> {
    let prometheus = arguments.prometheus.clone();
    let wanted = Wanted {
        fault: fault.map(|fault| fault.to_string()),
        stable_fault: arguments.stable_fault.map(|fault| fault.to_string()),
        stable: state.stable.to_string(),
        mix: Mix::for_plan(manifest.plan.spec(), arguments.requests),
        services: Services::of(&manifest.compiled),
        speed: arguments.speed(),
        envoy: arguments.envoy.is_some(),
        prometheus: prometheus.or_else(|| arguments.envoy.as_ref().map(|_| "auto".to_owned())),
        metrics_port: arguments.metrics_port,
    };
    match &arguments.state {
        // An Envoy goes on without the rollout's process, and so must all that belongs to it.
        Some(path) if arguments.envoy.is_some() => {
            let (stage, lease) = stage_process::find_or_start(&wanted, &beside(path, "stage")).await?;
            Ok((stage, Some(lease)))
        }
        _ => Ok((Stage::start(&wanted, None).await?, None)),
    }
}

async fn is_up(arguments: &Arguments) -> bool {
    match &arguments.state {
        Some(path) if arguments.envoy.is_some() => stage_process::is_up(&beside(path, "stage")).await,
        _ => false,
    }
}

fn ports(
    arguments: &Arguments,
    manifest: &Manifest,
    stage: &Stage,
    store: Arc<dyn StateStore>,
    clock: &Arc<ScaledClock>,
) -> Result<Ports, Problem> {
    let router = stage.plane.router();
    let is_counted = matches!(manifest.plan.spec().capacity, Capacity::Counted { .. });
    let follower = is_counted.then(|| Arc::clone(&router));
    let books = arguments.state.as_ref().map(|path| beside(path, "instances"));
    let workload = LocalWorkload::new(books, follower).because("cannot read the books about instances")?;
    Ok(Ports {
        router: (!is_counted).then_some(router),
        workload: Some(Arc::new(workload)),
        metrics: Some(Arc::new(LocalMetrics::new(stage, Arc::clone(clock))?)),
        hook: Some(Arc::new(NoWebhooks)),
        store,
        clock: Arc::clone(clock) as _,
    })
}

/// The file of this ending beside another.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// How long the world may take after the end, with what can wait: instances that are kept for a while.
const SETTLING: Duration = Duration::from_secs(4);
