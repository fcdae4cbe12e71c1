//! A source that is down, slow, cut off or full of nonsense leaves the flags as they are, and says so.

#![cfg(feature = "tokio")]
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{fs, time::Duration};

use scripted::{Script, document};
use serinus_flags::{
    Context, ErrorCode, Event, EventKind, Events, Feed, Flags, Status,
    source::{File, Text},
};
use tokio::time::sleep;

#[expect(dead_code, reason = "shared by several test programs")]
mod scripted;

#[tokio::test(start_paused = true)]
async fn nonsense_is_refused_whatever_it_is() {
    let good = document("search", "on");
    let (script, source) = Script::new("flags", good.clone());
    let flags = Flags::default();
    let _following = Feed::of(source).follow(&flags).await.unwrap();
    let mut events = flags.events();
    assert_eq!(next(&mut events).await.kind, EventKind::Ready);
    let cases: [(&[u8], &str); 6] = [
        (b"<!DOCTYPE html><html>Log in</html>", "HTML or XML"),
        (b"", "the document is empty"),
        (b"{\"flags\": {\"search\": {\"sta", "line 1"),
        (b"{\"flags\": {\"\xff\xfe\": {}}}", "is not UTF-8"),
        (b"[]", "an object with the field \"flags\""),
        (b"{}", "no field \"flags\""),
    ];
    for (nonsense, told) in cases {
        script.says(nonsense);
        let stale = next(&mut events).await;
        assert_eq!((stale.kind, stale.error_code), (EventKind::Stale, Some(ErrorCode::ParseError)));
        let message = stale.message.unwrap();
        assert!(message.starts_with("flags has no document of flags: "), "{message}");
        assert!(message.contains(told), "{message}");
        assert_eq!(flags.bool("search", &Context::default()), Ok(true));
        script.says(good.clone());
        assert_eq!(next(&mut events).await.kind, EventKind::Ready);
    }
}

#[tokio::test(start_paused = true)]
async fn nonsense_that_stays_becomes_an_error_though_the_source_says_that_nothing_changed() {
    let (script, source) = Script::new("flags", document("search", "on"));
    let flags = Flags::default();
    let _following = Feed::of(source).follow(&flags).await.unwrap();
    script.says("nonsense");
    sleep(Duration::from_secs(3)).await;
    assert_eq!(flags.status(), Status::Stale);
    sleep(Duration::from_secs(4)).await;
    assert_eq!(flags.status(), Status::Error);
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));
    // Lost meanwhile and back: it is still nonsense.
    script.fails();
    sleep(Duration::from_secs(2)).await;
    script.works();
    sleep(Duration::from_secs(2)).await;
    assert_eq!(flags.trouble().unwrap().code, ErrorCode::ParseError);
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_cut_off_at_any_byte_leaves_the_flags_as_they_are() {
    let good = document("search", "on");
    let (script, source) = Script::new("flags", good.clone());
    let flags = Flags::default();
    let _following = Feed::of(source).follow(&flags).await.unwrap();
    for end in 0..good.len() {
        script.says(&good.as_bytes()[..end]);
        sleep(Duration::from_millis(1500)).await;
        assert_eq!(flags.bool("search", &Context::default()), Ok(true), "cut off after {end} bytes");
        assert_ne!(flags.status(), Status::Ready, "cut off after {end} bytes");
    }
}

#[tokio::test(start_paused = true)]
async fn one_flag_at_fault_does_not_make_the_others_stale() {
    let (script, source) = Script::new("flags", document("search", "on"));
    let flags = Flags::default();
    let _following = Feed::of(source).follow(&flags).await.unwrap();
    let mut events = flags.events();
    assert_eq!(next(&mut events).await.kind, EventKind::Ready);
    let one_more = document("search", "on").replacen('{', r#"{"metadata": {}, "#, 1);
    script.says(one_more.replace(r#""flags": {"#, r#""flags": {"broken": 7, "#));
    let changed = next(&mut events).await;
    assert_eq!((changed.kind, &*changed.flags_changed[0]), (EventKind::ConfigurationChanged, "broken"));
    assert!(changed.message.unwrap().contains("1 faults"));
    assert_eq!(flags.status(), Status::Ready);
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_deleted_is_found_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("flags.json");
    fs::write(&path, document("search", "on")).unwrap();
    let flags = Flags::default();
    let _following = Feed::of(File::new(&path)).grace(Duration::from_secs(60)).follow(&flags).await.unwrap();
    let mut events = flags.events();
    assert_eq!(next(&mut events).await.kind, EventKind::Ready);
    for variant in ["on", "off"] {
        fs::remove_file(&path).unwrap();
        let stale = next(&mut events).await;
        assert_eq!((stale.kind, stale.error_code), (EventKind::Stale, Some(ErrorCode::General)));
        assert!(stale.message.unwrap().contains("cannot read the file"), "it says what is wrong");
        assert_eq!(flags.bool("search", &Context::default()), Ok(true));
        fs::write(&path, document("search", variant)).unwrap();
        assert_eq!(next(&mut events).await.kind, EventKind::Ready);
    }
    assert_eq!(next(&mut events).await.kind, EventKind::ConfigurationChanged);
    assert_eq!(flags.bool("search", &Context::default()), Ok(false));
    // And it is looked at on.
    fs::write(&path, document("search", "on")).unwrap();
    assert_eq!(next(&mut events).await.kind, EventKind::ConfigurationChanged);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_none_or_too_large_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let flags = Flags::default();
    drop(Feed::of(File::new(directory.path())).follow(&flags).await.unwrap());
    assert!(flags.trouble().unwrap().message.contains("no regular file"), "{:?}", flags.trouble());

    let path = directory.path().join("flags.json");
    fs::write(&path, document("search", "on")).unwrap();
    let flags = Flags::default();
    drop(Feed::of(File::new(&path).max_bytes(10)).follow(&flags).await.unwrap());
    assert!(flags.trouble().unwrap().message.contains("larger than the 10 bytes"), "{:?}", flags.trouble());
    assert_eq!(flags.status(), Status::Error);

    let flags = Flags::default();
    drop(Feed::of(File::new(directory.path().join("missing.json"))).follow(&flags).await.unwrap());
    assert!(flags.trouble().unwrap().message.contains("missing.json"), "{:?}", flags.trouble());
}

#[tokio::test(start_paused = true)]
async fn a_source_that_gives_up_is_fatal_and_asked_no_more() {
    let (script, source) = Script::new("flags", document("search", "on"));
    let flags = Flags::default();
    let _following = Feed::of(source).follow(&flags).await.unwrap();
    script.fails_for_good();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(flags.status(), Status::Fatal);
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));
    assert!(script.is_dropped());
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_takes_nobody_with_it() {
    let (script, source) = Script::new("flags", document("search", "on"));
    let flags = Flags::default();
    let _following =
        Feed::of(Text::json(document("basket", "on"))).over_it(source).follow(&flags).await.unwrap();
    script.panics();
    sleep(Duration::from_secs(10)).await;
    let trouble = flags.trouble().unwrap();
    assert!(trouble.message.contains("panicked"), "{trouble}");
    assert_eq!(trouble.source_name.as_deref(), Some("flags"));
    for key in ["search", "basket"] {
        assert_eq!(flags.bool(key, &Context::default()), Ok(true));
    }
}

#[tokio::test]
async fn a_reader_of_events_that_sleeps_is_told_what_it_missed() {
    let flags = Flags::default();
    let mut events = flags.events();
    for round in 0..300 {
        let variant = if round % 2 == 0 { "on" } else { "off" };
        flags.update(document("search", variant).as_bytes(), serinus_flags::Format::Json).unwrap();
    }
    let told = events.next().await.unwrap_err();
    assert_eq!(
        told.to_string(),
        "44 events were lost because nobody took them: read the status and the flags again"
    );
    for _ in 0..256 {
        assert_eq!(next(&mut events).await.kind, EventKind::ConfigurationChanged);
    }
    assert_eq!(events.try_next(), Ok(None));
    drop(flags);
    assert!(events.next().await.is_err(), "nothing follows");
}

async fn next(events: &mut Events) -> Event {
    events.next().await.unwrap()
}
