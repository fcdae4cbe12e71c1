//! The odds ratio of a two by two table, given its margins.

use super::{
    super::{Interval, Undefined, probability, root},
    Table,
    fisher::Margins,
};

/// An odds ratio with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct OddsRatio {
    /// The conditional maximum-likelihood estimate: 0 or infinite at an end of the range.
    pub estimate: f64,
    /// The exact interval.
    pub interval: Interval,
}

/// The odds ratio under which the table is most probable given its margins, with the exact interval of level
/// `1 - alpha`.
///
/// Given its margins and an odds ratio `ω`, the first cell follows Fisher's noncentral hypergeometric law. The
/// estimate makes its mean the cell that was seen; the ends of the interval are the `ω` that leave `alpha / 2` beyond
/// it (Cornfield 1956). As in R's `fisher.test`.
///
/// # Errors
///
/// As [`fisher_exact`](super::fisher_exact), and an `alpha` outside (0, 1).
pub fn conditional_odds_ratio(table: &Table, alpha: f64) -> Result<OddsRatio, Undefined> {
    let tail = probability("alpha", alpha)? / 2.0;
    let margins = Margins::of(table)?;
    let seen = table.first[0] as f64;
    if margins.least == margins.greatest {
        return Err(Undefined::NoInformation {
            what: "a table that its margins determine",
            remedy: "wait for more observations",
        });
    }
    let [a, b] = table.first.map(|count| count as f64 + 0.5);
    let [c, d] = table.second.map(|count| count as f64 + 0.5);
    let start = libm::log(a / b) + libm::log(d / c);
    let step = (1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d).sqrt();
    let solve = |function: &dyn Fn(&Noncentral) -> f64, start: f64| {
        let at = |ln_odds: f64| function(&Noncentral::at(&margins, seen, libm::exp(ln_odds)));
        root::zero_around(at, start, step).map(libm::exp).ok_or(Undefined::NoInformation {
            what: "a table this uneven",
            remedy: "wait for more observations",
        })
    };
    let at_end = [seen == margins.least, seen == margins.greatest];
    let estimate = match at_end {
        [true, _] => 0.0,
        [_, true] => f64::INFINITY,
        [false, false] => solve(&|law| law.mean - seen, start)?,
    };
    let lower =
        if at_end[0] { 0.0 } else { solve(&|law| libm::log(law.at_least / tail), start - 2.0 * step)? };
    let upper = if at_end[1] {
        f64::INFINITY
    } else {
        solve(&|law| libm::log(law.at_most / tail), start + 2.0 * step)?
    };
    Ok(OddsRatio { estimate, interval: Interval::new(lower, upper) })
}

/// Fisher's noncentral hypergeometric law of a table, for the rival that searches it in another way.
pub(crate) struct OddsRatioLaw {
    margins: Margins,
    seen: f64,
}

impl OddsRatioLaw {
    pub(crate) fn of(table: &Table) -> Result<Self, Undefined> {
        Ok(Self { margins: Margins::of(table)?, seen: table.first[0] as f64 })
    }

    /// The mean of the first cell less the one that was seen.
    pub(crate) fn mean_beyond(&self, odds: f64) -> f64 {
        if odds == 0.0 { self.margins.least - self.seen } else { self.at(odds).mean - self.seen }
    }

    pub(crate) fn at_least(&self, odds: f64) -> f64 {
        if odds == 0.0 {
            f64::from(u8::from(self.seen <= self.margins.least))
        } else {
            self.at(odds).at_least
        }
    }

    pub(crate) fn at_most(&self, odds: f64) -> f64 {
        if odds == 0.0 { 1.0 } else { self.at(odds).at_most }
    }

    /// Whether the cell that was seen is the least, or the greatest, that there can be.
    pub(crate) fn at_ends(&self) -> (bool, bool) {
        (self.seen == self.margins.least, self.seen == self.margins.greatest)
    }

    fn at(&self, odds: f64) -> Noncentral {
        Noncentral::at(&self.margins, self.seen, odds)
    }
}

/// What is needed of Fisher's noncentral hypergeometric law.
struct Noncentral {
    mean: f64,
    /// The probability of the cell that was seen and above.
    at_least: f64,
    /// The probability of the cell that was seen and below.
    at_most: f64,
}

impl Noncentral {
    fn at(margins: &Margins, seen: f64, odds: f64) -> Self {
        let ratio_up = |cell: f64| odds * margins.ratio_up(cell);
        let (mut mode, mut above) = (margins.least, margins.greatest);
        while mode < above {
            let middle = ((mode + above) / 2.0).floor();
            if ratio_up(middle) < 1.0 { above = middle } else { mode = middle + 1.0 }
        }
        let mut law = Sums { seen, ..Sums::default() };
        law.add(mode, 1.0);
        let (mut cell, mut term) = (mode, 1.0);
        while cell < margins.greatest && term > law.all * NEGLIGIBLE {
            term *= ratio_up(cell);
            cell += 1.0;
            law.add(cell, term);
        }
        (cell, term) = (mode, 1.0);
        while cell > margins.least && term > law.all * NEGLIGIBLE {
            cell -= 1.0;
            term /= ratio_up(cell);
            law.add(cell, term);
        }
        Self {
            mean: seen + law.distance / law.all,
            at_least: law.at_least / law.all,
            at_most: law.at_most / law.all,
        }
    }
}

#[derive(Default)]
struct Sums {
    seen: f64,
    all: f64,
    distance: f64,
    at_least: f64,
    at_most: f64,
}

impl Sums {
    fn add(&mut self, cell: f64, term: f64) {
        self.all += term;
        self.distance += term * (cell - self.seen);
        if cell >= self.seen {
            self.at_least += term;
        }
        if cell <= self.seen {
            self.at_most += term;
        }
    }
}

/// Terms below this share of the sum are left out; small enough that a tail of 1e-6 keeps ten digits.
const NEGLIGIBLE: f64 = 1e-30;
