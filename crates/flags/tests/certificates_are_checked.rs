//! HTTPS against a server with certificates made here: whoever nobody vouches for is not believed.

#![cfg(all(feature = "http", feature = "ofrep", feature = "tls-ring"))]
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use serinus_flags::{
    Context, Feed, Flags, Status, TlsError,
    http::{HttpBuildError, HttpError},
    remote::{Remote, RemoteError},
    source::{Fetched, Http, Source, SourceError},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

#[tokio::test]
async fn a_document_comes_by_https_from_whom_the_given_root_vouches_for() {
    let authority = Authority::new();
    let server = Server::start(&authority, |_| {}).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("roots.pem");
    // Several certificates in one file, with words between them.
    std::fs::write(&file, format!("ours:\n{}\ntheirs:\n{}", authority.pem, Authority::new().pem)).unwrap();
    let by_file = Http::builder(server.address("/flags.json")).root_certificate_file(&file).build().unwrap();
    let by_text =
        Http::builder(server.address("/flags.json")).root_certificates(authority.pem).build().unwrap();
    for mut source in [by_file, by_text] {
        assert!(matches!(source.fetch().await, Ok(Fetched::Document { .. })));
        assert!(matches!(source.fetch().await, Ok(Fetched::Unchanged)), "by its tag");
        let flags = Flags::default();
        let _following = Feed::of(source).follow(&flags).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_is_asked_by_https_for_values() {
    let authority = Authority::new();
    let server = Server::start(&authority, |_| {}).await;
    let remote = Remote::builder(server.address("")).bearer("hush-hush");
    let remote = remote.root_certificates(authority.pem).build().unwrap();
    let answer = remote.evaluate("search", &Context::new("user-42")).await.unwrap();
    assert_eq!(answer.value::<bool>().unwrap(), Some(true));
}

#[tokio::test]
async fn who_is_not_vouched_for_is_not_believed_and_the_flags_stay_as_they_are() {
    let authority = Authority::new();
    let honest = Server::start(&authority, |_| {}).await;
    let misnamed = Server::start(&authority, |leaf| leaf.subject_alt_names.clear()).await;
    let expired = Server::start(&authority, |leaf| {
        (leaf.not_before, leaf.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(2001, 1, 1));
    })
    .await;
    let other = Authority::new().pem;
    for (server, root) in [
        (&honest, Some(&other)),
        (&honest, None),
        (&misnamed, Some(&authority.pem)),
        (&expired, Some(&authority.pem)),
    ] {
        let mut source = Http::builder(server.address("/flags.json"));
        let mut remote = Remote::builder(server.address(""));
        if let Some(root) = root {
            source = source.root_certificates(root.as_str());
            remote = remote.root_certificates(root.as_str());
        }
        let flags = Flags::default();
        let mut source = source.build().unwrap();
        let error = source.fetch().await.unwrap_err();
        assert!(matches!(&error, SourceError::Http(HttpError::Transport { .. })), "{error:?}");
        assert!(error.in_full().contains("certificate"), "{}", error.in_full());
        let _following = Feed::of(source).follow(&flags).await.unwrap();
        assert_eq!(flags.status(), Status::Error);

        let error = remote.build().unwrap().evaluate("search", &Context::new("user-42")).await.unwrap_err();
        assert!(matches!(&error, RemoteError::Http(HttpError::Transport { .. })), "{error:?}");
        assert!(chain(&error).contains("certificate"), "{}", chain(&error));
    }
}

#[tokio::test]
async fn plain_text_is_no_https() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let plain = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n<html></html>").await;
        }
    });
    let mut source = Http::builder(format!("https://{address}/flags.json")).build().unwrap();
    assert!(matches!(source.fetch().await, Err(SourceError::Http(HttpError::Transport { .. }))));
    plain.abort();
}

#[test]
fn roots_that_are_none_are_said_when_it_is_built() {
    let of = |pem: &str| Http::builder("https://flags").root_certificates(pem).build().unwrap_err();
    let cut = Authority::new().pem.replace("END", "AND");
    let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in ["", "<html></html>", &cut, hollow] {
        let error = of(pem);
        assert!(matches!(&error, HttpBuildError::Tls(TlsError::Roots { .. })), "{pem}: {error:?}");
    }
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("none.pem");
    let error = Remote::builder("https://flags").root_certificate_file(&missing).build().unwrap_err();
    assert!(matches!(&error, HttpBuildError::Tls(TlsError::File { .. })), "{error:?}");
    assert!(error.to_string().contains("none.pem"), "{error}");
    let empty = directory.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let error = Remote::builder("https://flags").root_certificate_file(&empty).build().unwrap_err();
    assert!(error.to_string().contains("empty.pem are none: there is no certificate"), "{error}");
}

/// Somebody who vouches for others.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut root = CertificateParams::new([]).unwrap();
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = root.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(root, key), pem }
    }
}

/// It ends when it is dropped.
struct Server {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Server {
    async fn start(authority: &Authority, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        change(&mut leaf);
        let leaf = leaf.signed_by(&key, &authority.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut request = Vec::new();
                    let mut chunk = [0; 4096];
                    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                        match stream.read(&mut chunk).await {
                            Ok(0) | Err(_) => return,
                            Ok(length) => request.extend_from_slice(&chunk[..length]),
                        }
                    }
                    let _ = stream.write_all(answer(&String::from_utf8_lossy(&request)).as_bytes()).await;
                    let _ = stream.shutdown().await;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                });
            }
        });
        Self { address, serving }
    }

    fn address(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn answer(request: &str) -> String {
    let with = |status: &str, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\netag: \"v1\"\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    match request {
        asked if asked.contains("if-none-match: \"v1\"") => with("304 Not Modified", ""),
        asked if asked.starts_with("GET /flags.json ") => with("200 OK", r#"{"flags": {}}"#),
        asked
            if asked.starts_with("POST /ofrep/v1/evaluate/flags/search ")
                && asked.contains("Bearer hush-hush") =>
        {
            with("200 OK", r#"{"key": "search", "reason": "STATIC", "variant": "on", "value": true}"#)
        }
        _ => with("404 Not Found", ""),
    }
}

fn chain(error: &dyn Error) -> String {
    let causes = error.source().map(chain);
    format!("{error}: {}", causes.unwrap_or_default())
}
