//! What a document changed.

use std::{fmt, sync::Arc};

use rustc_hash::FxHashSet;

use crate::{
    context::Context,
    document::{Chosen, Document, Fault, Flag},
    logic::{Generation, Rule},
};

/// The keys of the flags that a document changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// They were not there before.
    pub added: Vec<Arc<str>>,
    /// They are not there any more.
    pub removed: Vec<Arc<str>>,
    /// They say something else than before, not merely in other words; or their rule may look at an attribute
    /// that a source gives for everybody and that is another one.
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

    /// Attributes that are the same for everybody are others than before: so flags may be whose rules look at them.
    pub(super) fn add_those_that_look(
        &mut self,
        document: &Document,
        before: Option<&Context>,
        after: Option<&Context>,
    ) {
        let known: FxHashSet<_> = self.keys().cloned().collect();
        let of =
            |attributes: Option<&'_ Context>, name: &str| attributes.and_then(|one| one.get(name).cloned());
        let looks = |rule: &Rule| {
            rule.reads().is_none_or(|names| names.iter().any(|name| of(before, name) != of(after, name)))
        };
        let rule =
            |flag: &Arc<Flag>| flag.body.as_ref().and_then(|body| body.rule.as_ref()).is_some_and(looks);
        let others = document.flags().iter().filter(|flag| rule(flag) && !known.contains(&flag.key));
        self.changed.extend(others.map(|flag| Arc::clone(&flag.key)));
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
