//! What a document says about itself and its flags besides their values.

use std::sync::Arc;

use crate::value::{Map, Value};

/// Texts, numbers and booleans by name: those of the document, and over them those of the flag.
///
/// Cheap to clone: flags without metadata of their own share those of the document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata(Arc<Map>);

impl Metadata {
    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The names and values, ordered by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> + Clone {
        self.0.iter()
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These, and over them `own`.
    pub(crate) fn overlaid_by(&self, own: Map) -> Self {
        if own.is_empty() {
            return self.clone();
        }
        let own = own.iter().map(|(name, value)| (name.to_owned(), value.clone()));
        let mut merged = Map::clone(&self.0);
        own.for_each(|(name, value)| drop(merged.insert(name, value)));
        Self(Arc::new(merged))
    }
}

impl From<Map> for Metadata {
    fn from(values: Map) -> Self {
        Self(Arc::new(values))
    }
}
