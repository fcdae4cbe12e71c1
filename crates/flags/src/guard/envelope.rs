//! The text of a store, which holds a record and perhaps a lease beside the state.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serinus_core::port::{PortError, PortErrorKind, Saved, StateStore, Version};

use super::{
    Lease,
    record::{Book, Record},
};

/// A store as those see it who need no lease: only the state.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) book: Arc<Book>,
}

#[async_trait]
impl StateStore for Opened {
    async fn load(&self) -> Result<Option<Saved>, PortError> {
        let Some(Saved { document, version }) = self.store.load().await? else {
            self.book.read(None, None)?;
            return Ok(None);
        };
        let Contents { record, state, .. } = open(document);
        self.book.read(record, state.as_deref())?;
        Ok(state.map(|document| Saved { document, version }))
    }

    async fn save(&self, document: &str, seen: Option<Version>) -> Result<Version, PortError> {
        let seen = match seen {
            Some(seen) => Some(seen),
            // A lease without a state is no state to whoever saves the first one.
            None => {
                let found = self.store.load().await?;
                found.filter(|saved| open(saved.document.clone()).state.is_none()).map(|saved| saved.version)
            }
        };
        let document = close(None, &self.book.write(Some(document)), Some(document))?;
        self.store.save(&document, seen).await
    }
}

/// The text of a store.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guard: Option<Record>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease: Option<Lease>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    state: Option<&'a RawValue>,
}

/// What a text holds.
pub(super) struct Contents {
    pub(super) record: Option<Record>,
    pub(super) lease: Option<Lease>,
    pub(super) state: Option<String>,
}

/// A text with neither a record nor a lease is a state as it is.
pub(super) fn open(document: String) -> Contents {
    match serde_json::from_str::<Envelope<'_>>(&document) {
        Ok(Envelope { guard, lease, state }) if guard.is_some() || lease.is_some() => {
            Contents { record: guard, lease, state: state.map(|state| state.get().to_owned()) }
        }
        _ => Contents { record: None, lease: None, state: Some(document) },
    }
}

pub(super) fn close(
    lease: Option<&Lease>,
    record: &Record,
    state: Option<&str>,
) -> Result<String, PortError> {
    let invalid = |error: serde_json::Error| PortError::new(PortErrorKind::Invalid, error);
    let state = state.map(serde_json::from_str::<&RawValue>).transpose().map_err(invalid)?;
    let envelope = Envelope { guard: Some(record.clone()), lease: lease.cloned(), state };
    serde_json::to_string(&envelope).map_err(invalid)
}
