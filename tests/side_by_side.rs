//! The examples of experiments and shadows from end to end: good variants and bad ones.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::process::{Command, Stdio};

use support::{Run, example, finish};

#[expect(dead_code, reason = "shared by several test programs")]
mod support;

#[test]
fn an_experiment_finds_the_better_checkout_and_the_worse() {
    let better = run("experiment", &[]);
    assert!(result(&better).contains("orders: candidate 1"), "{}", better.told());
    assert!(result(&better).contains("): better."), "{}", better.told());
    assert!(better.output.contains("with all visitors on v1 again"), "{}", better.told());
    assert_eq!(better.output.matches("% interval ").count() % 2, 0, "{}", better.told());
    let worse = run("experiment", &["--variant", "worse"]);
    assert!(result(&worse).contains("): worse."), "{}", worse.told());
}

#[test]
fn a_shadow_leads_the_good_model_to_users_and_the_worse_one_to_none() {
    let good = run("shadow", &[]);
    assert!(good.output.contains("step 4 of 7: weight 20%"), "{}", good.told());
    assert!(good.output.ends_with("v2 is promoted.\n"), "{}", good.told());
    let worse = run("shadow", &["--model", "worse"]);
    assert!(!worse.output.contains("weight"), "{}", worse.told());
    assert!(worse.output.contains("Taken back before any user saw v2: "), "{}", worse.told());
    assert!(worse.output.contains("agreement"), "{}", worse.told());
}

#[test]
fn both_say_what_they_take() {
    for program in ["experiment", "shadow"] {
        let help = run(program, &["--help"]);
        assert!(help.output.contains("Possible values:"), "{}", help.told());
    }
}

/// What is told of the end.
fn result(run: &Run) -> &str {
    run.output.split_once("\n\n").unwrap().1
}

fn run(program: &str, arguments: &[&str]) -> Run {
    let run = finish(
        Command::new(example(program))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    assert_eq!(run.code, Some(0), "{}", run.told());
    run
}
