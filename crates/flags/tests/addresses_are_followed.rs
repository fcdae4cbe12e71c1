//! Flags follow a document at an address, and a server that fails leaves them as they are.

#![cfg(feature = "http")]
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::Duration,
};

use serinus_flags::{
    Context, EventKind, Events, Feed, Flags, Status,
    http::HttpError,
    source::{ClientCredentials, Fetched, Http, HttpBuilder, Selector, Source, SourceError},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header, method},
};

const ON: &str =
    r#"{"flags": {"search": {"state": "ENABLED", "variants": {"it": true}, "defaultVariant": "it"}}}"#;

#[tokio::test]
async fn what_changed_is_fetched_and_what_did_not_is_not() {
    let server = MockServer::start().await;
    Mock::given(header("if-none-match", "\"v1\""))
        .respond_with(ResponseTemplate::new(304))
        .with_priority(1)
        .up_to_n_times(1)
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(header("authorization", "Bearer hush-hush"))
        .and(header("x-api-key", "quiet-quiet"))
        .respond_with(ResponseTemplate::new(200).insert_header("etag", "\"v1\"").set_body_string(ON))
        .mount(&server)
        .await;
    let mut source = to(&server).bearer("hush-hush").api_key("quiet-quiet").build().unwrap();
    assert_eq!(source.name(), format!("{}/flags.json", server.uri()), "without its query");
    assert!(matches!(source.fetch().await, Ok(Fetched::Document { bytes, .. }) if bytes == ON.as_bytes()));
    assert!(matches!(source.fetch().await, Ok(Fetched::Unchanged)), "by its tag");
    assert!(matches!(source.fetch().await, Ok(Fetched::Unchanged)), "by its content");
}

#[tokio::test]
async fn a_selector_and_headers_of_ones_own_are_sent_and_a_seed_has_its_turn_in_the_interval() {
    let server = MockServer::start().await;
    Mock::given(header("flagd-selector", "flagSetId=shop"))
        .and(header("authorization", "Basic dXNlcjpwYXNz"))
        .and(header("x-tenant-id", "two"))
        .respond_with(ResponseTemplate::new(200).set_body_string(ON))
        .mount(&server)
        .await;
    let source = to(&server).selector(Selector::flag_set("shop")).header("X-Tenant-ID", "one");
    let source = source.header("x-tenant-id", "two").header("Authorization", "Basic dXNlcjpwYXNz");
    let interval = Duration::from_secs(60);
    let seeded = |seed: &str| source.clone().interval(interval).interval_seed(seed).build().unwrap();
    let (mut one, other) = (seeded("pod-1"), seeded("pod-2"));
    assert!(matches!(one.fetch().await, Ok(Fetched::Document { .. })));
    let turns = [&one, &seeded("pod-1"), &other].map(|source| source.pause().unwrap());
    assert!(turns.iter().all(|turn| *turn <= interval), "{turns:?}");
    // The clock may pass a turn between two looks at it.
    let apart = |one: Duration, other: Duration| one.abs_diff(other).min(interval - one.abs_diff(other));
    assert!(apart(turns[0], turns[1]) < Duration::from_secs(1), "{turns:?}");
    assert!(apart(turns[0], turns[2]) > Duration::from_secs(1), "{turns:?}");
    assert_eq!(source.interval(interval).build().unwrap().pause(), Some(interval), "without a seed");
}

#[tokio::test]
async fn flags_follow_an_address() {
    let server = MockServer::start().await;
    answers(&server, ResponseTemplate::new(200).set_body_string(ON)).await;
    let flags = Flags::default();
    let _following = Feed::of(to(&server).build().unwrap()).follow(&flags).await.unwrap();
    let mut events = flags.events();
    assert_eq!(next(&mut events).await, EventKind::Ready);
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));

    answers(&server, ResponseTemplate::new(200).set_body_string(ON.replace("true", "false"))).await;
    assert_eq!(next(&mut events).await, EventKind::ConfigurationChanged);
    assert_eq!(flags.bool("search", &Context::default()), Ok(false));

    // A page for logging in, with the status of success.
    let page = ResponseTemplate::new(200).set_body_raw("<html>Log in</html>", "text/html");
    answers(&server, page).await;
    assert_eq!(next(&mut events).await, EventKind::Stale);
    assert!(flags.trouble().unwrap().message.contains("this is HTML or XML"), "{:?}", flags.trouble());

    answers(&server, ResponseTemplate::new(503).set_body_string("try again")).await;
    assert_eq!(next(&mut events).await, EventKind::Stale);
    assert!(flags.trouble().unwrap().message.contains("status 503 and the text `try again`"));
    assert_eq!(flags.bool("search", &Context::default()), Ok(false));

    answers(&server, ResponseTemplate::new(200).set_body_string(ON)).await;
    assert_eq!(next(&mut events).await, EventKind::Ready);
    assert_eq!(next(&mut events).await, EventKind::ConfigurationChanged);
    assert_eq!(flags.status(), Status::Ready);
}

#[cfg(feature = "yaml")]
#[tokio::test]
async fn the_type_of_the_answer_tells_yaml_from_json() {
    let server = MockServer::start().await;
    let yaml = "flags:\n  search:\n    state: ENABLED\n    variants: {it: true}\n    defaultVariant: it\n";
    answers(&server, ResponseTemplate::new(200).set_body_raw(yaml, "application/yaml")).await;
    let flags = Flags::default();
    drop(Feed::of(to(&server).build().unwrap()).follow(&flags).await.unwrap());
    assert_eq!(flags.bool("search", &Context::default()), Ok(true), "{:?}", flags.trouble());
}

#[tokio::test]
async fn a_server_that_asks_to_be_left_alone_is() {
    let server = MockServer::start().await;
    answers(&server, ResponseTemplate::new(429).insert_header("retry-after", "45")).await;
    let mut source = to(&server).build().unwrap();
    assert_eq!(source.pause(), Some(Duration::from_millis(20)));
    source.fetch().await.unwrap_err();
    assert_eq!(source.pause(), Some(Duration::from_secs(45)));
    answers(&server, ResponseTemplate::new(200).set_body_string(ON)).await;
    source.fetch().await.unwrap();
    assert_eq!(source.pause(), Some(Duration::from_millis(20)));
}

/// By the next document a variant may be turned off that does harm.
#[tokio::test]
async fn a_server_that_asks_to_be_left_alone_for_a_day_is_asked_again_all_the_same() {
    let server = MockServer::start().await;
    answers(&server, ResponseTemplate::new(503).insert_header("retry-after", "86400")).await;
    let seconds = Duration::from_secs;
    for (source, expected) in [
        (to(&server), seconds(60)),
        (to(&server).interval(seconds(5)), seconds(60)),
        (to(&server).interval(seconds(10)), seconds(120)),
        (to(&server).longest_wait(seconds(3600)), seconds(3600)),
        (to(&server).longest_wait(Duration::ZERO), Duration::from_millis(20)),
    ] {
        let mut source = source.build().unwrap();
        source.fetch().await.unwrap_err();
        assert_eq!(source.pause(), Some(expected), "{source:?}");
    }
}

#[test]
fn a_source_may_be_silent_for_longer_than_its_requests_may_take() {
    let (seconds, to) = (Duration::from_secs, || Http::builder("http://127.0.0.1:1/flags.json"));
    let credentials = || ClientCredentials::new("http://127.0.0.1:1/token", "id", "hush-hush");
    for (source, expected) in [
        (to(), 30),
        (to().interval(seconds(60)), 180),
        (to().timeout(seconds(60)), 120),
        // A token, the document, and both again.
        (to().client_credentials(credentials()), 50),
        (to().client_credentials(credentials()).timeout(seconds(60)), 300),
    ] {
        let source: Box<dyn Source> = Box::new(source.build().unwrap());
        assert_eq!(source.silence(), Some(seconds(expected)), "{}", source.name());
    }
}

#[tokio::test]
async fn a_status_can_be_the_end() {
    let server = MockServer::start().await;
    answers(&server, ResponseTemplate::new(401)).await;
    let flags = Flags::default();
    let mut events = flags.events();
    let source = to(&server).fatal_statuses([401, 403]).build().unwrap();
    let _following = Feed::of(source).follow(&flags).await.unwrap();
    assert_eq!(next(&mut events).await, EventKind::Error);
    while flags.status() != Status::Fatal {
        assert_eq!(next(&mut events).await, EventKind::Error);
    }
    let error = to(&server).build().unwrap().fetch().await.unwrap_err();
    assert!(!error.is_fatal(), "not without being told");
}

#[tokio::test]
async fn a_server_that_is_away_slow_or_endless_is_an_error_in_time() {
    let mut nobody = Http::new("http://127.0.0.1:1/flags.json").unwrap();
    let error = nobody.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Http(HttpError::Transport { .. })), "{error:?}");

    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_body_string(ON).set_delay(Duration::from_secs(600));
    answers(&server, slow).await;
    let mut source = to(&server).timeout(Duration::from_millis(50)).build().unwrap();
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Http(HttpError::Timeout { .. })), "{error:?}");

    answers(&server, ResponseTemplate::new(200).set_body_bytes(vec![b' '; 4096])).await;
    let error = to(&server).max_bytes(1024).build().unwrap().fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Http(HttpError::TooLarge { limit: 1024, .. })), "{error:?}");

    answers(&server, ResponseTemplate::new(304)).await;
    let error = to(&server).build().unwrap().fetch().await.unwrap_err();
    assert!(
        matches!(error, SourceError::Http(HttpError::Status { status: 304, .. })),
        "nobody asked for that"
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_taken_for_a_document() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/flags.json", listener.local_addr().unwrap());
    let is_whole = Arc::new(AtomicBool::new(false));
    let whole = Arc::clone(&is_whole);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let length = ON.len() + usize::from(!whole.load(Ordering::SeqCst));
            let answer =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{ON}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let mut source = Http::new(address).unwrap();
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Http(HttpError::BrokenOff { .. })), "{error:?}");
    is_whole.store(true, Ordering::SeqCst);
    assert!(matches!(source.fetch().await, Ok(Fetched::Document { .. })));
}

/// From now on the server answers so; at no moment does it answer nothing.
async fn answers(server: &MockServer, answer: ResponseTemplate) {
    // The lower number counts first.
    static PRIORITY: AtomicU8 = AtomicU8::new(u8::MAX);
    let priority = PRIORITY.fetch_sub(1, Ordering::SeqCst);
    Mock::given(method("GET")).respond_with(answer).with_priority(priority).mount(server).await;
}

fn to(server: &MockServer) -> HttpBuilder {
    Http::builder(format!("{}/flags.json?token=hush-hush", server.uri())).interval(Duration::from_millis(20))
}

async fn next(events: &mut Events) -> EventKind {
    timeout(Duration::from_secs(30), events.next()).await.unwrap().unwrap().kind
}
