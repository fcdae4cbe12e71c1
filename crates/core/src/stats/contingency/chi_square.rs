//! Pearson's chi-square and the G test.

use super::super::{Undefined, require, special};

/// Which distance between observed and expected counts is summed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Statistic {
    /// `Σ (O - E)² / E` (Pearson 1900).
    Pearson,
    /// `2 Σ O ln(O / E)` with `0 ln 0 = 0` (Wilks 1935).
    LikelihoodRatio,
}

/// A chi-square test.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ChiSquare {
    /// The statistic.
    pub statistic: f64,
    /// The probability of one as great, or greater.
    pub p: f64,
    /// Degrees of freedom.
    pub degrees_of_freedom: u32,
    /// The least expected count of a cell. Below 5 the p-value is approximate, below 1 it is worth nothing; see
    /// [`reliable`](Self::reliable).
    pub least_expected: f64,
}

impl ChiSquare {
    /// The test, if every cell was expected to hold at least one.
    ///
    /// # Errors
    ///
    /// A cell expected to hold less: wait, or use [`fisher_exact`](super::fisher_exact).
    pub fn reliable(self) -> Result<Self, Undefined> {
        let enough = self.least_expected >= 1.0;
        require("least expected count", self.least_expected, enough, "at least 1; use an exact test")?;
        Ok(self)
    }
}

/// Whether rows and columns of a table are independent; `(r - 1)(c - 1)` degrees of freedom.
///
/// `yates` moves each observed count of a two by two table by up to ½ towards the expected one; with more cells it
/// does nothing.
///
/// *Assumes* independent observations, and expected counts above 5: see [`ChiSquare::least_expected`].
///
/// # Errors
///
/// Fewer than two rows or columns, rows of different lengths, a row or column without counts.
pub fn independence<Row: AsRef<[u64]>>(
    rows: &[Row],
    statistic: Statistic,
    yates: bool,
) -> Result<ChiSquare, Undefined> {
    let columns = rows.first().map_or(0, |row| row.as_ref().len());
    let shortest = rows.len().min(columns);
    if shortest < 2 {
        return Err(Undefined::TooFew { what: "rows or columns", got: shortest as u64, needed: 2 });
    }
    let mut column_sums = vec![0.0; columns];
    for row in rows {
        let row = row.as_ref();
        if row.len() != columns {
            return Err(Undefined::Unequal {
                left: "the first row",
                left_length: columns,
                right: "another row",
                right_length: row.len(),
            });
        }
        for (sum, &count) in column_sums.iter_mut().zip(row) {
            *sum += count as f64;
        }
    }
    let row_sums: Vec<f64> =
        rows.iter().map(|row| row.as_ref().iter().map(|&count| count as f64).sum()).collect();
    if row_sums.iter().chain(&column_sums).any(|&sum| sum == 0.0) {
        return Err(Undefined::NoInformation {
            what: "a table with an empty row or column",
            remedy: "leave it out, or wait for observations",
        });
    }
    let total: f64 = row_sums.iter().sum();
    let degrees = (rows.len() - 1) * (columns - 1);
    let yates = yates && degrees == 1;
    let cells = rows.iter().zip(&row_sums).flat_map(|(row, &row_sum)| {
        let expected = column_sums.iter().map(move |&column_sum| row_sum / total * column_sum);
        row.as_ref().iter().map(|&count| count as f64).zip(expected)
    });
    Ok(test(cells, degrees, statistic, yates))
}

/// Whether counts were drawn with the shares `weights`, which need not sum to one; `k - 1` degrees of freedom.
///
/// A cell of weight zero is left out together with its counts. For a split that is looked at more than once, use
/// [`sample_ratio`](super::super::sample_ratio).
///
/// # Errors
///
/// Lists of different lengths, fewer than two cells with weight, a weight that is negative or not finite, no counts.
pub fn goodness_of_fit(
    observed: &[u64],
    weights: &[f64],
    statistic: Statistic,
) -> Result<ChiSquare, Undefined> {
    if observed.len() != weights.len() {
        return Err(Undefined::Unequal {
            left: "the counts",
            left_length: observed.len(),
            right: "the weights",
            right_length: weights.len(),
        });
    }
    for &weight in weights {
        super::super::not_negative("weight", weight)?;
    }
    let cells = || observed.iter().zip(weights).filter(|&(_, &weight)| weight > 0.0);
    let count = cells().count();
    if count < 2 {
        return Err(Undefined::TooFew { what: "the list of weights above 0", got: count as u64, needed: 2 });
    }
    let total: f64 = cells().map(|(&count, _)| count as f64).sum();
    if total == 0.0 {
        return Err(Undefined::NoInformation { what: "a sample without counts", remedy: "wait for counts" });
    }
    let weight_sum: f64 = weights.iter().sum();
    let expected = cells().map(|(&count, &weight)| (count as f64, weight / weight_sum * total));
    Ok(test(expected, count - 1, statistic, false))
}

fn test(
    cells: impl Iterator<Item = (f64, f64)>,
    degrees: usize,
    statistic: Statistic,
    yates: bool,
) -> ChiSquare {
    let (mut sum, mut least_expected) = (0.0, f64::INFINITY);
    for (mut observed, expected) in cells {
        if yates {
            let difference = expected - observed;
            observed += difference.abs().min(0.5) * difference.signum();
        }
        sum += match statistic {
            Statistic::Pearson => (observed - expected) * (observed - expected) / expected,
            // The differences sum to zero, so adding them changes the terms to squares and not the sum.
            Statistic::LikelihoodRatio if observed > 0.0 => 2.0 * special::deviance(observed, expected),
            Statistic::LikelihoodRatio => 2.0 * expected,
        };
        least_expected = least_expected.min(expected);
    }
    let degrees_of_freedom = u32::try_from(degrees).unwrap_or(u32::MAX);
    let p = special::gamma_upper(f64::from(degrees_of_freedom) / 2.0, sum / 2.0);
    ChiSquare { statistic: sum, p, degrees_of_freedom, least_expected }
}
