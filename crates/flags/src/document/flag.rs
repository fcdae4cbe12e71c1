//! One flag, read strictly and compiled.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use super::{
    GENERATION,
    fault::{Finding, Problem, shortened},
    outline::KEY,
    place::saturated,
    tree::{Tree, into_map},
};
use crate::{
    logic::{Evaluators, Generation, REFERENCE, Rule},
    metadata::Metadata,
    value::{Kind, Number, Value},
};

/// A flag, ready to be evaluated; or what is wrong with it.
#[derive(Debug)]
pub(crate) struct Flag {
    pub(crate) key: Arc<str>,
    /// As it was written, to recognise it in the next document; empty if it may not be recognised.
    pub(crate) text: Box<str>,
    /// Nothing if the flag is at fault; then `faults` says why.
    pub(crate) body: Option<Body>,
    /// The metadata of the document, and over it that of the flag.
    pub(crate) metadata: Metadata,
    /// The shared rules that the rule names itself, whether there are such or not.
    pub(crate) references: Box<[Box<str>]>,
    /// Whether a split is told from another match.
    pub(crate) split_reason: bool,
    pub(crate) faults: Vec<Finding>,
    pub(crate) warnings: Vec<Finding>,
}

/// What a sound flag says.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) is_enabled: bool,
    /// Ordered by name.
    pub(crate) variants: Box<[Variant]>,
    /// Which of the variants is the default.
    pub(crate) default: Option<u32>,
    pub(crate) rule: Option<Rule>,
}

/// A named value of a flag.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) name: Box<str>,
    pub(crate) value: Value,
    /// Its index among the variants of the flag.
    pub(crate) index: u32,
}

/// What the flags of a document have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Common {
    pub(crate) generation: Generation,
    pub(crate) split_reason: bool,
    pub(crate) is_list: bool,
    pub(crate) evaluators: Arc<Evaluators>,
    pub(crate) metadata: Metadata,
}

impl Flag {
    /// A flag that is at fault as a whole.
    pub(crate) fn broken(key: Arc<str>, finding: Finding, common: &Common) -> Self {
        Self {
            key,
            text: Box::default(),
            body: None,
            metadata: common.metadata.clone(),
            references: Box::default(),
            split_reason: common.split_reason,
            faults: vec![finding],
            warnings: Vec::new(),
        }
    }

    pub(crate) fn read(key: Arc<str>, text: &str, common: &Common) -> Self {
        let mut flag = Self {
            key,
            text: text.into(),
            body: None,
            metadata: common.metadata.clone(),
            references: Box::default(),
            split_reason: common.split_reason,
            faults: Vec::new(),
            warnings: Vec::new(),
        };
        if flag.key.is_empty() {
            flag.faults.push(Finding::new(Problem::EmptyName));
        }
        match Tree::parse(text) {
            Ok(Tree::Object(fields)) => flag.body = flag.take(fields, common),
            Ok(other) => flag.faults.push(Finding::wrong_type("a flag, an object,", other.kind())),
            Err(finding) => flag.faults.push(finding),
        }
        if flag.faults.iter().any(|finding| !is_of_metadata(finding)) {
            flag.body = None;
        }
        // Where it is broken, what broke it comes first.
        flag.faults.sort_by_key(is_of_metadata);
        flag
    }

    /// Whether the flag, written as `text` in a document with this in common, is the same.
    pub(crate) fn is_written(&self, text: &str, before: &Common, now: &Common) -> bool {
        !self.text.is_empty()
            && *self.text == *text
            && before.generation == now.generation
            && before.split_reason == now.split_reason
            && before.is_list == now.is_list
            && before.metadata == now.metadata
            && before.evaluators.agree(&now.evaluators, &self.references)
    }

    /// How much of shared rules it has copied.
    pub(crate) fn copied(&self) -> usize {
        self.body.as_ref().and_then(|body| body.rule.as_ref()).map_or(0, Rule::copied)
    }

    /// Whether the other flag says the same, however it is written.
    pub(crate) fn says_the_same(&self, other: &Self, here: &Common, there: &Common) -> bool {
        let is_same_text = || {
            if self.text.is_empty() || other.text.is_empty() {
                return false;
            }
            let value = |flag: &Self| Tree::parse(&flag.text).and_then(Tree::into_value);
            *self.text == *other.text || value(self).is_ok_and(|one| value(other).is_ok_and(|two| one == two))
        };
        self.metadata == other.metadata
            && self.faults.len() == other.faults.len()
            && here.generation == there.generation
            && here.split_reason == there.split_reason
            && here.evaluators.agree(&there.evaluators, &self.references)
            && is_same_text()
    }

    /// The set that it is in; empty if it is in none.
    pub(crate) fn set(&self) -> Cow<'_, str> {
        match self.metadata.get("flagSetId") {
            None => Cow::Borrowed(""),
            Some(Value::String(set)) => Cow::Borrowed(set),
            Some(other) => Cow::Owned(other.to_string()),
        }
    }

    /// What is written, as a value; nothing if it may not be recognised.
    pub(crate) fn definition(&self) -> Option<Value> {
        if self.text.is_empty() {
            return None;
        }
        Tree::parse(&self.text).and_then(Tree::into_value).ok()
    }

    /// The name of the variant that is the default, if one is.
    pub(crate) fn default_variant(&self) -> Option<&str> {
        let body = self.body.as_ref()?;
        body.variants.get(body.default? as usize).map(|variant| &*variant.name)
    }

    pub(crate) fn has_variant(&self, name: &str) -> bool {
        self.body.as_ref().is_some_and(|body| body.variants.iter().any(|variant| *variant.name == *name))
    }

    fn take(&mut self, fields: Vec<(String, Tree)>, common: &Common) -> Option<Body> {
        let mut taken: [Option<Tree>; FIELDS.len()] = Default::default();
        let mut twice = Vec::new();
        let keys = fields.iter().filter(|(name, _)| common.is_list && name == KEY).count();
        if keys > 1 {
            twice.push(Finding::new(Problem::Twice { name: KEY.to_owned() }).within(KEY));
        }
        for (name, field) in fields {
            let Some(at) = FIELDS.iter().position(|known| *known == name) else {
                if !(common.is_list && name == KEY) {
                    let problem = Problem::UnknownField { name: shortened(&name), known: KNOWN };
                    self.warnings.push(Finding::new(problem).within(&name));
                }
                continue;
            };
            if let Some(slot) = taken.get_mut(at)
                && slot.replace(field).is_some()
            {
                twice.push(Finding::new(Problem::Twice { name: name.clone() }).within(&name));
            }
        }
        self.faults.extend(twice);
        let [state, variants, default, targeting, metadata] = taken;
        self.metadata = self.read_metadata(metadata, common);
        let is_enabled = self.kept(state_of(state), "state");
        let variants = self.read_variants(variants);
        let default = variants.as_deref().and_then(|variants| {
            let default = default_of(default, variants);
            self.kept(default, "defaultVariant")
        });
        let rule = self.read_rule(targeting, common, variants.as_deref());
        Some(Body { is_enabled: is_enabled?, variants: variants?, default: default?, rule: rule? })
    }

    fn kept<T>(&mut self, read: Result<T, Finding>, field: &str) -> Option<T> {
        read.map_err(|finding| self.faults.push(finding.within(field))).ok()
    }

    fn read_metadata(&mut self, tree: Option<Tree>, common: &Common) -> Metadata {
        let fields = match tree {
            None | Some(Tree::Null) => Vec::new(),
            Some(Tree::Object(fields)) => fields,
            Some(other) => {
                self.faults.push(Finding::wrong_type("an object", other.kind()).within("metadata"));
                Vec::new()
            }
        };
        let mut own = Vec::with_capacity(fields.len());
        for (name, field) in fields {
            if name == GENERATION {
                let finding = Finding::new(Problem::GenerationOfFlag);
                self.warnings.push(finding.within(&name).within("metadata"));
            }
            match scalar(field) {
                Ok(Some(value)) => own.push((name, value)),
                Ok(None) => {}
                Err(finding) => self.faults.push(finding.within(&name).within("metadata")),
            }
        }
        own.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut twice: Vec<String> = Vec::new();
        for pair in own.windows(2) {
            if let [(one, _), (other, _)] = pair
                && one == other
                && twice.last() != Some(one)
            {
                twice.push(one.clone());
            }
        }
        own.retain(|(name, _)| twice.binary_search(name).is_err());
        for name in twice {
            let finding = Finding::new(Problem::Twice { name: shortened(&name) });
            self.faults.push(finding.within(&name).within("metadata"));
        }
        let own = own.into_iter().filter_map(|(name, field)| Some((name, field.into_value().ok()?)));
        common.metadata.overlaid_by(own.collect())
    }

    fn read_variants(&mut self, tree: Option<Tree>) -> Option<Box<[Variant]>> {
        let fields = match tree {
            Some(Tree::Object(fields)) => fields,
            Some(other) => {
                self.faults.push(Finding::wrong_type("an object", other.kind()).within("variants"));
                return None;
            }
            None => {
                let example = "\"variants\": {\"on\": true, \"off\": false}";
                let finding = Finding::new(Problem::Missing { field: "variants", example });
                self.faults.push(finding.within("variants"));
                return None;
            }
        };
        if fields.is_empty() {
            self.faults.push(Finding::new(Problem::NoVariants).within("variants"));
            return None;
        }
        let before = self.faults.len();
        let mut first: Option<(String, Kind)> = None;
        for (name, tree) in &fields {
            if name.is_empty() {
                self.faults.push(Finding::new(Problem::EmptyName).within(name).within("variants"));
            }
            let found = tree.kind();
            let problem = match (tree, &first) {
                (Tree::Null | Tree::List(_), _) => Problem::WrongType { expected: VARIANT, found },
                (Tree::Number(number), _) if is_too_large(*number) => {
                    Problem::NumberTooLarge { number: brief(*number) }
                }
                (_, Some((first, kind))) if *kind != found => {
                    Problem::MixedVariants { first: shortened(first), kind: *kind, found }
                }
                (_, Some(_)) => continue,
                (_, None) => {
                    first = Some((name.clone(), found));
                    continue;
                }
            };
            self.faults.push(Finding::new(problem).within(name).within("variants"));
        }
        let map = self.kept(into_map(fields), "variants")?;
        let variants = map.into_iter().enumerate().map(|(index, (name, value))| Variant {
            name: name.into(),
            value,
            index: saturated(index),
        });
        let variants = variants.collect();
        (self.faults.len() == before).then_some(variants)
    }

    fn read_rule(
        &mut self,
        tree: Option<Tree>,
        common: &Common,
        variants: Option<&[Variant]>,
    ) -> Option<Option<Rule>> {
        let tree = match tree {
            None | Some(Tree::Null) => return Some(None),
            Some(Tree::Object(fields)) if fields.is_empty() => return Some(None),
            Some(tree @ Tree::Object(_)) => tree,
            Some(other) => {
                let finding = Finding::wrong_type("a rule, an object,", other.kind());
                self.faults.push(finding.within("targeting"));
                return None;
            }
        };
        let mut references = BTreeSet::new();
        add_references(&tree, &mut references);
        self.references = references.into_iter().map(Into::into).collect();
        let rule = self.kept(tree.into_value(), "targeting")?;
        let has_variant = |name: &str| {
            variants.is_none_or(|variants| {
                variants.binary_search_by(|variant| variant.name.as_ref().cmp(name)).is_ok()
            })
        };
        let compiled =
            Rule::compile_with(&rule, &self.key, &common.evaluators, common.generation, Some(&has_variant));
        let compiled = compiled.map_err(|fault| Finding::new(Problem::Rule(fault)));
        let rule = self.kept(compiled, "targeting")?;
        let doubtful = rule.warnings().iter().map(|warning| {
            let problem = Problem::Doubtful(warning.doubt.clone());
            Finding { path: warning.path.clone(), at: None, problem }.within("targeting")
        });
        self.warnings.extend(doubtful);
        Some(Some(rule))
    }
}

/// A value of metadata; nothing for null.
pub(crate) fn scalar(tree: Tree) -> Result<Option<Tree>, Finding> {
    match tree {
        Tree::Null => Ok(None),
        Tree::Bool(_) | Tree::Number(_) | Tree::String(_) => Ok(Some(tree)),
        Tree::List(_) | Tree::Object(_) => Err(Finding::wrong_type(SCALAR, tree.kind())),
    }
}

fn state_of(tree: Option<Tree>) -> Result<bool, Finding> {
    match tree {
        None => {
            let example = "\"state\": \"ENABLED\"";
            Err(Finding::new(Problem::Missing { field: "state", example }))
        }
        Some(Tree::String(state)) => match state.as_str() {
            "ENABLED" => Ok(true),
            "DISABLED" => Ok(false),
            other => Err(Finding::new(Problem::UnknownState { found: shortened(other) })),
        },
        Some(other) => Err(Finding::wrong_type("\"ENABLED\" or \"DISABLED\"", other.kind())),
    }
}

/// Which of the variants is the default; nothing where none is named.
fn default_of(tree: Option<Tree>, variants: &[Variant]) -> Result<Option<u32>, Finding> {
    let name = match tree {
        None | Some(Tree::Null) => return Ok(None),
        Some(Tree::String(name)) => name,
        Some(other) => return Err(Finding::wrong_type("the name of a variant", other.kind())),
    };
    if name.is_empty() {
        return Ok(None);
    }
    if let Some(variant) = variants.iter().find(|variant| *variant.name == *name) {
        return Ok(Some(variant.index));
    }
    let some = variants.iter().take(LISTED).map(|variant| format!("\"{}\"", shortened(&variant.name)));
    let mut known = some.collect::<Vec<_>>().join(", ");
    if variants.len() > LISTED {
        known.push_str(", …");
    }
    Err(Finding::new(Problem::UnknownDefault { found: shortened(&name), variants: known }))
}

fn is_too_large(number: Number) -> bool {
    number.as_f64().abs() > MAX_SAFE
}

/// Whether the fault leaves out a part of the metadata and nothing else.
fn is_of_metadata(finding: &Finding) -> bool {
    finding.path.starts_with(".metadata")
}

/// Digit by digit as far as anybody reads them.
fn brief(number: Number) -> String {
    let digits = number.to_string();
    if digits.len() > MOST_DIGITS { format!("{:e}", number.as_f64()) } else { digits }
}

/// The names that `$ref`s have anywhere.
fn add_references<'t>(tree: &'t Tree, found: &mut BTreeSet<&'t str>) {
    match tree {
        Tree::Null | Tree::Bool(_) | Tree::Number(_) | Tree::String(_) => {}
        Tree::List(elements) => elements.iter().for_each(|element| add_references(element, found)),
        Tree::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Tree::String(shared) if name == REFERENCE => drop(found.insert(shared)),
                    _ => add_references(field, found),
                }
            }
        }
    }
}

const FIELDS: [&str; 5] = ["state", "variants", "defaultVariant", "targeting", "metadata"];
const KNOWN: &str = "state, variants, defaultVariant, targeting and metadata";
const VARIANT: &str = "a boolean, text, number or object";
pub(crate) const SCALAR: &str = "a text, number or boolean";
/// How long a number may be that a message repeats digit by digit.
const MOST_DIGITS: usize = 24;
/// How many variants a message lists.
const LISTED: usize = 8;
/// The largest integer below which every integer is a float: 2^53 - 1.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;
