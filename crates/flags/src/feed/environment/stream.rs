//! The stream of a server, as the environment says.

use std::time::Duration;

use super::{DEADLINE, EnvironmentError, Variables};
#[cfg(feature = "tls")]
use crate::TlsError;
use crate::source::{Grpc, GrpcBuildError, GrpcBuilder};

pub(super) fn source(variables: &Variables<'_>) -> Result<Grpc, EnvironmentError> {
    let (address, said_by) = address(variables)?;
    builder(variables, address)?.build().map_err(|source| {
        let variable = match &source {
            GrpcBuildError::Address { .. } => said_by,
            GrpcBuildError::Header { .. } => SELECTOR,
            GrpcBuildError::Zero { .. } => BACKOFF,
            GrpcBuildError::NoTls { .. } => TLS,
            #[cfg(feature = "tls")]
            GrpcBuildError::Tls(TlsError::File { .. } | TlsError::Roots { .. }) => CERTIFICATE,
            #[cfg(feature = "tls")]
            GrpcBuildError::Tls(_) => TLS,
        };
        EnvironmentError::Grpc { variable, source }
    })
}

/// Who is called, and which variable says so.
fn address(variables: &Variables<'_>) -> Result<(String, &'static str), EnvironmentError> {
    if let Some(path) = variables.text(SOCKET)? {
        return Ok((format!("unix:{path}"), SOCKET));
    }
    if let Some(target) = variables.text(TARGET)? {
        return Ok((target, TARGET));
    }
    let host = variables.text(HOST)?.unwrap_or_else(|| "localhost".to_owned());
    let mut port = PORT;
    for variable in ["FLAGD_PORT", "FLAGD_SYNC_PORT"] {
        let expected = "a port, from 1 to 65535";
        match variables.number(variable, expected)? {
            None => {}
            Some(found) => match u16::try_from(found) {
                Ok(number) if number != 0 => port = number,
                _ => {
                    return Err(EnvironmentError::Value { variable, found: found.to_string(), expected });
                }
            },
        }
    }
    // An address of six parts and more needs brackets, which nobody writes into a variable for a host.
    let is_bare = host.contains(':') && !host.starts_with('[') && !host.contains('/');
    let host = if is_bare { format!("[{host}]") } else { host };
    Ok((format!("{host}:{port}"), HOST))
}

fn builder(variables: &Variables<'_>, address: String) -> Result<GrpcBuilder, EnvironmentError> {
    let mut builder = Grpc::builder(address);
    if let Some(found) = variables.text(TLS)? {
        let is_secure = match found.to_ascii_lowercase().as_str() {
            "true" => true,
            "false" => false,
            _ => return Err(EnvironmentError::Value { variable: TLS, found, expected: "true or false" }),
        };
        builder = builder.tls(is_secure);
    }
    #[cfg(feature = "tls")]
    if let Some(path) = variables.text(CERTIFICATE)? {
        builder = builder.root_certificate_file(path);
    }
    if let Some(id) = variables.text("FLAGD_PROVIDER_ID")? {
        builder = builder.provider_id(id);
    }
    if let Some(selector) = variables.text(SELECTOR)? {
        builder = builder.selector(selector);
    }
    if let Some(deadline) = variables.positive(DEADLINE)? {
        builder = builder.deadline(deadline);
    }
    if let Some(deadline) = variables.milliseconds("FLAGD_STREAM_DEADLINE_MS")? {
        builder = builder.stream_deadline(deadline);
    }
    if let Some(interval) = variables.milliseconds("FLAGD_KEEP_ALIVE_TIME_MS")? {
        builder = builder.keep_alive(interval);
    }
    let first = variables.positive(BACKOFF)?.unwrap_or(Duration::from_secs(1));
    let longest = variables.positive("FLAGD_RETRY_BACKOFF_MAX_MS")?.unwrap_or(Duration::from_secs(12));
    builder = builder.backoff(first, longest);
    if let Some(found) = variables.text(FATAL)? {
        let names = found.split(',').map(str::trim).filter(|name| !name.is_empty());
        match names.map(str::parse).collect::<Result<Vec<_>, _>>() {
            Ok(codes) => builder = builder.fatal_codes(codes),
            Err(_) => {
                let expected = "codes of gRPC with commas between, such as UNAUTHENTICATED,PERMISSION_DENIED";
                return Err(EnvironmentError::Value { variable: FATAL, found, expected });
            }
        }
    }
    Ok(builder)
}

const HOST: &str = "FLAGD_HOST";
const TARGET: &str = "FLAGD_TARGET_URI";
const SOCKET: &str = "FLAGD_SOCKET_PATH";
const TLS: &str = "FLAGD_TLS";
#[cfg(feature = "tls")]
const CERTIFICATE: &str = "FLAGD_SERVER_CERT_PATH";
const SELECTOR: &str = "FLAGD_SOURCE_SELECTOR";
const BACKOFF: &str = "FLAGD_RETRY_BACKOFF_MS";
const FATAL: &str = "FLAGD_FATAL_STATUS_CODES";
/// Of flagd, for streams of documents.
const PORT: u16 = 8015;

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::source::GrpcCode;

    fn with<T>(variables: &[(&str, &str)], read: impl FnOnce(&Variables<'_>) -> T) -> T {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        read(&Variables(&|name| find(name).map(|(_, value)| OsString::from(value))))
    }

    /// The scenarios of the test bed that are about the options of an in-process provider.
    #[test]
    fn each_variable_sets_its_option() {
        let to = |address: &str| Grpc::builder(address);
        let milliseconds = Duration::from_millis;
        let codes = [GrpcCode::Unauthenticated, GrpcCode::PermissionDenied];
        for (variables, expected) in [
            (&[][..], to("localhost:8015")),
            (&[("FLAGD_HOST", "local")], to("local:8015")),
            (&[("FLAGD_HOST", "::1")], to("[::1]:8015")),
            (&[("FLAGD_PORT", "1234")], to("localhost:1234")),
            (&[("FLAGD_SYNC_PORT", "1234")], to("localhost:1234")),
            (&[("FLAGD_SYNC_PORT", "1234"), ("FLAGD_PORT", "3456")], to("localhost:1234")),
            (&[("FLAGD_TARGET_URI", "envoy://a:1/b"), ("FLAGD_HOST", "local")], to("envoy://a:1/b")),
            (&[("FLAGD_SOCKET_PATH", "/path"), ("FLAGD_TARGET_URI", "a:1")], to("unix:/path")),
            (&[("FLAGD_TLS", "True")], to("localhost:8015").tls(true)),
            (&[("FLAGD_TLS", "False")], to("localhost:8015")),
            (&[("FLAGD_PROVIDER_ID", "env-providerId")], to("localhost:8015").provider_id("env-providerId")),
            (&[("FLAGD_SOURCE_SELECTOR", "selector")], to("localhost:8015").selector("selector")),
            (&[("FLAGD_DEADLINE_MS", "123")], to("localhost:8015").deadline(milliseconds(123))),
            (
                &[("FLAGD_STREAM_DEADLINE_MS", "500000")],
                to("localhost:8015").stream_deadline(milliseconds(500_000)),
            ),
            (&[("FLAGD_KEEP_ALIVE_TIME_MS", "5")], to("localhost:8015").keep_alive(milliseconds(5))),
            (
                &[("FLAGD_RETRY_BACKOFF_MS", "5000"), ("FLAGD_RETRY_BACKOFF_MAX_MS", "120000")],
                to("localhost:8015").backoff(milliseconds(5000), milliseconds(120_000)),
            ),
            (
                &[("FLAGD_FATAL_STATUS_CODES", "UNAUTHENTICATED, PERMISSION_DENIED")],
                to("localhost:8015").fatal_codes(codes),
            ),
        ] {
            let built = with(variables, |variables| builder(variables, address(variables)?.0)).unwrap();
            assert_eq!(format!("{built:?}"), format!("{expected:?}"), "{variables:?}");
        }
        #[cfg(feature = "tls")]
        {
            let built = with(&[(CERTIFICATE, "path")], |variables| builder(variables, "a:1".to_owned()));
            let expected = to("a:1").root_certificate_file("path");
            assert_eq!(format!("{:?}", built.unwrap()), format!("{expected:?}"));
        }
    }

    #[test]
    fn errors_name_the_variable() {
        for (variable, value) in [
            (HOST, "a/b"),
            ("FLAGD_SYNC_PORT", "0"),
            ("FLAGD_SYNC_PORT", "65536"),
            ("FLAGD_PORT", "port"),
            (TARGET, "xds:///flagd"),
            (TLS, "yes"),
            (SELECTOR, "ä"),
            (DEADLINE, "0"),
            (BACKOFF, "0"),
            (BACKOFF, "1s"),
            (FATAL, "OK"),
        ] {
            let error = with(&[(variable, value)], |variables| source(variables).unwrap_err());
            assert!(error.to_string().contains(variable), "{variable}={value}: {error}");
        }
        #[cfg(feature = "tls")]
        {
            let variables = [(TLS, "true"), (CERTIFICATE, "/nowhere/roots.pem")];
            let error = with(&variables, |variables| source(variables).unwrap_err());
            assert!(matches!(error, EnvironmentError::Grpc { variable: CERTIFICATE, .. }), "{error:?}");
        }
    }
}
