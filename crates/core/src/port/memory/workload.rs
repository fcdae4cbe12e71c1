use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;

use super::{Faults, lock, router::refuse_older, wire::Wire};
use crate::{
    port::{Fence, Pool, Pools, PortError, Workload},
    traffic::Revision,
};

/// When the instances that are asked for become ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Readiness {
    /// At once.
    #[default]
    Instantly,
    /// When [`MemoryWorkload::make_ready`] says so.
    OnCommand,
    /// Never; those that are ready already stay ready.
    Never,
}

/// A workload that runs nothing: it keeps how many instances are asked for and how many of them are ready.
///
/// A revision that was scaled to nothing still shows its empty pool, with the fence.
#[derive(Debug, Default)]
pub struct MemoryWorkload {
    wire: Wire<Scale>,
    state: Mutex<State>,
}

impl MemoryWorkload {
    /// A workload without instances, whose instances become ready at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// The ways in which it misbehaves.
    pub const fn faults(&self) -> &Faults {
        &self.wire.faults
    }

    /// Sets when instances of every revision become ready that [`MemoryWorkload::set_readiness_of`] does not name.
    pub fn set_readiness(&self, readiness: Readiness) {
        lock(&self.state).readiness = readiness;
    }

    /// Sets when instances of one revision become ready.
    pub fn set_readiness_of(&self, revision: impl Into<Revision>, readiness: Readiness) {
        lock(&self.state).readiness_of.insert(revision.into(), readiness);
    }

    /// Sets how many instances the application should have, as its owner or an autoscaler would.
    pub fn set_replicas(&self, replicas: Option<u32>) {
        lock(&self.state).pools.replicas = replicas;
    }

    /// Sets a pool as somebody else would, past faults and fences.
    pub fn set_pool(&self, revision: impl Into<Revision>, pool: Pool) {
        lock(&self.state).pools.by_revision.insert(revision.into(), pool);
    }

    /// Sets how many instances of a revision are ready, whatever its [`Readiness`]; at most as many as are wanted.
    /// Instances can be made unready, too.
    pub fn make_ready(&self, revision: &Revision, ready: u32) {
        if let Some(pool) = lock(&self.state).pools.by_revision.get_mut(revision) {
            pool.ready = ready.min(pool.wanted);
        }
    }

    /// The instances there are, past all faults.
    pub fn current(&self) -> Pools {
        lock(&self.state).pools.clone()
    }

    /// Every scaling that landed: revision, instances, fence; oldest first.
    pub fn history(&self) -> Vec<(Revision, u32, Fence)> {
        lock(&self.state).history.clone()
    }

    /// Lands the writes that are late, oldest first, and says what became of each.
    pub fn deliver(&self) -> Vec<Result<(), PortError>> {
        self.wire.take_late().into_iter().map(|scale| self.land(scale)).collect()
    }

    fn land(&self, (revision, replicas, fence): Scale) -> Result<(), PortError> {
        let mut state = lock(&self.state);
        let readiness = state.readiness_of.get(&revision).copied().unwrap_or(state.readiness);
        let found = state.pools.by_revision.get(&revision);
        refuse_older(fence, found.and_then(|pool| pool.fence))?;
        let ready = match readiness {
            Readiness::Instantly => replicas,
            Readiness::OnCommand | Readiness::Never => found.map_or(0, |pool| pool.ready.min(replicas)),
        };
        let pool = Pool { wanted: replicas, ready, fence: Some(fence) };
        state.pools.by_revision.insert(revision.clone(), pool);
        state.history.push((revision, replicas, fence));
        Ok(())
    }
}

#[async_trait]
impl Workload for MemoryWorkload {
    async fn observe(&self) -> Result<Pools, PortError> {
        self.wire.read(|| Ok(self.current())).await
    }

    async fn scale(&self, revision: &Revision, replicas: u32, fence: Fence) -> Result<(), PortError> {
        self.wire.write((revision.clone(), replicas, fence), || (), |scale| self.land(scale)).await
    }
}

type Scale = (Revision, u32, Fence);

#[derive(Debug, Default)]
struct State {
    pools: Pools,
    readiness: Readiness,
    readiness_of: BTreeMap<Revision, Readiness>,
    history: Vec<Scale>,
}
