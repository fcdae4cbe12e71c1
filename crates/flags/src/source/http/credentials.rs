//! Tokens for an address, by the client credentials of OAuth 2 (RFC 6749, section 4.4).

use std::{
    fmt, fs,
    io::{self, Read as _},
    path::PathBuf,
    time::{Duration, Instant},
};

use reqwest::{
    Method,
    header::{self, HeaderMap, HeaderValue},
};
use serde::Deserialize;
use tokio::runtime::Handle;

use crate::{
    http::{HttpBuildError, HttpError, Server, Settings},
    secrets::without_secrets,
    source::single::Single,
};

/// By what an [`Http`](super::Http) gets the tokens that it sends.
///
/// ```no_run
/// use serinus_flags::source::{ClientCredentials, Http};
///
/// let credentials = ClientCredentials::in_folder("https://login/oauth2/token", "/etc/secrets");
/// let source = Http::builder("https://flags/flags.json").client_credentials(credentials).build()?;
/// # drop(source);
/// # Ok::<(), serinus_flags::http::HttpBuildError>(())
/// ```
#[derive(Clone)]
#[must_use = "nothing is asked for before a source is built with it"]
pub struct ClientCredentials {
    address: String,
    given: Given,
    scope: Option<String>,
}

#[derive(Clone)]
enum Given {
    Pair { id: String, secret: String },
    Folder(PathBuf),
}

impl ClientCredentials {
    /// This id and this secret, with which the address gives tokens.
    pub fn new(token_address: impl Into<String>, id: impl Into<String>, secret: impl Into<String>) -> Self {
        let given = Given::Pair { id: id.into(), secret: secret.into() };
        Self { address: token_address.into(), given, scope: None }
    }

    /// Those that stand in the files `client-id` and `client-secret` of this folder. They are read for each token, so
    /// they can be exchanged.
    pub fn in_folder(token_address: impl Into<String>, folder: impl Into<PathBuf>) -> Self {
        Self { address: token_address.into(), given: Given::Folder(folder.into()), scope: None }
    }

    /// For what tokens are asked for, if the server wants to know.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// What asks for tokens, as the flags are asked for.
    pub(super) fn build(self, like: &Settings) -> Result<Tokens, HttpBuildError> {
        let server = like.at(self.address).body_limit(ANSWER_LIMIT).build()?;
        let reading = Single::default();
        Ok(Tokens { server, given: self.given, scope: self.scope, current: None, reading })
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientCredentials")
            .field("address", &without_secrets(&self.address))
            .finish_non_exhaustive()
    }
}

/// Asks for tokens, and keeps the last one as long as it holds.
#[derive(Clone)]
pub(super) struct Tokens {
    server: Server,
    given: Given,
    scope: Option<String>,
    current: Option<Token>,
    reading: Single<Result<(String, String), HttpError>>,
}

#[derive(Clone)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) header: HeaderValue,
    until: Option<Instant>,
}

impl Tokens {
    /// A token that holds, and whether it was given before.
    pub(super) async fn token(&mut self) -> Result<(Token, bool), HttpError> {
        let holds = |token: &&Token| token.until.is_none_or(|until| Instant::now() < until);
        if let Some(token) = self.current.as_ref().filter(holds) {
            return Ok((token.clone(), true));
        }
        let token = self.ask().await?;
        self.current = Some(token.clone());
        Ok((token, false))
    }

    /// The last one was refused.
    pub(super) fn forget(&mut self) {
        self.current = None;
    }

    async fn ask(&mut self) -> Result<Token, HttpError> {
        let (id, secret) = match &self.given {
            Given::Pair { id, secret } => (id.clone(), secret.clone()),
            Given::Folder(folder) => {
                let from = folder.clone();
                let pair = move || Ok((read(from.join("client-id"))?, read(from.join("client-secret"))?));
                let broken_off =
                    |error| HttpError::Credentials { path: folder.clone(), source: io::Error::other(error) };
                self.reading.run(&Handle::current(), pair).await.map_err(broken_off)??
            }
        };
        let server = self.server.clone().keeping(secret.clone());
        let mut form = server.address.clone();
        form.set_query(None);
        form.query_pairs_mut()
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &id)
            .append_pair("client_secret", &secret)
            .extend_pairs(self.scope.iter().map(|scope| ("scope", scope)));
        let body = form.query().unwrap_or_default().as_bytes().to_vec();
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let answer = server.ask(Method::POST, server.address.clone(), headers, Some(body)).await?;
        if !answer.status.is_success() {
            return Err(server.failure(&answer));
        }
        let malformed = |problem| HttpError::Token { address: server.shown.clone(), problem };
        // What it says must not be shown: it may be the token.
        let given: Answer =
            serde_json::from_slice(&answer.body).map_err(|_| malformed("it is none of OAuth 2"))?;
        if !given.token_type.as_deref().unwrap_or("Bearer").eq_ignore_ascii_case("bearer") {
            return Err(malformed("its type is not Bearer"));
        }
        let header = HeaderValue::try_from(format!("Bearer {}", given.access_token));
        let mut header = header.map_err(|_| malformed("it cannot be sent"))?;
        header.set_sensitive(true);
        let lasting = given.expires_in.filter(|seconds| *seconds >= 0.0).map(|seconds| {
            let lasting = Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST);
            // A little earlier than it ends, as asking takes time.
            lasting.saturating_sub(EARLIER.min(lasting / 10))
        });
        let until = lasting.and_then(|lasting| Instant::now().checked_add(lasting));
        Ok(Token { text: given.access_token, header, until })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tokens").field("server", &self.server).finish_non_exhaustive()
    }
}

/// What stands in a file, without the white space around it.
fn read(path: PathBuf) -> Result<String, HttpError> {
    let mut text = String::new();
    let read = fs::File::open(&path).and_then(|file| file.take(SECRET_LIMIT).read_to_string(&mut text));
    match read {
        Ok(_) => Ok(text.trim().to_owned()),
        Err(source) => Err(HttpError::Credentials { path, source }),
    }
}

/// What an address gives.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    token_type: Option<String>,
    /// In seconds.
    expires_in: Option<f64>,
}

const ANSWER_LIMIT: usize = 64 << 10;
const SECRET_LIMIT: u64 = 64 << 10;
const LONGEST: Duration = Duration::from_secs(86_400);
const EARLIER: Duration = Duration::from_secs(10);
