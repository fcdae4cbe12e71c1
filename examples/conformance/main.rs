//! Reads files of cases, answers them with the library, and says which answers differ from those expected.
//!
//! ```text
//! cargo run --release --example conformance -- FILE...
//! ```
//!
//! A file is a list of cases, or an object with a list `cases`; a case has an `id`, an `area`, an `input` and what is
//! `expected`. An object with a list `vectors` holds statistics instead: a vector has a `method` in place of the area,
//! and a `tolerance`. Any other object is of golden vectors of flags, a section such as `murmur3_x86_32` under each name.
//! One line is printed for each case that fails, and for each that this program cannot read; the last
//! line counts. An expected error is met by any error, whatever its words. The exit code is 1 if a case failed, and 2 if
//! no file was named.

use std::{fmt::Write as _, process::ExitCode};

use serde_json::Value;

use crate::reading::{Answer, Input, Unreadable};

mod arguments;
mod cohorts;
mod conditions;
mod counts;
mod flags;
mod reading;
mod runs;
mod schedule;
mod stats;

fn main() -> ExitCode {
    let files: Vec<_> = std::env::args().skip(1).collect();
    if files.is_empty() {
        eprintln!("usage: conformance FILE...: name the files of cases");
        return ExitCode::from(NOTHING_TO_RUN);
    }
    let (mut passed, mut failed, mut skipped) = (0_usize, 0_usize, 0_usize);
    let mut broken = false;
    for file in files {
        let answers = match answers(&file) {
            Ok(answers) => answers,
            Err(error) => {
                eprintln!("{file}: {error}");
                broken = true;
                continue;
            }
        };
        for (id, answer) in answers {
            match answer {
                Ok(None) => passed += 1,
                Ok(Some(difference)) => {
                    failed += 1;
                    println!("FAILED {id}: {difference}");
                }
                Err(Unreadable(reason)) => {
                    skipped += 1;
                    println!("skipped {id}: {reason}");
                }
            }
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed > 0 || broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// What came of a case, and its id.
type Answered = (String, Result<Option<String>, Unreadable>);

fn answers(file: &str) -> Result<Vec<Answered>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let document: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let cases = match document {
        Value::Array(cases) => cases,
        Value::Object(mut document) => {
            match document.remove("cases").or_else(|| document.remove("vectors")) {
                Some(Value::Array(cases)) => cases,
                _ => return sections(document),
            }
        }
        _ => return Err("expected a list of cases".to_owned()),
    };
    let id = |case: &Value| case.get("id").and_then(Value::as_str).unwrap_or("without id").to_owned();
    Ok(cases.iter().map(|case| (id(case), run(case))).collect())
}

/// Golden vectors of flags, a section under each name.
fn sections(document: serde_json::Map<String, Value>) -> Result<Vec<Answered>, String> {
    let mut answers = Vec::new();
    let mut is_known = false;
    for (section, content) in document {
        if section == REMARKS {
            continue;
        }
        if cohorts::has(&section) {
            is_known = true;
            let rows = cohorts::cases([(section.clone(), content)].into_iter().collect());
            answers.extend(rows.iter().map(|row| {
                let id = row.get("id").and_then(Value::as_str).unwrap_or(&section).to_owned();
                (id, cohorts::check(&section, row).map_err(Unreadable))
            }));
            continue;
        }
        match flags::check(&section, &content) {
            Some(rows) => {
                is_known = true;
                answers.extend(rows.into_iter().map(|row| (row.id, Ok(row.difference))));
            }
            None => {
                let reason = "no section that this program knows".to_owned();
                answers.push((section, Err(Unreadable(reason))));
            }
        }
    }
    if is_known {
        return Ok(answers);
    }
    Err("expected a list of cases, an object with a list `cases` or `vectors`, or golden vectors".to_owned())
}

/// `None`: as expected.
fn run(case: &Value) -> Result<Option<String>, Unreadable> {
    if let Some(method) = case.get("method").and_then(Value::as_str) {
        return match stats::left_out(method) {
            Some(reason) => Err(Unreadable(format!("{method}: {reason}"))),
            None => stats::check(case).map_err(Unreadable),
        };
    }
    let area = case.get("area").and_then(Value::as_str).unwrap_or_default();
    let answer: fn(&Input<'_>) -> Result<Answer, Unreadable> = match area {
        "approximate-weight" => counts::approximate_weight,
        "replicas-basic" => counts::basic,
        "replicas-routed" | "replicas-dynamic" => counts::behind_router,
        "weight-to-replicas" => counts::weight_to_replicas,
        "trajectory-basic" => counts::trajectory,
        "progress-threshold" => counts::threshold,
        "expression" => conditions::expression,
        "evaluate" => conditions::evaluate,
        "provider-prometheus" => conditions::prometheus,
        "metric-assessment" => runs::metric,
        "measurement-counters" => runs::counters,
        "run-assessment" => runs::run,
        "measurement-schedule" => schedule::schedule,
        "args" => arguments::arguments,
        "metric-validation" => arguments::validation,
        _ => return Err(Unreadable(format!("unknown area `{area}`"))),
    };
    let null = Value::Null;
    let (given, expected) = (case.get("input").unwrap_or(&null), case.get("expected").unwrap_or(&null));
    let input = Input::new(given)?;
    let answer = answer(&input)?;
    input.finish()?;
    if answer.meets(expected)? {
        return Ok(None);
    }
    let mut line = String::new();
    let _ = write!(line, "{area}: input {given}, expected {expected}, got {answer}");
    Ok(Some(line))
}

const NOTHING_TO_RUN: u8 = 2;

/// The part of a file of golden vectors that says where they are from.
const REMARKS: &str = "about";
