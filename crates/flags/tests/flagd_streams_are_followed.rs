//! The scenarios of flagd's test bed that need a server of streams, against one that others wrote: gRPC's library for
//! Python, with the messages of flagd's own provider.
//!
//! `SERINUS_FLAGD_PYTHON_SYNC` names the Python that has them, as `.ci/run` installs it.

#![cfg(all(feature = "grpc", unix))]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests may panic")]

use std::{env, path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};
use serinus_flags::{
    Context, EventKind, Events, Feed, Flags, Following, NoValue, Reason, Status,
    source::{Grpc, GrpcBuilder, GrpcCode, Selector},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// Test bed: contextEnrichment 1 and 2, sync-payload 1, 2 and 3.
#[tokio::test]
async fn the_context_of_the_stream_is_in_every_evaluation_also_while_the_stream_is_lost() {
    let Some(mut server) = Server::start(&[]).await else { return };
    let context = json!({ "injectedmetadata": "set", "nested": { "list": [1, null, true, "x"] } });
    server.obey(json!({ "document": TEST_BED, "context": context })).await;
    let (flags, _following, mut events) = server.followed(|source| source).await;
    let asked = Context::new("user-42");
    assert_eq!(flags.string("flagd-context-aware", &asked).unwrap(), "INTERNAL");
    assert_eq!(flags.bool("boolean-flag", &asked), Ok(true), "whatever the context");
    assert_eq!(flags.int("nested", &asked), Ok(1));

    server.obey(json!({ "refuse": "UNAVAILABLE" })).await;
    server.obey(json!({ "end": "UNAVAILABLE" })).await;
    assert_eq!(next(&mut events).await, EventKind::Stale);
    let details = flags.string_details("flagd-context-aware", &asked);
    assert_eq!((details.value(), details.reason()), (Ok("INTERNAL"), Reason::Stale));
    drop(details);
    server.obey(json!({ "refuse": null })).await;
    while next(&mut events).await != EventKind::Ready {}
    assert_eq!(flags.bool_details("boolean-flag", &asked).reason(), Reason::Static);
}

/// Test bed: selector 1 to 5 and, of disabled, the two of two flag sets.
#[tokio::test]
async fn a_selector_is_told_to_the_server_and_what_it_selects_is_what_there_is() {
    let Some(mut server) = Server::start(&[]).await else { return };
    server.obey(json!({ "document": SELECTED })).await;
    let (flags, _following, _events) = server
        .followed(|source| source.selector("rawflags/selector-flags.json").provider_id("checkout"))
        .await;
    let asked = server.heard().await;
    assert_eq!(asked["selector"], "rawflags/selector-flags.json");
    assert_eq!(asked["flagd-selector"], "rawflags/selector-flags.json");
    assert_eq!(asked["provider_id"], "checkout");
    let context = Context::default();
    for key in ["boolean-flag", "string-flag", "integer-flag", "float-flag"] {
        let missing = flags.snapshot();
        let missing = missing.evaluate(key, &context);
        assert_eq!((missing.reason, missing.value), (Reason::Error, None));
    }
    let details = flags.string_details("selector-flag", &context);
    assert_eq!((details.value(), details.reason()), (Ok("foo"), Reason::Static));
    let details = flags.bool_details("cross-flagset-flag", &context);
    assert_eq!((details.value(), details.reason()), (Ok(true), Reason::Static));
    drop(details);

    let disabled = SELECTED.replace(CROSS_ENABLED, CROSS_DISABLED);
    server.obey(json!({ "document": disabled })).await;
    let (flags, _following, _events) = server.followed(|source| source.selector(Selector::all())).await;
    assert_eq!(server.heard().await["flagd-selector"], Value::Null);
    let details = flags.bool_details("cross-flagset-flag", &context);
    assert_eq!((details.value(), details.reason()), (Err(NoValue::Disabled), Reason::Disabled));
}

/// Test bed: events 1 to 4, connection 1, 3 and 4.
#[tokio::test]
async fn events_tell_of_changes_and_of_connections_that_are_lost_and_found() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("flagd.sock");
    let Some(mut server) = Server::start(&[("SERINUS_SOCKET", &socket)]).await else { return };
    server.obey(json!({ "document": TEST_BED })).await;
    let by_socket = format!("unix://{}", socket.display());
    for address in [server.address(), by_socket] {
        let (flags, following, mut events) = follow(Grpc::builder(address)).await;
        assert_eq!(flags.bool("boolean-flag", &Context::default()), Ok(true));
        assert_eq!(flags.string("flagd-context-aware", &Context::default()).unwrap(), "EXTERNAL");

        server.obey(json!({ "document": TEST_BED.replace("\"defaultVariant\": \"foo\"", "\"defaultVariant\": \"bar\"") })).await;
        let event = timeout(PATIENCE, events.next()).await.unwrap().unwrap();
        assert_eq!(
            (event.kind, &*event.flags_changed[0]),
            (EventKind::ConfigurationChanged, "changing-flag")
        );
        assert_eq!(event.flags_changed.len(), 1);

        server.obey(json!({ "refuse": "UNAVAILABLE" })).await;
        server.obey(json!({ "end": "UNKNOWN" })).await;
        assert_eq!(next(&mut events).await, EventKind::Stale);
        // How a call failed may be told more than once.
        while next(&mut events).await != EventKind::Error {}
        server.obey(json!({ "document": TEST_BED, "refuse": null })).await;
        while next(&mut events).await != EventKind::Ready {}
        assert_eq!(next(&mut events).await, EventKind::ConfigurationChanged, "changed meanwhile");
        assert_eq!(flags.status(), Status::Ready);
        following.stop().await;
    }

    // The whole server goes, and with it the connection.
    let (flags, _following, mut events) = server.followed(|source| source).await;
    drop(server);
    assert_eq!(next(&mut events).await, EventKind::Stale);
    while next(&mut events).await != EventKind::Error {}
    assert_eq!(flags.bool("boolean-flag", &Context::default()), Ok(true));
}

#[tokio::test]
async fn who_may_not_call_does_not_call_again() {
    let Some(mut server) = Server::start(&[]).await else { return };
    server.obey(json!({ "refuse": "PERMISSION_DENIED" })).await;
    let flags = Flags::default();
    let source = quick(Grpc::builder(server.address())).fatal_codes([GrpcCode::PermissionDenied]);
    let _following = Feed::of(source.build().unwrap()).deadline(PATIENCE).follow(&flags).await.unwrap();
    assert_eq!(flags.status(), Status::Fatal);
}

#[tokio::test]
async fn a_document_of_ten_thousand_flags_comes_in_one_message_if_it_may_be_that_large() {
    let Some(mut server) = Server::start(&[]).await else { return };
    let one = |number| {
        let value = "x".repeat(500);
        (
            format!("flag-{number}"),
            json!({"state": "ENABLED", "variants": {"it": value}, "defaultVariant": "it"}),
        )
    };
    let all: serde_json::Map<_, _> = (0..10_000).map(one).collect();
    server.obey(json!({ "document": json!({ "flags": all }).to_string() })).await;
    let (flags, _following, _events) = server.followed(|source| source.max_message_bytes(16 << 20)).await;
    assert_eq!(flags.snapshot().document().len(), 10_000);

    let flags = Flags::default();
    let source = quick(Grpc::builder(server.address())).build().unwrap();
    let _following = Feed::of(source).deadline(PATIENCE).follow(&flags).await.unwrap();
    let message = flags.trouble().unwrap().message;
    assert!(message.contains("is larger than the 4194304 bytes that are read"), "{message}");
}

#[cfg(feature = "tls-ring")]
#[tokio::test]
async fn by_tls_the_certificate_counts() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let made = rcgen::generate_simple_self_signed(["flagd.test".to_owned()]).unwrap();
    std::fs::write(at("certificate.pem"), made.cert.pem()).unwrap();
    std::fs::write(at("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let variables = [("SERINUS_CERTIFICATE", at("certificate.pem")), ("SERINUS_KEY", at("key.pem"))];
    let variables: Vec<_> = variables.iter().map(|(name, path)| (*name, path.as_path())).collect();
    let Some(mut server) = Server::start(&variables).await else { return };
    server.obey(json!({ "document": TEST_BED })).await;

    let named = |source: GrpcBuilder| source.tls(true).authority("flagd.test");
    let (flags, _following, _events) =
        server.followed(|source| named(source).root_certificate_file(at("certificate.pem"))).await;
    assert_eq!(flags.bool("boolean-flag", &Context::default()), Ok(true));

    let pem = made.cert.pem();
    let to = || quick(Grpc::builder(server.address()));
    for (source, expected) in [
        (named(to()), "certificate"),
        (to().tls(true).root_certificates(pem), "certificate"),
        (to(), "transport error"),
    ] {
        let flags = Flags::default();
        let source = source.deadline(Duration::from_secs(2)).build().unwrap();
        let _following = Feed::of(source).deadline(PATIENCE).follow(&flags).await.unwrap();
        let message = flags.trouble().unwrap().message.to_string();
        assert!(message.contains(expected), "{message}");
        assert_eq!(flags.status(), Status::Error);
    }
}

/// A child that ends with this.
struct Server {
    port: u16,
    commands: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Server {
    async fn start(variables: &[(&str, &Path)]) -> Option<Self> {
        let Some(python) = env::var_os("SERINUS_FLAGD_PYTHON_SYNC") else {
            println!("skipped: flagd's stream: the Python that SERINUS_FLAGD_PYTHON_SYNC names not found");
            return None;
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/stream.py");
        let mut child = Command::new(python)
            .arg(script)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, said.next_line()).await.unwrap().unwrap();
        let port = line.expect("it should tell its port").parse().unwrap();
        Some(Self { port, commands: child.stdin.take().unwrap(), said, _child: child })
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    async fn obey(&mut self, command: Value) {
        self.commands.write_all(format!("{command}\n").as_bytes()).await.unwrap();
        self.commands.flush().await.unwrap();
    }

    /// Who called.
    async fn heard(&mut self) -> Value {
        let line = timeout(PATIENCE, self.said.next_line()).await.unwrap().unwrap();
        serde_json::from_str(&line.unwrap()).unwrap()
    }

    async fn followed(
        &mut self,
        with: impl FnOnce(GrpcBuilder) -> GrpcBuilder,
    ) -> (Flags, Following, Events) {
        follow(with(Grpc::builder(self.address()))).await
    }
}

async fn follow(source: GrpcBuilder) -> (Flags, Following, Events) {
    let flags = Flags::default();
    let feed = Feed::of(quick(source).build().unwrap()).grace(Duration::from_millis(300)).deadline(PATIENCE);
    let following = feed.follow(&flags).await.unwrap();
    let mut events = flags.events();
    assert_eq!(next(&mut events).await, EventKind::Ready, "{:?}", flags.trouble());
    (flags, following, events)
}

fn quick(source: GrpcBuilder) -> GrpcBuilder {
    source.backoff(Duration::from_millis(50), Duration::from_millis(100)).deadline(PATIENCE)
}

async fn next(events: &mut Events) -> EventKind {
    timeout(PATIENCE, events.next()).await.expect("something should have happened").unwrap().kind
}

const PATIENCE: Duration = Duration::from_secs(20);

/// Flags as the test bed has them, in our words.
const TEST_BED: &str = r#"{"flags": {
    "boolean-flag": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
    "changing-flag": {"state": "ENABLED", "variants": {"foo": "foo", "bar": "bar"}, "defaultVariant": "foo"},
    "flagd-context-aware": {
        "state": "ENABLED", "variants": {"internal": "INTERNAL", "external": "EXTERNAL"}, "defaultVariant": "external",
        "targeting": {"if": [{"==": [{"var": "injectedmetadata"}, "set"]}, "internal"]}
    },
    "nested": {
        "state": "ENABLED", "variants": {"yes": 1, "no": 0}, "defaultVariant": "no",
        "targeting": {"if": [{"and": [
            {"==": [{"var": "nested.list.0"}, 1]}, {"==": [{"var": "nested.list.3"}, "x"]}
        ]}, "yes"]}
    }
}}"#;
const SELECTED: &str = r#"{"flags": {
    "selector-flag": {"state": "ENABLED", "variants": {"foo": "foo", "bar": "bar"}, "defaultVariant": "foo"},
    "cross-flagset-flag": {"variants": {"on": true, "off": false}, "defaultVariant": "on", "state": "ENABLED"}
}, "metadata": {"flagSetId": "selector-set"}}"#;
const CROSS_ENABLED: &str = r#""defaultVariant": "on", "state": "ENABLED""#;
const CROSS_DISABLED: &str = r#""defaultVariant": "on", "state": "DISABLED""#;
