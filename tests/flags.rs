//! The examples of flags from end to end.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::process::{Command, Stdio};

use support::{Run, example, finish};

#[expect(dead_code, reason = "shared by several test programs")]
mod support;

#[test]
fn flags_of_a_file_survive_whatever_happens_to_it() {
    let run = run("flags", &[]);
    let told = run.told();
    let kinds: Vec<_> =
        run.output.lines().filter_map(|line| line.strip_prefix("PROVIDER_")?.split(':').next()).collect();
    assert_eq!(
        kinds,
        ["READY", "CONFIGURATION_CHANGED", "STALE", "STALE", "READY", "CONFIGURATION_CHANGED"],
        "{told}"
    );
    let users: Vec<_> = run
        .output
        .lines()
        .filter_map(|line| line.strip_prefix("  user-0 to user-9: "))
        .map(|users| users.split(' ').filter(|user| *user == "on").count())
        .collect();
    assert_eq!(users.len(), 5, "{told}");
    assert!(users[0] <= users[1], "who had it keeps it: {told}");
    assert_eq!(
        (users[1], users[1]),
        (users[2], users[3]),
        "nothing changes while the file is broken or gone: {told}"
    );
    assert_eq!(users[4], 10, "{told}");
    assert!(run.output.contains("reason STALE"), "{told}");
    assert!(run.output.contains("cannot read the file"), "{told}");
}

#[test]
fn clients_of_openfeature_are_served() {
    let run = run("openfeature", &[]);
    let told = run.told();
    assert!(run.output.contains("ada: search is true by Some(\"new\")"), "{told}");
    assert!(run.output.contains("bob: search is false by Some(\"old\")"), "{told}");
    assert!(run.output.contains("limit 25, our own default, because DISABLED"), "{told}");
    assert!(run.output.contains("PROVIDER_CONFIGURATION_CHANGED: changed [\"theme\"]"), "{told}");
    assert!(run.output.contains("limit: DISABLED: 2, search=new: 1, search=old: 1, theme=dark: 2"), "{told}");
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
