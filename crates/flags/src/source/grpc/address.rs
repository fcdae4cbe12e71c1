//! Who is called, and by which way.

use std::path::PathBuf;

use tonic::transport::Uri;

use super::error::GrpcBuildError;
use crate::secrets::without_secrets;

/// Who is called, and by which way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) target: Target,
    pub(super) is_secure: bool,
    /// Who the server is taken for, in the request and by TLS.
    pub(super) authority: String,
    /// As it is shown.
    pub(super) shown: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

impl Address {
    /// As flagd's providers take it: `host:port`, by itself or after `http://`, `https://`, `grpc://`, `grpcs://`,
    /// `dns:`; `envoy://proxy:port/authority`; `unix:` or `uds:` and a path.
    pub(super) fn parse(text: &str) -> Result<Self, GrpcBuildError> {
        let shown = without_secrets(text);
        let fault =
            |problem: &str| GrpcBuildError::Address { address: shown.clone(), problem: problem.to_owned() };
        for scheme in ["unix:", "uds:"] {
            let Some(rest) = text.strip_prefix(scheme) else { continue };
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if path.is_empty() || path.contains('\0') {
                return Err(fault("it has no path"));
            }
            let target = Target::Unix(path.into());
            return Ok(Self { target, is_secure: false, authority: "localhost".to_owned(), shown });
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme, rest),
            None => match text.strip_prefix("dns:") {
                Some(rest) => ("dns", rest),
                None => ("http", text),
            },
        };
        let (is_secure, rest, named) = match scheme {
            "http" | "grpc" => (false, rest, None),
            "https" | "grpcs" => (true, rest, None),
            // An empty authority stands for the resolver of the system, and it is the only one there is here.
            "dns" => (false, rest.strip_prefix('/').unwrap_or(rest), None),
            "envoy" => {
                let (proxy, named) = rest.split_once('/').unwrap_or((rest, ""));
                (false, proxy, Some(named).filter(|named| !named.is_empty()))
            }
            other => return Err(fault(&format!("its scheme `{other}` is not supported"))),
        };
        let (host, port) = host_and_port(rest.trim_end_matches('/')).map_err(|problem| fault(&problem))?;
        let authority = match named {
            None => format!("{host}:{port}"),
            Some(named) if is_authority(named) => named.to_owned(),
            Some(_) => return Err(fault("what stands after the proxy is no name of a service")),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { target: Target::Tcp { host, port }, is_secure, authority, shown })
    }
}

fn host_and_port(text: &str) -> Result<(String, u16), String> {
    let uri: Uri = format!("http://{text}").parse().map_err(|error| format!("{error}"))?;
    if text.contains('@') {
        return Err("it has a user or a password: give them as a header".to_owned());
    }
    if uri.path() != "/" || uri.query().is_some() {
        return Err("it has a path".to_owned());
    }
    let host = uri.host().filter(|host| !host.is_empty()).ok_or("it has no host")?;
    let port = uri.port_u16().ok_or("it has no port; flagd serves this at 8015")?;
    Ok((host.to_owned(), port))
}

/// Whether a request can be made out to this name.
pub(super) fn is_authority(text: &str) -> bool {
    format!("http://{text}").parse::<Uri>().is_ok_and(|uri| {
        uri.path() == "/" && uri.query().is_none() && uri.authority().is_some_and(|one| one.as_str() == text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_flagd_has_them() {
        for (text, host, port, is_secure, authority) in [
            ("flagd:8015", "flagd", 8015, false, "flagd:8015"),
            ("http://flagd:8015/", "flagd", 8015, false, "flagd:8015"),
            ("grpc://10.0.0.1:1", "10.0.0.1", 1, false, "10.0.0.1:1"),
            ("https://[::1]:8015", "::1", 8015, true, "[::1]:8015"),
            ("grpcs://flagd:443", "flagd", 443, true, "flagd:443"),
            ("dns:flagd:8015", "flagd", 8015, false, "flagd:8015"),
            ("dns:///flagd:8015", "flagd", 8015, false, "flagd:8015"),
            ("envoy://localhost:9211/sync.service", "localhost", 9211, false, "sync.service"),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.target, Target::Tcp { host: host.to_owned(), port }, "{text}");
            assert_eq!((address.is_secure, &*address.authority), (is_secure, authority), "{text}");
        }
        for text in ["unix:/run/flagd.sock", "unix:///run/flagd.sock", "uds:/run/flagd.sock"] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.target, Target::Unix("/run/flagd.sock".into()), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_credentials() {
        for text in [
            "",
            "flagd",
            "flagd:",
            "flagd:99999",
            "unix:",
            "uds://",
            "xds:///flagd",
            "envoy://proxy:1/a b",
            "http://flagd:8015/path",
            "http://me:hush-hush@flagd:8015",
            "http://flagd:8015?token=hush-hush",
            "\u{fffd}:1",
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(matches!(error, GrpcBuildError::Address { .. }), "{text}: {error}");
            assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
        }
    }
}
