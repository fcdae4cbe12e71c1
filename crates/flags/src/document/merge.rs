//! One document out of several.

use std::sync::Arc;

use super::{Contents, Document, Fault, flag::Common, place::saturated};
use crate::{source::Selector, value::Map};

impl Document {
    /// One document out of several, each with the name of where it is from: of flags with the same key the last one
    /// counts, among those that the selector takes.
    ///
    /// ```
    /// use serinus_flags::{Document, source::Selector};
    ///
    /// let below = Document::from_json(
    ///     r#"{"flags": {"a": {"state": "ENABLED", "variants": {"x": 1}}, "b": {"state": "ENABLED", "variants": {"x": 1}}}}"#,
    /// )?;
    /// let above = Document::from_json(r#"{"flags": {"b": {"state": "DISABLED", "variants": {"x": 1}}}}"#)?;
    /// let merged = Document::merged(&[("below", below), ("above", above)], &Selector::all());
    /// assert_eq!(merged.keys().collect::<Vec<_>>(), ["a", "b"]);
    /// # Ok::<(), serinus_flags::DocumentError>(())
    /// ```
    ///
    /// Flags keep what their own document says: its shared rules, its metadata, its generation of `fractional`. The
    /// generation of the whole is that of the last document. Faults and warnings name the document before their path.
    pub fn merged<N: AsRef<str>>(documents: &[(N, Self)], selector: &Selector) -> Self {
        if let ([(_, only)], true) = (documents, selector.is_all()) {
            return only.clone();
        }
        let mut contents = Contents::default();
        let mut metadata = Map::new();
        for (number, (name, document)) in documents.iter().enumerate() {
            let (name, number) = (name.as_ref(), saturated(number));
            let mut takes_any = selector.is_all();
            let others = if selector.is_of_a_set() { document.others() } else { &[] };
            let flags = document.flags().iter().chain(others);
            for flag in flags.filter(|flag| selector.takes(name, flag)) {
                takes_any = true;
                match contents.index.get(&flag.key) {
                    Some(&at) => {
                        if let Some(slot) = contents.flags.get_mut(at as usize) {
                            *slot = Arc::clone(flag);
                        }
                        if let Some(slot) = contents.origins.get_mut(at as usize) {
                            *slot = number;
                        }
                    }
                    None => {
                        contents.index.insert(Arc::clone(&flag.key), saturated(contents.flags.len()));
                        contents.flags.push(Arc::clone(flag));
                        contents.origins.push(number);
                    }
                }
            }
            if takes_any {
                for (key, value) in document.metadata().iter() {
                    metadata.insert(key, value.clone());
                }
                (contents.common.generation, contents.chosen) = (document.generation(), document.0.chosen);
                let named =
                    |fault: &Fault| Fault { path: format!("{name}: {}", fault.path), ..fault.clone() };
                contents.faults.extend(document.faults().iter().map(named));
                contents.warnings.extend(document.warnings().iter().map(named));
            }
            contents.commons.push(document.0.common.clone());
        }
        contents.common = Common { metadata: metadata.into(), ..contents.common };
        Self(Arc::new(contents))
    }

    /// What the flag has in common with the others of the document that it was written in.
    pub(super) fn common_of(&self, key: &str) -> &Common {
        let origin = self.index_of(key).and_then(|at| self.0.origins.get(at as usize));
        origin.and_then(|origin| self.0.commons.get(*origin as usize)).unwrap_or(&self.0.common)
    }
}
