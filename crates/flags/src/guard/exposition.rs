//! What is counted of guarded flags, in the text format of Prometheus, version 0.0.4.

use std::{
    fmt::{self, Write as _},
    iter,
};

use super::{
    counters::{ArmReading, Reading},
    health::{Finding, Health, LeftOut},
    over::Rollout,
};
use crate::flags::Flags;

/// Of all guarded flags, or of one.
pub(crate) fn render(flags: &Flags, only: Option<&str>) -> String {
    let state = flags.snapshot();
    let rollouts: Vec<_> = state
        .rollouts()
        .iter()
        .filter(|rollout| only.is_none_or(|only| *rollout.key == *only))
        .map(|rollout| (rollout, rollout.live.counters.look()))
        .collect();
    let is_promoted = |rollout: &Rollout| {
        let flag = state.document().flag(&rollout.key);
        let stable = flag.and_then(|flag| rollout.stable_in(flag.body.as_ref()?));
        stable.is_some_and(|stable| *stable.name == *rollout.candidate)
    };
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, series: &dyn Fn(&mut String, &Series<'_>)| {
        if rollouts.is_empty() {
            return;
        }
        line(&mut text, format_args!("# HELP {name} {help}"));
        line(&mut text, format_args!("# TYPE {name} {kind}"));
        for (rollout, Reading { candidate, control }) in &rollouts {
            let controls = rollout.live.shown.split(control);
            let controls = controls.iter().map(|(variant, arm)| ("control", &**variant, arm));
            for (cohort, variant, arm) in
                iter::once(("candidate", &*rollout.candidate, candidate)).chain(controls)
            {
                let mut labels = String::new();
                push_label(&mut labels, "feature_flag_key", &rollout.key);
                push_label(&mut labels, "variant", variant);
                push_label(&mut labels, "cohort", cohort);
                series(&mut text, &Series { labels, arm });
            }
        }
    };
    family(EXPOSURES, "counter", "Subjects that saw a variant, once per window.", &|text, series| {
        line(text, format_args!("{EXPOSURES}{{{}}} {}", series.labels, series.arm.exposures));
    });
    family(OUTCOMES, "counter", "What came of it.", &|text, Series { labels, arm }| {
        for (outcome, count) in [("success", arm.successes), ("error", arm.errors)] {
            line(text, format_args!("{OUTCOMES}{{{labels},outcome=\"{outcome}\"}} {count}"));
        }
    });
    family(DURATION, "histogram", "Seconds up to an outcome.", &|text, Series { labels, arm }| {
        let total = arm.latency.total();
        for (edge, count) in arm.latency.cumulative() {
            line(text, format_args!("{DURATION}_bucket{{{labels},le=\"{edge}\"}} {count}"));
        }
        line(text, format_args!("{DURATION}_bucket{{{labels},le=\"+Inf\"}} {total}"));
        line(text, format_args!("{DURATION}_sum{{{labels}}} {}", arm.latency.sum_seconds()));
        line(text, format_args!("{DURATION}_count{{{labels}}} {total}"));
    });
    if !rollouts.is_empty() {
        line(&mut text, format_args!("# HELP {SHARE} Share of the subjects that get the candidate, 0 to 1."));
        line(&mut text, format_args!("# TYPE {SHARE} gauge"));
    }
    for (rollout, _) in &rollouts {
        let mut labels = String::new();
        push_label(&mut labels, "feature_flag_key", &rollout.key);
        push_label(&mut labels, "variant", &rollout.candidate);
        // Not what was decided, but what is in force: another definition of the flag is given to nobody.
        let trial = flags.trial(&rollout.key);
        let in_trial = trial.map_or(0.0, |trial| trial.candidate().as_percent() / 100.0);
        let share = if is_promoted(rollout) { 1.0 } else { in_trial };
        line(&mut text, format_args!("{SHARE}{{{labels}}} {share}"));
    }
    let health = |rollout: &Rollout| rollout.live.checks.look(&rollout.key, &rollout.live.counters);
    let healths: Vec<_> = rollouts.iter().map(|(rollout, _)| (&***rollout, health(rollout))).collect();
    for (name, kind, help, of) in FAMILIES {
        if !healths.is_empty() {
            line(&mut text, format_args!("# HELP {name} {help}"));
            line(&mut text, format_args!("# TYPE {name} {kind}"));
        }
        for (rollout, health) in &healths {
            for (labels_of, value) in of(rollout, health) {
                let mut labels = String::new();
                push_label(&mut labels, "feature_flag_key", &rollout.key);
                labels_of.iter().for_each(|(name, value)| push_label(&mut labels, name, value));
                line(&mut text, format_args!("{name}{{{labels}}} {value}"));
            }
        }
    }
    text
}

/// A family of series about whether the counts can be relied on: its name, kind, meaning, and what it has of one guard.
type Family = (&'static str, &'static str, &'static str, fn(&Rollout, &Health) -> Vec<Labelled>);
type Labelled = (Vec<(&'static str, &'static str)>, f64);

const FAMILIES: [Family; 4] = [
    (
        "feature_flag_followed_subjects",
        "gauge",
        "Subjects of the sample that is followed through the attempt, by what is known of them.",
        |_, health| {
            let cohort = |cohort, what, count: u64| (vec![("cohort", cohort), ("what", what)], count as f64);
            let both = |what, count: u64| (vec![("what", what)], count as f64);
            vec![
                cohort("candidate", "exposed", health.exposed.candidate),
                cohort("candidate", "silent", health.silent_candidate.part),
                cohort("control", "exposed", health.exposed.control),
                cohort("control", "silent", health.silent_control.part),
                both("crossed", health.crossed.part),
                both("unexposed", health.unexposed.part),
            ]
        },
    ),
    ("feature_flag_left_out_total", "counter", "Evaluations that the trial has no part in.", |rollout, _| {
        let LeftOut { ruled, keyless, failed } = rollout.live.counters.left_out();
        [("rule", ruled), ("no_targeting_key", keyless), ("failed", failed)]
            .map(|(why, count)| (vec![("why", why)], count as f64))
            .into()
    }),
    (
        "feature_flag_sample_ratio_log_evidence",
        "gauge",
        "Logarithm of the e-value against arms of the same size; 6.9 makes the verdict invalid.",
        |_, health| {
            [("exposed", health.exposed), ("heard", health.heard)]
                .map(|(of, balance)| (vec![("of", of)], balance.log_evidence))
                .into()
        },
    ),
    (
        "feature_flag_finding",
        "gauge",
        "1 for what is found to be wrong with the counts, else 0.",
        |_, health| {
            let holds = |finding| f64::from(u8::from(health.findings.contains(&finding)));
            Finding::ALL.map(|finding| (vec![("finding", finding.name())], holds(finding))).into()
        },
    ),
];

/// What is counted of one arm, and its labels.
struct Series<'a> {
    labels: String,
    arm: &'a ArmReading,
}

fn line(text: &mut String, arguments: fmt::Arguments<'_>) {
    // Writing into a string cannot fail.
    let _ = writeln!(text, "{arguments}");
}

fn push_label(labels: &mut String, name: &str, value: &str) {
    if !labels.is_empty() {
        labels.push(',');
    }
    labels.push_str(name);
    labels.push_str("=\"");
    for character in value.chars() {
        match character {
            '\\' => labels.push_str("\\\\"),
            '"' => labels.push_str("\\\""),
            '\n' => labels.push_str("\\n"),
            other => labels.push(other),
        }
    }
    labels.push('"');
}

const EXPOSURES: &str = "feature_flag_exposures_total";
const OUTCOMES: &str = "feature_flag_outcomes_total";
const DURATION: &str = "feature_flag_outcome_duration_seconds";
const SHARE: &str = "feature_flag_candidate_share";
