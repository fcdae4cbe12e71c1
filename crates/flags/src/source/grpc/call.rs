//! One call of a server, and what it streams.

use std::{error::Error as _, time::Duration};

use tokio::time::{Instant, timeout_at};
use tonic::{
    Code, Request, Status, Streaming,
    body::Body,
    client::Grpc as Client,
    codegen::http::{self, uri::PathAndQuery},
    metadata::MetadataMap,
    transport::{Channel, Endpoint, Error as TransportError, Uri},
};
use tonic_prost::ProstCodec;
use tower::ServiceExt as _;

use super::{
    code::GrpcCode,
    dial::Dialer,
    error::GrpcError,
    message::{SyncFlagsRequest, SyncFlagsResponse},
};
use crate::secrets::Secrets;

/// How a server is called.
pub(super) struct Call {
    pub(super) endpoint: Endpoint,
    pub(super) dialer: Dialer,
    pub(super) request: SyncFlagsRequest,
    pub(super) metadata: MetadataMap,
    pub(super) max_message_bytes: usize,
    pub(super) shown: String,
    pub(super) secrets: Secrets,
}

/// A stream that had its first message.
pub(super) struct Open {
    stream: Streaming<SyncFlagsResponse>,
    pub(super) since: Instant,
    shown: String,
    secrets: Secrets,
    /// Without it the connection would be closed.
    _channel: Channel,
}

impl Call {
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Connects, calls and waits for the first message. The future may be dropped.
    pub(super) async fn open(&self) -> Result<(Open, SyncFlagsResponse), GrpcError> {
        let dialer = self.dialer.clone();
        let connector = tower::service_fn(move |_: Uri| dialer.clone().dial());
        let connected = self.endpoint.connect_with_connector(connector).await;
        let channel =
            connected.map_err(|source| GrpcError::Connect { address: self.shown.clone(), source })?;

        let checked = channel.clone().map_result(check as Check);
        let mut client = Client::new(checked).max_decoding_message_size(self.max_message_bytes);
        let failed = |status: Status| failure(&self.shown, &self.secrets, &status);
        client.ready().await.map_err(|error| failed(Status::from_error(error.into())))?;
        let mut request = Request::new(self.request.clone());
        *request.metadata_mut() = self.metadata.clone();
        let codec = ProstCodec::<SyncFlagsRequest, SyncFlagsResponse>::default();
        let answer = client.server_streaming(request, PathAndQuery::from_static(PATH), codec).await;
        let mut open = Open {
            stream: answer.map_err(failed)?.into_inner(),
            since: Instant::now(),
            shown: self.shown.clone(),
            secrets: self.secrets.clone(),
            _channel: channel,
        };
        let first = open.message().await?;
        Ok((open, first))
    }
}

impl Open {
    /// The next message; nothing if the deadline is over before it comes. The future may be dropped.
    pub(super) async fn next(
        &mut self,
        deadline: Option<Duration>,
    ) -> Option<Result<SyncFlagsResponse, GrpcError>> {
        match deadline.and_then(|deadline| self.since.checked_add(deadline)) {
            Some(until) => timeout_at(until, self.message()).await.ok(),
            None => Some(self.message().await),
        }
    }

    async fn message(&mut self) -> Result<SyncFlagsResponse, GrpcError> {
        match self.stream.message().await {
            Ok(Some(message)) => Ok(message),
            Ok(None) => Err(GrpcError::Ended { address: self.shown.clone() }),
            Err(status) => Err(failure(&self.shown, &self.secrets, &status)),
        }
    }
}

/// Refuses what is no answer of gRPC, such as the page of a proxy, which otherwise would be taken for broken messages.
fn check(answer: Result<http::Response<Body>, TransportError>) -> Result<http::Response<Body>, Unanswered> {
    let answer = answer?;
    let kind = answer.headers().get(http::header::CONTENT_TYPE);
    let kind = kind.map(|kind| String::from_utf8_lossy(kind.as_bytes()).into_owned()).unwrap_or_default();
    let status = answer.status();
    if status.is_success() && kind.starts_with("application/grpc") {
        return Ok(answer);
    }
    // As gRPC has it.
    let code = match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502..=504 => Code::Unavailable,
        _ => Code::Unknown,
    };
    Err(Status::new(code, format!("no stream, but `{kind}` with HTTP status {}", status.as_u16())).into())
}

/// Why there is no answer of gRPC. Of another type than a box, for which the compiler cannot tell that it may be sent.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("the connection failed")]
    Transport(#[from] TransportError),
    #[error("the answer is none of gRPC")]
    Status(#[from] Status),
}

fn failure(address: &str, secrets: &Secrets, status: &Status) -> GrpcError {
    let mut text = status.message().to_owned();
    let mut cause = status.source();
    while let Some(error) = cause {
        let error_text = error.to_string();
        if !text.contains(&error_text) {
            text = format!("{text}: {error_text}");
        }
        cause = error.source();
    }
    let excerpt = secrets.excerpt(text.as_bytes());
    GrpcError::Status { address: address.to_owned(), code: GrpcCode::of(status.code()), excerpt }
}

/// Whether a message is larger than is taken. The codec says so by a status, as if it were the server's.
pub(super) fn is_too_large(error: &GrpcError) -> bool {
    match error {
        GrpcError::Status { code: GrpcCode::OutOfRange, excerpt, .. } => excerpt.starts_with(TOO_LARGE),
        GrpcError::Status { .. }
        | GrpcError::Connect { .. }
        | GrpcError::Ended { .. }
        | GrpcError::Deadline { .. } => false,
    }
}

type Check = fn(Result<http::Response<Body>, TransportError>) -> Result<http::Response<Body>, Unanswered>;

const PATH: &str = "/flagd.sync.v1.FlagSyncService/SyncFlags";
const TOO_LARGE: &str = "Error, decoded message length too large";
