//! What was decided about a definition of a flag holds for as long as that definition does.

#![expect(clippy::unwrap_used, reason = "the harness of tests may panic")]

use std::sync::Arc;

use guarded::{DOCUMENT, Visitors, drive, drive_for, flags, ladder};
use serinus_core::{
    cohort::Reseed,
    port::{
        StateStore,
        memory::{ManualClock, MemoryStore},
    },
    rollout::{self, Command},
    time::GoDuration,
    traffic::Weight,
};
use serinus_flags::{Deciding, Document, Flags, Format, Guard, source::Selector};

#[expect(dead_code, reason = "shared by several test programs")]
mod guarded;

fn guard(flags: &Flags, store: &Arc<MemoryStore>, reseed: Reseed) -> Guard {
    let store: Arc<dyn StateStore> = Arc::clone(store) as _;
    flags
        .guard("checkout")
        .candidate("new")
        .plan(ladder())
        .deciding(Deciding::here_kept_in(store))
        .reseed(reseed)
        .build()
        .unwrap()
}

fn sync(flags: &Flags, document: &str) {
    flags.update(document.as_bytes(), Format::Json).unwrap();
}

fn abort(guard: &Guard, clock: &Arc<ManualClock>) {
    guard.command(Command::Abort("it is wrong".to_owned())).unwrap();
    let outcome = drive(clock, guard.finish(Arc::clone(clock) as _), |_| {}).unwrap();
    assert!(matches!(outcome, rollout::Outcome::Aborted(_)));
}

/// The share of the candidate as it is exposed.
fn share(flags: &Flags) -> String {
    let text = flags.metrics();
    let line = text.lines().find(|line| line.starts_with("feature_flag_candidate_share{")).unwrap();
    line.rsplit_once(' ').unwrap().1.to_owned()
}

#[test]
fn only_another_definition_is_tried_again() {
    let (flags, clock, store) = (flags(DOCUMENT), Arc::new(ManualClock::default()), Arc::default());
    let (guard, visitors) = (guard(&flags, &store, Reseed::Never), Visitors::new(20));
    let run = |minutes| {
        drive_for(&clock, GoDuration::from_mins(minutes), guard.run(Arc::clone(&clock) as _), |_| {});
    };
    run(2);
    let before = visitors.views(&flags);
    assert!(visitors.with_new(&flags) > 150);
    abort(&guard, &clock);
    let otherwise_written =
        DOCUMENT.replace('\n', " ").replace("\"state\": \"ENABLED\",", "\"state\":\"ENABLED\"  ,");
    assert_ne!(otherwise_written, DOCUMENT);
    let broken = r#"{"flags": {"checkout": {"state": "PERHAPS"}}}"#;
    let without = r#"{"flags": {}}"#;
    for document in [DOCUMENT, &otherwise_written, broken, DOCUMENT, without, DOCUMENT] {
        sync(&flags, document);
        run(5);
        assert_eq!(guard.state().unwrap().attempt, 1);
        if document.contains("variants") {
            assert_eq!(visitors.with_new(&flags), 0);
        }
    }
    sync(&flags, &DOCUMENT.replace("\"new\": \"new\"", "\"new\": \"new, mended\""));
    assert_eq!(visitors.with_new(&flags), 0, "it was not decided yet");
    run(2);
    assert_eq!(guard.state().unwrap().attempt, 2);
    assert_eq!(visitors.views(&flags), before, "the same come first");
}

/// The flag refers to a shared rule; another source stands above the one that has it.
#[test]
fn a_definition_is_the_same_however_many_sources_there_are_and_another_with_another_shared_rule() {
    let below = |rule: &str| {
        let asks = r#"{"if": [{"!!": [{"var": "wish"}]}, {"var": "wish"}, null]}"#;
        let text = DOCUMENT.replace(asks, r#"{"if": [{"$ref": "nobody"}, "old"]}"#);
        assert_ne!(text, DOCUMENT);
        let text = text.strip_suffix('}').unwrap();
        let text = format!("{text}, \"$evaluators\": {{\"nobody\": {rule}}}}}");
        Document::from_json(&text).unwrap()
    };
    let nobody = r#"{"==": [{"var": "name"}, "nobody"]}"#;
    let above = Document::from_json(r#"{"flags": {}, "metadata": {"serinus.fractional": "v1"}}"#).unwrap();
    let both =
        |rule: &str| Document::merged(&[("below", below(rule)), ("above", above.clone())], &Selector::all());
    let (flags, clock, store) = (flags(DOCUMENT), Arc::new(ManualClock::default()), Arc::default());
    flags.load(&below(nobody));
    let (guard, visitors) = (guard(&flags, &store, Reseed::Never), Visitors::new(20));
    drive_for(&clock, GoDuration::from_mins(2), guard.run(Arc::clone(&clock) as _), |_| {});
    let before = visitors.with_new(&flags);
    assert!(before > 150);
    // The overlay comes late.
    flags.load(&both(nobody));
    assert_eq!(visitors.with_new(&flags), before);
    flags.load(&both(r#"{"==": [{"var": "name"}, "somebody"]}"#));
    assert_eq!(visitors.with_new(&flags), 0, "nobody has tried this rule");
}

#[test]
fn another_definition_is_given_to_nobody_before_it_is_decided() {
    let (flags, clock, store) = (flags(DOCUMENT), Arc::new(ManualClock::default()), Arc::default());
    let (guard, visitors) = (guard(&flags, &store, Reseed::Never), Visitors::new(20));
    drive_for(&clock, GoDuration::from_mins(2), guard.run(Arc::clone(&clock) as _), |_| {});
    let before = visitors.with_new(&flags);
    assert!(before > 150);
    assert_eq!(share(&flags), "0.05");
    sync(&flags, &DOCUMENT.replace("\"new\": \"new\"", "\"new\": \"newer\""));
    assert_eq!((visitors.with_new(&flags), &*share(&flags)), (0, "0"));
    sync(&flags, DOCUMENT);
    assert_eq!((visitors.with_new(&flags), &*share(&flags)), (before, "0.05"));
}

#[test]
fn a_restart_goes_on_with_the_same_subjects() {
    let (clock, store) = (Arc::new(ManualClock::default()), Arc::default());
    let (visitors, one) = (Visitors::new(20), flags(DOCUMENT));
    {
        let guard = guard(&one, &store, Reseed::EachAttempt);
        drive_for(&clock, GoDuration::from_mins(2), guard.run(Arc::clone(&clock) as _), |_| {});
        abort(&guard, &clock);
        guard.command(Command::Retry).unwrap();
        drive_for(&clock, GoDuration::from_mins(2), guard.run(Arc::clone(&clock) as _), |_| {});
        assert_eq!(guard.state().unwrap().attempt, 2);
    }
    let (before, two) = (visitors.views(&one), flags(DOCUMENT));
    let again = guard(&two, &store, Reseed::EachAttempt);
    assert_eq!(visitors.with_new(&two), 0);
    drive_for(&clock, GoDuration::from_millis(1), again.run(Arc::clone(&clock) as _), |_| {});
    assert_eq!(visitors.views(&two), before);
    assert_eq!(again.trial().candidate(), Weight::percent(5.0));
    abort(&again, &clock);
    // After a rollback, too.
    let three = flags(DOCUMENT);
    let last = guard(&three, &store, Reseed::EachAttempt);
    drive_for(&clock, GoDuration::from_mins(20), last.run(Arc::clone(&clock) as _), |_| {});
    assert_eq!((visitors.with_new(&three), last.state().unwrap().attempt), (0, 2));
}

#[test]
fn another_attempt_can_begin_with_others() {
    let (flags, clock, store) = (flags(DOCUMENT), Arc::new(ManualClock::default()), Arc::default());
    let (guard, visitors) = (guard(&flags, &store, Reseed::EachAttempt), Visitors::new(20));
    drive_for(&clock, GoDuration::from_mins(2), guard.run(Arc::clone(&clock) as _), |_| {});
    let first = visitors.views(&flags);
    abort(&guard, &clock);
    guard.command(Command::Retry).unwrap();
    drive_for(&clock, GoDuration::from_mins(2), guard.run(Arc::clone(&clock) as _), |_| {});
    let both = first.iter().zip(visitors.views(&flags)).filter(|(one, two)| one.0 == "new" && two.0 == "new");
    assert!(both.count() < 40, "about one in twenty of one in twenty");
}

#[test]
fn a_promotion_stays_until_the_document_has_it() {
    let (flags, clock, store) = (flags(DOCUMENT), Arc::new(ManualClock::default()), Arc::default());
    let (guard, visitors) = (guard(&flags, &store, Reseed::Never), Visitors::new(20));
    drive_for(&clock, GoDuration::from_mins(2), guard.run(Arc::clone(&clock) as _), |_| {});
    guard.command(Command::PromoteFully).unwrap();
    let outcome = drive(&clock, guard.finish(Arc::clone(&clock) as _), |_| {}).unwrap();
    assert_eq!(outcome, rollout::Outcome::Promoted);
    let everybody = visitors.contexts.len();
    for document in
        [DOCUMENT.to_owned(), DOCUMENT.replace("\"flags\"", "\"metadata\": {\"version\": \"2\"}, \"flags\"")]
    {
        sync(&flags, &document);
        drive_for(&clock, GoDuration::from_mins(20), guard.run(Arc::clone(&clock) as _), |_| {});
        assert_eq!((visitors.with_new(&flags), guard.state().unwrap().attempt), (everybody, 1));
    }
    sync(&flags, &DOCUMENT.replace("\"defaultVariant\": \"old\"", "\"defaultVariant\": \"new\""));
    assert_eq!((visitors.with_new(&flags), &*share(&flags)), (everybody, "1"));
    sync(&flags, DOCUMENT);
    assert_eq!(visitors.with_new(&flags), 0, "the document had it, and takes it back");
    assert_eq!(share(&flags), "0");
}
