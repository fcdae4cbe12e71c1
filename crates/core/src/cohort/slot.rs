use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CohortError, Place};
use crate::traffic::Weight;

/// A range of places, from one share of everybody (included) to another (excluded).
///
/// Written as `{ from: 10%, to: 25% }`, or in hundred-thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "Written"))]
pub struct Slot {
    from: Weight,
    to: Weight,
}

impl Slot {
    /// Everybody.
    pub const FULL: Self = Self { from: Weight::ZERO, to: Weight::FULL };

    /// The places from `from` to below `to`.
    ///
    /// # Errors
    ///
    /// If `to` is not above `from`.
    pub const fn try_new(from: Weight, to: Weight) -> Result<Self, CohortError> {
        if from.parts() < to.parts() {
            Ok(Self { from, to })
        } else {
            Err(CohortError::EmptySlot { from, to })
        }
    }

    /// Where it begins.
    pub const fn from(self) -> Weight {
        self.from
    }

    /// Where it ends: the first share that is no longer in it.
    pub const fn to(self) -> Weight {
        self.to
    }

    /// The share of everybody that is in it.
    pub fn size(self) -> Weight {
        weight(self.to.parts() - self.from.parts())
    }

    /// Whether a place is in it.
    pub const fn contains(self, place: Place) -> bool {
        let part = place.part();
        self.from.parts() <= part && part < self.to.parts()
    }

    /// The places that are in both, if there are any.
    pub fn overlap(self, other: Self) -> Option<Self> {
        Self::try_new(self.from.max(other.from), self.to.min(other.to)).ok()
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.from, self.to)
    }
}

/// Hundred-thousandths that are known to be at most all of them.
pub(super) fn weight(parts: u32) -> Weight {
    Weight::try_parts(parts).unwrap_or(Weight::FULL)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Written {
    from: Weight,
    to: Weight,
}

impl TryFrom<Written> for Slot {
    type Error = CohortError;

    fn try_from(Written { from, to }: Written) -> Result<Self, CohortError> {
        Self::try_new(from, to)
    }
}
