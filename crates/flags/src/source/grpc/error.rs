//! What can go wrong with a stream.

use super::code::GrpcCode;

/// Why there is no stream of flags. No variant holds a credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrpcError {
    /// The server could not be reached, or does not speak HTTP/2.
    #[error("cannot reach {address}")]
    Connect {
        /// Who was called.
        address: String,
        /// What went wrong on the way.
        source: tonic::transport::Error,
    },
    /// The server refused, or the stream broke.
    #[error("{address} failed with {code} and the text `{excerpt}`")]
    Status {
        /// Who was called.
        address: String,
        /// How it failed.
        code: GrpcCode,
        /// How the message starts.
        excerpt: String,
    },
    /// The server ended the stream.
    #[error("{address} ended the stream")]
    Ended {
        /// Who was called.
        address: String,
    },
    /// The first message did not come in time.
    #[error(
        "nothing from {address} within {seconds} s: look whether it is overloaded, or raise the deadline"
    )]
    Deadline {
        /// Who was called.
        address: String,
        /// How long was waited.
        seconds: f64,
    },
}

impl GrpcError {
    /// How the call failed, if the server said so.
    pub fn code(&self) -> Option<GrpcCode> {
        match self {
            Self::Status { code, .. } => Some(*code),
            Self::Connect { .. } | Self::Ended { .. } | Self::Deadline { .. } => None,
        }
    }
}

/// Why a server cannot be called at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrpcBuildError {
    /// The address is none that can be called.
    #[error(
        "the address `{address}` is none: {problem}; write it as flagd:8015, https://flagd:8015 or unix:///run/flagd.sock"
    )]
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
    /// A duration is zero that cannot be.
    #[error("{what} is zero: give a time such as 5 seconds")]
    Zero {
        /// Which.
        what: &'static str,
    },
    /// The address needs TLS, and there is none.
    #[error("{address} needs TLS: turn on the feature tls-ring or tls-aws-lc-rs")]
    NoTls {
        /// The address.
        address: String,
    },
    /// TLS could not be set up.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(#[from] crate::TlsError),
}
