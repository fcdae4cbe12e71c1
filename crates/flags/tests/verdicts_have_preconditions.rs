//! Counts that cannot be relied on promote nobody, and hide no harm.

#![expect(clippy::unwrap_used, reason = "the harness of tests may panic")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::FutureExt as _;
use guarded::{DOCUMENT, Visitors, drive, drive_for, flags, ladder};
use serinus_core::{
    analysis::{
        Analysis, Comparison,
        comparison::{Objection, Why},
    },
    metric::{Arms, Query, Question, Sample, Window},
    port::{
        Clock as _, MetricProvider as _, TrafficRouter as _,
        memory::{ManualClock, MemoryStore},
    },
    rollout::{self, Note, Rule},
    strategy::Canary,
    time::GoDuration,
    traffic::Weight,
};
use serinus_flags::{
    Context, Deciding, Finding, Flags, Guard, GuardBuilder, Outcome, Preconditions, Rate, Recorded,
};

#[expect(dead_code, reason = "shared by several test programs")]
mod guarded;

fn builder(flags: &Flags) -> GuardBuilder {
    flags.guard("checkout").candidate("new").plan(ladder()).deciding(Deciding::here())
}

/// A guard, and what it says apart from measurements.
fn heard(builder: GuardBuilder) -> (Guard, Arc<Mutex<Vec<Note>>>) {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&notes);
    let listen = move |_, note: &Note| {
        if note.rule != Rule::Measured {
            told.lock().unwrap().push(note.clone());
        }
    };
    (builder.on_note(listen).build().unwrap(), notes)
}

fn fine() -> Recorded {
    Outcome::Success.after(Duration::from_millis(1))
}

/// Runs for a while.
fn run(clock: &Arc<ManualClock>, flags: &Flags, guard: &Guard, visitors: &mut Visitors) {
    drive_for(clock, GoDuration::from_mins(40), guard.run(Arc::clone(clock) as _), |lasting| {
        visitors.come(flags, guard, lasting);
    });
}

/// What the rollout said when it stopped to ask a person.
fn paused_with(guard: &Guard, notes: &Mutex<Vec<Note>>) -> String {
    let notes = notes.lock().unwrap();
    assert_eq!(guard.outcome(), None, "{notes:?}");
    let paused = notes.iter().find(|note| note.rule == Rule::Paused);
    paused.unwrap().to_string()
}

/// Visitors without those of a kind, by whether they would be candidates at one half.
fn without(flags: &Flags, is_left_out: impl Fn(bool, usize) -> bool) -> Visitors {
    let mut visitors = Visitors::new(20);
    let salt = serinus_core::cohort::Salt::new("checkout");
    let is_low =
        |context: &Context| salt.place(context.targeting_key().unwrap()).is_below(Weight::percent(50.0));
    assert!(flags.snapshot().is_ready());
    let mut number = 0;
    visitors.contexts.retain(|context| {
        number += 1;
        !is_left_out(is_low(context), number)
    });
    visitors
}

#[test]
fn nobody_is_promoted_while_some_of_one_arm_are_never_seen() {
    let flags = flags(DOCUMENT);
    let ((guard, notes), clock) = (heard(builder(&flags)), Arc::new(ManualClock::default()));
    // A cache before the service answers for a third of the candidates.
    let mut visitors = without(&flags, |is_low, number| is_low && number % 3 == 0);
    run(&clock, &flags, &guard, &mut visitors);
    let told = paused_with(&guard, &notes);
    assert!(
        told.contains("invalid: ") && told.contains("candidates and ") && told.contains("cache"),
        "{told}"
    );
    let health = guard.health();
    assert_eq!(health.invalid(), Some(Finding::SampleRatio));
    assert!(health.exposed.is_uneven() && health.exposed.p_value() < 0.001, "{health}");
    assert!(health.to_string().contains("invalid: "), "{health}");
    let weight = guard.trial().candidate();
    assert!(!weight.is_zero() && weight <= Weight::percent(50.0), "the share stays as it is: {weight}");
    // It waits; and harm that comes now is found.
    visitors.faults.insert("new", 200);
    run(&clock, &flags, &guard, &mut visitors);
    assert!(matches!(guard.outcome(), Some(rollout::Outcome::Aborted(_))), "{:?}", guard.notes());
}

#[test]
fn the_same_counts_promote_where_nobody_asks_for_equal_sizes() {
    let flags = flags(DOCUMENT);
    let guard =
        builder(&flags).preconditions(Preconditions::default().without_sample_ratio()).build().unwrap();
    let mut visitors = without(&flags, |is_low, number| is_low && number % 3 == 0);
    run(&Arc::new(ManualClock::default()), &flags, &guard, &mut visitors);
    assert_eq!(guard.outcome(), Some(rollout::Outcome::Promoted), "{:?}", guard.notes());
}

#[test]
fn outcomes_that_one_arm_loses_are_found() {
    let flags = flags(DOCUMENT);
    let ((guard, notes), clock) = (heard(builder(&flags)), Arc::new(ManualClock::default()));
    let visitors = Visitors::new(0);
    // Requests of some candidates crash, and nothing is recorded of them: what is recorded looks healthy.
    let mut second = 0;
    drive_for(&clock, GoDuration::from_mins(40), guard.run(Arc::clone(&clock) as _), |lasting| {
        for _ in 0..lasting.as_secs_f64() as usize {
            second += 1;
            for (number, context) in visitors.contexts.iter().enumerate().skip(second % 50).step_by(50) {
                let seen = flags.string("checkout", context).unwrap();
                if &*seen == "old" || number % 3 != 0 {
                    guard.record(context, fine());
                }
            }
        }
    });
    assert!(paused_with(&guard, &notes).contains("crashes"));
    let health = guard.health();
    assert_eq!(health.findings, [Finding::LostOutcomes], "{health}");
    assert!(health.silent_candidate.share().unwrap() > 0.25, "{health}");
    assert_eq!(health.silent_control.part, 0, "{health}");
}

#[test]
fn a_slower_candidate_has_lost_nothing() {
    for (loses, found) in [(false, None), (true, Some(Finding::LostOutcomes))] {
        let flags = flags(DOCUMENT);
        let half = Canary::between_variants().ladder([Weight::percent(50.0)], GoDuration::from_mins(10));
        let guard = builder(&flags).plan(half.plan().unwrap()).build().unwrap();
        let clock = Arc::new(ManualClock::default());
        // By the tenth of a second in which they come.
        let mut outcomes = BTreeMap::<u64, Vec<Context>>::new();
        let (mut now, mut found_at) = (0, None);
        drive_for(&clock, GoDuration::from_mins(5), guard.run(Arc::clone(&clock) as _), |lasting| {
            for _ in 0..(lasting.as_secs_f64() * 10.0) as u64 {
                now += 1;
                for number in 0..40 {
                    let visitor = Context::new(format!("visitor-{now}-{number}"));
                    let is_new = &*flags.string("checkout", &visitor).unwrap() == "new";
                    if !(loses && is_new && number % 4 == 0) {
                        outcomes.entry(now + if is_new { 5 } else { 1 }).or_default().push(visitor);
                    }
                }
                for visitor in outcomes.remove(&now).unwrap_or_default() {
                    guard.record(&visitor, fine());
                }
                // Whoever scrapes often must not find by chance what is not there.
                if now % 5 == 0 && found_at.is_none() && guard.health().invalid().is_some() {
                    found_at = Some((now, guard.health()));
                }
            }
        });
        assert_eq!(found_at.as_ref().and_then(|(_, health)| health.invalid()), found, "{found_at:?}");
        assert!(found_at.is_none_or(|(at, _)| (600..1_800).contains(&at)), "after one to three minutes");
        let health = guard.health();
        assert!(health.heard.candidate > 5_000 && health.silent_control.part == 0, "{health:?}");
    }
}

#[test]
fn too_many_who_see_both_variants_make_the_verdict_invalid() {
    for (crossing, expected) in [(0.002, None), (0.1, Some(Finding::MultipleExposure))] {
        let flags = flags(DOCUMENT);
        let ((guard, notes), clock) = (heard(builder(&flags)), Arc::new(ManualClock::default()));
        let mut visitors = Visitors::new(20);
        let wishers = (visitors.contexts.len() as f64 * crossing) as usize;
        drive_for(&clock, GoDuration::from_mins(40), guard.run(Arc::clone(&clock) as _), |lasting| {
            visitors.come(&flags, &guard, lasting);
            // Some get either variant by a rule, now and then.
            for context in visitors.contexts.iter().take(wishers) {
                for wish in ["new", "old"] {
                    drop(flags.string("checkout", &context.clone().with("wish", wish)));
                }
            }
        });
        let health = guard.health();
        assert_eq!(health.invalid(), expected, "{health}");
        let share = health.crossed.share().unwrap();
        assert!((share - crossing).abs() < 0.05, "{health}");
        assert!(health.left_out.ruled > 0 && health.left_out.failed == 0, "{health:?}");
        match expected {
            Some(_) => assert!(paused_with(&guard, &notes).contains("saw the variants of both arms")),
            None => assert_eq!(guard.outcome(), Some(rollout::Outcome::Promoted)),
        }
    }
}

#[test]
fn one_person_under_two_keys_is_known_by_an_identity() {
    let run = |builder: GuardBuilder, flags: &Flags| {
        let (guard, clock) = (builder.build().unwrap(), Arc::new(ManualClock::default()));
        drive_for(&clock, GoDuration::from_mins(5), guard.run(Arc::clone(&clock) as _), |_| {
            for person in 0..20_000 {
                let device = format!("device-{person}");
                let visitor = Context::new(format!("visitor-{person}")).with("device", &*device);
                drop(flags.string("checkout", &visitor));
                // One in four logs in.
                let key =
                    if person % 4 == 0 { format!("user-{person}") } else { format!("visitor-{person}") };
                drop(flags.string("checkout", &Context::new(key).with("device", &*device)));
            }
        });
        guard.health()
    };
    let (known, unknown) = (flags(DOCUMENT), flags(DOCUMENT));
    let health = run(builder(&known).identity("device"), &known);
    // Of those who log in and are in an arm, one in twenty is in the other arm as somebody else.
    assert_eq!(health.invalid(), None, "{health}");
    assert!(health.crossed.part > 3 && health.crossed.share().unwrap() < 0.03, "{health}");
    let strict = flags(DOCUMENT);
    let rarely = Preconditions::default().most_crossed(Weight::percent(0.01));
    let health = run(builder(&strict).identity("device").preconditions(rarely), &strict);
    assert_eq!(health.invalid(), Some(Finding::MultipleExposure), "{health}");
    assert_eq!(run(builder(&unknown), &unknown).crossed.part, 0, "nobody can know without one");
}

#[test]
fn silence_is_no_pass_where_only_failures_are_recorded() {
    for (records, promoted) in [(false, false), (true, true)] {
        let flags = flags(DOCUMENT);
        let guard = builder(&flags).rate(Rate::PerExposure).plan(failures_only()).build().unwrap();
        let (clock, mut visitors) = (Arc::new(ManualClock::default()), Visitors::new(0));
        visitors.faults.insert("old", 0);
        let mut is_first = true;
        drive_for(&clock, GoDuration::from_mins(70), guard.run(Arc::clone(&clock) as _), |lasting| {
            for context in visitors.contexts.iter().skip(lasting.as_nanos() as usize % 5).step_by(5) {
                drop(flags.string("checkout", context));
            }
            if records && is_first && guard.totals().control.exposures > 0 {
                is_first = false;
                visitors.contexts.iter().for_each(|context| guard.record(context, Outcome::Error));
            }
        });
        let health = guard.health();
        assert_eq!(health.findings.contains(&Finding::NothingHeard), !records, "{health}");
        let outcome = guard.outcome();
        assert_eq!(outcome == Some(rollout::Outcome::Promoted), promoted, "{:?}", guard.notes());
    }
}

fn failures_only() -> rollout::Plan {
    Canary::between_variants()
        .analyse_beside(Analysis::of("failures", [Comparison::default().metric("failures")]).without_end())
        .ladder([Weight::percent(50.0)], GoDuration::from_mins(10))
        .plan()
        .unwrap()
}

#[test]
fn what_is_odd_but_harmless_is_named() {
    let flags = flags(DOCUMENT);
    let (guard, clock) = (builder(&flags).build().unwrap(), Arc::new(ManualClock::default()));
    assert_eq!(guard.health().findings, [], "it has not begun");
    let minute = |meanwhile: &mut dyn FnMut()| {
        let mut is_first = true;
        drive_for(&clock, GoDuration::from_mins(1), guard.run(Arc::clone(&clock) as _), |_| {
            if !std::mem::take(&mut is_first) {
                meanwhile();
            }
        });
        guard.health()
    };
    assert_eq!(minute(&mut || {}).findings, [Finding::NothingSeen]);
    let contexts = Visitors::new(20).contexts;
    let see = |contexts: &[Context]| {
        contexts.iter().for_each(|context| drop(flags.string("checkout", context)));
    };
    assert_eq!(minute(&mut || see(&contexts[..1_000])).findings, [Finding::NothingHeard]);
    let health = minute(&mut || contexts[..200].iter().for_each(|one| guard.record(one, fine())));
    assert_eq!(health.findings, [], "something may still come: {health}");
    let health = minute(&mut || {});
    assert_eq!(health.findings, [Finding::Silent], "{health}");
    let health = minute(&mut || contexts.iter().for_each(|one| guard.record(one, fine())));
    assert_eq!(health.findings, [Finding::Unexposed], "{health}");
    assert!(health.unexposed.share().unwrap() > 0.5, "{health}");
    let health = minute(&mut || {
        see(&contexts);
        for _ in 0..50 {
            assert!(flags.string("checkout", &contexts[0].clone().with("wish", "nothing such")).is_err());
            drop(flags.string("checkout", &Context::default()));
        }
    });
    assert_eq!(health.findings, [], "they are few who see it fail again and again: {health}");
    let health = minute(&mut || {
        for context in &contexts[..1_000] {
            assert!(flags.string("checkout", &context.clone().with("wish", "nothing such")).is_err());
        }
    });
    assert_eq!(health.findings, [Finding::Fallbacks], "{health}");
    assert!((0.1..0.3).contains(&health.failed.share().unwrap()), "{health:?}");
    assert!(health.left_out.failed >= 50 && health.left_out.keyless >= 50, "{health:?}");
    assert!(health.left_out.ruled == 0 && health.invalid().is_none(), "{health:?}");
    for line in [
        "feature_flag_finding{feature_flag_key=\"checkout\",finding=\"fallbacks\"} 1",
        "feature_flag_finding{feature_flag_key=\"checkout\",finding=\"sample_ratio\"} 0",
        &format!(
            "feature_flag_left_out_total{{feature_flag_key=\"checkout\",why=\"failed\"}} {}",
            health.left_out.failed
        ),
        &format!(
            "feature_flag_followed_subjects{{feature_flag_key=\"checkout\",cohort=\"control\",what=\"exposed\"}} {}",
            health.exposed.control
        ),
    ] {
        let text = flags.metrics();
        assert!(text.lines().any(|one| one == line), "{line} in\n{text}");
    }
}

#[test]
fn whoever_asks_for_another_type_has_seen_nothing_and_nobody_is_promoted() {
    // The flag has texts, and the program asks for a truth: it always serves its own default, whatever the cohort.
    let (flags, clock) = (flags(DOCUMENT), Arc::new(ManualClock::default()));
    let (guard, notes) = heard(builder(&flags));
    let visitors = Visitors::new(20);
    let mut visits = 0_usize;
    drive_for(&clock, GoDuration::from_mins(40), guard.run(Arc::clone(&clock) as _), |lasting| {
        for _ in 0..(lasting.as_secs_f64() * 100.0) as usize {
            visits += 1;
            let context = &visitors.contexts[visits * 7 % visitors.contexts.len()];
            assert!(flags.bool("checkout", context).is_err());
            assert!(flags.bool_details("checkout", context).value().is_err());
            guard.record(context, fine());
        }
    });
    let reason = paused_with(&guard, &notes);
    assert!(reason.contains("every evaluation failed"), "{reason}");
    let health = guard.health();
    assert_eq!((health.exposed.candidate, health.exposed.control), (0, 0));
    assert_eq!(health.invalid(), Some(Finding::Unserved));
    assert!(health.left_out.failed > 1_000, "{:?}", health.left_out);
}

#[test]
fn an_empty_key_is_nobody() {
    // A salt by which the empty text would be a candidate from the beginning.
    let is_low = |salt: &String| {
        serinus_core::cohort::Salt::new(salt.clone()).place("").is_below(Weight::percent(5.0))
    };
    let salt = (0..1_000).map(|number| format!("salt-{number}")).find(is_low).unwrap();
    let (flags, clock) = (flags(DOCUMENT), Arc::new(ManualClock::default()));
    let guard = builder(&flags).salt(salt).identity("person").build().unwrap();
    drive_for(&clock, GoDuration::from_mins(2), guard.run(Arc::clone(&clock) as _), |_| {});
    assert_eq!(guard.trial().candidate(), Weight::percent(5.0));
    for context in [Context::new(""), Context::new("").with("person", "")] {
        assert_eq!(flags.string("checkout", &context).as_deref(), Ok("old"));
        guard.record(&context, Outcome::Error);
    }
    guard.record("", Outcome::Error);
    let totals = guard.totals();
    assert_eq!((totals.candidate.errors, totals.control.errors), (0, 0));
    assert_eq!(guard.health().left_out.keyless, 2);
}

#[test]
fn nobody_is_missed_where_nobody_is_followed() {
    let store = Arc::new(MemoryStore::new());
    let clock = Arc::new(ManualClock::default());
    let run = |flags: &Flags| {
        let most = Canary::between_variants().ladder([Weight::percent(75.0)], GoDuration::from_mins(10));
        let deciding = Deciding::here_kept_in(Arc::clone(&store) as _);
        let guard = builder(flags).plan(most.plan().unwrap()).deciding(deciding).build().unwrap();
        let mut visitors = Visitors::new(20);
        drive_for(&clock, GoDuration::from_mins(2), guard.run(Arc::clone(&clock) as _), |lasting| {
            visitors.come(flags, &guard, lasting);
        });
        assert!(guard.totals().candidate.exposures > 1_000);
        (guard.trial().candidate(), guard.health())
    };
    let _ = run(&flags(DOCUMENT));
    let (weight, health) = run(&flags(DOCUMENT));
    assert_eq!((weight, health.findings), (Weight::percent(75.0), Vec::new()));
}

#[test]
fn the_answer_itself_says_what_is_wrong_with_it() {
    let flags = flags(DOCUMENT);
    let (guard, clock) = (builder(&flags).build().unwrap(), Arc::new(ManualClock::default()));
    let mut visitors = without(&flags, |is_low, _| is_low);
    drive_for(&clock, GoDuration::from_mins(3), guard.run(Arc::clone(&clock) as _), |lasting| {
        visitors.come(&flags, &guard, lasting);
    });
    let candidate = guard.read().now_or_never().unwrap().unwrap().unwrap().value.candidate.unwrap();
    let ask = |seconds| -> Sample {
        let (from, to) = (clock.now(), GoDuration::from_secs(seconds).after(clock.now()));
        clock.set(to);
        let question = Question {
            query: Query::new(Query::BUILTIN, Query::ARMS).into(),
            candidate: candidate.clone(),
            stable: "old".into(),
            at: to,
            window: Some(Window { from, to }),
        };
        guard.ask(&question).now_or_never().unwrap().unwrap_or(Sample::Null)
    };
    assert_eq!(ask(1), Sample::Null, "nobody counted at its beginning");
    visitors.come(&flags, &guard, GoDuration::from_secs(10));
    let answer = ask(10);
    let objection = Objection::of(&answer).unwrap();
    assert_eq!(objection.why, Why::SampleRatio);
    assert_eq!(objection.reason, guard.health().explain(Finding::SampleRatio));
    let arms = Arms::try_from(&answer).unwrap();
    assert!(arms.stable.requests > 0 && arms.candidate.requests == 0, "the counts are there all the same");
}

#[test]
fn each_attempt_is_looked_at_anew() {
    let flags = flags(DOCUMENT);
    let (guard, clock) = (builder(&flags).build().unwrap(), Arc::new(ManualClock::default()));
    let mut visitors = without(&flags, |is_low, number| is_low && number % 2 == 0);
    visitors.faults.insert("new", 150);
    drive(&clock, guard.finish(Arc::clone(&clock) as _), |lasting| visitors.come(&flags, &guard, lasting))
        .unwrap();
    assert!(guard.health().exposed.candidate > 0);
    let mended = DOCUMENT.replace("\"new\": \"new\"", "\"new\": \"new\", \"newer\": \"newer\"");
    flags.update(mended.as_bytes(), serinus_flags::Format::Json).unwrap();
    let mut visitors = Visitors::new(20);
    let outcome = drive(&clock, guard.finish(Arc::clone(&clock) as _), |lasting| {
        visitors.come(&flags, &guard, lasting);
    });
    assert_eq!(outcome.unwrap(), rollout::Outcome::Promoted, "{:?}", guard.notes());
    assert_eq!(guard.health().findings, [], "{}", guard.health());
}

#[test]
fn a_plan_that_checks_the_split_of_requests_is_refused() {
    let flags = flags(DOCUMENT);
    let split = Comparison { sample_ratio: true, ..Comparison::default() };
    let plan = Canary::between_variants()
        .analyse_beside(Analysis::of("split", [split.metric("split")]).without_end())
        .ladder([Weight::percent(50.0)], GoDuration::from_mins(10))
        .plan()
        .unwrap();
    let error = builder(&flags).plan(plan).build().unwrap_err().to_string();
    assert!(error.contains("the guard itself checks the split of subjects"), "{error}");
}
