//! Flags follow a stream of `flagd.sync.v1`, and a server that fails leaves them as they are.

#![cfg(all(feature = "grpc", unix))]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests may panic")]

use std::time::Duration;

use scripted::document;
use serinus_flags::{
    Context, EventKind, Events, Feed, Flags, Following, Reason, Status,
    source::{Grpc, GrpcBuildError, GrpcBuilder, GrpcCode, Selector, Source},
};
use streaming::{Call, PATIENCE, Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::{sleep, timeout},
};

#[expect(dead_code, reason = "shared by several test programs")]
mod scripted;
#[expect(dead_code, reason = "shared by several test programs")]
mod streaming;

#[test]
fn a_stream_has_deadlines_of_its_own_and_may_be_silent_for_ever() {
    assert_eq!(Grpc::new("flagd:8015").unwrap().silence(), None);
}

#[tokio::test]
async fn each_message_is_a_whole_document_and_the_changed_keys_are_told() {
    let mut server = Server::start().await;
    let (flags, _following, mut call, mut events) = followed(&mut server, |source| source).await;
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));

    call.says(&document("search", "off"));
    assert_eq!(changed(&mut events).await, ["search"]);
    assert_eq!(flags.bool("search", &Context::default()), Ok(false));
    call.says(&document("basket", "on"));
    assert_eq!(changed(&mut events).await, ["basket", "search"], "one came, and one is gone");
    // Several at once, and the same again.
    call.says(&document("basket", "off"));
    call.says(&document("basket", "off"));
    call.says(&document("basket", "on").replace(',', " , "));
    assert_eq!(changed(&mut events).await, ["basket"]);
    assert_eq!(changed(&mut events).await, ["basket"]);
    assert_eq!((flags.status(), events.try_next()), (Status::Ready, Ok(None)));
}

#[tokio::test]
async fn the_server_is_told_who_asks_for_what() {
    let mut server = Server::start().await;
    let (_flags, _following, call, _events) = followed(&mut server, |source| {
        source
            .provider_id("checkout")
            .selector(Selector::flag_set("shop"))
            .bearer("hush-hush")
            .header("X-Tenant-ID", "one")
            .header("x-tenant-id", "two")
    })
    .await;
    assert_eq!(call.asked.uri.path(), "/flagd.sync.v1.FlagSyncService/SyncFlags");
    assert_eq!(call.asked.uri.authority().unwrap().as_str(), server.address);
    assert_eq!(call.request, b"\x0a\x08checkout\x12\x0eflagSetId=shop");
    assert_eq!(call.header("flagd-selector"), Some("flagSetId=shop"));
    assert_eq!(call.header("authorization"), Some("Bearer hush-hush"));
    assert_eq!(call.header("x-tenant-id"), Some("two"));
    assert!(call.header("user-agent").unwrap().starts_with("serinus-flags/"));

    let named = |source: GrpcBuilder| source.authority("sync.service");
    let (_flags, _following, call, _events) = followed(&mut server, named).await;
    assert_eq!(call.asked.uri.authority().unwrap().as_str(), "sync.service");
    assert_eq!((call.request.len(), call.header("flagd-selector")), (0, None));
}

#[tokio::test]
async fn a_stream_that_is_lost_is_stale_at_once_an_error_after_the_grace_period_and_ready_again() {
    let mut server = Server::start().await;
    let (flags, _following, call, mut events) = followed(&mut server, |source| source).await;
    call.breaks();
    assert_eq!(next(&mut events).await, EventKind::Stale);
    assert_eq!(flags.bool_details("search", &Context::default()).reason(), Reason::Stale);
    let call = server.call().await;
    call.ends(14, "upstream is away");
    assert_eq!(next(&mut events).await, EventKind::Stale);
    let message = flags.trouble().unwrap().message;
    assert!(message.contains("failed with UNAVAILABLE and the text `upstream is away`"), "{message}");
    let held = server.call().await;
    assert_eq!(next(&mut events).await, EventKind::Error, "the grace period is over");
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));
    drop(held);
    // How the call failed that was held may be told in between.
    let call = server.answer_until_ready(&document("search", "on"), &mut events).await.pop().unwrap();
    assert_eq!((flags.status(), flags.trouble(), events.try_next()), (Status::Ready, None, Ok(None)));

    // Ended in good order is lost too.
    call.ends(0, "");
    assert_eq!(next(&mut events).await, EventKind::Stale);
    assert!(flags.trouble().unwrap().message.ends_with("ended the stream"), "{:?}", flags.trouble());
    let _calls = server.answer_until_ready(&document("search", "off"), &mut events).await;
    assert_eq!(changed(&mut events).await, ["search"]);
}

#[tokio::test]
async fn pauses_grow_while_a_server_ends_every_stream_at_once() {
    let mut server = Server::start().await;
    let backoff = |source: GrpcBuilder| source.backoff(Duration::from_millis(40), Duration::from_secs(60));
    let (_flags, _following, call, _events) = followed(&mut server, backoff).await;
    call.ends(0, "");
    let began = std::time::Instant::now();
    for _ in 0..3 {
        let mut call = server.call().await;
        call.says(&document("search", "on"));
        call.ends(0, "");
    }
    assert!(began.elapsed() >= Duration::from_millis(3 * (40 + 80 + 160) / 4), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_code_that_is_fatal_is_so_at_the_beginning_and_not_later() {
    let mut server = Server::start().await;
    let fatal = |source: GrpcBuilder| source.fatal_codes([GrpcCode::Unauthenticated]);
    let flags = Flags::default();
    let source = fatal(quick(&server.address)).bearer("hush-hush").build().unwrap();
    let refuse = async {
        server.call().await.ends(16, "who is hush-hush");
    };
    let (following, ()) = tokio::join!(Feed::of(source).follow(&flags), refuse);
    assert_eq!(flags.status(), Status::Fatal);
    let message = flags.trouble().unwrap().message;
    assert!(
        message.ends_with("UNAUTHENTICATED and the text `who is …`; it is not called again"),
        "{message}"
    );
    assert!(server.is_left_alone_for(Duration::from_millis(300)).await);
    drop(following);

    let (flags, _following, call, mut events) = followed(&mut server, fatal).await;
    call.ends(16, "the key was changed");
    assert_eq!(next(&mut events).await, EventKind::Stale);
    let _calls = server.answer_until_ready(&document("search", "on"), &mut events).await;
    assert_eq!(flags.status(), Status::Ready);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_called_again() {
    let mut server = Server::start().await;
    let flags = Flags::default();
    let source = quick(&server.address).deadline(Duration::from_millis(500)).build().unwrap();
    let following = Feed::of(source).deadline(PATIENCE).follow(&flags);
    let ((), following) = tokio::join!(async { drop(server.call().await) }, following);
    let _following = following.unwrap();
    assert_eq!(flags.status(), Status::Error);
    // Headers without any message are nothing.
    let mut silent = server.call().await;
    silent.raw(b"");
    drop(server.call().await);
    let message = flags.trouble().unwrap().message;
    assert!(message.contains("nothing from") && message.contains("within 0.5 s"), "{message}");
    let mut events = flags.events();
    let _calls = server.answer_until_ready(&document("search", "on"), &mut events).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_until_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("flagd.sock");
    let flags = Flags::default();
    let source = quick(&format!("unix:{}", path.display())).build().unwrap();
    let _following = Feed::of(source).follow(&flags).await.unwrap();
    assert_eq!(flags.status(), Status::Error);
    let message = flags.trouble().unwrap().message;
    assert!(message.contains("cannot reach unix:") && message.contains("No such file"), "{message}");
    let mut server = Server::start_at(&path);
    let mut call = server.call().await;
    assert_eq!(call.asked.uri.authority().unwrap().as_str(), "localhost");
    call.says(&document("search", "on"));
    let mut events = flags.events();
    while next(&mut events).await != EventKind::Ready {}
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));
}

#[tokio::test]
async fn times_beyond_reason_are_as_good_as_for_ever() {
    let mut server = Server::start().await;
    let for_ever = |source: GrpcBuilder| {
        let source = source.deadline(Duration::MAX).stream_deadline(Duration::MAX);
        source.keep_alive(Duration::MAX).backoff(Duration::MAX, Duration::MAX)
    };
    let (flags, _following, call, mut events) = followed(&mut server, for_ever).await;
    call.breaks();
    assert_eq!(next(&mut events).await, EventKind::Stale);
    assert!(server.is_left_alone_for(Duration::from_millis(100)).await);
    assert_eq!(flags.status(), Status::Stale);
}

#[tokio::test]
async fn a_message_that_is_too_large_is_not_taken_in() {
    let mut server = Server::start().await;
    let limited = |source: GrpcBuilder| source.max_message_bytes(1000);
    let (flags, _following, mut call, mut events) = followed(&mut server, limited).await;
    // Its length comes first, and is enough.
    call.raw(&[0, 0x7f, 0xff, 0xff, 0xff]);
    assert_eq!(next(&mut events).await, EventKind::Stale);
    let message = flags.trouble().unwrap().message;
    assert!(message.contains("larger than the 1000 bytes that are read"), "{message}");
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));
    let mut call = server.call().await;
    call.says(&document("search", &"x".repeat(1000)));
    let _calls = server.answer_until_ready(&document("search", "on"), &mut events).await;
}

#[tokio::test]
async fn nonsense_leaves_the_flags_as_they_are() {
    let mut server = Server::start().await;
    let (flags, _following, mut call, mut events) = followed(&mut server, |source| source).await;

    // What is no document does not end the stream.
    for nonsense in ["<html>Log in</html>", "", "{\"flags\": ", "[]"] {
        call.says(nonsense);
        assert_eq!(next(&mut events).await, EventKind::Stale, "{nonsense}");
        let message = flags.trouble().unwrap().message;
        assert!(message.contains("has no document of flags"), "{message}");
        call.says(&document("search", "on"));
        assert_eq!(next(&mut events).await, EventKind::Ready, "{nonsense}");
    }

    // What is no message ends it.
    let garbage: [&[u8]; 5] = [
        b"\0\0\0\0\x02\xff\xff",     // no field
        b"\0\0\0\0\x03\x0a\x01\xff", // no UTF-8
        b"\0\0\0\0\x02\x0a\x7f",     // shorter than it says
        b"\x01\0\0\0\x00",           // compressed, which nobody asked for
        b"<html><body>502</body></html>",
    ];
    for garbage in garbage {
        call.raw(garbage);
        assert_eq!(next(&mut events).await, EventKind::Stale, "{garbage:?}");
        call = server.call().await;
        call.says(&document("search", "on"));
        while next(&mut events).await != EventKind::Ready {}
    }
    for (status, code) in [
        (502, "UNAVAILABLE"),
        (401, "UNAUTHENTICATED"),
        (404, "UNIMPLEMENTED"),
        (200, "`text/html` with HTTP status 200"),
    ] {
        call.breaks();
        server.call().await.page(status, "<html>A page</html>");
        call = server.call().await;
        let message = flags.trouble().unwrap().message;
        assert!(message.contains(code), "{status}: {message}");
        call.says(&document("search", "on"));
        while next(&mut events).await != EventKind::Ready {}
    }
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));
}

#[tokio::test]
async fn a_server_of_another_protocol_cannot_be_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let page = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1000]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n<html></html>").await;
        }
    });
    let mut source = quick(&address).build().unwrap();
    for _ in 0..3 {
        let error = timeout(PATIENCE, source.fetch()).await.unwrap().unwrap_err();
        assert!(!error.is_fatal() && error.in_full().contains(&address), "{}", error.in_full());
    }
    page.abort();
}

#[tokio::test]
async fn a_stream_whose_deadline_is_over_is_renewed_and_nobody_is_told() {
    let mut server = Server::start().await;
    let (flags, _following, first, mut events) =
        followed(&mut server, |source| source.stream_deadline(Duration::from_millis(150))).await;
    let second = server.answer(&document("search", "on")).await;
    let third = server.answer(&document("search", "on")).await;
    let mut call = server.call().await;
    drop((first, second, third));
    assert_eq!((flags.status(), events.try_next()), (Status::Ready, Ok(None)));
    // By the server's clock too, if it is not at once.
    call.says(&document("search", "on"));
    sleep(Duration::from_millis(60)).await;
    call.ends(4, "enough");
    let _call = server.answer(&document("search", "off")).await;
    assert_eq!(changed(&mut events).await, ["search"]);
}

#[tokio::test]
async fn a_connection_that_is_dead_is_found_out_by_asking_whether_it_is_alive() {
    let mut server = Server::start().await;
    let (flags, _following, call, mut events) =
        followed(&mut server, |source| source.keep_alive(Duration::from_millis(300))).await;
    sleep(Duration::from_millis(700)).await;
    assert_eq!((flags.status(), events.try_next()), (Status::Ready, Ok(None)), "it answers");
    server.freeze();
    assert_eq!(next(&mut events).await, EventKind::Stale);
    server.thaw();
    let _calls = server.answer_until_ready(&document("search", "on"), &mut events).await;
    drop(call);
}

#[test]
fn what_cannot_be_called_is_said_when_it_is_built() {
    let of = |source: GrpcBuilder| source.build().unwrap_err();
    let to = || Grpc::builder("flagd:8015");
    assert!(matches!(of(Grpc::builder("flagd")), GrpcBuildError::Address { .. }));
    assert!(matches!(of(to().authority("a/b")), GrpcBuildError::Address { .. }));
    assert!(matches!(of(to().deadline(Duration::ZERO)), GrpcBuildError::Zero { .. }));
    assert!(matches!(of(to().backoff(Duration::ZERO, PATIENCE)), GrpcBuildError::Zero { .. }));
    for (name, value) in [("a b", "x"), ("te", "x"), ("grpc-timeout", "1S"), ("x-bin", "x"), ("x", "hush\n")]
    {
        let error = of(to().header(name, value));
        assert!(matches!(&error, GrpcBuildError::Header { name: said, .. } if said == name), "{error}");
        assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
    }
    assert!(matches!(of(to().selector("flagSetId=ä")), GrpcBuildError::Header { .. }));
    #[cfg(not(feature = "tls"))]
    assert!(matches!(of(Grpc::builder("https://flagd:8015")), GrpcBuildError::NoTls { .. }));
    let endless = to().deadline(Duration::MAX).stream_deadline(Duration::MAX).keep_alive(Duration::MAX);
    assert!(endless.backoff(Duration::MAX, Duration::MAX).build().is_ok());
    let shown = format!("{:?}", to().bearer("hush-hush").build().unwrap());
    assert!(!shown.contains("hush"), "{shown}");
}

/// The flags that follow this server, and the call by which they do; they are ready.
async fn followed(
    server: &mut Server,
    with: impl FnOnce(GrpcBuilder) -> GrpcBuilder,
) -> (Flags, Following, Call, Events) {
    let flags = Flags::default();
    let source = with(quick(&server.address)).build().unwrap();
    let answer = async {
        let mut call = server.call().await;
        call.says(&document("search", "on"));
        call
    };
    let feed = Feed::of(source).grace(Duration::from_millis(1500));
    let (following, call) = tokio::join!(feed.follow(&flags), answer);
    let mut events = flags.events();
    assert_eq!(next(&mut events).await, EventKind::Ready, "{:?}", flags.trouble());
    (flags, following.unwrap(), call, events)
}

fn quick(address: &str) -> GrpcBuilder {
    Grpc::builder(address).backoff(Duration::from_millis(20), Duration::from_millis(50))
}

async fn next(events: &mut Events) -> EventKind {
    timeout(PATIENCE, events.next()).await.expect("something should have happened").unwrap().kind
}

async fn changed(events: &mut Events) -> Vec<String> {
    let event = timeout(PATIENCE, events.next()).await.expect("something should have changed").unwrap();
    assert_eq!(event.kind, EventKind::ConfigurationChanged, "{event:?}");
    event.flags_changed.iter().map(ToString::to_string).collect()
}
