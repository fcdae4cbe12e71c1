//! Who decides about the rollout of a flag.

use std::sync::Arc;

use serinus_core::{port::StateStore, time::GoDuration};

use super::store::Kept;

/// Who decides about the rollout of a flag. It has to be said: nobody can guess how many instances there are.
///
/// A store is for one flag only, and for all instances of it: a guard that finds another flag's rollout in its store ends
/// with an error.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Deciding {
    /// This process, which is the only one: it decides by what it counts itself.
    Here {
        /// Keeps the state over a restart.
        store: Arc<dyn StateStore>,
    },
    /// This process, for all that follow the same store, for as long as it has the lease that is kept there; while
    /// another instance has it, this one follows. So any number of instances can be told to lead, and one does; when it
    /// stops, another takes over as soon as the lease has run out.
    ///
    /// Its own counters see only its own share of the subjects, and no fault of another instance; so give it a
    /// [`metrics`](super::GuardBuilder::metrics) source that sees all, such as Prometheus.
    Leader {
        /// Where the state and the lease are.
        store: Arc<dyn StateStore>,
        /// What this instance is called in the lease, for people. Instances of the same name are told apart.
        name: Arc<str>,
        /// How long a lease lasts; it is renewed after a third of that. So long may nobody decide after a crash.
        lease: GoDuration,
    },
    /// Another process. This one does what the store says, never decides, and takes no commands. What it counts, the
    /// leader does not see, unless both are seen by the leader's [`metrics`](super::GuardBuilder::metrics) source.
    Follower {
        /// Where the state is.
        store: Arc<dyn StateStore>,
        /// How often the store is read, and tried again if it cannot be read: so long may a rollback take to get here
        /// while it can. [`Guard::informed_at`](super::Guard::informed_at) tells when it last was.
        every: GoDuration,
    },
}

impl Deciding {
    /// By this process alone, with the state in memory: a restart begins anew.
    pub fn here() -> Self {
        Self::here_kept_in(Arc::new(Kept::default()))
    }

    /// By this process alone, with the state in a store: a restart goes on.
    pub fn here_kept_in(store: Arc<dyn StateStore>) -> Self {
        Self::Here { store }
    }

    /// By this process for all that follow the same store, while it has the lease, which lasts 30 seconds.
    pub fn leader(store: Arc<dyn StateStore>, name: impl Into<Arc<str>>) -> Self {
        Self::Leader { store, name: name.into(), lease: LEASE }
    }

    /// By another process; this one reads the store every two seconds.
    pub fn follower(store: Arc<dyn StateStore>) -> Self {
        Self::Follower { store, every: GoDuration::from_secs(2) }
    }

    pub(super) fn follows(&self) -> bool {
        matches!(self, Self::Follower { .. })
    }
}

const LEASE: GoDuration = GoDuration::from_secs(30);
