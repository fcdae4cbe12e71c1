//! The greatest distance between two distribution functions.

use super::{
    super::{Undefined, require},
    kolmogorov::{kolmogorov_limit_sf, kolmogorov_sf},
    mann_whitney::same_buckets,
    merged, sorted,
};

/// The distances of Kolmogorov and Smirnov between two samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KolmogorovSmirnov {
    above: f64,
    below: f64,
    control: u64,
    candidate: u64,
}

/// Compares two samples by their distribution functions `F₁` (control) and `F₂` (candidate).
///
/// *Assumes* continuous data; ties and buckets make the p-values too large, never too small.
///
/// # Errors
///
/// An empty sample, a value that is NaN or infinite.
pub fn kolmogorov_smirnov(control: &[f64], candidate: &[f64]) -> Result<KolmogorovSmirnov, Undefined> {
    let (control, candidate) = (sorted("the control", control)?, sorted("the candidate", candidate)?);
    let values = merged(&control, &candidate).map(|(left, right)| (left as u64, right as u64));
    Ok(distances(values, control.len() as u64, candidate.len() as u64))
}

/// Compares two histograms over the same buckets, in ascending order, at the edges of the buckets.
///
/// # Errors
///
/// Lists of different lengths; an arm without observations.
pub fn kolmogorov_smirnov_of_histograms(
    control: &[u64],
    candidate: &[u64],
) -> Result<KolmogorovSmirnov, Undefined> {
    same_buckets(control, candidate)?;
    let sum = |counts: &[u64]| counts.iter().fold(0_u64, |sum, &count| sum.saturating_add(count));
    let (first, second) = (sum(control), sum(candidate));
    for (what, size) in [("the control", first), ("the candidate", second)] {
        if size == 0 {
            return Err(Undefined::TooFew { what, got: 0, needed: 1 });
        }
    }
    Ok(distances(control.iter().copied().zip(candidate.iter().copied()), first, second))
}

impl KolmogorovSmirnov {
    /// `max |F₁ - F₂|`.
    pub fn distance(&self) -> f64 {
        self.above.max(self.below)
    }

    /// `max (F₁ - F₂)`: great if the candidate's values are greater.
    pub fn candidate_greater(&self) -> f64 {
        self.above
    }

    /// `max (F₂ - F₁)`: great if the candidate's values are less.
    pub fn candidate_less(&self) -> f64 {
        self.below
    }

    /// The probability of a [`distance`](Self::distance) as great: exact up to 10,000 pairs, asymptotic beyond.
    ///
    /// # Errors
    ///
    /// As [`asymptotic`](Self::asymptotic).
    pub fn p(&self) -> Result<f64, Undefined> {
        if self.pairs() <= PAIRS_BY_DEFAULT { self.exact() } else { self.asymptotic() }
    }

    /// The exact probability of a distance as great, by counting the orders of the two samples (Hodges 1958).
    ///
    /// # Errors
    ///
    /// More than ten million pairs.
    pub fn exact(&self) -> Result<f64, Undefined> {
        self.enumerated(self.distance(), false)
    }

    /// The exact probability of a [`candidate_greater`](Self::candidate_greater) as great.
    ///
    /// # Errors
    ///
    /// More than ten million pairs.
    pub fn exact_greater(&self) -> Result<f64, Undefined> {
        self.enumerated(self.above, true)
    }

    /// The exact probability of a [`candidate_less`](Self::candidate_less) as great.
    ///
    /// # Errors
    ///
    /// More than ten million pairs.
    pub fn exact_less(&self) -> Result<f64, Undefined> {
        let mirrored = Self { control: self.candidate, candidate: self.control, ..*self };
        mirrored.enumerated(self.below, true)
    }

    /// The probability of a distance as great under Kolmogorov's law for one sample of `n₁n₂ / (n₁ + n₂)`
    /// observations, rounded (the convention of scipy).
    ///
    /// # Errors
    ///
    /// Samples so small that this rounds to none: use [`exact`](Self::exact).
    pub fn asymptotic(&self) -> Result<f64, Undefined> {
        let effective = self.effective().round_ties_even();
        if effective < 1.0 {
            return Err(Undefined::TooFew {
                what: "the smaller sample",
                got: self.control.min(self.candidate),
                needed: 2,
            });
        }
        Ok(kolmogorov_sf(effective as u64, self.distance()))
    }

    /// The same by Kolmogorov's limit law at `√(n₁n₂ / (n₁ + n₂)) D` (the convention of R).
    pub fn limit(&self) -> f64 {
        kolmogorov_limit_sf(self.effective().sqrt() * self.distance())
    }

    /// The probability of a [`candidate_greater`](Self::candidate_greater) as great, approximately (Hodges 1958,
    /// formula 5.3).
    pub fn asymptotic_greater(&self) -> f64 {
        self.one_sided(self.above)
    }

    /// The probability of a [`candidate_less`](Self::candidate_less) as great, approximately.
    pub fn asymptotic_less(&self) -> f64 {
        self.one_sided(self.below)
    }

    fn one_sided(&self, distance: f64) -> f64 {
        let large = self.control.max(self.candidate) as f64;
        let small = self.control.min(self.candidate) as f64;
        let z = self.effective().sqrt() * distance;
        let correction = (large + 2.0 * small) / (large * small * (large + small)).sqrt() / 3.0;
        libm::exp(-2.0 * z * z - 2.0 * z * correction)
    }

    fn effective(&self) -> f64 {
        let (first, second) = (self.control as f64, self.candidate as f64);
        first * (second / (first + second))
    }

    fn pairs(&self) -> u128 {
        u128::from(self.control) * u128::from(self.candidate)
    }

    /// The share of paths from (0, 0) to `(n₁, n₂)` that somewhere reach the distance.
    ///
    /// Shares are carried, not numbers of paths, which overflow near 500 observations: each step to the right or up is
    /// taken with the chance it has when the rest of the observations are in random order.
    fn enumerated(&self, distance: f64, one_sided: bool) -> Result<f64, Undefined> {
        let pairs = self.pairs();
        require("pairs", pairs as f64, pairs <= MOST_PAIRS, "at most ten million for an exact p-value")?;
        // In units of one pair distances are whole numbers.
        let limit = (distance * pairs as f64).round() as i128;
        if limit <= 0 {
            return Ok(1.0);
        }
        let (n1, n2) = (self.control as usize, self.candidate as usize);
        let reaches = |i: usize, j: usize| {
            let gap = i as i128 * n2 as i128 - j as i128 * n1 as i128;
            (if one_sided { gap } else { gap.abs() }) >= limit
        };
        let mut outside = 0.0;
        let mut inside = vec![0.0; n2 + 1];
        inside[0] = 1.0;
        for i in 0..=n1 {
            for j in 0..=n2 {
                if i > 0 || j > 0 {
                    let from_left = if i == 0 {
                        0.0
                    } else {
                        inside[j] * (n1 + 1 - i) as f64 / (n1 + 1 - i + n2 - j) as f64
                    };
                    let from_below = if j == 0 {
                        0.0
                    } else {
                        inside[j - 1] * (n2 + 1 - j) as f64 / (n1 - i + n2 + 1 - j) as f64
                    };
                    inside[j] = from_left + from_below;
                }
                if reaches(i, j) {
                    outside += inside[j];
                    inside[j] = 0.0;
                }
            }
        }
        Ok(f64::min(outside, 1.0))
    }
}

fn distances(values: impl Iterator<Item = (u64, u64)>, control: u64, candidate: u64) -> KolmogorovSmirnov {
    let (mut left, mut right, mut above, mut below) = (0_u64, 0_u64, 0.0_f64, 0.0_f64);
    for (first, second) in values {
        left = left.saturating_add(first);
        right = right.saturating_add(second);
        let gap = left as f64 / control as f64 - right as f64 / candidate as f64;
        above = above.max(gap);
        below = below.max(-gap);
    }
    KolmogorovSmirnov { above, below, control, candidate }
}

const PAIRS_BY_DEFAULT: u128 = 10_000;
const MOST_PAIRS: u128 = 10_000_000;
