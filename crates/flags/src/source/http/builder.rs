//! What is known of an address, and how it is asked.

#[cfg(feature = "tls")]
use std::path::PathBuf;
use std::time::Duration;

use serinus_core::cohort::murmur3;

use super::{Http, LONGEST, credentials::ClientCredentials};
#[cfg(feature = "tls")]
use crate::tls::Roots;
use crate::{
    document::Format,
    http::{HttpBuildError, Settings},
};

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
    longest_wait: Option<Duration>,
    fatal: Vec<u16>,
}

impl HttpBuilder {
    pub(super) fn new(address: String) -> Self {
        Self {
            settings: Settings::new(address),
            credentials: None,
            name: None,
            format: None,
            interval: INTERVAL,
            seed: None,
            longest_wait: None,
            fatal: Vec::new(),
        }
    }

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
    /// for more by `Retry-After`, it gets more, up to the [longest wait](HttpBuilder::longest_wait).
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.clamp(SHORTEST, LONGEST);
        self
    }

    /// For how long the server may be left alone at most that asks for it by `Retry-After`; by default a minute or twelve
    /// intervals, whichever is longer. An interval is waited for in any case.
    pub fn longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = Some(wait);
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
            longest_wait: self.longest_wait,
            fatal: self.fatal,
            etag: None,
            seen: None,
            asked_to_wait: None,
        })
    }
}

/// As flagd has it.
const INTERVAL: Duration = Duration::from_secs(5);
const SHORTEST: Duration = Duration::from_millis(1);
