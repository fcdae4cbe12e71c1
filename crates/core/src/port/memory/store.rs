use std::sync::Mutex;

use async_trait::async_trait;

use super::{Faults, lock, wire::Wire};
use crate::port::{PortError, PortErrorKind, Saved, StateStore, Version};

/// A state store that is gone with the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    wire: Wire<(String, Option<Version>)>,
    saves: Mutex<Vec<Saved>>,
}

impl MemoryStore {
    /// A store without a text.
    pub fn new() -> Self {
        Self::default()
    }

    /// The ways in which it misbehaves. A save that is lost or late claims the version that it would have had.
    pub const fn faults(&self) -> &Faults {
        &self.wire.faults
    }

    /// The text last saved, past all faults.
    pub fn current(&self) -> Option<Saved> {
        lock(&self.saves).last().cloned()
    }

    /// Every text that was ever saved, oldest first.
    pub fn history(&self) -> Vec<Saved> {
        lock(&self.saves).clone()
    }

    /// Lands the saves that are late, oldest first, and says what became of each.
    pub fn deliver(&self) -> Vec<Result<Version, PortError>> {
        self.wire.take_late().into_iter().map(|(document, seen)| self.land(document, seen)).collect()
    }

    fn land(&self, document: String, seen: Option<Version>) -> Result<Version, PortError> {
        let mut saves = lock(&self.saves);
        let found = saves.last().map(|saved| saved.version);
        if found != seen {
            return Err(conflict(found, seen));
        }
        let version = following(found);
        saves.push(Saved { document, version });
        Ok(version)
    }
}

#[async_trait]
impl StateStore for MemoryStore {
    async fn load(&self) -> Result<Option<Saved>, PortError> {
        self.wire.read(|| Ok(self.current())).await
    }

    async fn save(&self, document: &str, seen: Option<Version>) -> Result<Version, PortError> {
        let write = (document.to_owned(), seen);
        self.wire.write(write, || following(seen), |(document, seen)| self.land(document, seen)).await
    }
}

fn following(version: Option<Version>) -> Version {
    Version(version.map_or(0, |Version(number)| number).saturating_add(1))
}

fn conflict(found: Option<Version>, seen: Option<Version>) -> PortError {
    let name = |version: Option<Version>| {
        version.map_or_else(|| "nothing".to_owned(), |Version(number)| format!("version {number}"))
    };
    PortError::new(
        PortErrorKind::Conflict,
        format!("expected {} and found {}: load again", name(seen), name(found)),
    )
}
