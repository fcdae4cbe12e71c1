//! What a program learns of its flags besides their values, and what those tell it who bring documents.

use std::sync::{Arc, PoisonError};

use super::Flags;
#[cfg(feature = "tokio")]
use crate::{context::Context, document::Document};
use crate::{
    document::Options,
    lifecycle::{Events, Lifecycle, Status, Trouble},
    snapshot::State,
};

impl Flags {
    /// How far the flags can be relied on.
    pub fn status(&self) -> Status {
        self.0.lifecycle.status()
    }

    /// Why the flags are stale or in error; nothing while they are up to date.
    pub fn trouble(&self) -> Option<Trouble> {
        self.0.lifecycle.trouble()
    }

    /// What happens to the flags from now on; and first, if they are past the beginning, how they are now. A reader
    /// that leaves more than 256 events waiting is told how many of the oldest it missed.
    pub fn events(&self) -> Events {
        self.0.lifecycle.subscribe(WAITING)
    }

    /// How documents are read.
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// The source of the flags is lost, or what it says cannot be read. They stay as they are, and from now on every
    /// value is given with [`Reason::Stale`](crate::Reason::Stale); until a document is loaded or the flags
    /// [recover](Flags::recover). For those who bring documents themselves: `Feed` does this by itself.
    ///
    /// Without any document yet this is an error at once.
    pub fn lose(&self, trouble: Trouble) {
        self.mark(true, Some(false), |lifecycle, has_document| {
            let status = if has_document { Status::Stale } else { Status::Error };
            lifecycle.troubled(status, trouble);
        });
    }

    /// The source has been lost for longer than can be borne. The flags stay as they are.
    pub fn fail(&self, trouble: Trouble) {
        self.mark(true, Some(false), |lifecycle, _| lifecycle.troubled(Status::Error, trouble));
    }

    /// The source is lost, and nobody will look for it again. The flags stay as they are; without any document yet they
    /// fail with [`ErrorCode::ProviderFatal`](crate::ErrorCode::ProviderFatal) from now on.
    pub fn give_up(&self, trouble: Trouble) {
        self.mark(true, Some(true), |lifecycle, _| lifecycle.troubled(Status::Fatal, trouble));
    }

    /// The source is back, and says what it said before it was lost: the flags are ready again, as after a document is
    /// loaded, also if they were [given up](Flags::give_up). Without any document yet nothing happens.
    pub fn recover(&self) {
        self.mark(false, None, |lifecycle, has_document| {
            if has_document {
                lifecycle.recovered();
            }
        });
    }

    /// From now on the flags are those of this document, evaluated with these attributes for everybody; and it is known
    /// why it may be out of date already.
    #[cfg(feature = "tokio")]
    pub(crate) fn load_in(
        &self,
        document: &Document,
        enrichment: Option<Context>,
        trouble: Option<(Status, Trouble)>,
    ) {
        let _one_at_a_time = self.0.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.0.current.load_full();
        let enrichment = enrichment.filter(|enrichment| !enrichment.attributes().is_empty());
        drop(self.swap(&before, document.clone(), enrichment.map(Arc::new), trouble));
    }

    /// Marks the values, and tells the lifecycle about it, and whether there was a document yet; both before anybody else
    /// changes either, so that values and status agree. The revision stays: handles need not look again.
    fn mark(&self, is_stale: bool, is_given_up: Option<bool>, tell: impl FnOnce(&Lifecycle, bool)) {
        let _one_at_a_time = self.0.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.0.current.load_full();
        let has_document = current.revision != 0;
        let is_stale = has_document && is_stale;
        let is_given_up = is_given_up.unwrap_or(current.is_given_up);
        if (current.is_stale, current.is_given_up) != (is_stale, is_given_up) {
            self.0.current.store(Arc::new(State { is_stale, is_given_up, ..State::clone(&current) }));
        }
        tell(&self.0.lifecycle, has_document);
    }
}

/// How many events wait for a reader.
const WAITING: usize = 256;
