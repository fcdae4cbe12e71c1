//! By how much raw counters grew within a window.

use std::collections::{BTreeMap, BTreeSet};

use serinus_core::{
    metric::{Number, Window},
    stats::counters::{Counter, CounterError},
    time::Timestamp,
};

use crate::value::{Labels, Series};

/// When each process was first seen.
pub(super) struct Siblings(BTreeMap<(String, String), Timestamp>);

impl Siblings {
    pub(super) fn of<'a>(all: impl Iterator<Item = &'a Series>) -> Self {
        let mut first = BTreeMap::new();
        for series in all {
            if let (Some(process), Some(point)) = (process(&series.labels), series.points.first()) {
                let seen = first.entry(process).or_insert(point.at);
                *seen = point.at.min(*seen);
            }
        }
        Self(first)
    }

    /// Whether the process of a series was scraped before the series began: the series then began at 0, with its first
    /// request, since that scrape.
    fn know_the_start_of(&self, series: &Series) -> bool {
        let first = series.points.first().map(|point| point.at);
        let process = process(&series.labels).and_then(|process| self.0.get(&process));
        matches!((process, first), (Some(seen), Some(first)) if *seen < first)
    }
}

/// By how much one counter grew in a window: from the last sample up to its beginning to the last one up to its end, so
/// that windows that follow one another share no request and leave none out. A sample below the one before it is that
/// of a process that began anew. A series that begins within the window counts from 0 if that is known; if not, its first
/// sample is only where counting begins.
pub(super) fn increase(series: &Series, window: Window, siblings: &Siblings) -> Result<f64, CounterError> {
    let restarts = BTreeSet::new();
    grown(series, window, siblings.know_the_start_of(series), &restarts)
}

fn grown(
    series: &Series,
    window: Window,
    starts_at_zero: bool,
    restarts: &BTreeSet<Timestamp>,
) -> Result<f64, CounterError> {
    let before = series.points.iter().rposition(|point| point.at <= window.from);
    let mut counter = match before {
        None if starts_at_zero => Counter::begun(),
        _ => Counter::new(),
    };
    let mut sum = 0.0;
    for point in series.points.iter().skip(before.unwrap_or(0)).filter(|point| point.at <= window.to) {
        let value = point.value.get();
        let is_baseline = before.is_some() && point.at <= window.from;
        let increase = if restarts.contains(&point.at) && !is_baseline {
            Some(counter.restart(value)?)
        } else {
            counter.advance(value)?
        };
        sum += increase.map_or(0.0, |increase| increase.amount);
    }
    Ok(sum)
}

/// The buckets of one process and set of labels, by their edges.
pub(super) struct Histogram<'a>(Vec<(Number, &'a Series)>);

impl Histogram<'_> {
    /// By how much each bucket grew, in the order of the edges. Where one bucket shrinks the process began anew, and so
    /// did the others, also those that have grown past their old value.
    pub(super) fn increase(
        &self,
        window: Window,
        siblings: &Siblings,
    ) -> Result<Vec<(Number, f64)>, CounterError> {
        let falls = |series: &Series| {
            let pairs = series.points.windows(2);
            pairs
                .filter(|pair| pair[1].value.get() < pair[0].value.get())
                .map(|pair| pair[1].at)
                .collect::<Vec<_>>()
        };
        let restarts: BTreeSet<_> = self.0.iter().flat_map(|(_, series)| falls(series)).collect();
        let grown = |(edge, series): &(Number, &Series)| {
            let starts_at_zero = siblings.know_the_start_of(series);
            grown(series, window, starts_at_zero, &restarts).map(|sum| (*edge, sum))
        };
        self.0.iter().map(grown).collect()
    }
}

/// Buckets by everything but their edges. A series without an edge is none.
pub(super) fn grouped(buckets: &[Series]) -> Vec<Histogram<'_>> {
    let mut groups: BTreeMap<Labels, Vec<(Number, &Series)>> = BTreeMap::new();
    for series in buckets {
        let mut labels = series.labels.clone();
        let Some(Ok(edge)) = labels.remove("le").map(|edge| edge.parse::<Number>()) else { continue };
        groups.entry(labels).or_default().push((edge, series));
    }
    let sorted = |mut group: Vec<(Number, _)>| {
        group.sort_by_key(|(edge, _)| *edge);
        Histogram(group)
    };
    groups.into_values().map(sorted).collect()
}

/// What was scraped; none if the labels do not say.
fn process(labels: &Labels) -> Option<(String, String)> {
    let instance = labels.get("instance").filter(|instance| !instance.is_empty())?;
    Some((labels.get("job").cloned().unwrap_or_default(), instance.clone()))
}

#[cfg(test)]
mod tests {
    use serinus_core::time::GoDuration;

    use super::*;
    use crate::value::Point;

    fn at(second: u64) -> Timestamp {
        GoDuration::from_secs(second).after(Timestamp::UNIX_EPOCH)
    }

    fn series(labels: &[(&str, &str)], points: &[(u64, f64)]) -> Series {
        Series {
            labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            points: points
                .iter()
                .map(|(second, value)| Point { at: at(*second), value: Number::new(*value) })
                .collect(),
        }
    }

    fn grows(series: &Series, siblings: &[&Series], from: u64, to: u64) -> f64 {
        let siblings = Siblings::of(siblings.iter().copied());
        increase(series, Window { from: at(from), to: at(to) }, &siblings).unwrap()
    }

    #[test]
    fn windows_that_follow_one_another_add_up_whatever_the_scrapes() {
        let counter = series(&[], &[(3, 10.0), (18, 25.0), (33, 5.0), (48, 9.0), (63, 30.0)]);
        // 15 up to the restart, then 5, 4 and 21.
        assert_eq!(grows(&counter, &[], 3, 63), 45.0);
        for length in [1, 2, 5, 7, 15, 20] {
            let windows = (3..63).step_by(length).map(|from| (from, (from + length as u64).min(63)));
            let sum: f64 = windows.map(|(from, to)| grows(&counter, &[], from, to)).sum();
            assert_eq!(sum, 45.0, "{length}");
        }
    }

    #[test]
    fn a_series_that_begins_counts_only_if_its_start_is_known() {
        let young = series(&[("instance", "a"), ("status", "503")], &[(20, 7.0), (35, 9.0)]);
        let elder = series(&[("instance", "a"), ("status", "200")], &[(5, 100.0), (20, 120.0), (35, 140.0)]);
        let twin = series(&[("instance", "a"), ("status", "200")], &[(20, 120.0), (35, 140.0)]);
        let stranger = series(&[("instance", "b"), ("status", "200")], &[(5, 100.0), (20, 120.0)]);
        assert_eq!(grows(&young, &[&elder], 10, 40), 9.0);
        assert_eq!(grows(&young, &[&twin], 10, 40), 2.0, "both came with the first scrape");
        assert_eq!(grows(&young, &[&stranger], 10, 40), 2.0, "another process says nothing");
        assert_eq!(grows(&young, &[&elder], 25, 40), 2.0, "by then it is known");
        let nameless = series(&[("status", "503")], &[(20, 7.0), (35, 9.0)]);
        assert_eq!(grows(&nameless, &[&series(&[], &[(5, 1.0)])], 10, 40), 2.0);
    }

    #[test]
    fn where_one_bucket_shrinks_all_began_anew() {
        let bucket = |edge: &str, points: &[(u64, f64)]| series(&[("le", edge)], points);
        let buckets = [
            bucket("+Inf", &[(0, 10.0), (15, 12.0)]),
            bucket("0.1", &[(0, 9.0), (15, 3.0)]),
            bucket("nonsense", &[(0, 1.0)]),
        ];
        let groups = grouped(&buckets);
        assert_eq!(groups.len(), 1);
        let window = Window { from: at(0), to: at(15) };
        let grown = groups[0].increase(window, &Siblings::of([].iter())).unwrap();
        assert_eq!(grown, [(Number::new(0.1), 3.0), (Number::new(f64::INFINITY), 12.0)]);
    }

    #[test]
    fn what_is_no_count_is_refused() {
        let broken = series(&[], &[(0, 1.0), (15, f64::NAN)]);
        assert!(increase(&broken, Window { from: at(0), to: at(15) }, &Siblings::of([].iter())).is_err());
    }
}
