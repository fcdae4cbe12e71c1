//! Building a client.

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};

use super::{Client, Method};

/// Builds a [`Client`].
#[derive(Clone)]
#[must_use = "nothing is built before `build`"]
pub struct ClientBuilder {
    address: String,
    headers: Vec<(String, String)>,
    secrets: Vec<String>,
    insecure: bool,
    timeout: Duration,
    method: Method,
    get_limit: usize,
    body_limit: usize,
    http: Option<reqwest::Client>,
}

impl ClientBuilder {
    pub(super) fn new(address: String) -> Self {
        Self {
            address,
            headers: Vec::new(),
            secrets: Vec::new(),
            insecure: false,
            timeout: TIMEOUT,
            method: Method::Auto,
            get_limit: GET_LIMIT,
            body_limit: BODY_LIMIT,
            http: None,
        }
    }

    /// Sends a bearer token.
    pub fn bearer(mut self, token: impl Into<String>) -> Self {
        let token = token.into();
        self.headers.push((AUTHORIZATION.as_str().to_owned(), format!("Bearer {token}")));
        self.secrets.push(token);
        self
    }

    /// Sends a user's name and password.
    pub fn basic(mut self, user: &str, password: impl Into<String>) -> Self {
        let password = password.into();
        let encoded = STANDARD.encode(format!("{user}:{password}"));
        self.headers.push((AUTHORIZATION.as_str().to_owned(), format!("Basic {encoded}")));
        self.secrets.extend([password, encoded]);
        self
    }

    /// Sends a header. Its value is treated as a secret; the last value given for a name counts.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        self.secrets.push(value.clone());
        self.headers.push((name, value));
        self
    }

    /// Sends the tenant that Mimir, Cortex and Loki ask for, as `X-Scope-OrgID`.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.headers.push(("x-scope-orgid".to_owned(), tenant.into()));
        self
    }

    /// Whether to accept every certificate, and so every impostor. Not for production; without effect on a client
    /// given with [`ClientBuilder::http_client`].
    pub const fn insecure(mut self, insecure: bool) -> Self {
        self.insecure = insecure;
        self
    }

    /// How long a query may take, from the first byte sent to the last byte read; 30 seconds by default.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How queries travel; by default in the address as long as they fit.
    pub const fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// How long the address of a GET may get before [`Method::Auto`] takes POST, in bytes; 2048 by default.
    pub const fn get_limit(mut self, bytes: usize) -> Self {
        self.get_limit = bytes;
        self
    }

    /// How large an answer may be after decompression, in bytes; 16 MiB by default.
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Uses a ready HTTP client, with its TLS, its proxies and its rules for redirects.
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// If the address is none, a header cannot be sent, the timeout is zero, or the address needs a TLS that is not
    /// there.
    pub fn build(self) -> Result<Client, BuildError> {
        let (address, credentials) = parse_address(&self.address)?;
        if self.timeout.is_zero() {
            return Err(BuildError::Timeout);
        }
        let with_address = match credentials {
            Some((user, password)) => self.basic_unless_given(&user, password),
            None => self,
        };
        with_address.finish(address)
    }

    fn basic_unless_given(self, user: &str, password: String) -> Self {
        if self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(AUTHORIZATION.as_str())) {
            return self;
        }
        self.basic(user, password)
    }

    fn finish(self, address: Url) -> Result<Client, BuildError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let fault = |problem| BuildError::Header { name: name.clone(), problem };
            let key = HeaderName::try_from(name)
                .map_err(|_| fault("its name has characters no header may have"))?;
            let mut value = HeaderValue::try_from(value)
                .map_err(|_| fault("its value has characters no header may have, perhaps a line end"))?;
            value.set_sensitive(true);
            headers.insert(key, value);
        }
        let http = match self.http {
            Some(http) => http,
            None if address.scheme() == "https" && !cfg!(feature = "tls") => {
                return Err(BuildError::NoTls { address: address.to_string() });
            }
            None => http_client(self.insecure, address.scheme() == "https")?,
        };
        // The longest first, so that no secret is left over because a part of it was replaced before.
        let mut secrets = self.secrets;
        secrets.retain(|secret| secret.len() >= SHORTEST_SECRET);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Ok(Client {
            http,
            address,
            headers,
            secrets,
            timeout: self.timeout,
            method: self.method,
            get_limit: self.get_limit,
            body_limit: self.body_limit,
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("address", &without_credentials(&self.address))
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("insecure", &self.insecure)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Why a client could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The address is no HTTP address.
    #[error("the address `{address}` is none: {problem}; write it as http://prometheus:9090")]
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
    /// The timeout is zero.
    #[error("the timeout is zero: give the time a query may take, such as 30s")]
    Timeout,
    /// The address needs TLS, and there is none.
    #[error(
        "{address} needs TLS: turn on the feature tls-ring or tls-aws-lc-rs, or give a ready HTTP client"
    )]
    NoTls {
        /// The address.
        address: String,
    },
    /// No cryptography for TLS.
    #[error(
        "no cryptography provider for TLS: turn on the feature tls-ring or tls-aws-lc-rs, or install one for the process"
    )]
    NoProvider,
    /// TLS could not be set up.
    #[cfg(feature = "tls")]
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
    /// The HTTP client could not be built.
    #[error("cannot build the HTTP client")]
    Http(#[source] reqwest::Error),
}

/// A client for HTTP and, if asked for, for HTTPS.
pub(crate) fn http_client(insecure: bool, https: bool) -> Result<reqwest::Client, BuildError> {
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("serinus-prom/", env!("CARGO_PKG_VERSION")));
    #[cfg(feature = "tls")]
    let builder = builder.tls_backend_preconfigured(super::tls::config(insecure, https)?);
    // Without TLS there is no certificate to accept.
    #[cfg(not(feature = "tls"))]
    let _ = (insecure, https);
    builder.build().map_err(BuildError::Http)
}

/// The address without its credentials, and the credentials.
fn parse_address(text: &str) -> Result<(Url, Option<(String, String)>), BuildError> {
    let fault = |problem: String| BuildError::Address { address: without_credentials(text), problem };
    let mut url = Url::parse(text).map_err(|error| fault(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fault(format!("its scheme is `{}`", url.scheme())));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(fault("it has a query or a fragment".to_owned()));
    }
    if url.username().is_empty() && url.password().is_none() {
        return Ok((url, None));
    }
    let credentials = (decode(url.username()), decode(url.password().unwrap_or_default()));
    // These fail only for addresses without a host, and an HTTP address has one.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Ok((url, Some(credentials)))
}

/// Undoes percent-encoding; what is no encoding stays as it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        let digits = bytes.get(index + 1..index + 3).and_then(|digits| str::from_utf8(digits).ok());
        match (byte, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(value)) => {
                decoded.push(value);
                index += 3;
            }
            _ => {
                decoded.push(byte);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// An address that may be anything, without what stands before its last `@` and after its first `?`.
fn without_credentials(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let Some((before, host)) = text.rsplit_once('@') else { return text.to_owned() };
    match before.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://{host}"),
        None => host.to_owned(),
    }
}

const TIMEOUT: Duration = Duration::from_secs(30);
const GET_LIMIT: usize = 2048;
const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// Replacing shorter ones would garble every text, and would show which they are.
const SHORTEST_SECRET: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_the_address_become_a_header_and_are_never_shown() {
        let client = Client::new("http://me:p%40ss-word@127.0.0.1:9090/prom").unwrap();
        assert_eq!(client.address(), "http://127.0.0.1:9090/prom");
        assert_eq!(client.headers[AUTHORIZATION], "Basic bWU6cEBzcy13b3Jk");
        assert!(!format!("{client:?}").contains("word"), "{client:?}");
        let builder = Client::builder("http://me:pass-word@host").header("X-Key", "hush-hush");
        assert!(!format!("{builder:?}").contains("pass-word"), "{builder:?}");
        assert!(!format!("{builder:?}").contains("hush"), "{builder:?}");
    }

    #[test]
    fn an_address_that_is_none_is_shown_without_its_credentials() {
        for text in ["ftp://me:secret@host", "me:secret@host", "http://me:secret@:x", "http://h?token=secret"]
        {
            let error = Client::new(text).unwrap_err();
            assert!(matches!(error, BuildError::Address { .. }), "{text}: {error}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
    }

    #[test]
    fn a_header_with_a_line_end_is_refused_without_its_value() {
        let error = Client::builder("http://host").bearer("secret\r\nX: y").build().unwrap_err();
        assert!(matches!(&error, BuildError::Header { name, .. } if name == "authorization"), "{error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn without_tls_an_https_address_is_refused_at_once() {
        assert!(matches!(Client::new("https://host").unwrap_err(), BuildError::NoTls { .. }));
    }

    #[cfg(any(feature = "tls-ring", feature = "tls-aws-lc-rs"))]
    #[test]
    fn with_tls_no_default_provider_is_needed_or_installed() {
        Client::builder("https://host").build().unwrap();
        Client::builder("https://host").insecure(true).build().unwrap();
        assert!(rustls::crypto::CryptoProvider::get_default().is_none());
    }
}
