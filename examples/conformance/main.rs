//! Reads files of cases, answers them with the library, and says which answers differ from those expected.
//!
//! ```text
//! cargo run --release --example conformance -- FILE...
//! ```
//!
//! A file is a list of cases, or an object with a list `cases`; a case has an `id`, an `area`, an `input` and what is
//! `expected`. An object with a list `vectors` holds statistics instead: a vector has a `method` in place of the area,
//! and a `tolerance`. An object with sections such as `murmur3_x86_32` holds vectors of flags. One line is printed for each case that fails, and for each that this program cannot read; the last
//! line counts. An expected error is met by any error, whatever its words. The exit code is 1 if a case failed, and 2 if
//! no file was named.

use std::{fmt::Write as _, process::ExitCode};

use serde_json::Value;

use crate::reading::{Answer, Input, Unreadable};

mod arguments;
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
        let cases = match cases(&file) {
            Ok(cases) => cases,
            Err(error) => {
                eprintln!("{file}: {error}");
                broken = true;
                continue;
            }
        };
        for case in cases {
            let id = case.get("id").and_then(Value::as_str).unwrap_or("without id");
            match run(&case) {
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

fn cases(file: &str) -> Result<Vec<Value>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let document: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    match document {
        Value::Array(cases) => Ok(cases),
        Value::Object(document) if flags::is_document(&document) => Ok(flags::cases(document)),
        Value::Object(mut document) => {
            match document.remove("cases").or_else(|| document.remove("vectors")) {
                Some(Value::Array(cases)) => Ok(cases),
                _ => {
                    Err("expected a list of cases, or an object with a list `cases` or `vectors`".to_owned())
                }
            }
        }
        _ => Err("expected a list of cases".to_owned()),
    }
}

/// `None`: as expected.
fn run(case: &Value) -> Result<Option<String>, Unreadable> {
    if let Some(method) = case.get("method").and_then(Value::as_str) {
        return match stats::left_out(method) {
            Some(reason) => Err(Unreadable(format!("{method}: {reason}"))),
            None => stats::check(case).map_err(Unreadable),
        };
    }
    if let Some(section) = case.get("section").and_then(Value::as_str) {
        return flags::check(section, case).map_err(Unreadable);
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
