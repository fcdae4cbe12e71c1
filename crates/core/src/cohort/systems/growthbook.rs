//! GrowthBook: experiments, rollouts, filters and namespaces.
//!
//! The seed is that of the rule or the experiment. Without one, or with an empty one, it is the key of the experiment,
//! and for a rollout, or a rule whose experiment has no key, the id of the feature. The value is that of `hashAttribute`,
//! or of `id`, as text.
//!
//! - An experiment holds whom its `ranges` hold, or those that [`ranges`] makes of its weights and its coverage:
//!   [`choose`].
//! - A rollout (a rule with `force`) holds whom its `range` holds, [`Range::contains`], or else whom its `coverage`
//!   holds, [`is_in_rollout`]; without both it holds everybody.
//! - Of the filters of a rule or an experiment all must hold: each if one of its ranges holds the number of its own seed.
//!   `hashVersion` is 2 where a filter has none, and 1 everywhere else.
//!
//! To the caller is left: whoever has no value, or an empty one, is in no rollout, no filter and no experiment (but for
//! rollouts that hold everybody); a hash version that is neither 1 nor 2 holds nobody; an experiment with fewer than two
//! variations holds nobody; stored ("sticky") assignments, which come before the ranges, and fallback attributes.
//!
//! The hash runs over the UTF-16 code units of its text, as in GrowthBook's own JavaScript library; libraries of other
//! languages that hash bytes or code points differ from it outside ASCII.

/// The field `hashVersion` of an experiment or a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HashVersion {
    /// A thousand buckets, uneven and correlated between seeds; what holds where a rule or an experiment has no such
    /// field.
    One,
    /// Ten thousand buckets.
    Two,
}

/// The number that a value gets under a seed, from 0 to below 1.
pub fn hash(seed: &str, value: &str, version: HashVersion) -> f64 {
    match version {
        HashVersion::One => f64::from(fnv(value.encode_utf16().chain(seed.encode_utf16())) % 1000) / 1000.0,
        HashVersion::Two => {
            let first = fnv(seed.encode_utf16().chain(value.encode_utf16()));
            f64::from(fnv(first.to_string().encode_utf16()) % 10_000) / 10_000.0
        }
    }
}

/// The ranges of all variations: each begins where the weights before it end, and is as long as its weight times the
/// coverage.
///
/// As GrowthBook does, a coverage out of 0 to 1 counts as the nearest of both, and weights that are not as many as the
/// variations, or do not sum to 1 within a hundredth, count as equal ones.
pub fn ranges(variations: usize, coverage: f64, weights: &[f64]) -> impl Iterator<Item = Range> {
    let coverage = coverage.clamp(0.0, 1.0);
    let total: f64 = weights.iter().sum();
    let fit = weights.len() == variations && (0.99..=1.01).contains(&total);
    let equal = 1.0 / variations as f64;
    let mut sum = 0.0;
    (0..variations).map(move |index| {
        let weight = weights.get(index).copied().filter(|_| fit).unwrap_or(equal);
        let from = sum;
        sum += weight;
        Range { from, to: from + coverage * weight }
    })
}

/// Whether a rollout of this coverage, from 0 to 1, holds whoever has this number: nobody at 0, and otherwise all up to
/// the coverage with the coverage itself, as in GrowthBook's own libraries (`isIncludedInRollout`).
///
/// So a rollout holds one number more than a [`Range`] from 0 to the coverage: with [`HashVersion::One`] that is one
/// subject in a thousand, with [`HashVersion::Two`] one in ten thousand.
///
/// ```
/// use serinus_core::cohort::systems::growthbook::{self, HashVersion};
///
/// let number = growthbook::hash("checkout", "user-1", HashVersion::One);
/// assert_eq!(number, 0.944);
/// assert!(growthbook::is_in_rollout(number, 0.944));
/// assert!(!growthbook::is_in_rollout(number, 0.943));
/// ```
pub fn is_in_rollout(number: f64, coverage: f64) -> bool {
    coverage != 0.0 && number <= coverage
}

/// A range of numbers, `from` included and `to` not.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a range has two ends")]
pub struct Range {
    /// The first number in it.
    pub from: f64,
    /// The first number above it.
    pub to: f64,
}

impl Range {
    /// Whether a number is in it.
    pub fn contains(self, number: f64) -> bool {
        self.from <= number && number < self.to
    }
}

/// The index of the variation whose range holds a number; none if the number is in no range, and so in no variation.
pub fn choose(number: f64, ranges: impl IntoIterator<Item = Range>) -> Option<usize> {
    ranges.into_iter().position(|range| range.contains(number))
}

/// Whether a namespace holds a value: `[id, from, to]` in the experiment.
pub fn in_namespace(id: &str, value: &str, range: Range) -> bool {
    range.contains(namespace(id, value))
}

/// The number that a namespace gives a value, from 0 to below 1.
pub fn namespace(id: &str, value: &str) -> f64 {
    hash(&format!("__{id}"), value, HashVersion::One)
}

/// FNV-1a, 32 bits, over whole code units.
fn fnv(units: impl Iterator<Item = u16>) -> u32 {
    units.fold(0x811c_9dc5, |hash, unit| (hash ^ u32::from(unit)).wrapping_mul(0x0100_0193))
}
