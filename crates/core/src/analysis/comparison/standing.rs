//! How far a comparison is on its way to a pass.

use super::rare::log_rare;
use crate::stats::grid::Arm;

/// How far one share, that of failures or of requests above an edge, is on its way to a pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// Stable; of successes, the candidate.
    pub(super) stable: Arm,
    /// The arm in question: the candidate; of successes, stable.
    pub(super) candidate: Arm,
    /// The logarithm of the e-value against "at least the safety margin".
    pub(super) log_safety: f64,
    /// The share that is rare enough to be safe whatever stable's is; 0 for none.
    pub(super) rare: f64,
}

/// In which way a candidate is safe.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pass {
    /// It is not worse than the safety margin allows.
    Compared,
    /// It hardly ever fails.
    Rare,
    /// It is not worse, but for this edge in seconds, which hardly any request exceeds.
    RarelyAbove(f64),
    /// There was evidence enough in an earlier window.
    Before,
}

impl Standing {
    pub(super) fn log_rare(&self) -> f64 {
        let Arm { exposure, failures } = self.candidate;
        // Then it speaks for no lower rate, and need not be worked out.
        if failures as f64 >= self.rare * exposure as f64 {
            return f64::NEG_INFINITY;
        }
        log_rare(self.candidate, self.rare)
    }
}
