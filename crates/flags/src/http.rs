//! What following an address and asking a server by OFREP have in common.

use std::{fmt, time::Duration};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::{
    Method, Response, StatusCode, Url,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};

pub use self::error::{HttpBuildError, HttpError};

use crate::secrets::{Secrets, without_secrets};
#[cfg(feature = "tls")]
use crate::tls::{self, Roots};

mod error;

/// What is known of a server, and how it is asked.
#[derive(Clone)]
#[must_use]
pub(crate) struct Settings {
    address: String,
    headers: Vec<(String, String)>,
    secrets: Secrets,
    timeout: Duration,
    body_limit: usize,
    http: Option<reqwest::Client>,
    #[cfg(feature = "tls")]
    roots: Roots,
}

impl Settings {
    pub(crate) fn new(address: String) -> Self {
        Self {
            address,
            headers: Vec::new(),
            secrets: Secrets::default(),
            timeout: TIMEOUT,
            body_limit: BODY_LIMIT,
            http: None,
            #[cfg(feature = "tls")]
            roots: Roots::System,
        }
    }

    pub(crate) fn bearer(mut self, token: String) -> Self {
        self.headers.push((header::AUTHORIZATION.as_str().to_owned(), format!("Bearer {token}")));
        self.secrets.add(token);
        self
    }

    pub(crate) fn header(mut self, name: String, value: String) -> Self {
        self.secrets.add(value.clone());
        self.headers.push((name, value));
        self
    }

    /// Another address, asked in the same way, but with none of the headers.
    #[cfg(feature = "http")]
    pub(crate) fn at(&self, address: String) -> Self {
        Self { address, headers: Vec::new(), secrets: Secrets::default(), ..self.clone() }
    }

    /// No secret, unlike every other header.
    pub(crate) fn selector(mut self, selector: String) -> Self {
        self.headers.push(("flagd-selector".to_owned(), selector));
        self
    }

    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub(crate) fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    pub(crate) fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    #[cfg(feature = "tls")]
    pub(crate) fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    pub(crate) fn build(self) -> Result<Server, HttpBuildError> {
        let address = parse_address(&self.address)?;
        if self.timeout.is_zero() {
            return Err(HttpBuildError::Timeout);
        }
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers {
            let fault = |problem| HttpBuildError::Header { name: name.clone(), problem };
            let key = HeaderName::try_from(&name).map_err(|_| fault("its name is none"))?;
            let mut value = HeaderValue::try_from(value)
                .map_err(|_| fault("its value has a line end or another sign"))?;
            value.set_sensitive(true);
            headers.insert(key, value);
        }
        let http = match self.http {
            Some(http) => http,
            #[cfg(feature = "tls")]
            None => http_client(&address, &self.roots)?,
            #[cfg(not(feature = "tls"))]
            None => http_client(&address)?,
        };
        Ok(Server {
            shown: shown(&address),
            address,
            http,
            headers,
            secrets: self.secrets,
            timeout: self.timeout,
            body_limit: self.body_limit,
        })
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("address", &without_secrets(&self.address))
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A server that can be asked.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: Url,
    /// The address without its query, in which a secret may stand.
    pub(crate) shown: String,
    http: reqwest::Client,
    headers: HeaderMap,
    secrets: Secrets,
    timeout: Duration,
    body_limit: usize,
}

/// An answer that was read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Server {
    pub(crate) async fn ask(
        &self,
        method: Method,
        address: Url,
        headers: HeaderMap,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, HttpError> {
        let is_typed = headers.contains_key(header::CONTENT_TYPE);
        let request = self.http.request(method, address).headers(self.headers.clone()).headers(headers);
        let request = match body {
            Some(body) if is_typed => request.body(body),
            Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(body),
            None => request,
        };
        let response = request.timeout(self.timeout).send().await.map_err(|error| self.transport(error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = self.read(response).await?;
        Ok(Answer { status, headers, body })
    }

    async fn read(&self, mut response: Response) -> Result<Vec<u8>, HttpError> {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if chunk.len() > self.body_limit.saturating_sub(body.len()) => {
                    return Err(HttpError::TooLarge { address: self.shown.clone(), limit: self.body_limit });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body),
                Err(error) if error.is_timeout() => return Err(self.transport(error)),
                Err(error) => {
                    let (received, source) = (body.len(), error.without_url());
                    return Err(HttpError::BrokenOff { address: self.shown.clone(), received, source });
                }
            }
        }
    }

    /// How long a request may take.
    #[cfg(feature = "http")]
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The same, with one secret more.
    #[cfg(feature = "http")]
    pub(crate) fn keeping(mut self, secret: String) -> Self {
        self.secrets.add(secret);
        self
    }

    /// The failure that an answer stands for whose status is none of success.
    pub(crate) fn failure(&self, answer: &Answer) -> HttpError {
        let (address, status) = (self.shown.clone(), answer.status.as_u16());
        if let (true, Some(location)) = (answer.status.is_redirection(), answer.headers.get(header::LOCATION))
        {
            return HttpError::Redirect { address, status, location: self.excerpt(location.as_bytes()) };
        }
        let (excerpt, retry_after) = (self.excerpt(&answer.body), retry_after(&answer.headers));
        HttpError::Status { address, status, excerpt, retry_after }
    }

    /// How a text of the other side begins, without what must not be seen.
    pub(crate) fn excerpt(&self, text: &[u8]) -> String {
        self.secrets.excerpt(text)
    }

    fn transport(&self, error: reqwest::Error) -> HttpError {
        let address = self.shown.clone();
        if error.is_timeout() {
            return HttpError::Timeout { address, seconds: self.timeout.as_secs_f64() };
        }
        HttpError::Transport { address, source: error.without_url() }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Server")
            .field("address", &self.shown)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// How long the other side asks to be left alone: `Retry-After`, as seconds or as a date; at most a day.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            // Some servers get the day of the week wrong.
            let parser = rfc2822::DateTimeParser::new().relaxed_weekday(true);
            let until = parser.parse_timestamp(text).ok()?;
            let wait: SignedDuration = until.duration_since(Timestamp::now());
            Duration::try_from(wait).unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST))
}

/// A client that follows no redirect, so that no credential goes to a place it was not given for.
#[cfg(feature = "tls")]
fn http_client(address: &Url, roots: &Roots) -> Result<reqwest::Client, HttpBuildError> {
    let config = tls::config(address.scheme() == "https", roots)?;
    client_builder().tls_backend_preconfigured(config).build().map_err(HttpBuildError::Http)
}
#[cfg(not(feature = "tls"))]
fn http_client(address: &Url) -> Result<reqwest::Client, HttpBuildError> {
    if address.scheme() == "https" {
        return Err(HttpBuildError::NoTls { address: shown(address) });
    }
    client_builder().build().map_err(HttpBuildError::Http)
}

fn client_builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("serinus-flags/", env!("CARGO_PKG_VERSION")))
}

fn parse_address(text: &str) -> Result<Url, HttpBuildError> {
    let fault = |problem: String| HttpBuildError::Address { address: without_secrets(text), problem };
    let url = Url::parse(text).map_err(|error| fault(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fault(format!("its scheme is `{}`", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fault("it has a user or a password: give them as a header".to_owned()));
    }
    Ok(url)
}

fn shown(address: &Url) -> String {
    without_secrets(address.as_str())
}

/// As OFREP has it.
const TIMEOUT: Duration = Duration::from_secs(10);
const BODY_LIMIT: usize = 16 << 20;
const LONGEST: Duration = Duration::from_secs(86_400);
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_a_secret() {
        let settings = Settings::new("http://host/flags?token=hush-hush".to_owned())
            .bearer("quiet-quiet".to_owned())
            .header("X-API-Key".to_owned(), "silent-silent".to_owned());
        let shown = format!("{settings:?}");
        let server = settings.build().unwrap();
        let excerpt = server.excerpt(b"quiet-quiet and silent-silent");
        assert_eq!(excerpt, "… and …");
        for secret in ["hush", "quiet", "silent"] {
            assert!(!format!("{shown} {server:?} {}", server.shown).contains(secret), "{shown} {server:?}");
        }
    }

    #[test]
    fn an_address_that_is_none_is_refused_without_its_credentials() {
        for text in ["ftp://host/hush-hush@x", "http://me:hush-hush@host", "host", "http://:x?t=hush-hush"] {
            let error = Settings::new(text.to_owned()).build().unwrap_err();
            assert!(matches!(error, HttpBuildError::Address { .. }), "{text}: {error}");
            assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
        }
        let no_header = Settings::new("http://host".to_owned()).bearer("hush\r\nX: y".to_owned());
        let error = no_header.build().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
        let no_time = Settings::new("http://host".to_owned()).timeout(Duration::ZERO);
        assert!(matches!(no_time.build(), Err(HttpBuildError::Timeout)));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_at_most_a_day() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_str(text).unwrap());
            retry_after(&headers)
        };
        assert_eq!(of("120"), Some(Duration::from_secs(120)));
        assert_eq!(of("18446744073709551615"), Some(LONGEST));
        assert_eq!(of("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(of("Fri, 31 Dec 9998 23:59:59 GMT"), Some(LONGEST));
        assert_eq!(of("soon"), None);
        assert_eq!(of("-3"), None);
    }
}
