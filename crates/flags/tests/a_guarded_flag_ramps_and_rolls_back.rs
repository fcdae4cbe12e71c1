//! A guarded flag goes out to everybody if its candidate is as good as the rest, and to nobody if it is not.

#![expect(clippy::unwrap_used, reason = "the harness of tests may panic")]

use std::{collections::BTreeSet, sync::Arc};

use guarded::{DOCUMENT, Visitors, drive, drive_for, flags, ladder};
use serinus_core::{
    port::memory::ManualClock,
    rollout::{self, Command, Rule},
    time::GoDuration,
    traffic::Weight,
};
use serinus_flags::{Context, Deciding, Flags, Guard, GuardError, Outcome, Reason};

mod guarded;

fn guard(flags: &Flags) -> Guard {
    flags.guard("checkout").candidate("new").plan(ladder()).deciding(Deciding::here()).build().unwrap()
}

#[test]
fn a_healthy_candidate_goes_out_to_everybody_and_nobody_is_exchanged() {
    let (flags, clock, mut visitors) = (flags(DOCUMENT), Arc::new(ManualClock::default()), Visitors::new(20));
    let guard = guard(&flags);
    assert!(visitors.views(&flags).iter().all(|view| *view == ("old".to_owned(), "DEFAULT".to_owned())));
    let (mut candidates, mut controls) = (BTreeSet::new(), BTreeSet::new());
    let mut weights = Vec::new();
    let outcome = drive(&clock, guard.finish(Arc::clone(&clock) as _), |lasting| {
        visitors.come(&flags, &guard, lasting);
        let weight = guard.trial().candidate();
        if weights.last() == Some(&weight) {
            return;
        }
        weights.push(weight);
        for (number, (variant, reason)) in visitors.views(&flags).into_iter().enumerate() {
            match (variant.as_str(), reason.as_str()) {
                ("new", "SPLIT") => drop(candidates.insert(number)),
                ("old", "SPLIT") => drop(controls.insert(number)),
                ("old", "DEFAULT") => assert!(!candidates.contains(&number) && !controls.contains(&number)),
                other => panic!("{other:?}"),
            }
        }
        assert!(candidates.is_disjoint(&controls), "at {weight}");
        let share = candidates.len() as f64 / 5_000.0;
        assert!((share - weight.as_percent() / 100.0).abs() < 0.02, "{share} at {weight}");
        assert!(candidates.len().abs_diff(controls.len()) < 150, "at {weight}");
    });
    assert_eq!(outcome.unwrap(), rollout::Outcome::Promoted, "{:?}", guard.notes());
    assert_eq!(weights, [5.0, 20.0, 50.0].map(Weight::percent));
    assert_eq!(visitors.with_new(&flags), 5_000);
    let rules: BTreeSet<_> = guard.notes().into_iter().map(|(_, note)| note.rule).collect();
    assert!(rules.contains(&Rule::Promoted) && rules.contains(&Rule::AnalysisEnded), "{rules:?}");
}

#[test]
fn a_faulty_candidate_is_taken_back_by_the_comparison() {
    let (flags, clock, mut visitors) =
        (flags(DOCUMENT), Arc::new(ManualClock::default()), Visitors::new(150));
    let guard = guard(&flags);
    let outcome = drive(&clock, guard.finish(Arc::clone(&clock) as _), |lasting| {
        visitors.come(&flags, &guard, lasting);
    });
    let rollout::Outcome::Aborted(reason) = outcome.unwrap() else { panic!("{:?}", guard.notes()) };
    assert!(reason.contains("failures"), "{reason}");
    assert_eq!(guard.trial().candidate(), Weight::ZERO);
    assert!(visitors.views(&flags).iter().all(|view| *view == ("old".to_owned(), "DEFAULT".to_owned())));
    let totals = guard.totals();
    assert!(totals.candidate.errors > 5 * totals.control.errors, "{totals:?}");
}

#[test]
fn a_candidate_that_nobody_sees_is_not_promoted() {
    let (flags, clock) = (flags(DOCUMENT), Arc::new(ManualClock::default()));
    let guard = guard(&flags);
    drive_for(&clock, GoDuration::from_mins(90), guard.run(Arc::clone(&clock) as _), |_| {});
    assert_ne!(guard.outcome(), Some(rollout::Outcome::Promoted));
}

#[test]
fn wishes_are_honoured_and_not_counted() {
    let (flags, clock, visitors) = (flags(DOCUMENT), Arc::new(ManualClock::default()), Visitors::new(20));
    let guard = guard(&flags);
    drive_for(&clock, GoDuration::from_mins(2), guard.run(Arc::clone(&clock) as _), |_| {});
    assert_eq!(guard.trial().candidate(), Weight::percent(5.0));
    for context in &visitors.contexts {
        for wish in ["new", "old"] {
            let context = context.clone().with("wish", wish);
            let seen = flags.string_details("checkout", &context);
            assert_eq!((seen.variant(), seen.reason()), (Some(wish), Reason::TargetingMatch));
            guard.record(&context, Outcome::Error);
        }
    }
    // Who has no name is in no cohort.
    let seen = flags.string_details("checkout", &Context::default());
    assert_eq!((seen.variant(), seen.reason()), (Some("old"), Reason::Default));
    guard.record(&Context::default(), Outcome::Error);
    assert_eq!(guard.totals(), Default::default());
    // By the key alone nobody can know of the wish.
    visitors.contexts.iter().for_each(|context| {
        guard.record(context.targeting_key().unwrap(), Outcome::Error);
    });
    let totals = guard.totals();
    assert!(
        totals.candidate.errors.abs_diff(250) < 60 && totals.control.errors.abs_diff(250) < 60,
        "{totals:?}"
    );
}

#[test]
fn commands_are_heard() {
    let (flags, clock, mut visitors) = (flags(DOCUMENT), Arc::new(ManualClock::default()), Visitors::new(20));
    let guard = guard(&flags);
    guard.command(Command::Pause).unwrap();
    {
        let run = guard.run(Arc::clone(&clock) as _);
        drive_for(&clock, GoDuration::from_mins(2), run, |_| {});
    }
    guard.command(Command::Pause).unwrap();
    drive_for(&clock, GoDuration::from_mins(60), guard.run(Arc::clone(&clock) as _), |lasting| {
        visitors.come(&flags, &guard, GoDuration::from_nanos(lasting.as_nanos() / 10));
    });
    assert_eq!(guard.trial().candidate(), Weight::percent(5.0), "{:?}", guard.notes());
    guard.command(Command::Abort("a person said so".to_owned())).unwrap();
    let outcome = drive(&clock, guard.finish(Arc::clone(&clock) as _), |_| {}).unwrap();
    assert!(matches!(outcome, rollout::Outcome::Aborted(reason) if reason.contains("a person said so")));
    assert_eq!(visitors.with_new(&flags), 0);
}

#[test]
fn what_cannot_be_guarded_says_why() {
    let flags = flags(DOCUMENT);
    let builder = |key: &str| flags.guard(key).plan(ladder()).deciding(Deciding::here());
    let message = |result: Result<Guard, GuardError>| result.unwrap_err().to_string();
    assert!(message(builder("nothing").candidate("new").build()).contains("does not have it"));
    assert!(message(builder("checkout").candidate("newer").build()).contains("\"new\", \"old\""));
    assert!(message(builder("checkout").candidate("old").build()).contains("default variant"));
    assert!(message(builder("checkout").build()).contains("`candidate`"));
    assert!(message(flags.guard("checkout").candidate("new").plan(ladder()).build()).contains("`deciding`"));
    let counted = serinus_core::strategy::Canary::new(3).weight(Weight::percent(5.0)).plan().unwrap();
    assert!(message(builder("checkout").candidate("new").plan(counted).build()).contains("instances"));
    let guard = builder("checkout").candidate("new").build().unwrap();
    assert!(message(builder("checkout").candidate("new").build()).contains("unguard"));
    assert!(flags.unguard("checkout") && !flags.unguard("checkout"));
    assert!(builder("checkout").candidate("new").build().is_ok());
    assert_eq!(guard.trial().candidate(), Weight::ZERO);
    let early = Flags::default().guard("checkout").candidate("new").plan(ladder()).deciding(Deciding::here());
    assert!(message(early.build()).contains("load one first"));
}

#[test]
fn what_is_counted_can_be_scraped() {
    let (flags, clock, mut visitors) = (flags(DOCUMENT), Arc::new(ManualClock::default()), Visitors::new(20));
    assert_eq!(flags.metrics(), "");
    let guard = guard(&flags);
    drive_for(&clock, GoDuration::from_mins(2), guard.run(Arc::clone(&clock) as _), |lasting| {
        visitors.come(&flags, &guard, lasting);
    });
    let (text, totals) = (flags.metrics(), guard.totals());
    assert_eq!(text, guard.metrics());
    let labels = "feature_flag_key=\"checkout\",variant=\"new\",cohort=\"candidate\"";
    for line in [
        format!("feature_flag_exposures_total{{{labels}}} {}", totals.candidate.exposures),
        format!("feature_flag_outcomes_total{{{labels},outcome=\"success\"}} {}", totals.candidate.successes),
        format!("feature_flag_outcomes_total{{{labels},outcome=\"error\"}} {}", totals.candidate.errors),
        "feature_flag_candidate_share{feature_flag_key=\"checkout\",variant=\"new\"} 0.05".to_owned(),
    ] {
        assert!(text.lines().any(|one| one == line), "{line} in\n{text}");
    }
    assert!(text.contains("variant=\"old\",cohort=\"control\""), "{text}");
}
