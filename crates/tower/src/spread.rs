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
    /// Whether the next request belongs to the share. A higher share includes whom a lower one includes.
    pub(crate) fn next_is_in(&self, share: Share) -> bool {
        let place = self.count.fetch_add(1, Ordering::Relaxed).wrapping_mul(GOLDEN) >> 1;
        place < share.0
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
            let hits = (0..10_000).filter(|_| spread.next_is_in(share)).count() as f64;
            let wanted = f64::from(weight.parts()) / 10.0;
            assert!((hits - wanted).abs() <= 2.5, "{percent}%: {hits} instead of {wanted}");
        }
    }

    #[test]
    fn a_share_does_not_fall_into_step_with_the_traffic() {
        for rhythm in 2..20 {
            let spread = Spread::default();
            let share = Weight::percent(50.0).into();
            let mut hits = 0;
            for count in 0..rhythm * 1000 {
                let hit = spread.next_is_in(share);
                hits += u32::from(hit && count % rhythm == 0);
            }
            assert!(hits.abs_diff(500) <= 20, "every {rhythm}th request: {hits} of 1000");
        }
    }
}
