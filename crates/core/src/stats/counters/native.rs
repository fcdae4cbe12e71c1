//! Native histograms: exponential buckets.

use std::collections::BTreeMap;

use libm::{exp2, log2};

use super::{BucketCounts, CounterError, Quantile, checked};
use crate::stats::Undefined;

/// One sample of a native histogram, or a sum of increases.
///
/// Bucket `i` of schema `s` holds the observations in `(2^((i−1)·2⁻ˢ), 2^(i·2⁻ˢ)]`, the negative ones mirrored; the
/// zero bucket those within `zero_threshold` of 0.
#[derive(Clone, Debug, PartialEq)]
pub struct NativeHistogram {
    schema: i8,
    zero_threshold: f64,
    zero_count: u64,
    positive: BTreeMap<i32, u64>,
    negative: BTreeMap<i32, u64>,
    /// Of all observations, those of NaN included, which are in no bucket.
    total: u64,
}

impl NativeHistogram {
    /// Of a schema from −4 to 8, a zero bucket and counts by index. The total is that of the buckets; set another with
    /// [`NativeHistogram::with_total`].
    ///
    /// # Errors
    ///
    /// [`CounterError::BadShape`] for another schema; [`CounterError::NotACount`] for a threshold that is NaN, infinite or below
    /// 0; [`CounterError::TooMany`] for sums above 64 bits.
    pub fn new(
        schema: i8,
        zero_threshold: f64,
        zero_count: u64,
        positive: BTreeMap<i32, u64>,
        negative: BTreeMap<i32, u64>,
    ) -> Result<Self, CounterError> {
        if !(-4..=8).contains(&schema) {
            let remedy = "exponential schemas go from -4 to 8";
            return Err(CounterError::BadShape { what: "schema", value: f64::from(schema), remedy });
        }
        checked("zero threshold", zero_threshold)?;
        let counts = positive.values().chain(negative.values()).copied();
        let total = counts.clone().try_fold(zero_count, u64::checked_add);
        let total = total.ok_or(CounterError::TooMany { what: "number of observations" })?;
        Ok(Self { schema, zero_threshold, zero_count, positive, negative, total })
    }

    /// The same with another total: one that counts observations of NaN too.
    ///
    /// # Errors
    ///
    /// [`CounterError::BadShape`] for a total below that of the buckets.
    pub fn with_total(self, total: u64) -> Result<Self, CounterError> {
        if total < self.in_buckets() {
            let remedy = "it is at least the sum of the buckets";
            return Err(CounterError::BadShape { what: "total", value: total as f64, remedy });
        }
        Ok(Self { total, ..self })
    }

    /// The number of observations, of NaN too.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The schema: the larger, the finer.
    pub fn schema(&self) -> i8 {
        self.schema
    }

    /// The same observations in the buckets of a coarser schema.
    ///
    /// # Errors
    ///
    /// [`CounterError::BadShape`] for a finer schema.
    pub fn coarsened(&self, schema: i8) -> Result<Self, CounterError> {
        if !(-4..=self.schema).contains(&schema) {
            let remedy = "buckets can be merged, not split";
            return Err(CounterError::BadShape { what: "schema", value: f64::from(schema), remedy });
        }
        let shift = u32::from(self.schema.abs_diff(schema));
        let merged = |buckets: &BTreeMap<i32, u64>| {
            let mut merged = BTreeMap::new();
            for (index, count) in buckets {
                // Upwards: the bounds of the coarser schema are upper bounds of the finer.
                let index = (index.saturating_sub(1) >> shift) + 1;
                let sum: &mut u64 = merged.entry(index).or_default();
                *sum = sum.saturating_add(*count);
            }
            merged
        };
        let (positive, negative) = (merged(&self.positive), merged(&self.negative));
        Ok(Self { schema, positive, negative, ..self.clone() })
    }

    /// The same observations with a zero bucket of at least `threshold`; one that would cut a bucket is widened to
    /// the bucket's bound.
    ///
    /// # Errors
    ///
    /// [`CounterError::BadShape`] for a smaller threshold; [`CounterError::NotACount`] for one that is NaN or infinite.
    pub fn with_zero_threshold(&self, threshold: f64) -> Result<Self, CounterError> {
        checked("zero threshold", threshold)?;
        if threshold < self.zero_threshold {
            let remedy = "the zero bucket can grow, not shrink";
            return Err(CounterError::BadShape { what: "zero threshold", value: threshold, remedy });
        }
        let mut wide = Self { zero_threshold: threshold, ..self.clone() };
        loop {
            let lower = |index: &i32| bound(self.schema, index.saturating_sub(1));
            let inside = |buckets: &BTreeMap<i32, u64>| {
                buckets
                    .iter()
                    .filter(|(_, count)| **count > 0)
                    .map(|(index, _)| *index)
                    .find(|index| lower(index) < wide.zero_threshold)
            };
            let found = inside(&wide.positive).map(|index| (index, true));
            let Some((index, positive)) = found.or(inside(&wide.negative).map(|index| (index, false))) else {
                break;
            };
            let buckets = if positive { &mut wide.positive } else { &mut wide.negative };
            let count = buckets.remove(&index).unwrap_or_default();
            wide.zero_count = wide.zero_count.saturating_add(count);
            wide.zero_threshold = wide.zero_threshold.max(bound(self.schema, index));
        }
        Ok(wide)
    }

    /// The observations since an earlier sample of the same series.
    ///
    /// All of them, if the process was started anew: a count has shrunk, the schema has become finer or the zero
    /// threshold smaller. Where the schema has become coarser, the earlier sample is made so first.
    ///
    /// # Errors
    ///
    /// [`CounterError::NotACount`] where the zero bucket would have to be infinite.
    pub fn since(&self, earlier: &Self) -> Result<Self, CounterError> {
        if self.schema > earlier.schema
            || self.zero_threshold < earlier.zero_threshold
            || self.total < earlier.total
        {
            return Ok(self.clone());
        }
        let earlier = earlier.coarsened(self.schema)?.with_zero_threshold(self.zero_threshold)?;
        if self.zero_threshold < earlier.zero_threshold {
            // A threshold inside a bucket cannot be compared with one that was widened to the next bound.
            return self.with_zero_threshold(earlier.zero_threshold)?.since(&earlier);
        }
        let left = |now: &BTreeMap<i32, u64>, then: &BTreeMap<i32, u64>| {
            let mut left = now.clone();
            for (index, count) in then.iter().filter(|(_, count)| **count > 0) {
                let now = left.get_mut(index)?;
                *now = now.checked_sub(*count)?;
            }
            left.retain(|_, count| *count > 0);
            Some(left)
        };
        let zero_count = self.zero_count.checked_sub(earlier.zero_count);
        let (positive, negative) =
            (left(&self.positive, &earlier.positive), left(&self.negative, &earlier.negative));
        let (Some(zero_count), Some(positive), Some(negative)) = (zero_count, positive, negative) else {
            return Ok(self.clone());
        };
        let total = self.total - earlier.total;
        let delta = Self::new(self.schema, self.zero_threshold, zero_count, positive, negative)?;
        let total = total.max(delta.total);
        Ok(Self { total, ..delta })
    }

    /// Counts over the upper bounds of all buckets that hold something, for positive observations; negative ones and
    /// those of the zero bucket are below the first edge, which is the zero threshold. Observations of NaN are left out.
    ///
    /// # Errors
    ///
    /// [`CounterError::TooMany`] for sums above 64 bits.
    pub fn bucket_counts(&self) -> Result<BucketCounts, CounterError> {
        let below = self.negative.values().try_fold(self.zero_count, |sum, count| sum.checked_add(*count));
        let mut counts = vec![below.ok_or(CounterError::TooMany { what: "number of observations" })?];
        let mut edges = vec![self.zero_threshold];
        let mut above = 0_u64;
        for (index, count) in self.positive.iter().filter(|(_, count)| **count > 0) {
            let (lower, upper) = (bound(self.schema, index.saturating_sub(1)), bound(self.schema, *index));
            let last = edges.last().copied().unwrap_or_default();
            if lower > last && lower.is_finite() {
                edges.push(lower);
                counts.push(0);
            }
            if upper.is_infinite() {
                above = above.saturating_add(*count);
            } else if upper > last {
                edges.push(upper);
                counts.push(*count);
            } else if let Some(sum) = counts.last_mut() {
                *sum = sum.saturating_add(*count);
            }
        }
        counts.push(above);
        BucketCounts::new(edges, counts)
    }

    /// The `q`-quantile, by exponential interpolation inside a bucket and by straight lines in the zero bucket, which
    /// reaches below 0 only where there are negative observations. For display only.
    ///
    /// # Errors
    ///
    /// [`Undefined::OutOfRange`] for a `q` that is no share, [`Undefined::NoInformation`] without observations, or
    /// where the quantile falls among observations of NaN, which count as the greatest.
    pub fn quantile(&self, q: f64) -> Result<Quantile, Undefined> {
        crate::stats::require("q", q, (0.0..=1.0).contains(&q), "between 0 and 1")?;
        let nothing =
            Undefined::NoInformation { what: "a histogram without numbers", remedy: "wait for observations" };
        if self.in_buckets() == 0 {
            return Err(nothing);
        }
        let total = self.total as f64;
        // From the nearer end, so that large totals lose nothing; with observations of NaN from below only.
        let forward = q < 0.5 || self.total > self.in_buckets();
        let rank = if forward { q * total } else { (1.0 - q) * total };
        let mut count = 0.0;
        let buckets = self.buckets();
        let ordered: &mut dyn Iterator<Item = &(f64, f64, f64)> =
            if forward { &mut buckets.iter() } else { &mut buckets.iter().rev() };
        for (lower, upper, inside) in ordered {
            count += inside;
            if count >= rank {
                let within = if forward { rank - (count - inside) } else { count - rank };
                let value = interpolated(*lower, *upper, (within / inside).clamp(0.0, 1.0));
                return Ok(Quantile { value, censored: false });
            }
        }
        Err(nothing)
    }

    /// Lower and upper bound and count of all buckets that hold something, in increasing order.
    fn buckets(&self) -> Vec<(f64, f64, f64)> {
        let filled = |buckets: &BTreeMap<i32, u64>| {
            let held = buckets.iter().filter(|(_, count)| **count > 0);
            held.map(|(index, count)| {
                (bound(self.schema, index.saturating_sub(1)), bound(self.schema, *index), *count as f64)
            })
            .collect::<Vec<_>>()
        };
        let (positive, negative) = (filled(&self.positive), filled(&self.negative));
        let mut buckets: Vec<_> =
            negative.iter().rev().map(|(lower, upper, count)| (-upper, -lower, *count)).collect();
        if self.zero_count > 0 {
            let lower = if negative.is_empty() && !positive.is_empty() { 0.0 } else { -self.zero_threshold };
            let upper = if positive.is_empty() && !negative.is_empty() { 0.0 } else { self.zero_threshold };
            buckets.push((lower, upper, self.zero_count as f64));
        }
        buckets.extend(positive);
        buckets
    }

    fn in_buckets(&self) -> u64 {
        let counts = self.positive.values().chain(self.negative.values());
        counts.fold(self.zero_count, |sum, count| sum.saturating_add(*count))
    }
}

/// The upper bound of a positive bucket. The one that would be 2¹⁰²⁴ is the greatest number, as Prometheus has it, so
/// that the bucket above holds infinity alone.
fn bound(schema: i8, index: i32) -> f64 {
    let exponent = f64::from(index) * exp2(-f64::from(schema));
    if exponent == 1024.0 { f64::MAX } else { exp2(exponent) }
}

/// The place a share of the way from `lower` to `upper`.
fn interpolated(lower: f64, upper: f64, share: f64) -> f64 {
    if lower == upper || lower.is_infinite() || upper.is_infinite() {
        return upper;
    }
    if lower <= 0.0 && upper >= 0.0 {
        return lower + (upper - lower) * share;
    }
    let (from, to) = (log2(lower.abs()), log2(upper.abs()));
    exp2(from + (to - from) * share).copysign(lower)
}
