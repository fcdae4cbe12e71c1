//! Tokens are asked for by OAuth's client credentials, kept while they hold, and shown to nobody.

#![cfg(feature = "http")]
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{fs, time::Duration};

use serde_json::{Value, json};
use serinus_flags::{
    http::{HttpBuildError, HttpError},
    source::{ClientCredentials, Fetched, Http, Source, SourceError},
};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_string, header, method, path},
};

const FORM: &str = "grant_type=client_credentials&client_id=me&client_secret=open+sesame%26more";

#[tokio::test]
async fn a_token_is_asked_for_once_and_kept_while_it_holds() {
    let server = MockServer::start().await;
    gives(&server, FORM, json!({"access_token": "hush-hush", "token_type": "Bearer", "expires_in": 3600}), 1)
        .await;
    takes(&server, "hush-hush").await;
    let mut source = with(&server, ClientCredentials::new(at(&server), "me", "open sesame&more"));
    for _ in 0..3 {
        assert!(source.fetch().await.is_ok());
    }
    assert!(!format!("{source:?}").contains("sesame"), "{source:?}");
}

#[tokio::test]
async fn one_that_is_over_is_followed_by_the_next() {
    let server = MockServer::start().await;
    gives(&server, FORM, json!({"access_token": "hush-1", "token_type": "bearer", "expires_in": 0}), 1).await;
    gives(&server, FORM, json!({"access_token": "hush-2"}), 1).await;
    takes(&server, "hush-1").await;
    takes(&server, "hush-2").await;
    let mut source = with(&server, ClientCredentials::new(at(&server), "me", "open sesame&more"));
    for _ in 0..4 {
        assert!(source.fetch().await.is_ok());
    }
}

#[tokio::test]
async fn one_that_is_refused_is_asked_for_again_and_once_at_a_time() {
    let server = MockServer::start().await;
    gives(&server, FORM, json!({"access_token": "hush-1"}), 1).await;
    gives(&server, FORM, json!({"access_token": "hush-2"}), 1).await;
    Mock::given(header("authorization", "Bearer hush-1"))
        .respond_with(ResponseTemplate::new(200).set_body_string(r#"{"flags": {}}"#))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    takes(&server, "hush-2").await;
    let refused = ResponseTemplate::new(401);
    Mock::given(path("/flags.json")).respond_with(refused).with_priority(9).mount(&server).await;
    let mut source = with(&server, ClientCredentials::new(at(&server), "me", "open sesame&more"));
    assert!(matches!(source.fetch().await, Ok(Fetched::Document { .. })));
    // The first is taken back, and the second given for it at once.
    assert!(matches!(source.fetch().await, Ok(Fetched::Unchanged)));

    // Whom no token helps, is told so, and asks once each time.
    server.reset().await;
    gives(&server, FORM, json!({"access_token": "hush-3"}), 1).await;
    Mock::given(path("/flags.json"))
        .respond_with(ResponseTemplate::new(401).set_body_string("hush-3 may not read"))
        .expect(2)
        .mount(&server)
        .await;
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(&error, SourceError::Http(HttpError::Status { status: 401, .. })), "{error:?}");
    assert!(error.in_full().contains("`… may not read`"), "{}", error.in_full());
}

#[tokio::test]
async fn files_are_read_for_each_token() {
    let server = MockServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let credentials = ClientCredentials::in_folder(at(&server), directory.path()).scope("flags read");
    let mut source = with(&server, credentials);
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(&error, SourceError::Http(HttpError::Credentials { .. })), "{error:?}");
    assert!(error.in_full().contains("client-id: "), "{}", error.in_full());

    for (id, secret) in [("one", "hush"), ("two", "quiet")] {
        fs::write(directory.path().join("client-id"), format!("{id}\n")).unwrap();
        fs::write(directory.path().join("client-secret"), format!("{secret}\n")).unwrap();
        let form =
            format!("grant_type=client_credentials&client_id={id}&client_secret={secret}&scope=flags+read");
        gives(&server, &form, json!({"access_token": format!("token-{id}"), "expires_in": 0}), 1).await;
        takes(&server, &format!("token-{id}")).await;
        source.fetch().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_no_token_is_said_without_showing_it() {
    for (status, body, expected) in [
        (200, json!("hush-hush"), "it is none of OAuth 2"),
        (200, json!({"access_token": 7, "hint": "hush-hush"}), "it is none of OAuth 2"),
        (200, json!({"access_token": "hush-hush", "token_type": "mac"}), "its type is not Bearer"),
        (200, json!({"access_token": "hush-hush\n"}), "it cannot be sent"),
        (401, json!({"error": "invalid_client", "for": "open sesame&more"}), "answered with status 401"),
    ] {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(status).set_body_json(body);
        Mock::given(path("/token")).respond_with(answer).mount(&server).await;
        let mut source = with(&server, ClientCredentials::new(at(&server), "me", "open sesame&more"));
        let error = source.fetch().await.unwrap_err();
        let text = format!("{} {error:?}", error.in_full());
        assert!(text.contains(expected) && text.contains("/token"), "{text}");
        assert!(!text.contains("hush") && !text.contains("sesame"), "{text}");
        assert!(!error.is_fatal());
    }
    let nowhere = ClientCredentials::new("ftp://login", "me", "open sesame");
    let error = Http::builder("http://flags").client_credentials(nowhere).build().unwrap_err();
    assert!(matches!(error, HttpBuildError::Address { .. }), "{error:?}");
}

fn at(server: &MockServer) -> String {
    format!("{}/token", server.uri())
}

fn with(server: &MockServer, credentials: ClientCredentials) -> Http {
    let source = Http::builder(format!("{}/flags.json", server.uri())).client_credentials(credentials);
    source.header("x-tenant-id", "one").timeout(Duration::from_secs(20)).build().unwrap()
}

/// So often tokens are given, for exactly this form.
async fn gives(server: &MockServer, form: &str, token: Value, times: u64) {
    Mock::given(method("POST"))
        .and(path("/token"))
        .and(header("content-type", "application/x-www-form-urlencoded"))
        .and(body_string(form))
        .respond_with(ResponseTemplate::new(200).set_body_json(token))
        .up_to_n_times(times)
        .mount(server)
        .await;
}

async fn takes(server: &MockServer, token: &str) {
    Mock::given(path("/flags.json"))
        .and(header("authorization", format!("Bearer {token}").as_str()))
        .and(header("x-tenant-id", "one"))
        .respond_with(ResponseTemplate::new(200).set_body_string(r#"{"flags": {}}"#))
        .mount(server)
        .await;
}
