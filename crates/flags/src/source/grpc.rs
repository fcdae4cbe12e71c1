//! The stream of a server that speaks `flagd.sync.v1`.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use tokio::time::timeout;

use self::{
    backoff::Backoff,
    call::{Call, Open},
    message::{Struct, SyncFlagsResponse},
};
pub use self::{
    builder::GrpcBuilder,
    code::{GrpcCode, GrpcCodeError},
    error::{GrpcBuildError, GrpcError},
};
use super::{Fetched, Print, Source, SourceError};
use crate::{context::Context, document::Format};

mod address;
mod backoff;
mod builder;
mod call;
mod code;
mod dial;
mod error;
mod message;

/// The stream of a flagd, or of another server that speaks `flagd.sync.v1`: each message is a whole document, and comes
/// when something changed.
///
/// ```no_run
/// use serinus_flags::{
///     Feed, Flags,
///     source::{Grpc, Selector},
/// };
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let flags = Flags::default();
/// let flagd = Grpc::builder("flagd:8015").selector(Selector::flag_set("shop")).provider_id("checkout").build()?;
/// let following = Feed::of(flagd).follow(&flags).await?;
/// # drop(following);
/// # Ok(())
/// # }
/// ```
///
/// # What happens when
///
/// - The stream breaks or is ended: the flags are stale at once, and the server is called again after a pause, which
///   grows as long as that does not help, and is somewhat different for each program. The address is looked up again.
/// - The deadline of the stream is over, by our clock or by the server's: it is called again at once, and nobody is told
///   unless that fails.
/// - A message is larger than is taken, or is none: as if the stream had broken. One whose document cannot be read
///   leaves the flags as they are, and the next one is waited for.
/// - The server sends a context with the document: attributes that are the same for everybody. They are added to every
///   context in which a flag is evaluated, over attributes of the same name; but not over a targeting key.
pub struct Grpc {
    call: Call,
    name: String,
    max_message_bytes: usize,
    deadline: Duration,
    stream_deadline: Option<Duration>,
    backoff: Backoff,
    fatal: Vec<GrpcCode>,
    open: Option<Open>,
    was_heard: bool,
    seen: Option<(Print, Option<Context>)>,
    pause: Duration,
}

impl Grpc {
    /// The server at this address, with defaults throughout.
    ///
    /// # Errors
    ///
    /// As [`GrpcBuilder::build`].
    pub fn new(address: impl Into<String>) -> Result<Self, GrpcBuildError> {
        Self::builder(address).build()
    }

    /// A server with more to it than an address: `flagd:8015`; `http://`, `https://`, `grpc://`, `grpcs://` or `dns:///`
    /// before it; `unix:///run/flagd.sock`; or `envoy://proxy:9211/sync.service`. The address is the name of the source.
    pub fn builder(address: impl Into<String>) -> GrpcBuilder {
        GrpcBuilder::new(address.into())
    }

    /// The next message, from a stream that is opened if there is none.
    async fn next(&mut self) -> Result<SyncFlagsResponse, GrpcError> {
        if let Some(open) = &mut self.open {
            let since = open.since;
            let ended = match open.next(self.stream_deadline).await {
                Some(Ok(message)) => return Ok(message),
                Some(Err(error)) => Some(error),
                None => None,
            };
            self.open = None;
            // One that is over too early would be called again and again without a pause.
            let is_old = since.elapsed() >= self.backoff.longest();
            if is_old {
                self.backoff.reset();
            }
            match ended {
                // Nothing is wrong: the deadline is there to find out about connections that are dead.
                None => {}
                Some(error) if error.code() == Some(GrpcCode::DeadlineExceeded) && is_old => {}
                Some(error) => return Err(error),
            }
        }
        let opening = timeout(self.deadline, self.call.open());
        let seconds = self.deadline.as_secs_f64();
        let late = |_| GrpcError::Deadline { address: self.call.shown().to_owned(), seconds };
        let (open, first) = opening.await.map_err(late)??;
        self.open = Some(open);
        Ok(first)
    }
}

#[async_trait]
impl Source for Grpc {
    fn name(&self) -> &str {
        &self.name
    }

    async fn fetch(&mut self) -> Result<Fetched, SourceError> {
        self.pause = Duration::ZERO;
        match self.next().await {
            Ok(message) => {
                self.was_heard = true;
                let SyncFlagsResponse { flag_configuration, sync_context } = message;
                let context = sync_context.map(Struct::into_context);
                let (bytes, format) = (flag_configuration.into_bytes(), Format::Json);
                // A stream that is renewed begins with what is known.
                let seen = Some((Print::of(&bytes), context.clone()));
                if self.seen == seen {
                    return Ok(Fetched::Unchanged);
                }
                self.seen = seen;
                Ok(match context {
                    None => Fetched::Document { bytes, format },
                    Some(context) => Fetched::Enriched { bytes, format, context },
                })
            }
            Err(error) => {
                self.pause = self.backoff.next();
                if call::is_too_large(&error) {
                    return Err(SourceError::TooLarge {
                        name: self.name.clone(),
                        limit: self.max_message_bytes,
                    });
                }
                // As flagd has it: what worked once is not refused for good.
                let is_fatal = error.code().is_some_and(|code| self.fatal.contains(&code)) && !self.was_heard;
                Err(if is_fatal { SourceError::GrpcRefused(error) } else { SourceError::Grpc(error) })
            }
        }
    }

    fn pause(&self) -> Option<Duration> {
        Some(self.pause)
    }

    /// For ever: it has a deadline for the beginning of a stream and one for its end.
    fn silence(&self) -> Option<Duration> {
        None
    }
}

impl fmt::Debug for Grpc {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Grpc")
            .field("address", &self.call.shown())
            .field("deadline", &self.deadline)
            .field("stream_deadline", &self.stream_deadline)
            .field("is_open", &self.open.is_some())
            .finish_non_exhaustive()
    }
}
