use std::sync::Mutex;

use super::{
    faults::{Faults, ReadFault, WriteFault, injected},
    lock,
};
use crate::port::PortError;

/// The way from the caller of a port to the state behind it, and back: where faults happen.
#[derive(Debug)]
pub(super) struct Wire<W> {
    pub(super) faults: Faults,
    late: Mutex<Vec<W>>,
}

impl<W> Default for Wire<W> {
    fn default() -> Self {
        Self { faults: Faults::default(), late: Mutex::default() }
    }
}

impl<W> Wire<W> {
    /// Answers a read.
    pub(super) async fn read<T>(&self, look: impl FnOnce() -> Result<T, PortError>) -> Result<T, PortError> {
        match self.faults.take_read() {
            None => look(),
            Some(ReadFault::Fail(kind)) => Err(injected(kind)),
            Some(ReadFault::Hang) => {
                let seen = look();
                self.faults.hang().await;
                seen
            }
        }
    }

    /// Lands a write, now or later or never; `claim` is what is said of a write that did not land.
    pub(super) async fn write<T>(
        &self,
        write: W,
        claim: impl FnOnce() -> T,
        land: impl FnOnce(W) -> Result<T, PortError>,
    ) -> Result<T, PortError> {
        match self.faults.take_write() {
            None => land(write),
            Some(WriteFault::Fail(kind)) => Err(injected(kind)),
            Some(WriteFault::FailAfterwards(kind)) => land(write).and(Err(injected(kind))),
            Some(WriteFault::Lose) => Ok(claim()),
            Some(WriteFault::Delay) => {
                lock(&self.late).push(write);
                Ok(claim())
            }
            Some(WriteFault::Hang) => {
                let done = land(write);
                self.faults.hang().await;
                done
            }
        }
    }

    /// Takes the writes that are late, oldest first.
    pub(super) fn take_late(&self) -> Vec<W> {
        std::mem::take(&mut *lock(&self.late))
    }
}
