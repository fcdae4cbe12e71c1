//! The program `conformance` over the published cases: none fails, and what it leaves out is of no area that it claims.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::process::{Command, Stdio};

use support::{Run, example, finish};

#[expect(dead_code, reason = "shared by several test programs")]
mod support;

#[test]
fn every_case_of_argo_rollouts_passes() {
    let run = conformance(&["crates/core/tests/data/argo-cases.json"]);
    assert!(passed(&run) >= 170, "{}", run.told());
}

#[test]
fn every_vector_of_statistics_passes_but_those_of_five_methods_that_are_left_out() {
    let run = conformance(&["crates/core/tests/data/stat-vectors.json"]);
    assert!(passed(&run) >= 293, "{}", run.told());
    for line in run.output.lines().filter(|line| line.starts_with("skipped ")) {
        assert!(LEFT_OUT.iter().any(|method| line.contains(&format!(": {method}: "))), "{line}");
    }
}

#[test]
fn every_golden_vector_of_flags_passes() {
    let run = conformance(&["crates/flags/tests/data/flag-vectors.json"]);
    assert_eq!(passed(&run), 616, "{}", run.told());
    assert!(run.output.ends_with(" 0 skipped\n"), "{}", run.told());
}

#[test]
fn every_vector_of_cohorts_passes() {
    let run = conformance(&["crates/core/tests/data/cohort-vectors.json"]);
    assert_eq!(passed(&run), 49, "{}", run.told());
    assert!(run.output.ends_with(" 0 skipped\n"), "{}", run.told());
}

#[test]
fn without_a_file_it_says_what_it_needs() {
    let run = conformance(&[]);
    assert_eq!(run.code, Some(2), "{}", run.told());
    assert!(run.errors.starts_with("usage: conformance FILE..."), "{}", run.told());
    assert!(run.output.is_empty(), "{}", run.told());
}

/// How many cases passed; none failed.
fn passed(run: &Run) -> usize {
    assert_eq!(run.code, Some(0), "{}", run.told());
    let counted = run.output.lines().last().unwrap();
    assert!(counted.contains(" 0 failed, "), "{}", run.told());
    counted.split(' ').next().unwrap().parse().unwrap()
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

const LEFT_OUT: [&str; 5] =
    ["ddsketch", "eppo_sequential_multiplier", "gb_quantile", "hdr_histogram", "post_stratification"];
