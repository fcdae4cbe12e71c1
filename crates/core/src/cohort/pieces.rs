//! The slots of many shares in the order of places, and what lies free between them.

use super::{Place, Slot, slot::weight};
use crate::traffic::Weight;

/// Slots in the order of places, each with the index of its share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pieces(Vec<(Slot, usize)>);

/// Two shares that hold the same places; one of them, if its own slots overlap.
pub(super) struct Collision {
    /// The index of the share that comes first.
    pub(super) first: usize,
    /// The index of the share that comes later.
    pub(super) second: usize,
    /// What both hold.
    pub(super) both: Slot,
}

/// The places that nobody holds, handed out from the low end.
pub(super) struct Free {
    /// The highest first, so that the lowest is taken from the end.
    gaps: Vec<Slot>,
    parts: u32,
}

impl Pieces {
    /// The slots of all shares, in the order of their indices.
    pub(super) fn of<'a>(shares: impl IntoIterator<Item = &'a [Slot]>) -> Self {
        Self::default().with_all(0, shares)
    }

    /// These slots and those of one more share.
    pub(super) fn with(&self, index: usize, slots: &[Slot]) -> Self {
        self.clone().with_all(index, [slots])
    }

    /// Sorted once, and only then compared: many slots must not be compared with one another one by one.
    pub(super) fn check(&self) -> Result<(), Collision> {
        // Where any two overlap, two neighbours do.
        for pair in self.0.windows(2) {
            if let [(slot, one), (next, other)] = pair
                && let Some(both) = slot.overlap(*next)
            {
                return Err(Collision { first: *one.min(other), second: *one.max(other), both });
            }
        }
        Ok(())
    }

    /// The index of the share that holds a place.
    pub(super) fn at(&self, place: Place) -> Option<usize> {
        let next = self.0.partition_point(|(slot, _)| slot.to().parts() <= place.part());
        self.0.get(next).filter(|(slot, _)| slot.contains(place)).map(|(_, index)| *index)
    }

    /// What no slot holds.
    pub(super) fn free(&self) -> Free {
        let (mut gaps, mut low) = (Vec::new(), Weight::ZERO);
        let after_all = (Weight::FULL, Weight::FULL);
        for (from, to) in self.0.iter().map(|(slot, _)| (slot.from(), slot.to())).chain([after_all]) {
            // Nothing lies between slots that touch.
            gaps.extend(Slot::try_new(low, from));
            low = to;
        }
        gaps.reverse();
        Free { parts: gaps.iter().map(|gap| gap.size().parts()).sum(), gaps }
    }

    fn with_all<'a>(mut self, first: usize, shares: impl IntoIterator<Item = &'a [Slot]>) -> Self {
        for (index, slots) in (first..).zip(shares) {
            self.0.extend(slots.iter().map(|slot| (*slot, index)));
        }
        // Stable, because it makes use of what is in order already.
        self.0.sort();
        self
    }
}

impl Free {
    /// How much it is.
    pub(super) fn size(&self) -> Weight {
        weight(self.parts)
    }

    /// The lowest places, so many; none, and nothing taken, if fewer are left.
    pub(super) fn take(&mut self, parts: u32) -> Option<Vec<Slot>> {
        self.parts = self.parts.checked_sub(parts)?;
        let (mut left, mut taken) = (parts, Vec::new());
        while left > 0
            && let Some(gap) = self.gaps.pop()
        {
            let size = left.min(gap.size().parts());
            let end = weight(gap.from().parts() + size);
            taken.extend(Slot::try_new(gap.from(), end));
            self.gaps.extend(Slot::try_new(end, gap.to()));
            left -= size;
        }
        Some(taken)
    }
}
