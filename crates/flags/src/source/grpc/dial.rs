//! Connections: by TCP or by a socket of the file system, in plain text or by TLS.

use std::io;
#[cfg(feature = "tls")]
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

#[cfg(feature = "tls")]
use tonic::transport::Uri;

use super::{
    address::{Address, Target},
    error::GrpcBuildError,
};
#[cfg(feature = "tls")]
use crate::tls::{self, Roots};

/// Makes connections to one server. The name of the server is looked up for each of them.
#[derive(Clone)]
pub(super) struct Dialer {
    target: Target,
    #[cfg(feature = "tls")]
    tls: Option<(tokio_rustls::TlsConnector, rustls::pki_types::ServerName<'static>)>,
}

pub(super) type Connection = TokioIo<Box<dyn Stream>>;

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Dialer {
    #[cfg(feature = "tls")]
    pub(super) fn new(address: &Address, roots: &Roots) -> Result<Self, GrpcBuildError> {
        let tls = if address.is_secure {
            let mut config = tls::config(true, roots)?;
            config.alpn_protocols = vec![b"h2".to_vec()];
            Some((Arc::new(config).into(), server_name(address)?))
        } else {
            None
        };
        Ok(Self { target: address.target.clone(), tls })
    }

    #[cfg(not(feature = "tls"))]
    pub(super) fn new(address: &Address) -> Result<Self, GrpcBuildError> {
        if address.is_secure {
            return Err(GrpcBuildError::NoTls { address: address.shown.clone() });
        }
        Ok(Self { target: address.target.clone() })
    }

    pub(super) async fn dial(self) -> io::Result<Connection> {
        let stream: Box<dyn Stream> = match self.target {
            Target::Tcp { host, port } => {
                let stream = TcpStream::connect((host, port)).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            #[cfg(unix)]
            Target::Unix(path) => Box::new(tokio::net::UnixStream::connect(path).await?),
            #[cfg(not(unix))]
            Target::Unix(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        #[cfg(feature = "tls")]
        if let Some((connector, name)) = self.tls {
            return Ok(TokioIo::new(Box::new(connector.connect(name, stream).await?)));
        }
        Ok(TokioIo::new(stream))
    }
}

/// The name that the certificate of the server has to have.
#[cfg(feature = "tls")]
fn server_name(address: &Address) -> Result<rustls::pki_types::ServerName<'static>, GrpcBuildError> {
    let uri = format!("https://{}", address.authority).parse::<Uri>();
    let host = uri.ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    host.try_into().map_err(|_| GrpcBuildError::Address {
        address: address.shown.clone(),
        problem: "no certificate can have the name of its host".to_owned(),
    })
}

#[cfg(all(test, feature = "tls"))]
mod tests {
    use super::*;

    #[test]
    fn the_name_in_the_certificate_is_the_host_whatever_the_port() {
        for (text, expected) in [
            ("flagd:8015", "flagd"),
            ("https://[::1]:8015", "::1"),
            ("https://10.0.0.1:1", "10.0.0.1"),
            ("envoy://proxy:1/sync.service", "sync.service"),
        ] {
            let name = server_name(&Address::parse(text).unwrap()).unwrap();
            assert_eq!(name.to_str(), expected);
        }
        let bare = Address { authority: "[::1]".to_owned(), ..Address::parse("flagd:1").unwrap() };
        assert_eq!(server_name(&bare).unwrap().to_str(), "::1");
    }
}
