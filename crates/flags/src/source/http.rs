//! An address that is asked again and again.

#[cfg(feature = "tls")]
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use reqwest::{
    Method, StatusCode,
    header::{self, HeaderMap, HeaderValue},
};
use serinus_core::cohort::murmur3;

pub use self::credentials::ClientCredentials;
use self::credentials::{Token, Tokens};
use super::{Fetched, Print, Source, SourceError};
#[cfg(feature = "tls")]
use crate::tls::Roots;
use crate::{
    document::Format,
    http::{HttpBuildError, HttpError, Server, Settings},
};

mod credentials;

/// An address that is asked again and again, every five seconds unless told otherwise.
///
/// The server is asked with the `ETag` of what was read last; and where it has none, or gives the same content under
/// another, the content tells whether anything changed. Redirects are not followed, proxies of the environment are as
/// `reqwest` has them. An answer that is too large, breaks off, does not come in time or is no document leaves the flags
/// as they are.
#[derive(Clone, Debug)]
pub struct Http {
    server: Server,
    tokens: Option<Tokens>,
    name: String,
    format: Option<Format>,
    interval: Duration,
    seed: Option<u32>,
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
            credentials: None,
            name: None,
            format: None,
            interval: INTERVAL,
            seed: None,
            fatal: Vec::new(),
        }
    }

    async fn ask(&mut self) -> Result<Fetched, HttpError> {
        let Some(tokens) = &mut self.tokens else { return self.ask_with(HeaderMap::new(), None).await };
        let (token, was_given) = tokens.token().await?;
        let with = |token: Token| (HeaderMap::from_iter([(header::AUTHORIZATION, token.header)]), token.text);
        let (headers, secret) = with(token);
        let asked = self.ask_with(headers, Some(secret)).await;
        let is_refused = |error: &HttpError| error.status() == Some(StatusCode::UNAUTHORIZED.as_u16());
        let Some(tokens) = self.tokens.as_mut().filter(|_| asked.as_ref().is_err_and(is_refused)) else {
            return asked;
        };
        tokens.forget();
        // One that was taken back before it ended: the next one may do.
        if !was_given {
            return asked;
        }
        let (headers, secret) = with(tokens.token().await?.0);
        self.ask_with(headers, Some(secret)).await
    }

    async fn ask_with(
        &mut self,
        mut headers: HeaderMap,
        secret: Option<String>,
    ) -> Result<Fetched, HttpError> {
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
            _ => Err(match secret {
                Some(secret) => self.server.clone().keeping(secret).failure(&answer),
                None => self.server.failure(&answer),
            }),
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
        let pause = self.seed.map_or(self.interval, |seed| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            until_turn(now, self.interval, seed)
        });
        Some(self.asked_to_wait.map_or(pause, |wait| wait.max(pause)))
    }
}

/// Builds an [`Http`].
#[derive(Clone, Debug)]
#[must_use = "nothing is built before `build`"]
pub struct HttpBuilder {
    settings: Settings,
    credentials: Option<ClientCredentials>,
    name: Option<String>,
    format: Option<Format>,
    interval: Duration,
    seed: Option<u32>,
    fatal: Vec<u16>,
}

impl HttpBuilder {
    /// Sends a bearer token.
    pub fn bearer(mut self, token: impl Into<String>) -> Self {
        self.settings = self.settings.bearer(token.into());
        self
    }

    /// Sends bearer tokens that these credentials get. They are asked for with the same timeout, roots and HTTP client,
    /// and asked for anew shortly before they end, or when one is refused.
    pub fn client_credentials(mut self, credentials: ClientCredentials) -> Self {
        self.credentials = Some(credentials);
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

    /// How long to wait between two requests, from a millisecond to a day; 5 seconds by default. Where the server asks
    /// for more by `Retry-After`, it gets more.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.clamp(SHORTEST, LONGEST);
        self
    }

    /// After the first request asks at a moment of the interval, by the wall clock, that this seed chooses; so that
    /// many programs that begin together do not ask together. Give each its own: the name of its pod.
    pub fn interval_seed(mut self, seed: impl AsRef<[u8]>) -> Self {
        self.seed = Some(murmur3::hash(seed.as_ref(), 0));
        self
    }

    /// Asks only for the flags of this selector, of a server that knows the header `Flagd-Selector`.
    pub fn selector(mut self, selector: impl Into<String>) -> Self {
        self.settings = self.settings.selector(selector.into());
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
    /// If the address or that of tokens is none, a header cannot be sent, the timeout is zero, or an address needs a TLS
    /// that is not there.
    pub fn build(self) -> Result<Http, HttpBuildError> {
        let tokens = self.credentials.map(|credentials| credentials.build(&self.settings)).transpose()?;
        let server = self.settings.build()?;
        Ok(Http {
            tokens,
            name: self.name.unwrap_or_else(|| server.shown.clone()),
            server,
            format: self.format,
            interval: self.interval,
            seed: self.seed,
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

/// How long it is until the next moment of the interval that the seed chooses.
fn until_turn(now: Duration, interval: Duration, seed: u32) -> Duration {
    let (now, interval) = (now.as_nanos(), interval.as_nanos().max(1));
    let turn = interval.saturating_mul(u128::from(seed)) >> u32::BITS;
    let late = (now % interval + interval - turn) % interval;
    u64::try_from(interval - late).map_or(LONGEST, Duration::from_nanos)
}

const ACCEPT: &str = "application/json, application/yaml;q=0.9, */*;q=0.1";
/// As flagd has it.
const INTERVAL: Duration = Duration::from_secs(5);
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_has_its_turn_in_the_interval_and_keeps_it() {
        let interval = Duration::from_secs(5);
        let turn = |now: Duration, seed| {
            let at = now + until_turn(now, interval, seed);
            (at, at.as_nanos() % interval.as_nanos())
        };
        let mut fifths = [0; 5];
        for number in 0_u32..1000 {
            let seed = murmur3::hash(format!("pod-{number}").as_bytes(), 0);
            let began = Duration::from_millis(u64::from(number) * 377);
            let (first, moment) = turn(began, seed);
            assert!(first > began && first - began <= interval);
            assert_eq!(turn(first, seed), (first + interval, moment), "the next one is an interval later");
            fifths[usize::try_from(moment / 1_000_000_000).unwrap()] += 1;
        }
        assert!(fifths.iter().all(|count| (140..260).contains(count)), "{fifths:?}");
    }
}
