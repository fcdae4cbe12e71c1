use crate::traffic::Weight;

/// Where a subject stands among all subjects: one of 2^32 places, evenly filled.
///
/// A share of the subjects is a range of places. Weights count in hundred-thousandths, so the places fall into 100 000
/// parts, and everybody within a part is treated alike.
///
/// ```
/// use serinus_core::{cohort::Place, traffic::Weight};
///
/// let place = Place::new(1_009_084_850);
/// assert_eq!(place.part(), 23_494);
/// assert!(place.is_below(Weight::percent(23.495)));
/// assert!(!place.is_below(Weight::percent(23.494)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(u32);

impl Place {
    /// The place of a hash that was computed elsewhere.
    #[inline]
    pub const fn new(hash: u32) -> Self {
        Self(hash)
    }

    /// The hash.
    #[inline]
    pub const fn hash(self) -> u32 {
        self.0
    }

    /// The part the place lies in, `0..100_000`: the whole of `hash * 100_000 / 2^32`.
    #[inline]
    pub const fn part(self) -> u32 {
        ((self.0 as u64 * Weight::FULL.parts() as u64) >> 32) as u32
    }

    /// Whether the place belongs to a share that is taken from the low end. Whoever is below a weight is below every
    /// higher one.
    #[inline]
    pub const fn is_below(self, weight: Weight) -> bool {
        self.part() < weight.parts()
    }

    /// Whether the place belongs to a share that is taken from the high end.
    #[inline]
    pub const fn is_among_the_last(self, weight: Weight) -> bool {
        self.part() >= weight.rest().parts()
    }
}
