//! Blocking work of which there is one piece at a time.

use tokio::{
    runtime::Handle,
    task::{JoinError, JoinHandle},
};

/// Blocking work of which there is one piece at a time. Whoever waits for it may give up, but what it does cannot be
/// interrupted: who comes next waits for the same piece, so that work that hangs holds one thread and not ever more.
#[derive(Debug)]
pub(super) struct Single<T>(Option<JoinHandle<T>>);

impl<T: Send + 'static> Single<T> {
    /// What the piece of work that has begun comes to; or this one, if there is none.
    pub(super) async fn run(
        &mut self,
        runtime: &Handle,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let ended = self.0.get_or_insert_with(|| runtime.spawn_blocking(work)).await;
        self.0 = None;
        ended
    }
}

impl<T> Default for Single<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// What goes on is waited for by the one that it was begun for.
impl<T> Clone for Single<T> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
            mpsc,
        },
        time::Duration,
    };

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn whoever_comes_after_one_that_gave_up_waits_for_the_same_piece() {
        let (go, wait) = mpsc::channel();
        let begun = Arc::new(AtomicUsize::new(0));
        let mut wait = Some(wait);
        let mut single = Single::default();
        let mut work = || {
            let (begun, wait) = (Arc::clone(&begun), wait.take());
            move || {
                if let Some(wait) = wait {
                    wait.recv().unwrap();
                }
                begun.fetch_add(1, Ordering::SeqCst)
            }
        };
        for _ in 0..3 {
            let given_up = timeout(Duration::from_millis(10), single.run(&Handle::current(), work())).await;
            assert!(given_up.is_err(), "it waits");
        }
        go.send(()).unwrap();
        assert_eq!(single.run(&Handle::current(), work()).await.unwrap(), 0, "the first piece");
        assert_eq!(single.run(&Handle::current(), work()).await.unwrap(), 1, "the second, and no other");
    }
}
