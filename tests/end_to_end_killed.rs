//! The example is killed again and again, at random moments, while Envoy goes on carrying the traffic: twenty times
//! during a promotion, and eight times during a rollback and at its beginning.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    collections::hash_map::RandomState,
    fs,
    hash::BuildHasher as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use serinus::traffic::Route;
use support::{file, finish, rollout};

mod support;

#[test]
fn killed_twenty_times_it_ends_as_an_undisturbed_run_does_and_envoy_never_went_astray() {
    if !(support::has_envoy() && support::has_prometheus()) {
        return;
    }
    // One after the other: each keeps a machine busy.
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let manifest = file(folder.path(), "canary.yaml", CANARY);
    let undisturbed = support::run(&["--json", "--healthy", "--speed", "240", "--manifest", &manifest]);
    assert_eq!(undisturbed.outcomes(), ["promoted"], "{}", undisturbed.told());

    let state = folder.path().join("state");
    let state = state.to_str().unwrap();
    let arguments = ["--json", "--envoy", "auto", "--speed", "60", "--manifest", &manifest, "--state", state];
    let is_over = Arc::new(AtomicBool::new(false));
    let watcher = watch(format!("{state}.stage").into(), Arc::clone(&is_over));
    kill(&arguments, KILLS, state.as_ref());
    let last = finish(rollout(&arguments).spawn().unwrap());
    is_over.store(true, Ordering::Relaxed);
    let seen = watcher.join().unwrap();

    assert_eq!((last.outcomes(), last.code), (undisturbed.outcomes(), undisturbed.code), "{}", last.told());
    assert_eq!(last.of("ended").next().unwrap()["stable"], "v2");
    let answered = &last.of("ended").next().unwrap()["answered"];
    assert_eq!((&answered["v1"]["errors"], &answered["v2"]["errors"]), (&0.into(), &0.into()), "{answered}");
    check_weights(&seen, &undisturbed.weights());
    check_counts(&seen);
    let samples = seen.len();
    println!("{KILLS} kills, {samples} looks at Envoy, the last counts {answered}");
    assert!(samples > 50, "{samples}");
}

#[test]
fn killed_during_a_rollback_it_brings_the_traffic_back_and_envoy_never_sends_it_forth_again() {
    if !(support::has_envoy() && support::has_prometheus()) {
        return;
    }
    // One after the other: each keeps a machine busy.
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let manifest = CANARY.replace("threshold: 5", "threshold: 30").replace("stepWeight: 1", "stepWeight: 10");
    let manifest = file(folder.path(), "canary.yaml", &manifest);
    let state = folder.path().join("state");
    let state = state.to_str().unwrap();
    // Half of its answers are errors, so that no check passes, and thirty of them, a second each, are to fail.
    let fault = ["--fault", "error-rate=50%"];
    let run = ["--json", "--envoy", "auto", "--speed", "60", "--manifest", &manifest, "--state", state];
    let arguments: Vec<&str> = run.into_iter().chain(fault).collect();
    let is_over = Arc::new(AtomicBool::new(false));
    let watcher = watch(format!("{state}.stage").into(), Arc::clone(&is_over));
    kill(&arguments, KILLS_OF_FAULTY, state.as_ref());
    // Once more, as soon as the state says that traffic goes back.
    let mut child = rollout(&arguments).spawn().unwrap();
    let started = Instant::now();
    while support::phase(state.as_ref()).as_deref() != Some("retreating") {
        assert_eq!(
            child.try_wait().unwrap(),
            None,
            "it ended, and its state never said that traffic goes back"
        );
        assert!(started.elapsed() < Duration::from_secs(100), "traffic never went back");
        thread::sleep(Duration::from_millis(1));
    }
    let left = support::kill(&mut child, Duration::ZERO, state.as_ref());
    assert_eq!(left.as_deref(), Some("retreating"));
    let last = finish(rollout(&arguments).spawn().unwrap());
    is_over.store(true, Ordering::Relaxed);
    let seen = watcher.join().unwrap();

    assert_eq!((last.outcomes(), last.code), (vec!["rolledBack"], Some(1)), "{}", last.told());
    let ended = last.of("ended").next().unwrap();
    assert_eq!(ended["stable"], "v1");
    assert!(ended["reason"].as_str().unwrap().contains("30 rounds failed"), "{ended}");
    let mut shares: Vec<f64> = seen.iter().map(Look::share).collect();
    shares.dedup();
    // The last run read from Envoy that all traffic goes to stable, and Envoy ended with it.
    let in_force = last.of("weights").last().unwrap();
    assert_eq!(
        (&in_force["stable"], &in_force["candidate"]),
        (&"v1".into(), &Value::Null),
        "{}",
        last.told()
    );
    assert_eq!(in_force["weight"], 0.0, "{}", last.told());
    // None before the first look that shows one, if it was there at once; none after the rollback, if there was a look
    // between that and the end of Envoy.
    let shares: Vec<_> = shares.into_iter().skip_while(|share| *share == 0.0).collect();
    assert!([&[0.1][..], &[0.1, 0.0]].contains(&&shares[..]), "{shares:?}");
    assert!(seen.iter().all(|look| !look.is_promoted()));
    check_counts(&seen);
    println!("{KILLS_OF_FAULTY} kills and one, {} looks at Envoy", seen.len());
}

/// Runs it so many times, and kills it each time, in the midst of the rollout.
fn kill(arguments: &[&str], times: u32, state: &Path) {
    // The first one starts Envoy and Prometheus, and waits for data; it may be killed during that, too.
    let mut longest = LONGEST_FIRST;
    for _ in 0..times {
        let mut child = rollout(arguments).spawn().unwrap();
        let moment = Duration::from_millis(random() % longest.as_millis() as u64);
        support::kill(&mut child, moment, state);
        longest = LONGEST_NEXT;
    }
}

/// In Envoy, too, the candidate's share took the steps of the undisturbed run: none left out, none taken back.
fn check_weights(seen: &[Look], undisturbed: &[f64]) {
    let mut weights: Vec<f64> = seen
        .iter()
        .filter_map(|look| look.route.as_ref())
        .filter(|route| route.candidate.is_some())
        .map(|route| route.weight.as_percent())
        .collect();
    weights.dedup();
    assert!(weights.is_sorted(), "the candidate's share fell: {weights:?}");
    // Looks are some time apart, so a step may be missed; one that is no step may not be seen.
    assert!(weights.iter().all(|weight| *weight == 0.0 || undisturbed.contains(weight)), "{weights:?}");
    assert!(weights.len() * 2 > undisturbed.len(), "{weights:?}");
}

/// Between two looks the candidate got no more than its greater share then, and no less than its smaller one, give or
/// take what chance does to a share.
fn check_counts(seen: &[Look]) {
    let (mut candidate, mut least, mut most, mut spread, mut late) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let mut had_share = false;
    for (before, after) in seen.iter().zip(&seen[1..]) {
        let is_same_envoy = after.v1 >= before.v1 && after.v2 >= before.v2;
        assert!(is_same_envoy, "Envoy was started again: {before:?}, {after:?}");
        let (v1, v2) = ((after.v1 - before.v1) as f64, (after.v2 - before.v2) as f64);
        let (from, to) = (before.share(), after.share());
        had_share |= from > 0.0;
        if from == 0.0 && to == 0.0 {
            assert!(
                had_share || v2 == 0.0,
                "requests to the candidate before its share: {before:?}, {after:?}"
            );
            // Requests under way at the moment of a rollback are still counted after it.
            late += v2;
            assert!(late <= 20.0, "requests to the candidate after the rollback: {before:?}, {after:?}");
        }
        if before.is_promoted() {
            // Requests under way at the moment of the change may still be counted in the first look after it.
            assert!(v1 <= 20.0, "requests to v1 after v2 took its place: {before:?}, {after:?}");
        }
        candidate += v2;
        least += from.min(to) * (v1 + v2);
        most += from.max(to) * (v1 + v2);
        spread += (v1 + v2) * to * (1.0 - to);
    }
    let chance = 6.0 * f64::sqrt(spread) + 20.0;
    assert!(candidate >= least - chance, "{candidate} requests to the candidate, {least} at least");
    assert!(candidate <= most + chance, "{candidate} requests to the candidate, {most} at most");
}

/// What Envoy showed at one moment: its counters, and the route that was in force before and after them.
#[derive(Debug)]
struct Look {
    v1: u64,
    v2: u64,
    route: Option<Route>,
}

impl Look {
    fn share(&self) -> f64 {
        match &self.route {
            Some(route) => route.share_of(&"v2".into()).as_percent() / 100.0,
            None => 0.0,
        }
    }

    fn is_promoted(&self) -> bool {
        self.route.as_ref().is_some_and(|route| route.stable.as_str() == "v2")
    }
}

/// Looks at the Envoy in a folder again and again, past the example.
fn watch(folder: PathBuf, is_over: Arc<AtomicBool>) -> thread::JoinHandle<Vec<Look>> {
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut seen = Vec::new();
        let client = Client::builder(TokioExecutor::new()).build_http();
        while !is_over.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(50));
            seen.extend(runtime.block_on(look(&client, &folder)));
        }
        seen
    })
}

/// A look, unless the route changed meanwhile, or Envoy is not there.
async fn look(client: &Admin, folder: &Path) -> Option<Look> {
    let addresses: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("addresses.json")).ok()?).ok()?;
    let admin = addresses["admin"].as_str()?;
    let get = async |path: &str| {
        let response = client.get(format!("{admin}/{path}").parse().ok()?).await.ok()?;
        String::from_utf8(response.into_body().collect().await.ok()?.to_bytes().into()).ok()
    };
    let before = route(&get("config_dump?resource=dynamic_route_configs").await?)?;
    let text = get("stats?filter=upstream_rq_completed").await?;
    let after = route(&get("config_dump?resource=dynamic_route_configs").await?)?;
    let count = |cluster: &str| {
        let name = format!("cluster.{cluster}.upstream_rq_completed: ");
        text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok())
    };
    (before == after).then_some(Look { v1: count("v1")?, v2: count("v2")?, route: after })
}

fn route(dump: &str) -> Option<Option<Route>> {
    let dump: Value = serde_json::from_str(dump).ok()?;
    let metadata = &dump["configs"][0]["route_config"]["metadata"]["filter_metadata"]["serinus"]["route"];
    Some(metadata.as_str().map(|route| serde_json::from_str(route).unwrap()))
}

type Admin = Client<HttpConnector, Full<Bytes>>;

fn random() -> u64 {
    RandomState::new().hash_one(0)
}

// A rollout moves only while its process runs. So none is over before its last kill, whatever chance says.
const _: () = assert!(LONGEST_FIRST.as_millis() + LONGEST_NEXT.as_millis() * (KILLS as u128 - 1) < 60 * 1000);
const _: () =
    assert!(LONGEST_FIRST.as_millis() + LONGEST_NEXT.as_millis() * (KILLS_OF_FAULTY as u128 - 1) < 30 * 1000);

static TURN: Mutex<()> = Mutex::new(());
const KILLS: u32 = 20;
const KILLS_OF_FAULTY: u32 = 7;
const LONGEST_FIRST: Duration = Duration::from_secs(14);
const LONGEST_NEXT: Duration = Duration::from_millis(2200);

/// Many small steps, so that the kills are spread over them; each takes a second, so that all of them take longer than
/// the runs that are killed. The window is long, so that it holds enough requests at the speed of the undisturbed run.
const CANARY: &str = r"
apiVersion: flagger.app/v1beta1
kind: Canary
metadata:
  name: checkout
  namespace: shop
spec:
  targetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: checkout
  service:
    port: 80
  analysis:
    interval: 1m
    threshold: 5
    maxWeight: 60
    stepWeight: 1
    metrics:
    - name: request-success-rate
      thresholdRange:
        min: 99
      interval: 10m
";
