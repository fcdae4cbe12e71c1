//! A source that is down, slow, cut off or full of nonsense leaves the flags as they are, and says so.

#![cfg(feature = "tokio")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests may panic")]

use std::{
    fs,
    future::pending,
    sync::Arc,
    task::{Wake, Waker},
    time::Duration,
};

use scripted::{Script, document};
use serinus_flags::{
    Context, ErrorCode, Event, EventKind, Events, Feed, FeedError, Flags, Format, Status,
    source::{Fetched, File, Source, SourceError, Text},
};
use tokio::{
    runtime::Builder,
    time::{Instant, sleep, timeout},
};

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

#[tokio::test(start_paused = true)]
async fn a_source_that_falls_silent_is_a_failure_and_asked_anew() {
    let (script, source) = Script::new("flags", document("search", "on"));
    let flags = Flags::default();
    let _following = Feed::of(source).follow(&flags).await.unwrap();
    let mut events = flags.events();
    assert_eq!(next(&mut events).await.kind, EventKind::Ready);
    script.falls_silent();
    let began = Instant::now();
    let stale = next(&mut events).await;
    assert!((30..=32).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert_eq!((stale.kind, stale.error_code), (EventKind::Stale, Some(ErrorCode::General)));
    let message = stale.message.unwrap();
    assert_eq!(&*message, "flags said nothing within 30 s: look whether it is there, or wait longer");
    assert_eq!((flags.status(), flags.bool("search", &Context::default())), (Status::Stale, Ok(true)));
    assert_eq!(next(&mut events).await.kind, EventKind::Error, "after the grace period");
    assert_eq!((flags.status(), flags.bool("search", &Context::default())), (Status::Error, Ok(true)));
    // Nobody answers what was asked so far; who asks anew is answered.
    script.says(document("search", "off"));
    assert_eq!(next(&mut events).await.kind, EventKind::Ready);
    assert_eq!(next(&mut events).await.kind, EventKind::ConfigurationChanged);
    assert_eq!(flags.bool("search", &Context::default()), Ok(false));
}

#[tokio::test(start_paused = true)]
async fn how_long_a_source_may_be_silent_is_an_option_of_the_feed() {
    let (script, source) = Script::new("flags", document("search", "on"));
    script.falls_silent();
    let flags = Flags::default();
    let limit = Duration::from_millis(200);
    let _following = Feed::of(source).silence(limit).follow(&flags).await.unwrap();
    let message = flags.trouble().unwrap().message;
    assert!(message.starts_with("flags said nothing within 0.2 s"), "{message}");
    assert_eq!(flags.status(), Status::Error, "there never was a document");
}

/// Says one thing, and then waits for a change that does not come.
struct Still(bool);

#[async_trait::async_trait]
impl Source for Still {
    fn name(&self) -> &str {
        "still"
    }

    async fn fetch(&mut self) -> Result<Fetched, SourceError> {
        if std::mem::replace(&mut self.0, true) {
            return pending().await;
        }
        Ok(Fetched::Document { bytes: document("search", "on").into(), format: Format::Json })
    }

    fn pause(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_may_be_silent_for_ever() {
    let flags = Flags::default();
    let _following = Feed::of(Still(false)).silence(Duration::from_secs(1)).follow(&flags).await.unwrap();
    let mut events = flags.events();
    assert_eq!(next(&mut events).await.kind, EventKind::Ready);
    sleep(Duration::from_secs(86_400)).await;
    assert_eq!((flags.status(), events.try_next()), (Status::Ready, Ok(None)));
}

/// As one on a mount whose server is gone.
#[cfg(unix)]
#[test]
fn a_file_that_hangs_holds_one_thread_however_often_it_is_looked_at() {
    use std::process::Command;

    use tokio::task::spawn_blocking;

    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("flags.json"), document("search", "on")).unwrap();
    fs::write(at("later"), document("search", "off")).unwrap();
    // Opening a pipe takes until somebody else opens it, too.
    assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    let runtime =
        Builder::new_multi_thread().worker_threads(1).max_blocking_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let flags = Flags::default();
        let source = File::new(at("flags.json")).interval(Duration::from_millis(1));
        let following = Feed::of(source).silence(Duration::from_millis(50)).follow(&flags).await.unwrap();
        let mut events = flags.events();
        // On a busy machine the first look may take too long.
        while flags.status() != Status::Ready {
            timeout(Duration::from_secs(10), events.next()).await.unwrap().unwrap();
        }
        while events.try_next().unwrap().is_some() {}
        fs::rename(at("pipe"), at("flags.json")).unwrap();
        let stale = timeout(Duration::from_secs(10), events.next()).await.unwrap().unwrap();
        assert!(stale.message.unwrap().contains("said nothing within"), "{:?}", flags.trouble());
        sleep(Duration::from_millis(300)).await;
        let has_room = timeout(Duration::from_secs(5), spawn_blocking(|| ())).await.is_ok();
        fs::rename(at("flags.json"), at("pipe")).unwrap();
        fs::rename(at("later"), at("flags.json")).unwrap();
        drop(fs::File::options().read(true).write(true).open(at("pipe")).unwrap());
        assert!(has_room, "one of two threads is left");
        while flags.status() != Status::Ready {
            timeout(Duration::from_secs(10), events.next()).await.unwrap().unwrap();
        }
        assert_eq!(flags.bool("search", &Context::default()), Ok(false));
        following.stop().await;
    });
}

#[test]
fn a_runtime_without_a_clock_is_an_error_and_the_flags_are_given_up() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let flags = Flags::default();
    let mut events = flags.events();
    let followed = runtime.block_on(Feed::of(Text::json(document("search", "on"))).follow(&flags));
    assert_eq!(followed.err(), Some(FeedError::NoClock));
    assert_eq!(flags.status(), Status::Fatal);
    let told = events.try_next().unwrap().unwrap();
    assert_eq!((told.kind, told.error_code), (EventKind::Error, Some(ErrorCode::ProviderFatal)));
    assert!(told.message.unwrap().contains("enable_time"), "it says what to do");
}

/// Panics when it is asked for its name.
struct Nameless;

#[async_trait::async_trait]
impl Source for Nameless {
    fn name(&self) -> &str {
        panic!("it has none")
    }

    async fn fetch(&mut self) -> Result<Fetched, SourceError> {
        pending().await
    }

    fn pause(&self) -> Option<Duration> {
        None
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_at_the_beginning_is_an_error_and_the_flags_are_given_up() {
    let flags = Flags::default();
    let mut events = flags.events();
    let followed = Feed::of(Nameless).follow(&flags).await;
    assert_eq!(followed.err(), Some(FeedError::BrokenOff));
    assert_eq!(flags.status(), Status::Fatal);
    assert_eq!(next(&mut events).await.error_code, Some(ErrorCode::ProviderFatal));
    assert_eq!(events.try_next(), Ok(None), "it is told once");
}

/// Panics when there is something to read.
struct Explosive;

impl Wake for Explosive {
    fn wake(self: Arc<Self>) {
        panic!("this reader of events is broken")
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_what_follows_is_the_end_and_told() {
    let (script, source) = Script::new("flags", document("search", "on"));
    let flags = Flags::default();
    let following = Feed::of(source).follow(&flags).await.unwrap();
    let mut events = flags.events();
    assert_eq!(next(&mut events).await.kind, EventKind::Ready);
    let waker = Waker::from(Arc::new(Explosive));
    assert!(events.poll_next(&mut std::task::Context::from_waker(&waker)).is_pending());
    script.fails();
    sleep(Duration::from_secs(10)).await;
    assert_eq!((flags.status(), flags.bool("search", &Context::default())), (Status::Fatal, Ok(true)));
    assert!(flags.trouble().unwrap().message.contains("panicked"), "{:?}", flags.trouble());
    assert_eq!(next(&mut events).await.kind, EventKind::Stale);
    assert_eq!(next(&mut events).await.error_code, Some(ErrorCode::ProviderFatal));
    assert!(script.is_dropped(), "no source is asked any more");
    following.stop().await;
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
