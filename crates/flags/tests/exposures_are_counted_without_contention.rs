//! Counting exposures and outcomes allocates nothing, and loses nothing to threads that count at once.

#![expect(clippy::unwrap_used, reason = "the harness of tests may panic")]

use std::{hint::black_box, sync::Arc, thread, time::Duration};

use guarded::{drive_for, flags, ladder};
use serinus_core::{port::memory::ManualClock, time::GoDuration, traffic::Weight};
use serinus_flags::{Context, Deciding, Flags, Guard, Outcome};

#[expect(dead_code, reason = "shared by several test programs")]
mod guarded;

const DOCUMENT: &str = r#"{"flags": {"checkout": {
    "state": "ENABLED",
    "variants": {"new": "new", "old": "old"},
    "defaultVariant": "old",
    "targeting": {"if": [{"==": [{"var": "plan"}, "gold"]}, "new", null]}
}}}"#;

fn at_five_percent(flags: &Flags) -> Guard {
    let guard =
        flags.guard("checkout").candidate("new").plan(ladder()).deciding(Deciding::here()).build().unwrap();
    let clock = Arc::new(ManualClock::default());
    drive_for(&clock, GoDuration::from_mins(2), guard.run(Arc::clone(&clock) as _), |_| {});
    assert_eq!(guard.trial().candidate(), Weight::percent(5.0));
    guard
}

#[test]
fn neither_evaluations_nor_outcomes_allocate() {
    let flags = flags(DOCUMENT);
    let guard = at_five_percent(&flags);
    let contexts: Vec<_> = (0..1_000).map(|number| Context::new(format!("user-{number}"))).collect();
    let once = || {
        for context in &contexts {
            drop(black_box(flags.string("checkout", context)));
            guard.record(context, Outcome::Success.after(Duration::from_millis(3)));
            guard.record(context.targeting_key().unwrap_or_default(), Outcome::Error);
        }
    };
    // The first read of a thread gives it its place among the readers.
    once();
    assert_eq!(allocation_counter::measure(once).count_total, 0);
    let totals = guard.totals();
    assert!(totals.candidate.exposures > 20 && totals.control.exposures > 20, "{totals:?}");
}

#[test]
fn neither_rules_nor_identities_nor_failures_make_the_trial_allocate() {
    let flags = flags(DOCUMENT);
    let builder = flags.guard("checkout").candidate("new").plan(ladder()).deciding(Deciding::here());
    let guard = builder.identity("device").build().unwrap();
    let clock = Arc::new(ManualClock::default());
    drive_for(&clock, GoDuration::from_mins(2), guard.run(Arc::clone(&clock) as _), |_| {});
    let contexts: Vec<_> = (0..1_000)
        .map(|number| {
            let plan = if number % 2 == 0 { "gold" } else { "silver" };
            Context::new(format!("user-{number}"))
                .with("device", format!("device-{number}"))
                .with("plan", plan)
        })
        .chain([Context::default()])
        .collect();
    let once = || {
        for context in &contexts {
            drop(black_box(flags.string("checkout", context)));
            guard.record(context, Outcome::Success.after(Duration::from_millis(3)));
        }
    };
    once();
    assert_eq!(allocation_counter::measure(once).count_total, 0);
    let health = guard.health();
    assert_eq!((health.left_out.ruled, health.left_out.keyless), (1_000, 2));
    let followed = health.exposed.candidate + health.exposed.control;
    assert!((20..100).contains(&followed) && health.silent_candidate.part == 0, "{health}");
}

#[test]
fn threads_that_count_at_once_lose_nothing() {
    const THREADS: u64 = 8;
    const ROUNDS: u64 = 5;
    let flags = flags(DOCUMENT);
    let guard = at_five_percent(&flags);
    let contexts: Vec<_> = (0..20_000).map(|number| Context::new(format!("user-{number}"))).collect();
    let cohort = |variant: &str| {
        let (seen, snapshot) = (variant.to_owned(), flags.snapshot());
        let is_in = |context: &&Context| {
            let evaluation = snapshot.evaluate_at("checkout", context, 0);
            evaluation.variant == Some(&*seen) && evaluation.reason == serinus_flags::Reason::Split
        };
        contexts.iter().filter(is_in).count() as u64
    };
    let (candidates, controls) = (cohort("new"), cohort("old"));
    assert!(candidates > 900 && controls > 900, "{candidates} {controls}");
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    for context in &contexts {
                        drop(black_box(flags.string("checkout", context)));
                        let outcome = if round == 0 { Outcome::Error } else { Outcome::Success };
                        guard.record(context, outcome);
                    }
                }
            });
        }
    });
    let totals = guard.totals();
    for (arm, subjects) in [(totals.candidate, candidates), (totals.control, controls)] {
        assert_eq!((arm.errors, arm.successes), (THREADS * subjects, THREADS * (ROUNDS - 1) * subjects));
        assert!(arm.exposures.abs_diff(subjects) <= subjects / 50, "{} of {subjects}", arm.exposures);
    }
}
