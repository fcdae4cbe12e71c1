//! The seams: what a host must provide, as object-safe traits, and their errors.
//!
//! Each port has an implementation in memory in [`memory`], for tests and examples, that can also misbehave on
//! demand. A port does what it is told, once; whether and when to try again is the engine's decision.

use std::{collections::BTreeMap, error::Error, fmt, sync::Arc};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    metric::{Question, Sample},
    time::Timestamp,
    traffic::{Revision, Route},
};

pub mod file;
pub mod memory;

/// Who wrote, and in which order: travels with every effect and is stored beside the value, in the same write.
///
/// A target refuses a write whose fence is older than the one it holds, and shows its fence when it is read. Only
/// then can the engine tell its own write from a late one of an earlier attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "two numbers, compared in this order")]
pub struct Fence {
    /// The term of leadership.
    pub epoch: u64,
    /// How many targets have been chosen so far.
    pub seq: u64,
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.seq)
    }
}

/// A value as it was found in the world, with the fence found beside it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a pair by nature")]
pub struct Fenced<T> {
    /// The value.
    pub value: T,
    /// The fence of the write that put it there; none if somebody else wrote it.
    pub fence: Option<Fence>,
}

/// The instances of one revision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "the whole of what a workload shows")]
pub struct Pool {
    /// How many instances are asked for.
    pub wanted: u32,
    /// How many of them can take traffic now.
    pub ready: u32,
    /// The fence of the write that asked for them; none if somebody else did.
    pub fence: Option<Fence>,
}

/// What a [`Workload`] shows: its pools, and how many instances the application should have in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "the whole of what a workload shows")]
pub struct Pools {
    /// Instances the application should have once everything is calm, as its owner or an autoscaler set it; none if
    /// the plan decides.
    pub replicas: Option<u32>,
    /// The instances of each revision that has any.
    pub by_revision: BTreeMap<Revision, Pool>,
}

/// Moves traffic between revisions.
#[async_trait]
pub trait TrafficRouter: fmt::Debug + Send + Sync {
    /// The route in force and its fence, or `None` if none was ever set.
    ///
    /// # Errors
    ///
    /// If the route cannot be read.
    async fn read(&self) -> Result<Option<Fenced<Route>>, PortError>;

    /// Puts a route in force. Absolute and idempotent.
    ///
    /// # Errors
    ///
    /// [`PortErrorKind::Fenced`] if the route in force has a newer fence; otherwise whatever went wrong.
    async fn route(&self, route: &Route, fence: Fence) -> Result<(), PortError>;
}

/// Runs the instances of each revision.
#[async_trait]
pub trait Workload: fmt::Debug + Send + Sync {
    /// The instances there are.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    async fn observe(&self) -> Result<Pools, PortError>;

    /// Asks for a number of instances of a revision. Absolute and idempotent; does not wait for them.
    ///
    /// # Errors
    ///
    /// [`PortErrorKind::Fenced`] if the pool has a newer fence; otherwise whatever went wrong.
    async fn scale(&self, revision: &Revision, replicas: u32, fence: Fence) -> Result<(), PortError>;
}

/// Answers questions about metrics.
#[async_trait]
pub trait MetricProvider: fmt::Debug + Send + Sync {
    /// The answer to one question. An answer without data is [`Sample::empty`] or a NaN, not an error.
    ///
    /// # Errors
    ///
    /// If the source could not be asked, or its answer could not be read.
    async fn ask(&self, question: &Question) -> Result<Sample, PortError>;
}

/// A person or a program outside that opens gates and hears notices.
#[async_trait]
pub trait Hook: fmt::Debug + Send + Sync {
    /// Whether the gate of this name is open now. Asked again until it is.
    ///
    /// # Errors
    ///
    /// If nobody could be asked; the gate then stays shut.
    async fn is_open(&self, gate: &str, candidate: &Revision) -> Result<bool, PortError>;

    /// Hears that something happened. Told at least once; `key` is the same each time.
    ///
    /// # Errors
    ///
    /// If it could not be told; it is told again.
    async fn tell(&self, key: &str, message: &str) -> Result<(), PortError>;
}

/// Keeps the state of one rollout: a text, changed only by those who saw the text before.
#[async_trait]
pub trait StateStore: fmt::Debug + Send + Sync {
    /// The text last saved, or `None` if there is none yet.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    async fn load(&self) -> Result<Option<Saved>, PortError>;

    /// Replaces the text that `seen` names (`None`: there must be none), all of it or nothing.
    ///
    /// # Errors
    ///
    /// [`PortErrorKind::Conflict`] if somebody else saved in between: load again, do not retry blindly.
    async fn save(&self, document: &str, seen: Option<Version>) -> Result<Version, PortError>;
}

/// A text from a [`StateStore`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a pair by nature")]
pub struct Saved {
    /// The text.
    pub document: String,
    /// Which saving it is from.
    pub version: Version,
}

/// Which saving a text is from. Different for every successful save of one store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[expect(clippy::exhaustive_structs, reason = "one number")]
pub struct Version(pub u64);

/// Tells the time, and waits.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Returns at or after a point in time.
    async fn sleep_until(&self, at: Timestamp);
}

/// Why a port did not do what it was asked: a kind to decide by, a cause to print.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{kind}")]
pub struct PortError {
    kind: PortErrorKind,
    source: Arc<dyn Error + Send + Sync>,
}

impl PortError {
    /// An error of this kind, with its cause.
    pub fn new(kind: PortErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, source: source.into().into() }
    }

    /// What kind of error it is.
    pub const fn kind(&self) -> PortErrorKind {
        self.kind
    }

    /// The kind and every cause below it, in one line.
    pub fn chain(&self) -> String {
        let mut line = self.to_string();
        let mut cause: Option<&(dyn Error + 'static)> = Some(self.source.as_ref());
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }
}

/// The kinds of [`PortError`].
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error,
)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum PortErrorKind {
    /// May go away by itself: a refused connection, a timeout, an answer of 503.
    #[error("temporary failure")]
    Transient,
    /// Somebody else changed it first: read again.
    #[error("changed by somebody else")]
    Conflict,
    /// A newer fence is in force: this writer is no longer the leader.
    #[error("refused: a newer fence is in force")]
    Fenced,
    /// What was named is not there.
    #[error("not found")]
    NotFound,
    /// Not allowed.
    #[error("not allowed")]
    Denied,
    /// The request itself is wrong and will be refused again.
    #[error("invalid request")]
    Invalid,
}

macro_rules! forward {
    ($port:ident: $(fn $name:ident(&self $(, $arg:ident: $ty:ty)*) -> $ret:ty;)+) => {
        forward!(@for $port, &T: $(fn $name(&self $(, $arg: $ty)*) -> $ret;)+);
        forward!(@for $port, Box<T>: $(fn $name(&self $(, $arg: $ty)*) -> $ret;)+);
        forward!(@for $port, Arc<T>: $(fn $name(&self $(, $arg: $ty)*) -> $ret;)+);
    };
    (@for $port:ident, $pointer:ty: $(fn $name:ident(&self $(, $arg:ident: $ty:ty)*) -> $ret:ty;)+) => {
        #[async_trait]
        impl<T: $port + ?Sized> $port for $pointer {
            $(async fn $name(&self $(, $arg: $ty)*) -> $ret {
                (**self).$name($($arg),*).await
            })+
        }
    };
}

forward!(TrafficRouter:
    fn read(&self) -> Result<Option<Fenced<Route>>, PortError>;
    fn route(&self, route: &Route, fence: Fence) -> Result<(), PortError>;
);
forward!(Workload:
    fn observe(&self) -> Result<Pools, PortError>;
    fn scale(&self, revision: &Revision, replicas: u32, fence: Fence) -> Result<(), PortError>;
);
forward!(MetricProvider:
    fn ask(&self, question: &Question) -> Result<Sample, PortError>;
);
forward!(Hook:
    fn is_open(&self, gate: &str, candidate: &Revision) -> Result<bool, PortError>;
    fn tell(&self, key: &str, message: &str) -> Result<(), PortError>;
);
forward!(StateStore:
    fn load(&self) -> Result<Option<Saved>, PortError>;
    fn save(&self, document: &str, seen: Option<Version>) -> Result<Version, PortError>;
);

#[async_trait]
impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    async fn sleep_until(&self, at: Timestamp) {
        (**self).sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_port_is_object_safe_and_can_cross_threads() {
        fn crosses_threads<T: Send + Sync + ?Sized>() {}
        crosses_threads::<dyn TrafficRouter>();
        crosses_threads::<dyn Workload>();
        crosses_threads::<dyn MetricProvider>();
        crosses_threads::<dyn Hook>();
        crosses_threads::<dyn StateStore>();
        crosses_threads::<dyn Clock>();
        fn is_port<T: TrafficRouter>() {}
        is_port::<Arc<dyn TrafficRouter>>();
        is_port::<Box<dyn TrafficRouter>>();
        is_port::<&dyn TrafficRouter>();
    }

    #[test]
    fn an_error_prints_its_cause_once() {
        let error = PortError::new(PortErrorKind::Transient, "connection refused");
        assert_eq!(error.to_string(), "temporary failure");
        assert_eq!(error.chain(), "temporary failure: connection refused");
    }
}
