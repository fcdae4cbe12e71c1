//! One value for each revision.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::traffic::Revision;

/// One value for each revision, in the order of the revisions; written as a map.
///
/// There are hardly ever more than two: a list that is searched from its beginning finds one several times as fast as a
/// tree does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PerRevision<T>(Vec<(Revision, T)>);

impl<T> PerRevision<T> {
    /// No revision.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a revision.
    pub fn get(&self, revision: &Revision) -> Option<&T> {
        self.0.iter().find(|(at, _)| at == revision).map(|(_, value)| value)
    }

    /// The value of a revision, to change it.
    pub fn get_mut(&mut self, revision: &Revision) -> Option<&mut T> {
        self.0.iter_mut().find(|(at, _)| at == revision).map(|(_, value)| value)
    }

    /// Whether a revision has a value.
    pub fn contains_key(&self, revision: &Revision) -> bool {
        self.get(revision).is_some()
    }

    /// Gives a revision a value; the one it had before, if any.
    pub fn insert(&mut self, revision: Revision, value: T) -> Option<T> {
        match self.place_of(&revision) {
            Ok(place) => Some(std::mem::replace(&mut self.0[place].1, value)),
            Err(place) => {
                self.0.insert(place, (revision, value));
                None
            }
        }
    }

    /// Takes the value of a revision away.
    pub fn remove(&mut self, revision: &Revision) -> Option<T> {
        let place = self.place_of(revision).ok()?;
        Some(self.0.remove(place).1)
    }

    /// Takes all away.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The revisions and their values.
    pub fn iter(&self) -> impl Iterator<Item = (&Revision, &T)> {
        self.0.iter().map(|(revision, value)| (revision, value))
    }

    /// The revisions and their values, to change these.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Revision, &mut T)> {
        self.0.iter_mut().map(|(revision, value)| (&*revision, value))
    }

    /// The revisions.
    pub fn keys(&self) -> impl Iterator<Item = &Revision> {
        self.0.iter().map(|(revision, _)| revision)
    }

    /// The values.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, value)| value)
    }

    /// Where a revision is, or where it belongs.
    fn place_of(&self, revision: &Revision) -> Result<usize, usize> {
        self.0.binary_search_by(|(at, _)| at.cmp(revision))
    }
}

impl<T: Default> PerRevision<T> {
    /// The value of a revision, which is made if there is none.
    pub fn get_or_default(&mut self, revision: &Revision) -> &mut T {
        let place = self.0.iter().position(|(at, _)| at == revision).unwrap_or_else(|| {
            let place = self.place_of(revision).unwrap_or_else(|place| place);
            self.0.insert(place, (revision.clone(), T::default()));
            place
        });
        &mut self.0[place].1
    }
}

impl<T> Default for PerRevision<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> FromIterator<(Revision, T)> for PerRevision<T> {
    /// Of several values of one revision the last stays.
    fn from_iter<I: IntoIterator<Item = (Revision, T)>>(values: I) -> Self {
        Self(BTreeMap::from_iter(values).into_iter().collect())
    }
}

impl<T: Serialize> Serialize for PerRevision<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for PerRevision<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::from_iter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_a_tree_holds_in_the_same_order() {
        let (mut list, mut tree) = (PerRevision::new(), BTreeMap::new());
        for (number, name) in ["v2", "v1", "v10", "v1", "v3", "v2"].into_iter().enumerate() {
            let revision = Revision::from(name);
            assert_eq!(list.insert(revision.clone(), number), tree.insert(revision.clone(), number));
            assert_eq!(list.get(&revision), Some(&number));
        }
        assert_eq!(list.remove(&"v10".into()), tree.remove(&"v10".into()));
        assert_eq!((list.remove(&"v9".into()), list.contains_key(&"v10".into())), (None, false));
        *list.get_or_default(&"v0".into()) += 7;
        *tree.entry("v0".into()).or_default() += 7;
        assert!(list.iter().eq(tree.iter()) && list.len() == tree.len(), "{list:?}");
        let text = serde_json::to_string(&list).unwrap();
        assert_eq!(text, serde_json::to_string(&tree).unwrap());
        assert_eq!(serde_json::from_str::<PerRevision<usize>>(&text).unwrap(), list);
        assert_eq!(list, tree.into_iter().collect());
    }
}
