//! Stores that are shared by mistake, emptied, or away for a while.

#![expect(clippy::unwrap_used, reason = "the harness of tests may panic")]

use std::{
    error::Error as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use futures_util::future::join;
use guarded::{DOCUMENT, Visitors, drive, drive_for, flags, ladder};
use serinus_core::{
    port::{
        Clock as _, PortError, PortErrorKind, Saved, StateStore, Version,
        memory::{ManualClock, MemoryStore},
    },
    rollout::Command,
    time::GoDuration,
    traffic::Weight,
};
use serinus_flags::{Deciding, Flags, Guard, GuardError};

#[expect(dead_code, reason = "shared by several test programs")]
mod guarded;

fn guard(flags: &Flags, key: &str, deciding: Deciding) -> Guard {
    flags.guard(key).candidate("new").plan(ladder()).deciding(deciding).build().unwrap()
}

/// A store that can be emptied, and be away.
#[derive(Debug, Default)]
struct Fickle {
    store: Mutex<Arc<MemoryStore>>,
    is_away: AtomicBool,
}

impl Fickle {
    fn now(&self) -> Result<Arc<MemoryStore>, PortError> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(PortError::new(PortErrorKind::Transient, "no route to the store"));
        }
        Ok(Arc::clone(&self.store.lock().unwrap()))
    }
}

#[async_trait]
impl StateStore for Fickle {
    async fn load(&self) -> Result<Option<Saved>, PortError> {
        self.now()?.load().await
    }

    async fn save(&self, document: &str, seen: Option<Version>) -> Result<Version, PortError> {
        self.now()?.save(document, seen).await
    }
}

const TWO: &str = r#"{"flags": {
    "checkout": {"state": "ENABLED", "variants": {"new": "new", "old": "old"}, "defaultVariant": "old"},
    "search": {"state": "ENABLED", "variants": {"new": "new", "old": "old"}, "defaultVariant": "old"}
}}"#;

#[test]
fn a_second_flag_in_a_store_is_refused_and_harms_nothing() {
    type Mode = fn(Arc<dyn StateStore>) -> Deciding;
    let leader: Mode = |store| Deciding::leader(store, "one");
    for mode in [Deciding::here_kept_in as Mode, leader, Deciding::follower] {
        let (flags, clock) = (flags(TWO), Arc::new(ManualClock::default()));
        let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
        let one = guard(&flags, "checkout", Deciding::leader(Arc::clone(&store), "one"));
        drive_for(&clock, GoDuration::from_mins(2), one.run(Arc::clone(&clock) as _), |_| {});
        let other = guard(&flags, "search", mode(store));
        let error = drive(&clock, other.run(Arc::clone(&clock) as _), |_| {}).unwrap_err();
        let GuardError::Driver { flag, source } = &error else { panic!("{error:?}") };
        assert_eq!(&**flag, "search");
        let mut cause = source.source().unwrap();
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let cause = cause.to_string();
        assert!(cause.contains("holds the rollout of flag \"checkout\", not of \"search\""), "{cause}");
        assert!(cause.contains("give each guard a store of its own"), "{cause}");
        assert_eq!(other.trial().candidate(), Weight::ZERO);
        drive_for(&clock, GoDuration::from_mins(2), one.run(Arc::clone(&clock) as _), |_| {});
        assert_eq!(one.trial().candidate(), Weight::percent(5.0));
    }
}

#[test]
fn followers_take_up_the_rollout_that_begins_when_the_store_was_emptied() {
    let (clock, store) = (Arc::new(ManualClock::default()), Arc::new(Fickle::default()));
    let visitors = Visitors::new(20);
    let follower_flags = flags(DOCUMENT);
    let follower = guard(&follower_flags, "checkout", Deciding::follower(Arc::clone(&store) as _));
    let run = |leader: &Guard, minutes| {
        let both = join(leader.run(Arc::clone(&clock) as _), follower.run(Arc::clone(&clock) as _));
        drive_for(&clock, GoDuration::from_mins(minutes), both, |_| {});
    };
    let lead = |flags: &Flags| guard(flags, "checkout", Deciding::leader(Arc::clone(&store) as _, "one"));
    let before = flags(DOCUMENT);
    let leader = lead(&before);
    run(&leader, 2);
    leader.command(Command::PromoteFully).unwrap();
    run(&leader, 5);
    let everybody = visitors.contexts.len();
    assert_eq!(visitors.with_new(&follower_flags), everybody);
    drop(leader);
    *store.store.lock().unwrap() = Arc::default();
    drive_for(&clock, GoDuration::from_mins(2), follower.run(Arc::clone(&clock) as _), |_| {});
    assert_eq!(visitors.with_new(&follower_flags), everybody, "nobody has said anything else yet");
    let after = flags(DOCUMENT);
    let leader = lead(&after);
    run(&leader, 2);
    assert_eq!(leader.trial().candidate(), Weight::percent(5.0));
    assert_eq!(visitors.views(&follower_flags), visitors.views(&after));
    leader.command(Command::Abort("it is wrong".to_owned())).unwrap();
    run(&leader, 2);
    assert_eq!([&after, &follower_flags].map(|flags| visitors.with_new(flags)), [0, 0]);
}

#[test]
fn a_follower_looks_again_as_soon_as_ever_after_the_store_was_away() {
    let (clock, store) = (Arc::new(ManualClock::default()), Arc::new(Fickle::default()));
    let (leader_flags, follower_flags) = (flags(DOCUMENT), flags(DOCUMENT));
    let leader = guard(&leader_flags, "checkout", Deciding::here_kept_in(Arc::clone(&store) as _));
    let follower = guard(&follower_flags, "checkout", Deciding::follower(Arc::clone(&store) as _));
    drive_for(&clock, GoDuration::from_mins(2), leader.run(Arc::clone(&clock) as _), |_| {});
    let mut following = Box::pin(follower.run(Arc::clone(&clock) as _));
    drive_for(&clock, GoDuration::from_secs(3), &mut following, |_| {});
    let visitors = Visitors::new(20);
    assert!(visitors.with_new(&follower_flags) > 150);
    let informed = follower.informed_at().unwrap();
    store.is_away.store(true, Ordering::Relaxed);
    drive_for(&clock, GoDuration::from_secs(68), &mut following, |_| {});
    assert!(GoDuration::between(informed, follower.informed_at().unwrap()) <= GoDuration::from_secs(3));
    store.is_away.store(false, Ordering::Relaxed);
    leader.command(Command::Abort("it is wrong".to_owned())).unwrap();
    drive(&clock, leader.finish(Arc::clone(&clock) as _), |_| {}).unwrap();
    drive_for(&clock, GoDuration::from_secs(3), &mut following, |_| {});
    assert_eq!(visitors.with_new(&follower_flags), 0);
    assert!(GoDuration::between(follower.informed_at().unwrap(), clock.now()) <= GoDuration::from_secs(3));
}
