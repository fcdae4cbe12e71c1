//! Flags follow their sources, and tell what happens to them.

#![cfg(feature = "tokio")]
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use scripted::{Script, document};
use serinus_flags::{
    Context, Event, EventKind, Events, Feed, FeedError, Flags, Format, Reason, Status,
    source::{Fetched, File, Source, SourceError, Text},
};
use tokio::time::{Instant, sleep};

#[expect(dead_code, reason = "shared by several test programs")]
mod scripted;

#[tokio::test(start_paused = true)]
async fn a_text_is_loaded_once_and_the_flags_are_ready() {
    let flags = Flags::default();
    let mut events = flags.events();
    assert_eq!(flags.status(), Status::NotReady);
    let following = Feed::of(Text::json(document("search", "on"))).follow(&flags).await.unwrap();
    assert_eq!(flags.status(), Status::Ready);
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));
    let ready = events.next().await.unwrap();
    assert_eq!(ready.kind, EventKind::Ready);
    assert!(ready.message.unwrap().contains("1 flags: 1 added"), "it says what was loaded");
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(events.try_next(), Ok(None));
    following.stop().await;
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));
}

#[tokio::test(start_paused = true)]
async fn a_file_is_read_again_by_content_and_the_changed_keys_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("flags.json");
    fs::write(&path, document("search", "on")).unwrap();
    let flags = Flags::default();
    let _following = Feed::of(File::new(&path)).follow(&flags).await.unwrap();
    let mut events = flags.events();
    assert_eq!(events.next().await.unwrap().kind, EventKind::Ready);

    // The time of the last change is put back: only the content tells.
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, document("search", "off")).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    let began = Instant::now();
    assert_eq!(changed(&mut events).await, ["search"]);
    assert!(began.elapsed() <= Duration::from_millis(5100), "every five seconds, by default");
    assert_eq!(flags.bool("search", &Context::default()), Ok(false));

    // Other words for the same are no change.
    fs::write(&path, document("search", "off").replace(',', " , ")).unwrap();
    sleep(Duration::from_secs(20)).await;
    assert_eq!(events.try_next(), Ok(None));
    assert_eq!(flags.status(), Status::Ready);
}

#[cfg(feature = "yaml")]
#[tokio::test(start_paused = true)]
async fn a_file_that_ends_in_yaml_is_read_as_yaml() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("flags.yaml");
    fs::write(
        &path,
        "flags:\n  search:\n    state: ENABLED\n    variants: {on: true}\n    defaultVariant: on\n",
    )
    .unwrap();
    let flags = Flags::default();
    let _following = Feed::of(File::new(&path)).follow(&flags).await.unwrap();
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_link_that_is_swapped_is_followed() {
    use std::os::unix::fs::symlink;

    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    for (version, variant) in [("one", "on"), ("two", "off")] {
        fs::create_dir(at(version)).unwrap();
        fs::write(at(version).join("flags.json"), document("search", variant)).unwrap();
    }
    symlink(at("one"), at("data")).unwrap();
    let flags = Flags::default();
    let source = File::new(at("data").join("flags.json")).interval(Duration::from_millis(100));
    let _following = Feed::of(source).follow(&flags).await.unwrap();
    let mut events = flags.events();
    assert_eq!(events.next().await.unwrap().kind, EventKind::Ready);
    symlink(at("two"), at("next")).unwrap();
    fs::rename(at("next"), at("data")).unwrap();
    assert_eq!(changed(&mut events).await, ["search"]);
    assert_eq!(flags.bool("search", &Context::default()), Ok(false));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_lost_is_stale_at_once_an_error_after_the_grace_period_and_ready_again() {
    let (script, source) = Script::new("flags", document("search", "on"));
    let flags = Flags::default();
    let _following = Feed::of(source).grace(Duration::from_secs(5)).follow(&flags).await.unwrap();
    let mut events = flags.events();
    assert_eq!(events.next().await.unwrap().kind, EventKind::Ready);
    assert_eq!(reason(&flags), Reason::Static);

    script.fails();
    let stale = events.next().await.unwrap();
    let lost_at = Instant::now();
    assert_eq!(stale.kind, EventKind::Stale);
    assert_eq!(stale.message.as_deref(), Some("flags cannot be had: the cable is cut"));
    assert_eq!(stale.metadata.get("source").and_then(|name| name.as_str()), Some("flags"));
    assert_eq!(flags.status(), Status::Stale);
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));
    assert_eq!(reason(&flags), Reason::Stale);

    assert_eq!(events.next().await.unwrap().kind, EventKind::Error);
    assert_eq!(lost_at.elapsed().as_secs(), 5);
    assert_eq!(flags.status(), Status::Error);
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));
    assert_eq!(flags.trouble().unwrap().source_name.as_deref(), Some("flags"));

    // An hour of the same says nothing more.
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(events.try_next(), Ok(None));

    script.says(document("search", "off"));
    assert_eq!(events.next().await.unwrap().kind, EventKind::Ready);
    assert_eq!(changed(&mut events).await, ["search"]);
    assert_eq!((flags.status(), flags.trouble()), (Status::Ready, None));
    assert_eq!(reason(&flags), Reason::Static);

    // Lost and found again with what it said before: nothing changed, but that is told.
    script.fails();
    assert_eq!(events.next().await.unwrap().kind, EventKind::Stale);
    script.works();
    assert_eq!(events.next().await.unwrap().kind, EventKind::Ready);
    assert_eq!(reason(&flags), Reason::Static);
    assert_eq!(events.try_next(), Ok(None));
}

#[tokio::test(start_paused = true)]
async fn a_handle_knows_that_flags_are_stale_and_finds_its_flag_all_the_same() {
    let (script, source) = Script::new("flags", document("search", "on"));
    let flags = Flags::default();
    let handle = flags.handle("search");
    let _following = Feed::of(source).follow(&flags).await.unwrap();
    assert_eq!(handle.bool(&Context::default()), Ok(true));
    let revision = flags.snapshot().revision();
    script.fails();
    sleep(Duration::from_secs(2)).await;
    assert_eq!(handle.bool(&Context::default()), Ok(true));
    assert_eq!(flags.snapshot().revision(), revision, "the document is the same");
    assert_eq!(flags.snapshot().evaluate("search", &Context::default()).reason, Reason::Stale);
}

#[tokio::test(start_paused = true)]
async fn the_beginning_waits_for_the_deadline_and_no_longer() {
    let (script, source) = Script::new("flags", document("search", "on"));
    script.hangs();
    let flags = Flags::default();
    let began = Instant::now();
    let _following = Feed::of(source).deadline(Duration::from_millis(500)).follow(&flags).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_millis(500));
    assert_eq!(flags.status(), Status::Error);
    assert!(flags.trouble().unwrap().message.contains("has said nothing yet"));
    let mut events = flags.events();
    assert_eq!(events.next().await.unwrap().kind, EventKind::Error);
    script.works();
    assert_eq!(events.next().await.unwrap().kind, EventKind::Ready);
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));
}

#[tokio::test(start_paused = true)]
async fn whoever_subscribes_late_is_told_how_things_are() {
    let (script, source) = Script::new("flags", document("search", "on"));
    let flags = Flags::default();
    let _following = Feed::of(source).follow(&flags).await.unwrap();
    for _ in 0..2 {
        assert_eq!(flags.events().try_next().unwrap().unwrap().kind, EventKind::Ready);
    }
    script.fails();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(flags.events().try_next().unwrap().unwrap().kind, EventKind::Error);
}

#[tokio::test(start_paused = true)]
async fn dropping_what_follows_stops_asking() {
    let (script, source) = Script::new("flags", document("search", "on"));
    let flags = Flags::default();
    let following = Feed::of(source).follow(&flags).await.unwrap();
    drop(following);
    script.says(document("search", "off"));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));
    assert!(script.is_dropped(), "nobody holds the source any more");
}

/// A source that nothing can interrupt while it is asked.
struct Busy {
    is_asked: Arc<AtomicBool>,
    was_asked: bool,
}

#[async_trait::async_trait]
impl Source for Busy {
    fn name(&self) -> &str {
        "busy"
    }

    async fn fetch(&mut self) -> Result<Fetched, SourceError> {
        if !std::mem::replace(&mut self.was_asked, true) {
            return Ok(Fetched::Document { bytes: document("search", "on").into(), format: Format::Json });
        }
        self.is_asked.store(true, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(300));
        self.is_asked.store(false, Ordering::SeqCst);
        Ok(Fetched::Unchanged)
    }

    fn pause(&self) -> Option<Duration> {
        Some(Duration::from_millis(1))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn once_following_has_stopped_no_source_is_being_asked() {
    let is_asked = Arc::new(AtomicBool::new(false));
    let flags = Flags::default();
    let source = Busy { is_asked: Arc::clone(&is_asked), was_asked: false };
    let following = Feed::of(source).follow(&flags).await.unwrap();
    while !is_asked.load(Ordering::SeqCst) {
        sleep(Duration::from_millis(1)).await;
    }
    following.stop().await;
    assert!(!is_asked.load(Ordering::SeqCst), "it is still being asked");
    assert_eq!(Arc::strong_count(&is_asked), 1, "nobody holds the source any more");
    assert_eq!(flags.status(), Status::Ready);
}

#[tokio::test(start_paused = true)]
async fn what_is_detached_goes_on_until_it_is_aborted() {
    let (script, source) = Script::new("flags", document("search", "on"));
    let flags = Flags::default();
    let handle = Feed::of(source).follow(&flags).await.unwrap().detach();
    script.says(document("search", "off"));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(flags.bool("search", &Context::default()), Ok(false));
    handle.abort();
    sleep(Duration::from_secs(60)).await;
    assert!(script.is_dropped());
}

#[test]
fn without_a_runtime_that_is_said() {
    let flags = Flags::default();
    let mut follow = Box::pin(Feed::of(Text::json("{}")).follow(&flags));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(ended) = follow.as_mut().poll(&mut context) else {
        panic!("it waits for something");
    };
    assert_eq!(ended.err(), Some(FeedError::NoRuntime));
    assert_eq!(flags.status(), Status::Fatal, "nobody follows");
}

#[test]
fn a_file_is_read_without_a_runtime_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("flags.json");
    fs::write(&path, document("search", "on")).unwrap();
    let mut source = File::new(path);
    let mut fetch = source.fetch();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(fetch.as_mut().poll(&mut context).is_ready());
}

async fn changed(events: &mut Events) -> Vec<String> {
    let Event { kind, flags_changed, .. } = events.next().await.unwrap();
    assert_eq!(kind, EventKind::ConfigurationChanged);
    flags_changed.iter().map(ToString::to_string).collect()
}

fn reason(flags: &Flags) -> Reason {
    flags.bool_details("search", &Context::default()).reason()
}
