use std::{collections::HashSet, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    CohortError, Place, Slot,
    pieces::{Collision, Free, Pieces},
    slot::weight,
    written::{Room, WrittenShare},
};
use crate::traffic::Weight;

/// Several shares of the subjects, each with a name: the variants of an experiment, the experiments of a layer.
///
/// Each share holds slots of its own; what no share holds is free. A share that grows takes free places only, the lowest
/// first, so that nobody who is in any share is moved. That is what a split remembers, and why it is serialised with its
/// slots: weights alone do not tell who came in when. Written by people, a share has either a `weight`, and takes the
/// lowest places that are free once all written slots are taken, or its `slots`.
///
/// ```
/// use serinus_core::{
///     cohort::{Salt, Split},
///     traffic::Weight,
/// };
///
/// let mut colours = Split::of([("red", Weight::percent(10.0)), ("blue", Weight::percent(10.0))])?;
/// let place = Salt::new("button").place("user-16");
/// assert_eq!(colours.at(place), Some("blue"));
///
/// // Red grows, and blue stays where it is.
/// colours.resize("red", Weight::percent(30.0))?;
/// assert_eq!(colours.at(place), Some("blue"));
/// assert_eq!(colours.free(), Weight::percent(60.0));
/// # Ok::<(), serinus_core::cohort::CohortError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<WrittenShare>", into = "Vec<WrittenShare>")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "Vec<WrittenShare>"))]
pub struct Split {
    shares: Vec<Share>,
    pieces: Pieces,
}

/// One share of a [`Split`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    name: Arc<str>,
    /// In the order in which they were taken.
    slots: Vec<Slot>,
}

impl Share {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The places it holds, in the order in which it got them.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// How much it holds.
    pub fn weight(&self) -> Weight {
        weight(self.slots.iter().map(|slot| slot.size().parts()).sum())
    }
}

impl Split {
    /// Shares of these weights, one after the other from the low end.
    ///
    /// # Errors
    ///
    /// If a name is empty or stands twice, or if the weights are more than 100 %.
    pub fn of<N: Into<Arc<str>>>(
        weights: impl IntoIterator<Item = (N, Weight)>,
    ) -> Result<Self, CohortError> {
        let rooms = weights.into_iter().map(|(name, weight)| (name.into(), Room::Weight(weight)));
        Self::with_rooms(rooms.collect())
    }

    /// Adds a share, which takes the lowest free places.
    ///
    /// # Errors
    ///
    /// If the name is empty or taken, or too little is free.
    pub fn add(&mut self, name: impl Into<Arc<str>>, weight: Weight) -> Result<(), CohortError> {
        let name = self.new_name(name.into())?;
        let slots = take(&mut self.pieces.free(), &name, weight.parts())?;
        self.pieces = self.pieces.with(self.shares.len(), &slots);
        self.shares.push(Share { name, slots });
        Ok(())
    }

    /// Adds a share with the places it is to have.
    ///
    /// # Errors
    ///
    /// If the name is empty or taken, or a place is held already.
    pub fn add_at(
        &mut self,
        name: impl Into<Arc<str>>,
        slots: impl IntoIterator<Item = Slot>,
    ) -> Result<(), CohortError> {
        let share = Share { name: self.new_name(name.into())?, slots: slots.into_iter().collect() };
        let pieces = self.pieces.with(self.shares.len(), &share.slots);
        let of = |index| self.shares.get(index).unwrap_or(&share);
        pieces.check().map_err(|collision| overlap(collision, of))?;
        self.shares.push(share);
        self.pieces = pieces;
        Ok(())
    }

    /// Raises or lowers a share. Raised, it takes the lowest free places; lowered, it gives back those that it got last.
    /// No other share is touched.
    ///
    /// # Errors
    ///
    /// If there is no such share, or too little is free.
    pub fn resize(&mut self, name: &str, to: Weight) -> Result<(), CohortError> {
        let index = self.index_of(name)?;
        let held = self.shares[index].weight().parts();
        if let Some(more) = to.parts().checked_sub(held) {
            let name = self.shares[index].name.clone();
            let more = take(&mut self.pieces.free(), &name, more)?;
            let slots = &mut self.shares[index].slots;
            for slot in more {
                match slots.last_mut() {
                    Some(last) if last.to() == slot.from() => *last = joined(*last, slot),
                    _ => slots.push(slot),
                }
            }
        } else {
            give_back(&mut self.shares[index].slots, held - to.parts());
        }
        self.find_pieces();
        Ok(())
    }

    /// Removes a share; its places become free, and are the first that another one takes if they are the lowest.
    ///
    /// # Errors
    ///
    /// If there is no such share.
    pub fn remove(&mut self, name: &str) -> Result<Share, CohortError> {
        let index = self.index_of(name)?;
        let share = self.shares.remove(index);
        self.find_pieces();
        Ok(share)
    }

    /// The name of the share that holds a place; none if it is free.
    pub fn at(&self, place: Place) -> Option<&str> {
        self.index_at(place).map(|index| self.shares[index].name())
    }

    /// The shares, in the order in which they were added.
    pub fn shares(&self) -> &[Share] {
        &self.shares
    }

    /// What no share holds.
    pub fn free(&self) -> Weight {
        self.pieces.free().size()
    }

    pub(super) fn index_at(&self, place: Place) -> Option<usize> {
        self.pieces.at(place)
    }

    pub(super) fn index_of(&self, name: &str) -> Result<usize, CohortError> {
        self.shares.iter().position(|share| *share.name == *name).ok_or_else(|| CohortError::Unknown {
            name: name.into(),
            expected: one_of(self.shares.iter().map(Share::name)),
        })
    }

    fn new_name(&self, name: Arc<str>) -> Result<Arc<str>, CohortError> {
        check_given(&name)?;
        match self.shares.iter().any(|share| share.name == name) {
            true => Err(CohortError::Twice { name }),
            false => Ok(name),
        }
    }

    fn find_pieces(&mut self) {
        self.pieces = Pieces::of(self.shares.iter().map(Share::slots));
    }
}

fn take(free: &mut Free, name: &Arc<str>, parts: u32) -> Result<Vec<Slot>, CohortError> {
    let full = CohortError::Full { name: name.clone(), wanted: weight(parts), free: free.size() };
    free.take(parts).ok_or(full)
}

fn overlap<'a>(
    Collision { first, second, both }: Collision,
    share: impl Fn(usize) -> &'a Share,
) -> CohortError {
    let name = |index| share(index).name.clone();
    CohortError::Overlap { first: name(first), second: name(second), from: both.from(), to: both.to() }
}

fn joined(first: Slot, next: Slot) -> Slot {
    Slot::try_new(first.from(), next.to()).unwrap_or(first)
}

fn give_back(slots: &mut Vec<Slot>, parts: u32) {
    let mut left = parts;
    while left > 0
        && let Some(last) = slots.pop()
    {
        let size = last.size().parts();
        // Nothing is left of a slot that is given back in full.
        if let Ok(kept) = Slot::try_new(last.from(), weight(last.to().parts() - left.min(size))) {
            slots.push(kept);
        }
        left -= left.min(size);
    }
}

pub(super) fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { format!("one of {}", names.join(", ")) }
}

impl TryFrom<Vec<WrittenShare>> for Split {
    type Error = CohortError;

    fn try_from(written: Vec<WrittenShare>) -> Result<Self, CohortError> {
        let shares = written.into_iter().map(WrittenShare::read).collect::<Result<Vec<_>, _>>()?;
        Self::with_rooms(shares)
    }
}

impl Split {
    /// Written slots first, so that a weight beside them finds what is really free. In one pass over all of them: a
    /// document may have as many shares as fit into it.
    pub(super) fn with_rooms(rooms: Vec<(Arc<str>, Room)>) -> Result<Self, CohortError> {
        let mut names = HashSet::with_capacity(rooms.len());
        for (name, _) in &rooms {
            check_given(name)?;
            if !names.insert(name) {
                return Err(CohortError::Twice { name: name.clone() });
            }
        }
        let (mut shares, mut weights) = (Vec::with_capacity(rooms.len()), Vec::new());
        for (index, (name, room)) in rooms.into_iter().enumerate() {
            let slots = match room {
                Room::Slots(slots) => slots,
                Room::Weight(weight) => {
                    weights.push((index, weight));
                    Vec::new()
                }
            };
            shares.push(Share { name, slots });
        }
        let mut split = Self { shares, pieces: Pieces::default() };
        split.find_pieces();
        split.pieces.check().map_err(|collision| overlap(collision, |index| &split.shares[index]))?;
        let mut free = split.pieces.free();
        for (index, weight) in weights {
            let share = &mut split.shares[index];
            share.slots = take(&mut free, &share.name, weight.parts())?;
        }
        split.find_pieces();
        Ok(split)
    }
}

fn check_given(name: &str) -> Result<(), CohortError> {
    if name.is_empty() { Err(CohortError::Nameless { what: "a share" }) } else { Ok(()) }
}

impl From<Split> for Vec<WrittenShare> {
    fn from(split: Split) -> Self {
        split.shares.into_iter().map(|share| WrittenShare::new(share.name, share.slots)).collect()
    }
}
