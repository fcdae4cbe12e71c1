//! The codes of gRPC.

use std::{fmt, str::FromStr};

/// How a call by gRPC failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GrpcCode {
    /// It was cancelled.
    Cancelled,
    /// Nobody knows why.
    Unknown,
    /// An argument is wrong.
    InvalidArgument,
    /// It did not end in time.
    DeadlineExceeded,
    /// What was asked for is not there.
    NotFound,
    /// What was to be made is there.
    AlreadyExists,
    /// The caller may not do this.
    PermissionDenied,
    /// Something is used up.
    ResourceExhausted,
    /// This is not the time for it.
    FailedPrecondition,
    /// It was given up.
    Aborted,
    /// Beyond what is there.
    OutOfRange,
    /// The server does not do this.
    Unimplemented,
    /// Something is broken.
    Internal,
    /// The server is not there now.
    Unavailable,
    /// Something is lost.
    DataLoss,
    /// Nobody knows who the caller is.
    Unauthenticated,
}

impl GrpcCode {
    /// As gRPC writes it: `PERMISSION_DENIED`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "CANCELLED",
            Self::Unknown => "UNKNOWN",
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::FailedPrecondition => "FAILED_PRECONDITION",
            Self::Aborted => "ABORTED",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
            Self::DataLoss => "DATA_LOSS",
            Self::Unauthenticated => "UNAUTHENTICATED",
        }
    }

    pub(super) fn of(code: tonic::Code) -> Self {
        match code {
            tonic::Code::Cancelled => Self::Cancelled,
            // Success is no failure; who calls it one knows no more than that.
            tonic::Code::Ok | tonic::Code::Unknown => Self::Unknown,
            tonic::Code::InvalidArgument => Self::InvalidArgument,
            tonic::Code::DeadlineExceeded => Self::DeadlineExceeded,
            tonic::Code::NotFound => Self::NotFound,
            tonic::Code::AlreadyExists => Self::AlreadyExists,
            tonic::Code::PermissionDenied => Self::PermissionDenied,
            tonic::Code::ResourceExhausted => Self::ResourceExhausted,
            tonic::Code::FailedPrecondition => Self::FailedPrecondition,
            tonic::Code::Aborted => Self::Aborted,
            tonic::Code::OutOfRange => Self::OutOfRange,
            tonic::Code::Unimplemented => Self::Unimplemented,
            tonic::Code::Internal => Self::Internal,
            tonic::Code::Unavailable => Self::Unavailable,
            tonic::Code::DataLoss => Self::DataLoss,
            tonic::Code::Unauthenticated => Self::Unauthenticated,
        }
    }
}

impl fmt::Display for GrpcCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for GrpcCode {
    type Err = GrpcCodeError;

    fn from_str(text: &str) -> Result<Self, GrpcCodeError> {
        let known = ALL.into_iter().find(|code| code.as_str() == text);
        known.ok_or_else(|| GrpcCodeError { found: text.to_owned() })
    }
}

/// What is no code of gRPC.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no code of gRPC: write it as UNAUTHENTICATED or PERMISSION_DENIED")]
#[non_exhaustive]
pub struct GrpcCodeError {
    /// What is written.
    pub found: String,
}

const ALL: [GrpcCode; 16] = [
    GrpcCode::Cancelled,
    GrpcCode::Unknown,
    GrpcCode::InvalidArgument,
    GrpcCode::DeadlineExceeded,
    GrpcCode::NotFound,
    GrpcCode::AlreadyExists,
    GrpcCode::PermissionDenied,
    GrpcCode::ResourceExhausted,
    GrpcCode::FailedPrecondition,
    GrpcCode::Aborted,
    GrpcCode::OutOfRange,
    GrpcCode::Unimplemented,
    GrpcCode::Internal,
    GrpcCode::Unavailable,
    GrpcCode::DataLoss,
    GrpcCode::Unauthenticated,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_grpc_is_known_by_its_name_and_by_its_number() {
        for (number, code) in (1..).zip(ALL) {
            assert_eq!(code.as_str().parse(), Ok(code));
            assert_eq!(GrpcCode::of(tonic::Code::from_i32(number)), code);
        }
        assert!("OK".parse::<GrpcCode>().is_err());
        assert!("unavailable".parse::<GrpcCode>().is_err());
    }
}
