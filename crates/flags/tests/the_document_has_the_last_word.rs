//! What a guard decided is in force until the document says otherwise, for all instances, and after restarts, too.

#![expect(clippy::unwrap_used, reason = "the harness of tests may panic")]

use std::sync::Arc;

use futures_util::future::join;
use guarded::{DOCUMENT, Visitors, drive_for, flags, ladder};
use serinus_core::{
    port::{
        StateStore,
        memory::{ManualClock, MemoryStore},
    },
    rollout::{Command, Outcome},
    time::GoDuration,
    traffic::Weight,
};
use serinus_flags::{Context, Deciding, Flags, Format, Guard};

#[expect(dead_code, reason = "shared by several test programs")]
mod guarded;

fn guard(flags: &Flags, deciding: Deciding) -> Guard {
    flags.guard("checkout").candidate("new").plan(ladder()).deciding(deciding).build().unwrap()
}

fn sync(flags: &Flags, document: &str) {
    flags.update(document.as_bytes(), Format::Json).unwrap();
}

fn with_default_new() -> String {
    DOCUMENT.replace("\"defaultVariant\": \"old\"", "\"defaultVariant\": \"new\"")
}

/// A leader and a follower of the same store, both of which run.
struct Fleet {
    clock: Arc<ManualClock>,
    store: Arc<dyn StateStore>,
    leader: (Flags, Guard),
    follower: (Flags, Guard),
    visitors: Visitors,
}

impl Fleet {
    fn promoted() -> Self {
        let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
        let one = |deciding| {
            let flags = flags(DOCUMENT);
            let guard = guard(&flags, deciding);
            (flags, guard)
        };
        let fleet = Self {
            clock: Arc::new(ManualClock::default()),
            leader: one(Deciding::leader(Arc::clone(&store), "one")),
            follower: one(Deciding::follower(Arc::clone(&store))),
            store,
            visitors: Visitors::new(20),
        };
        fleet.run(2);
        fleet.leader.1.command(Command::PromoteFully).unwrap();
        fleet.run(5);
        assert_eq!(fleet.leader.1.outcome(), Some(Outcome::Promoted));
        assert_eq!(fleet.with_new(), [fleet.everybody(); 2]);
        fleet
    }

    fn run(&self, minutes: u64) {
        let clock = || Arc::clone(&self.clock) as _;
        let both = join(self.leader.1.run(clock()), self.follower.1.run(clock()));
        drive_for(&self.clock, GoDuration::from_mins(minutes), both, |_| {});
    }

    fn sync(&self, document: &str) {
        sync(&self.leader.0, document);
        sync(&self.follower.0, document);
    }

    fn everybody(&self) -> usize {
        self.visitors.contexts.len()
    }

    fn with_new(&self) -> [usize; 2] {
        [&self.leader.0, &self.follower.0].map(|flags| self.visitors.with_new(flags))
    }
}

#[test]
fn what_the_document_takes_back_stays_back_for_all_instances() {
    let fleet = Fleet::promoted();
    fleet.sync(&with_default_new());
    fleet.run(20);
    assert_eq!(fleet.with_new(), [fleet.everybody(); 2]);
    fleet.sync(DOCUMENT);
    assert_eq!(fleet.with_new(), [0; 2]);
    for _ in 0..3 {
        fleet.run(20);
        assert_eq!(fleet.with_new(), [0; 2]);
    }
    // A restart, and another leader.
    let (flags, clock) = (flags(DOCUMENT), &fleet.clock);
    let again = guard(&flags, Deciding::leader(Arc::clone(&fleet.store), "two"));
    drive_for(clock, GoDuration::from_mins(20), again.run(Arc::clone(clock) as _), |_| {});
    assert!(again.state().unwrap().stable.as_str().starts_with("old@"));
    assert_eq!(fleet.visitors.with_new(&flags), 0);
}

#[test]
fn what_is_taken_back_at_once_stays_back_too() {
    let fleet = Fleet::promoted();
    // Nobody runs between the two.
    fleet.sync(&with_default_new());
    fleet.sync(DOCUMENT);
    assert_eq!(fleet.with_new(), [0; 2]);
    fleet.run(20);
    assert_eq!(fleet.with_new(), [0; 2]);
}

#[test]
fn those_who_get_the_document_later_keep_what_was_promoted_meanwhile() {
    let fleet = Fleet::promoted();
    sync(&fleet.leader.0, &with_default_new());
    drive_for(
        &fleet.clock,
        GoDuration::from_secs(50),
        join(
            fleet.leader.1.run(Arc::clone(&fleet.clock) as _),
            fleet.follower.1.run(Arc::clone(&fleet.clock) as _),
        ),
        |_| assert_eq!(fleet.with_new(), [fleet.everybody(); 2]),
    );
    sync(&fleet.follower.0, &with_default_new());
    fleet.run(20);
    assert_eq!(fleet.with_new(), [fleet.everybody(); 2]);
}

#[test]
fn what_was_taken_back_comes_again_only_if_a_person_says_so() {
    let fleet = Fleet::promoted();
    for document in [&*with_default_new(), DOCUMENT] {
        fleet.sync(document);
        fleet.run(5);
    }
    fleet.sync(&DOCUMENT.replace("\"flags\"", "\"metadata\": {\"version\": \"2\"}, \"flags\""));
    fleet.run(20);
    assert_eq!(fleet.with_new(), [0; 2], "the variant has the same value");
    fleet.leader.1.command(Command::Retry).unwrap();
    fleet.run(2);
    let [leader, follower] = fleet.with_new();
    assert!(leader > 150 && leader < 400, "{leader}: it is on its way again");
    assert_eq!(leader, follower);
    assert_eq!(fleet.leader.1.trial().candidate(), Weight::percent(5.0));
    let stable = fleet.leader.1.state().unwrap().stable;
    assert!(stable.as_str().starts_with("old@"), "{stable}");
}

#[test]
fn another_value_of_what_was_promoted_is_given_to_nobody_before_it_was_tried() {
    let fleet = Fleet::promoted();
    // Another rule, or other words, are no other value.
    fleet.sync(&DOCUMENT.replace("{\"if\": [", "{\"if\": [false, \"old\", "));
    fleet.run(20);
    assert_eq!(fleet.with_new(), [fleet.everybody(); 2]);
    fleet.sync(&DOCUMENT.replace("\"new\": \"new\"", "\"new\": \"rewritten\""));
    assert_eq!(fleet.with_new(), [0; 2], "nobody has tried it");
    fleet.run(2);
    let [leader, follower] = fleet.with_new();
    assert!(leader > 150 && leader < 400, "{leader}: it is on its way");
    assert_eq!(leader, follower);
    assert_eq!(fleet.leader.1.state().unwrap().attempt, 2);
    fleet.leader.1.command(Command::PromoteFully).unwrap();
    fleet.run(5);
    assert_eq!(fleet.with_new(), [fleet.everybody(); 2]);
}

#[test]
fn another_default_is_the_default_for_everybody() {
    let three = DOCUMENT.replace("\"old\": \"old\"", "\"old\": \"old\", \"blue\": \"blue\"");
    let (flags, clock) = (flags(&three), Arc::new(ManualClock::default()));
    let guard = guard(&flags, Deciding::here());
    let run = |minutes| {
        drive_for(&clock, GoDuration::from_mins(minutes), guard.run(Arc::clone(&clock) as _), |_| {});
    };
    run(2);
    let visitors = Visitors::new(20);
    let blue = three.replace("\"defaultVariant\": \"old\"", "\"defaultVariant\": \"blue\"");
    for document in [&blue, &three, &blue] {
        sync(&flags, document);
        for _ in 0..2 {
            let default = if document.contains("\"defaultVariant\": \"blue\"") { "blue" } else { "old" };
            let views = visitors.views(&flags);
            assert!(views.iter().all(|(variant, _)| variant == default || variant == "new"));
            assert!(views.iter().filter(|(variant, _)| variant == "new").count() < 400);
            run(2);
        }
    }
}

#[test]
fn definitions_that_alternate_do_not_bring_back_what_was_taken_back() {
    let (flags, clock) = (flags(DOCUMENT), Arc::new(ManualClock::default()));
    let (guard, visitors) = (guard(&flags, Deciding::here()), Visitors::new(20));
    let run = |minutes| {
        drive_for(&clock, GoDuration::from_mins(minutes), guard.run(Arc::clone(&clock) as _), |_| {});
    };
    let abort = || {
        run(2);
        assert!(visitors.with_new(&flags) > 150);
        guard.command(Command::Abort("it is wrong".to_owned())).unwrap();
        run(2);
        assert_eq!(visitors.with_new(&flags), 0);
    };
    let other = DOCUMENT.replace("\"new\": \"new\"", "\"new\": \"newer\"");
    abort();
    sync(&flags, &other);
    abort();
    for document in [DOCUMENT, &other, DOCUMENT, &other] {
        sync(&flags, document);
        run(5);
        assert_eq!((visitors.with_new(&flags), guard.state().unwrap().attempt), (0, 2));
    }
    guard.command(Command::Retry).unwrap();
    run(2);
    assert!(visitors.with_new(&flags) > 150);
}

#[test]
fn nothing_was_drawn_for_whoever_gets_what_was_promoted() {
    let fleet = Fleet::promoted();
    let context = Context::new("user-1");
    let details = fleet.leader.0.string_details("checkout", &context);
    assert_eq!((details.variant(), details.reason().as_str()), (Some("new"), "DEFAULT"));
}

#[test]
fn outcomes_stay_with_the_variant_that_was_shown() {
    let (flags, clock) = (flags(DOCUMENT), Arc::new(ManualClock::default()));
    let (guard, mut visitors) = (guard(&flags, Deciding::here()), Visitors::new(20));
    drive_for(&clock, GoDuration::from_mins(2), guard.run(Arc::clone(&clock) as _), |lasting| {
        visitors.come(&flags, &guard, lasting);
    });
    let controls = |variant: &str| {
        let series = format!("variant=\"{variant}\",cohort=\"control\",outcome=\"success\"}} ");
        let text = flags.metrics();
        let line = text.lines().find_map(|line| line.split_once(&*series)).map(|(_, count)| count.to_owned());
        line.map(|count| count.parse::<u64>().unwrap())
    };
    let before = controls("old").unwrap();
    assert!(before > 100);
    guard.command(Command::PromoteFully).unwrap();
    drive_for(&clock, GoDuration::from_mins(5), guard.run(Arc::clone(&clock) as _), |_| {});
    assert_eq!(guard.outcome(), Some(Outcome::Promoted));
    assert_eq!((controls("old"), controls("new")), (Some(before), Some(0)));
}
