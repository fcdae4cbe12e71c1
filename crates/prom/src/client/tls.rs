//! TLS of our own, so that nothing depends on which provider the process chose, or on whether it chose one.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use rustls_platform_verifier::BuilderVerifierExt;

use super::build::BuildError;

/// TLS that trusts whom the operating system trusts, or everybody.
///
/// A client that will only speak plain HTTP must not fail because a container has no certificate authorities:
/// unless `needed`, it then trusts nobody.
pub(super) fn config(insecure: bool, needed: bool) -> Result<ClientConfig, BuildError> {
    let provider = provider().ok_or(BuildError::NoProvider)?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(BuildError::Tls)?;
    let builder = if insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Everybody { provider }))
    } else {
        match builder.clone().with_platform_verifier() {
            Ok(trusting) => trusting,
            Err(_) if !needed => builder.with_root_certificates(RootCertStore::empty()),
            Err(error) => return Err(BuildError::Tls(error)),
        }
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

/// Trusts everybody who can sign with the key of the certificate shown, whatever the certificate says.
#[derive(Debug)]
struct Everybody {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Everybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
