//! A document as a tree in which every node knows its place.

use std::{collections::HashSet, fmt, thread};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error as YamlError, Spanned, budget::BudgetBreach};

use crate::fault::{Fault, FaultKind};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A field of a map, in the order of the text.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) node: Node,
}

impl Node {
    /// Every document of a text, empty ones left out.
    ///
    /// Each level of nesting takes tens of kilobytes of stack in a build without optimisation, so the text is
    /// parsed on a stack of its own: how deep the caller stands plays no part.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Vec<Self>, Fault> {
        let parse_here = || {
            let budget = serde_saphyr::budget! {
                max_depth: MAX_DEPTH, flow_nesting_limit: MAX_DEPTH, max_nodes: MAX_NODES
            };
            let options = serde_saphyr::options! { with_snippet: false, budget: budget };
            serde_saphyr::from_multiple_with_options(text, options)
                .map_err(|error| syntax_fault(file, &error))
        };
        thread::scope(|scope| {
            let parser = thread::Builder::new().name("parser".into()).stack_size(STACK);
            match parser.spawn_scoped(scope, parse_here) {
                Ok(parser) => parser.join().unwrap_or_else(|_| Err(broken(file))),
                // Where there are no threads.
                Err(_) => parse_here(),
            }
        })
    }

    /// The field of this name, if this is a map that has it and it is not null.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else { return None };
        let entry = entries.iter().find(|entry| entry.name == name)?;
        (!matches!(entry.node.value, Value::Null)).then_some(&entry.node)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// What the value is, for messages: `the number 5`, `a list`.
    pub(crate) fn described(&self) -> String {
        match &self.value {
            Value::Null => "nothing".into(),
            Value::Bool(value) => format!("the boolean {value}"),
            Value::Integer(value) => format!("the number {value}"),
            Value::Number(value) => format!("the number {value}"),
            Value::Text(text) => format!("the text `{}`", shortened(text)),
            Value::List(_) => "a list".into(),
            Value::Map(_) => "a map".into(),
        }
    }
}

/// The beginning of a text, fit for one line of a message.
pub(crate) fn shortened(text: &str) -> String {
    let line = text.split(['\n', '\r']).next().unwrap_or_default();
    let mut short: String = line.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

fn syntax_fault(file: &str, error: &YamlError) -> Fault {
    let place = error.location();
    let mut error = error.without_snippet();
    while let YamlError::AliasError { error: inside, .. } = error {
        error = inside.without_snippet();
    }
    let (line, column) = place.map_or((0, 0), |place| (place.line(), place.column()));
    let message = match error {
        YamlError::Budget { breach: BudgetBreach::Depth { .. }, .. } => too_deep(),
        YamlError::Budget { .. } | YamlError::AliasReplayLimitExceeded { .. } => format!(
            "the document unfolds to more than {MAX_NODES} values: write out what its aliases stand for, or split it"
        ),
        YamlError::DuplicateMappingKey { key, .. } => duplicate(key.as_deref().unwrap_or("?")),
        other => {
            let text = other.to_string();
            let text = text.split(" at line ").next().unwrap_or_default();
            match text {
                "recursion limit exceeded" => too_deep(),
                text if text.starts_with("duplicate field") || text == NAME_IS_NO_TEXT => text.to_owned(),
                text => format!("not valid YAML or JSON: {text}"),
            }
        }
    };
    Fault {
        file: file.to_owned(),
        line: saturated(line),
        column: saturated(column),
        field: String::new(),
        kind: FaultKind::Syntax,
        message,
    }
}

fn broken(file: &str) -> Fault {
    let message = "the parser gave up: simplify the text, or write it as JSON".into();
    Fault {
        file: file.to_owned(),
        line: 0,
        column: 0,
        field: String::new(),
        kind: FaultKind::Syntax,
        message,
    }
}

fn too_deep() -> String {
    format!("nested more than {MAX_DEPTH} levels deep: no manifest needs that; flatten it")
}

fn duplicate(name: &str) -> String {
    format!("duplicate field `{name}`: it stands here a second time; keep one of the two")
}

fn saturated(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        let (line, column) = (spanned.referenced.line(), spanned.referenced.column());
        Ok(Self { line: saturated(line), column: saturated(column), value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON can hold")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Number(value as f64), Value::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        // Kubernetes reads 20.0 as the integer 20 wherever an integer stands.
        let is_whole = value.fract() == 0.0 && value.abs() < MAX_EXACT;
        Ok(if is_whole { Value::Integer(value as i64) } else { Value::Number(value) })
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map: Vec<Entry> = Vec::new();
        let mut names = HashSet::new();
        while let Some((Name { text, line, column }, node)) = fields.next_entry()? {
            // `1` and `"1"` are different keys in YAML and the same field in JSON.
            if !names.insert(text.clone()) {
                return Err(A::Error::custom(duplicate(&text)));
            }
            map.push(Entry { name: text, line, column, node });
        }
        Ok(Value::Map(map))
    }
}

/// The name of a field; numbers and booleans become texts, as they do on their way to an API server.
struct Name {
    text: String,
    line: u32,
    column: u32,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        let text = match node.value {
            Value::Null => "null".into(),
            Value::Bool(value) => value.to_string(),
            Value::Integer(value) => value.to_string(),
            Value::Number(value) => value.to_string(),
            Value::Text(text) => text,
            Value::List(_) | Value::Map(_) => {
                return Err(D::Error::custom(NAME_IS_NO_TEXT));
            }
        };
        Ok(Self { text, line: node.line, column: node.column })
    }
}

const NAME_IS_NO_TEXT: &str = "a map or list stands where the name of a field should: put a text that begins with `{` or \
                               `[`, such as `\"{{args.name}}\"`, in quotes";
/// Deeper than any manifest of the kinds read here; what protects the stack.
const MAX_DEPTH: usize = 64;
/// Three times what that depth takes.
const STACK: usize = 8 << 20;
/// More values than a megabyte of manifests holds; what protects the memory from aliases.
const MAX_NODES: usize = 150_000;
/// Whole numbers up to here are exact as floating-point numbers.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
