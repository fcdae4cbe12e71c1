use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
};

use super::lock;
use crate::port::{PortError, PortErrorKind};

/// What goes wrong with a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteFault {
    /// Answers with an error, and nothing is done.
    Fail(PortErrorKind),
    /// It is done, and then answers with an error: what a caller sees whose answer was lost on the way.
    FailAfterwards(PortErrorKind),
    /// Says that it was done, and nothing is.
    Lose,
    /// Says that it was done; it lands when the port's `deliver` is called, and is checked only then, as any write.
    Delay,
    /// It is done, but the answer waits for [`Faults::release`].
    Hang,
}

/// What goes wrong with a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadFault {
    /// Answers with an error.
    Fail(PortErrorKind),
    /// The answer waits for [`Faults::release`], and shows what was there when it was asked for.
    Hang,
}

/// What goes wrong with the coming calls of one port.
///
/// Cheap to clone; clones share their state. Faults for the next calls are used up first, one per call; then come
/// those for every call.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    shared: Arc<Mutex<Shared>>,
}

impl Faults {
    /// Adds a fault for one write, after those already waiting for one.
    pub fn on_next_write(&self, fault: WriteFault) {
        lock(&self.shared).next_writes.push_back(fault);
    }

    /// Sets the fault of every write, until [`Faults::heal`].
    pub fn on_every_write(&self, fault: WriteFault) {
        lock(&self.shared).every_write = Some(fault);
    }

    /// Adds a fault for one read, after those already waiting for one.
    pub fn on_next_read(&self, fault: ReadFault) {
        lock(&self.shared).next_reads.push_back(fault);
    }

    /// Sets the fault of every read, until [`Faults::heal`].
    pub fn on_every_read(&self, fault: ReadFault) {
        lock(&self.shared).every_read = Some(fault);
    }

    /// Forgets all faults. What hangs or is delayed stays so.
    pub fn heal(&self) {
        let mut shared = lock(&self.shared);
        shared.next_writes.clear();
        shared.next_reads.clear();
        shared.every_write = None;
        shared.every_read = None;
    }

    /// Lets go of every answer that hangs.
    pub fn release(&self) {
        let wakers = {
            let mut shared = lock(&self.shared);
            shared.releases += 1;
            std::mem::take(&mut shared.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(super) fn take_write(&self) -> Option<WriteFault> {
        let mut shared = lock(&self.shared);
        shared.next_writes.pop_front().or(shared.every_write)
    }

    pub(super) fn take_read(&self) -> Option<ReadFault> {
        let mut shared = lock(&self.shared);
        shared.next_reads.pop_front().or(shared.every_read)
    }

    pub(super) async fn hang(&self) {
        let before = lock(&self.shared).releases;
        poll_fn(|context| {
            let mut shared = lock(&self.shared);
            if shared.releases != before {
                return Poll::Ready(());
            }
            if !shared.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                shared.wakers.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

pub(super) fn injected(kind: PortErrorKind) -> PortError {
    PortError::new(kind, "injected by a test")
}

#[derive(Debug, Default)]
struct Shared {
    next_writes: VecDeque<WriteFault>,
    every_write: Option<WriteFault>,
    next_reads: VecDeque<ReadFault>,
    every_read: Option<ReadFault>,
    releases: u64,
    wakers: Vec<Waker>,
}
