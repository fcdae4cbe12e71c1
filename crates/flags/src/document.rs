//! Documents of flags, as flagd has them.

use std::{fmt, str, sync::Arc};

use rustc_hash::FxHashMap;
use serinus_core::cohort::murmur3::Hasher;

pub use self::{
    error::DocumentError,
    fault::{Fault, Problem},
    options::{Format, Options},
};
use self::{
    fault::Finding,
    flag::{Common, scalar},
    outline::{EVALUATORS, METADATA, Outline, Part},
    place::within,
    tree::Tree,
};
use crate::{
    logic::{Evaluators, Generation, RuleWarning},
    metadata::Metadata,
    value::{Map, Value},
};

mod entries;
mod error;
mod fault;
pub(crate) mod flag;
mod merge;
mod options;
mod outline;
mod place;
mod tree;
#[cfg(feature = "yaml")]
mod yaml;

pub(crate) use self::{
    fault::step,
    flag::{Body, Flag, Variant},
};

/// A document of flags: read strictly, compiled, never changed. Cheap to clone.
///
/// The format is that of flagd: an object with `flags`, and where needed `$evaluators` and `metadata`. `flags` may be a
/// list, in which one key may stand once in each set (`metadata.flagSetId`): a [selector](crate::source::Selector)
/// chooses the set, by [`Document::merged`] or a feed, and without one the last counts.
///
/// A flag that is
/// at fault is that flag's fault: it stays in the document, fails when it is evaluated
/// ([`ErrorCode::ParseError`](crate::ErrorCode::ParseError)), and [`Document::faults`] says what is wrong with it.
///
/// ```
/// use serinus_flags::Document;
///
/// let document = Document::from_json(
///     r#"{"flags": {
///         "search": {"state": "ENABLED", "variants": {"old": "v1", "new": "v2"}, "defaultVariant": "old"},
///         "basket": {"state": "ENABLED", "variants": {"on": true, "off": 0}}
///     }}"#,
/// )?;
/// assert_eq!(
///     document.faults()[0].to_string(),
///     "in the flag at line 3, column 19: flags.basket.variants.off: this variant is a number, and \"on\" is a boolean: \
///      give all variants of a flag one type",
/// );
/// # Ok::<(), serinus_flags::DocumentError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Document(Arc<Contents>);

#[derive(Debug, Default)]
struct Contents {
    /// Each key once.
    flags: Vec<Arc<Flag>>,
    index: FxHashMap<Arc<str>, u32>,
    /// Of a list: flags whose key stands again further down, in another set.
    others: Vec<Arc<Flag>>,
    common: Common,
    chosen: Chosen,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
    /// Of several documents: what each has in common.
    commons: Vec<Common>,
    /// Of several documents: which of them each flag is from.
    origins: Vec<u32>,
}

/// Who chose the generation of `fractional`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Chosen {
    /// Nobody: it is the newest.
    #[default]
    Newest,
    /// The program, by [`Options::generation`].
    Options,
    /// The document, by `metadata["serinus.fractional"]`. It overrules the program.
    Document,
}

impl fmt::Display for Chosen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Newest => "the newest, because neither the document nor the program names one",
            Self::Options => "chosen by the program",
            Self::Document => "chosen by the document's metadata",
        })
    }
}

impl Document {
    /// Reads JSON, with the [`Options`] that are the default.
    ///
    /// # Errors
    ///
    /// If the text is no document at all.
    pub fn from_json(text: &str) -> Result<Self, DocumentError> {
        Options::default().read(text.as_bytes(), Format::Json, None)
    }

    /// Reads YAML, with the [`Options`] that are the default. The names of fields and flags have to be texts: `on` and
    /// `off` are, `1` and `true` need quotes.
    ///
    /// # Errors
    ///
    /// If the text is no document at all.
    #[cfg(feature = "yaml")]
    pub fn from_yaml(text: &str) -> Result<Self, DocumentError> {
        Options::default().read(text.as_bytes(), Format::Yaml, None)
    }

    /// Reads bytes as they come from a file or a server, with the [`Options`] that are the default.
    ///
    /// # Errors
    ///
    /// If the bytes are not UTF-8, or no document at all.
    pub fn from_slice(bytes: &[u8], format: Format) -> Result<Self, DocumentError> {
        Options::default().read(bytes, format, None)
    }

    /// What is wrong with flags, shared rules or metadata, in the order of the text. They are broken or left out, and
    /// everything else is loaded.
    pub fn faults(&self) -> &[Fault] {
        &self.0.faults
    }

    /// What harms nothing but was probably not meant.
    pub fn warnings(&self) -> &[Fault] {
        &self.0.warnings
    }

    /// The keys of its flags, those at fault among them, in the order of the text.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.0.flags.iter().map(|flag| &*flag.key)
    }

    /// How many flags there are, those at fault among them.
    pub fn len(&self) -> usize {
        self.0.flags.len()
    }

    /// Whether there is no flag.
    pub fn is_empty(&self) -> bool {
        self.0.flags.is_empty()
    }

    /// The metadata of the document as a whole.
    pub fn metadata(&self) -> &Metadata {
        &self.0.common.metadata
    }

    /// How `fractional` hashes in this document.
    pub fn generation(&self) -> Generation {
        self.0.common.generation
    }

    /// Who chose that.
    pub fn generation_chosen_by(&self) -> Chosen {
        self.0.chosen
    }

    pub(crate) fn flags(&self) -> &[Arc<Flag>] {
        &self.0.flags
    }

    /// Flags of this key or that which are not among [`Document::flags`]: another of the same key stands in another set.
    pub(crate) fn others(&self) -> &[Arc<Flag>] {
        &self.0.others
    }

    pub(crate) fn flag(&self, key: &str) -> Option<&Arc<Flag>> {
        self.0.flags.get(*self.0.index.get(key)? as usize)
    }

    #[inline]
    pub(crate) fn index_of(&self, key: &str) -> Option<u32> {
        self.0.index.get(key).copied()
    }

    #[inline]
    pub(crate) fn flag_at(&self, index: u32) -> Option<&Flag> {
        self.0.flags.get(index as usize).map(|flag| &**flag)
    }

    /// A hash of what a sound flag says, however it is written: its definition, and what it takes from the document.
    pub(crate) fn fingerprint(&self, index: u32) -> Option<u32> {
        let flag = self.flag_at(index).filter(|flag| flag.body.is_some())?;
        let common = self.common_of(&flag.key);
        let mut hasher = Hasher::new(0).with(flag.definition()?.to_string().as_bytes());
        if !flag.references.is_empty() {
            let reached = common.evaluators.reached(&flag.references);
            hasher = hasher.with(Value::from(reached).to_string().as_bytes());
        }
        Some(hasher.with(&[common.generation as u8]).finish())
    }

    /// Whether the flag, in this document, says what the other says in the other.
    pub(crate) fn says_the_same(&self, flag: &Arc<Flag>, other: &Arc<Flag>, there: &Self) -> bool {
        let is_one = Arc::ptr_eq(flag, other);
        is_one || flag.says_the_same(other, self.common_of(&flag.key), there.common_of(&other.key))
    }
}

impl Options {
    /// Reads a document. Flags that are written as in `previous` are taken from there instead of being compiled again.
    ///
    /// # Errors
    ///
    /// If the bytes are not UTF-8, or no document at all.
    pub fn read(
        &self,
        bytes: &[u8],
        format: Format,
        previous: Option<&Document>,
    ) -> Result<Document, DocumentError> {
        let limit = self.max_bytes;
        if bytes.len() > limit {
            return Err(DocumentError::TooLarge { bytes: bytes.len(), limit });
        }
        let text =
            str::from_utf8(bytes).map_err(|error| DocumentError::NotUtf8 { at: error.valid_up_to() })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let beginning = text.trim_start();
        if beginning.is_empty() {
            return Err(DocumentError::Empty);
        }
        if beginning.starts_with('<') {
            return Err(DocumentError::Markup { beginning: beginning.chars().take(20).collect() });
        }
        let outline = match format {
            Format::Json => outline::of_json(text)?,
            #[cfg(feature = "yaml")]
            Format::Yaml => yaml::outline(text)?,
        };
        self.assemble(outline, previous)
    }

    fn assemble(&self, outline: Outline<'_>, previous: Option<&Document>) -> Result<Document, DocumentError> {
        let mut contents = Contents::default();
        for part in &outline.unknown {
            let problem = Problem::UnknownField { name: fault::shortened(&part.name), known: KNOWN };
            let path = fault::step(&part.name);
            contents.warnings.push(Finding::new(problem).into_fault(None, &path, (part.line, part.column)));
        }
        for (field, part) in outline.findings {
            if let Err(finding) = part.text {
                let fault = finding.into_fault(None, field, (part.line, part.column));
                // The part is that entry.
                contents.faults.push(Fault { is_exact: true, ..fault });
            }
        }
        let (generation, chosen) = self.generation_of(&outline.metadata, outline.unreadable.as_deref())?;
        let metadata = contents.named(METADATA, outline.metadata, |tree| {
            Ok(scalar(tree)?.map(Tree::into_value).transpose()?.unwrap_or_default())
        });
        let metadata = metadata.into_iter().filter(|(_, value)| *value != Value::Null).collect::<Map>();
        contents.chosen = chosen;
        let places: Vec<_> =
            outline.evaluators.iter().map(|part| (part.name.clone(), (part.line, part.column))).collect();
        let evaluators = contents.named(EVALUATORS, outline.evaluators, Tree::into_value);
        let before = previous.map(|previous| &*previous.0.common.evaluators);
        contents.common = Common {
            generation,
            split_reason: self.split_reason,
            is_list: outline.is_list,
            metadata: Metadata::from(metadata),
            evaluators: Arc::new(Evaluators::new(evaluators, before)),
        };
        for (name, place) in places {
            for RuleWarning { path, doubt, .. } in contents.common.evaluators.warnings(&name, generation) {
                let finding = Finding { path, at: None, problem: Problem::Doubtful(doubt) };
                let path = format!("{EVALUATORS}{}", step(&name));
                contents.warnings.push(finding.into_fault(None, &path, place));
            }
        }
        contents.take_flags(outline.flags, previous);
        Ok(Document(Arc::new(contents)))
    }

    /// A generation that is asked for and cannot be read is never replaced by another: that would move users.
    fn generation_of(
        &self,
        metadata: &[Part<'_>],
        unreadable: Option<&str>,
    ) -> Result<(Generation, Chosen), DocumentError> {
        let unknown = |found: &str| DocumentError::UnknownGeneration { found: fault::shortened(found) };
        if let Some(text) = unreadable.filter(|text| text.contains(GENERATION)) {
            return Err(unknown(text));
        }
        let mut parts = metadata.iter().filter(|part| part.name == GENERATION);
        let Some(part) = parts.next() else {
            let newest = (Generation::default(), Chosen::Newest);
            return Ok(self.generation.map_or(newest, |chosen| (chosen, Chosen::Options)));
        };
        if let Some(Part { line, column, .. }) = parts.next() {
            return Err(DocumentError::Twice { name: GENERATION.to_owned(), line: *line, column: *column });
        }
        let text = part.text.as_deref().map_err(|finding| unknown(&finding.problem.to_string()))?;
        let generation = match Tree::parse(text) {
            Ok(Tree::String(name)) if name == "v1" => Generation::V1,
            Ok(Tree::String(name)) if name == "v2" => Generation::V2,
            Ok(Tree::String(name)) if name == "v3" => Generation::V3,
            _ => return Err(unknown(text)),
        };
        Ok((generation, Chosen::Document))
    }
}

impl Contents {
    /// Shared rules or metadata: those that can be read.
    fn named(
        &mut self,
        field: &'static str,
        parts: Vec<Part<'_>>,
        read: impl Fn(Tree) -> Result<Value, Finding>,
    ) -> Map {
        let mut names: FxHashMap<&str, u32> = FxHashMap::default();
        parts.iter().for_each(|part| *names.entry(&part.name).or_default() += 1);
        let mut values = Vec::with_capacity(parts.len());
        for part in &parts {
            let place = (part.line, part.column);
            let is_once = names.get(part.name.as_str()) == Some(&1);
            let read = if is_once {
                let text = part.text.as_ref().map_err(|finding| Finding::clone(finding));
                text.and_then(|text| Tree::parse(text)).and_then(&read)
            } else {
                Err(Finding::new(Problem::Twice { name: fault::shortened(&part.name) }))
            };
            match read {
                Ok(value) => values.push((part.name.clone(), value)),
                Err(finding) => {
                    let path = format!("{field}{}", step(&part.name));
                    let finding = finding.if_converted(part.is_converted());
                    self.faults.push(finding.into_fault(None, &path, place));
                }
            }
        }
        values.sort_by(|(one, _), (other, _)| one.cmp(other));
        values.into_iter().collect()
    }
}

impl Finding {
    /// The fault of the part that begins at `place` and is called `path`.
    fn into_fault(self, flag: Option<&str>, path: &str, place: (u32, u32)) -> Fault {
        let (line, column) = self.at.map_or(place, |at| within(place, at));
        let is_exact = self.at.is_some() || self.path.is_empty();
        let path = format!("{path}{}", self.path);
        let path = path.strip_prefix('.').map(str::to_owned).unwrap_or(path);
        Fault { flag: flag.map(str::to_owned), path, line, column, is_exact, problem: self.problem }
    }
}

/// The name in the metadata of a document by which it chooses how `fractional` hashes.
pub(crate) const GENERATION: &str = "serinus.fractional";
const KNOWN: &str = "flags, $evaluators, metadata and $schema";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_of_a_flag_has_only_the_shared_rules_that_it_reaches() {
        let fingerprint = |inner: &str, unused: &str| {
            let text = format!(
                r#"{{"flags": {{"f": {{"state": "ENABLED", "variants": {{"on": true}},
                    "targeting": {{"if": [{{"$ref": "outer"}}, "on"]}}}}}},
                    "$evaluators": {{"outer": {{"!": [{{"$ref": "inner"}}]}}, "inner": {inner}, "unused": {unused}}}}}"#
            );
            Document::from_json(&text).unwrap().fingerprint(0)
        };
        assert!(fingerprint("1", "1").is_some());
        assert_eq!(fingerprint("1", "1"), fingerprint("1", "2"));
        assert_ne!(fingerprint("1", "1"), fingerprint("2", "1"));
    }
}
