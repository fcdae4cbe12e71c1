//! The example with a real Prometheus: a manifest of Argo Rollouts of the textbook kind, judged by its own PromQL.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

#[expect(dead_code, reason = "shared by several test programs")]
mod support;

const TEXTBOOK: &str = "examples/manifests/checkout-rollout.yaml";

#[test]
fn prometheus_promotes_the_healthy_candidate() {
    if !support::has_prometheus() {
        return;
    }
    let run = support::run(&[
        "--json",
        "--healthy",
        "--prometheus",
        "auto",
        "--speed",
        "30",
        "--manifest",
        TEXTBOOK,
    ]);
    assert_eq!((run.outcomes(), run.code), (vec!["promoted"], Some(0)), "{}", run.told());
    assert_eq!(run.weights(), [5.0, 25.0, 50.0], "{}", run.told());
    let measured = run.of("note").filter(|note| note["rule"] == "measured").count();
    assert_eq!(measured, 10, "{}", run.told());
    // What was asked is shown: the manifest's own query, with a window that fits the speed.
    let remarks = run.of("run").next().unwrap()["remarks"].to_string();
    assert!(remarks.contains("checkout-canary") && remarks.contains("[4s]"), "{remarks}");
}

#[test]
fn prometheus_rolls_the_faulty_candidate_back() {
    if !support::has_prometheus() {
        return;
    }
    let run = support::run(&[
        "--json",
        "--fault",
        "error-rate=10%",
        "--prometheus",
        "auto",
        "--speed",
        "30",
        "--manifest",
        TEXTBOOK,
    ]);
    assert_eq!((run.outcomes(), run.code), (vec!["rolledBack"], Some(1)), "{}", run.told());
    assert_eq!(run.weights().first(), Some(&5.0), "{}", run.told());
    assert!(run.weights().iter().all(|weight| *weight <= 5.0), "{}", run.told());
    let reason = run.of("ended").next().unwrap()["reason"].as_str().unwrap();
    assert!(reason.contains("success-rate"), "{reason}");
}

#[test]
fn the_built_in_metrics_of_a_canary_are_answered_by_prometheus_too() {
    if !support::has_prometheus() {
        return;
    }
    let run = support::run(&["--json", "--healthy", "--prometheus", "auto"]);
    assert_eq!((run.outcomes(), run.code), (vec!["promoted"], Some(0)), "{}", run.told());
    assert_eq!(run.weights(), [10.0, 20.0, 30.0, 40.0, 50.0], "{}", run.told());
}

#[test]
fn a_prometheus_that_runs_already_is_asked_when_it_scrapes_the_data_plane() {
    if !support::has_prometheus() {
        return;
    }
    let metrics = free_port();
    let prometheus = Prometheus::start(metrics);
    let address = format!("http://127.0.0.1:{}", prometheus.port);
    let arguments = ["--json", "--prometheus", &address, "--metrics-port", &metrics.to_string()];
    let healthy = support::run(&[&arguments[..], &["--healthy", "--speed", "30"]].concat());
    assert_eq!((healthy.outcomes(), healthy.code), (vec!["promoted"], Some(0)), "{}", healthy.told());
    assert_eq!(healthy.weights(), [10.0, 20.0, 30.0, 40.0, 50.0], "{}", healthy.told());
    let scraped = &healthy.of("started").next().unwrap()["metrics"];
    assert_eq!(*scraped, format!("http://127.0.0.1:{metrics}/metrics"));
    // It was this one that answered: two questions for each of five weights.
    assert!(prometheus.queries() >= 10, "{} queries\n{}", prometheus.queries(), healthy.told());

    let faulty = support::run(&[&arguments[..], &["--fault", "error-rate=10%", "--speed", "30"]].concat());
    assert_eq!((faulty.outcomes(), faulty.code), (vec!["rolledBack"], Some(1)), "{}", faulty.told());
}

/// A Prometheus that somebody runs, apart from the example.
struct Prometheus {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Prometheus {
    /// One that scrapes a port of loopback.
    fn start(scraped: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("prometheus.yml");
        let text = format!(
            "global: {{scrape_interval: 500ms, scrape_timeout: 450ms}}\nscrape_configs:\n- job_name: rollout\n  \
             honor_labels: true\n  static_configs: [{{targets: ['127.0.0.1:{scraped}']}}]\n"
        );
        fs::write(&config, text).unwrap();
        let port = free_port();
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
        let started = Instant::now();
        while !prometheus.get("/-/ready").starts_with("HTTP/1.0 200") {
            assert!(started.elapsed() < Duration::from_secs(30), "prometheus does not get ready");
            thread::sleep(Duration::from_millis(50));
        }
        prometheus
    }

    /// How many queries it has answered, as it counts them itself.
    fn queries(&self) -> u64 {
        let text = self.get("/metrics");
        let counts = text.lines().filter(|line| {
            line.starts_with("prometheus_http_requests_total") && line.contains("/api/v1/query\"")
        });
        counts.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }

    /// An answer with its head; nothing if there is none.
    fn get(&self, path: &str) -> String {
        let mut answer = Vec::new();
        let asked = TcpStream::connect(("127.0.0.1", self.port)).and_then(|mut stream| {
            stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())?;
            stream.read_to_end(&mut answer)
        });
        asked.map(|_| String::from_utf8_lossy(&answer).into_owned()).unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
