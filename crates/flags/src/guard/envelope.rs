//! The text of a store that holds a lease beside the state.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serinus_core::port::{PortError, PortErrorKind, Saved, StateStore, Version};

use super::Lease;

/// A store as those see it who have no lease: only the state.
#[derive(Debug)]
pub(crate) struct Opened(pub(crate) Arc<dyn StateStore>);

#[async_trait]
impl StateStore for Opened {
    async fn load(&self) -> Result<Option<Saved>, PortError> {
        let Some(Saved { document, version }) = self.0.load().await? else { return Ok(None) };
        Ok(open(document).1.map(|document| Saved { document, version }))
    }

    async fn save(&self, document: &str, seen: Option<Version>) -> Result<Version, PortError> {
        // A lease without a state is no state to whoever saves the first one.
        let seen = match seen {
            None => self.0.load().await?.filter(|saved| open(saved.document.clone()).1.is_none()),
            Some(_) => return self.0.save(document, seen).await,
        };
        self.0.save(document, seen.map(|saved| saved.version)).await
    }
}

/// The text of a store that has a lease.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    lease: Lease,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    state: Option<&'a RawValue>,
}

/// A text without a lease is a state as it is.
pub(super) fn open(document: String) -> (Option<Lease>, Option<String>) {
    match serde_json::from_str::<Envelope<'_>>(&document) {
        Ok(Envelope { lease, state }) => (Some(lease), state.map(|state| state.get().to_owned())),
        Err(_) => (None, Some(document)),
    }
}

pub(super) fn close(lease: &Lease, state: Option<&str>) -> Result<String, PortError> {
    let invalid = |error: serde_json::Error| PortError::new(PortErrorKind::Invalid, error);
    let state = state.map(serde_json::from_str::<&RawValue>).transpose().map_err(invalid)?;
    serde_json::to_string(&Envelope { lease: lease.clone(), state }).map_err(invalid)
}
