//! A real Envoy as data plane: its weights stand in a route file that is replaced by rename.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use http::Method;
use serde_json::Value;
use serinus::{
    port::{Fence, Fenced, PortError, PortErrorKind, TrafficRouter},
    traffic::Route,
};

use crate::{
    envoy_config::{fence_and_route, route_file},
    problem::Problem,
    server::{self, Client},
    stage::Answered,
};

/// Steers an Envoy that watches a folder, and asks its admin interface what is in force.
///
/// The fence and the route stand in the metadata of Envoy's own route configuration, so they are in the same write
/// as the weights. What is read is not the file but what Envoy shows: a file that it refuses, or has not taken yet,
/// is not in force.
#[derive(Clone, Debug)]
pub(crate) struct EnvoyRouter {
    folder: PathBuf,
    admin: String,
    client: Client,
}

impl EnvoyRouter {
    /// Steers the Envoy that watches `folder` and whose admin interface is at `admin`, such as `http://127.0.0.1:1`.
    pub(crate) fn new(folder: impl Into<PathBuf>, admin: impl Into<String>) -> Self {
        Self { folder: folder.into(), admin: admin.into(), client: server::client() }
    }

    /// The address of the admin interface.
    pub(crate) fn admin(&self) -> &str {
        &self.admin
    }

    /// What each revision has answered since Envoy started: requests, and how many of them with a 5xx.
    pub(crate) async fn totals(&self) -> Result<Answered, Problem> {
        let filter = "stats?filter=%5Ecluster%5C.v%5B12%5D%5C.upstream_rq_(completed%7C5xx)%24";
        let text = server::text(&self.client, Method::GET, &format!("{}/{filter}", self.admin)).await?;
        let mut totals = Answered::new();
        for line in text.lines() {
            let Some((name, value)) = line.split_once(": ") else { continue };
            let mut parts = name.split('.').skip(1);
            let (Some(revision), Some(counter), Ok(value)) = (parts.next(), parts.next(), value.parse())
            else {
                continue;
            };
            let total = totals.entry(revision.into()).or_default();
            match counter {
                "upstream_rq_completed" => total.0 = value,
                _ => total.1 = value,
            }
        }
        Ok(totals)
    }

    async fn in_force(&self) -> Result<Option<Fenced<Route>>, PortError> {
        let uri = format!("{}/config_dump?resource=dynamic_route_configs", self.admin);
        let text = server::text(&self.client, Method::GET, &uri).await.map_err(transient)?;
        let dump: Value = serde_json::from_str(&text).map_err(transient)?;
        fence_and_route(&dump["configs"][0]["route_config"])
    }

    /// Compares and replaces under a lock, so that an older fence never overwrites a newer one.
    fn write(&self, route: &Route, fence: Fence) -> Result<(), PortError> {
        let lock = File::create(self.folder.join("lock")).map_err(transient)?;
        lock.lock().map_err(transient)?;
        let text = fs::read_to_string(self.folder.join(ROUTES)).map_err(transient)?;
        let found: Value = serde_json::from_str(&text).map_err(transient)?;
        let found = fence_and_route(&found["resources"][0])?.and_then(|found| found.fence);
        if let Some(newer) = found.filter(|found| fence < *found) {
            return Err(PortError::new(
                PortErrorKind::Fenced,
                format!("fence {fence} is older than {newer}, which is in force"),
            ));
        }
        replace(&self.folder, &route_file(route, Some(fence))).map_err(transient)
    }
}

#[async_trait]
impl TrafficRouter for EnvoyRouter {
    async fn read(&self) -> Result<Option<Fenced<Route>>, PortError> {
        self.in_force().await
    }

    async fn route(&self, route: &Route, fence: Fence) -> Result<(), PortError> {
        self.write(route, fence)?;
        // Envoy takes some milliseconds; waiting here spares the rollout another look.
        for _ in 0..100 {
            if self.in_force().await?.is_some_and(|found| found.fence >= Some(fence)) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(transient("Envoy has not taken the new routes within 1 s: its log says why"))
    }
}

/// Puts a route file in force, whatever is there.
pub(crate) fn replace(folder: &Path, routes: &Value) -> io::Result<()> {
    // Envoy watches for moves into the folder, so a reader and Envoy see the old file or the new one.
    let temporary = folder.with_extension("new");
    fs::write(&temporary, routes.to_string())?;
    fs::rename(&temporary, folder.join(ROUTES))
}

fn transient(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
    PortError::new(PortErrorKind::Transient, error)
}

/// The name of the route file.
pub(crate) const ROUTES: &str = "routes.json";
