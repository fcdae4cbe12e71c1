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

#[test]
fn what_another_plan_would_have_done_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let record = joined(lines().iter());
    let what_if = |manifest: &str| {
        let manifest = file(folder.path(), "other.yaml", manifest);
        run(&["--replay", &file(folder.path(), "record", &record), "--what-if", &manifest])
    };
    let podinfo = include_str!("../examples/manifests/podinfo-canary.yaml");
    let stricter = what_if(&podinfo.replace("threshold: 5", "threshold: 2"));
    // The healthy one would have been promoted all the same, the faulty one rolled back three minutes before.
    assert_eq!(stricter.code, Some(1), "{}", stricter.told());
    let ends: Vec<_> = stricter.output.lines().filter(|line| line.contains("in the record it was")).collect();
    assert_eq!(ends.len(), 2, "{}", stricter.told());
    assert!(ends[0].contains("v2 would have been promoted, after "), "{}", ends[0]);
    assert!(ends[1].contains("v2 would have been rolled back, because"), "{}", ends[1]);
    assert!(ends[1].contains("earlier: in the record it was rolled back"), "{}", ends[1]);

    // Each round found one error of twenty, which a laxer plan lets pass.
    let laxer = what_if(&podinfo.replace("min: 99", "min: 80"));
    assert_eq!(laxer.code, Some(0), "{}", laxer.told());
    assert_eq!(laxer.output.matches("v2 would have been promoted").count(), 2, "{}", laxer.told());

    let other = what_if(include_str!("../examples/manifests/checkout-delivery.yaml"));
    assert_eq!(other.code, Some(1), "{}", other.told());
    assert!(
        other.output.contains("no counterpart in the record: `failures` asks builtin"),
        "{}",
        other.told()
    );
}

#[test]
fn windows_of_different_shares_are_not_added_up() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("record");
    let record = record.to_str().unwrap();
    let plan = |first: &str, interval: &str| {
        format!(
            "apiVersion: serinus.dev/v1alpha1\nkind: Delivery\nmetadata: {{name: shop}}\nspec:\n  strategy:\n    canary:\n      \
             capacity: {{routed: {{replicas: 2}}}}\n      compare: false\n      \
             steps: [{{weight: 10%}}, {{hold: {first}}}, {{weight: 50%}}, {{hold: 40s}}]\n      \
             beside: [{{analysis: {{name: told, metrics: [{{name: failures, dryRun: true, interval: {interval}, \
             query: {{provider: builtin, text: arms}}, judge: {{compare: {{settle: 0s}}}}}}]}}}}]\n"
        )
    };
    let manifest = file(folder.path(), "quick.yaml", &plan("40s", "10s"));
    let recorded = run(&["--json", "--manifest", &manifest, "--record", record]);
    assert_eq!(recorded.outcomes(), ["promoted", "promoted"], "{}", recorded.told());

    let left_out = "of the record's windows were left out of comparisons: its shares changed";
    let same = run(&["--replay", record, "--what-if", &manifest]);
    assert!(!same.output.contains(left_out), "{}", same.told());
    // This one's windows go on while the record's share changes.
    let slow =
        run(&["--replay", record, "--what-if", &file(folder.path(), "slow.yaml", &plan("10m", "60s"))]);
    assert!(slow.output.contains(left_out), "{}", slow.told());
}

#[test]
fn a_comparison_is_made_again_from_the_counts_of_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("record");
    let record = record.to_str().unwrap();
    let manifest = "examples/manifests/checkout-delivery.yaml";
    let faults = ["--stable-fault", "error-rate=5%", "--fault", "error-rate=25%"];
    let recorded = run(&[&["--json", "--manifest", manifest, "--record", record], &faults[..]].concat());
    assert_eq!(recorded.outcomes(), ["rolledBack"], "{}", recorded.told());

    let same = run(&["--replay", record, "--what-if", manifest]);
    assert_eq!(same.code, Some(1), "{}", same.told());
    assert!(same.output.contains("v2 would have been rolled back, because"), "{}", same.told());
    assert!(
        same.output.contains("both arms took the requests that the record's plan sent them"),
        "{}",
        same.told()
    );
    // With a greater margin the same counts are no harm.
    let lax = fs::read_to_string(manifest).unwrap();
    let lax = lax
        + "      beside: [{analysis: {name: lax, metrics: [{name: failures, query: {provider: builtin, text: arms}, \
                     interval: 15s, judge: {compare: {margin: 15, safetyMargin: 20}}}]}}]\n";
    let lax = run(&["--replay", record, "--what-if", &file(folder.path(), "lax.yaml", &lax)]);
    assert!(
        !lax.output.contains(
            "would have been rolled back, because analysis lax failed: Metric \"failures\" assessed Failed"
        ),
        "{}",
        lax.told()
    );
    assert!(
        lax.output.contains("earlier: in the record") || lax.output.contains("later: in the record"),
        "{}",
        lax.told()
    );
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
        let manifest = "examples/manifests/podinfo-canary.yaml";
        let arguments =
            ["--json", "--speed", "120", "--manifest", manifest, "--record", path.to_str().unwrap()];
        let recorded = run(&arguments);
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
