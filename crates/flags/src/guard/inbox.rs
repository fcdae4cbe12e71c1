//! What a guard that runs is told from outside.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{Mutex, PoisonError},
    task::Poll,
};

use futures_util::task::AtomicWaker;
use serinus_core::rollout::Input;

/// Inputs for the one who runs, and a bell.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    letters: Mutex<VecDeque<Input>>,
    waker: AtomicWaker,
}

pub(crate) fn is_command(input: &Input) -> bool {
    matches!(input, Input::Commanded(_))
}

impl Inbox {
    pub(crate) fn push(&self, input: Input) {
        self.with(|letters| letters.push_back(input));
        self.waker.wake();
    }

    /// Something changed that the one who runs finds by itself.
    pub(crate) fn ring(&self) {
        self.with(|letters| {
            if !letters.contains(&Input::Tick) {
                letters.push_back(Input::Tick);
            }
        });
        self.waker.wake();
    }

    /// Throws away what nobody here may decide. Whether a command was among it.
    pub(crate) fn clear(&self) -> bool {
        self.with(|letters| letters.drain(..).any(|letter| is_command(&letter)))
    }

    /// The next input. Cancel safe.
    pub(crate) async fn next(&self) -> Input {
        poll_fn(|context| {
            self.waker.register(context.waker());
            self.with(VecDeque::pop_front).map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    fn with<T>(&self, change: impl FnOnce(&mut VecDeque<Input>) -> T) -> T {
        change(&mut self.letters.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
