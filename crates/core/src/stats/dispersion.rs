//! How much more counts vary between windows than independent requests would: calibration on two groups that are alike.
//!
//! If requests of one instance or one user fail together, counts scatter more than chance alone, and every test that
//! takes requests for independent finds harm where there is none. Two groups of instances of the *same* revision, or
//! the time before a rollout, show by how much: the design effect `φ`. Evidence divided by it is evidence of that many
//! independent requests. A fault that one group has all the time is not seen this way; the margin has to forgive it.
//!
//! `φ` grows with what a window holds: if any two failures of one instance go together with correlation `κ`, it is about
//! `1 + (m − 1) κ`, with `m` failures of an instance in a window. It is known only for windows of the length, the traffic
//! and the size of groups it was estimated with. Twice the requests in a window may double what is above 1; a control
//! group smaller than the candidate's shows too little.

use serde::{Deserialize, Serialize};

use super::{
    Undefined,
    evidence::{EvidenceError, SchemaVersion},
    grid::{Arm, Window},
    require,
};

/// Collects windows of two groups that are alike, and estimates the design effect.
///
/// `φ = Σ (x₂ − nρ)² / Σ nρ(1 − ρ)`, with the failures `x₂` of the second group, those `n` of both, and the second
/// group's share `ρ` of the requests of the window; at least 1. (McCullagh and Nelder, Generalized Linear Models, 4.5:
/// the moment estimator of over-dispersion; given `n`, independent requests have `x₂` binomial.) Source of the
/// procedure: A/A tests of a warm-up.
///
/// ```
/// use serinus_core::stats::{dispersion::Dispersion, grid::{Arm, Window}};
///
/// let mut dispersion = Dispersion::new();
/// for id in 0..30 {
///     // Failures come in bursts of ten, in one group or the other.
///     let burst = 10 * (id % 2);
///     let (control, candidate) = (Arm::new(1_000, 10 - burst), Arm::new(1_000, burst));
///     dispersion.observe(&Window { id, control, candidate })?;
/// }
/// assert!((dispersion.factor()? - 10.0).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Dispersion {
    squares: f64,
    variance: f64,
    windows: u64,
    last: Option<u64>,
}

impl Dispersion {
    /// The least number of windows with failures that say anything.
    pub const LEAST_WINDOWS: u64 = 30;

    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a window: the two groups stand where stable and candidate stand otherwise. `false`: its number is not above
    /// the last one, or it says nothing, as nothing failed or one group had no request.
    ///
    /// # Errors
    ///
    /// Failures without a request.
    pub fn observe(&mut self, window: &Window) -> Result<bool, EvidenceError> {
        if self.last.is_some_and(|last| window.id <= last) {
            return Ok(false);
        }
        let share = window.share()?;
        self.last = Some(window.id);
        let failures = window.failures();
        let Some(share) = share.filter(|_| failures > 0.0) else { return Ok(false) };
        let Arm { failures: failed, .. } = window.candidate;
        let excess = failed as f64 - failures * share;
        self.squares += excess * excess;
        self.variance += failures * share * (1.0 - share);
        self.windows = self.windows.saturating_add(1);
        Ok(true)
    }

    /// The design effect, at least 1: by how much evidence is to be divided.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] before [`Dispersion::LEAST_WINDOWS`] windows with failures.
    pub fn factor(&self) -> Result<f64, Undefined> {
        if self.windows < Self::LEAST_WINDOWS {
            return Err(Undefined::TooFew {
                what: "windows with failures",
                got: self.windows,
                needed: Self::LEAST_WINDOWS,
            });
        }
        let factor = self.squares / self.variance;
        // Never taken for 1: a sum may have left the range of numbers.
        require("dispersion", factor, factor.is_finite(), "finite")?;
        Ok(factor.max(1.0))
    }

    /// How many windows with failures it has seen.
    pub const fn windows(&self) -> u64 {
        self.windows
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: SchemaVersion,
    squares: f64,
    variance: f64,
    windows: u64,
    last: Option<u64>,
}

impl From<Dispersion> for Stored {
    fn from(state: Dispersion) -> Self {
        let Dispersion { squares, variance, windows, last } = state;
        Self { version: SchemaVersion, squares, variance, windows, last }
    }
}

impl TryFrom<Stored> for Dispersion {
    type Error = EvidenceError;

    fn try_from(stored: Stored) -> Result<Self, EvidenceError> {
        let Stored { version: SchemaVersion, squares, variance, windows, last } = stored;
        let is_sum = |sum: f64| sum.is_finite() && sum >= 0.0;
        if !is_sum(squares) || !is_sum(variance) || (windows > 0) != (variance > 0.0) {
            return Err(EvidenceError::Damaged { what: "its sums are none of squares" });
        }
        if windows > 0 && last.is_none() {
            return Err(EvidenceError::Damaged { what: "its windows have no numbers" });
        }
        Ok(Self { squares, variance, windows, last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_state_is_refused_and_never_taken_for_independence() {
        for stored in [
            r#"{"version":1,"squares":0.0,"variance":0.0,"windows":40,"last":40}"#,
            r#"{"version":1,"squares":-1.0,"variance":1.0,"windows":40,"last":40}"#,
            r#"{"version":1,"squares":1.0,"variance":1.0,"windows":40,"last":null}"#,
            r#"{"squares":1.0,"variance":1.0,"windows":40,"last":40}"#,
            r#"{"version":2,"squares":1.0,"variance":1.0,"windows":40,"last":40}"#,
        ] {
            assert!(serde_json::from_str::<Dispersion>(stored).is_err(), "{stored}");
        }
        let state =
            Dispersion { squares: f64::MAX, variance: f64::MIN_POSITIVE, windows: 40, last: Some(40) };
        assert!(state.factor().is_err());
    }

    #[test]
    fn too_few_windows_give_no_factor() {
        let mut dispersion = Dispersion::new();
        let window = |id| Window { id, control: Arm::new(100, 1), candidate: Arm::new(100, 1) };
        for id in 0..29 {
            assert!(dispersion.observe(&window(id)).unwrap());
        }
        assert!(matches!(dispersion.factor(), Err(Undefined::TooFew { got: 29, needed: 30, .. })));
        assert!(!dispersion.observe(&window(28)).unwrap(), "a window seen twice counts once");
        assert!(dispersion.observe(&window(29)).unwrap());
        assert_eq!(dispersion.factor(), Ok(1.0));
        assert!(
            !dispersion
                .observe(&Window { control: Arm::new(100, 0), candidate: Arm::new(100, 0), id: 30 })
                .unwrap()
        );
        assert!(
            dispersion
                .observe(&Window { control: Arm::new(0, 1), candidate: Arm::new(1, 1), id: 31 })
                .is_err()
        );
    }
}
