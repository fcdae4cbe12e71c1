//! A server of OFREP is asked as its protocol has it, and each of its answers is understood.

#![cfg(feature = "ofrep")]
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::time::Duration;

use serde_json::json;
use serinus_flags::{
    Context, ErrorCode, Map, Reason, Value,
    http::HttpError,
    remote::{Remote, RemoteError},
};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_json, header, method, path},
};

#[tokio::test]
async fn a_flag_is_asked_for_with_the_whole_context_and_the_credentials() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/flags/ofrep/v1/evaluate/flags/search%2Fnew"))
        .and(header("authorization", "Bearer hush-hush"))
        .and(header("x-api-key", "quiet-quiet"))
        .and(header("content-type", "application/json"))
        .and(body_json(json!({"context": {"targetingKey": "user-42", "plan": "gold", "age": 37}})))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "key": "search/new", "value": true, "variant": "on", "reason": "TARGETING_MATCH",
            "metadata": {"owner": "web"}, "unknown": 1
        })))
        .expect(1)
        .mount(&server)
        .await;
    let remote = Remote::builder(format!("{}/flags/", server.uri()))
        .bearer("hush-hush")
        .api_key("quiet-quiet")
        .build()
        .unwrap();
    let context = Context::new("user-42").with("plan", "gold").with("age", 37);
    let answer = remote.evaluate("search/new", &context).await.unwrap();
    assert_eq!(answer.key, "search/new");
    assert_eq!(answer.value::<bool>().unwrap(), Some(true));
    assert_eq!((answer.variant.as_deref(), answer.reason), (Some("on"), Reason::TargetingMatch));
    assert_eq!(answer.metadata.get("owner").and_then(Value::as_str), Some("web"));
    let error = answer.value::<str>().unwrap_err();
    assert_eq!(error.code(), ErrorCode::TypeMismatch);
    assert_eq!(
        error.to_string(),
        "flag \"search/new\" is a boolean, and a text was asked for: ask for its type"
    );
}

#[tokio::test]
async fn every_type_and_the_default_of_the_program_are_understood() {
    let cases = [
        json!({"key": "f", "value": 3, "reason": "DEFAULT"}),
        json!({"key": "f", "value": 2.5, "reason": "SPLIT"}),
        json!({"key": "f", "value": "text", "reason": "STATIC"}),
        json!({"key": "f", "value": {"a": [1, null]}, "reason": "CACHED"}),
        json!({"key": "f", "reason": "DISABLED"}),
        json!({"key": "f", "value": null, "reason": "whatever"}),
    ];
    let mut answers = Vec::new();
    for case in cases {
        answers.push(asked(ResponseTemplate::new(200).set_body_json(case)).await.unwrap());
    }
    assert_eq!((answers[0].value::<i64>().unwrap(), answers[0].reason), (Some(3), Reason::Default));
    assert_eq!((answers[1].value::<f64>().unwrap(), answers[1].reason), (Some(2.5), Reason::Split));
    assert_eq!((answers[2].value::<str>().unwrap(), answers[2].reason), (Some("text"), Reason::Static));
    assert!(answers[3].value::<Map>().unwrap().is_some());
    assert_eq!((answers[4].value::<bool>().unwrap(), answers[4].reason), (None, Reason::Disabled));
    assert_eq!((answers[5].value::<bool>().unwrap(), answers[5].reason), (None, Reason::Unknown));
}

#[tokio::test]
async fn each_status_has_an_error_of_its_own() {
    let failed = |status: u16, code: &str| {
        ResponseTemplate::new(status)
            .set_body_json(json!({"key": "f", "errorCode": code, "errorDetails": "because"}))
    };
    for (status, text, code) in [
        (400, "PARSE_ERROR", ErrorCode::ParseError),
        (400, "TARGETING_KEY_MISSING", ErrorCode::TargetingKeyMissing),
        (400, "INVALID_CONTEXT", ErrorCode::InvalidContext),
        (400, "GENERAL", ErrorCode::General),
        (400, "SOMETHING_NEW", ErrorCode::General),
        (404, "FLAG_NOT_FOUND", ErrorCode::FlagNotFound),
    ] {
        let error = asked(failed(status, text)).await.unwrap_err();
        assert!(matches!(error, RemoteError::Flag { .. }), "{error:?}");
        assert_eq!(error.code(), code);
        assert_eq!(error.to_string(), format!("flag \"f\": {code}: because"));
    }
    for status in [401, 403] {
        let error = asked(ResponseTemplate::new(status)).await.unwrap_err();
        assert!(matches!(error, RemoteError::Denied { status: found, .. } if found == status), "{error:?}");
        assert!(error.is_fatal());
    }
    let error = asked(ResponseTemplate::new(500).set_body_json(json!({"errorDetails": "no disk"}))).await;
    assert!(
        matches!(error.unwrap_err(), RemoteError::Server { status: 500, details, .. } if details == "no disk")
    );
    for status in [404, 413, 502, 503] {
        let error =
            asked(ResponseTemplate::new(status).set_body_string("<html>no</html>")).await.unwrap_err();
        assert!(
            matches!(&error, RemoteError::Http(HttpError::Status { status: found, excerpt, .. })
                if *found == status && excerpt == "<html>no</html>"),
            "{error:?}"
        );
    }
    let error = asked(ResponseTemplate::new(302).insert_header("location", "http://elsewhere/")).await;
    assert!(matches!(error.unwrap_err(), RemoteError::Http(HttpError::Redirect { .. })));
}

#[tokio::test]
async fn an_answer_that_is_none_is_malformed() {
    for body in ["<html>Log in</html>", "{}", "[]", "", "{\"key\": \"f\", \"value\": tru", "{\"key\": 7}"] {
        let error = asked(ResponseTemplate::new(200).set_body_string(body)).await.unwrap_err();
        assert!(matches!(error, RemoteError::Malformed { .. }), "{body}: {error:?}");
        assert_eq!(error.code(), ErrorCode::ParseError);
    }
}

#[tokio::test]
async fn a_server_that_asks_to_be_left_alone_is() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(429).insert_header("retry-after", "3600"))
        .expect(1)
        .mount(&server)
        .await;
    let remote = Remote::new(server.uri()).unwrap();
    let first = remote.evaluate("f", &Context::default()).await.unwrap_err();
    let hour = Duration::from_secs(3600);
    assert!(
        matches!(first, RemoteError::TooMany { retry_after: Some(wait), .. } if wait == hour),
        "{first:?}"
    );
    let second = remote.clone().evaluate_all(&Context::default()).await.unwrap_err();
    assert!(matches!(second, RemoteError::AskedToWait { seconds, .. } if seconds > 3500.0), "{second:?}");
}

#[tokio::test]
async fn all_flags_are_asked_for_at_once_and_again_only_if_something_changed() {
    let server = MockServer::start().await;
    let bulk = json!({
        "flags": [
            {"key": "a", "value": 1, "variant": "one", "reason": "STATIC"},
            {"key": "b", "errorCode": "PARSE_ERROR", "errorDetails": "its rule is broken"},
            {"key": "c", "reason": "DISABLED"}
        ],
        "metadata": {"flagSetId": "shop"},
        "eventStreams": [{"type": "sse", "url": "http://secret"}]
    });
    Mock::given(method("POST"))
        .and(path("/ofrep/v1/evaluate/flags"))
        .and(header("if-none-match", "\"v1\""))
        .respond_with(ResponseTemplate::new(304))
        .with_priority(1)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path("/ofrep/v1/evaluate/flags"))
        .respond_with(ResponseTemplate::new(200).insert_header("etag", "\"v1\"").set_body_json(bulk))
        .mount(&server)
        .await;
    let remote = Remote::new(server.uri()).unwrap();
    let context = Context::new("user-42");
    let all = remote.evaluate_all(&context).await.unwrap();
    assert_eq!(all.get("a").unwrap().value::<i64>().unwrap(), Some(1));
    assert_eq!(all.get("c").unwrap().value::<i64>().unwrap(), None);
    assert_eq!(all.failures.len(), 1);
    assert_eq!(all.failures[0].to_string(), "flag \"b\": PARSE_ERROR: its rule is broken");
    assert_eq!(all.metadata.get("flagSetId").and_then(Value::as_str), Some("shop"));
    assert_eq!(all.etag.as_deref(), Some("\"v1\""));
    assert_eq!(remote.evaluate_all_unless(&context, all.etag.as_deref()).await.unwrap(), None);
    assert!(remote.evaluate_all_unless(&context, Some("\"v0\"")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_refusal_of_the_whole_is_told() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(
            ResponseTemplate::new(400)
                .set_body_json(json!({"errorCode": "INVALID_CONTEXT", "errorDetails": "no context"})),
        )
        .mount(&server)
        .await;
    let error = Remote::new(server.uri()).unwrap().evaluate_all(&Context::default()).await.unwrap_err();
    assert!(matches!(error, RemoteError::Refused { code: ErrorCode::InvalidContext, .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_away_slow_or_endless_is_an_error_in_time() {
    let nobody = Remote::new("http://127.0.0.1:1").unwrap();
    let error = nobody.evaluate("f", &Context::default()).await.unwrap_err();
    assert!(matches!(error, RemoteError::Http(HttpError::Transport { .. })), "{error:?}");

    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_delay(Duration::from_secs(600)))
        .mount(&server)
        .await;
    let slow = Remote::builder(server.uri()).timeout(Duration::from_millis(50)).build().unwrap();
    let error = slow.evaluate("f", &Context::default()).await.unwrap_err();
    assert!(matches!(error, RemoteError::Http(HttpError::Timeout { .. })), "{error:?}");

    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_body_bytes(vec![b' '; 4096]))
        .mount(&server)
        .await;
    let endless = Remote::builder(server.uri()).max_bytes(1024).build().unwrap();
    let error = endless.evaluate("f", &Context::default()).await.unwrap_err();
    assert!(matches!(error, RemoteError::Http(HttpError::TooLarge { limit: 1024, .. })), "{error:?}");
}

#[tokio::test]
async fn a_key_never_becomes_another_address() {
    let server = MockServer::start().await;
    Mock::given(path("/ofrep/v1/evaluate/flags/a%2F..%2Fb%3Fc%23d%20e"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"key": "k", "reason": "STATIC"})))
        .expect(1)
        .mount(&server)
        .await;
    let remote = Remote::new(server.uri()).unwrap();
    remote.evaluate("a/../b?c#d e", &Context::default()).await.unwrap();
    for key in ["", ".", ".."] {
        let error = remote.evaluate(key, &Context::default()).await.unwrap_err();
        assert!(matches!(error, RemoteError::KeyIsNoPath { .. }), "{error:?}");
    }
}

async fn asked(answer: ResponseTemplate) -> Result<serinus_flags::remote::Evaluated, RemoteError> {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(answer).mount(&server).await;
    Remote::new(server.uri()).unwrap().evaluate("f", &Context::new("user-42")).await
}
