//! One instance decides, the others do as it says, and none of them decides by itself.

#![expect(clippy::unwrap_used, reason = "the harness of tests may panic")]

use std::sync::Arc;

use futures_util::{
    FutureExt as _,
    future::{Either, join, select},
};
use guarded::{DOCUMENT, Visitors, drive, drive_for, flags, ladder};
use serinus_core::{
    port::{
        StateStore,
        memory::{ManualClock, MemoryStore},
    },
    rollout::{self, Command},
    time::GoDuration,
    traffic::Weight,
};
use serinus_flags::{Deciding, Flags, Format, Guard, GuardError, Outcome};

mod guarded;

fn guard(flags: &Flags, deciding: Deciding) -> Guard {
    flags.guard("checkout").candidate("new").plan(ladder()).deciding(deciding).build().unwrap()
}

#[test]
fn followers_take_the_shares_and_the_rollback_from_the_leader() {
    let clock = Arc::new(ManualClock::default());
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let (leading, following, mut visitors) = (flags(DOCUMENT), flags(DOCUMENT), Visitors::new(150));
    let leader = guard(&leading, Deciding::leader(Arc::clone(&store), "one"));
    let follower = guard(&following, Deciding::follower(store));
    let mut weights = Vec::new();
    let both = join(leader.finish(Arc::clone(&clock) as _), follower.finish(Arc::clone(&clock) as _));
    let ends = drive(&clock, both, |lasting| {
        visitors.come(&leading, &leader, lasting);
        // Whatever a follower sees itself does not matter.
        visitors.contexts.iter().take(100).for_each(|context| follower.record(context, Outcome::Success));
        let weight = follower.trial().candidate();
        if weights.last() != Some(&weight) {
            weights.push(weight);
        }
        if leader.trial() == follower.trial() {
            assert_eq!(visitors.views(&leading), visitors.views(&following));
        }
    });
    assert!(matches!(ends.0.unwrap(), rollout::Outcome::Aborted(_)));
    assert!(matches!(ends.1.unwrap(), rollout::Outcome::Aborted(_)));
    assert_eq!(weights, [Weight::percent(5.0)]);
    assert_eq!((visitors.with_new(&leading), visitors.with_new(&following)), (0, 0));
}

#[test]
fn whoever_follows_waits_for_the_attempt_of_its_own_definition() {
    let clock = Arc::new(ManualClock::default());
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let stores = [flags(DOCUMENT), flags(DOCUMENT), flags(DOCUMENT)];
    let [leading, standing_by, following] = &stores;
    let leader = guard(leading, Deciding::leader(Arc::clone(&store), "one"));
    let standby = guard(standing_by, Deciding::leader(Arc::clone(&store), "two"));
    let follower = guard(following, Deciding::follower(store));
    let mut visitors = Visitors::new(150);
    let begun = leader.finish(Arc::clone(&clock) as _);
    drive(&clock, begun, |lasting| visitors.come(leading, &leader, lasting)).unwrap();
    let mended = DOCUMENT.replace("\"new\": \"new\"", "\"new\": \"new\", \"newer\": \"newer\"");
    let sync = |flags: &Flags| drop(flags.update(mended.as_bytes(), Format::Json).unwrap());
    // The leader is the last to get the mended document.
    visitors.faults.insert("new", 20);
    let mut leads = std::pin::pin!(leader.run(Arc::clone(&clock) as _));
    drive_for(&clock, GoDuration::from_mins(1), leads.as_mut(), |_| {});
    assert!(leader.is_deciding() && matches!(leader.outcome(), Some(rollout::Outcome::Aborted(_))));
    sync(standing_by);
    sync(following);
    let mut waits = std::pin::pin!(join(
        standby.finish(Arc::clone(&clock) as _),
        follower.finish(Arc::clone(&clock) as _)
    ));
    let both = async { select(leads.as_mut(), waits.as_mut()).await };
    drive_for(&clock, GoDuration::from_mins(2), both, |_| {});
    sync(leading);
    let ends = drive(&clock, select(leads, waits), |lasting| visitors.come(leading, &leader, lasting));
    let Either::Right((ends, _)) = ends else { panic!("the leader ended") };
    assert_eq!(ends.0.unwrap(), rollout::Outcome::Promoted);
    assert_eq!(ends.1.unwrap(), rollout::Outcome::Promoted);
    // What was promoted is what is wanted: at once.
    let again = follower.finish(Arc::clone(&clock) as _);
    assert_eq!(again.now_or_never().unwrap().unwrap(), rollout::Outcome::Promoted);
}

#[test]
fn a_follower_decides_nothing() {
    let (clock, store) = (Arc::new(ManualClock::default()), Arc::new(MemoryStore::new()));
    let (flags, mut visitors) = (flags(DOCUMENT), Visitors::new(20));
    let follower = guard(&flags, Deciding::follower(Arc::clone(&store) as _));
    drive_for(&clock, GoDuration::from_mins(60), follower.run(Arc::clone(&clock) as _), |lasting| {
        visitors.come(&flags, &follower, GoDuration::from_nanos(lasting.as_nanos() / 10));
    });
    assert_eq!((follower.state(), store.current()), (None, None));
    assert!(matches!(follower.command(Command::Promote), Err(GuardError::Follows { .. })));
}

#[test]
fn a_follower_gives_no_other_definition_than_the_one_that_is_tried() {
    let (clock, store) = (Arc::new(ManualClock::default()), Arc::new(MemoryStore::new()));
    let (leading, following, visitors) = (flags(DOCUMENT), flags(DOCUMENT), Visitors::new(20));
    let leader = guard(&leading, Deciding::leader(Arc::clone(&store) as _, "one"));
    let follower = guard(&following, Deciding::follower(Arc::clone(&store) as _));
    let run = || {
        let both = select(
            Box::pin(leader.run(Arc::clone(&clock) as _)),
            Box::pin(follower.run(Arc::clone(&clock) as _)),
        );
        drive_for(&clock, GoDuration::from_mins(2), async { matches!(both.await, Either::Left(_)) }, |_| {});
    };
    run();
    assert!(visitors.with_new(&following) > 150);
    let newer = DOCUMENT.replace("\"new\": \"new\"", "\"new\": \"newer\"");
    following.update(newer.as_bytes(), Format::Json).unwrap();
    assert_eq!(visitors.with_new(&following), 0);
    run();
    assert_eq!(visitors.with_new(&following), 0);
    leading.update(newer.as_bytes(), Format::Json).unwrap();
    run();
    assert!(visitors.with_new(&following) > 150);
}

#[test]
fn a_store_that_cannot_be_read_changes_nothing() {
    let (clock, store) = (Arc::new(ManualClock::default()), Arc::new(MemoryStore::new()));
    let (leading, following, visitors) = (flags(DOCUMENT), flags(DOCUMENT), Visitors::new(20));
    let leader = guard(&leading, Deciding::leader(Arc::clone(&store) as _, "one"));
    drive_for(&clock, GoDuration::from_mins(2), leader.run(Arc::clone(&clock) as _), |_| {});
    let follower = guard(&following, Deciding::follower(Arc::clone(&store) as _));
    drive_for(&clock, GoDuration::from_secs(10), follower.run(Arc::clone(&clock) as _), |_| {});
    let before = visitors.views(&following);
    assert_eq!(before, visitors.views(&leading));
    let seen = store.current().unwrap().version;
    let garbled = futures_util::FutureExt::now_or_never(store.save("{}", Some(seen))).unwrap();
    assert!(garbled.is_ok());
    let error = drive(&clock, follower.run(Arc::clone(&clock) as _), |_| {}).unwrap_err();
    assert!(matches!(error, GuardError::Driver { .. }), "{error}");
    assert_eq!(visitors.views(&following), before);
}
