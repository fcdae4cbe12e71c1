//! Finds the parts of a rule about which implementations of flagd disagree.

use super::RuleWarning;
use crate::value::Value;

/// What is disputed in a rule, each kind once.
pub(super) fn warnings(rule: &Value) -> Vec<RuleWarning> {
    let mut found = Vec::new();
    search(rule, &mut found);
    found
}

fn search(rule: &Value, found: &mut Vec<RuleWarning>) {
    match rule {
        Value::List(elements) => elements.iter().for_each(|element| search(element, found)),
        Value::Object(map) => {
            for (name, arguments) in map.iter() {
                if map.len() == 1
                    && let Some(warning) = disputed(name, arguments)
                    && !found.contains(&warning)
                {
                    found.push(warning);
                }
                search(arguments, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn disputed(name: &str, arguments: &Value) -> Option<RuleWarning> {
    let Value::List(arguments) = arguments else { return None };
    let mixed = |one: &Value, other: &Value| {
        matches!((one, other), (Value::Number(_), Value::String(text)) | (Value::String(text), Value::Number(_))
            if text.parse::<f64>().is_err())
    };
    match (name, arguments.as_slice()) {
        ("cat", parts)
            if parts.iter().any(|part| matches!(part, Value::Bool(_) | Value::Null | Value::List(_))) =>
        {
            Some(RuleWarning {
                operator: "cat",
                dispute: "joining a truth, null or a list is an error here and in Go, a text elsewhere",
            })
        }
        ("in", [wanted, Value::List(place)]) if is_mixed(wanted, place) => Some(RuleWarning {
            operator: "in",
            dispute: "a number is found among texts of numbers here and in Go, and not elsewhere",
        }),
        ("in", [Value::Number(_), Value::String(_)]) => Some(RuleWarning {
            operator: "in",
            dispute: "looking for a number in a text is an error here and in Go, an answer elsewhere",
        }),
        ("<" | "<=" | ">" | ">=", [one, other, ..]) if mixed(one, other) => Some(RuleWarning {
            operator: "<",
            dispute: "comparing a text that is no number with a number is false here and in Go, an error elsewhere",
        }),
        (
            "==" | "!=",
            [Value::Null, Value::Bool(_) | Value::Number(_)]
            | [Value::Bool(_) | Value::Number(_), Value::Null],
        ) => Some(RuleWarning {
            operator: "==",
            dispute: "null equals only null here and in Go, and also false and 0 elsewhere",
        }),
        _ => None,
    }
}

fn is_mixed(wanted: &Value, place: &[Value]) -> bool {
    let is_text = |value: &Value| matches!(value, Value::String(_));
    let is_number = |value: &Value| matches!(value, Value::Number(_));
    is_number(wanted) && place.iter().any(is_text) || place.iter().any(is_text) && place.iter().any(is_number)
}
