use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use async_trait::async_trait;

use super::{Faults, lock, wire::Wire};
use crate::{
    port::{Hook, PortError},
    traffic::Revision,
};

/// Something that a [`MemoryHook`] was told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notice {
    /// The key, the same each time it is told.
    pub key: String,
    /// What was told.
    pub message: String,
}

/// Gates that are opened by hand, and a list of notices. Every gate is shut at first.
#[derive(Debug, Default)]
pub struct MemoryHook {
    wire: Wire<Notice>,
    state: Mutex<State>,
}

impl MemoryHook {
    /// A hook with every gate shut.
    pub fn new() -> Self {
        Self::default()
    }

    /// The ways in which it misbehaves. Asking for a gate is a read, telling is a write.
    pub const fn faults(&self) -> &Faults {
        &self.wire.faults
    }

    /// Opens a gate.
    pub fn open(&self, gate: impl Into<String>) {
        lock(&self.state).open.insert(gate.into());
    }

    /// Shuts a gate.
    pub fn shut(&self, gate: &str) {
        lock(&self.state).open.remove(gate);
    }

    /// What it was told, each key once and as told first, oldest first.
    pub fn notices(&self) -> Vec<Notice> {
        lock(&self.state).notices.clone()
    }

    /// How often each gate was asked for.
    pub fn asked(&self) -> BTreeMap<String, usize> {
        lock(&self.state).asked.clone()
    }

    /// Hears the notices that are late, oldest first.
    pub fn deliver(&self) -> Vec<Result<(), PortError>> {
        self.wire.take_late().into_iter().map(|notice| self.land(notice)).collect()
    }

    fn land(&self, notice: Notice) -> Result<(), PortError> {
        let mut state = lock(&self.state);
        if state.keys.insert(notice.key.clone()) {
            state.notices.push(notice);
        }
        Ok(())
    }
}

#[async_trait]
impl Hook for MemoryHook {
    async fn is_open(&self, gate: &str, _candidate: &Revision) -> Result<bool, PortError> {
        *lock(&self.state).asked.entry(gate.to_owned()).or_default() += 1;
        self.wire.read(|| Ok(lock(&self.state).open.contains(gate))).await
    }

    async fn tell(&self, key: &str, message: &str) -> Result<(), PortError> {
        let notice = Notice { key: key.to_owned(), message: message.to_owned() };
        self.wire.write(notice, || (), |notice| self.land(notice)).await
    }
}

#[derive(Debug, Default)]
struct State {
    open: BTreeSet<String>,
    asked: BTreeMap<String, usize>,
    keys: BTreeSet<String>,
    notices: Vec<Notice>,
}
