//! Tables of counts: Fisher's exact test, Pearson's chi-square, the G test, goodness of fit.

mod chi_square;
mod fisher;
mod odds;

pub use chi_square::{ChiSquare, Statistic, goodness_of_fit, independence};
pub use fisher::{FisherExact, fisher_exact};
pub(crate) use odds::OddsRatioLaw;
pub use odds::{OddsRatio, conditional_odds_ratio};

use serde::{Deserialize, Serialize};

/// A table of two rows and two columns.
///
/// | | event | no event |
/// |---|---|---|
/// | first | `first[0]` | `first[1]` |
/// | second | `second[0]` | `second[1]` |
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "two by two it stays")]
pub struct Table {
    /// The first row.
    pub first: [u64; 2],
    /// The second row.
    pub second: [u64; 2],
}

impl Table {
    /// The table with these rows.
    pub const fn new(first: [u64; 2], second: [u64; 2]) -> Self {
        Self { first, second }
    }

    /// `a d / (b c)`, the odds ratio of the sample: 0 or infinite with an empty cell, NaN with an empty row or
    /// column. Not the estimate of [`conditional_odds_ratio`], which lies nearer to 1.
    pub fn sample_odds_ratio(&self) -> f64 {
        let [a, b] = self.first.map(|count| count as f64);
        let [c, d] = self.second.map(|count| count as f64);
        if a + b == 0.0 || c + d == 0.0 || a + c == 0.0 || b + d == 0.0 {
            return f64::NAN;
        }
        a * d / (b * c)
    }
}
