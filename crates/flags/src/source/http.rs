//! An address that is asked again and again.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{
    Method, StatusCode,
    header::{self, HeaderMap, HeaderValue},
};

use super::{Fetched, Print, Source, SourceError};
use crate::{
    document::Format,
    http::{HttpBuildError, HttpError, Server, Settings},
};

/// An address that is asked again and again, every five seconds unless told otherwise.
///
/// The server is asked with the `ETag` of what was read last; and where it has none, or gives the same content under
/// another, the content tells whether anything changed. Redirects are not followed, proxies of the environment are as
/// `reqwest` has them. An answer that is too large, breaks off, does not come in time or is no document leaves the flags
/// as they are.
#[derive(Clone, Debug)]
pub struct Http {
    server: Server,
    name: String,
    format: Option<Format>,
    interval: Duration,
    fatal: Vec<u16>,
    etag: Option<HeaderValue>,
    seen: Option<Print>,
    asked_to_wait: Option<Duration>,
}

impl Http {
    /// This address, with defaults throughout.
    ///
    /// # Errors
    ///
    /// As [`HttpBuilder::build`].
    pub fn new(address: impl Into<String>) -> Result<Self, HttpBuildError> {
        Self::builder(address).build()
    }

    /// This address with more to it. The name of the source is the address without its query.
    pub fn builder(address: impl Into<String>) -> HttpBuilder {
        HttpBuilder {
            settings: Settings::new(address.into()),
            name: None,
            format: None,
            interval: INTERVAL,
            fatal: Vec::new(),
        }
    }

    async fn ask(&mut self) -> Result<Fetched, HttpError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(ACCEPT));
        if let Some(etag) = &self.etag {
            headers.insert(header::IF_NONE_MATCH, etag.clone());
        }
        let answer = self.server.ask(Method::GET, self.server.address.clone(), headers, None).await?;
        match answer.status {
            StatusCode::NOT_MODIFIED if self.etag.is_some() => Ok(Fetched::Unchanged),
            StatusCode::OK => {
                let format = self.format.unwrap_or_else(|| format_of(&answer.headers, &self.server));
                self.etag = answer.headers.get(header::ETAG).cloned();
                let print = Print::of(&answer.body);
                if self.seen.replace(print) == Some(print) {
                    return Ok(Fetched::Unchanged);
                }
                Ok(Fetched::Document { bytes: answer.body, format })
            }
            _ => Err(self.server.failure(&answer)),
        }
    }
}

#[async_trait]
impl Source for Http {
    fn name(&self) -> &str {
        &self.name
    }

    async fn fetch(&mut self) -> Result<Fetched, SourceError> {
        self.asked_to_wait = None;
        self.ask().await.map_err(|error| {
            self.asked_to_wait = error.retry_after();
            match error.status() {
                Some(status) if self.fatal.contains(&status) => SourceError::Refused(error),
                _ => SourceError::Http(error),
            }
        })
    }

    fn pause(&self) -> Option<Duration> {
        Some(self.asked_to_wait.map_or(self.interval, |wait| wait.max(self.interval)))
    }
}

/// Builds an [`Http`].
#[derive(Clone, Debug)]
#[must_use = "nothing is built before `build`"]
pub struct HttpBuilder {
    settings: Settings,
    name: Option<String>,
    format: Option<Format>,
    interval: Duration,
    fatal: Vec<u16>,
}

impl HttpBuilder {
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

    /// Uses a ready HTTP client, with its TLS, its proxies and its rules for redirects.
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.settings = self.settings.http_client(http);
        self
    }

    /// How long to wait between two requests, from a millisecond to a day; 5 seconds by default. Where the server asks
    /// for more by `Retry-After`, it gets more.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.clamp(SHORTEST, LONGEST);
        self
    }

    /// In what the document is written. By default the type of the answer tells, and else the end of the path.
    pub fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// After an answer with one of these statuses nobody asks again; by default there is none.
    pub fn fatal_statuses(mut self, statuses: impl IntoIterator<Item = u16>) -> Self {
        self.fatal = statuses.into_iter().collect();
        self
    }

    /// Under another name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The source.
    ///
    /// # Errors
    ///
    /// If the address is none, a header cannot be sent, the timeout is zero, or the address needs a TLS that is not
    /// there.
    pub fn build(self) -> Result<Http, HttpBuildError> {
        let server = self.settings.build()?;
        Ok(Http {
            name: self.name.unwrap_or_else(|| server.shown.clone()),
            server,
            format: self.format,
            interval: self.interval,
            fatal: self.fatal,
            etag: None,
            seen: None,
            asked_to_wait: None,
        })
    }
}

/// By the type of the answer, if it says; else by the path.
fn format_of(headers: &HeaderMap, server: &Server) -> Format {
    let named = headers.get(header::CONTENT_TYPE).and_then(|named| named.to_str().ok()).unwrap_or_default();
    let named = named.to_ascii_lowercase();
    if named.contains("json") {
        return Format::Json;
    }
    #[cfg(feature = "yaml")]
    if named.contains("yaml") {
        return Format::Yaml;
    }
    Format::of_path(server.address.path())
}

const ACCEPT: &str = "application/json, application/yaml;q=0.9, */*;q=0.1";
/// As flagd has it.
const INTERVAL: Duration = Duration::from_secs(5);
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(86_400);
