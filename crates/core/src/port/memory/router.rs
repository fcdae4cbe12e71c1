use std::sync::Mutex;

use async_trait::async_trait;

use super::{Faults, lock, wire::Wire};
use crate::{
    port::{Fence, Fenced, PortError, PortErrorKind, TrafficRouter},
    traffic::Route,
};

/// A router that routes nothing: it keeps the route, and every route it ever had.
#[derive(Debug, Default)]
pub struct MemoryRouter {
    wire: Wire<(Route, Fence)>,
    routes: Mutex<Vec<Fenced<Route>>>,
}

impl MemoryRouter {
    /// A router without a route.
    pub fn new() -> Self {
        Self::default()
    }

    /// The ways in which it misbehaves.
    pub const fn faults(&self) -> &Faults {
        &self.wire.faults
    }

    /// Sets a route as somebody else would, past faults and fences and without one.
    pub fn set(&self, route: Route) {
        lock(&self.routes).push(Fenced { value: route, fence: None });
    }

    /// The route in force, past all faults.
    pub fn current(&self) -> Option<Fenced<Route>> {
        lock(&self.routes).last().cloned()
    }

    /// Every route that was ever put in force, oldest first; repetitions included.
    pub fn history(&self) -> Vec<Fenced<Route>> {
        lock(&self.routes).clone()
    }

    /// Lands the writes that are late, oldest first, and says what became of each.
    pub fn deliver(&self) -> Vec<Result<(), PortError>> {
        self.wire.take_late().into_iter().map(|(route, fence)| self.land(route, fence)).collect()
    }

    fn land(&self, route: Route, fence: Fence) -> Result<(), PortError> {
        let mut routes = lock(&self.routes);
        refuse_older(fence, routes.last().and_then(|current| current.fence))?;
        routes.push(Fenced { value: route, fence: Some(fence) });
        Ok(())
    }
}

#[async_trait]
impl TrafficRouter for MemoryRouter {
    async fn read(&self) -> Result<Option<Fenced<Route>>, PortError> {
        self.wire.read(|| Ok(self.current())).await
    }

    async fn route(&self, route: &Route, fence: Fence) -> Result<(), PortError> {
        self.wire.write((route.clone(), fence), || (), |(route, fence)| self.land(route, fence)).await
    }
}

pub(super) fn refuse_older(fence: Fence, current: Option<Fence>) -> Result<(), PortError> {
    match current {
        Some(newer) if fence < newer => Err(PortError::new(
            PortErrorKind::Fenced,
            format!("fence {fence} is older than {newer}, which is in force"),
        )),
        _ => Ok(()),
    }
}
