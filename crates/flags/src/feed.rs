//! Following sources.

use std::{fmt, time::Duration};

use tokio::{
    runtime::Handle,
    sync::oneshot,
    task::{AbortHandle, JoinHandle},
};

pub use self::environment::EnvironmentError;
use self::worker::Worker;
use crate::{
    flags::Flags,
    source::{Selector, Source},
};

mod environment;
mod worker;

/// One or several sources that flags follow.
///
/// ```
/// use std::time::Duration;
///
/// use serinus_flags::{
///     Context, Feed, Flags, Status,
///     source::{File, Text},
/// };
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("flags.json");
/// # std::fs::write(&path, r#"{"flags": {"search": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on"}}}"#)?;
/// let defaults = r#"{"flags": {"search": {"state": "ENABLED", "variants": {"off": false}, "defaultVariant": "off"}}}"#;
/// let flags = Flags::default();
/// let following = Feed::of(Text::json(defaults))
///     .over_it(File::new(path).interval(Duration::from_secs(1)))
///     .follow(&flags)
///     .await?;
/// assert_eq!(flags.status(), Status::Ready);
/// assert!(flags.bool("search", &Context::new("user-42")).unwrap_or(false));
/// # drop(following);
/// # Ok(())
/// # }
/// ```
///
/// # What happens when
///
/// - A source says something new: the documents of all sources are merged and loaded, by priority and key. What every
///   source said last is kept, so that a flag that goes from one source is again as the next one has it.
/// - A source cannot be had, or says what is no document: what it said last stays in force. The flags are
///   [stale](crate::Status::Stale) at once, and in [error](crate::Status::Error) after the grace period; each value is
///   given, with [`Reason::Stale`](crate::Reason::Stale). It is asked again and again.
/// - It is back: the flags are [ready](crate::Status::Ready), and if anything changed meanwhile, that is told after it.
///
/// One feed for one store: two would load over each other. The runtime needs its clock (`enable_time`).
#[must_use = "nothing is followed before `follow`"]
pub struct Feed {
    sources: Vec<Box<dyn Source>>,
    selector: Selector,
    deadline: Duration,
    grace: Duration,
}

impl Feed {
    /// This source alone.
    pub fn of(source: impl Source + 'static) -> Self {
        Self { sources: vec![Box::new(source)], selector: Selector::all(), deadline: DEADLINE, grace: GRACE }
    }

    /// And this one too, which has priority over those before: of flags with the same key, its flag counts.
    pub fn over_it(mut self, source: impl Source + 'static) -> Self {
        self.sources.push(Box::new(source));
        self
    }

    /// Takes only some of the flags.
    pub fn selector(mut self, selector: Selector) -> Self {
        self.selector = selector;
        self
    }

    /// How long [`follow`](Feed::follow) waits for the sources at most; five seconds by default.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long flags may be stale before that is an error; five seconds by default.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Begins to follow, and waits until every source has said something, or the deadline is over.
    ///
    /// That the flags are [ready](crate::Status::Ready) is not promised: [`Flags::status`] and [`Flags::trouble`] tell.
    /// Whatever the trouble is, sources are asked on, and the flags come as soon as there are any.
    ///
    /// # Errors
    ///
    /// If this is not within a tokio runtime.
    pub async fn follow(self, flags: &Flags) -> Result<Following, FeedError> {
        let runtime = Handle::try_current().map_err(|_| FeedError::NoRuntime)?;
        let (begun, beginning) = oneshot::channel();
        let worker = Worker::new(flags.clone(), self.selector, self.grace);
        let task = runtime.spawn(worker.run(self.sources, self.deadline, begun));
        let following = Following { task, is_detached: false };
        // It can only fail to tell if the runtime is going down, and then there is nothing to wait for.
        drop(beginning.await);
        Ok(following)
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.sources.iter().map(|source| source.name()).collect();
        formatter
            .debug_struct("Feed")
            .field("sources", &names)
            .field("selector", &self.selector)
            .field("deadline", &self.deadline)
            .field("grace", &self.grace)
            .finish()
    }
}

/// Flags that follow sources, as long as this lives. When it is dropped, the flags and their status stay as they are.
#[derive(Debug)]
#[must_use = "the flags follow their sources only as long as this lives"]
pub struct Following {
    task: JoinHandle<()>,
    is_detached: bool,
}

impl Following {
    /// Follows until the runtime ends; or until the handle that is returned aborts it.
    pub fn detach(mut self) -> AbortHandle {
        self.is_detached = true;
        self.task.abort_handle()
    }

    /// Stops, and waits until no source is asked any more.
    pub async fn stop(mut self) {
        self.task.abort();
        // Being aborted is what was asked for.
        drop((&mut self.task).await);
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        if !self.is_detached {
            self.task.abort();
        }
    }
}

/// Why nothing can be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// There is no runtime.
    #[error("there is no tokio runtime here: call `follow` within one")]
    NoRuntime,
}

const DEADLINE: Duration = Duration::from_secs(5);
/// As flagd has it.
const GRACE: Duration = Duration::from_secs(5);
