//! What a document changed.

use std::{fmt, sync::Arc};

use rustc_hash::FxHashSet;

use crate::{
    document::{Chosen, Document, Fault, Flag},
    logic::Generation,
};

/// The keys of the flags that a document changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// They were not there before.
    pub added: Vec<Arc<str>>,
    /// They are not there any more.
    pub removed: Vec<Arc<str>>,
    /// They say something else than before, not merely in other words; or have a rule, and the attributes that a source
    /// gives for everybody are others.
    pub changed: Vec<Arc<str>>,
}

impl Change {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    /// All keys: added, removed and changed.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<str>> + Clone {
        self.added.iter().chain(&self.removed).chain(&self.changed)
    }

    pub(super) fn between(before: &Document, after: &Document) -> Self {
        let mut change = Self::default();
        for flag in after.flags() {
            match before.flag(&flag.key) {
                None => change.added.push(Arc::clone(&flag.key)),
                Some(old) if !after.says_the_same(flag, old, before) => {
                    change.changed.push(Arc::clone(&flag.key));
                }
                Some(_) => {}
            }
        }
        let is_gone = |flag: &&Arc<Flag>| after.flag(&flag.key).is_none();
        change.removed = before.flags().iter().filter(is_gone).map(|flag| Arc::clone(&flag.key)).collect();
        change
    }

    /// The context that every rule sees is another one.
    pub(super) fn add_those_with_rules(&mut self, document: &Document) {
        let known: FxHashSet<_> = self.keys().cloned().collect();
        let has_rule = |flag: &&Arc<Flag>| flag.body.as_ref().is_some_and(|body| body.rule.is_some());
        let ruled = document.flags().iter().filter(has_rule).map(|flag| Arc::clone(&flag.key));
        self.changed.extend(ruled.filter(|key| !known.contains(key)));
    }
}

/// What became of a document that was loaded. Prints as one line for a log.
#[derive(Clone, Debug)]
pub struct Report {
    change: Change,
    document: Document,
}

impl Report {
    pub(super) fn new(change: Change, document: Document) -> Self {
        Self { change, document }
    }

    /// What it changed.
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// The document.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// What is wrong with flags, shared rules or metadata.
    pub fn faults(&self) -> &[Fault] {
        self.document.faults()
    }

    /// What harms nothing but was probably not meant.
    pub fn warnings(&self) -> &[Fault] {
        self.document.warnings()
    }

    /// How `fractional` hashes, and who chose that.
    pub fn generation(&self) -> (Generation, Chosen) {
        (self.document.generation(), self.document.generation_chosen_by())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { added, removed, changed } = &self.change;
        let (generation, chosen) = self.generation();
        write!(
            formatter,
            "{} flags: {} added, {} removed, {} changed; {} faults, {} warnings; fractional hashes by {} ({chosen})",
            self.document.len(),
            added.len(),
            removed.len(),
            changed.len(),
            self.faults().len(),
            self.warnings().len(),
            match generation {
                Generation::V1 => "v1",
                Generation::V2 => "v2",
                Generation::V3 => "v3",
            },
        )
    }
}
