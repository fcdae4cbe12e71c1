//! Any number of instances can be told to lead: one does, and another takes over when it is gone.

#![expect(clippy::unwrap_used, reason = "the harness of tests may panic")]

use std::sync::Arc;

use futures_util::future::join;
use guarded::{DOCUMENT, Visitors, drive, drive_for, flags, ladder};
use serinus_core::{
    port::{
        Clock as _, Saved,
        memory::{ManualClock, MemoryStore},
    },
    rollout::{self, Command, State},
    time::GoDuration,
    traffic::Weight,
};
use serinus_flags::{Deciding, Flags, Guard, GuardError};

mod guarded;

struct Instance {
    flags: Flags,
    guard: Guard,
}

fn instance(store: &Arc<MemoryStore>, name: &str) -> Instance {
    let flags = flags(DOCUMENT);
    let deciding = Deciding::leader(Arc::clone(store) as _, name);
    let guard = flags.guard("checkout").candidate("new").plan(ladder()).deciding(deciding).build().unwrap();
    Instance { flags, guard }
}

fn read(saved: &Saved) -> serde_json::Value {
    serde_json::from_str(&saved.document).unwrap()
}

fn term_of(saved: &Saved) -> u64 {
    read(saved)["lease"]["fence"].as_u64().unwrap()
}

fn state_of(saved: &Saved) -> Option<State> {
    serde_json::from_value(read(saved).get("state")?.clone()).unwrap()
}

#[test]
fn of_two_leaders_by_mistake_one_decides_and_the_other_follows() {
    let (clock, store) = (Arc::new(ManualClock::default()), Arc::new(MemoryStore::new()));
    let (one, two, mut visitors) = (instance(&store, "shop"), instance(&store, "shop"), Visitors::new(20));
    assert!(!one.guard.is_deciding() && one.guard.lease().is_none());
    let both = join(one.guard.finish(Arc::clone(&clock) as _), two.guard.finish(Arc::clone(&clock) as _));
    let mut seen = Vec::new();
    let ends = drive(&clock, both, |lasting| {
        visitors.come(&one.flags, &one.guard, lasting);
        assert!(one.guard.is_deciding() && !two.guard.is_deciding());
        assert!(matches!(two.guard.command(Command::Promote), Err(GuardError::Follows { .. })));
        let weight = two.guard.trial().candidate();
        if seen.last() != Some(&weight) {
            seen.push(weight);
        }
    });
    assert_eq!((ends.0.unwrap(), ends.1.unwrap()), (rollout::Outcome::Promoted, rollout::Outcome::Promoted));
    assert_eq!(seen, [5.0, 20.0, 50.0].map(Weight::percent), "it follows step by step");
    assert_eq!(visitors.views(&one.flags), visitors.views(&two.flags));
    // The other one gets the lease when the first gives it back at the end, and has nothing left to do.
    for saved in store.history() {
        let (term, state) = (term_of(&saved), state_of(&saved));
        let is_over = state.is_some_and(|state| state.outcome() == Some(&rollout::Outcome::Promoted));
        assert!(term == 1 || term == 2 && is_over, "{}", saved.document);
    }
}

#[test]
fn another_takes_over_when_the_leader_crashes_and_goes_on_where_it_was() {
    let (clock, store) = (Arc::new(ManualClock::default()), Arc::new(MemoryStore::new()));
    let (one, two, mut visitors) = (instance(&store, "one"), instance(&store, "two"), Visitors::new(20));
    // Dropped in the middle, as by a crash.
    drive_for(&clock, GoDuration::from_mins(12), one.guard.run(Arc::clone(&clock) as _), |lasting| {
        visitors.come(&one.flags, &one.guard, lasting);
    });
    let weight = one.guard.trial().candidate();
    assert!(!weight.is_zero());
    let attempt = one.guard.state().unwrap().attempt;
    let until = read(&store.current().unwrap())["lease"]["until"].as_str().unwrap().parse().unwrap();
    let mut began = None;
    let outcome = drive(&clock, two.guard.finish(Arc::clone(&clock) as _), |lasting| {
        visitors.come(&two.flags, &two.guard, lasting);
        if two.guard.is_deciding() {
            began.get_or_insert(clock.now());
        } else {
            assert!(clock.now() <= until);
            assert_eq!(two.guard.lease().unwrap().holder, "one");
            assert_eq!(two.guard.trial().candidate(), weight, "it follows meanwhile");
        }
    });
    assert_eq!(outcome.unwrap(), rollout::Outcome::Promoted, "{:?}", two.guard.notes());
    assert_eq!(began, Some(until), "as soon as the lease has run out");
    assert_eq!(two.guard.state().unwrap().attempt, attempt, "it is the same attempt");
    assert_eq!(two.guard.state().unwrap().fence.epoch, 2, "in the next term");
}

#[test]
fn a_leader_that_stalls_and_comes_back_is_refused_and_follows() {
    let (clock, store) = (Arc::new(ManualClock::default()), Arc::new(MemoryStore::new()));
    let (one, two, mut visitors) = (instance(&store, "one"), instance(&store, "two"), Visitors::new(20));
    let mut stalled = Box::pin(one.guard.run(Arc::clone(&clock) as _));
    drive_for(&clock, GoDuration::from_mins(2), stalled.as_mut(), |lasting| {
        visitors.come(&one.flags, &one.guard, lasting);
    });
    assert!(one.guard.is_deciding());
    // Nobody polls it for ten minutes: a stopped machine. The other one takes the candidate back meanwhile.
    visitors.faults.insert("new", 200);
    let outcome = drive(&clock, two.guard.finish(Arc::clone(&clock) as _), |lasting| {
        visitors.come(&two.flags, &two.guard, lasting);
    });
    assert!(matches!(outcome.unwrap(), rollout::Outcome::Aborted(_)), "{:?}", two.guard.notes());
    let ended = two.guard.state().unwrap();
    let saved = store.history().len();
    // It takes up the lease only once that of the other is given back; here another run of the other holds it.
    let again = two.guard.run(Arc::clone(&clock) as _);
    let both = async { join(stalled, again).await.0 };
    let mut times = 0;
    drive_for(&clock, GoDuration::from_mins(5), both, |_| {
        times += 1;
        assert_ne!(one.guard.is_deciding(), two.guard.is_deciding(), "one decides");
        assert_eq!(two.guard.state().unwrap().outcome(), ended.outcome());
    });
    assert_eq!(one.guard.outcome().as_ref(), ended.outcome(), "it does what the other one decided");
    assert_eq!(visitors.with_new(&one.flags), 0);
    assert!(times > 10, "{times}");
    for later in &store.history()[saved..] {
        let state = state_of(later).unwrap();
        assert_eq!(state.outcome(), ended.outcome(), "nothing of what it wanted was written");
    }
}

#[test]
fn a_lease_that_cannot_be_renewed_in_time_is_refused() {
    let flags = flags(DOCUMENT);
    let store = Arc::new(MemoryStore::new());
    let lease = GoDuration::from_secs(0);
    let deciding = Deciding::Leader { store, name: "one".into(), lease };
    let built = flags.guard("checkout").candidate("new").plan(ladder()).deciding(deciding).build();
    assert!(built.unwrap_err().to_string().contains("a lease of 0s is too short"));
}
