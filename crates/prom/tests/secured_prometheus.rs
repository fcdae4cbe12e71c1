//! A Prometheus behind a password, and one behind a certificate, let only those in who may come in.

#![expect(clippy::panic, reason = "the harness of tests may panic")]

use serinus_core::port::PortErrorKind;
use serinus_prom::{Client, QueryError};

use self::prometheus::Prometheus;

#[path = "common/prometheus.rs"]
mod prometheus;

#[tokio::test]
async fn a_password_lets_in_and_its_absence_does_not() {
    let with_password = |port: u16| {
        let client = Client::builder(format!("http://127.0.0.1:{port}")).basic("me", "open-sesame");
        client.build().expect("an address")
    };
    let web = format!("basic_auth_users:\n  me: {HASH}\n");
    let Some(prometheus) = Prometheus::start(&web, with_password).await else { return };
    let address = format!("127.0.0.1:{}", prometheus.port);

    let in_the_address = Client::new(format!("http://me:open%2Dsesame@{address}")).unwrap();
    in_the_address.query("1", None).await.unwrap();
    let without = Client::new(format!("http://{address}")).unwrap();
    let wrong = Client::builder(format!("http://{address}")).basic("me", "close-sesame").build().unwrap();
    for client in [without, wrong] {
        let error = client.query("1", None).await.unwrap_err();
        assert!(matches!(&error, QueryError::Status { status: 401, .. }), "{error}");
        assert_eq!(error.kind(), PortErrorKind::Denied);
        assert!(!format!("{error} {error:?}").contains("sesame"), "{error:?}");
    }
}

#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc-rs"))]
#[tokio::test]
async fn a_certificate_nobody_vouches_for_is_refused_unless_the_client_is_insecure() {
    use serinus_core::{
        metric::{Query, Question, Sample},
        port::MetricProvider,
    };
    use serinus_prom::PrometheusProvider;

    let insecure = |port: u16| {
        let client = Client::builder(format!("https://127.0.0.1:{port}")).insecure(true);
        client.build().expect("an address")
    };
    let files = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls");
    let web =
        format!("tls_server_config:\n  cert_file: {files}/certificate.pem\n  key_file: {files}/key.pem\n");
    let Some(prometheus) = Prometheus::start(&web, insecure).await else { return };
    let address = format!("https://127.0.0.1:{}", prometheus.port);

    let error = Client::new(address.as_str()).unwrap().query("1", None).await.unwrap_err();
    assert!(matches!(&error, QueryError::Transport { .. }), "{error}");
    let mut query = Query::new("prometheus", "1");
    query.settings.insert("address".into(), address);
    let mut question = Question {
        query: query.clone().into(),
        candidate: "v2".into(),
        stable: "v1".into(),
        at: "2026-01-31T12:00:00Z".parse().unwrap(),
        window: None,
    };
    let provider = PrometheusProvider::without_client();
    let error = provider.ask(&question).await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::Transient);
    assert!(error.chain().contains("certificate"), "{}", error.chain());
    query.settings.insert("insecure".into(), "true".into());
    question.query = query.into();
    assert_eq!(provider.ask(&question).await.unwrap(), Sample::number(1.0));
}

/// What bcrypt makes of the password, at its lowest cost.
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuuXcjcm5avyCiJoD2uS24xa2lb6fjMB3G";
