//! The counters, the answers to questions and the exported text agree with what was done.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    collections::BTreeSet,
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
use serinus_tower::{Handle, Split, SplitBuilder, Sticky};
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
async fn windows_may_have_a_clock_of_their_own() {
    let windows = Watch::default();
    let clock = windows.clone();
    let mut world = World::new(|builder| {
        builder.window_clock(move || Duration::from_millis(clock.0.load(Ordering::Relaxed)))
    })
    .await;
    for _ in 0..10 {
        world.request((OK, 700)).await;
    }
    world.watch.advance(600_000);
    assert_eq!(world.ask(Query::SUCCESS_RATE, "1m").await, Sample::number(100.0), "their clock stood still");
    let slowest = world.ask(Query::DURATION, "1m").await.as_number().unwrap().get();
    assert!((slowest - 700.0).abs() < 23.0, "{slowest} by the clock of latencies");
    windows.advance(61_000);
    assert!(world.ask(Query::SUCCESS_RATE, "1m").await.is_empty(), "all of it is past");
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
async fn a_control_group_is_as_large_as_the_candidate_and_counts_apart() {
    let mut world = World::new(SplitBuilder::control_group).await;
    let at = |second| Timestamp::from_second(second).unwrap();
    let mut seen = Vec::new();
    // The group is as large as the candidate up to a third, and half of what is left beyond.
    for (round, (percent, expected)) in
        [(10.0, [800, 100, 100]), (60.0, [200, 600, 200]), (100.0, [0, 1000, 0])].into_iter().enumerate()
    {
        let candidate = Some("v2".into());
        let route = Route { candidate, weight: Weight::percent(percent), ..Route::all_to("v1".into()) };
        world.handle.route(&route, Fence::default()).await.unwrap();
        let window = |from, to| Some(Window { from: at(from), to: at(to) });
        let query = || question(Query::builtin(Query::ARMS, GoDuration::from_secs(15)));
        let second = 100 * i64::try_from(round).unwrap();
        world.handle.ask(&Question { window: window(second, second), ..query() }).await.unwrap();
        for number in 0..1000 {
            let status = if number % 4 == 0 { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
            world.request((Some(status), 7)).await;
        }
        let asked = Question { window: window(second, second + 15), ..query() };
        let arms = Arms::try_from(&world.handle.ask(&asked).await.unwrap()).unwrap();
        let control = arms.control.unwrap();
        let found = [&arms.stable, &arms.candidate, &control];
        for (arm, expected) in found.into_iter().zip(expected) {
            assert!(arm.requests.abs_diff(expected) <= 2, "{percent} %: {found:?}");
            assert!(arm.failures.abs_diff(expected / 4) <= 3, "{percent} %: {found:?}");
            assert_eq!(arm.latency.last().unwrap().1, arm.requests);
        }
        assert_eq!(found.iter().map(|arm| arm.requests).sum::<u64>(), 1000);
        assert_eq!(found.iter().map(|arm| arm.failures).sum::<u64>(), 250);
        seen.push(control.requests);
    }
    let text = world.handle.render_prometheus();
    let exported: u64 = text
        .lines()
        .filter(|line| line.starts_with("http_requests_total") && line.contains("track=\"control\""))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum();
    assert_eq!(exported, seen.iter().sum::<u64>(), "{text}");
    let all = world.handle.totals(&"v1".into()).requests + world.handle.totals(&"v2".into()).requests;
    let requests = text.lines().filter(|line| line.starts_with("http_requests_total"));
    let exported: u64 = requests.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!((all, exported), (3000, 3000), "{text}");
}

#[tokio::test]
async fn a_subject_stays_in_the_control_group_and_never_gets_the_candidate_from_there() {
    let sticky = Sticky::header("x-user").salt("checkout");
    let mut world = World::new(|builder| builder.control_group().sticky(sticky)).await;
    let ask = |second| {
        let at = Timestamp::from_second(second).unwrap();
        let query = Query::builtin(Query::ARMS, GoDuration::from_secs(15));
        Question { window: Some(Window { from: at, to: at }), ..question(query) }
    };
    let mut groups = Vec::new();
    for (number, percent) in [(0, 5.0), (1, 20.0), (2, 33.0)] {
        let route = Route {
            candidate: Some("v2".into()),
            weight: Weight::percent(percent),
            ..Route::all_to("v1".into())
        };
        world.handle.route(&route, Fence::default()).await.unwrap();
        let mut group = BTreeSet::new();
        for user in 0..200 {
            let second = 1000 * number + 2 * user;
            world.handle.ask(&ask(second)).await.unwrap();
            let mut request = Request::new((Some(StatusCode::OK), 1));
            request.headers_mut().insert("x-user", format!("user-{user}").parse().unwrap());
            world.split.call(request).await.unwrap();
            let (from, to) = (ask(second).window.unwrap().from, ask(second + 1).window.unwrap().to);
            let asked = Question { window: Some(Window { from, to }), ..ask(second) };
            let arms = Arms::try_from(&world.handle.ask(&asked).await.unwrap()).unwrap();
            if arms.control.unwrap().requests == 1 {
                assert_eq!((arms.stable.requests, arms.candidate.requests), (0, 0));
                group.insert(user);
            }
        }
        assert!(group.len().abs_diff((percent * 2.0) as usize) < 20, "{percent} %: {}", group.len());
        groups.push(group);
    }
    assert!(groups[0].is_subset(&groups[1]) && groups[1].is_subset(&groups[2]), "{groups:?}");
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
