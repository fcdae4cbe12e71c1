//! The instances of each revision, in a run without a cluster.

use std::{
    collections::BTreeMap,
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use serinus::{
    port::{Fence, Pool, Pools, PortError, PortErrorKind, TrafficRouter, Workload},
    traffic::{Revision, Route, Weight},
};

/// Keeps the books about instances that do not exist.
///
/// Both versions of the service always run, once each, so whatever number is asked for counts as ready at once. That
/// is enough to run a manifest here: what a rollout does about instances that are slow to come is tested elsewhere.
#[derive(Debug)]
pub(crate) struct LocalWorkload {
    pools: Mutex<BTreeMap<Revision, Pool>>,
    file: Option<PathBuf>,
    follower: Option<Arc<dyn TrafficRouter>>,
}

impl LocalWorkload {
    /// With `file`, the books survive the process. A `follower` is given a route after each change, by the numbers
    /// of instances: for plans in which these, and no router, split the traffic.
    pub(crate) fn new(
        file: Option<PathBuf>,
        follower: Option<Arc<dyn TrafficRouter>>,
    ) -> Result<Self, PortError> {
        let text = file.as_ref().map_or(Ok(String::new()), fs::read_to_string);
        let pools = match text {
            Ok(text) if text.is_empty() => BTreeMap::new(),
            Ok(text) => {
                serde_json::from_str(&text).map_err(|error| PortError::new(PortErrorKind::Invalid, error))?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(PortError::new(PortErrorKind::Transient, error)),
        };
        Ok(Self { pools: Mutex::new(pools), file, follower })
    }

    fn set(&self, revision: &Revision, replicas: u32, fence: Fence) -> Result<Route, PortError> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(newer) = pools.get(revision).and_then(|pool| pool.fence).filter(|found| fence < *found) {
            return Err(PortError::new(
                PortErrorKind::Fenced,
                format!("fence {fence} is older than {newer}, which is in force"),
            ));
        }
        let pool = Pool { wanted: replicas, ready: replicas, fence: Some(fence) };
        let mut changed = pools.clone();
        changed.insert(revision.clone(), pool);
        if let Some(file) = &self.file {
            let temporary = file.with_extension("tmp");
            serde_json::to_string(&changed)
                .map_err(io::Error::from)
                .and_then(|text| fs::write(&temporary, text))
                .and_then(|()| fs::rename(&temporary, file))
                .map_err(|error| PortError::new(PortErrorKind::Transient, error))?;
        }
        *pools = changed;
        Ok(by_instances(&pools))
    }
}

#[async_trait]
impl Workload for LocalWorkload {
    async fn observe(&self) -> Result<Pools, PortError> {
        let by_revision = self.pools.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Pools { replicas: None, by_revision })
    }

    async fn scale(&self, revision: &Revision, replicas: u32, fence: Fence) -> Result<(), PortError> {
        let route = self.set(revision, replicas, fence)?;
        match &self.follower {
            Some(follower) => follower.route(&route, fence).await,
            None => Ok(()),
        }
    }
}

/// Each revision takes the share of the traffic that its instances are of all.
fn by_instances(pools: &BTreeMap<Revision, Pool>) -> Route {
    let mut running = pools.iter().filter(|(_, pool)| pool.ready > 0);
    match (running.next(), running.next()) {
        (Some((stable, old)), Some((candidate, new))) => {
            let share = u64::from(new.ready) * u64::from(Weight::FULL.parts())
                / (u64::from(old.ready) + u64::from(new.ready));
            let weight = u32::try_from(share).ok().and_then(|parts| Weight::try_parts(parts).ok());
            Route {
                candidate: Some(candidate.clone()),
                weight: weight.unwrap_or_default(),
                ..Route::all_to(stable.clone())
            }
        }
        (Some((only, _)), None) => Route::all_to(only.clone()),
        (None, _) => Route::all_to(STABLE.into()),
    }
}

/// The revision that runs at first.
pub(crate) const STABLE: &str = "v1";
/// The revision that is brought out.
pub(crate) const CANDIDATE: &str = "v2";
