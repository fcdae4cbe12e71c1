//! Why a server gave no value.

use std::time::Duration;

use crate::{details::ErrorCode, http::HttpError, value::Kind};

/// Why a server gave no value. No variant holds a credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The flag has no value: it does not exist, its rule failed, the context lacks something.
    #[error("flag \"{flag}\": {code}: {details}")]
    Flag {
        /// The key of the flag.
        flag: String,
        /// What kind of failure it is.
        code: ErrorCode,
        /// What the server says of it.
        details: String,
    },
    /// The server takes no such request.
    #[error("{address} refused the request with {code}: {details}")]
    Refused {
        /// Who was asked.
        address: String,
        /// What kind of failure it is.
        code: ErrorCode,
        /// What the server says of it.
        details: String,
    },
    /// Who asks is not known to the server, or may not ask.
    #[error("{address} refused access with status {status}: {details}: look at the token or the key")]
    Denied {
        /// Who was asked.
        address: String,
        /// 401 or 403.
        status: u16,
        /// What the server says of it.
        details: String,
    },
    /// The server was asked too often.
    #[error("{address} was asked too often: ask less")]
    TooMany {
        /// Who was asked.
        address: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The server asked to be left alone, and that time is not over: it was not asked.
    #[error("{address} asked to be left alone for another {seconds} s: wait")]
    AskedToWait {
        /// Who was not asked.
        address: String,
        /// For how long that will be so.
        seconds: f64,
    },
    /// The server failed.
    #[error("{address} failed with status {status}: {details}")]
    Server {
        /// Who was asked.
        address: String,
        /// 500 or above.
        status: u16,
        /// What the server says of it.
        details: String,
    },
    /// The key can stand in no address.
    #[error("the key \"{key}\" can stand in no address: ask for all flags, or give the flag another key")]
    KeyIsNoPath {
        /// The key.
        key: String,
    },
    /// The answer is not what the protocol has.
    #[error("the answer of {address} cannot be read: {problem}; is that a server of OFREP?")]
    Malformed {
        /// Who was asked.
        address: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The value is of another type than was asked for.
    #[error("flag \"{flag}\" is a {found}, and {expected} was asked for: ask for its type")]
    WrongType {
        /// The key of the flag.
        flag: String,
        /// What was asked for.
        expected: &'static str,
        /// What it is.
        found: Kind,
    },
    /// There is no answer, or none that the protocol knows.
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl RemoteError {
    /// What kind of failure it is for OpenFeature.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Flag { code, .. } | Self::Refused { code, .. } => *code,
            Self::WrongType { .. } => ErrorCode::TypeMismatch,
            Self::Malformed { .. } => ErrorCode::ParseError,
            Self::KeyIsNoPath { .. } => ErrorCode::FlagNotFound,
            Self::Denied { .. }
            | Self::TooMany { .. }
            | Self::AskedToWait { .. }
            | Self::Server { .. }
            | Self::Http(_) => ErrorCode::General,
        }
    }

    /// Whether asking again without changing anything is in vain: the specification calls it fatal.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }
}
