//! How far one metric of a run is.

use serde::{Deserialize, Serialize};

use super::{Measurement, Standing};
use crate::{
    analysis::{Counters, Judge, Metric, MetricStatus, Outcome, Phase, comparison::Evidence},
    time::{GoDuration, Timestamp},
    traffic::Weight,
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
    /// What a comparison has seen so far; none for other metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) evidence: Option<Box<Evidence>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    pub(super) ordinal: u32,
    pub(super) at: Timestamp,
    pub(super) due: Timestamp,
    /// Where the window begins that ends `at`, for a comparison.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<Timestamp>,
    /// The candidate's share of the traffic in that window.
    #[serde(default, skip_serializing_if = "Weight::is_zero")]
    pub(super) share: Weight,
}

impl Progress {
    pub(super) fn begin(
        metric: &Metric,
        in_rounds: bool,
        evidence: Option<Box<Evidence>>,
        now: Timestamp,
    ) -> Self {
        let evidence = match &metric.judge {
            Judge::Compare(_) => Some(evidence.unwrap_or_default()),
            _ => None,
        };
        // A comparison waits until both arms take traffic.
        let waits = in_rounds || evidence.is_some();
        Self {
            phase: Phase::Pending,
            counters: Counters::default(),
            asked: 0,
            open: None,
            next: (!waits).then(|| metric.initial_delay.after(now)),
            measurements: Vec::new(),
            evidence,
        }
    }

    pub(super) fn ask(&mut self, metric: &Metric, now: Timestamp) {
        self.next = None;
        let window = self.evidence.as_mut().and_then(|evidence| evidence.next_window(now));
        let (from, share) = window.map_or((None, Weight::ZERO), |(from, share)| (Some(from), share));
        self.open = Some(Asked { ordinal: self.asked, at: now, due: metric.timeout.after(now), from, share });
        self.asked = self.asked.saturating_add(1);
    }

    pub(super) fn answer(&mut self, metric: &Metric, measurement: Measurement, in_rounds: bool) {
        self.open = None;
        self.counters.record(measurement.outcome);
        let is_due_again = match &self.evidence {
            None => !in_rounds,
            Some(evidence) => evidence.is_open(),
        };
        self.next = is_due_again.then(|| metric.next_due(measurement.outcome, measurement.finished));
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
        // A comparison without a clear answer goes on to look for harm.
        let goes_on = self.phase == Phase::Inconclusive && self.evidence.is_some() && !metric.dry_run;
        if self.phase.is_over() && !goes_on {
            self.stop();
        }
    }

    /// After an inconclusive end of the run: only a failure still counts.
    pub(super) fn watch(&mut self, metric: &Metric) {
        let is_failed = metric.failure_limit.is_some_and(|limit| self.counters.failed > limit);
        let is_done = self.evidence.is_none()
            && self.open.is_none()
            && metric.effective_count().is_some_and(|count| self.counters.count >= count);
        if is_failed {
            self.phase = Phase::Failed;
            self.stop();
        } else if metric.dry_run || is_done || self.evidence.is_none() && self.phase.is_over() {
            self.stop();
        }
    }

    /// Both arms take traffic, the candidate this share of it, from now on.
    ///
    /// `is_watching`: a comparison is asked whatever it has come to.
    pub(super) fn open_windows(&mut self, metric: &Metric, share: Weight, is_watching: bool, now: Timestamp) {
        let (Some(evidence), Judge::Compare(comparison)) = (&mut self.evidence, &metric.judge) else {
            return;
        };
        let goes_on = is_watching && !metric.dry_run;
        if self.phase.is_over() && !goes_on {
            return;
        }
        if let Some(from) = evidence.open(comparison, share, now)
            && self.open.is_none()
        {
            self.next = Some(from);
        } else if goes_on && self.open.is_none() && self.next.is_none() {
            self.next = Some(metric.next_due(Outcome::Undecided, now));
        }
    }

    /// The shares change, or one arm takes no traffic: what happens now belongs to no window. A question that was put
    /// before is still about an even window, and its answer is heard.
    pub(super) fn close_windows(&mut self) {
        if let Some(evidence) = &mut self.evidence {
            evidence.close();
            self.next = None;
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
            reason: self.reason(metric),
            error: self
                .measurements
                .last()
                .filter(|last| last.outcome == Outcome::Error)
                .map(|last| last.reason.as_str()),
        }
    }
}

impl Progress {
    /// Why the metric ended as it did; empty while it has not.
    fn reason(&self, metric: &Metric) -> String {
        let last = self.measurements.last();
        match (&self.evidence, last) {
            _ if !self.phase.is_over() => String::new(),
            // A verdict on evidence is better told by the evidence than by a limit.
            (Some(_), Some(last)) if matches!(last.outcome, Outcome::Failed | Outcome::Inconclusive) => {
                last.reason.as_str().to_owned()
            }
            _ => self.counters.assess(metric, true).1,
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
