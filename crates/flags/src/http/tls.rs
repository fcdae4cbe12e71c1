//! TLS of our own, so that nothing depends on which provider the process chose, or on whether it chose one.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::CryptoProvider};
use rustls_platform_verifier::BuilderVerifierExt;

use super::error::HttpBuildError;

/// TLS that trusts whom the operating system trusts.
///
/// A client that will only speak plain HTTP must not fail because a container has no certificate authorities:
/// unless `needed`, it then trusts nobody.
pub(super) fn config(needed: bool) -> Result<ClientConfig, HttpBuildError> {
    let provider = provider().ok_or(HttpBuildError::NoProvider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(HttpBuildError::Tls)?;
    let builder = match builder.clone().with_platform_verifier() {
        Ok(trusting) => trusting,
        Err(_) if !needed => builder.with_root_certificates(RootCertStore::empty()),
        Err(error) => return Err(HttpBuildError::Tls(error)),
    };
    Ok(builder.with_no_client_auth())
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
