//! What each operator of a rule was given, found by evaluating the parts of the rule.

use serde_json::{Map, Value, json};
use serinus_flags::logic::{self, Generation};

/// One use of an operator.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) operator: String,
    /// As the rule has them.
    pub(crate) written: Vec<Value>,
    /// Whether there is one argument, which is not written as a list.
    pub(crate) is_bare: bool,
    /// Their values; nothing where an argument cannot be evaluated.
    pub(crate) given: Vec<Option<Value>>,
    /// What the variables are taken from here.
    pub(crate) data: Value,
}

/// Every operator that is reached with this data, innermost first.
pub(crate) fn sites(rule: &Value, data: &Value, generation: Generation) -> Vec<Site> {
    let mut walker = Walker { generation, sites: Vec::new() };
    walker.walk(rule, data);
    walker.sites
}

/// The rule with the shared rules in the places where it names them.
pub(crate) fn with_shared(rule: &Value, evaluators: &Value) -> Value {
    match rule {
        Value::Object(fields) => match (fields.len(), fields.get("$ref").and_then(Value::as_str)) {
            (1, Some(name)) if evaluators.get(name).is_some() => evaluators[name].clone(),
            _ => Value::Object(
                fields.iter().map(|(name, value)| (name.clone(), with_shared(value, evaluators))).collect(),
            ),
        },
        Value::Array(values) => values.iter().map(|value| with_shared(value, evaluators)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => rule.clone(),
    }
}

/// The value of a rule; nothing if it has none.
pub(crate) fn value_of(rule: &Value, data: &Value, generation: Generation) -> Option<Value> {
    let value = logic::apply(&rule.clone().into(), &data.clone().into(), generation).ok()?;
    Some(serde_json::to_value(value).unwrap())
}

struct Walker {
    generation: Generation,
    sites: Vec<Site>,
}

impl Walker {
    fn walk(&mut self, rule: &Value, data: &Value) {
        match rule {
            Value::Array(rules) => rules.iter().for_each(|rule| self.walk(rule, data)),
            Value::Object(fields) => self.operator(fields, data),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn operator(&mut self, fields: &Map<String, Value>, data: &Value) {
        let mut fields = fields.iter();
        let (Some((operator, argument)), None) = (fields.next(), fields.next()) else { return };
        let written = match argument {
            Value::Array(arguments) => arguments.clone(),
            _ => vec![argument.clone()],
        };
        let given = match (operator.as_str(), written.as_slice()) {
            ("map" | "filter" | "all" | "some" | "none", [list, body]) => {
                self.walk(list, data);
                let list = value_of(list, data, self.generation);
                for item in list.iter().filter_map(Value::as_array).flatten() {
                    self.walk(body, item);
                }
                vec![list]
            }
            ("reduce", [list, body, start]) => {
                self.walk(list, data);
                self.walk(start, data);
                let list = value_of(list, data, self.generation);
                let mut so_far = value_of(start, data, self.generation);
                for item in list.iter().filter_map(Value::as_array).flatten() {
                    let data = json!({ "current": item, "accumulator": so_far });
                    self.walk(body, &data);
                    so_far = value_of(body, &data, self.generation);
                }
                vec![list, so_far]
            }
            (_, arguments) => arguments
                .iter()
                .map(|argument| {
                    self.walk(argument, data);
                    value_of(argument, data, self.generation)
                })
                .collect(),
        };
        let is_bare = !argument.is_array();
        self.sites.push(Site { operator: operator.clone(), written, is_bare, given, data: data.clone() });
    }
}
