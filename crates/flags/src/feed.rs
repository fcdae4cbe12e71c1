//! Following sources.

use std::{fmt, panic::catch_unwind, time::Duration};

use tokio::{
    runtime::Handle,
    sync::oneshot,
    task::{AbortHandle, JoinHandle},
    time::sleep,
};

pub use self::environment::EnvironmentError;
use self::worker::Worker;
use crate::{
    details::ErrorCode,
    flags::Flags,
    lifecycle::Trouble,
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
/// - A source that is asked again and again says nothing at all: after [a while](Feed::silence) that is a failure, too.
/// - It is back: the flags are [ready](crate::Status::Ready), and if anything changed meanwhile, that is told after it.
/// - A source panics: nobody asks it again, which is fatal once it is so of all. What follows them panics: that is
///   [fatal](crate::Status::Fatal) at once, and no source is asked again.
///
/// One feed for one store: two would load over each other. The runtime needs its clock (`enable_time`).
#[must_use = "nothing is followed before `follow`"]
pub struct Feed {
    sources: Vec<Box<dyn Source>>,
    selector: Selector,
    deadline: Duration,
    grace: Duration,
    silence: Option<Duration>,
}

impl Feed {
    /// This source alone.
    pub fn of(source: impl Source + 'static) -> Self {
        Self {
            sources: vec![Box::new(source)],
            selector: Selector::all(),
            deadline: DEADLINE,
            grace: GRACE,
            silence: None,
        }
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

    /// How long a source may take to answer before it is given up, which is a failure like any other, and asked anew; at
    /// least a millisecond. By default each source tells: [`Source::silence`], which for a file is 30 seconds or three
    /// intervals, whichever is longer. A source that may be silent for ever, as a stream may, still may.
    pub fn silence(mut self, longest: Duration) -> Self {
        self.silence = Some(longest.max(SHORTEST_SILENCE));
        self
    }

    /// Begins to follow, and waits until every source has said something, or the deadline is over.
    ///
    /// That the flags are [ready](crate::Status::Ready) is not promised: [`Flags::status`] and [`Flags::trouble`] tell.
    /// Whatever the trouble is, sources are asked on, and the flags come as soon as there are any.
    ///
    /// # Errors
    ///
    /// If this is not within a tokio runtime with a clock, or following breaks off before it began. Then nothing is
    /// followed, and the flags are [given up](Flags::give_up).
    pub async fn follow(self, flags: &Flags) -> Result<Following, FeedError> {
        let runtime = runtime().inspect_err(|error| flags.give_up(error.trouble()))?;
        let (begun, beginning) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let worker = Worker::new(flags.clone(), self.selector, self.grace, self.silence);
        let task = runtime.spawn(worker.run(self.sources, self.deadline, begun, stopped));
        let mut following = Following { task, stop: Some(stop), is_detached: false };
        if beginning.await.is_ok() {
            return Ok(following);
        }
        // A task that panicked has given the flags up; one that is dropped with its runtime could not.
        let error = FeedError::BrokenOff;
        if (&mut following.task).await.is_err() {
            flags.give_up(error.trouble());
        }
        Err(error)
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
            .field("silence", &self.silence)
            .finish()
    }
}

/// Flags that follow sources, as long as this lives. When it is dropped, the flags and their status stay as they are.
#[derive(Debug)]
#[must_use = "the flags follow their sources only as long as this lives"]
pub struct Following {
    task: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
    is_detached: bool,
}

impl Following {
    /// Follows until the runtime ends; or until the handle that is returned aborts it.
    pub fn detach(mut self) -> AbortHandle {
        self.is_detached = true;
        self.task.abort_handle()
    }

    /// Stops, and waits until no source is asked any more and all of them are dropped. One that is being asked is
    /// interrupted where it waits; what it does in a thread for blocking work, such as reading a file, may go on.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // Nobody listens if the task has ended already.
            let _ = stop.send(());
        }
        // It can only fail if the runtime is going down, and its tasks with it.
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
    /// There is a runtime, but it cannot wait for a time.
    #[error("the tokio runtime here has no clock: build it with `enable_time` or `enable_all`")]
    NoClock,
    /// Following ended before it began.
    #[error(
        "following the sources broke off: the runtime is going down, or a source panicked without being asked"
    )]
    BrokenOff,
}

impl FeedError {
    fn trouble(&self) -> Trouble {
        Trouble::new(ErrorCode::General, self.to_string())
    }
}

/// The runtime that sources can be followed on.
fn runtime() -> Result<Handle, FeedError> {
    let runtime = Handle::try_current().map_err(|_| FeedError::NoRuntime)?;
    // Whether it has a clock it tells by a panic, and in no other way.
    catch_unwind(|| drop(sleep(Duration::ZERO))).map_err(|_| FeedError::NoClock)?;
    Ok(runtime)
}

const DEADLINE: Duration = Duration::from_secs(5);
/// As flagd has it.
const GRACE: Duration = Duration::from_secs(5);
const SHORTEST_SILENCE: Duration = Duration::from_millis(1);
