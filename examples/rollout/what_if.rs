//! What another plan would have done with what a recorded rollout measured.
//!
//! The world is not asked again: it does what the other plan wants at once, and every question is answered by what the
//! record holds of that time: the measurement nearest to it, within a quarter of the metric's interval, or else the one
//! before, within its whole interval. The requests were split as the recorded plan split them, whatever the other one would have
//! wanted; that is said where it matters. Windows of a comparison during which the record's shares were different are never added up: a base
//! rate that changed meanwhile would look like a difference between the arms.

use std::{future::pending, io, path::Path, sync::Arc};

use serinus::{
    driver::{Driver, Ports},
    port::memory::{ManualClock, MemoryRouter, MemoryStore, MemoryWorkload},
    rollout::{Input, Outcome, Plan, State, Waits},
    time::{GoDuration, Timestamp},
};

use self::recorded::{Memory, Recorded};
use crate::{
    arguments::Arguments,
    hook::NoWebhooks,
    manifest,
    paint::{self, Paint},
    problem::{Because as _, Problem},
    record,
};

mod recorded;

/// Runs every rollout of a record through the manifests of `--what-if`, and prints what each would have come to.
/// Whether all would have been promoted.
pub(crate) async fn run(
    path: &Path,
    arguments: &Arguments,
    out: &mut impl io::Write,
) -> Result<bool, Problem> {
    let sources = manifest::files(&arguments.what_if)?;
    let compiled = manifest::compile(&sources, arguments.name.as_deref())?;
    let text = record::text(path)?;
    let mut promotes = true;
    for (number, section) in record::sections(&text, path)?.iter().enumerate() {
        let Some(recorded) = Recorded::of(section) else {
            say(out, &format!("rollout {} of the record: nothing was brought out in it", number + 1))?;
            continue;
        };
        say(
            out,
            &format!(
                "━━ rollout {} of the record, {} after {}, as {} `{}` would have decided it",
                number + 1,
                recorded.revision,
                recorded.stable,
                compiled.kind,
                compiled.name
            ),
        )?;
        promotes &= imagine(&compiled.plan, recorded, out).await?;
    }
    Ok(promotes)
}

/// Runs one plan through what was measured; whether the candidate would have been promoted.
async fn imagine(plan: &Plan, recorded: Recorded, out: &mut impl io::Write) -> Result<bool, Problem> {
    let Recorded { began, last, ref stable, ref revision, ref ended, .. } = recorded;
    let (stable, revision, ended) = (stable.clone(), revision.clone(), ended.clone());
    let clock = Arc::new(ManualClock::new(began));
    let memory = Arc::new(Memory::new(recorded, plan));
    let ports = Ports {
        router: Some(Arc::new(MemoryRouter::new())),
        workload: Some(Arc::new(MemoryWorkload::new())),
        metrics: Some(Arc::clone(&memory) as _),
        hook: Some(Arc::new(NoWebhooks)),
        store: Arc::new(MemoryStore::new()),
        clock: Arc::clone(&clock) as _,
    };
    let first = State::new(stable.clone(), began);
    let mut driver = Driver::start(plan.clone(), ports, first).await.because("the plan cannot be run")?;
    driver.push(Input::Revised(revision.clone()));
    // A person who is waited for does not come, and background analyses have nothing to go by after the record.
    let latest = LONGEST.after(last);
    let (end, waits) = loop {
        let step = driver.step(pending()).await.because("the plan cannot go on")?;
        let mut waits = Waits::Nothing;
        for (entry, decision) in &step.turns {
            for note in decision.notes.iter().filter(|note| paint::is_worth_a_line(note.rule)) {
                let message = paint::with_names(&note.message, plan);
                let elapsed = elapsed(began, entry.now);
                say(out, &paint::note(Paint { has_colours: false }, &elapsed, note.rule, &message))?;
            }
            waits = decision.waits.clone();
        }
        if driver.state().outcome().is_some() {
            break (driver.state().clock, None);
        }
        let for_somebody = matches!(waits, Waits::Person | Waits::Gate(_));
        let now = driver.wake();
        if now > if for_somebody { last } else { latest } {
            break (driver.state().clock, Some(waits));
        }
        clock.set(now);
    };
    for line in memory.tell() {
        say(out, &format!("   {line}"))?;
    }
    let did = match (driver.state().outcome(), waits) {
        (Some(Outcome::Promoted), _) => "would have been promoted".to_owned(),
        (Some(Outcome::Aborted(reason)), _) => {
            format!("would have been rolled back, because {}", paint::tidy(reason))
        }
        (_, Some(Waits::Person)) => "would have waited for a person".to_owned(),
        (_, Some(Waits::Gate(gate))) => format!("would have waited for the gate `{gate}`"),
        _ => "would not have come to an end with what was measured".to_owned(),
    };
    let (then, compared) = match &ended {
        None => ("in the record it came to no end".to_owned(), String::new()),
        Some((at, outcome)) => {
            let then = match outcome {
                Outcome::Promoted => "it was promoted".to_owned(),
                Outcome::Aborted(reason) => format!("it was rolled back, because {}", paint::tidy(reason)),
                _ => "it ended".to_owned(),
            };
            let apart = GoDuration::between(*at, end).as_nanos() / 1_000_000_000;
            let compared = match apart {
                0 => ", at the same time".to_owned(),
                1.. => format!(", {} later", seconds(apart)),
                _ => format!(", {} earlier", seconds(-apart)),
            };
            (format!("in the record {then} after {}", elapsed(began, *at)), compared)
        }
    };
    say(out, &format!("   {revision} {did}, after {}{compared}: {then}", elapsed(began, end)))?;
    Ok(driver.state().outcome() == Some(&Outcome::Promoted))
}

fn elapsed(began: Timestamp, now: Timestamp) -> String {
    seconds(GoDuration::between(began, now).as_nanos().max(0) / 1_000_000_000)
}

fn seconds(seconds: i64) -> String {
    GoDuration::from_secs(seconds.unsigned_abs()).to_string()
}

fn say(out: &mut impl io::Write, line: &str) -> Result<(), Problem> {
    writeln!(out, "{line}").because("cannot write what would have been")
}

/// How long after the end of the record a plan may still wait for time to pass.
const LONGEST: GoDuration = GoDuration::from_mins(24 * 60);
