//! Where the state of a guard is kept.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serinus_core::port::{PortError, PortErrorKind, Saved, StateStore, Version};

use super::Inner;

/// Holds the latest state, for as long as the process lives.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Option<Saved>>);

#[async_trait]
impl StateStore for Kept {
    async fn load(&self) -> Result<Option<Saved>, PortError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn save(&self, document: &str, seen: Option<Version>) -> Result<Version, PortError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.as_ref().map(|saved| saved.version);
        if found != seen {
            return Err(PortError::new(PortErrorKind::Conflict, "saved by another runner: load again"));
        }
        let version = Version(found.map_or(0, |Version(number)| number).saturating_add(1));
        *kept = Some(Saved { document: document.to_owned(), version });
        Ok(version)
    }
}

/// A store that lets the guard know what was saved, before anything is done about it.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) guard: Arc<Inner>,
}

#[async_trait]
impl StateStore for Watched {
    async fn load(&self) -> Result<Option<Saved>, PortError> {
        self.store.load().await
    }

    async fn save(&self, document: &str, seen: Option<Version>) -> Result<Version, PortError> {
        let version = self.store.save(document, seen).await?;
        // It was a state a moment ago, before it was written as this text.
        if let Ok(state) = serde_json::from_str(document) {
            self.guard.set_state(state);
        }
        Ok(version)
    }
}
