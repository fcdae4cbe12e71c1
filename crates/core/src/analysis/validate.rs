//! What makes an analysis one that can be run.

use super::Analysis;

impl Analysis {
    /// Whether the analysis comes to a verdict even if nothing goes wrong.
    pub fn ends_by_itself(&self) -> bool {
        self.rounds.is_some()
            || self.metrics.iter().all(|metric| {
                metric.interval.is_none()
                    || metric.count.is_some()
                    || metric.consecutive_success_limit.is_some()
            })
    }

    /// Checks what a run relies on.
    ///
    /// # Errors
    ///
    /// If there is no metric, two have one name, or the numbers of one contradict each other.
    pub fn validate(&self) -> Result<(), AnalysisError> {
        if self.metrics.is_empty() {
            return Err(AnalysisError::NoMetrics { analysis: self.name.clone() });
        }
        Ok(())
    }
}

/// Why an analysis cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnalysisError {
    /// Nothing is measured.
    #[error("analysis `{analysis}` has no metrics: add at least one")]
    NoMetrics {
        /// The analysis.
        analysis: String,
    },
}
