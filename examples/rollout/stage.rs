//! What a cluster would provide: the two versions, a data plane, somebody who sends requests, a Prometheus.

use std::{
    collections::BTreeMap,
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Response};
use http_body_util::Full;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serinus::{
    port::TrafficRouter,
    traffic::{Revision, Route},
};
use serinus_tower::Handle;
use tempfile::TempDir;

use crate::{
    arguments::Fault,
    beat::Beat,
    embedded::{self, Upstream},
    envoy::{self, EnvoyRouter},
    envoy_config::{bootstrap, route_file},
    exposition::Services,
    load::{self, Mix, Sender},
    problem::{Because as _, Problem},
    process::{Guarded, find, last_lines},
    prometheus::{Prometheus, wait_for},
    server::{self, serve_on},
    service,
    workload::{CANDIDATE, STABLE},
};

/// What is wanted of the surroundings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// What is wrong with the candidate, as it is written on the command line.
    pub(crate) fault: Option<String>,
    /// What is always wrong with stable, written the same way.
    #[serde(default)]
    pub(crate) stable_fault: Option<String>,
    /// The revision that takes all traffic at first.
    pub(crate) stable: String,
    pub(crate) mix: Mix,
    pub(crate) services: Services,
    pub(crate) speed: f64,
    pub(crate) envoy: bool,
    /// The address of a Prometheus, or `auto`.
    pub(crate) prometheus: Option<String>,
    /// The port at which the data plane's metrics can be scraped; 0: any.
    pub(crate) metrics_port: u16,
}

/// The surroundings of a rollout. They end when this value is dropped, except those in another process.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) plane: Plane,
    /// The time by which it is lived here.
    pub(crate) beat: Beat,
    /// The address of the Prometheus that scrapes the data plane.
    pub(crate) prometheus: Option<String>,
    /// Where the metrics can be scraped.
    pub(crate) metrics: String,
    _sender: Option<Sender>,
    _processes: (Option<Guarded>, Option<Prometheus>),
    _folder: Option<TempDir>,
}

/// What each revision has answered: requests, and how many of them with a 5xx.
pub(crate) type Answered = BTreeMap<Revision, (u64, u64)>;

/// What carries the traffic.
#[derive(Clone, Debug)]
pub(crate) enum Plane {
    /// A split in this process.
    Embedded(Handle<Upstream>),
    /// An Envoy.
    Envoy(Box<EnvoyRouter>),
}

impl Plane {
    /// What the rollout steers.
    pub(crate) fn router(&self) -> Arc<dyn TrafficRouter> {
        match self {
            Self::Embedded(handle) => Arc::new(handle.clone()),
            Self::Envoy(router) => Arc::new(EnvoyRouter::clone(router)),
        }
    }

    /// What each revision has answered so far.
    pub(crate) async fn totals(&self) -> Result<Answered, Problem> {
        match self {
            Self::Embedded(handle) => Ok(handle
                .all_totals()
                .into_iter()
                .map(|(revision, totals)| (revision, (totals.requests, totals.errors)))
                .collect()),
            Self::Envoy(router) => router.totals().await,
        }
    }
}

impl Stage {
    /// Starts everything. Files go to `folder`, or to a folder that is removed in the end.
    pub(crate) async fn start(wanted: &Wanted, folder: Option<&Path>) -> Result<Self, Problem> {
        let temporary = match folder {
            None => Some(tempfile::tempdir().because("cannot make a temporary folder")?),
            Some(_) => None,
        };
        let folder = folder.or(temporary.as_ref().map(TempDir::path)).unwrap_or(Path::new("."));
        let fault = |written: &Option<String>| -> Result<Option<Fault>, Problem> {
            written.as_deref().map(str::parse).transpose().map_err(Problem::new)
        };
        let faults = [fault(&wanted.stable_fault)?, fault(&wanted.fault)?];
        let stable = service::start(STABLE, faults[0]).await?;
        let candidate = service::start(CANDIDATE, faults[1]).await?;
        // Other programs live in real time.
        let beat = if wanted.envoy || wanted.prometheus.is_some() { Beat::real() } else { load::beat() };
        let (plane, front, envoy) = if wanted.envoy {
            let (router, front, process) =
                start_envoy(folder, &wanted.stable, stable.address, candidate.address).await?;
            (Plane::Envoy(Box::new(router)), front, Some(process))
        } else {
            let (front, handle) = embedded::start(
                &wanted.stable,
                stable.address,
                candidate.address,
                wanted.speed,
                beat.clone(),
            )
            .await?;
            (Plane::Embedded(handle), front, None)
        };
        let mut targets = Vec::new();
        if let Plane::Envoy(router) = &plane {
            targets.push((router.admin().trim_start_matches("http://").to_owned(), "/stats/prometheus"));
        }
        let (router, exposed, services) = (plane.router(), plane.clone(), wanted.services.clone());
        let first = Revision::from(wanted.stable.as_str());
        let metrics = serve_on(wanted.metrics_port, move |_| {
            let text = match &exposed {
                Plane::Embedded(handle) => handle.render_prometheus(),
                // Beside what Envoy counts, the services count for themselves.
                Plane::Envoy(_) => {
                    stable.metrics.render_prometheus() + &candidate.metrics.render_prometheus()
                }
            };
            let (router, services, first) = (Arc::clone(&router), services.clone(), first.clone());
            async move {
                let route = router.read().await.ok().flatten();
                let route = route.map_or_else(|| Route::all_to(first.clone()), |route| route.value);
                Response::new(Full::<Bytes>::from(services.label(&text, &route)))
            }
        })
        .await?;
        targets.push((metrics.to_string(), "/metrics"));
        let sender = load::start(front, wanted.mix.clone(), beat.clone(), slowest(&faults));
        let started = match wanted.prometheus.as_deref() {
            Some("auto") => Some(Prometheus::start(folder, &targets).await?),
            _ => None,
        };
        let prometheus = match &started {
            Some(started) => Some(started.address.clone()),
            None => wanted.prometheus.clone(),
        };
        let metrics = format!("http://{metrics}/metrics");
        if let Some(address) = &prometheus {
            let counts = if wanted.envoy { "envoy_cluster_upstream_rq_xx" } else { "http_requests_total" };
            wait_for(address, &format!("rate({counts}[4s]) > 0"), &metrics).await?;
        }
        Ok(Self {
            plane,
            beat,
            prometheus,
            metrics,
            _sender: Some(sender),
            _processes: (envoy, started),
            _folder: temporary,
        })
    }

    /// The surroundings that another process keeps up.
    pub(crate) fn elsewhere(folder: &Path, admin: &str, prometheus: String, metrics: String) -> Self {
        Self {
            plane: Plane::Envoy(Box::new(EnvoyRouter::new(folder.join("routes"), admin))),
            beat: Beat::real(),
            prometheus: Some(prometheus),
            metrics,
            _sender: None,
            _processes: (None, None),
            _folder: None,
        }
    }
}

/// How much longer a request may take because of a fault.
fn slowest(faults: &[Option<Fault>]) -> Duration {
    let latencies = faults.iter().flatten().filter_map(|fault| match fault {
        Fault::Latency(more) => Some(*more),
        Fault::ErrorRate(_) => None,
    });
    latencies.max().unwrap_or_default()
}

/// The Envoy that is named in the environment, or the one on the PATH.
pub(crate) fn envoy_program() -> Result<PathBuf, Problem> {
    env::var_os("SERINUS_ENVOY").map(PathBuf::from).or_else(|| find("envoy")).ok_or_else(|| {
        Problem::new(
            "`envoy` is not on the PATH: install it, or name it in SERINUS_ENVOY; or leave --envoy out",
        )
    })
}

async fn start_envoy(
    folder: &Path,
    first: &str,
    stable: SocketAddr,
    candidate: SocketAddr,
) -> Result<(EnvoyRouter, SocketAddr, Guarded), Problem> {
    let program = envoy_program()?;
    let cannot = "cannot write the configuration of Envoy";
    let routes = folder.join("routes");
    fs::create_dir_all(&routes).because(cannot)?;
    envoy::replace(&routes, &route_file(&Route::all_to(first.into()), None)).because(cannot)?;
    let (config, admin) = (folder.join("envoy.json"), folder.join("envoy-admin"));
    fs::write(&config, bootstrap(&routes, stable, candidate).to_string()).because(cannot)?;
    let arguments = [
        format!("--config-path {}", config.display()),
        format!("--admin-address-path {}", admin.display()),
        "--concurrency 1".to_owned(),
        "--disable-hot-restart".to_owned(),
        "--reject-unknown-dynamic-fields".to_owned(),
        "--log-level warning".to_owned(),
    ];
    let arguments: Vec<_> = arguments.iter().flat_map(|one| one.splitn(2, ' ')).map(str::to_owned).collect();
    let log = folder.join("envoy.log");
    let process = Guarded::start(&program, &arguments, &log)?;
    let client = server::client();
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let Ok(address) = fs::read_to_string(&admin) else { continue };
        let admin = format!("http://{address}");
        let ready = server::text(&client, Method::GET, &format!("{admin}/ready")).await;
        if !ready.is_ok_and(|text| text.trim() == "LIVE") {
            continue;
        }
        let text = server::text(&client, Method::GET, &format!("{admin}/listeners?format=json")).await?;
        let listeners: Value = serde_json::from_str(&text).because("Envoy's listeners cannot be read")?;
        let address = &listeners["listener_statuses"][0]["local_address"]["socket_address"];
        let port = address["port_value"].as_u64().and_then(|port| u16::try_from(port).ok());
        let port =
            port.ok_or_else(|| Problem::new(format!("Envoy does not say where it listens: {text}")))?;
        return Ok((EnvoyRouter::new(routes, admin), ([127, 0, 0, 1], port).into(), process));
    }
    Err(Problem::new(format!("Envoy does not start:\n{}", last_lines(&log))))
}
