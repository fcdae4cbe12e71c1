//! How long evaluating a flag takes, here and in other crates, in one run on one machine.
//!
//! ```text
//! cargo run --release             # prints the table
//! cargo run --release -- --check  # and fails if a promise does not hold
//! cargo run --release -- --count  # counts instructions through OpenFeature's client, and fails likewise
//! ```
//!
//! Every crate has a hundred flags and 1,024 subjects, each with a key and three attributes, made outside of what is
//! measured. `static` has no rule, `rule` compares an attribute with a text, `split` gives half of the subjects one
//! value and half the other. Times are processor time of the median round of one thread. What of its pace a thread keeps
//! beside another that shares the flags is the efficiency, of the slower one, in the median of those rounds in which both
//! really ran at the same time: 0.95 is to be held, so that two threads do 1.9 times what one does. The last column is
//! what two threads keep that share nothing, measured in the same rounds: what the machine gives. Two rows share a lock
//! and a counter; where these do not keep less than 0.95, the machine shows nothing about sharing. Through OpenFeature's
//! client all rows are measured by turns. Allocations are counted by the allocator, which costs every row the same for each.
//!
//! From run to run the times through OpenFeature's client differ by more than a provider adds to them. That is
//! therefore counted, in instructions, by valgrind: the third command needs it on the PATH.

use std::{env, process::ExitCode, time::Duration};

use crate::{
    measure::{Case, Row},
    updating::Updated,
};

mod counted;
mod eppo;
mod flagd;
mod launchdarkly;
mod machine;
mod measure;
mod openfeature;
mod serinus;
mod subjects;
mod unleash;
mod updating;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] | ["--check"] => measure(!arguments.is_empty()),
        ["--count"] => counted::print(),
        ["--run", who, case, rounds] => {
            counted::run(who, case, rounds.parse().expect("a number of rounds"));
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("expected nothing, --check or --count");
            ExitCode::FAILURE
        }
    }
}

fn measure(is_checked: bool) -> ExitCode {
    let mut rows = machine::rows();
    rows.extend(serinus::rows());
    rows.extend(flagd::rows());
    rows.extend(unleash::rows());
    rows.extend(eppo::rows());
    rows.extend(launchdarkly::rows());
    rows.extend(openfeature::rows());
    print(&rows);
    println!();
    for row in rows.iter().filter(|row| row.name == openfeature::OURS) {
        let times_of = |provider| row.nanoseconds / nanoseconds_of(&rows, provider);
        let (empty, named) = (times_of(openfeature::EMPTY), times_of(openfeature::NAMED));
        println!(
            "through OpenFeature's client, {}: {empty:.3} times an empty provider, {named:.3} times one that names a variant",
            row.case
        );
    }
    let updated = updating::measure();
    println!("\n{updated}");
    if !is_checked {
        return ExitCode::SUCCESS;
    }
    let broken = broken_promises(&rows, updated);
    for promise in &broken {
        println!("BROKEN: {promise}");
    }
    if broken.is_empty() {
        println!("every promise holds; that about OpenFeature's client is looked at by --count");
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn print(rows: &[Row]) {
    println!(
        "| what | case | ns/op | times ours | allocations/op | bytes/op | ns/op, two threads | efficiency | sharing nothing |\n\
         |---|---|---:|---:|---:|---:|---:|---:|---:|"
    );
    for row in rows {
        let times = ours(rows, row.case)
            .map_or_else(|| "-".to_owned(), |ours| format!("{:.1}", row.nanoseconds / ours.nanoseconds));
        println!(
            "| {} | {} | {:.1} | {} | {:.1} | {:.0} | {:.1} | {:.2} | {:.2} |",
            row.name,
            row.case,
            row.nanoseconds,
            times,
            row.allocations,
            row.bytes,
            row.in_two_threads,
            row.efficiency,
            row.machine,
        );
    }
}

/// Nothing for what is no evaluation.
fn ours(rows: &[Row], case: Case) -> Option<&Row> {
    rows.iter().find(|row| row.name == serinus::NAME && row.case == case)
}

/// What OpenFeature's client takes with this provider.
fn nanoseconds_of(rows: &[Row], provider: &str) -> f64 {
    rows.iter().find(|row| row.name == provider).map_or(f64::NAN, |row| row.nanoseconds)
}

fn broken_promises(rows: &[Row], updated: Updated) -> Vec<String> {
    let mut broken = Vec::new();
    let mut promise = |holds: bool, text: String| {
        if !holds {
            broken.push(text);
        }
    };
    for row in rows {
        if machine::SHARED.contains(&row.name) {
            // Not a number, neither, if two threads never ran at the same time.
            promise(
                row.efficiency < EFFICIENCY,
                format!(
                    "{}: two threads give {:.2} times one, so this machine cannot tell",
                    row.name,
                    row.efficiency * 2.0
                ),
            );
        }
        let Some(ours) = ours(rows, row.case) else { continue };
        let times = row.nanoseconds / ours.nanoseconds;
        if row.name.starts_with(serinus::NAME) {
            promise(row.allocations == 0.0, format!("{}, {}: allocates", row.name, row.case));
            let text = format!(
                "{}, {}: two threads give {:.2} times one, where those that share nothing give {:.2}",
                row.name,
                row.case,
                row.efficiency * 2.0,
                row.machine * 2.0,
            );
            promise(row.efficiency >= EFFICIENCY, text);
        } else {
            promise(
                times > 1.0,
                format!("{} is faster at {}: {times:.2} times our time", row.name, row.case),
            );
        }
        if row.name == flagd::NAME {
            let text = format!("{}, {}: only {times:.1} times our time, not {FLAGD}", row.name, row.case);
            promise(times >= FLAGD, text);
        }
    }
    let slower = updated.first.max(updated.update);
    promise(slower < UPDATE, format!("an update of ten thousand flags takes {slower:?}"));
    let read = updated.read_999;
    promise(read < READ, format!("while updating, one read in a thousand takes {read:?} or more"));
    broken
}

/// Two threads at least 1.9 times one.
const EFFICIENCY: f64 = 0.95;
/// How many times faster than flagd's own engine in Rust, at the least.
const FLAGD: f64 = 30.0;
/// The longest that an update of ten thousand flags may take.
const UPDATE: Duration = Duration::from_millis(50);
/// The longest that a read may take in 99.9 % of cases.
const READ: Duration = Duration::from_micros(1);
