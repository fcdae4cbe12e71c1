//! A guarded flag is judged by a Prometheus that scrapes it, instead of by its own counters.

#![expect(clippy::unwrap_used, reason = "the harness of tests may panic")]

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, routing::get};
use clock::ScaledClock;
use serinus::{
    analysis::{Analysis, Compared, Comparison, Metric},
    rollout,
    strategy::Canary,
    time::{GoDuration, Timestamp},
    traffic::Weight,
};
use serinus_flags::{Context, Deciding, Flags, Format, Outcome};
use serinus_prom::{Client, PrometheusProvider};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

#[expect(dead_code, reason = "shared with an example")]
#[path = "../examples/rollout/clock.rs"]
mod clock;
#[expect(dead_code, reason = "shared by several test programs")]
mod support;

const DOCUMENT: &str = r#"{"flags": {"checkout": {
    "state": "ENABLED", "variants": {"new": true, "old": false}, "defaultVariant": "old"
}}}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_prometheus_counts_takes_the_candidate_back_or_lets_it_out() {
    if !support::has_prometheus() {
        return;
    }
    let (faulty, healthy) = tokio::join!(judged(300), judged(20));
    assert!(
        matches!(&faulty, rollout::Outcome::Aborted(reason) if reason.contains("failures")),
        "{faulty:?}"
    );
    assert_eq!(healthy, rollout::Outcome::Promoted);
}

/// How a rollout ends whose candidate fails so many times in a thousand, and whose default fails 20 times.
async fn judged(faults: u64) -> rollout::Outcome {
    let flags = Flags::default();
    flags.update(DOCUMENT.as_bytes(), Format::Json).unwrap();
    let scraped = serve(flags.clone()).await;
    let prometheus = Prometheus::start(scraped).await;
    let client = Client::new(format!("http://127.0.0.1:{}", prometheus.port)).unwrap();
    let analysis = Analysis::of("orders", [failures()]).without_end();
    let plan = Canary::between_variants()
        .analyse_beside(analysis)
        .ladder([Weight::percent(50.0)], GoDuration::from_secs(12))
        .plan()
        .unwrap();
    let guard = flags
        .guard("checkout")
        .candidate("new")
        .plan(plan)
        .deciding(Deciding::here())
        .metrics(Arc::new(PrometheusProvider::new(client)))
        .build()
        .unwrap();
    let visits = {
        let (flags, guard) = (flags.clone(), guard.clone());
        tokio::spawn(async move {
            for round in 0_u64.. {
                for number in 0..200 {
                    let context = Context::new(format!("user-{number}"));
                    let is_new = flags.bool("checkout", &context).unwrap();
                    let drawn = (round * 200 + number).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
                    let fails = drawn % 1_000 < if is_new { faults } else { 20 };
                    guard.record(&context, if fails { Outcome::Error } else { Outcome::Success });
                }
                sleep(Duration::from_millis(50)).await;
            }
        })
    };
    let clock = Arc::new(ScaledClock::starting_at(Timestamp::now(), 1.0));
    let ended = timeout(Duration::from_secs(100), guard.finish(clock)).await;
    visits.abort();
    assert!(ended.is_ok(), "it does not end: {:?}", guard.notes());
    ended.unwrap().unwrap()
}

/// The selectors that the documentation of [`Flags::metrics`] has.
fn failures() -> Metric {
    let selector = |cohort: &str, more: &str| {
        format!("feature_flag_outcomes_total{{feature_flag_key=\"checkout\",cohort=\"{cohort}\"{more}}}")
    };
    let comparison = Comparison { settle: GoDuration::from_secs(1), ..Comparison::of(Compared::Failures) };
    let mut metric = Metric { interval: Some(GoDuration::from_secs(3)), ..comparison.metric("failures") };
    metric.query.settings = BTreeMap::from([
        ("candidate.requests".to_owned(), selector("candidate", "")),
        ("candidate.failures".to_owned(), selector("candidate", ",outcome=\"error\"")),
        ("stable.requests".to_owned(), selector("control", "")),
        ("stable.failures".to_owned(), selector("control", ",outcome=\"error\"")),
    ]);
    metric
}

async fn serve(flags: Flags) -> u16 {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = Router::new().route("/metrics", get(move || async move { flags.metrics() }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

struct Prometheus {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Prometheus {
    async fn start(scraped: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("prometheus.yml");
        let text = format!(
            "global: {{scrape_interval: 500ms, scrape_timeout: 450ms}}\nscrape_configs:\n- job_name: flags\n  \
             static_configs: [{{targets: ['127.0.0.1:{scraped}']}}]\n"
        );
        fs::write(&config, text).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--log.level=error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let prometheus = Self { process, port, _folder: folder };
        let (started, ready) = (Instant::now(), format!("http://127.0.0.1:{port}/-/ready"));
        while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(started.elapsed() < Duration::from_secs(30), "prometheus does not get ready");
            sleep(Duration::from_millis(50)).await;
        }
        prometheus
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
