//! The shared rules of a document: each compiled once, however many flags refer to it.

use std::{
    collections::BTreeSet,
    ptr,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    Generation, RuleFault, RuleWarning,
    expression::Expression,
    simple::{Condition, Simple},
    warn,
};
use crate::value::{Map, Value};

/// The shared rules of a document, by name.
#[derive(Debug, Default)]
pub(crate) struct Evaluators {
    rules: FxHashMap<Box<str>, Arc<Evaluator>>,
    /// How much of them the flags have copied.
    copied: AtomicUsize,
}

/// One shared rule.
#[derive(Debug)]
pub(super) struct Evaluator {
    pub(super) rule: Value,
    /// The shared rules that it names itself.
    references: Box<[Box<str>]>,
    /// Its larger parts, by where they are in memory and whether they are taken as written.
    nodes: Mutex<FxHashMap<(usize, bool), Arc<Node>>>,
}

/// A compiled part of a shared rule, which is the same for every flag.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) expression: Expression,
    /// How many parts it has, those that it shares counted wherever they stand.
    pub(super) parts: usize,
    /// How many levels it has below itself.
    pub(super) height: usize,
    pub(super) timed: bool,
    simple: OnceLock<Option<Simple>>,
    condition: OnceLock<Option<Condition>>,
    texts: OnceLock<Option<Arc<[Box<str>]>>>,
    names: OnceLock<Box<[Box<str>]>>,
}

impl Evaluators {
    /// Those that say the same in `previous`, with all that they refer to, are taken from there.
    pub(crate) fn new(rules: Map, previous: Option<&Self>) -> Self {
        let rules: Vec<_> = rules
            .into_iter()
            .map(|(name, rule)| {
                let mut references = BTreeSet::new();
                add_references(&rule, &mut references);
                let references: Box<[Box<str>]> = references.into_iter().map(Into::into).collect();
                (name, rule, references)
            })
            .collect();
        let changed = previous.map(|previous| previous.changed(&rules)).unwrap_or_default();
        let changed: Vec<_> = rules.iter().map(|(name, ..)| changed.contains(name.as_str())).collect();
        let rules = rules.into_iter().zip(changed).map(|((name, rule, references), is_changed)| {
            let before = previous.filter(|_| !is_changed).and_then(|previous| previous.rules.get(&*name));
            let evaluator = before.map_or_else(
                || Arc::new(Evaluator { rule, references, nodes: Mutex::default() }),
                Arc::clone,
            );
            (name.into(), evaluator)
        });
        Self { rules: rules.collect(), copied: AtomicUsize::new(0) }
    }

    /// Whether these shared rules, and all that they refer to, say the same in the other document.
    pub(crate) fn agree(&self, other: &Self, names: &[Box<str>]) -> bool {
        let mut seen = FxHashSet::default();
        let mut next: Vec<&str> = names.iter().map(|name| &**name).collect();
        while let Some(name) = next.pop() {
            if !seen.insert(name) {
                continue;
            }
            match (self.rules.get(name), other.rules.get(name)) {
                (None, None) => {}
                (Some(one), Some(two)) if Arc::ptr_eq(one, two) => {}
                (Some(one), Some(two)) if one.rule == two.rule => {
                    next.extend(one.references.iter().map(|name| &**name));
                }
                _ => return false,
            }
        }
        true
    }

    /// These shared rules and all that they refer to, as far as they exist.
    pub(crate) fn reached(&self, names: &[Box<str>]) -> Map {
        let mut found: FxHashMap<&str, &Value> = FxHashMap::default();
        let mut next: Vec<&str> = names.iter().map(|name| &**name).collect();
        while let Some(name) = next.pop() {
            if let Some(evaluator) = self.rules.get(name)
                && found.insert(name, &evaluator.rule).is_none()
            {
                next.extend(evaluator.references.iter().map(|name| &**name));
            }
        }
        found.into_iter().map(|(name, rule)| (name.to_owned(), rule.clone())).collect()
    }

    /// Notes that a flag copies this much.
    ///
    /// # Errors
    ///
    /// It is more than a document may copy.
    pub(crate) fn copy(&self, weight: usize) -> Result<(), RuleFault> {
        let copied = self.copied.fetch_add(weight, Ordering::Relaxed);
        if weight > 0 && copied.saturating_add(weight) > MOST_COPIED {
            self.copied.fetch_sub(weight, Ordering::Relaxed);
            return Err(RuleFault::CopiedTooOften { limit: MOST_COPIED });
        }
        Ok(())
    }

    /// What was probably not meant in a shared rule.
    pub(crate) fn warnings(&self, name: &str, generation: Generation) -> Vec<RuleWarning> {
        let rule = self.get(name).map(|(_, evaluator)| &evaluator.rule);
        rule.map(|rule| warn::warnings(rule, self, generation, None)).unwrap_or_default()
    }

    pub(super) fn get(&self, name: &str) -> Option<(&str, &Evaluator)> {
        self.rules.get_key_value(name).map(|(name, evaluator)| (&**name, &**evaluator))
    }

    /// Which of the rules, or of what they refer to, say something else than here.
    fn changed<'n>(&self, rules: &'n [Named]) -> FxHashSet<&'n str> {
        let mut users: FxHashMap<&str, Vec<&'n str>> = FxHashMap::default();
        let names: FxHashSet<&str> = rules.iter().map(|(name, ..)| name.as_str()).collect();
        let mut next = Vec::new();
        for (name, rule, references) in rules {
            if self.rules.get(name.as_str()).is_none_or(|before| before.rule != *rule) {
                next.push(name.as_str());
            }
            for reference in references {
                users.entry(reference).or_default().push(name);
                if !names.contains(&**reference) && self.rules.contains_key(reference) {
                    next.push(name);
                }
            }
        }
        let mut changed = FxHashSet::default();
        while let Some(name) = next.pop() {
            if changed.insert(name) {
                next.extend(users.get(name).into_iter().flatten());
            }
        }
        changed
    }
}

impl Evaluator {
    /// What this part of the rule was compiled to before.
    pub(super) fn node(&self, part: &Value, written: bool) -> Option<Arc<Node>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner).get(&(address(part), written)).cloned()
    }

    /// Keeps what a part of the rule was compiled to; the first to come is kept.
    pub(super) fn keep(&self, part: &Value, written: bool, node: Node) -> Arc<Node> {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(nodes.entry((address(part), written)).or_insert_with(|| Arc::new(node)))
    }
}

impl Node {
    pub(super) fn new(expression: Expression, parts: usize, height: usize, timed: bool) -> Self {
        Self {
            expression,
            parts,
            height,
            timed,
            simple: OnceLock::new(),
            condition: OnceLock::new(),
            texts: OnceLock::new(),
            names: OnceLock::new(),
        }
    }

    /// The same as a simple rule, if it is one. No part that looks at the flag's key is shared, so any key will do.
    pub(super) fn simple(&self) -> Option<&Simple> {
        self.simple.get_or_init(|| Simple::of(&self.expression, "")).as_ref()
    }

    /// The same as a condition of a simple rule.
    pub(super) fn condition(&self) -> Option<&Condition> {
        self.condition.get_or_init(|| Condition::of(&self.expression, "")).as_ref()
    }

    /// The names of the attributes that it looks at, if it is simple.
    pub(super) fn names(&self) -> &[Box<str>] {
        self.names.get_or_init(|| {
            let mut names = BTreeSet::new();
            if let Some(rule) = self.simple() {
                rule.add_names(&mut names);
            } else if let Some(condition) = self.condition() {
                condition.add_names(&mut names);
            }
            names.into_iter().map(Into::into).collect()
        })
    }

    /// The texts of a list of nothing else.
    pub(super) fn texts(&self) -> Option<Arc<[Box<str>]>> {
        let texts = || match &self.expression {
            Expression::Literal(Value::List(place)) => {
                place.iter().map(|value| value.as_str().map(Into::into)).collect()
            }
            _ => None,
        };
        self.texts.get_or_init(texts).clone()
    }
}

/// A shared rule with its name, and the names of those that it refers to.
type Named = (String, Value, Box<[Box<str>]>);

/// The name in `{"$ref": "name"}`.
pub(super) fn reference(rule: &Value) -> Option<&str> {
    let map = rule.as_object().filter(|map| map.len() == 1)?;
    map.get(REFERENCE)?.as_str()
}

fn add_references<'v>(rule: &'v Value, found: &mut BTreeSet<&'v str>) {
    match rule {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        Value::List(elements) => elements.iter().for_each(|element| add_references(element, found)),
        Value::Object(map) => {
            found.extend(reference(rule));
            map.iter().for_each(|(_, value)| add_references(value, found));
        }
    }
}

fn address(part: &Value) -> usize {
    ptr::from_ref(part).addr()
}

pub(crate) const REFERENCE: &str = "$ref";
/// How many parts of shared rules the flags of a document may copy, sixteen bytes of a text to the part.
const MOST_COPIED: usize = 2_000_000;
