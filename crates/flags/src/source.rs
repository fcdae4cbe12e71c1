//! Where documents come from.
//!
//! | source | is |
//! |---|---|
//! | [`Text`] | a text in the program |
//! | [`File`] | a file that is looked at again and again |
//! | `Http` | an address that is asked again and again (feature `http`) |
//! | `Grpc` | the stream of a flagd, `flagd.sync.v1` (feature `grpc`) |
//! | [`Source`] | anything else: implement it |
//!
//! `Feed` follows one or several of them, merged by priority (feature `tokio`).

use std::{fmt, time::Duration};

use async_trait::async_trait;

#[cfg(feature = "grpc")]
pub use self::grpc::{Grpc, GrpcBuildError, GrpcBuilder, GrpcCode, GrpcCodeError, GrpcError};
#[cfg(feature = "http")]
pub use self::http::{ClientCredentials, Http, HttpBuilder};
pub use self::{
    error::SourceError,
    file::File,
    selector::{Selector, SelectorError},
    text::Text,
};
use crate::{context::Context, document::Format};

mod error;
mod file;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "http")]
mod http;
mod selector;
#[cfg(feature = "tokio")]
mod single;
mod text;

/// Where documents come from.
///
/// A source says what there is to say when it is asked; it is asked again after its [`pause`](Source::pause). One that
/// is told of changes (a stream) waits in [`fetch`](Source::fetch) for the next one, and has a pause of zero.
///
/// ```
/// use std::time::Duration;
///
/// use serinus_flags::{
///     Format,
///     source::{Fetched, Source, SourceError},
/// };
///
/// /// The column of a table.
/// struct Row {
///     seen: Option<u64>,
/// }
///
/// #[async_trait::async_trait]
/// impl Source for Row {
///     fn name(&self) -> &str {
///         "table flags"
///     }
///
///     async fn fetch(&mut self) -> Result<Fetched, SourceError> {
///         let (version, text) = (1, r#"{"flags": {}}"#); // asked of the database
///         if self.seen.replace(version) == Some(version) {
///             return Ok(Fetched::Unchanged);
///         }
///         Ok(Fetched::Document { bytes: text.into(), format: Format::Json })
///     }
///
///     fn pause(&self) -> Option<Duration> {
///         Some(Duration::from_secs(10))
///     }
/// }
///
/// let source = Row { seen: None };
/// assert_eq!(source.name(), "table flags");
/// ```
#[async_trait]
pub trait Source: Send + Sync {
    /// What it is called in messages, and by a selector `source=`: the path, the address. Without credentials.
    fn name(&self) -> &str;

    /// What there is now. The future may be dropped: then what it would have told is told by the next.
    ///
    /// # Errors
    ///
    /// If the source cannot be had. It is asked again, unless the error [is fatal](SourceError::is_fatal).
    async fn fetch(&mut self) -> Result<Fetched, SourceError>;

    /// How long after an answer or an error it is asked again; nothing if it never says anything else.
    fn pause(&self) -> Option<Duration>;

    /// How long a [`fetch`](Source::fetch) may take: one that takes longer is given up, which is a failure like any other
    /// ([`SourceError::Silent`]), and the source is asked anew after its pause. Nothing if it may take for ever, as that
    /// of a stream does. This is looked at before the first fetch and after every answer, but not after an error.
    ///
    /// It is given up where it waits: one that blocks its thread instead, as no future should, cannot be.
    ///
    /// Unless a source says otherwise: 30 seconds or three times its pause, whichever is longer; and for ever if the
    /// pause is zero, or there is none.
    fn silence(&self) -> Option<Duration> {
        usual_silence(self.pause()?)
    }
}

#[async_trait]
impl<S: Source + ?Sized> Source for Box<S> {
    fn name(&self) -> &str {
        (**self).name()
    }

    async fn fetch(&mut self) -> Result<Fetched, SourceError> {
        (**self).fetch().await
    }

    fn pause(&self) -> Option<Duration> {
        (**self).pause()
    }

    fn silence(&self) -> Option<Duration> {
        (**self).silence()
    }
}

/// How long a source may be silent that is asked after this pause, unless it says otherwise.
fn usual_silence(pause: Duration) -> Option<Duration> {
    (!pause.is_zero()).then(|| pause.saturating_mul(3).max(SILENCE))
}

/// What a source says.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Fetched {
    /// The same as before.
    Unchanged,
    /// This document, which takes the place of the one before.
    Document {
        /// As it is written.
        bytes: Vec<u8>,
        /// In what it is written.
        format: Format,
    },
    /// This document, and attributes that are the same for everybody.
    Enriched {
        /// As the document is written.
        bytes: Vec<u8>,
        /// In what it is written.
        format: Format,
        /// The attributes. They are added to every context in which a flag is evaluated, over attributes of the same
        /// name; but not over a targeting key.
        context: Context,
    },
}

impl fmt::Debug for Fetched {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unchanged => formatter.write_str("Unchanged"),
            Self::Document { bytes, format } => {
                write!(formatter, "Document({} bytes of {format:?})", bytes.len())
            }
            Self::Enriched { bytes, format, context } => {
                let attributes = context.attributes().len();
                write!(formatter, "Enriched({} bytes of {format:?}, {attributes} attributes)", bytes.len())
            }
        }
    }
}

/// Tells one content from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Print(u64, usize);

impl Print {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        use std::hash::{DefaultHasher, Hasher as _};

        let mut hasher = DefaultHasher::new();
        hasher.write(bytes);
        Self(hasher.finish(), bytes.len())
    }
}

const _: fn(&dyn Source) = |_object_safe| {};

const _: fn() = || {
    fn sent<T: Send + Sync>() {}
    sent::<Box<dyn Source>>();
};

const SILENCE: Duration = Duration::from_secs(30);
