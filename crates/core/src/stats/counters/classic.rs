//! Classic histograms: cumulative buckets by upper bound.

use super::{CounterError, Quantile, checked, whole};
use crate::stats::Undefined;

/// One sample of a classic histogram, or a sum of increases: cumulative counts by upper bound (`le`).
#[derive(Clone, Debug, PartialEq)]
pub struct ClassicHistogram {
    /// Increasing in the bound; the last one is infinite. Cumulative and never falling.
    buckets: Vec<(f64, f64)>,
}

/// Counts of observations between edges: one below the first edge, one between each two, one above the last.
#[derive(Clone, Debug, PartialEq)]
pub struct BucketCounts {
    edges: Vec<f64>,
    counts: Vec<u64>,
}

impl ClassicHistogram {
    /// Of bounds and cumulative counts in any order. Equal bounds are added; a count below that of a smaller bound is
    /// raised to it, and one that differs by 10⁻¹² is taken as equal, as Prometheus does.
    ///
    /// # Errors
    ///
    /// [`CounterError::NoInfiniteBucket`] without `+Inf`; [`CounterError::BadShape`] for a bound that is NaN;
    /// [`CounterError::NotACount`] for a count that is NaN, infinite or below 0.
    pub fn new(buckets: impl IntoIterator<Item = (f64, f64)>) -> Result<Self, CounterError> {
        let mut sorted: Vec<(f64, f64)> = buckets.into_iter().collect();
        for (bound, count) in &sorted {
            if bound.is_nan() {
                let remedy = "bounds are numbers or `+Inf`";
                return Err(CounterError::BadShape { what: "bound of a bucket", value: *bound, remedy });
            }
            checked("count of a bucket", *count)?;
        }
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut buckets: Vec<(f64, f64)> = Vec::with_capacity(sorted.len());
        for (bound, count) in sorted {
            match buckets.last_mut() {
                Some(last) if last.0 == bound => last.1 += count,
                _ => buckets.push((bound, count)),
            }
        }
        if buckets.last().is_none_or(|(bound, _)| *bound != f64::INFINITY) {
            return Err(CounterError::NoInfiniteBucket);
        }
        let mut before = 0.0;
        for (_, count) in &mut buckets {
            let noise = (*count - before).abs() <= SMALL * (*count + before);
            if *count < before || noise {
                *count = before;
            }
            before = *count;
        }
        Ok(Self { buckets })
    }

    /// The number of observations.
    pub fn total(&self) -> f64 {
        self.buckets.last().map_or(0.0, |(_, count)| *count)
    }

    /// The observations since an earlier sample of the same series. Where any bucket has shrunk, the process was
    /// started anew, and all of it counts.
    ///
    /// # Errors
    ///
    /// [`CounterError::BucketsChanged`] for other bounds: take this sample as a new baseline. [`CounterError::Fractional`] for
    /// counts that are not raw.
    pub fn since(&self, earlier: &Self) -> Result<BucketCounts, CounterError> {
        let same = |(now, then): (&(f64, f64), &(f64, f64))| now.0 == then.0;
        if self.buckets.len() != earlier.buckets.len() || !self.buckets.iter().zip(&earlier.buckets).all(same)
        {
            return Err(CounterError::BucketsChanged {
                before: earlier.buckets.len(),
                after: self.buckets.len(),
            });
        }
        let reset = self.buckets.iter().zip(&earlier.buckets).any(|(now, then)| now.1 < then.1);
        let mut counts = Vec::with_capacity(self.buckets.len());
        let mut below = 0;
        for ((_, now), (_, then)) in self.buckets.iter().zip(&earlier.buckets) {
            // Differences of buckets that were raised may fall again.
            let cumulative = whole(if reset { *now } else { now - then })?.max(below);
            counts.push(cumulative - below);
            below = cumulative;
        }
        let edges = self.buckets.iter().map(|(bound, _)| *bound).filter(|bound| bound.is_finite()).collect();
        Ok(BucketCounts { edges, counts })
    }

    /// The `q`-quantile, by straight lines inside a bucket; from 0 in the first one if its bound is above 0. For display
    /// only: the value depends on the bounds.
    ///
    /// # Errors
    ///
    /// [`Undefined::OutOfRange`] for a `q` that is no share, [`Undefined::TooFew`] for a single bucket, and
    /// [`Undefined::NoInformation`] without observations.
    pub fn quantile(&self, q: f64) -> Result<Quantile, Undefined> {
        crate::stats::require("q", q, (0.0..=1.0).contains(&q), "between 0 and 1")?;
        if self.buckets.len() < 2 {
            return Err(Undefined::TooFew {
                what: "the list of buckets",
                got: self.buckets.len() as u64,
                needed: 2,
            });
        }
        let total = self.total();
        if total == 0.0 {
            return Err(Undefined::NoInformation {
                what: "an empty histogram",
                remedy: "wait for observations",
            });
        }
        let rank = q * total;
        let (mut bound_below, mut count_below, mut first) = (0.0, 0.0, true);
        for (bound, count) in &self.buckets {
            if bound.is_infinite() && *bound > 0.0 {
                break;
            }
            if *count >= rank {
                let value = if first && *bound <= 0.0 {
                    *bound
                } else if *count == count_below {
                    bound_below
                } else {
                    bound_below + (bound - bound_below) * ((rank - count_below) / (count - count_below))
                };
                return Ok(Quantile { value, censored: false });
            }
            (bound_below, count_below, first) = (*bound, *count, false);
        }
        Ok(Quantile { value: bound_below, censored: true })
    }
}

impl BucketCounts {
    /// Of finite edges that increase, and one count more than edges.
    ///
    /// # Errors
    ///
    /// [`CounterError::BadShape`] for edges that do not increase or are not finite, or another number of counts.
    pub fn new(edges: Vec<f64>, counts: Vec<u64>) -> Result<Self, CounterError> {
        let mut before = f64::NEG_INFINITY;
        for edge in &edges {
            if !edge.is_finite() || *edge <= before {
                let remedy = "edges are finite and increase";
                return Err(CounterError::BadShape { what: "edge", value: *edge, remedy });
            }
            before = *edge;
        }
        if counts.len() != edges.len() + 1 {
            let value = counts.len() as f64;
            let remedy = "give one more than edges";
            return Err(CounterError::BadShape { what: "number of counts", value, remedy });
        }
        Ok(Self { edges, counts })
    }

    /// The edges.
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// The counts: below the first edge (it included), between each two, above the last.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The edges that both have. Comparing over these guesses nothing.
    pub fn common_edges(&self, other: &Self) -> Vec<f64> {
        self.edges.iter().copied().filter(|edge| other.edges.contains(edge)).collect()
    }

    /// The same observations over fewer edges, each of which must be one of these.
    ///
    /// # Errors
    ///
    /// [`CounterError::NoSuchEdge`] for an edge that is none of these; [`CounterError::BadShape`] for edges that do not increase.
    pub fn over(&self, edges: &[f64]) -> Result<Self, CounterError> {
        let mut coarse = Self::new(edges.to_vec(), vec![0; edges.len() + 1])?;
        for edge in edges {
            if !self.edges.contains(edge) {
                return Err(CounterError::NoSuchEdge { edge: *edge });
            }
        }
        for (index, count) in self.counts.iter().enumerate() {
            let bucket = match self.edges.get(index) {
                Some(bound) => edges.partition_point(|edge| edge < bound),
                None => edges.len(),
            };
            if let Some(sum) = coarse.counts.get_mut(bucket) {
                *sum = sum
                    .checked_add(*count)
                    .ok_or(CounterError::TooMany { what: "number of observations" })?;
            }
        }
        Ok(coarse)
    }

    /// Adds the observations of another series over the same edges.
    ///
    /// # Errors
    ///
    /// [`CounterError::BucketsChanged`] for other edges; [`CounterError::TooMany`] for sums above 64 bits. Nothing has changed
    /// then.
    pub fn add(&mut self, other: &Self) -> Result<(), CounterError> {
        if self.edges != other.edges {
            return Err(CounterError::BucketsChanged { before: self.edges.len(), after: other.edges.len() });
        }
        let sums = self.counts.iter().zip(&other.counts).map(|(count, more)| count.checked_add(*more));
        self.counts =
            sums.collect::<Option<_>>().ok_or(CounterError::TooMany { what: "number of observations" })?;
        Ok(())
    }
}

/// The relative difference of neighbours that is taken as noise of floating-point sums.
const SMALL: f64 = 1e-12;
