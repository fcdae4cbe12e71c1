//! Events, and the queue that each subscriber has of them.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use crate::{details::ErrorCode, metadata::Metadata};

/// Something that happened to the flags of a program, shaped as OpenFeature has events of providers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The keys of the flags that were added, removed or changed; for [`EventKind::ConfigurationChanged`].
    pub flags_changed: Vec<Arc<str>>,
    /// The same for people.
    pub message: Option<Arc<str>>,
    /// What kind of failure it is; for [`EventKind::Stale`] and [`EventKind::Error`].
    pub error_code: Option<ErrorCode>,
    /// The metadata of the document; of a failure the name of the source, as `source`.
    pub metadata: Metadata,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// The flags are up to date, for the first time or again.
    Ready,
    /// Flags changed.
    ConfigurationChanged,
    /// The flags are no longer up to date.
    Stale,
    /// The flags are not up to date, and were not for some time.
    Error,
}

impl EventKind {
    /// As OpenFeature writes it: `PROVIDER_CONFIGURATION_CHANGED`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "PROVIDER_READY",
            Self::ConfigurationChanged => "PROVIDER_CONFIGURATION_CHANGED",
            Self::Stale => "PROVIDER_STALE",
            Self::Error => "PROVIDER_ERROR",
        }
    }
}

impl std::fmt::Display for EventKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why there is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventsError {
    /// The reader was too slow, and this many events are lost. The next ones follow.
    #[error("{count} events were lost because nobody took them: read the status and the flags again")]
    Missed {
        /// How many.
        count: u64,
    },
    /// The flags are gone, and nothing follows.
    #[error("the flags are gone: no event follows")]
    Closed,
}

/// The events of a store of flags, as they come. It needs no runtime.
///
/// ```
/// use serinus_flags::{Document, EventKind, Flags};
///
/// let flags = Flags::default();
/// let mut events = flags.events();
/// let on = r#"{"flags": {"search": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on"}}}"#;
/// flags.load(&Document::from_json(on)?);
/// assert_eq!(events.try_next()?.map(|event| event.kind), Some(EventKind::Ready));
///
/// flags.load(&Document::from_json(&on.replace("ENABLED", "DISABLED"))?);
/// let event = events.try_next()?.expect("a flag changed");
/// assert_eq!((event.kind, &*event.flags_changed[0]), (EventKind::ConfigurationChanged, "search"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Events(Arc<Queue>);

impl Events {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self(queue)
    }

    /// Waits for the next event. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// If events were lost because nobody took them, or no event will follow.
    pub async fn next(&mut self) -> Result<Event, EventsError> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The next event if there is one already.
    ///
    /// # Errors
    ///
    /// As [`Events::next`].
    pub fn try_next(&mut self) -> Result<Option<Event>, EventsError> {
        let mut waiting = self.0.lock();
        match waiting.take() {
            None if waiting.is_closed => Err(EventsError::Closed),
            taken => taken.transpose(),
        }
    }

    /// As [`Events::next`], for those who write futures by hand.
    ///
    /// # Errors
    ///
    /// As [`Events::next`].
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Event, EventsError>> {
        let mut waiting = self.0.lock();
        match waiting.take() {
            Some(taken) => Poll::Ready(taken),
            None if waiting.is_closed => Poll::Ready(Err(EventsError::Closed)),
            None => {
                waiting.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<Event>,
    missed: u64,
    is_closed: bool,
    waker: Option<Waker>,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self { waiting: Mutex::default(), capacity: capacity.max(1) }
    }

    /// Where there is no room left, the oldest event goes, and that is told.
    pub(super) fn push(&self, event: Event) {
        let mut waiting = self.lock();
        if waiting.events.len() >= self.capacity {
            waiting.events.pop_front();
            waiting.missed = waiting.missed.saturating_add(1);
        }
        waiting.events.push_back(event);
        wake(waiting);
    }

    pub(super) fn close(&self) {
        let mut waiting = self.lock();
        waiting.is_closed = true;
        wake(waiting);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn take(&mut self) -> Option<Result<Event, EventsError>> {
        match std::mem::take(&mut self.missed) {
            0 => self.events.pop_front().map(Ok),
            count => Some(Err(EventsError::Missed { count })),
        }
    }
}

fn wake(mut waiting: MutexGuard<'_, Waiting>) {
    let waker = waiting.waker.take();
    drop(waiting);
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: EventKind) -> Event {
        Event {
            kind,
            flags_changed: Vec::new(),
            message: None,
            error_code: None,
            metadata: Metadata::default(),
        }
    }

    #[test]
    fn a_slow_reader_is_told_how_many_events_it_missed() {
        let queue = Arc::new(Queue::new(2));
        let mut events = Events::new(Arc::clone(&queue));
        for kind in [EventKind::Ready, EventKind::ConfigurationChanged, EventKind::Stale, EventKind::Error] {
            queue.push(event(kind));
        }
        assert_eq!(events.try_next(), Err(EventsError::Missed { count: 2 }));
        assert_eq!(events.try_next(), Ok(Some(event(EventKind::Stale))));
        assert_eq!(events.try_next(), Ok(Some(event(EventKind::Error))));
        assert_eq!(events.try_next(), Ok(None));
        queue.close();
        assert_eq!(events.try_next(), Err(EventsError::Closed));
    }
}
