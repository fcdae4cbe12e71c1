//! What can go wrong on the way to a server and back.

use std::{io, path::PathBuf, time::Duration};

/// Why a server has no answer. No variant holds a credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The request did not get through.
    #[error("cannot reach {address}")]
    Transport {
        /// Who was asked.
        address: String,
        /// What went wrong on the way.
        source: reqwest::Error,
    },
    /// The answer did not come, or did not end, in time.
    #[error(
        "no answer from {address} within {seconds} s: look whether it is overloaded, or raise the timeout"
    )]
    Timeout {
        /// Who was asked.
        address: String,
        /// How long was waited.
        seconds: f64,
    },
    /// An answer with a status that is none of success.
    #[error("{address} answered with status {status} and the text `{excerpt}`")]
    Status {
        /// Who was asked.
        address: String,
        /// The status.
        status: u16,
        /// How the body starts.
        excerpt: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// A redirect; it is not followed, so that no credential goes to a place it was not given for.
    #[error("{address} answered with status {status} and points to {location}: set that as the address")]
    Redirect {
        /// Who was asked.
        address: String,
        /// The status.
        status: u16,
        /// Where it points.
        location: String,
    },
    /// The connection ended before the answer did.
    #[error("the answer of {address} broke off after {received} bytes")]
    BrokenOff {
        /// Who was asked.
        address: String,
        /// How much had arrived.
        received: usize,
        /// How it ended.
        source: reqwest::Error,
    },
    /// The answer is larger than is read.
    #[error("the answer of {address} is larger than {limit} bytes: raise the limit, or split what it sends")]
    TooLarge {
        /// Who was asked.
        address: String,
        /// How much is read, in bytes.
        limit: usize,
    },
    /// What should be a token is none.
    #[error("{address} gave no token that can be used: {problem}")]
    Token {
        /// Who was asked for it.
        address: String,
        /// What is wrong with the answer.
        problem: &'static str,
    },
    /// A file with what a token is asked for with cannot be read.
    #[error("cannot read {}", path.display())]
    Credentials {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl HttpError {
    /// The status of the answer, if there was one and it was not as it should be.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } | Self::Redirect { status, .. } => Some(*status),
            Self::Transport { .. }
            | Self::Timeout { .. }
            | Self::BrokenOff { .. }
            | Self::TooLarge { .. }
            | Self::Token { .. }
            | Self::Credentials { .. } => None,
        }
    }

    /// How long the server asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Status { retry_after, .. } = self { *retry_after } else { None }
    }
}

/// Why a server cannot be asked at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpBuildError {
    /// The address is no HTTP address.
    #[error("the address `{address}` is none: {problem}; write it as http://flags:8080/flags.json")]
    Address {
        /// The address, without credentials.
        address: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A header cannot be sent.
    #[error("the header `{name}` cannot be sent: {problem}")]
    Header {
        /// Its name.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The timeout is zero.
    #[error("the timeout is zero: give the time an answer may take, such as 10 seconds")]
    Timeout,
    /// The address needs TLS, and there is none.
    #[error(
        "{address} needs TLS: turn on the feature tls-ring or tls-aws-lc-rs, or give a ready HTTP client"
    )]
    NoTls {
        /// The address.
        address: String,
    },
    /// TLS could not be set up.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(#[from] crate::TlsError),
    /// The HTTP client could not be built.
    #[error("cannot build the HTTP client")]
    Http(#[source] reqwest::Error),
}
