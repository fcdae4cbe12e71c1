//! Shares, and the instances they need.

use serde::{Deserialize, Serialize};

use crate::traffic::Weight;

/// An exact part of a whole. The part may exceed the whole: a candidate may be asked to have twice the instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Share {
    part: u64,
    whole: u64,
}

impl Share {
    /// Everything.
    pub const FULL: Self = Self { part: 1, whole: 1 };
    /// Nothing.
    pub const NONE: Self = Self { part: 0, whole: 1 };

    /// This part of this whole; a whole of zero counts as one, and both are cut at `u32::MAX`.
    pub const fn of(part: u64, whole: u64) -> Self {
        const LIMIT: u64 = u32::MAX as u64;
        let part = if part > LIMIT { LIMIT } else { part };
        let whole = if whole > LIMIT { LIMIT } else { whole };
        Self { part, whole: if whole == 0 { 1 } else { whole } }
    }

    /// What is left of the whole; nothing if there is nothing left.
    pub const fn rest(self) -> Self {
        Self { part: self.whole.saturating_sub(self.part), whole: self.whole }
    }

    pub(super) const fn is_none(self) -> bool {
        self.part == 0
    }

    pub(super) const fn is_full(self) -> bool {
        self.part == self.whole
    }

    pub(super) const fn part(self) -> u64 {
        self.part
    }

    pub(super) const fn whole(self) -> u64 {
        self.whole
    }

    /// This share of a number, rounded up. Parts and numbers are below 2³², so nothing overflows.
    pub(super) const fn up(self, of: u64) -> u64 {
        (of * self.part).div_ceil(self.whole)
    }

    /// This share of a number, rounded down.
    pub(super) const fn down(self, of: u64) -> u64 {
        of * self.part / self.whole
    }

    /// Whether this share of a number lies exactly between two whole numbers.
    pub(super) const fn ties(self, of: u64) -> bool {
        (of * self.part % self.whole) * 2 == self.whole
    }
}

impl From<Weight> for Share {
    fn from(weight: Weight) -> Self {
        Self::of(weight.parts().into(), Weight::FULL.parts().into())
    }
}

/// Instances of the two revisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_structs, reason = "a pair by nature")]
pub struct Counts {
    /// Instances of the candidate.
    pub candidate: u32,
    /// Instances of stable.
    pub stable: u32,
}

/// The instances of one revision, as numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a pair by nature")]
pub struct Pool {
    /// Instances asked for.
    pub wanted: u32,
    /// Instances that can take traffic.
    pub ready: u32,
}

impl From<&crate::port::Pool> for Pool {
    fn from(pool: &crate::port::Pool) -> Self {
        Self { wanted: pool.wanted, ready: pool.ready }
    }
}

/// How many of `replicas` instances a share needs behind a router: rounded up, so that nothing is starved.
pub const fn weight_to_replicas(replicas: u32, share: Share) -> u32 {
    clamp(share.up(replicas as u64))
}

pub(super) const fn clamp(count: u64) -> u32 {
    if count > u32::MAX as u64 { u32::MAX } else { count as u32 }
}
