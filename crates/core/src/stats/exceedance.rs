//! Latency, or any other value, as exceedance counts over fixed edges.
//!
//! For each edge the requests above it are failures in the sense of [`grid`](super::grid), and the mean of the
//! e-values of all edges is an e-value, however the edges depend on one another: `ln E = ln Σ wⱼ Eⱼ`. It works on
//! histograms as they are, within each window and so across ramps, on one side, and the edge with the strongest
//! evidence says where the latency moved. Bands over the whole distribution need ten times as long.
//!
//! The edges must be fixed before the data: bucket bounds of a histogram, or of a sketch with fixed buckets; never the
//! centroids of a t-digest.
//!
//! ```
//! use serinus_core::stats::{
//!     evidence::EProcess,
//!     exceedance::{BucketWindow, ExceedanceHistogram},
//!     grid::RatioGrid,
//! };
//!
//! // Requests up to 100 ms, up to 250 ms, up to 1 s, and above.
//! let mut slower = ExceedanceHistogram::new(RatioGrid::harm(1.1)?, &[0.1, 0.25, 1.0])?;
//! for id in 1..=8 {
//!     let (control, candidate) = ([900, 80, 15, 5], [88, 7, 1, 4]);
//!     let _ = slower.observe(&BucketWindow { id, control: &control, candidate: &candidate })?;
//! }
//! assert!(slower.rejects(0.01)?);
//! assert_eq!(slower.strongest_edge(), Some(1.0));
//! # Ok::<(), serinus_core::stats::evidence::EvidenceError>(())
//! ```

use libm::log;
use serde::{Deserialize, Serialize};

use super::{
    Interval, Undefined,
    evidence::{EProcess, EvidenceError, Observed, Progress, SchemaVersion},
    grid::{Arm, RatioGrid, check_sums, ln_1p, log_sum_exp, same_window},
    positive, require,
};

/// Both arms' requests by bucket in one window.
///
/// The buckets are those between the edges of the [`ExceedanceHistogram`], plus one below the first and one above the
/// last: one more than edges. Not cumulative.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a number and two lists of counts")]
pub struct BucketWindow<'a> {
    /// Its number, which grows.
    pub id: u64,
    /// The arm that is known to be good.
    pub control: &'a [u64],
    /// The arm in question.
    pub candidate: &'a [u64],
}

impl<'a> BucketWindow<'a> {
    /// Both arms, each with the number of the window in which it was counted.
    ///
    /// # Errors
    ///
    /// [`EvidenceError::DifferentWindows`] where the numbers differ.
    pub fn paired(control: (u64, &'a [u64]), candidate: (u64, &'a [u64])) -> Result<Self, EvidenceError> {
        let id = same_window(control.0, candidate.0)?;
        Ok(Self { id, control: control.1, candidate: candidate.1 })
    }
}

/// The evidence that the candidate exceeds some edge more often than the margin allows.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct ExceedanceHistogram {
    grid: RatioGrid,
    edges: Vec<Edge>,
    log_e: f64,
    progress: Progress,
    shared: Shared,
}

/// The terms of one window that all edges share; kept to observe without allocating, and no part of the state.
#[derive(Clone, Debug)]
struct Shared(Vec<f64>);

impl PartialEq for Shared {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Edge {
    at: f64,
    weight: f64,
    ln_weight: f64,
    sums: Vec<f64>,
    log_e: f64,
    control: Arm,
    candidate: Arm,
}

impl ExceedanceHistogram {
    /// Over `edges`, which increase and are finite, all of the same weight.
    ///
    /// # Errors
    ///
    /// No edges; edges that do not increase or are not finite.
    pub fn new(grid: RatioGrid, edges: &[f64]) -> Result<Self, Undefined> {
        Self::weighted(grid, edges, &vec![1.0; edges.len()])
    }

    /// Over `edges`, with weights above 0 in any unit: more for the edges of an objective.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); lists of different lengths, a weight that is not a finite number above 0.
    pub fn weighted(grid: RatioGrid, edges: &[f64], weights: &[f64]) -> Result<Self, Undefined> {
        if edges.is_empty() {
            return Err(Undefined::TooFew { what: "the list of edges", got: 0, needed: 1 });
        }
        if edges.len() != weights.len() {
            return Err(Undefined::Unequal {
                left: "the list of edges",
                left_length: edges.len(),
                right: "the list of weights",
                right_length: weights.len(),
            });
        }
        let mut before = f64::NEG_INFINITY;
        for edge in edges {
            require("edges", *edge, *edge > before && edge.is_finite(), "finite and above the edge before")?;
            before = *edge;
        }
        for weight in weights {
            positive("weights", *weight)?;
        }
        let total = positive("weights", weights.iter().sum())?;
        let empty = vec![0.0; grid.count()];
        let edge = |(at, weight): (&f64, &f64)| Edge {
            at: *at,
            weight: *weight,
            ln_weight: log(weight / total),
            sums: empty.clone(),
            log_e: grid.mixed(&empty),
            control: Arm::default(),
            candidate: Arm::default(),
        };
        let edges: Vec<Edge> = edges.iter().zip(weights).map(edge).collect();
        let mut state =
            Self { edges, log_e: 0.0, progress: Progress::default(), shared: Shared(empty.clone()), grid };
        state.log_e = state.mean();
        Ok(state)
    }

    /// The grid, with the hypothesis and its margin.
    pub fn grid(&self) -> &RatioGrid {
        &self.grid
    }

    /// The edges.
    pub fn edges(&self) -> impl Iterator<Item = f64> {
        self.edges.iter().map(|edge| edge.at)
    }

    /// Of each edge: where it is, the requests of control and of the candidate with those above it as failures, and
    /// its own log e-value.
    pub fn by_edge(&self) -> impl Iterator<Item = (f64, Arm, Arm, f64)> {
        self.edges.iter().map(|edge| (edge.at, edge.control, edge.candidate, edge.log_e))
    }

    /// The edge with the greatest e-value now; none before the first evidence.
    pub fn strongest_edge(&self) -> Option<f64> {
        let counted =
            self.edges.iter().filter(|edge| edge.control.failures > 0 || edge.candidate.failures > 0);
        counted.max_by(|a, b| a.log_e.total_cmp(&b.log_e)).map(|edge| edge.at)
    }

    /// The ratios of the shares above one of the edges that are not refuted with error probability `alpha`, at all times
    /// at once, where counts vary `dispersion` times as much as those of independent requests. The margin and the ratios
    /// of the grid are looked at, on one side of the margin; the ends are rounded outward to the next of them, and beyond
    /// they are 0 and infinite.
    ///
    /// # Errors
    ///
    /// An edge that is none of [`edges`](Self::edges); an `alpha` outside (0, 1); a `dispersion` that is not a finite
    /// number from 1.
    pub fn ratio_interval(&self, edge: f64, alpha: f64, dispersion: f64) -> Result<Interval, Undefined> {
        let found = self.edges.iter().find(|known| known.at == edge);
        let found =
            found.ok_or(Undefined::OutOfRange { name: "edge", value: edge, expected: "one of the edges" })?;
        self.grid.interval(&found.sums, alpha, dispersion)
    }

    /// The number of the last window.
    pub fn last_window(&self) -> Option<u64> {
        self.progress.last
    }

    /// Adds a window. On an error nothing has changed.
    ///
    /// # Errors
    ///
    /// [`EvidenceError::Shape`] for other buckets than those of the edges (after a deployment that changed them, start anew);
    /// [`EvidenceError::TooMany`] for totals above 64 bits.
    pub fn observe(&mut self, window: &BucketWindow<'_>) -> Result<Observed, EvidenceError> {
        if self.progress.has_seen(window.id) {
            return Ok(Observed::AlreadySeen);
        }
        let control = total("buckets of control", window.control, self.edges.len() + 1)?;
        let candidate = total("buckets of the candidate", window.candidate, self.edges.len() + 1)?;
        for edge in &self.edges {
            // The failures at any edge are at most the exposure.
            edge.control.plus(Arm::new(control, control))?;
            edge.candidate.plus(Arm::new(candidate, candidate))?;
        }
        self.progress.pass(window.id);
        let informative = control > 0 && candidate > 0;
        let share = candidate as f64 / (control as f64 + candidate as f64);
        if informative {
            let scale = self.grid.scale(share);
            for (shared, excess) in self.shared.0.iter_mut().zip(self.grid.excesses()) {
                *shared = ln_1p(scale * excess);
            }
        }
        let (mut above_control, mut above_candidate) = (control, candidate);
        let mut counted = false;
        for (edge, (below_control, below_candidate)) in
            self.edges.iter_mut().zip(window.control.iter().zip(window.candidate))
        {
            above_control = above_control.saturating_sub(*below_control);
            above_candidate = above_candidate.saturating_sub(*below_candidate);
            edge.control = edge.control.plus(Arm::new(control, above_control))?;
            edge.candidate = edge.candidate.plus(Arm::new(candidate, above_candidate))?;
            let (failed, failures) = (above_candidate as f64, above_control as f64 + above_candidate as f64);
            if !informative || failures == 0.0 {
                continue;
            }
            counted = true;
            for ((sum, ln_ratio), shared) in
                edge.sums.iter_mut().zip(self.grid.ln_ratios()).zip(&self.shared.0)
            {
                *sum += failed * ln_ratio - failures * shared;
            }
            edge.log_e = self.grid.mixed(&edge.sums);
        }
        if !counted {
            return Ok(Observed::NoInformation);
        }
        self.look();
        Ok(Observed::Counted)
    }

    /// Adds the evidence of other windows over the same edges, as
    /// [`CounterGrid::merge`](super::grid::CounterGrid::merge) does.
    ///
    /// # Errors
    ///
    /// [`EvidenceError::Different`] for another grid, other edges or weights; [`EvidenceError::Overlapping`] for windows that
    /// stand in both; [`EvidenceError::TooMany`]. Nothing has changed then.
    pub fn merge(&mut self, other: &Self) -> Result<(), EvidenceError> {
        let progress = self.progress.followed(&other.progress)?;
        if self.grid != other.grid {
            return Err(EvidenceError::Different { what: "the grids of rate ratios" });
        }
        let same = |(one, two): (&Edge, &Edge)| one.at == two.at && one.weight == two.weight;
        if self.edges.len() != other.edges.len() || !self.edges.iter().zip(&other.edges).all(same) {
            return Err(EvidenceError::Different { what: "the edges or their weights" });
        }
        for (edge, more) in self.edges.iter().zip(&other.edges) {
            edge.control.plus(more.control)?;
            edge.candidate.plus(more.candidate)?;
        }
        for (edge, more) in self.edges.iter_mut().zip(&other.edges) {
            edge.control = edge.control.plus(more.control)?;
            edge.candidate = edge.candidate.plus(more.candidate)?;
            for (sum, more) in edge.sums.iter_mut().zip(&more.sums) {
                *sum += more;
            }
            edge.log_e = self.grid.mixed(&edge.sums);
        }
        self.progress = progress;
        self.look();
        Ok(())
    }

    fn look(&mut self) {
        self.log_e = self.mean();
        self.progress.look(self.log_e);
    }

    fn mean(&self) -> f64 {
        log_sum_exp(self.edges.iter().map(|edge| edge.ln_weight + edge.log_e))
    }
}

impl EProcess for ExceedanceHistogram {
    fn log_e(&self) -> f64 {
        self.log_e
    }

    fn peak(&self) -> f64 {
        self.progress.peak
    }
}

fn total(what: &'static str, buckets: &[u64], expected: usize) -> Result<u64, EvidenceError> {
    if buckets.len() != expected {
        return Err(EvidenceError::Shape { what, got: buckets.len(), expected });
    }
    let sum = buckets.iter().try_fold(0_u64, |sum, bucket| sum.checked_add(*bucket));
    sum.ok_or(EvidenceError::TooMany { what: "number of requests" })
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: SchemaVersion,
    grid: RatioGrid,
    edges: Vec<StoredEdge>,
    progress: Progress,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredEdge {
    edge: f64,
    weight: f64,
    log_likelihoods: Vec<f64>,
    control: Arm,
    candidate: Arm,
}

impl From<ExceedanceHistogram> for Stored {
    fn from(state: ExceedanceHistogram) -> Self {
        let ExceedanceHistogram { grid, edges, log_e: _, progress, shared: _ } = state;
        let edges = edges.into_iter().map(|edge| StoredEdge {
            edge: edge.at,
            weight: edge.weight,
            log_likelihoods: edge.sums,
            control: edge.control,
            candidate: edge.candidate,
        });
        Self { version: SchemaVersion, grid, edges: edges.collect(), progress }
    }
}

impl TryFrom<Stored> for ExceedanceHistogram {
    type Error = EvidenceError;

    fn try_from(stored: Stored) -> Result<Self, EvidenceError> {
        let Stored { version: SchemaVersion, grid, edges, progress } = stored;
        progress.check()?;
        let at: Vec<f64> = edges.iter().map(|edge| edge.edge).collect();
        let weights: Vec<f64> = edges.iter().map(|edge| edge.weight).collect();
        let mut state = Self::weighted(grid, &at, &weights)?;
        for (edge, stored) in state.edges.iter_mut().zip(edges) {
            check_sums(&state.grid, &stored.log_likelihoods)?;
            edge.log_e = state.grid.mixed(&stored.log_likelihoods);
            edge.sums = stored.log_likelihoods;
            (edge.control, edge.candidate) = (stored.control, stored.candidate);
        }
        state.progress = progress;
        state.log_e = state.mean();
        Ok(state)
    }
}
