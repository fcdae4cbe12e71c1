//! Why a query has no result.

use serinus_core::{
    port::{PortError, PortErrorKind},
    time::GoDuration,
};

/// Why a query has no result. No variant holds a credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The request did not get through.
    #[error("cannot reach Prometheus at {address}")]
    Transport {
        /// Who was asked.
        address: String,
        /// What went wrong on the way.
        source: reqwest::Error,
    },
    /// The answer did not come, or did not end, in time.
    #[error("no answer from {address} within {limit}: raise the timeout or ask for less")]
    Timeout {
        /// Who was asked.
        address: String,
        /// How long was waited.
        limit: GoDuration,
    },
    /// Prometheus understood the request and refused it.
    #[error("{address} refused the query with status {status}, {error_type}: {message}")]
    Refused {
        /// Who was asked.
        address: String,
        /// The HTTP status; 200 is possible.
        status: u16,
        /// Prometheus' name for the kind of error: `bad_data`, `execution`, `timeout`.
        error_type: String,
        /// Prometheus' reason.
        message: String,
    },
    /// An answer with a failing status, and not in Prometheus' form.
    #[error("{address} answered with status {status} and the text `{excerpt}`")]
    Status {
        /// Who was asked.
        address: String,
        /// The HTTP status.
        status: u16,
        /// How the body starts.
        excerpt: String,
    },
    /// A redirect; it is not followed, so that no credential goes to a place it was not given for.
    #[error("{address} answered with status {status} and points to {location}: set that as the address")]
    Redirect {
        /// Who was asked.
        address: String,
        /// The HTTP status.
        status: u16,
        /// Where it points.
        location: String,
    },
    /// The answer is no JSON: a login page, a proxy's greeting.
    #[error("{address} does not answer in JSON, is that Prometheus? the answer starts with `{excerpt}`")]
    NotJson {
        /// Who was asked.
        address: String,
        /// How the body starts.
        excerpt: String,
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
    /// The answer is JSON, but not what Prometheus sends.
    #[error("the answer of {address} cannot be read: {problem}")]
    Malformed {
        /// Who was asked.
        address: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The answer is larger than the client takes.
    #[error(
        "the answer of {address} is larger than {limit} bytes: aggregate in the query or raise the limit"
    )]
    TooLarge {
        /// Who was asked.
        address: String,
        /// How much the client takes, in bytes.
        limit: usize,
    },
}

impl QueryError {
    /// What the engine should make of it.
    pub const fn kind(&self) -> PortErrorKind {
        match self {
            Self::Transport { .. } | Self::Timeout { .. } | Self::BrokenOff { .. } => {
                PortErrorKind::Transient
            }
            Self::Refused { status, .. } | Self::Status { status, .. } => match *status {
                401 | 403 => PortErrorKind::Denied,
                404 => PortErrorKind::NotFound,
                408 | 425 | 429 | 500.. => PortErrorKind::Transient,
                _ => PortErrorKind::Invalid,
            },
            Self::Redirect { .. } | Self::NotJson { .. } | Self::Malformed { .. } | Self::TooLarge { .. } => {
                PortErrorKind::Invalid
            }
        }
    }
}

impl From<QueryError> for PortError {
    fn from(error: QueryError) -> Self {
        Self::new(error.kind(), error)
    }
}
