//! Estimates of R 4.2 that depend on where its search for a root stops.
//!
//! `uniroot` ends at an absolute tolerance of 1.2e-4. On an odds ratio above 1, which it inverts, that is a relative
//! error that grows with the ratio: the upper limit of `[[8, 2], [1, 5]]` comes out as 1049.8, where it is 1059.6.

pub use super::kayenta::wilcoxon_root;
use crate::analysis::kayenta::brent;
use crate::stats::{
    Interval, Undefined,
    contingency::{OddsRatioLaw, Table},
    probability,
};

/// The conditional odds ratio of `fisher.test`, with its interval of level `1 - alpha`.
///
/// [`conditional_odds_ratio`](crate::stats::contingency::conditional_odds_ratio) is what this approximates. A table
/// that its margins determine has the estimate 0 and the interval from 0 to infinity.
///
/// # Errors
///
/// An empty table, an `alpha` outside (0, 1).
pub fn fisher_odds_ratio(table: &Table, alpha: f64) -> Result<(f64, Interval), Undefined> {
    let tail = probability("alpha", alpha)? / 2.0;
    let law = match OddsRatioLaw::of(table) {
        Ok(law) => law,
        Err(Undefined::NoInformation { .. }) => return Ok((0.0, Interval::new(0.0, f64::INFINITY))),
        Err(error) => return Err(error),
    };
    let estimate = search(&law, |law, odds| law.mean_beyond(odds));
    let lower = search(&law, |law, odds| law.at_least(odds) - tail);
    let upper = search(&law, |law, odds| tail - law.at_most(odds));
    let (at_least, at_greatest) = law.at_ends();
    let end = |is_end: bool, value: f64, found: f64| if is_end { value } else { found };
    Ok((
        end(at_least, 0.0, end(at_greatest, f64::INFINITY, estimate)),
        Interval::new(end(at_least, 0.0, lower), end(at_greatest, f64::INFINITY, upper)),
    ))
}

/// Where a function that rises with the odds is zero: searched in the odds below 1, in their inverse above.
fn search(law: &OddsRatioLaw, rising: impl Fn(&OddsRatioLaw, f64) -> f64) -> f64 {
    let at_one = rising(law, 1.0);
    if at_one > 0.0 {
        brent::root(0.0, 1.0, TOLERANCE, |odds| rising(law, odds))
    } else if at_one < 0.0 {
        1.0 / brent::root(f64::EPSILON, 1.0, TOLERANCE, |inverse| rising(law, 1.0 / inverse))
    } else {
        1.0
    }
}

/// The fourth root of the machine's precision.
const TOLERANCE: f64 = 1.0 / 8192.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::contingency::conditional_odds_ratio;

    #[test]
    fn the_search_stops_before_the_limit_that_is_meant() {
        let table = Table::new([8, 2], [1, 5]);
        let (_, rival) = fisher_odds_ratio(&table, 0.05).unwrap();
        let own = conditional_odds_ratio(&table, 0.05).unwrap();
        // The exact limit is 1059.639495 (scipy, by a relative tolerance).
        assert!((own.interval.upper / 1_059.639_495_086_278_2 - 1.0).abs() < 1e-9);
        assert!(rival.upper < 1050.0);
    }
}
