//! Whether subjects were split as planned, at every look.
//!
//! Under the plan each subject falls to arm `i` with probability `θᵢ`; the counts are compared with a Dirichlet mixture
//! of other splits around it, `ln E = ln B(a + X) − ln B(a) − Σ Xᵢ ln θᵢ` with prior `a = k θ` (Lindon & Malek 2022,
//! arXiv 2011.03567). An e-process for batches of any size at any time, as long as the split is constant; after a
//! change of the split go on with [`SampleRatio::next_stage`], which multiplies the evidence of the stages.
//!
//! The verdict is "the comparison is invalid", to be given with a small error probability, 10⁻³ say. It must never hide
//! that a candidate does harm: one that loses its own subjects looks like this.

use libm::log;
use serde::{Deserialize, Serialize};

use super::{
    Interval, Undefined,
    evidence::{EProcess, EvidenceError, Observed, SchemaVersion},
    positive, probability, require,
    special::{ln_dirichlet_scaled, root},
};

/// The evidence against a planned split. State of one count for each arm and a few numbers.
///
/// ```
/// use serinus_core::stats::{evidence::EProcess, sample_ratio::SampleRatio};
///
/// let mut ratio = SampleRatio::new(&[0.5, 0.5], 100.0)?;
/// let _ = ratio.observe(1, &[10_000, 10_100])?;
/// assert!(!ratio.rejects(0.001)?);
/// let _ = ratio.observe(2, &[10_000, 9_000])?;
/// assert!(ratio.rejects(0.001)?);
/// # Ok::<(), serinus_core::stats::evidence::EvidenceError>(())
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct SampleRatio {
    shares: Vec<f64>,
    concentration: f64,
    counts: Vec<u64>,
    /// The evidence of the stages before.
    carried: f64,
    log_e: f64,
    peak: f64,
    last_batch: Option<u64>,
}

impl SampleRatio {
    /// Against the split `shares`: two or more, each above 0, adding to 1 (within 10⁻⁹; weights are divided by their
    /// sum first by [`SampleRatio::of_weights`]). `concentration`, 100 to 1000, is the weight of the prior in subjects:
    /// the larger, the smaller the deviations it looks for.
    ///
    /// # Errors
    ///
    /// Fewer than two shares, one that is not above 0, shares that do not add to 1; a `concentration` that is not a finite
    /// number above 0.
    pub fn new(shares: &[f64], concentration: f64) -> Result<Self, Undefined> {
        let total: f64 = shares.iter().sum();
        require("shares", total, (total - 1.0).abs() < 1e-9, "shares that add to 1")?;
        Self::of_weights(shares, concentration)
    }

    /// Against the split in proportion to `weights`.
    ///
    /// # Errors
    ///
    /// Fewer than two weights, one that is not a finite number above 0; a `concentration` that is not a finite number above 0.
    pub fn of_weights(weights: &[f64], concentration: f64) -> Result<Self, Undefined> {
        positive("concentration", concentration)?;
        if weights.len() < 2 {
            return Err(Undefined::TooFew { what: "the split", got: weights.len() as u64, needed: 2 });
        }
        for weight in weights {
            positive("shares", *weight)?;
        }
        let total = positive("shares", weights.iter().sum())?;
        let shares: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
        for share in &shares {
            positive("shares", concentration * share)?;
        }
        let counts = vec![0; shares.len()];
        Ok(Self { shares, concentration, counts, carried: 0.0, log_e: 0.0, peak: 0.0, last_batch: None })
    }

    /// The subjects of each arm in this stage.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Adds the subjects of a batch, one count for each arm.
    ///
    /// # Errors
    ///
    /// A batch of another number of arms; a total above 64 bits. Nothing has changed then.
    pub fn observe(&mut self, batch: u64, counts: &[u64]) -> Result<Observed, EvidenceError> {
        if self.last_batch.is_some_and(|last| batch <= last) {
            return Ok(Observed::AlreadySeen);
        }
        if counts.len() != self.counts.len() {
            return Err(EvidenceError::Shape {
                what: "the batch",
                got: counts.len(),
                expected: self.counts.len(),
            });
        }
        if self.counts.iter().zip(counts).any(|(count, more)| count.checked_add(*more).is_none()) {
            return Err(EvidenceError::TooMany { what: "number of subjects" });
        }
        for (count, more) in self.counts.iter_mut().zip(counts) {
            *count = count.saturating_add(*more);
        }
        self.last_batch = Some(batch);
        if counts.iter().all(|count| *count == 0) {
            return Ok(Observed::NoInformation);
        }
        self.look();
        Ok(Observed::Counted)
    }

    /// The same test under another split from here on; the evidence so far is kept and multiplied by that to come.
    ///
    /// # Errors
    ///
    /// Another number of arms; shares as refused by [`new`](Self::new).
    pub fn next_stage(self, shares: &[f64]) -> Result<Self, Undefined> {
        if shares.len() != self.shares.len() {
            return Err(Undefined::Unequal {
                left: "the split before",
                left_length: self.shares.len(),
                right: "the split of the next stage",
                right_length: shares.len(),
            });
        }
        let next = Self::new(shares, self.concentration)?;
        Ok(Self {
            carried: self.log_e,
            log_e: self.log_e,
            peak: self.peak,
            last_batch: self.last_batch,
            ..next
        })
    }

    /// Adds what another observer has counted of other subjects under the same split. Both must be in their first
    /// stage; the batches are the observers' own, so that the larger number is kept.
    ///
    /// # Errors
    ///
    /// Another split or another concentration, a state in its second stage, totals above 64 bits. Nothing has changed then.
    pub fn merge(&mut self, other: &Self) -> Result<(), EvidenceError> {
        if self.shares != other.shares || self.concentration != other.concentration {
            return Err(EvidenceError::Different { what: "the planned splits" });
        }
        if self.carried != 0.0 || other.carried != 0.0 {
            return Err(EvidenceError::Different { what: "the stages before" });
        }
        if self.counts.iter().zip(&other.counts).any(|(count, more)| count.checked_add(*more).is_none()) {
            return Err(EvidenceError::TooMany { what: "number of subjects" });
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
        self.last_batch = self.last_batch.max(other.last_batch);
        self.peak = 0.0;
        self.look();
        Ok(())
    }

    /// Of two arms, the confidence sequence of the logarithm of `(θ₂/θ₁) / (planned θ₂/θ₁)`: of the rate ratio, where
    /// the counts are events and the shares those of the exposure. It holds at all times at once with probability
    /// `1 − alpha`; an end is infinite while the arm has had no event. Only the present stage counts.
    ///
    /// # Errors
    ///
    /// More than two arms; an `alpha` outside (0, 1).
    pub fn log_ratio_interval(&self, alpha: f64) -> Result<Interval, Undefined> {
        let threshold = -log(probability("alpha", alpha)?);
        let (&[first, second], &[count_first, count_second]) =
            (self.shares.as_slice(), self.counts.as_slice())
        else {
            return Err(Undefined::OutOfRange {
                name: "arms",
                value: self.shares.len() as f64,
                expected: "two, as a ratio compares two",
            });
        };
        let prior = ln_dirichlet_scaled(self.prior());
        let (x, y) = (count_first as f64, count_second as f64);
        let log_e = |log_ratio: f64| {
            // The shares under the ratio, each from its own logistic form.
            let odds = log(second / first) + log_ratio;
            let (one, two) = (1.0 / (1.0 + libm::exp(odds)), 1.0 / (1.0 + libm::exp(-odds)));
            // The prior stays where it was fixed: its normaliser is taken at the plan.
            let integral = ln_dirichlet_scaled(
                [(self.concentration * first + x, one), (self.concentration * second + y, two)].into_iter(),
            );
            let moved = self.concentration * (first * log(one / first) + second * log(two / second));
            integral - prior + moved
        };
        let centre =
            log((self.concentration * second + y) / (self.concentration * first + x)) - log(second / first);
        let inside = |log_ratio: f64| log_e(log_ratio) < threshold;
        // Where an arm has had no event, the likelihood is flat towards it.
        let upper = if count_first == 0 { f64::INFINITY } else { root::bisect(centre, FARTHEST, inside) };
        let lower = if count_second == 0 {
            f64::NEG_INFINITY
        } else {
            -root::bisect(-centre, FARTHEST, |negated| inside(-negated))
        };
        Ok(Interval::new(lower, upper))
    }

    fn prior(&self) -> impl Iterator<Item = (f64, f64)> + Clone {
        self.shares.iter().map(|share| (self.concentration * share, *share))
    }

    fn look(&mut self) {
        let counts = self.counts.iter().map(|count| *count as f64);
        let with_data = self.prior().zip(counts).map(|((prior, share), count)| (prior + count, share));
        let evidence = ln_dirichlet_scaled(with_data) - ln_dirichlet_scaled(self.prior());
        self.log_e = self.carried + evidence;
        self.peak = self.peak.max(self.log_e);
    }
}

impl EProcess for SampleRatio {
    fn log_e(&self) -> f64 {
        self.log_e
    }

    fn peak(&self) -> f64 {
        self.peak
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: SchemaVersion,
    shares: Vec<f64>,
    concentration: f64,
    counts: Vec<u64>,
    carried: f64,
    peak: f64,
    last_batch: Option<u64>,
}

impl From<SampleRatio> for Stored {
    fn from(state: SampleRatio) -> Self {
        let SampleRatio { shares, concentration, counts, carried, log_e: _, peak, last_batch } = state;
        Self { version: SchemaVersion, shares, concentration, counts, carried, peak, last_batch }
    }
}

impl TryFrom<Stored> for SampleRatio {
    type Error = EvidenceError;

    fn try_from(stored: Stored) -> Result<Self, EvidenceError> {
        let Stored { version: SchemaVersion, shares, concentration, counts, carried, peak, last_batch } =
            stored;
        let total: f64 = shares.iter().sum();
        require("shares", total, (total - 1.0).abs() < 1e-9, "shares that add to 1")?;
        let fresh = Self::of_weights(&shares, concentration)?;
        if counts.len() != shares.len() {
            return Err(EvidenceError::Shape {
                what: "the counts",
                got: counts.len(),
                expected: shares.len(),
            });
        }
        if !(peak >= 0.0 && peak.is_finite() && carried.is_finite()) {
            return Err(EvidenceError::Damaged { what: "its evidence is no number" });
        }
        // The shares as they were stored: dividing them again would move the last bit.
        let mut state = Self { shares, counts, carried, peak: 0.0, last_batch, ..fresh };
        state.look();
        state.peak = peak;
        Ok(state)
    }
}

/// Beyond the logarithm of any ratio of doubles.
const FARTHEST: f64 = 1500.0;
