//! The program `conformance` over the published cases: none fails, and what it leaves out is of no area that it claims.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::process::{Command, Stdio};

use support::{Run, example, finish};

#[expect(dead_code, reason = "shared by several test programs")]
mod support;

#[test]
fn every_case_of_argo_rollouts_passes() {
    let run = conformance(&["crates/core/tests/data/argo-cases.json"]);
    assert_eq!(run.code, Some(0), "{}", run.told());
    let counted = run.output.lines().last().unwrap();
    assert!(counted.contains(" 0 failed, "), "{}", run.told());
    let passed: usize = counted.split(' ').next().unwrap().parse().unwrap();
    assert!(passed >= 170, "{counted}");
}

#[test]
fn without_a_file_it_says_what_it_needs() {
    let run = conformance(&[]);
    assert_eq!(run.code, Some(2), "{}", run.told());
    assert!(run.errors.starts_with("usage: conformance FILE..."), "{}", run.told());
    assert!(run.output.is_empty(), "{}", run.told());
}

fn conformance(files: &[&str]) -> Run {
    finish(
        Command::new(example("conformance"))
            .args(files)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    )
}
