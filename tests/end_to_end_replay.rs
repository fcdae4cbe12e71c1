//! The example records rollouts and decides them again.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    fs,
    path::Path,
    sync::OnceLock,
    time::{Duration, Instant},
};

use support::{Run, file, run};

#[expect(dead_code, reason = "shared by several test programs")]
mod support;

#[test]
fn a_record_is_replayed_to_the_same_decisions_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let lines = lines();
    let decided = joined(lines.iter().filter(|line| is_decided(line)));
    assert!(decided.lines().count() > 30);
    let replayed = replayed(folder.path(), &joined(lines.iter()));
    assert_eq!(replayed.code, Some(0), "{}", replayed.told());
    assert!(replayed.output == decided, "{}", replayed.errors);
}

#[test]
fn a_decision_that_was_changed_left_out_or_added_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let lines = lines();
    let text = joined(lines.iter());
    let changed = replayed(folder.path(), &text.replacen("\"stable\":\"v1\"", "\"stable\":\"v0\"", 9));
    assert_eq!(changed.code, Some(1), "{}", changed.errors);

    let undecided = replayed(folder.path(), &joined(lines.iter().filter(|line| !is_decided(line))));
    assert_eq!(undecided.code, Some(1), "{}", undecided.errors);
    // Each of the two rollouts may have been killed before its last decision was written.
    let missing = lines.iter().filter(|line| is_decided(line)).count() - 2;
    assert!(undecided.errors.ends_with(&format!("{missing} differ\n")), "{}", undecided.errors);

    let left_out = replayed(folder.path(), &joined(lines[..2].iter().chain(&lines[3..])));
    assert_eq!(left_out.code, Some(1), "{}", left_out.errors);
    assert!(left_out.errors.contains("line 2: heard, and no decision is recorded"), "{}", left_out.errors);

    let twice = replayed(folder.path(), &joined(lines[..3].iter().chain(&lines[2..])));
    assert_eq!(twice.code, Some(1), "{}", twice.errors);
    assert!(twice.errors.contains("line 4: a decision, and nothing was heard"), "{}", twice.errors);
}

#[test]
fn what_a_killed_process_leaves_is_replayed_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let lines = lines();
    let (last, rest) = lines.split_last().unwrap();
    let rest = joined(rest.iter());
    for end in ["", "{", &last[..last.len() / 2]] {
        let replayed = replayed(folder.path(), &format!("{rest}{end}"));
        assert_eq!(replayed.code, Some(0), "{}", replayed.errors);
    }
    // Nothing more is heard before a decision is written.
    let replayed = replayed(folder.path(), &format!("{rest}{}", &lines[1][..20]));
    assert_eq!(replayed.code, Some(1), "{}", replayed.errors);
}

#[test]
fn a_long_record_is_read_in_a_time_that_grows_with_its_length() {
    let folder = tempfile::tempdir().unwrap();
    // A run that has heard one thing, again and again.
    let run = joined(lines()[..2].iter());
    let took = |times: usize| {
        let started = Instant::now();
        let replayed = replayed(folder.path(), &run.repeat(times));
        assert_eq!(replayed.code, Some(0), "{}", replayed.errors);
        started.elapsed()
    };
    let (short, long) = (took(1_000), took(8_000));
    assert!(long < short * 24 + Duration::from_millis(500), "{short:?} for 2000 lines, {long:?} for 16000");
}

fn replayed(folder: &Path, text: &str) -> Run {
    run(&["--replay", &file(folder, "record", text)])
}

/// The lines of a record of two rollouts, the same for all tests.
fn lines() -> Vec<&'static str> {
    static RECORD: OnceLock<String> = OnceLock::new();
    let record = RECORD.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record");
        let recorded = run(&["--json", "--speed", "120", "--record", path.to_str().unwrap()]);
        assert_eq!(recorded.outcomes().len(), 2, "{}", recorded.told());
        fs::read_to_string(path).unwrap()
    });
    record.lines().collect()
}

fn is_decided(line: &str) -> bool {
    line.starts_with("{\"decided\"")
}

fn joined<'a>(lines: impl Iterator<Item = &'a &'a str>) -> String {
    lines.flat_map(|line| [*line, "\n"]).collect()
}
