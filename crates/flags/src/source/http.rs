//! An address that is asked again and again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use reqwest::{
    Method, StatusCode,
    header::{self, HeaderMap, HeaderValue},
};

use self::credentials::{Token, Tokens};
pub use self::{builder::HttpBuilder, credentials::ClientCredentials};
use super::{Fetched, Print, Source, SourceError, usual_silence};
use crate::{
    document::Format,
    http::{HttpBuildError, HttpError, Server},
};

mod builder;
mod credentials;

/// An address that is asked again and again, every five seconds unless told otherwise.
///
/// The server is asked with the `ETag` of what was read last; and where it has none, or gives the same content under
/// another, the content tells whether anything changed. Redirects are not followed, proxies of the environment are as
/// `reqwest` has them. An answer that is too large, breaks off, does not come in time or is no document leaves the flags
/// as they are. A server that asks by `Retry-After` to be left alone is, but not for long: by the next document a variant
/// may be turned off that does harm.
#[derive(Clone, Debug)]
pub struct Http {
    server: Server,
    tokens: Option<Tokens>,
    name: String,
    format: Option<Format>,
    interval: Duration,
    seed: Option<u32>,
    longest_wait: Option<Duration>,
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
        HttpBuilder::new(address.into())
    }

    fn longest_wait(&self) -> Duration {
        self.longest_wait.unwrap_or_else(|| self.interval.saturating_mul(12).max(WAIT))
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
            self.asked_to_wait = error.retry_after().map(|wait| wait.min(self.longest_wait()));
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

    /// As of every source, but longer than all its requests may take, which have a limit of their own: at most a token,
    /// the document, and both once more where the token is refused.
    fn silence(&self) -> Option<Duration> {
        let requests = if self.tokens.is_some() { 4 } else { 1 };
        let usual = usual_silence(self.interval)?;
        Some(self.server.timeout().saturating_mul(requests + 1).max(usual))
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
const LONGEST: Duration = Duration::from_secs(86_400);
/// How long a server is left alone that asks for it, unless that is less than twelve intervals.
const WAIT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use serinus_core::cohort::murmur3;

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
