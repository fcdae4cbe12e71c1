//! Whether a run that nobody waits for has said enough for a promotion.

use super::{Measurement, Run};
use crate::analysis::{Analysis, Data, Outcome};

impl Run {
    /// Whether the run may be left as it stands: it is over, or no question is open and every metric that decides
    /// has passed at least once and was neither an error nor without data when last measured.
    ///
    /// A run without an end would otherwise be overtaken by a promotion while its source is away, or before it
    /// measured anything.
    pub fn is_conclusive(&self, analysis: &Analysis) -> bool {
        self.is_over()
            || self.open().next().is_none()
                && self.metrics.iter().zip(&analysis.metrics).filter(|(_, metric)| !metric.dry_run).all(
                    |(progress, _)| {
                        progress.counters.successful > 0 && progress.measurements.last().is_some_and(is_data)
                    },
                )
    }
}

/// Whether there was something to judge. A window without one of the arms decides nothing, and is no error.
fn is_data(last: &Measurement) -> bool {
    last.outcome != Outcome::Error && !(last.outcome == Outcome::Undecided && last.data == Data::Empty)
}
