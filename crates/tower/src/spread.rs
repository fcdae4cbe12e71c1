//! Even shares without randomness.

use std::sync::atomic::{AtomicU64, Ordering};

use serinus_core::traffic::Weight;

/// A share of the numbers that [`Spread`] gives out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Share(u64);

impl Share {
    pub(crate) fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl From<Weight> for Share {
    fn from(weight: Weight) -> Self {
        let whole = u128::from(Weight::FULL.parts());
        // At most 2^63, so it fits.
        Self((u128::from(weight.parts()) << 63).div_ceil(whole) as u64)
    }
}

/// Deals out requests: of every run of requests, a share of them that is right to a request or two.
///
/// The n-th request stands at the fractional part of n times the golden ratio, and a share is an interval from zero.
/// Of all such sequences this one fills intervals most evenly, and unlike "every tenth" it falls into step with no
/// rhythm in the traffic: of every second request, too, each share gets its part.
#[derive(Debug, Default)]
pub(crate) struct Spread {
    count: AtomicU64,
}

impl Spread {
    /// The place of the next request.
    pub(crate) fn next(&self) -> Spot {
        Spot(self.count.fetch_add(1, Ordering::Relaxed).wrapping_mul(GOLDEN) >> 1)
    }
}

/// The place of one request, below 2^63.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot(u64);

impl Spot {
    /// Whether it belongs to the share. A higher share includes whom a lower one includes.
    pub(crate) fn is_in(self, share: Share) -> bool {
        self.0 < share.0
    }

    /// Whether it belongs to a share that is dealt out from the other end.
    pub(crate) fn is_among_the_last(self, share: Share) -> bool {
        self.0 >= (1 << 63) - share.0
    }
}

/// The golden ratio's fractional part, times 2^64, made odd.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_share_of_any_ten_thousand_is_right_to_two_requests() {
        let spread = Spread::default();
        for percent in [0.0, 0.01, 0.5, 1.0, 5.0, 10.0, 12.5, 33.333, 50.0, 66.6, 90.0, 99.99, 100.0] {
            let weight = Weight::percent(percent);
            let share = weight.into();
            let hits = (0..10_000).filter(|_| spread.next().is_in(share)).count() as f64;
            let wanted = f64::from(weight.parts()) / 10.0;
            assert!((hits - wanted).abs() <= 2.5, "{percent}%: {hits} instead of {wanted}");
        }
    }

    #[test]
    fn shares_from_both_ends_are_right_and_apart() {
        let spread = Spread::default();
        for percent in [0.0, 1.0, 10.0, 33.333, 50.0] {
            let share = Weight::percent(percent).into();
            let spots: Vec<_> = (0..10_000).map(|_| spread.next()).collect();
            let last = spots.iter().filter(|spot| spot.is_among_the_last(share)).count() as f64;
            assert!((last - percent * 100.0).abs() <= 2.5, "{percent}%: {last}");
            assert!(
                !spots.iter().any(|spot| spot.is_in(share) && spot.is_among_the_last(share)),
                "{percent}%"
            );
        }
    }

    #[test]
    fn a_share_does_not_fall_into_step_with_the_traffic() {
        for rhythm in 2..20 {
            let spread = Spread::default();
            let share = Weight::percent(50.0).into();
            let mut hits = 0;
            for count in 0..rhythm * 1000 {
                let hit = spread.next().is_in(share);
                hits += u32::from(hit && count % rhythm == 0);
            }
            assert!(hits.abs_diff(500) <= 20, "every {rhythm}th request: {hits} of 1000");
        }
    }
}
