//! Finds what a rule says that was probably not meant: what can only fail, what nobody can get, and what
//! implementations of flagd take each in their own way.

use rustc_hash::FxHashSet;

use super::{
    Doubt, Generation, RuleWarning,
    evaluators::{Evaluators, REFERENCE, reference},
    frame::{FLAG_KEY, FLAGD, TIMESTAMP},
    lists::ListOperator,
    operators::Operator,
};
use crate::{document::step, value::Value};

/// What is doubtful in a rule, each thing once. Shared rules are looked at for the variants that they name, and
/// otherwise on their own. `has_variant` tells the variants of the flag, if the rule is a flag's.
pub(super) fn warnings(
    rule: &Value,
    evaluators: &Evaluators,
    generation: Generation,
    has_variant: Option<&dyn Fn(&str) -> bool>,
) -> Vec<RuleWarning> {
    let mut search = Search {
        evaluators,
        generation,
        has_variant,
        path: Vec::new(),
        within: FxHashSet::default(),
        left: MOST_SHARED,
        found: Vec::new(),
    };
    search.look(rule, true);
    search.found
}

struct Search<'r> {
    evaluators: &'r Evaluators,
    generation: Generation,
    has_variant: Option<&'r dyn Fn(&str) -> bool>,
    path: Vec<Step<'r>>,
    /// The shared rules that were looked into, and which are being.
    within: FxHashSet<&'r str>,
    /// How many parts of shared rules are still looked at.
    left: usize,
    found: Vec<RuleWarning>,
}

#[derive(Clone, Copy)]
enum Step<'r> {
    Name(&'r str),
    Index(usize),
}

impl<'r> Search<'r> {
    /// Looks at a part of a rule. What it comes to is the name of a variant if it `is_result`.
    fn look(&mut self, rule: &'r Value, is_result: bool) {
        match rule {
            Value::List(elements) => self.each(elements, |_| false),
            Value::Object(map) if map.len() == 1 => {
                for (name, arguments) in map.iter() {
                    self.path.push(Step::Name(name));
                    self.operation(name, arguments, is_result);
                    self.path.pop();
                }
            }
            Value::Bool(truth) if is_result => self.variant(if *truth { "true" } else { "false" }),
            Value::Number(number) if is_result => self.variant(&number.to_string()),
            Value::String(name) if is_result => self.variant(name),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {}
        }
    }

    fn each(&mut self, elements: &'r [Value], is_result: impl Fn(usize) -> bool) {
        for (index, element) in elements.iter().enumerate() {
            self.path.push(Step::Index(index));
            self.look(element, is_result(index));
            self.path.pop();
        }
    }

    fn operation(&mut self, name: &'r str, arguments: &'r Value, is_result: bool) {
        self.add_disputed(name, arguments);
        match (name, arguments) {
            (REFERENCE, Value::String(shared)) => match self.evaluators.get(shared) {
                Some(_) if !is_result => {}
                Some((shared, evaluator)) => {
                    if self.within.insert(shared) {
                        self.look_for_variants(&evaluator.rule);
                    }
                }
                None => self.add(Doubt::UnknownReference { name: brief(shared) }),
            },
            (REFERENCE, _) => self.add(Doubt::UnknownReference { name: brief(&arguments.to_string()) }),
            ("var", _) => self.variable(arguments),
            ("if" | "?:", Value::List(clauses)) => {
                let last = clauses.len().saturating_sub(1);
                self.each(clauses, |index| is_result && (index % 2 == 1 || index == last));
            }
            ("fractional", Value::List(entries)) => self.fractional(entries, is_result),
            ("starts_with" | "ends_with", Value::List(list)) => {
                if list.len() != 2 {
                    let operator = if name == "starts_with" { "starts_with" } else { "ends_with" };
                    self.add(Doubt::ArgumentCount { operator, expected: 2, found: list.len() });
                }
                self.each(list, |_| false);
            }
            ("sem_ver", Value::List(list)) => {
                if list.len() != 3 {
                    self.add(Doubt::ArgumentCount { operator: "sem_ver", expected: 3, found: list.len() });
                }
                if let Some(Value::String(comparison)) = list.get(1)
                    && !COMPARISONS.contains(&comparison.as_str())
                {
                    self.add(Doubt::UnknownComparison { found: brief(comparison) });
                }
                self.each(list, |_| false);
            }
            _ => {
                let is_list = ListOperator::of(name).is_some();
                if !is_list && Operator::of(name).is_none() && !OTHERS.contains(&name) {
                    self.add(Doubt::UnknownOperator { name: brief(name) });
                }
                match arguments {
                    // A list that is gone through holds values, whatever they look like.
                    Value::List(list) if is_list && matches!(list.first(), Some(Value::List(_))) => {
                        for (index, element) in list.iter().enumerate().skip(1) {
                            self.path.push(Step::Index(index));
                            self.look(element, false);
                            self.path.pop();
                        }
                    }
                    _ => self.look(arguments, false),
                }
            }
        }
    }

    fn variable(&mut self, arguments: &'r Value) {
        let (path, default) = match arguments {
            Value::List(list) => (list.first(), list.get(1)),
            path => (Some(path), None),
        };
        match path {
            Some(Value::String(path)) => {
                let mut parts = path.split('.').filter(|part| !part.is_empty());
                let is_flagd = parts.next() == Some(FLAGD);
                if is_flagd && parts.next().is_some_and(|part| ![FLAG_KEY, TIMESTAMP].contains(&part)) {
                    self.add(Doubt::UnknownOfFlagd { name: brief(path) });
                }
            }
            Some(made) => self.look(made, false),
            None => {}
        }
        if let Some(default) = default {
            self.look(default, false);
        }
    }

    fn fractional(&mut self, entries: &'r [Value], is_result: bool) {
        for (index, entry) in entries.iter().enumerate() {
            self.path.push(Step::Index(index));
            match entry {
                Value::List(entry) => self.entry(entry, is_result),
                Value::String(text) if index == 0 => self.add(Doubt::OneBucket { text: brief(text) }),
                other => self.look(other, false),
            }
            self.path.pop();
        }
    }

    fn entry(&mut self, entry: &'r [Value], is_result: bool) {
        if let Some(variant) = entry.first() {
            self.path.push(Step::Index(0));
            self.look(variant, is_result);
            self.path.pop();
        }
        let Some(weight) = entry.get(1) else { return };
        self.path.push(Step::Index(1));
        match weight {
            Value::Null => {}
            Value::Number(number) => {
                let number = number.as_f64();
                let is_whole = number.fract() == 0.0 || self.generation == Generation::V1;
                if !is_whole || !(0.0..=f64::from(i32::MAX)).contains(&number) {
                    self.add(Doubt::Weight { weight: brief(&weight.to_string()) });
                }
            }
            Value::Object(_) => self.look(weight, false),
            Value::Bool(_) | Value::String(_) | Value::List(_) => {
                self.add(Doubt::Weight { weight: brief(&weight.to_string()) });
            }
        }
        self.path.pop();
    }

    /// Looks into a shared rule for nothing but the variants that it comes to.
    fn look_for_variants(&mut self, rule: &'r Value) {
        let Some(left) = self.left.checked_sub(1) else { return };
        self.left = left;
        let only = rule.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next());
        match (rule, only) {
            (Value::String(name), _) => self.variant(name),
            (_, Some((REFERENCE, _))) => {
                if let Some((name, evaluator)) = reference(rule).and_then(|name| self.evaluators.get(name))
                    && self.within.insert(name)
                {
                    self.look_for_variants(&evaluator.rule);
                }
            }
            (_, Some(("if" | "?:", Value::List(clauses)))) => {
                let last = clauses.len().saturating_sub(1);
                let results = clauses.iter().enumerate();
                for (_, result) in results.filter(|(index, _)| index % 2 == 1 || *index == last) {
                    self.look_for_variants(result);
                }
            }
            (_, Some(("fractional", Value::List(entries)))) => {
                for entry in entries {
                    if let Value::List(entry) = entry
                        && let Some(variant) = entry.first()
                    {
                        self.look_for_variants(variant);
                    }
                }
            }
            _ => {}
        }
    }

    fn variant(&mut self, name: &str) {
        let Some(has_variant) = self.has_variant else { return };
        // As the result of a rule becomes a name.
        let plain = name.replace('"', "");
        if !has_variant(plain.trim()) {
            self.add(Doubt::UnknownVariant { name: brief(name) });
        }
    }

    fn add_disputed(&mut self, name: &str, arguments: &Value) {
        if let Some((operator, dispute)) = disputed(name, arguments) {
            self.add(Doubt::Disputed { operator, dispute });
        }
    }

    fn add(&mut self, doubt: Doubt) {
        if self.found.len() < MOST && self.found.iter().all(|found| found.doubt != doubt) {
            let path = self.path.iter().map(|one| match one {
                Step::Name(name) => step(name),
                Step::Index(index) => format!("[{index}]"),
            });
            self.found.push(RuleWarning { path: path.collect(), doubt });
        }
    }
}

/// Which operator, and what each implementation takes it for.
fn disputed(name: &str, arguments: &Value) -> Option<(&'static str, &'static str)> {
    let Value::List(arguments) = arguments else { return None };
    let mixed = |one: &Value, other: &Value| {
        matches!((one, other), (Value::Number(_), Value::String(text)) | (Value::String(text), Value::Number(_))
            if text.parse::<f64>().is_err())
    };
    match (name, arguments.as_slice()) {
        ("cat", parts)
            if parts.iter().any(|part| matches!(part, Value::Bool(_) | Value::Null | Value::List(_))) =>
        {
            Some(("cat", "joining a truth, null or a list is an error here and in Go, a text elsewhere"))
        }
        ("in", [wanted, Value::List(place)]) if is_mixed(wanted, place) => {
            Some(("in", "a number is found among texts of numbers here and in Go, and not elsewhere"))
        }
        ("in", [Value::Number(_), Value::String(_)]) => {
            Some(("in", "looking for a number in a text is an error here and in Go, an answer elsewhere"))
        }
        ("<" | "<=" | ">" | ">=", [one, other, ..]) if mixed(one, other) => Some((
            "<",
            "comparing a text that is no number with a number is false here and in Go, an error elsewhere",
        )),
        (
            "==" | "!=",
            [Value::Null, Value::Bool(_) | Value::Number(_)]
            | [Value::Bool(_) | Value::Number(_), Value::Null],
        ) => Some(("==", "null equals only null here and in Go, and also false and 0 elsewhere")),
        _ => None,
    }
}

fn is_mixed(wanted: &Value, place: &[Value]) -> bool {
    let is_text = |value: &Value| matches!(value, Value::String(_));
    let is_number = |value: &Value| matches!(value, Value::Number(_));
    is_number(wanted) && place.iter().any(is_text) || place.iter().any(is_text) && place.iter().any(is_number)
}

/// The beginning of a text, fit for one line of a message.
fn brief(text: &str) -> String {
    let mut brief: String = text.chars().take(LONGEST).collect();
    if brief.len() < text.len() {
        brief.push('…');
    }
    brief
}

/// Operators that are neither of values nor of lists.
const OTHERS: [&str; 6] = ["var", "if", "?:", "and", "or", "fractional"];
const COMPARISONS: [&str; 8] = ["=", "!=", "<", "<=", ">", ">=", "^", "~"];
/// How many warnings a rule has at most.
const MOST: usize = 20;
/// How many parts of shared rules are looked at for one flag.
const MOST_SHARED: usize = 10_000;
/// How many characters of a text a message repeats.
const LONGEST: usize = 60;
