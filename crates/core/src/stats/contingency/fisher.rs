//! Fisher's exact test.

use super::{
    super::{
        Undefined,
        discrete::{first_improbable, ln_hypergeometric, tail},
        require,
    },
    Table,
};

/// The p-values of Fisher's exact test.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct FisherExact {
    /// The probability of all tables that are at most as probable as the one seen.
    pub two_sided: f64,
    /// The probability of a first cell as great as the one seen, or greater.
    pub greater: f64,
    /// The probability of a first cell as small as the one seen, or smaller.
    pub less: f64,
}

/// Whether the rows of a table have the same odds, exactly, given its margins (Fisher 1935).
///
/// The first cell is hypergeometric. One probability is computed, at the cell that was seen; its neighbours follow by
/// their ratios `(a + 1)(d + 1) / (b c)` until they no longer count. A table counts as equally probable within a
/// relative 1e-7, as in R.
///
/// *Assumes* that observations are independent. *Unit*: probabilities.
///
/// # Errors
///
/// An empty row or column says nothing about the odds. Tables whose first cell has a standard deviation above a
/// million are refused: there [`pooled_z`](super::super::proportions::pooled_z) is exact enough.
///
/// ```
/// use serinus_core::stats::contingency::{Table, fisher_exact};
///
/// let p = fisher_exact(&Table::new([8, 2], [1, 5]))?;
/// assert!((p.two_sided - 400.0 / 11440.0).abs() < 1e-15);
/// # Ok::<(), serinus_core::stats::Undefined>(())
/// ```
pub fn fisher_exact(table: &Table) -> Result<FisherExact, Undefined> {
    let margins = Margins::of(table)?;
    let seen = table.first[0] as f64;
    let ln_seen = margins.ln_probability(seen);
    let at_seen = libm::exp(ln_seen);
    let mode = margins.mode();
    let ln_limit = ln_seen + libm::log1p(SAME);
    let is_improbable = |cell: f64| margins.ln_probability(cell) <= ln_limit;
    if is_improbable(mode) {
        let (greater, less) = if seen <= mode {
            let less = at_seen * margins.sum_down(seen);
            (1.0 - less + at_seen, less)
        } else {
            let greater = at_seen * margins.sum_up(seen);
            (greater, 1.0 - greater + at_seen)
        };
        return Ok(FisherExact { two_sided: 1.0, greater: greater.min(1.0), less: less.min(1.0) });
    }
    let (near, far) = if seen < mode {
        let far = first_improbable(margins.greatest - mode, |distance| is_improbable(mode + distance));
        let far = far.map(|distance| mode + distance);
        (margins.sum_down(seen), far.map(|cell| (cell, margins.sum_up(cell))))
    } else {
        let far = first_improbable(mode - margins.least, |distance| is_improbable(mode - distance));
        let far = far.map(|distance| mode - distance);
        (margins.sum_up(seen), far.map(|cell| (cell, margins.sum_down(cell))))
    };
    let near = libm::exp(ln_seen + libm::log(near));
    let far = far.map_or(0.0, |(cell, sum)| libm::exp(margins.ln_probability(cell) + libm::log(sum)));
    let other = (1.0 - near + at_seen).min(1.0);
    let (greater, less) = if seen < mode { (other, near) } else { (near, other) };
    Ok(FisherExact { two_sided: (near + far).min(1.0), greater, less })
}

/// The margins of a table, and the range of its first cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Margins {
    /// The sum of the first row.
    pub(super) row: f64,
    /// The sum of the first column.
    pub(super) column: f64,
    /// The sum of the table.
    pub(super) total: f64,
    /// The least the first cell can be.
    pub(super) least: f64,
    /// The most it can be.
    pub(super) greatest: f64,
}

impl Margins {
    pub(super) fn of(table: &Table) -> Result<Self, Undefined> {
        let [a, b] = table.first.map(u128::from);
        let [c, d] = table.second.map(u128::from);
        if a + b == 0 || c + d == 0 || a + c == 0 || b + d == 0 {
            return Err(Undefined::NoInformation {
                what: "a table with an empty row or column",
                remedy: "wait for observations of both arms and both outcomes",
            });
        }
        let (row, column, total) = ((a + b) as f64, (a + c) as f64, (a + b + c + d) as f64);
        let rest = total - 1.0;
        let spread = (row / total * column * ((c + d) as f64 / total) * ((b + d) as f64 / rest)).sqrt();
        require(
            "standard deviation of the first cell",
            spread,
            spread <= MOST_SPREAD,
            "at most a million; compare two proportions instead",
        )?;
        let least = (a + c).saturating_sub(c + d) as f64;
        Ok(Self { row, column, total, least, greatest: row.min(column) })
    }

    /// The ratio of the probability of `cell + 1` to that of `cell`, where both rows have the same odds.
    pub(super) fn ratio_up(&self, cell: f64) -> f64 {
        (self.row - cell) / (cell + 1.0)
            * ((self.column - cell) / (self.total - self.row - self.column + cell + 1.0))
    }

    fn ln_probability(&self, cell: f64) -> f64 {
        ln_hypergeometric(cell, self.row, self.column, self.total)
    }

    fn mode(&self) -> f64 {
        let mode = ((self.row + 1.0) / (self.total + 2.0) * (self.column + 1.0)).floor();
        mode.clamp(self.least, self.greatest)
    }

    /// The sum of the probabilities from `cell` upwards, over that of `cell`.
    fn sum_up(&self, cell: f64) -> f64 {
        tail(self.greatest - cell, |step| self.ratio_up(cell + step))
    }

    /// The sum of the probabilities from `cell` downwards, over that of `cell`.
    fn sum_down(&self, cell: f64) -> f64 {
        tail(cell - self.least, |step| 1.0 / self.ratio_up(cell - step - 1.0))
    }
}

/// Tables whose probabilities differ by less count as equally probable.
const SAME: f64 = 1e-7;
/// A sum over the tail takes some ten steps for each standard deviation.
const MOST_SPREAD: f64 = 1e6;
