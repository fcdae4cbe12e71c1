//! From classifications to the score of a canary.

use std::collections::BTreeMap;

use super::judge::Classification;

/// A metric and what was made of it.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the input of another tool, at one commit")]
pub struct Judged {
    /// The groups it belongs to; it counts in each.
    pub groups: Vec<String>,
    /// What was made of it.
    pub classification: Classification,
    /// Whether it alone can fail the canary.
    pub critical: bool,
}

/// The summary score, from 0 to 100, to two decimals.
///
/// A group scores the part of its metrics that pass, of those that passed, failed or lacked required data; a group
/// with none of these scores 100. Groups without a weight share what the others leave of 100. A group that has a weight
/// and no metric takes its weight with it, so that the most there can be is less than 100. A critical metric that does
/// not pass makes it 0, and so do half of the metrics or more without data.
pub fn score(metrics: &[Judged], weights: &BTreeMap<String, f64>) -> f64 {
    if metrics.iter().any(|metric| metric.critical && metric.classification != Classification::Pass) {
        return 0.0;
    }
    let without_data =
        metrics.iter().filter(|metric| metric.classification == Classification::Nodata).count();
    if !metrics.is_empty() && without_data * 2 >= metrics.len() {
        return 0.0;
    }
    let mut groups: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for metric in metrics {
        for group in &metric.groups {
            let (passed, counted) = groups.entry(group).or_default();
            match metric.classification {
                Classification::Pass => {
                    *passed += 1.0;
                    *counted += 1.0;
                }
                Classification::High | Classification::Low | Classification::NodataFailMetric => {
                    *counted += 1.0
                }
                Classification::Nodata | Classification::Error => {}
            }
        }
    }
    let without_weight = groups.keys().filter(|group| !weights.contains_key(**group)).count();
    let rest = (100.0 - weights.values().sum::<f64>()) / without_weight.max(1) as f64;
    let of_group = |(group, (passed, counted)): (&&str, &(f64, f64))| {
        let score = if *counted == 0.0 { 100.0 } else { passed / counted * 100.0 };
        score * weights.get(*group).copied().unwrap_or(rest) / 100.0
    };
    let summary: f64 = groups.iter().map(of_group).sum();
    (summary * 100.0).round() / 100.0
}
