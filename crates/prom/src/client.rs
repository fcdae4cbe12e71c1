//! A client of Prometheus' HTTP interface.

use std::{fmt, time::Duration};

use reqwest::{
    StatusCode, Url,
    header::{self, HeaderMap},
};
use serinus_core::time::{GoDuration, Timestamp};

pub use self::{
    build::{BuildError, ClientBuilder},
    error::QueryError,
};
use crate::value::{Answer, Envelope};

pub(crate) mod build;
mod error;
#[cfg(feature = "tls")]
mod tls;

/// A client of one Prometheus, or of anything that speaks its language: Thanos, Mimir, Cortex, VictoriaMetrics.
///
/// Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    /// Without user and password.
    pub(crate) address: Url,
    /// Credentials among them are marked as sensitive.
    pub(crate) headers: HeaderMap,
    /// What must never be seen in an error, should the other side repeat it.
    pub(crate) secrets: Vec<String>,
    pub(crate) timeout: Duration,
    pub(crate) method: Method,
    pub(crate) get_limit: usize,
    pub(crate) body_limit: usize,
}

impl Client {
    /// A client with defaults throughout.
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::build`].
    pub fn new(address: impl Into<String>) -> Result<Self, BuildError> {
        Self::builder(address).build()
    }

    /// A client with more than an address. The address may have a path: `https://mimir.example/prometheus`.
    pub fn builder(address: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(address.into())
    }

    /// Where Prometheus is, without credentials.
    pub fn address(&self) -> &str {
        self.address.as_str()
    }

    /// The result of a query at one moment; without a moment, at the time the request arrives.
    ///
    /// # Errors
    ///
    /// If there is no answer, the answer is a refusal, or it cannot be read.
    pub async fn query(&self, text: &str, at: Option<Timestamp>) -> Result<Answer, QueryError> {
        let mut parameters = vec![("query", text.to_owned())];
        if let Some(at) = at {
            parameters.push(("time", at.to_string()));
        }
        self.send("query", parameters).await
    }

    /// The results of a query at every step of a range.
    ///
    /// # Errors
    ///
    /// As [`Client::query`].
    pub async fn query_range(&self, text: &str, range: Range) -> Result<Answer, QueryError> {
        let parameters = vec![
            ("query", text.to_owned()),
            ("start", range.start.to_string()),
            ("end", range.end.to_string()),
            ("step", range.step.as_secs_f64().to_string()),
        ];
        self.send("query_range", parameters).await
    }

    async fn send(
        &self,
        endpoint: &str,
        parameters: Vec<(&'static str, String)>,
    ) -> Result<Answer, QueryError> {
        let mut url = self.address.clone();
        url.set_path(&format!("{}/api/v1/{endpoint}", self.address.path().trim_end_matches('/')));
        let mut long_url = url.clone();
        long_url.query_pairs_mut().extend_pairs(&parameters);
        let get = match self.method {
            Method::Auto => long_url.as_str().len() <= self.get_limit,
            Method::Get => true,
            Method::Post => false,
        };
        let request = if get { self.http.get(long_url) } else { self.http.post(url).form(&parameters) };
        let response = request
            .headers(self.headers.clone())
            .header(header::ACCEPT, "application/json")
            .timeout(self.timeout)
            .send()
            .await
            .map_err(|error| self.transport(error))?;
        let status = response.status();
        let location = response.headers().get(header::LOCATION).map(|to| self.excerpt(to.as_bytes()));
        let body = self.read(response).await?;
        self.judge(status, location, &body)
    }

    async fn read(&self, mut response: reqwest::Response) -> Result<Vec<u8>, QueryError> {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if chunk.len() > self.body_limit - body.len() => {
                    return Err(QueryError::TooLarge { address: self.shown(), limit: self.body_limit });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body),
                Err(error) if error.is_timeout() => return Err(self.transport(error)),
                Err(error) => {
                    let source = error.without_url();
                    return Err(QueryError::BrokenOff {
                        address: self.shown(),
                        received: body.len(),
                        source,
                    });
                }
            }
        }
    }

    fn judge(&self, status: StatusCode, location: Option<String>, body: &[u8]) -> Result<Answer, QueryError> {
        if let (true, Some(location)) = (status.is_redirection(), location) {
            return Err(QueryError::Redirect { address: self.shown(), status: status.as_u16(), location });
        }
        let envelope = match serde_json::from_slice::<Envelope>(body) {
            Ok(envelope) => envelope,
            Err(_) if !status.is_success() => {
                let excerpt = self.excerpt(body);
                return Err(QueryError::Status { address: self.shown(), status: status.as_u16(), excerpt });
            }
            Err(_) if body.trim_ascii_start().first() != Some(&b'{') => {
                return Err(QueryError::NotJson { address: self.shown(), excerpt: self.excerpt(body) });
            }
            Err(error) => return Err(self.malformed(&error.to_string())),
        };
        if !status.is_success() || envelope.status != "success" {
            return Err(QueryError::Refused {
                address: self.shown(),
                status: status.as_u16(),
                error_type: self.redact(envelope.error_type.unwrap_or_else(|| "unknown".to_owned())),
                message: self.redact(envelope.error.unwrap_or_else(|| "no reason given".to_owned())),
            });
        }
        envelope.into_answer().map_err(|problem| self.malformed(&problem))
    }

    fn transport(&self, error: reqwest::Error) -> QueryError {
        if error.is_timeout() {
            return QueryError::Timeout { address: self.shown(), limit: GoDuration::from(self.timeout) };
        }
        QueryError::Transport { address: self.shown(), source: error.without_url() }
    }

    fn malformed(&self, problem: &str) -> QueryError {
        QueryError::Malformed { address: self.shown(), problem: self.redact(problem.to_owned()) }
    }

    fn shown(&self) -> String {
        self.address.to_string()
    }

    /// The beginning of a body, on one line.
    fn excerpt(&self, body: &[u8]) -> String {
        let text = self.redact(String::from_utf8_lossy(body).into_owned());
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(EXCERPT) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }

    fn redact(&self, text: String) -> String {
        self.secrets.iter().fold(text, |text, secret| text.replace(secret, "*****"))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.address.as_str())
            .field("headers", &self.headers.keys().map(header::HeaderName::as_str).collect::<Vec<_>>())
            .field("timeout", &self.timeout)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// How a query travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// In the address as long as it fits (caches like that), in a form otherwise.
    #[default]
    Auto,
    /// Always in the address.
    Get,
    /// Always in a form.
    Post,
}

/// The moments of a range query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the whole of what a range is")]
pub struct Range {
    /// The first moment.
    pub start: Timestamp,
    /// No moment is later.
    pub end: Timestamp,
    /// The time from one moment to the next; above zero, or Prometheus refuses it.
    pub step: GoDuration,
}

/// How many characters of a strange body an error shows.
const EXCERPT: usize = 200;
