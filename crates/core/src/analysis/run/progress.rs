//! How far one metric of a run is.

use serde::{Deserialize, Serialize};

use super::{Measurement, Standing};
use crate::{
    analysis::{Counters, Metric, MetricStatus, Outcome, Phase},
    time::{GoDuration, Timestamp},
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Progress {
    pub(super) phase: Phase,
    pub(super) counters: Counters,
    /// How many questions have been put.
    asked: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) open: Option<Asked>,
    /// When the next question is due; none while one is open, or in rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) measurements: Vec<Measurement>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    pub(super) ordinal: u32,
    pub(super) at: Timestamp,
    pub(super) due: Timestamp,
}

impl Progress {
    pub(super) fn begin(metric: &Metric, in_rounds: bool, now: Timestamp) -> Self {
        Self {
            phase: Phase::Pending,
            counters: Counters::default(),
            asked: 0,
            open: None,
            next: (!in_rounds).then(|| metric.initial_delay.after(now)),
            measurements: Vec::new(),
        }
    }

    pub(super) fn ask(&mut self, metric: &Metric, now: Timestamp) {
        self.next = None;
        self.open = Some(Asked { ordinal: self.asked, at: now, due: metric.timeout.after(now) });
        self.asked = self.asked.saturating_add(1);
    }

    pub(super) fn answer(&mut self, metric: &Metric, measurement: Measurement, in_rounds: bool) {
        self.open = None;
        self.counters.record(measurement.outcome);
        self.next = (!in_rounds).then(|| metric.next_due(measurement.outcome, measurement.finished));
        let keep = (metric.retention as usize).max(1);
        if keep == 1 {
            self.measurements.clear();
        } else if self.measurements.len() >= keep {
            self.measurements.drain(..=self.measurements.len() - keep);
        }
        self.measurements.push(measurement);
    }

    /// Brings the phase up to date; `ending`: no further measurement will be taken, and none is waited for.
    pub(super) fn settle(&mut self, metric: &Metric, ending: bool) {
        if ending {
            self.open = None;
        }
        let status = MetricStatus {
            phase: self.phase,
            measured: self.open.is_some() || !self.measurements.is_empty(),
            in_flight: self.open.is_some(),
            counters: self.counters,
        };
        self.phase = status.assess(metric, ending).0;
        if self.phase.is_over() {
            self.stop();
        }
    }

    pub(super) fn end_well(&mut self) {
        if !self.phase.is_over() {
            self.phase = Phase::Successful;
        }
    }

    pub(super) fn stop(&mut self) {
        self.open = None;
        self.next = None;
    }

    pub(super) fn standing<'a>(&'a self, metric: &'a Metric) -> Standing<'a> {
        Standing {
            name: &metric.name,
            dry_run: metric.dry_run,
            phase: self.phase,
            reason: if self.phase.is_over() { self.counters.assess(metric, true).1 } else { String::new() },
            error: self
                .measurements
                .last()
                .filter(|last| last.outcome == Outcome::Error)
                .map(|last| last.reason.as_str()),
        }
    }
}

impl Metric {
    /// When the measurement after one that came to `outcome` at `finished` is due: strictly later than the interval
    /// has passed, or 10 seconds after an error.
    pub fn next_due(&self, outcome: Outcome, finished: Timestamp) -> Timestamp {
        let wait =
            if outcome == Outcome::Error { AFTER_ERROR } else { self.interval.unwrap_or(GoDuration::ZERO) };
        GoDuration::from_nanos(wait.as_nanos().saturating_add(1)).after(finished)
    }
}

const AFTER_ERROR: GoDuration = GoDuration::from_secs(10);
