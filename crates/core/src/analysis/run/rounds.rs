//! Rounds: all metrics together, counted as one.

use serde::{Deserialize, Serialize};

use super::progress::Progress;
use crate::{
    analysis::{FailureBudget, Metric, Outcome, Phase, Rounds},
    time::Timestamp,
};

/// How many rounds came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_structs, reason = "plain counts")]
pub struct RoundTally {
    /// Rounds passed in this run.
    pub passed: u32,
    /// Rounds failed in this attempt.
    pub failed: u32,
    /// Rounds failed since the last that passed.
    pub failed_in_a_row: u32,
}

impl RoundTally {
    fn exhausts(&self, budget: FailureBudget) -> bool {
        match budget {
            FailureBudget::Consecutive(limit) => self.failed_in_a_row >= limit,
            FailureBudget::Cumulative(limit) => self.failed >= limit,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoundProgress {
    pub(super) tally: RoundTally,
    /// When the next round starts; none while one is going on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<Timestamp>,
    /// What the last failed round failed by.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    last_failure: String,
}

impl RoundProgress {
    pub(super) fn begin(rounds: &Rounds, earlier: RoundTally, now: Timestamp) -> Self {
        Self {
            tally: RoundTally { passed: 0, ..earlier },
            next: Some(rounds.interval.after(now)),
            last_failure: String::new(),
        }
    }

    /// Starts the round that is due, if one is.
    pub(super) fn start_due(&mut self, now: Timestamp) -> bool {
        let due = self.next.is_some_and(|next| now >= next);
        if due {
            self.next = None;
        }
        due
    }

    /// Ends the round that is going on, if its outcome is known: the first metric in order that did not pass fails
    /// it, and what comes after that one is no longer waited for.
    pub(super) fn close(
        &mut self,
        rounds: &Rounds,
        metrics: &mut [Progress],
        specs: &[Metric],
        now: Timestamp,
    ) {
        if self.next.is_some() {
            return;
        }
        let mut failure = None;
        for (progress, metric) in metrics.iter().zip(specs) {
            if progress.open.is_some() {
                return;
            }
            // All were asked when the round began, so what was measured last belongs to it.
            let Some(last) = progress.measurements.last() else { return };
            if last.outcome != Outcome::Successful && !metric.dry_run {
                failure = Some(format!("Metric \"{}\" {}: {}", metric.name, last.outcome, last.reason));
                break;
            }
        }
        for progress in metrics {
            progress.open = None;
        }
        let tally = &mut self.tally;
        match failure {
            Some(failure) => {
                tally.failed = tally.failed.saturating_add(1);
                tally.failed_in_a_row = tally.failed_in_a_row.saturating_add(1);
                self.last_failure = failure;
            }
            None => {
                tally.passed = tally.passed.saturating_add(1);
                tally.failed_in_a_row = 0;
            }
        }
        self.next = Some(rounds.interval.after(now));
    }

    pub(super) fn phase(&self, rounds: &Rounds) -> Phase {
        if self.tally.exhausts(rounds.budget) {
            Phase::Failed
        } else if self.tally.passed >= rounds.passes {
            Phase::Successful
        } else if self.next.is_some() && self.tally == RoundTally::default() {
            Phase::Pending
        } else {
            Phase::Running
        }
    }

    pub(super) fn message(&self, rounds: &Rounds, phase: Phase) -> String {
        let RoundTally { passed, failed, failed_in_a_row } = self.tally;
        if phase != Phase::Failed {
            return format!("{passed} of {} rounds passed, {failed} failed", rounds.passes);
        }
        let count = match rounds.budget {
            FailureBudget::Consecutive(limit) => {
                format!("{failed_in_a_row} rounds failed in a row, limit {limit}")
            }
            FailureBudget::Cumulative(limit) => format!("{failed} rounds failed, limit {limit}"),
        };
        if self.last_failure.is_empty() { count } else { format!("{count}; the last: {}", self.last_failure) }
    }
}
