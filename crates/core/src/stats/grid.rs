//! Failures of two arms, compared window by window: the rule to decide a rollout with.
//!
//! Within a window both arms share an unknown base rate, and the candidate fails `r` times as often. Given the
//! window's `n` failures, those of the candidate are binomial with share `θ(r) = ρr / (1 − ρ + ρr)`, where `ρ` is the
//! candidate's share of the exposure: the base rate is gone, so that it may drift as it likes between windows, and the
//! split may change from window to window. Each window adds
//!
//! ```text
//! l(r) = x₂ ln(r/r₀) − n [ln(1 + ρ(r − 1)) − ln(1 + ρ(r₀ − 1))]
//! ```
//!
//! for each ratio `r` of a fixed [`RatioGrid`], and the evidence is `E = Σ w(r) exp(Σ l(r))`. This is an e-process
//! against `r ≤ r₀` for ratios above `r₀`, and against `r ≥ r₀` for ratios below: the likelihood ratio is monotone in
//! `x₂`, so that the boundary is the hardest null. Exact for Poisson counts; conservative for failures among requests,
//! whose conditional law is hypergeometric (Hoeffding 1963). After Lindon & Malek 2022 (arXiv 2011.03567).
//!
//! # Assumptions
//!
//! Windows are disjoint and hold raw counts; the split is constant inside one (close it at every change of weight);
//! failures are independent given the rate. Persistent differences between instances are not noise: give them room
//! with a margin above 1.
//!
//! ```
//! use serinus_core::stats::{
//!     evidence::{EProcess, Observed},
//!     grid::{Arm, CounterGrid, RatioGrid, Window},
//! };
//!
//! // Is the candidate worse than 1.1 times stable?
//! let mut harm = CounterGrid::new(RatioGrid::harm(1.1)?);
//! for id in 1..=6 {
//!     let window = Window { id, control: Arm::new(950, 10), candidate: Arm::new(50, 4) };
//!     assert_eq!(harm.observe(&window)?, Observed::Counted);
//! }
//! assert!(harm.rejects(0.01)?);
//! assert_eq!(harm.totals().1, Arm::new(300, 24));
//!
//! // A window that is fed twice changes nothing.
//! let again = Window { id: 6, control: Arm::new(1, 0), candidate: Arm::new(1, 1) };
//! assert_eq!(harm.observe(&again)?, Observed::AlreadySeen);
//! # Ok::<(), serinus_core::stats::evidence::EvidenceError>(())
//! ```

use serde::{Deserialize, Serialize};

use super::evidence::{EProcess, EvidenceError, Observed, Progress, SchemaVersion};
pub(crate) use elementary::ln_1p;
pub use rate_ratio::RateRatio;
pub use ratio_grid::{Hypothesis, RatioGrid};
pub use score::ScoreMixture;

mod elementary;
mod rate_ratio;
mod ratio_grid;
mod score;

/// What one arm did in a window.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a pair of counts")]
pub struct Arm {
    /// Completed requests, or another exposure that both arms count alike, as seconds of running instances.
    pub exposure: u64,
    /// Failures among them.
    pub failures: u64,
}

impl Arm {
    /// `failures` among `exposure`.
    pub const fn new(exposure: u64, failures: u64) -> Self {
        Self { exposure, failures }
    }

    pub(crate) fn plus(self, other: Self) -> Result<Self, EvidenceError> {
        let too_many = |what| EvidenceError::TooMany { what };
        Ok(Self {
            exposure: self.exposure.checked_add(other.exposure).ok_or(too_many("exposure"))?,
            failures: self.failures.checked_add(other.failures).ok_or(too_many("number of failures"))?,
        })
    }
}

/// Both arms in the same stretch of time.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a number and two pairs of counts")]
pub struct Window {
    /// Its number, which grows.
    pub id: u64,
    /// The arm that is known to be good.
    pub control: Arm,
    /// The arm in question.
    pub candidate: Arm,
}

impl Window {
    /// Both arms, each with the number of the window in which it was counted.
    ///
    /// # Errors
    ///
    /// [`EvidenceError::DifferentWindows`] where the numbers differ.
    pub fn paired(control: (u64, Arm), candidate: (u64, Arm)) -> Result<Self, EvidenceError> {
        let id = same_window(control.0, candidate.0)?;
        Ok(Self { id, control: control.1, candidate: candidate.1 })
    }

    /// The candidate's share of the exposure, or nothing where one arm had none.
    pub(crate) fn share(&self) -> Result<Option<f64>, EvidenceError> {
        for (arm, counts) in [("control", self.control), ("candidate", self.candidate)] {
            if counts.exposure == 0 && counts.failures > 0 {
                return Err(EvidenceError::FailuresWithoutExposure { arm, failures: counts.failures });
            }
        }
        if self.control.exposure == 0 || self.candidate.exposure == 0 {
            return Ok(None);
        }
        let (control, candidate) = (self.control.exposure as f64, self.candidate.exposure as f64);
        Ok(Some(candidate / (control + candidate)))
    }

    pub(crate) fn failures(&self) -> f64 {
        self.control.failures as f64 + self.candidate.failures as f64
    }
}

pub(crate) fn same_window(control: u64, candidate: u64) -> Result<u64, EvidenceError> {
    if control == candidate {
        Ok(control)
    } else {
        Err(EvidenceError::DifferentWindows { control, candidate })
    }
}

/// The evidence of a [`RatioGrid`] over windows of failures.
///
/// Observing takes no memory and a fixed number of operations. The state holds its grid, its margin and the last
/// window; a newer or damaged stored form is refused when it is read.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct CounterGrid {
    grid: RatioGrid,
    sums: Vec<f64>,
    log_e: f64,
    control: Arm,
    candidate: Arm,
    progress: Progress,
}

impl CounterGrid {
    /// No evidence yet.
    pub fn new(grid: RatioGrid) -> Self {
        let sums = vec![0.0; grid.count()];
        Self {
            log_e: grid.mixed(&sums),
            grid,
            sums,
            control: Arm::default(),
            candidate: Arm::default(),
            progress: Progress::default(),
        }
    }

    /// The grid, with the hypothesis and its margin.
    pub fn grid(&self) -> &RatioGrid {
        &self.grid
    }

    /// What control and candidate did in all windows. For display: their ratio mixes base rates.
    pub fn totals(&self) -> (Arm, Arm) {
        (self.control, self.candidate)
    }

    /// The number of windows taken note of.
    pub fn windows(&self) -> u64 {
        self.progress.windows
    }

    /// The number of the last window.
    pub fn last_window(&self) -> Option<u64> {
        self.progress.last
    }

    /// The window at which the evidence was strongest.
    pub fn peak_window(&self) -> Option<u64> {
        self.progress.peak_window
    }

    /// Adds a window. On an error nothing has changed.
    ///
    /// # Errors
    ///
    /// [`EvidenceError::FailuresWithoutExposure`] for failures of an arm without exposure; [`EvidenceError::TooMany`] for totals
    /// above 64 bits.
    pub fn observe(&mut self, window: &Window) -> Result<Observed, EvidenceError> {
        if self.progress.has_seen(window.id) {
            return Ok(Observed::AlreadySeen);
        }
        let share = window.share()?;
        let control = self.control.plus(window.control)?;
        let candidate = self.candidate.plus(window.candidate)?;
        (self.control, self.candidate) = (control, candidate);
        self.progress.pass(window.id);
        let failures = window.failures();
        let Some(share) = share.filter(|_| failures > 0.0) else { return Ok(Observed::NoInformation) };
        let failed = window.candidate.failures as f64;
        let scale = self.grid.scale(share);
        let ratios = self.grid.ln_ratios().iter().zip(self.grid.excesses());
        for (sum, (ln_ratio, excess)) in self.sums.iter_mut().zip(ratios) {
            *sum += failed * ln_ratio - failures * ln_1p(scale * excess);
        }
        self.look();
        Ok(Observed::Counted)
    }

    /// Adds the evidence of other windows, none of which stands in both.
    ///
    /// The order does not matter to [`EProcess::log_e`] beyond rounding; of the peaks, that of the earlier windows is
    /// kept, as only that one was a moment of the whole.
    ///
    /// # Errors
    ///
    /// [`EvidenceError::Different`] for another grid or margin; [`EvidenceError::Overlapping`] for windows that stand in both;
    /// [`EvidenceError::TooMany`] for totals above 64 bits. Nothing has changed then.
    pub fn merge(&mut self, other: &Self) -> Result<(), EvidenceError> {
        let progress = self.progress.followed(&other.progress)?;
        self.add(other, progress)
    }

    /// Adds the evidence of another stratum of the same windows: other subjects, in *both* arms.
    ///
    /// Two strata that share a control arm are not independent, and their evidence must not be merged; sum their
    /// counts instead, or take the mean of their e-values. What came before the merge is not a look at the whole: the
    /// peak starts again from the sum.
    ///
    /// # Errors
    ///
    /// As [`merge`](Self::merge), but the windows may be the same.
    pub fn merge_stratum(&mut self, other: &Self) -> Result<(), EvidenceError> {
        let progress = self.progress.beside(&other.progress);
        self.add(other, progress)
    }

    fn add(&mut self, other: &Self, progress: Progress) -> Result<(), EvidenceError> {
        if self.grid != other.grid {
            return Err(EvidenceError::Different { what: "the grids of rate ratios" });
        }
        let control = self.control.plus(other.control)?;
        let candidate = self.candidate.plus(other.candidate)?;
        (self.control, self.candidate, self.progress) = (control, candidate, progress);
        for (sum, more) in self.sums.iter_mut().zip(&other.sums) {
            *sum += more;
        }
        self.look();
        Ok(())
    }

    fn look(&mut self) {
        self.log_e = self.grid.mixed(&self.sums);
        self.progress.look(self.log_e);
    }
}

impl EProcess for CounterGrid {
    fn log_e(&self) -> f64 {
        self.log_e
    }

    fn peak(&self) -> f64 {
        self.progress.peak
    }
}

/// The logarithm of `Σ exp(x)`, summed in the order given.
pub(crate) fn log_sum_exp(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    elementary::log_sum_exp::<0>(std::iter::empty(), terms)
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: SchemaVersion,
    grid: RatioGrid,
    log_likelihoods: Vec<f64>,
    control: Arm,
    candidate: Arm,
    progress: Progress,
}

impl From<CounterGrid> for Stored {
    fn from(state: CounterGrid) -> Self {
        let CounterGrid { grid, sums, log_e: _, control, candidate, progress } = state;
        Self { version: SchemaVersion, grid, log_likelihoods: sums, control, candidate, progress }
    }
}

impl TryFrom<Stored> for CounterGrid {
    type Error = EvidenceError;

    fn try_from(stored: Stored) -> Result<Self, EvidenceError> {
        let Stored { version: SchemaVersion, grid, log_likelihoods: sums, control, candidate, progress } =
            stored;
        check_sums(&grid, &sums)?;
        progress.check()?;
        let log_e = grid.mixed(&sums);
        Ok(Self { grid, sums, log_e, control, candidate, progress })
    }
}

pub(crate) fn check_sums(grid: &RatioGrid, sums: &[f64]) -> Result<(), EvidenceError> {
    let expected = grid.count();
    if sums.len() != expected {
        return Err(EvidenceError::Shape { what: "the list of log-likelihoods", got: sums.len(), expected });
    }
    if sums.iter().any(|sum| !sum.is_finite()) {
        return Err(EvidenceError::Damaged { what: "a log-likelihood is not finite" });
    }
    Ok(())
}
