//! Metrics in the text format of Prometheus, version 0.0.4.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    sync::Arc,
};

use serinus_core::traffic::{Revision, Route, Track};

use crate::{meter::Meter, pairs::PairTotals};

/// The labels that a host adds; the more special go over the more general.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    pub(crate) all: BTreeMap<String, String>,
    pub(crate) by_track: BTreeMap<Track, BTreeMap<String, String>>,
    pub(crate) by_revision: BTreeMap<Revision, BTreeMap<String, String>>,
}

impl Labels {
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let by_track = self.by_track.values().flat_map(BTreeMap::keys);
        let by_revision = self.by_revision.values().flat_map(BTreeMap::keys);
        self.all.keys().chain(by_track).chain(by_revision).map(String::as_str)
    }

    fn of<'a>(&'a self, revision: &'a Revision, track: Option<Track>) -> BTreeMap<&'a str, &'a str> {
        let by_track = track.and_then(|track| self.by_track.get(&track)).into_iter().flatten();
        let by_revision = self.by_revision.get(revision).into_iter().flatten();
        let added = self.all.iter().chain(by_track).chain(by_revision);
        added.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

/// Whether a host may add a label of this name.
pub(crate) fn is_free_label(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with("__")
        && !OWN_LABELS.contains(&name)
}

pub(crate) fn render(
    meters: &[(Revision, Arc<Meter>)],
    pairs: &[(Revision, Revision, PairTotals)],
    route: &Route,
    labels: &Labels,
) -> String {
    let series: Vec<_> = meters
        .iter()
        .flat_map(|(revision, meter)| {
            let track = if route.stable == *revision {
                Some(Track::Stable)
            } else if route.candidate.as_ref() == Some(revision) {
                Some(Track::Candidate)
            } else {
                None
            };
            let name = track.map_or("none".to_owned(), |track| track.to_string());
            meter.by_status().map(move |(is_control, status, counts)| {
                let mut names = String::new();
                for (name, value) in labels.of(revision, track) {
                    push_label(&mut names, name, value);
                }
                push_label(&mut names, "revision", revision.as_str());
                push_label(&mut names, "track", if is_control { CONTROL } else { &name });
                push_label(&mut names, "status", &status.to_string());
                (names, counts)
            })
        })
        .collect();
    let mut text = String::new();
    for (name, kind, help) in [
        (REQUESTS, "counter", "Requests answered, by the revision that answered."),
        (DURATION, "histogram", "Seconds from a request to the head of its answer."),
    ] {
        line(&mut text, format_args!("# HELP {name} {help}"));
        line(&mut text, format_args!("# TYPE {name} {kind}"));
        for (labels, counts) in &series {
            let total = counts.total();
            if name == REQUESTS {
                line(&mut text, format_args!("{REQUESTS}{{{labels}}} {total}"));
                continue;
            }
            for (edge, count) in counts.cumulative() {
                line(&mut text, format_args!("{DURATION}_bucket{{{labels},le=\"{edge}\"}} {count}"));
            }
            line(&mut text, format_args!("{DURATION}_bucket{{{labels},le=\"+Inf\"}} {total}"));
            line(&mut text, format_args!("{DURATION}_sum{{{labels}}} {}", counts.sum_seconds()));
            line(&mut text, format_args!("{DURATION}_count{{{labels}}} {total}"));
        }
    }
    render_pairs(&mut text, pairs, labels);
    text
}

fn render_pairs(text: &mut String, pairs: &[(Revision, Revision, PairTotals)], labels: &Labels) {
    if pairs.is_empty() {
        return;
    }
    line(text, format_args!("# HELP {PAIRS} Answers to copies, by how they compare with the live ones."));
    line(text, format_args!("# TYPE {PAIRS} counter"));
    for (live, mirrored, totals) in pairs {
        let PairTotals { agreed, differed, missing, too_long } = *totals;
        for (result, count) in
            [("agreed", agreed), ("differed", differed), ("missing", missing), ("too_long", too_long)]
        {
            let own = [("revision", mirrored.as_str()), ("live", live.as_str()), ("result", result)];
            let mut names = String::new();
            let added = labels.of(mirrored, None);
            // A host may have labels of these names on other series.
            for (name, value) in added.into_iter().filter(|(name, _)| own.iter().all(|(own, _)| own != name))
            {
                push_label(&mut names, name, value);
            }
            for (name, value) in own {
                push_label(&mut names, name, value);
            }
            line(text, format_args!("{PAIRS}{{{names}}} {count}"));
        }
    }
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

const REQUESTS: &str = "http_requests_total";
const DURATION: &str = "http_request_duration_seconds";
/// The track of stable's control group.
const CONTROL: &str = "control";
const PAIRS: &str = "mirrored_answers_total";
const OWN_LABELS: [&str; 4] = ["revision", "track", "status", "le"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_labels_are_escaped() {
        let mut labels = String::new();
        push_label(&mut labels, "a", "back\\slash \"quoted\"\nnext ä");
        push_label(&mut labels, "b", "");
        assert_eq!(labels, "a=\"back\\\\slash \\\"quoted\\\"\\nnext ä\",b=\"\"");
    }

    #[test]
    fn the_split_keeps_its_own_labels() {
        assert!(["job", "_x", "a1"].into_iter().all(is_free_label));
        assert!(
            ["", "1a", "a-b", "__name__", "track", "le", "ä"].into_iter().all(|name| !is_free_label(name))
        );
    }
}
