//! What is known of a server, and how it is called.

#[cfg(feature = "tls")]
use std::path::PathBuf;
use std::{fmt, time::Duration};

use tonic::{
    metadata::{Ascii, MetadataKey, MetadataMap, MetadataValue},
    transport::{Endpoint, Uri},
};

use super::{
    Grpc,
    address::{Address, is_authority},
    backoff::Backoff,
    call::Call,
    code::GrpcCode,
    dial::Dialer,
    error::GrpcBuildError,
    message::SyncFlagsRequest,
};
use crate::secrets::{Secrets, without_secrets};
#[cfg(feature = "tls")]
use crate::tls::Roots;

/// Builds a [`Grpc`].
#[derive(Clone)]
#[must_use = "nothing is built before `build`"]
pub struct GrpcBuilder {
    address: String,
    name: Option<String>,
    authority: Option<String>,
    is_secure: bool,
    #[cfg(feature = "tls")]
    roots: Roots,
    provider_id: String,
    selector: String,
    headers: Vec<(String, String)>,
    secrets: Secrets,
    max_message_bytes: usize,
    deadline: Duration,
    stream_deadline: Duration,
    keep_alive: Duration,
    backoff: (Duration, Duration),
    fatal: Vec<GrpcCode>,
}

impl GrpcBuilder {
    pub(super) fn new(address: String) -> Self {
        Self {
            address,
            name: None,
            authority: None,
            is_secure: false,
            #[cfg(feature = "tls")]
            roots: Roots::System,
            provider_id: String::new(),
            selector: String::new(),
            headers: Vec::new(),
            secrets: Secrets::default(),
            max_message_bytes: MAX_MESSAGE_BYTES,
            deadline: DEADLINE,
            stream_deadline: STREAM_DEADLINE,
            keep_alive: Duration::ZERO,
            backoff: (BACKOFF, BACKOFF_MAX),
            fatal: Vec::new(),
        }
    }

    /// Under another name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whose name the request bears, and the certificate of the server; by default that is the host of the address.
    pub fn authority(mut self, authority: impl Into<String>) -> Self {
        self.authority = Some(authority.into());
        self
    }

    /// Speaks TLS, whatever the address says.
    pub fn tls(mut self, is_secure: bool) -> Self {
        self.is_secure = is_secure;
        self
    }

    /// Believes only whom these root certificates vouch for, instead of whom the operating system trusts: as PEM.
    #[cfg(feature = "tls")]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Roots::Pem(pem.into());
        self
    }

    /// The same, in a file that is read when this is built.
    #[cfg(feature = "tls")]
    pub fn root_certificate_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.roots = Roots::File(path.into());
        self
    }

    /// Who asks, for the server's logs and rules.
    pub fn provider_id(mut self, id: impl Into<String>) -> Self {
        self.provider_id = id.into();
        self
    }

    /// Which flags are asked for: a [`Selector`](crate::source::Selector), or what the server knows beyond that. It is
    /// sent as `flagd-selector` with the request and, for older servers, in it.
    pub fn selector(mut self, selector: impl Into<String>) -> Self {
        self.selector = selector.into();
        self
    }

    /// Sends a bearer token.
    pub fn bearer(mut self, token: impl Into<String>) -> Self {
        let token = token.into();
        self.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        self.secrets.add(token);
        self
    }

    /// Sends this with the request. The value is treated as a secret; the last one given for a name counts.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let value = value.into();
        self.secrets.add(value.clone());
        self.headers.push((name.into(), value));
        self
    }

    /// How large a message may be, in bytes; 4 MiB by default, as gRPC has it.
    pub fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message_bytes = bytes;
        self
    }

    /// How long it may take to connect, call and get the first message; 5 seconds by default.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long a stream may last before it is renewed, which finds out about connections that are dead; 10 minutes by
    /// default, zero for ever.
    pub fn stream_deadline(mut self, deadline: Duration) -> Self {
        self.stream_deadline = deadline;
        self
    }

    /// How often a connection without traffic is asked whether it is alive; by default, and with zero, never. The
    /// answer may take as long again, and at most 20 seconds. Servers may refuse to be asked more often than every five
    /// minutes.
    pub fn keep_alive(mut self, interval: Duration) -> Self {
        self.keep_alive = if interval.is_zero() { interval } else { interval.clamp(SHORTEST, LONGEST) };
        self
    }

    /// How long is waited before the server is called again: the first time, and at most; 1 and 12 seconds by default.
    /// Each pause is up to a quarter shorter than that, by chance, and a day at most.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.backoff = (first.min(LONGEST), longest.min(LONGEST));
        self
    }

    /// If the server refuses with one of these before it ever said anything, it is not called again; by default there is
    /// none.
    pub fn fatal_codes(mut self, codes: impl IntoIterator<Item = GrpcCode>) -> Self {
        self.fatal = codes.into_iter().collect();
        self
    }

    /// The source.
    ///
    /// # Errors
    ///
    /// If the address is none, a header cannot be sent, a duration is zero that cannot be, or the address needs a TLS
    /// that is not there.
    pub fn build(self) -> Result<Grpc, GrpcBuildError> {
        let mut address = Address::parse(&self.address)?;
        address.is_secure |= self.is_secure;
        for (what, duration) in [("the deadline", self.deadline), ("the first backoff", self.backoff.0)] {
            if duration.is_zero() {
                return Err(GrpcBuildError::Zero { what });
            }
        }
        if let Some(authority) = self.authority {
            if !is_authority(&authority) {
                let problem = "its authority is no host, with or without a port".to_owned();
                return Err(GrpcBuildError::Address { address: address.shown, problem });
            }
            address.authority = authority;
        }
        #[cfg(feature = "tls")]
        let dialer = Dialer::new(&address, &self.roots)?;
        #[cfg(not(feature = "tls"))]
        let dialer = Dialer::new(&address)?;
        let endpoint = endpoint(&address, self.keep_alive)?;
        let mut metadata = MetadataMap::new();
        if !self.selector.is_empty() {
            let value = header_value(SELECTOR, &self.selector)?;
            metadata.insert(SELECTOR, value);
        }
        for (name, value) in &self.headers {
            let problem = "its name is none, is for gRPC itself, or ends in -bin";
            let fault = || GrpcBuildError::Header { name: name.clone(), problem };
            let lowered = name.to_ascii_lowercase();
            if lowered.starts_with("grpc-") || RESERVED.contains(&&*lowered) {
                return Err(fault());
            }
            let key = MetadataKey::<Ascii>::from_bytes(lowered.as_bytes()).map_err(|_| fault())?;
            let mut value = header_value(name, value)?;
            value.set_sensitive(true);
            metadata.insert(key, value);
        }
        let request = SyncFlagsRequest { provider_id: self.provider_id, selector: self.selector };
        let (max_message_bytes, shown) = (self.max_message_bytes, address.shown);
        Ok(Grpc {
            name: self.name.unwrap_or_else(|| shown.clone()),
            max_message_bytes,
            deadline: self.deadline,
            stream_deadline: Some(self.stream_deadline).filter(|deadline| !deadline.is_zero()),
            backoff: Backoff::new(self.backoff.0, self.backoff.1),
            fatal: self.fatal,
            call: Call {
                endpoint,
                dialer,
                request,
                metadata,
                max_message_bytes,
                shown,
                secrets: self.secrets,
            },
            open: None,
            was_heard: false,
            seen: None,
            pause: Duration::ZERO,
        })
    }
}

impl fmt::Debug for GrpcBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("GrpcBuilder");
        #[cfg(feature = "tls")]
        shown.field("roots", &self.roots);
        shown
            .field("address", &without_secrets(&self.address))
            .field("authority", &self.authority)
            .field("is_secure", &self.is_secure)
            .field("provider_id", &self.provider_id)
            .field("selector", &self.selector)
            .field("deadline", &self.deadline)
            .field("stream_deadline", &self.stream_deadline)
            .field("keep_alive", &self.keep_alive)
            .field("backoff", &self.backoff)
            .field("fatal", &self.fatal)
            .finish_non_exhaustive()
    }
}

/// Where a connection leads is up to the dialer; this says whom requests are made out to.
fn endpoint(address: &Address, keep_alive: Duration) -> Result<Endpoint, GrpcBuildError> {
    let fault = |problem: String| GrpcBuildError::Address { address: address.shown.clone(), problem };
    let scheme = if address.is_secure { "https" } else { "http" };
    let origin = format!("{scheme}://{}", address.authority);
    let origin: Uri = origin.parse().map_err(|error| fault(format!("{error}")))?;
    let agent = concat!("serinus-flags/", env!("CARGO_PKG_VERSION"));
    let endpoint = Endpoint::from_static("http://localhost").origin(origin).user_agent(agent);
    let endpoint = endpoint.map_err(|error| fault(error.to_string()))?;
    if keep_alive.is_zero() {
        return Ok(endpoint);
    }
    let patience = keep_alive.min(KEEP_ALIVE_ANSWER);
    Ok(endpoint
        .http2_keep_alive_interval(keep_alive)
        .keep_alive_timeout(patience)
        .keep_alive_while_idle(true))
}

fn header_value(name: &str, value: &str) -> Result<MetadataValue<Ascii>, GrpcBuildError> {
    let problem = "its value has a sign beyond ASCII, or a line end";
    let parsed = value.is_ascii().then(|| value.parse().ok()).flatten();
    parsed.ok_or_else(|| GrpcBuildError::Header { name: name.to_owned(), problem })
}

const SELECTOR: &str = "flagd-selector";
const RESERVED: [&str; 4] = ["content-type", "te", "user-agent", "host"];
/// As gRPC has it.
const MAX_MESSAGE_BYTES: usize = 4 << 20;
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(86_400);
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(20);
const DEADLINE: Duration = Duration::from_secs(5);
/// These three as flagd's providers have them.
const STREAM_DEADLINE: Duration = Duration::from_secs(600);
const BACKOFF: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(12);
