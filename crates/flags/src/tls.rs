//! TLS of our own, so that nothing depends on which provider the process chose, or on whether it chose one.

use std::{fmt, fs, io, path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// Whose certificates are believed.
#[derive(Clone, Default)]
pub(crate) enum Roots {
    /// Whom the operating system trusts.
    #[default]
    System,
    /// Those that these certificates vouch for, and nobody else.
    Pem(Vec<u8>),
    /// The same, in a file.
    File(PathBuf),
}

impl fmt::Debug for Roots {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => formatter.write_str("System"),
            Self::Pem(pem) => write!(formatter, "Pem({} bytes)", pem.len()),
            Self::File(path) => formatter.debug_tuple("File").field(path).finish(),
        }
    }
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// No cryptography for TLS.
    #[error(
        "no cryptography provider for TLS: turn on the feature tls-ring or tls-aws-lc-rs, or install one for the process"
    )]
    NoProvider,
    /// The file with the root certificates cannot be read.
    #[error("cannot read the root certificates in {}", path.display())]
    File {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What is given as root certificates is none.
    #[error("the root certificates {place} are none: {problem}; give them as PEM, each from BEGIN to END")]
    Roots {
        /// Where they are from.
        place: String,
        /// What is wrong with them.
        problem: String,
    },
    /// TLS could not be set up.
    #[error("cannot set up TLS")]
    Rustls(#[source] rustls::Error),
}

/// TLS that trusts these.
///
/// A client that will only speak plain text must not fail because a container has no certificate authorities: unless
/// `needed`, it then trusts nobody.
pub(crate) fn config(needed: bool, roots: &Roots) -> Result<ClientConfig, TlsError> {
    let provider = provider().ok_or(TlsError::NoProvider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Rustls)?;
    let builder = match roots {
        Roots::System => match builder.clone().with_platform_verifier() {
            Ok(trusting) => trusting,
            Err(_) if !needed => builder.with_root_certificates(RootCertStore::empty()),
            Err(error) => return Err(TlsError::Rustls(error)),
        },
        Roots::Pem(pem) => builder.with_root_certificates(store(pem, "that were given")?),
        Roots::File(path) => {
            let failed = |source| TlsError::File { path: path.clone(), source };
            let pem = fs::read(path).map_err(failed)?;
            builder.with_root_certificates(store(&pem, &format!("in {}", path.display()))?)
        }
    };
    Ok(builder.with_no_client_auth())
}

fn store(pem: &[u8], place: &str) -> Result<RootCertStore, TlsError> {
    let fault = |problem: String| TlsError::Roots { place: place.to_owned(), problem };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| fault(error.to_string()))?;
        store.add(certificate).map_err(|error| fault(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(fault("there is no certificate".to_owned()));
    }
    Ok(store)
}

/// The provider of the process if it has one, else one that was compiled in.
fn provider() -> Option<Arc<CryptoProvider>> {
    CryptoProvider::get_default().cloned().or_else(compiled_in)
}

#[cfg(feature = "tls-ring")]
fn compiled_in() -> Option<Arc<CryptoProvider>> {
    Some(Arc::new(rustls::crypto::ring::default_provider()))
}
#[cfg(all(feature = "tls-aws-lc-rs", not(feature = "tls-ring")))]
fn compiled_in() -> Option<Arc<CryptoProvider>> {
    Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
}
#[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc-rs")))]
const fn compiled_in() -> Option<Arc<CryptoProvider>> {
    None
}
