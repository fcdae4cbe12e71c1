//! By how much the candidate's distribution is shifted: Hodges and Lehmann's estimate with its interval.

use super::{
    super::{Interval, Undefined, probability, special},
    mann_whitney::{MOST_EXACT, MannWhitney, distribution, mann_whitney},
    sorted,
};

/// The shift between two samples, ready to give intervals.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Shift {
    /// The median of all differences `candidate - control`, exact, in the unit of the data.
    pub estimate: f64,
    test: MannWhitney,
    control: Vec<f64>,
    candidate: Vec<f64>,
}

/// An interval for a shift: two of the differences between observations.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ShiftInterval {
    /// The interval.
    pub interval: Interval,
    /// Whether it has the level that was asked for. If not, the samples are too small for any finite interval of that
    /// level, and this is the widest there is: from the least to the greatest difference.
    pub reaches_level: bool,
}

/// The median of all `n₁ n₂` differences (Hodges & Lehmann 1963).
///
/// Found by halving the numbers themselves and counting differences, in time `O(n₁ + n₂)` for each of some sixty
/// steps: exact, the same in every unit, and without the list of differences.
///
/// # Errors
///
/// An empty sample, a value that is NaN or infinite.
pub fn shift(control: &[f64], candidate: &[f64]) -> Result<Shift, Undefined> {
    let test = mann_whitney(control, candidate)?;
    let (control, candidate) = (sorted("the control", control)?, sorted("the candidate", candidate)?);
    let mut shift = Shift { estimate: 0.0, test, control, candidate };
    let pairs = shift.pairs();
    let (low, high) = (shift.difference(pairs.div_ceil(2)), shift.difference(pairs / 2 + 1));
    shift.estimate = low / 2.0 + high / 2.0;
    Ok(shift)
}

impl Shift {
    /// The interval of level `1 - alpha`: exact if no observations are tied and both arms have fewer than fifty, by
    /// the normal approximation otherwise. The switch is R's.
    ///
    /// # Errors
    ///
    /// An `alpha` outside (0, 1); all observations are tied.
    pub fn interval(&self, alpha: f64) -> Result<ShiftInterval, Undefined> {
        if self.has_exact() { self.exact_interval(alpha) } else { self.asymptotic_interval(alpha) }
    }

    /// The order statistics `D(q)` and `D(n₁n₂ - q + 1)` of the differences, with `q` the `alpha / 2` quantile of `U`,
    /// at least 1.
    ///
    /// # Errors
    ///
    /// As [`interval`](Self::interval); ties, or more than fifty observations in an arm.
    pub fn exact_interval(&self, alpha: f64) -> Result<ShiftInterval, Undefined> {
        let tail = probability("alpha", alpha)? / 2.0;
        self.test.exact()?;
        let counts = distribution(self.control.len(), self.candidate.len());
        let all = counts.iter().sum::<u128>() as f64;
        let mut below = 0_u128;
        let mut rank = 0_u64;
        for count in counts {
            below += count;
            // R's quantile allows for the rounding of its sums; ours are whole numbers.
            if below as f64 / all >= tail * (1.0 - ROUNDING) {
                break;
            }
            rank += 1;
        }
        Ok(self.between(u128::from(rank)))
    }

    /// The differences at which the tie-corrected, continuity-corrected `U` crosses the normal quantiles.
    ///
    /// # Errors
    ///
    /// As [`interval`](Self::interval).
    pub fn asymptotic_interval(&self, alpha: f64) -> Result<ShiftInterval, Undefined> {
        let z = -special::normal_quantile(probability("alpha", alpha)? / 2.0);
        // Between two differences only observations of one arm are tied with each other.
        let deviation = MannWhitney::apart(&self.control, &self.candidate).deviation();
        if deviation <= 0.0 || self.test.deviation() <= 0.0 {
            return Err(Undefined::NoVariance { what: "the two samples together" });
        }
        let half = self.pairs() as f64 / 2.0;
        // The least k with (n₁n₂ - k - n₁n₂/2 ∓ ½) / sd <= z, where k differences lie below.
        let crossing = half - 0.5 - z * deviation;
        let rank = if crossing > 0.0 { crossing.ceil() } else { 0.0 };
        Ok(self.between(rank as u128))
    }

    /// Whether [`interval`](Self::interval) is exact.
    pub fn has_exact(&self) -> bool {
        !self.test.has_ties() && self.control.len() < MOST_EXACT && self.candidate.len() < MOST_EXACT
    }

    /// From the difference of that rank to its mirror image.
    fn between(&self, rank: u128) -> ShiftInterval {
        let at = rank.clamp(1, self.pairs());
        let interval = Interval::new(self.difference(at), self.difference(self.pairs() + 1 - at));
        ShiftInterval { interval, reaches_level: rank >= 1 }
    }

    fn pairs(&self) -> u128 {
        self.control.len() as u128 * self.candidate.len() as u128
    }

    /// The difference of the given rank, from 1 to [`pairs`](Self::pairs).
    fn difference(&self, rank: u128) -> f64 {
        let (control, candidate) = (&self.control, &self.candidate);
        let least = ordered(candidate[0] - control[control.len() - 1]);
        let greatest = ordered(candidate[candidate.len() - 1] - control[0]);
        let (mut low, mut high) = (least, greatest);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.at_most(unordered(middle)) >= rank { high = middle } else { low = middle + 1 }
        }
        unordered(low)
    }

    /// How many differences are at most `limit`.
    fn at_most(&self, limit: f64) -> u128 {
        let mut counted = 0_u128;
        // Rounding keeps order: as the candidate's value rises, ever more of the control's are needed to stay below.
        let mut from = 0;
        for &value in &self.candidate {
            while self.control.get(from).is_some_and(|&control| value - control > limit) {
                from += 1;
            }
            counted += (self.control.len() - from) as u128;
        }
        counted
    }
}

/// The bits of a number, in the order of the numbers.
fn ordered(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

fn unordered(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

/// A tail within this of the one asked for has been reached.
const ROUNDING: f64 = 1e-14;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_their_order_turn_into_one_another() {
        let mut before = 0;
        for value in [-1e300, -2.5, -1e-310, 0.0, 1e-310, 1.0, 1e300] {
            assert_eq!(unordered(ordered(value)), value);
            assert!(ordered(value) > before);
            before = ordered(value);
        }
    }

    #[test]
    fn the_selection_finds_what_sorting_finds() {
        let control: Vec<f64> = (0..23).map(|i| f64::from(i * i % 17) - 0.1 * f64::from(i)).collect();
        let candidate: Vec<f64> = (0..31).map(|i| f64::from(i * 7 % 13) * 1.37).collect();
        let mut differences: Vec<f64> =
            candidate.iter().flat_map(|y| control.iter().map(move |x| y - x)).collect();
        differences.sort_unstable_by(f64::total_cmp);
        let shift = shift(&control, &candidate).unwrap();
        for (index, &expected) in differences.iter().enumerate() {
            assert_eq!(shift.difference(index as u128 + 1), expected);
        }
    }
}
