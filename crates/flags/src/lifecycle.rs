//! Whether flags are up to date, and who is told when that changes.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use self::events::Queue;
pub use self::events::{Event, EventKind, Events, EventsError};
use crate::{details::ErrorCode, flags::Report, metadata::Metadata, value::Map};

mod events;

/// How far the flags can be relied on, in the words of OpenFeature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// There was no document yet.
    #[default]
    NotReady,
    /// The flags are those of the newest document.
    Ready,
    /// The flags are those of the last good document, because what came after it could not be had or could not be
    /// read. Evaluation goes on.
    Stale,
    /// It has been so for longer than the grace period, or there never was a document. Where there are flags,
    /// evaluation goes on.
    Error,
    /// Nobody tries again, so it will stay so; unless a document is loaded after all, or it is said that the source is
    /// back.
    Fatal,
}

impl Status {
    /// As OpenFeature writes it: `NOT_READY`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotReady => "NOT_READY",
            Self::Ready => "READY",
            Self::Stale => "STALE",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why flags are not up to date.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct Trouble {
    /// What kind of failure it is.
    pub code: ErrorCode,
    /// What happened, where, and what to do about it.
    pub message: Arc<str>,
    /// Which source it is about: its [name](crate::source::Source::name).
    pub source_name: Option<Arc<str>>,
}

impl Trouble {
    /// A failure of this kind.
    pub fn new(code: ErrorCode, message: impl Into<Arc<str>>) -> Self {
        Self { code, message: message.into(), source_name: None }
    }

    /// The same, of the source of this name.
    #[must_use = "the trouble is returned, not changed in place"]
    pub fn of_source(mut self, name: impl Into<Arc<str>>) -> Self {
        self.source_name = Some(name.into());
        self
    }

    fn metadata(&self) -> Metadata {
        match &self.source_name {
            Some(name) => Metadata::from(Map::from_iter([(SOURCE, &**name)])),
            None => Metadata::default(),
        }
    }
}

/// The status of a store of flags: the only place that emits events, one for every transition.
#[derive(Debug, Default)]
pub(crate) struct Lifecycle(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    status: Status,
    trouble: Option<Trouble>,
    metadata: Metadata,
    subscribers: Vec<Arc<Queue>>,
}

impl Lifecycle {
    pub(crate) fn status(&self) -> Status {
        self.with(|inner| inner.status)
    }

    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.with(|inner| inner.trouble.clone())
    }

    /// Events from now on, and first the one that tells of the status as it is.
    pub(crate) fn subscribe(&self, capacity: usize) -> Events {
        self.with(|inner| {
            let queue = Arc::new(Queue::new(capacity));
            if let Some(kind) = inner.kind() {
                queue.push(inner.event(kind));
            }
            inner.add(Arc::clone(&queue));
            Events::new(queue)
        })
    }

    /// A document was loaded, the first or another; and how far it can be relied on, unless it is up to date.
    pub(crate) fn loaded(&self, report: &Report, is_first: bool, trouble: Option<(Status, Trouble)>) {
        self.with(|inner| {
            let message = || Some(Arc::from(report.to_string()));
            inner.metadata = report.document().metadata().clone();
            if is_first || (trouble.is_none() && inner.status != Status::Ready) {
                inner.enter(Status::Ready, None);
                inner.emit(Event { message: message(), ..inner.event(EventKind::Ready) });
            }
            // With the first document every flag is new, which being ready says already.
            if !is_first && !report.change().is_empty() {
                let flags_changed = report.change().keys().cloned().collect();
                let event = inner.event(EventKind::ConfigurationChanged);
                inner.emit(Event { flags_changed, message: message(), ..event });
            }
            if let Some((status, trouble)) = trouble {
                inner.troubled(status, trouble);
            }
        });
    }

    /// The source is back, and says what it said before; there is a document.
    pub(crate) fn recovered(&self) {
        self.with(|inner| {
            if inner.status != Status::Ready {
                inner.enter(Status::Ready, None);
                inner.emit(inner.event(EventKind::Ready));
            }
        });
    }

    /// The flags are in trouble: `status` is one of stale, error and fatal.
    pub(crate) fn troubled(&self, status: Status, trouble: Trouble) {
        self.with(|inner| inner.troubled(status, trouble));
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Inner) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Lifecycle {
    fn drop(&mut self) {
        self.with(|inner| inner.subscribers.iter().for_each(|queue| queue.close()));
    }
}

impl Inner {
    fn enter(&mut self, status: Status, trouble: Option<Trouble>) {
        self.status = status;
        self.trouble = trouble;
    }

    fn troubled(&mut self, status: Status, trouble: Trouble) {
        if self.status == status && self.trouble.as_ref() == Some(&trouble) {
            return;
        }
        self.enter(status, Some(trouble));
        if let Some(kind) = self.kind() {
            self.emit(self.event(kind));
        }
    }

    /// The event that tells of the status as it is.
    fn kind(&self) -> Option<EventKind> {
        match self.status {
            Status::NotReady => None,
            Status::Ready => Some(EventKind::Ready),
            Status::Stale => Some(EventKind::Stale),
            Status::Error | Status::Fatal => Some(EventKind::Error),
        }
    }

    fn event(&self, kind: EventKind) -> Event {
        let trouble = match kind {
            EventKind::Ready | EventKind::ConfigurationChanged => None,
            EventKind::Stale | EventKind::Error => self.trouble.as_ref(),
        };
        let is_fatal = self.status == Status::Fatal;
        let code = |trouble: &Trouble| if is_fatal { ErrorCode::ProviderFatal } else { trouble.code };
        Event {
            kind,
            flags_changed: Vec::new(),
            message: trouble.map(|trouble| Arc::clone(&trouble.message)),
            error_code: trouble.map(code),
            metadata: trouble.map_or_else(|| self.metadata.clone(), Trouble::metadata),
        }
    }

    fn add(&mut self, queue: Arc<Queue>) {
        if self.subscribers.len() == self.subscribers.capacity() {
            self.forget_those_without_reader();
            // As much room as there are readers: looking at each of them is then due once in as many calls.
            self.subscribers.shrink_to(2 * self.subscribers.len());
            self.subscribers.reserve(self.subscribers.len().max(1));
        }
        self.subscribers.push(queue);
    }

    fn emit(&mut self, event: Event) {
        self.forget_those_without_reader();
        self.subscribers.iter().for_each(|queue| queue.push(event.clone()));
    }

    fn forget_those_without_reader(&mut self) {
        // A queue that only this list holds has lost its reader.
        self.subscribers.retain(|queue| Arc::strong_count(queue) > 1);
    }
}

/// The name in the metadata of an event under which the source of a trouble stands.
const SOURCE: &str = "source";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_subscribes_and_goes_again_is_not_kept() {
        let lifecycle = Lifecycle::default();
        let mut stays: Vec<_> = (0..10).map(|_| lifecycle.subscribe(1)).collect();
        for _ in 0..10_000 {
            drop(lifecycle.subscribe(1));
        }
        let kept = lifecycle.with(|inner| (inner.subscribers.len(), inner.subscribers.capacity()));
        assert!(kept.0 <= 40 && kept.1 <= 40, "{kept:?} for ten readers");
        lifecycle.troubled(Status::Error, Trouble::new(ErrorCode::General, "the cable is cut"));
        for events in &mut stays {
            assert_eq!(events.try_next().unwrap().unwrap().kind, EventKind::Error);
        }
    }
}
