//! Whether the inputs or outputs of a model have moved, and whether two models agree.
//!
//! Every distance between histograms is above 0 by sampling alone: the population stability index of two samples of
//! the same law is `(k - 1)(1/n₁ + 1/n₂)` on average, so that its customary limit of 0.1 is reached by noise when an
//! arm has fewer than some twenty observations for each bucket. So [`compare`] gives that bias and a p-value with them.
//!
//! ```
//! use serinus_core::stats::drift::compare;
//!
//! let drift = compare(&[10, 20, 30, 40], &[40, 30, 20, 10])?;
//! assert!(drift.stability_index > 0.8);
//! assert!(drift.stability_bias < 0.07 && drift.p.is_some_and(|p| p < 1e-6));
//! assert_eq!(drift.kolmogorov_smirnov, 0.4);
//! # Ok::<(), serinus_core::stats::Undefined>(())
//! ```

mod agreement;
mod wasserstein;

pub use agreement::{Agreement, Closeness, categories_agree, numbers_agree, only_one_right};
pub use wasserstein::{Wasserstein, wasserstein};

use serde::{Deserialize, Serialize};

use super::{
    Undefined,
    contingency::{Statistic, independence},
    positive, require,
};

/// How far the histogram of now is from that of the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Drift {
    /// `Σ (p - q) ln(p / q)`, with half an observation added to each bucket; 0 and above.
    pub stability_index: f64,
    /// What of it sampling alone explains on average: `(k - 1)(1/n₁ + 1/n₂)`.
    pub stability_bias: f64,
    /// The distance of Jensen and Shannon, `√(½ KL(p‖m) + ½ KL(q‖m))` in bits, from 0 to 1.
    pub jensen_shannon: f64,
    /// `Σ p ln(p / q)` in nats, of the reference `p` from now `q`; infinite if a bucket emptied.
    pub kullback_leibler: f64,
    /// Hellinger's distance `√(½ Σ (√p - √q)²)`, from 0 to 1.
    pub hellinger: f64,
    /// Half the sum of all `|p - q|`, from 0 to 1.
    pub total_variation: f64,
    /// The greatest distance between the two distribution functions at the edges of the buckets, from 0 to 1. Means
    /// something only if the buckets have an order.
    pub kolmogorov_smirnov: f64,
    /// The p-value of a chi-square test that both histograms are drawn from one law; buckets that are empty in both
    /// are left out. None if only one bucket is left, which says nothing.
    pub p: Option<f64>,
    /// The least expected count of a bucket in that test: below 5 do not believe it.
    pub least_expected: f64,
}

/// What empty buckets are given, so that their logarithm exists.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "kebab-case")]
pub enum Smoothing {
    /// So many observations are added to every bucket of both histograms.
    Added(f64),
    /// An empty bucket gets a share of 1e-4, or a millionth of the least share where that is 1e-4 or less; the shares
    /// then no longer sum to one. As Evidently does.
    Filled,
}

/// Compares two histograms over the same buckets.
///
/// # Errors
///
/// Lists of different lengths, an empty histogram.
pub fn compare(reference: &[u64], current: &[u64]) -> Result<Drift, Undefined> {
    let (p, q) = (shares(reference, current)?, shares(current, reference)?);
    let pairs = || p.iter().copied().zip(q.iter().copied());
    let entropy = |p: f64, q: f64| if p == 0.0 { 0.0 } else { p * libm::log(p / q) };
    let divergence: f64 = pairs().map(|(p, q)| entropy(p, (p + q) / 2.0) + entropy(q, (p + q) / 2.0)).sum();
    let (mut gap, mut greatest) = (0.0_f64, 0.0_f64);
    for (p, q) in pairs() {
        gap += p - q;
        greatest = greatest.max(gap.abs());
    }
    let squares: f64 = pairs().map(|(p, q)| (p.sqrt() - q.sqrt()) * (p.sqrt() - q.sqrt())).sum();
    let (first, second): (Vec<u64>, Vec<u64>) =
        reference.iter().zip(current).filter(|&(&left, &right)| left > 0 || right > 0).unzip();
    let (p_value, least_expected) = if first.len() < 2 {
        (None, sum(&first).min(sum(&second)))
    } else {
        let test = independence(&[&first, &second], Statistic::Pearson, false)?;
        (Some(test.p), test.least_expected)
    };
    Ok(Drift {
        stability_index: stability_index(reference, current, Smoothing::Added(0.5))?,
        stability_bias: (first.len() - 1) as f64 * (1.0 / sum(reference) + 1.0 / sum(current)),
        jensen_shannon: (divergence.max(0.0) / 2.0 / std::f64::consts::LN_2).sqrt(),
        kullback_leibler: pairs().map(|(p, q)| entropy(p, q)).sum::<f64>().max(0.0),
        hellinger: (squares / 2.0).sqrt(),
        total_variation: pairs().map(|(p, q)| (p - q).abs()).sum::<f64>() / 2.0,
        kolmogorov_smirnov: greatest,
        p: p_value,
        least_expected,
    })
}

/// The population stability index `Σ (p - q) ln(p / q)` alone, with a chosen smoothing; 0 and above.
///
/// # Errors
///
/// As [`compare`]; an amount to be added that is not a finite number above 0.
pub fn stability_index(reference: &[u64], current: &[u64], smoothing: Smoothing) -> Result<f64, Undefined> {
    let (mut p, mut q) = (shares(reference, current)?, shares(current, reference)?);
    match smoothing {
        Smoothing::Added(amount) => {
            positive("smoothing", amount)?;
            let added = amount * p.len() as f64;
            for (shares, total) in [(&mut p, sum(reference)), (&mut q, sum(current))] {
                for share in shares {
                    *share = (*share * total + amount) / (total + added);
                }
            }
        }
        Smoothing::Filled => {
            for shares in [&mut p, &mut q] {
                let least = shares.iter().copied().filter(|&share| share > 0.0).fold(f64::INFINITY, f64::min);
                let filling = if least <= FILLING { least / 1e6 } else { FILLING };
                for share in shares.iter_mut().filter(|share| **share == 0.0) {
                    *share = filling;
                }
            }
        }
    }
    Ok(p.iter().zip(&q).map(|(&p, &q)| (p - q) * libm::log(p / q)).sum())
}

/// The shares of the buckets of one histogram; `other` is there to be of the same length.
fn shares(counts: &[u64], other: &[u64]) -> Result<Vec<f64>, Undefined> {
    if counts.len() != other.len() {
        return Err(Undefined::Unequal {
            left: "one histogram",
            left_length: counts.len(),
            right: "the other",
            right_length: other.len(),
        });
    }
    let total = sum(counts);
    require("observations of a histogram", total, total > 0.0, "at least 1")?;
    Ok(counts.iter().map(|&count| count as f64 / total).collect())
}

fn sum(counts: &[u64]) -> f64 {
    counts.iter().map(|&count| count as f64).sum()
}

const FILLING: f64 = 1e-4;
