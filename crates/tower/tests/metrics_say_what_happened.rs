//! The counters, the answers to questions and the exported text agree with what was done.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    io::Write as _,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{Request, Response, StatusCode};
use serinus_core::{
    metric::{Arms, Query, Question, Sample, Window},
    port::{Fence, MetricProvider as _, PortErrorKind, TrafficRouter as _},
    time::{GoDuration, Timestamp},
    traffic::{Route, Track, Weight},
};
use serinus_tower::{Handle, Split, SplitBuilder};
use tower::{Service as _, util::BoxCloneSyncService};

/// What a request wants to happen: an answer with a status after some milliseconds; none for a failure.
type Wish = (Option<StatusCode>, u64);
type Obedient = BoxCloneSyncService<Request<Wish>, Response<()>, &'static str>;

/// Time that passes only when it is told to.
#[derive(Clone, Default)]
struct Watch(Arc<AtomicU64>);

impl Watch {
    fn advance(&self, milliseconds: u64) {
        self.0.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

struct World {
    watch: Watch,
    split: Split<Obedient>,
    handle: Handle<Obedient>,
}

impl World {
    async fn new(adapt: impl FnOnce(SplitBuilder<Obedient>) -> SplitBuilder<Obedient>) -> Self {
        let watch = Watch::default();
        let obedient = || {
            let watch = watch.clone();
            BoxCloneSyncService::new(tower::service_fn(move |request: Request<Wish>| {
                let (status, milliseconds) = *request.body();
                watch.advance(milliseconds);
                async move {
                    let mut response = Response::new(());
                    *response.status_mut() = status.ok_or("failed on demand")?;
                    Ok(response)
                }
            }))
        };
        let clock = watch.clone();
        let builder = Split::builder()
            .revision("v1", obedient())
            .revision("v2", obedient())
            .stable("v1")
            .clock(move || Duration::from_millis(clock.0.load(Ordering::Relaxed)));
        let (split, handle) = adapt(builder).build().unwrap();
        let route =
            Route { candidate: Some("v2".into()), weight: Weight::FULL, ..Route::all_to("v1".into()) };
        handle.route(&route, Fence::default()).await.unwrap();
        Self { watch, split, handle }
    }

    async fn request(&mut self, wish: Wish) {
        let answer = self.split.call(Request::new(wish)).await;
        assert_eq!(answer.ok().map(|response| response.status()), wish.0);
    }

    async fn ask(&self, name: &str, window: &str) -> Sample {
        self.handle.ask(&question(Query::builtin(name, window.parse().unwrap()))).await.unwrap()
    }
}

fn question(query: Query) -> Question {
    let at = Timestamp::UNIX_EPOCH;
    Question { query: query.into(), candidate: "v2".into(), stable: "v1".into(), at, window: None }
}

const OK: Option<StatusCode> = Some(StatusCode::OK);

#[tokio::test]
async fn success_and_latency_are_those_of_the_window() {
    let mut world = World::new(|builder| builder).await;
    assert!(world.ask(Query::SUCCESS_RATE, "1m").await.is_empty());
    assert!(world.ask(Query::DURATION, "1m").await.is_empty());
    for _ in 0..30 {
        world.request((OK, 100)).await;
    }
    world.request((Some(StatusCode::NOT_FOUND), 100)).await;
    for _ in 0..7 {
        world.request((Some(StatusCode::BAD_GATEWAY), 100)).await;
    }
    world.request((None, 100)).await;
    world.request((None, 1000)).await;
    assert_eq!(world.ask(Query::SUCCESS_RATE, "1m").await, Sample::number(100.0 * 31.0 / 40.0));
    let slowest = world.ask(Query::DURATION, "1m").await.as_number().unwrap().get();
    assert!((slowest - 1000.0).abs() < 32.0, "{slowest}");
    let totals = world.handle.totals(&"v2".into());
    assert_eq!((totals.requests, totals.errors, totals.in_flight, totals.cancelled), (40, 9, 0, 0));

    world.watch.advance(61_000);
    assert!(world.ask(Query::SUCCESS_RATE, "1m").await.is_empty(), "all of it is past");
    assert!(world.ask(Query::DURATION, "1m").await.is_empty());
    for _ in 0..10 {
        world.request((OK, 20)).await;
    }
    assert_eq!(world.ask(Query::SUCCESS_RATE, "1m").await, Sample::number(100.0));
    let slowest = world.ask(Query::DURATION, "1m").await.as_number().unwrap().get();
    assert!((slowest - 20.0).abs() < 1.0, "{slowest}");
    assert_eq!(world.ask(Query::SUCCESS_RATE, "1h").await, Sample::number(100.0 * 41.0 / 50.0));
    assert_eq!(world.handle.totals(&"v1".into()).requests, 0);
}

#[tokio::test]
async fn both_arms_are_counted_between_the_same_moments() {
    let mut world = World::new(|builder| builder).await;
    let at = |secs: u64| GoDuration::from_secs(secs).after(Timestamp::UNIX_EPOCH);
    let ask = async |world: &World, from: u64, to: u64| {
        let window = Some(Window { from: at(from), to: at(to) });
        let query = Query::builtin(Query::ARMS, GoDuration::from_secs(15));
        world.handle.ask(&Question { window, ..question(query) }).await
    };
    let counts = |sample: &Sample| {
        let arms = Arms::try_from(sample).unwrap();
        [arms.stable, arms.candidate].map(|arm| (arm.requests, arm.failures))
    };
    world.request((OK, 10)).await;
    let unknown = ask(&world, 0, 15).await.unwrap_err();
    assert_eq!(unknown.kind(), PortErrorKind::Transient, "nobody knows what was before");
    for _ in 0..3 {
        world.request((OK, 10)).await;
    }
    world.request((Some(StatusCode::BAD_GATEWAY), 10)).await;
    let first = ask(&world, 15, 30).await.unwrap();
    assert_eq!(counts(&first), [(0, 0), (4, 1)]);
    world.request((OK, 10)).await;
    assert_eq!(ask(&world, 15, 30).await.unwrap(), first, "asked again, it is the same");
    assert_eq!(counts(&ask(&world, 30, 45).await.unwrap()), [(0, 0), (1, 0)], "and the rest is in the next");
    assert_eq!(
        counts(&ask(&world, 45, 45).await.unwrap()),
        [(0, 0), (0, 0)],
        "an empty window is a beginning"
    );

    // Nothing of the time after a change of the route belongs to a window of the time before.
    world.request((OK, 10)).await;
    let route = Route { candidate: Some("v2".into()), ..Route::all_to("v1".into()) };
    world.handle.route(&route, Fence { epoch: 0, seq: 1 }).await.unwrap();
    world.request((OK, 10)).await;
    world.request((OK, 10)).await;
    assert_eq!(counts(&ask(&world, 45, 60).await.unwrap()), [(0, 0), (1, 0)]);
    world.request((None, 10)).await;
    assert_eq!(counts(&ask(&world, 60, 75).await.unwrap()), [(1, 1), (0, 0)]);
    // The same route under another fence is no change for anybody.
    world.request((OK, 10)).await;
    world.handle.route(&route, Fence { epoch: 1, seq: 1 }).await.unwrap();
    world.request((OK, 10)).await;
    assert_eq!(counts(&ask(&world, 75, 80).await.unwrap()), [(2, 0), (0, 0)]);
    let arms = Arms::try_from(&ask(&world, 15, 30).await.unwrap()).unwrap();
    let (edge, all) = *arms.candidate.latency.last().unwrap();
    assert_eq!((edge.get(), all), (f64::INFINITY, 4));

    let backward = ask(&world, 90, 75).await.unwrap_err();
    assert_eq!(backward.kind(), PortErrorKind::Invalid);
    let without = world.handle.ask(&question(Query::builtin(Query::ARMS, GoDuration::from_secs(15)))).await;
    assert_eq!(without.unwrap_err().kind(), PortErrorKind::Invalid);
}

#[tokio::test]
async fn a_window_passes_faster_where_time_does() {
    let mut world = World::new(|builder| builder.speed(60.0)).await;
    world.request((None, 50)).await;
    world.watch.advance(900);
    assert_eq!(world.ask(Query::SUCCESS_RATE, "1m").await, Sample::number(0.0));
    world.watch.advance(200);
    assert!(world.ask(Query::SUCCESS_RATE, "1m").await.is_empty());
}

#[tokio::test]
async fn rates_are_per_second() {
    let mut world = World::new(|builder| builder).await;
    for _ in 0..1000 {
        world.request((OK, 10)).await;
    }
    let rate = world.handle.rate(&"v2".into(), Duration::from_secs(5));
    assert!((rate - 100.0).abs() < 6.0, "{rate}");
    assert_eq!(world.handle.rate(&"v9".into(), Duration::from_secs(5)), 0.0);
}

#[tokio::test]
async fn a_question_in_another_language_is_refused_by_name() {
    let world = World::new(|builder| builder).await;
    let window = GoDuration::from_mins(1);
    for query in [Query::new("prometheus", "up"), Query::builtin("saturation", window)] {
        let error = world.handle.ask(&question(query.clone())).await.unwrap_err();
        assert_eq!(error.kind(), PortErrorKind::Invalid);
        assert!(error.chain().contains(&format!("`{}`", query.text)), "{}", error.chain());
    }
    let empty = question(Query::builtin(Query::DURATION, GoDuration::ZERO));
    assert_eq!(world.handle.ask(&empty).await.unwrap_err().kind(), PortErrorKind::Invalid);
    let mut other = question(Query::builtin(Query::DURATION, window));
    other.candidate = "v9".into();
    assert_eq!(world.handle.ask(&other).await.unwrap_err().kind(), PortErrorKind::NotFound);
}

#[tokio::test]
async fn a_request_whose_caller_goes_away_counts_as_cancelled() {
    let mut world = World::new(|builder| builder).await;
    let abandoned = world.split.call(Request::new((OK, 1)));
    let totals = || world.handle.totals(&"v2".into());
    assert_eq!((totals().in_flight, totals().cancelled), (1, 0));
    drop(abandoned);
    assert_eq!((totals().in_flight, totals().cancelled, totals().requests), (0, 1, 0));
}

#[tokio::test]
async fn the_exported_text_holds_the_labels_asked_for() {
    let mut world = World::new(|builder| {
        builder
            .label("namespace", "shop")
            .label_track(Track::Candidate, "service", "cart-canary")
            .label_track(Track::Stable, "service", "cart-stable")
            .label_revision("v2", "job", "odd \"name\"\\\n")
    })
    .await;
    for _ in 0..3 {
        world.request((OK, 3)).await;
    }
    world.request((None, 3)).await;
    let text = world.handle.render_prometheus();
    let labels =
        r#"job="odd \"name\"\\\n",namespace="shop",service="cart-canary",revision="v2",track="candidate""#;
    for line in [
        format!("http_requests_total{{{labels},status=\"200\"}} 3"),
        format!("http_requests_total{{{labels},status=\"500\"}} 1"),
        format!("http_request_duration_seconds_bucket{{{labels},status=\"200\",le=\"0.002048\"}} 0"),
        format!("http_request_duration_seconds_bucket{{{labels},status=\"200\",le=\"0.003072\"}} 3"),
        format!("http_request_duration_seconds_bucket{{{labels},status=\"200\",le=\"+Inf\"}} 3"),
        format!("http_request_duration_seconds_sum{{{labels},status=\"200\"}} 0.009"),
        format!("http_request_duration_seconds_count{{{labels},status=\"200\"}} 3"),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
    }
    world.handle.route(&Route::all_to("v2".into()), Fence::default()).await.unwrap();
    let text = world.handle.render_prometheus();
    assert!(text.contains("service=\"cart-stable\",revision=\"v2\",track=\"stable\",status=\"200\"} 3"));
    prometheus_reads(&text);
}

/// Asks the tool that comes with Prometheus; where there is none, says so.
fn prometheus_reads(text: &str) {
    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut tool) = started else {
        eprintln!("skipped: promtool not found");
        return;
    };
    tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = tool.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
}
