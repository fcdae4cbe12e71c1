//! A Prometheus of our own.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    time::Duration,
};

use http::Method;
use serinus_prom::{Client, Value};

use crate::{
    problem::{Because as _, Problem},
    process::{Guarded, find, last_lines},
    server,
};

/// A Prometheus that scrapes some addresses, until this value is dropped.
#[derive(Debug)]
pub(crate) struct Prometheus {
    pub(crate) address: String,
    _process: Guarded,
}

impl Prometheus {
    /// Starts the `prometheus` on the PATH, with its files in `folder`, and waits until it is ready. `targets` are
    /// pairs of an address and a path.
    pub(crate) async fn start(folder: &Path, targets: &[(String, &str)]) -> Result<Self, Problem> {
        let program = program()?;
        let config = folder.join("prometheus.yml");
        fs::write(&config, configuration(targets)).because("cannot write the configuration of Prometheus")?;
        // Prometheus does not say which port the kernel gave it, so one is chosen for it.
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .because("no free port on loopback")?
            .port();
        let arguments = [
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", folder.join("prometheus").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--log.level=warn".to_owned(),
        ];
        let log = folder.join("prometheus.log");
        let process = Guarded::start(&program, &arguments, &log)?;
        let prometheus = Self { address: format!("http://127.0.0.1:{port}"), _process: process };
        let client = server::client();
        for _ in 0..100 {
            if server::text(&client, Method::GET, &format!("{}/-/ready", prometheus.address)).await.is_ok() {
                return Ok(prometheus);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(Problem::new(format!("Prometheus does not start:\n{}", last_lines(&log))))
    }
}

/// The `prometheus` on the PATH.
pub(crate) fn program() -> Result<PathBuf, Problem> {
    find("prometheus").ok_or_else(|| {
        Problem::new(
            "`prometheus` is not on the PATH: install it, or give the address of one: --prometheus URL",
        )
    })
}

/// Waits until the Prometheus at an address has an answer for a query, which takes some seconds after its start.
/// `metrics` is what it is to scrape.
pub(crate) async fn wait_for(address: &str, query: &str, metrics: &str) -> Result<(), Problem> {
    let client = Client::new(address).because("cannot ask Prometheus")?;
    for _ in 0..150 {
        let answer = client.query(query, None).await.because("cannot ask Prometheus")?;
        if matches!(answer.value, Value::Vector(samples) if !samples.is_empty()) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(Problem::new(format!(
        "{} has no data for `{query}` after 30 s, so it does not scrape the data plane: let it scrape {metrics} \
         every second or more often, with `honor_labels: true`; --metrics-port chooses the port",
        client.address()
    )))
}

fn configuration(targets: &[(String, &str)]) -> String {
    let mut text = String::from(
        "global: {scrape_interval: 500ms, scrape_timeout: 450ms, evaluation_interval: 1m}\nscrape_configs:\n",
    );
    for (index, (address, path)) in targets.iter().enumerate() {
        text.push_str(&format!(
            "- job_name: target-{index}\n  honor_labels: true\n  metrics_path: {path}\n  static_configs: \
             [{{targets: ['{address}']}}]\n"
        ));
        if path.contains("stats") {
            // Envoy has a thousand series that nobody asks for here.
            text.push_str(
                "  metric_relabel_configs: [{source_labels: [__name__], regex: \
                 'envoy_cluster_upstream_rq.*', action: keep}]\n",
            );
        }
    }
    text
}
