//! The test of Mann and Whitney, of samples and of histograms.

use super::{
    super::{Undefined, special},
    merged, sorted,
};

/// What two samples say about which of them tends to be greater.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MannWhitney {
    u: f64,
    control: f64,
    candidate: f64,
    /// `Σ (t³ - t)` over groups of tied observations.
    ties: f64,
}

/// Tail probabilities of a rank statistic.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RankTest {
    /// As far from its mean as the one seen.
    pub two_sided: f64,
    /// As great, or greater: small if the candidate tends to be greater.
    pub greater: f64,
    /// As small, or smaller.
    pub less: f64,
}

/// Compares two samples by ranks (Mann & Whitney 1947). Sorts a copy of each; the samples need no order.
///
/// # Errors
///
/// An empty sample, a value that is NaN or infinite.
pub fn mann_whitney(control: &[f64], candidate: &[f64]) -> Result<MannWhitney, Undefined> {
    let (control, candidate) = (sorted("the control", control)?, sorted("the candidate", candidate)?);
    Ok(count(merged(&control, &candidate).map(|(left, right)| (left as f64, right as f64))))
}

/// Compares two histograms over the same buckets, in ascending order; observations of one bucket are tied.
///
/// # Errors
///
/// Lists of different lengths; an arm without observations.
pub fn mann_whitney_of_histograms(control: &[u64], candidate: &[u64]) -> Result<MannWhitney, Undefined> {
    same_buckets(control, candidate)?;
    let test = count(control.iter().zip(candidate).map(|(&left, &right)| (left as f64, right as f64)));
    for (what, size) in [("the control", test.control), ("the candidate", test.candidate)] {
        if size == 0.0 {
            return Err(Undefined::TooFew { what, got: 0, needed: 1 });
        }
    }
    Ok(test)
}

impl MannWhitney {
    /// `U`: the pairs in which the candidate's observation is greater, ties counted as halves.
    pub fn u(&self) -> f64 {
        self.u
    }

    /// `U / (n₁ n₂)`: the chance that an observation of the candidate is greater than one of the control, plus half
    /// the chance that they are equal. ½ for no difference.
    pub fn effect(&self) -> f64 {
        self.u / (self.control * self.candidate)
    }

    /// By the normal approximation with the correction for ties,
    /// `sd² = n₁ n₂ / 12 · (N + 1 - Σ(t³ - t) / (N (N - 1)))`; `continuity` moves `U` by ½ towards its mean.
    ///
    /// *Assumes* independent observations, and some ten of them in each arm.
    ///
    /// # Errors
    ///
    /// All observations are tied.
    pub fn asymptotic(&self, continuity: bool) -> Result<RankTest, Undefined> {
        let deviation = self.deviation();
        if deviation <= 0.0 {
            return Err(Undefined::NoVariance { what: "the two samples together" });
        }
        let beyond = self.u - self.control * self.candidate / 2.0;
        let correction = if continuity { 0.5 } else { 0.0 };
        Ok(RankTest {
            two_sided: (2.0 * special::normal_sf((beyond.abs() - correction) / deviation)).min(1.0),
            greater: special::normal_sf((beyond - correction) / deviation),
            less: special::normal_cdf((beyond + correction) / deviation),
        })
    }

    /// From the exact distribution of `U` without ties.
    ///
    /// # Errors
    ///
    /// Ties, or more than fifty observations in an arm: use [`asymptotic`](Self::asymptotic).
    pub fn exact(&self) -> Result<RankTest, Undefined> {
        super::super::require("tied observations", self.ties, self.ties == 0.0, "none for an exact p-value")?;
        let most = self.control.max(self.candidate);
        super::super::require(
            "observations of an arm",
            most,
            most <= MOST_EXACT as f64,
            "at most 50 for an exact p-value",
        )?;
        let counts = distribution(self.control as usize, self.candidate as usize);
        let all: u128 = counts.iter().sum();
        // Without ties `U` is whole.
        let u = self.u as usize;
        let share = |counts: &[u128]| counts.iter().sum::<u128>() as f64 / all as f64;
        let (less, greater) = (share(&counts[..=u]), share(&counts[u..]));
        Ok(RankTest { two_sided: (2.0 * less.min(greater)).min(1.0), greater, less })
    }

    pub(super) fn deviation(&self) -> f64 {
        let all = self.control + self.candidate;
        let tied = if all > 1.0 { self.ties / all / (all - 1.0) } else { 0.0 };
        // The difference of equal numbers may miss zero by rounding.
        let spread = (all + 1.0 - tied).max(0.0);
        if spread < (all + 1.0) * ROUNDING {
            0.0
        } else {
            (self.control * (self.candidate / 12.0) * spread).sqrt()
        }
    }

    /// The statistic of two sorted samples as if no observation of the one were tied with one of the other.
    pub(super) fn apart(control: &[f64], candidate: &[f64]) -> Self {
        let of = |sample: &[f64]| count(merged(&[], sample).map(|(_, tied)| (0.0, tied as f64))).ties;
        Self {
            u: 0.0,
            control: control.len() as f64,
            candidate: candidate.len() as f64,
            ties: of(control) + of(candidate),
        }
    }

    pub(super) fn has_ties(&self) -> bool {
        self.ties > 0.0
    }
}

/// How many of the orders of `first` and `second` observations have `U = 0, 1, …, first · second`.
///
/// The coefficients of the Gaussian binomial `Π (1 - q^(m+i)) / (1 - q^i)`, in whole numbers: fifty and fifty
/// observations have 1e29 orders, which 128 bits hold.
pub(super) fn distribution(first: usize, second: usize) -> Vec<u128> {
    let most = first * second;
    let mut counts = vec![0_i128; most + 1];
    counts[0] = 1;
    for i in 1..=first {
        let multiplied = second + i;
        for u in (multiplied..=most).rev() {
            counts[u] -= counts[u - multiplied];
        }
        for u in i..=most {
            counts[u] += counts[u - i];
        }
    }
    counts.into_iter().map(i128::unsigned_abs).collect()
}

pub(super) fn same_buckets(control: &[u64], candidate: &[u64]) -> Result<(), Undefined> {
    if control.len() == candidate.len() {
        return Ok(());
    }
    Err(Undefined::Unequal {
        left: "the control's histogram",
        left_length: control.len(),
        right: "the candidate's",
        right_length: candidate.len(),
    })
}

/// `U`, sizes and ties, from how often each value occurs in the two arms, in ascending order.
fn count(values: impl Iterator<Item = (f64, f64)>) -> MannWhitney {
    let (mut u, mut below, mut candidates, mut ties) = (0.0, 0.0, 0.0, 0.0);
    for (control, candidate) in values {
        u += candidate * (below + control / 2.0);
        below += control;
        candidates += candidate;
        let tied = control + candidate;
        ties += (tied - 1.0).max(0.0) * tied * (tied + 1.0);
    }
    MannWhitney { u, control: below, candidate: candidates, ties }
}

pub(super) const MOST_EXACT: usize = 50;
/// Below this share of its size the variance is rounding.
const ROUNDING: f64 = 1e-12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distribution_counts_every_order_once() {
        assert_eq!(distribution(2, 2), [1, 1, 2, 1, 1]);
        assert_eq!(distribution(50, 50).iter().sum::<u128>(), 100_891_344_545_564_193_334_812_497_256);
    }

    #[test]
    fn a_histogram_is_a_sample_of_bucket_indices() {
        let (control, candidate) = ([3, 0, 2, 4], [1, 2, 2, 5]);
        let expand = |counts: &[u64]| -> Vec<f64> {
            let each = |(index, &count): (usize, &u64)| std::iter::repeat_n(index as f64, count as usize);
            counts.iter().enumerate().flat_map(each).collect()
        };
        let of_samples = mann_whitney(&expand(&control), &expand(&candidate)).unwrap();
        assert_eq!(mann_whitney_of_histograms(&control, &candidate).unwrap(), of_samples);
    }
}
