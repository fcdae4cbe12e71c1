//! Asking a server for values, by OFREP, the protocol of OpenFeature for that (version 0.3.0).
//!
//! Every value is a request: this is for programs that may not have the document, or that ask rarely. Where the document
//! can be had, follow it and evaluate in the program.
//!
//! ```no_run
//! use serinus_flags::{Context, remote::Remote};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let remote = Remote::builder("http://flagd:8016").bearer("…").build()?;
//! let answer = remote.evaluate("search", &Context::new("user-42")).await?;
//! let is_on = answer.value::<bool>()?.unwrap_or(false); // nothing is there where the default of the program counts
//! println!("{is_on}");
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "tls")]
use std::path::PathBuf;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::{
    Method, StatusCode, Url,
    header::{self, HeaderMap, HeaderValue},
};
use serde::Serialize;

use self::answer::{Body, BulkBody, Failed};
pub use self::{
    answer::{Bulk, Evaluated, FlagFailure},
    error::RemoteError,
};
#[cfg(feature = "tls")]
use crate::tls::Roots;
use crate::{
    context::Context,
    http::{HttpBuildError, Server, Settings, retry_after},
};

mod answer;
mod error;

/// A server that evaluates flags. Cheap to clone; clones share their connections.
///
/// Nothing is retried. A server that asks to be left alone (`Retry-After`) is left alone: until then every call fails at
/// once, with [`RemoteError::AskedToWait`].
#[derive(Clone, Debug)]
pub struct Remote {
    server: Server,
    waits_until: Arc<Mutex<Option<Instant>>>,
}

impl Remote {
    /// The server at this address, with defaults throughout. The address is what stands before `/ofrep/v1`.
    ///
    /// # Errors
    ///
    /// As [`RemoteBuilder::build`].
    pub fn new(address: impl Into<String>) -> Result<Self, HttpBuildError> {
        Self::builder(address).build()
    }

    /// A server with more to it than an address.
    pub fn builder(address: impl Into<String>) -> RemoteBuilder {
        RemoteBuilder { settings: Settings::new(address.into()) }
    }

    /// One flag. The server is sent the whole context.
    ///
    /// # Errors
    ///
    /// If there is no answer, or the answer is no value: the flag does not exist, the server refuses.
    pub async fn evaluate(&self, key: &str, context: &Context) -> Result<Evaluated, RemoteError> {
        // Neither survives in a path; it would become the address of something else.
        if matches!(key, "" | "." | "..") {
            return Err(RemoteError::KeyIsNoPath { key: key.to_owned() });
        }
        let address = self.address(Some(key));
        let answer = self.ask(address, context, HeaderMap::new()).await?;
        match answer.status {
            StatusCode::OK => Body::read(&answer.body)
                .and_then(Body::evaluated)
                .map_err(|problem| RemoteError::Malformed { address: self.server.shown.clone(), problem }),
            _ => Err(self.refusal(&answer, Some(key))),
        }
    }

    /// All flags that the server has for this context.
    ///
    /// # Errors
    ///
    /// If there is no answer. A flag that failed is no error of the whole: [`Bulk::failures`].
    pub async fn evaluate_all(&self, context: &Context) -> Result<Bulk, RemoteError> {
        let bulk = self.evaluate_all_unless(context, None).await?;
        bulk.ok_or_else(|| RemoteError::Malformed {
            address: self.server.shown.clone(),
            problem: "it says that nothing changed, and nothing was known".to_owned(),
        })
    }

    /// The same, unless it would be what it was when the server gave this [`Bulk::etag`]: then there is nothing.
    ///
    /// # Errors
    ///
    /// As [`Remote::evaluate_all`].
    pub async fn evaluate_all_unless(
        &self,
        context: &Context,
        etag: Option<&str>,
    ) -> Result<Option<Bulk>, RemoteError> {
        let mut headers = HeaderMap::new();
        if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
            headers.insert(header::IF_NONE_MATCH, etag);
        }
        let is_conditional = !headers.is_empty();
        let answer = self.ask(self.address(None), context, headers).await?;
        match answer.status {
            StatusCode::NOT_MODIFIED if is_conditional => Ok(None),
            StatusCode::OK => {
                let etag = answer.headers.get(header::ETAG).and_then(|etag| etag.to_str().ok());
                let bulk = BulkBody::read(&answer.body).map(|body| body.into_bulk(etag.map(str::to_owned)));
                let malformed =
                    |problem| RemoteError::Malformed { address: self.server.shown.clone(), problem };
                bulk.map(Some).map_err(malformed)
            }
            _ => Err(self.refusal(&answer, None)),
        }
    }

    fn address(&self, key: Option<&str>) -> Url {
        let mut address = self.server.address.clone();
        if let Ok(mut path) = address.path_segments_mut() {
            path.pop_if_empty().extend(["ofrep", "v1", "evaluate", "flags"]).extend(key);
        }
        address
    }

    async fn ask(
        &self,
        address: Url,
        context: &Context,
        mut headers: HeaderMap,
    ) -> Result<crate::http::Answer, RemoteError> {
        if let Some(remaining) = self.remaining() {
            let seconds = remaining.as_secs_f64();
            return Err(RemoteError::AskedToWait { address: self.server.shown.clone(), seconds });
        }
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let body = serde_json::to_vec(&Request { context }).map_err(|error| RemoteError::Malformed {
            address: self.server.shown.clone(),
            problem: format!("the context cannot be written: {error}"),
        })?;
        let answer = self.server.ask(Method::POST, address, headers, Some(body)).await?;
        if !answer.status.is_success()
            && let Some(wait) = retry_after(&answer.headers)
        {
            *self.waits_until.lock().unwrap_or_else(PoisonError::into_inner) =
                Instant::now().checked_add(wait);
        }
        Ok(answer)
    }

    /// How long the server still asks to be left alone.
    fn remaining(&self) -> Option<Duration> {
        let mut waits_until = self.waits_until.lock().unwrap_or_else(PoisonError::into_inner);
        let remaining = (*waits_until)?.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            *waits_until = None;
            return None;
        }
        Some(remaining)
    }

    fn refusal(&self, answer: &crate::http::Answer, key: Option<&str>) -> RemoteError {
        let (address, status) = (self.server.shown.clone(), answer.status.as_u16());
        let failed = serde_json::from_slice::<Failed>(&answer.body).ok();
        let details = failed.as_ref().and_then(|failed| failed.error_details.as_deref()).unwrap_or_default();
        let details = self.server.excerpt(details.as_bytes());
        match status {
            401 | 403 => RemoteError::Denied { address, status, details },
            429 => RemoteError::TooMany { address, retry_after: retry_after(&answer.headers) },
            400 | 404 => match (failed.and_then(|failed| failed.code()), key) {
                (Some(code), Some(key)) => RemoteError::Flag { flag: key.to_owned(), code, details },
                (Some(code), None) => RemoteError::Refused { address, code, details },
                // A page that is not found, and not a flag.
                (None, _) => RemoteError::Http(self.server.failure(answer)),
            },
            500.. if !details.is_empty() => RemoteError::Server { address, status, details },
            _ => RemoteError::Http(self.server.failure(answer)),
        }
    }
}

/// Builds a [`Remote`].
#[derive(Clone, Debug)]
#[must_use = "nothing is built before `build`"]
pub struct RemoteBuilder {
    settings: Settings,
}

impl RemoteBuilder {
    /// Sends a bearer token.
    pub fn bearer(mut self, token: impl Into<String>) -> Self {
        self.settings = self.settings.bearer(token.into());
        self
    }

    /// Sends a key as `X-API-Key`.
    pub fn api_key(self, key: impl Into<String>) -> Self {
        self.header("x-api-key", key)
    }

    /// Sends a header. Its value is treated as a secret; the last value given for a name counts.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings = self.settings.header(name.into(), value.into());
        self
    }

    /// How long an answer may take, from the first byte sent to the last byte read; 10 seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings = self.settings.timeout(timeout);
        self
    }

    /// How large an answer may be after decompression, in bytes; 16 MiB by default.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.settings = self.settings.body_limit(bytes);
        self
    }

    /// Asks only for the flags of this selector, of a server that knows the header `Flagd-Selector`.
    pub fn selector(mut self, selector: impl Into<String>) -> Self {
        self.settings = self.settings.selector(selector.into());
        self
    }

    /// Believes only whom these root certificates vouch for, instead of whom the operating system trusts: as PEM.
    #[cfg(feature = "tls")]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.settings = self.settings.roots(Roots::Pem(pem.into()));
        self
    }

    /// The same, in a file that is read when this is built.
    #[cfg(feature = "tls")]
    pub fn root_certificate_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings = self.settings.roots(Roots::File(path.into()));
        self
    }

    /// Uses a ready HTTP client, with its TLS, its proxies and its rules for redirects.
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.settings = self.settings.http_client(http);
        self
    }

    /// The server.
    ///
    /// # Errors
    ///
    /// If the address is none, a header cannot be sent, the timeout is zero, or the address needs a TLS that is not
    /// there.
    pub fn build(self) -> Result<Remote, HttpBuildError> {
        Ok(Remote { server: self.settings.build()?, waits_until: Arc::default() })
    }
}

#[derive(Serialize)]
struct Request<'a> {
    context: &'a Context,
}
