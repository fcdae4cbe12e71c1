//! The outline of a document in YAML: every part becomes the JSON that it stands for, and is read as JSON is.

use std::{borrow::Cow, fmt, fmt::Write as _, thread};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{
    Error as YamlError, Spanned,
    budget::BudgetBreach,
    options::{DuplicateKeyPolicy, NonFiniteFloatPolicy},
};

use super::{
    error::DocumentError,
    fault::{Finding, Problem, shortened},
    outline::{EVALUATORS, FLAGS, KEY, METADATA, Outline, Part, SCHEMA, key_of},
};
use crate::value::Kind;

/// The outline of a document in YAML.
pub(crate) fn outline(text: &str) -> Result<Outline<'static>, DocumentError> {
    let root = parse(text)?;
    let fields = match root.value {
        Value::Map(fields) => fields,
        other => return Err(DocumentError::NotAnObject { found: other.kind() }),
    };
    let mut outline = Outline::default();
    let mut has_flags = false;
    let mut seen = Vec::new();
    for (name, node) in fields {
        let Value::Text(field) = &name.value else {
            let (line, column) = name.place;
            return Err(DocumentError::NameIsNoText { found: name.value.kind(), line, column });
        };
        let place = node.place;
        if [FLAGS, EVALUATORS, METADATA, SCHEMA].contains(&field.as_str()) {
            if seen.contains(field) {
                let (line, column) = name.place;
                return Err(DocumentError::Twice { name: field.clone(), line, column });
            }
            seen.push(field.clone());
        }
        match (field.as_str(), node.value) {
            (FLAGS, Value::Map(flags)) => {
                has_flags = true;
                outline.flags = flags.into_iter().map(entry).collect();
            }
            (FLAGS, Value::List(flags)) => {
                has_flags = true;
                outline.is_list = true;
                flags.into_iter().enumerate().for_each(|(index, flag)| element(index, &flag, &mut outline));
            }
            (FLAGS, other) => {
                let (line, column) = place;
                return Err(DocumentError::FlagsWrongType { found: other.kind(), line, column });
            }
            (EVALUATORS, Value::Map(rules)) => outline.evaluators = rules.into_iter().map(entry).collect(),
            (METADATA, Value::Map(values)) => outline.metadata = values.into_iter().map(entry).collect(),
            (EVALUATORS | METADATA, Value::Null) | (SCHEMA, _) => {}
            (EVALUATORS | METADATA, other) => {
                if field == METADATA {
                    let node = Node { place, value: other };
                    outline.unreadable = node.to_json().ok().map(Cow::Owned);
                    let finding = Finding::wrong_type("an object", node.value.kind());
                    outline.findings.push((METADATA, Part::broken(String::new(), finding, place)));
                    continue;
                }
                let finding = Finding::wrong_type("an object", other.kind());
                outline.findings.push((EVALUATORS, Part::broken(String::new(), finding, place)));
            }
            (unknown, _) => {
                let (line, column) = name.place;
                let text = Ok(Cow::Borrowed("null"));
                let name = unknown.to_owned();
                outline.unknown.push(Part { name, text, line, column, element: None });
            }
        }
    }
    if has_flags { Ok(outline) } else { Err(DocumentError::NoFlags) }
}

fn entry((name, node): (Node, Node)) -> Part<'static> {
    match name.value {
        Value::Text(text) => Part {
            name: text,
            text: node.to_json().map(Cow::Owned).map_err(Box::new),
            line: node.place.0,
            column: node.place.1,
            element: None,
        },
        other => {
            let finding = Finding::new(Problem::NameIsNoText { found: other.kind() });
            Part::broken(other.to_string(), finding, name.place)
        }
    }
}

fn element(index: usize, flag: &Node, outline: &mut Outline<'static>) {
    let key = match &flag.value {
        Value::Map(fields) => fields.iter().find_map(|(name, key)| match (&name.value, &key.value) {
            (Value::Text(name), Value::Text(key)) if name == KEY => Some(key.clone()),
            _ => None,
        }),
        _ => None,
    };
    let json = flag.to_json();
    let (line, column) = flag.place;
    // Where the key is plain, what is wrong elsewhere in the flag is that flag's fault.
    let named = key.map_or_else(|| json.clone().and_then(|json| key_of(&json)), Ok);
    match named {
        Ok(name) => {
            let text = json.map(Cow::Owned).map_err(Box::new);
            outline.flags.push(Part { name, text, line, column, element: Some(index) });
        }
        Err(finding) => {
            let finding = finding.within_element(index);
            outline.findings.push((FLAGS, Part::broken(String::new(), finding, (line, column))));
        }
    }
}

/// A value of YAML and where it stands: line and column, counted from 1.
struct Node {
    place: (u32, u32),
    value: Value,
}

enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// Each level of nesting takes tens of kilobytes of stack in a build without optimisation, so the text is parsed on a
/// stack of its own: how deep the caller stands plays no part.
fn parse(text: &str) -> Result<Node, DocumentError> {
    let parse_here = || {
        let budget = serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 4 * MAX_NODES,
        };
        let options = serde_saphyr::options! {
            with_snippet: false,
            strict_booleans: true,
            // Hands on both of what stands twice, until a map has a number for a name, which is a fault as well. Whose
            // fault it is shows where the JSON is read.
            duplicate_keys: DuplicateKeyPolicy::LastWins,
            non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
            budget: budget,
            alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPLAYED },
        };
        serde_saphyr::from_str_with_options::<Node>(text, options).map_err(|error| syntax(&error))
    };
    thread::scope(|scope| {
        let parser = thread::Builder::new().name("yaml".into()).stack_size(STACK);
        match parser.spawn_scoped(scope, parse_here) {
            Ok(parser) => parser.join().unwrap_or_else(|_| Err(gave_up())),
            // Where there are no threads.
            Err(_) => parse_here(),
        }
    })
}

fn syntax(error: &YamlError) -> DocumentError {
    let place = error.location();
    let mut error = error.without_snippet();
    while let YamlError::AliasError { error: inside, .. } = error {
        error = inside.without_snippet();
    }
    let (line, column) = place.map_or((1, 1), |place| (saturated(place.line()), saturated(place.column())));
    let what = match error {
        YamlError::Budget { breach: BudgetBreach::Depth { .. }, .. } => too_deep(),
        YamlError::AliasReplayLimitExceeded { .. } => {
            format!("its aliases stand for more than {MAX_REPLAYED} values: write out what they stand for")
        }
        YamlError::Budget { .. } => {
            format!("it has more than {MAX_NODES} values, or too many aliases: split it")
        }
        YamlError::MultipleDocuments { .. } => {
            "it has more than one document: put each into a text of its own".to_owned()
        }
        YamlError::DuplicateMappingKey { key, .. } => {
            format!("\"{}\" stands twice: keep one of the two", shortened(key.as_deref().unwrap_or("?")))
        }
        other => {
            let text = other.to_string();
            match text.split(" at line ").next().unwrap_or_default() {
                "recursion limit exceeded" => too_deep(),
                what => shortened(what),
            }
        }
    };
    DocumentError::Syntax { format: "YAML", line, column, what }
}

fn gave_up() -> DocumentError {
    let what = "the parser gave up: simplify the text, or write it as JSON".to_owned();
    DocumentError::Syntax { format: "YAML", line: 1, column: 1, what }
}

fn too_deep() -> String {
    format!("nested more than {MAX_DEPTH} levels deep: flatten it")
}

fn saturated(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Node {
    fn to_json(&self) -> Result<String, Finding> {
        let mut json = String::new();
        self.value.write(&mut json)?;
        Ok(json)
    }
}

impl Value {
    fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Integer(_) | Self::Float(_) => Kind::Number,
            Self::Text(_) => Kind::String,
            Self::List(_) => Kind::List,
            Self::Map(_) => Kind::Object,
        }
    }

    fn write(&self, json: &mut String) -> Result<(), Finding> {
        match self {
            Self::Null | Self::Bool(_) | Self::Integer(_) | Self::Text(_) => {
                // Writing to a string does not fail.
                let _ = write!(json, "{self}");
            }
            Self::Float(number) if !number.is_finite() => {
                return Err(Finding::new(Problem::NotFinite { number: *number }));
            }
            Self::Float(number) => {
                let _ = write!(json, "{number:?}");
            }
            Self::List(elements) => {
                json.push('[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        json.push(',');
                    }
                    element.value.write(json).map_err(|finding| finding.within_element(index))?;
                }
                json.push(']');
            }
            Self::Map(fields) => {
                json.push('{');
                for (index, (name, node)) in fields.iter().enumerate() {
                    if index > 0 {
                        json.push(',');
                    }
                    let Self::Text(text) = &name.value else {
                        let finding = Finding::new(Problem::NameIsNoText { found: name.value.kind() });
                        return Err(finding.within(&name.value.to_string()));
                    };
                    let _ = write!(json, "{}:", name.value);
                    node.value.write(json).map_err(|finding| finding.within(text))?;
                }
                json.push('}');
            }
        }
        Ok(())
    }
}

/// Scalars as JSON has them.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("null"),
            Self::Bool(truth) => truth.fmt(formatter),
            Self::Integer(number) => number.fmt(formatter),
            Self::Float(number) => number.fmt(formatter),
            Self::Text(text) => formatter.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?),
            Self::List(_) => formatter.write_str("[…]"),
            Self::Map(_) => formatter.write_str("{…}"),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        let place = (saturated(spanned.referenced.line()), saturated(spanned.referenced.column()));
        Ok(Self { place, value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value that JSON can hold")
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

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Integer(number.into()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Value, E> {
        #[expect(clippy::cast_precision_loss, reason = "beyond what JSON numbers keep")]
        Ok(i128::try_from(number).map_or(Value::Float(number as f64), Value::Integer))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(field) = fields.next_entry()? {
            map.push(field);
        }
        Ok(Value::Map(map))
    }
}

/// Twice as deep as a flag may be, which is found when its JSON is read; what protects the stack.
const MAX_DEPTH: usize = 256;
/// Twice what that depth takes.
const STACK: usize = 48 << 20;
/// As many values as aliases may stand for in all; what protects the memory.
const MAX_REPLAYED: usize = 50_000;
/// More values than sixteen thousand large flags have.
const MAX_NODES: usize = 1_000_000;
