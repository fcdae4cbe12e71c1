//! The example of a guarded flag from end to end: a rollback that lasts, and a promotion.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use support::{example, finish};

#[expect(dead_code, reason = "shared by several test programs")]
mod support;

#[test]
fn the_first_try_is_taken_back_and_the_mended_one_goes_out() {
    let began = Instant::now();
    let run = finish(
        Command::new(example("guarded_flag"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert!(began.elapsed() < Duration::from_secs(60), "it took {:?}", began.elapsed());
    let (first, mended) = run.output.split_once("mended:").unwrap();
    assert!(first.contains("step 1 of") && first.contains("failures"), "{}", run.told());
    assert!(first.contains("loaded again: nobody gets it."), "{}", run.told());
    // Both verdicts could be relied on, and the example says by what.
    for tried in [first, mended] {
        assert_eq!(tried.matches("    holds    ").count(), 4, "{}", run.told());
        assert!(
            tried.contains("as many are shown either one: ") && tried.contains(" controls, p "),
            "{}",
            run.told()
        );
    }
    assert!(mended.contains("weight 50%"), "{}", run.told());
    assert!(run.output.contains("cohort=\"control\",outcome=\"error\""), "{}", run.told());
    assert!(run.output.ends_with("Mended: everybody has it.\n"), "{}", run.told());
    // Plain lines where nobody looks at a terminal.
    assert!(!run.output.contains('\x1b') && !run.output.contains('\r'), "{}", run.told());
}
