//! Why a source has nothing to say.

use std::{error::Error, fmt::Write as _, io, path::PathBuf};

use crate::{details::ErrorCode, document::DocumentError};

/// Why a source cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The file cannot be read.
    #[error("cannot read the file {}", path.display())]
    File {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The document is larger than is read.
    #[error("{name} is larger than the {limit} bytes that are read: split the document, or raise the limit")]
    TooLarge {
        /// The source.
        name: String,
        /// How many bytes are read.
        limit: usize,
    },
    /// The server does not answer as it should.
    #[cfg(feature = "http")]
    #[error(transparent)]
    Http(#[from] crate::http::HttpError),
    /// The server refuses, and always will: nobody asks it again.
    #[cfg(feature = "http")]
    #[error("{0}; it is not asked again")]
    Refused(crate::http::HttpError),
    /// There is no stream.
    #[cfg(feature = "grpc")]
    #[error(transparent)]
    Grpc(#[from] super::GrpcError),
    /// The server refuses to stream, and always will: nobody calls it again.
    #[cfg(feature = "grpc")]
    #[error("{0}; it is not called again")]
    GrpcRefused(super::GrpcError),
    /// What the source says is no document.
    #[error("{name} has no document of flags")]
    Document {
        /// The source.
        name: String,
        /// What is wrong with it.
        source: DocumentError,
    },
    /// The source said nothing in time: it was given up, and is asked anew.
    #[error("{name} said nothing within {seconds} s: look whether it is there, or wait longer")]
    Silent {
        /// The source.
        name: String,
        /// How long was waited.
        seconds: f64,
    },
    /// What a source of another crate says.
    #[error("{name} cannot be had")]
    Other {
        /// The source.
        name: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
        /// Whether it will stay so.
        is_fatal: bool,
    },
}

impl SourceError {
    /// Whether it will stay so, and nobody need ask again.
    pub fn is_fatal(&self) -> bool {
        match self {
            #[cfg(feature = "http")]
            Self::Http(_) => false,
            #[cfg(feature = "http")]
            Self::Refused(_) => true,
            #[cfg(feature = "grpc")]
            Self::Grpc(_) => false,
            #[cfg(feature = "grpc")]
            Self::GrpcRefused(_) => true,
            Self::File { .. } | Self::TooLarge { .. } | Self::Document { .. } | Self::Silent { .. } => false,
            Self::Other { is_fatal, .. } => *is_fatal,
        }
    }

    /// What kind of failure it is for OpenFeature.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Document { .. } | Self::TooLarge { .. } => ErrorCode::ParseError,
            Self::File { .. } | Self::Silent { .. } | Self::Other { .. } => ErrorCode::General,
            #[cfg(feature = "http")]
            Self::Http(_) | Self::Refused(_) => ErrorCode::General,
            #[cfg(feature = "grpc")]
            Self::Grpc(_) | Self::GrpcRefused(_) => ErrorCode::General,
        }
    }

    /// The error and its causes in one line.
    pub fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        text
    }
}
