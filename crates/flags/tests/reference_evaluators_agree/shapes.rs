//! What a use of an operator, a value or an answer looks like, by which a difference is recognised.

use serde_json::Value;

use crate::{
    sites::{self, Site},
    support::Answer,
};

pub(crate) fn fails_with(answer: &Answer, code: &str) -> bool {
    matches!(answer, Answer::Failed(other) if other == code)
}

pub(crate) fn looks_like_rule(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| fields.len() == 1)
}

pub(crate) fn is_zero(value: &Value) -> bool {
    value.as_f64() == Some(0.0)
}

pub(crate) fn is_truth(value: &Value) -> bool {
    value.is_boolean()
}

pub(crate) fn is_compound(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

pub(crate) fn is_all(site: &Site, so: fn(&Value) -> bool) -> bool {
    site.given.iter().flatten().all(so)
}

/// All numbers, all texts or all truths.
pub(crate) fn is_of_one_kind(site: &Site) -> bool {
    is_all(site, Value::is_number) || is_all(site, Value::is_string) || is_all(site, Value::is_boolean)
}

/// A text in a text, or a text in a list of texts.
pub(crate) fn is_plain_membership(site: &Site) -> bool {
    match site.given.as_slice() {
        [Some(Value::String(_)), Some(Value::Array(list))] => list.iter().all(Value::is_string),
        [Some(Value::String(_)), Some(Value::String(_))] => true,
        _ => false,
    }
}

pub(crate) fn has_empty_variable(site: &Site) -> bool {
    let names = site.given.iter().flatten().flat_map(|given| match given {
        Value::Array(names) => names.clone(),
        name => vec![name.clone()],
    });
    names
        .filter_map(|name| {
            sites::value_of(&serde_json::json!({ "var": name }), &site.data, Default::default())
        })
        .any(|value| value.is_null() || value == "")
}

pub(crate) fn names_unknown_operator(rule: &Value) -> bool {
    match rule {
        Value::Array(rules) => rules.iter().any(names_unknown_operator),
        Value::Object(fields) => {
            fields.keys().any(|operator| ["nonsense", "$ref", "k"].contains(&operator.as_str()))
                || fields.values().any(names_unknown_operator)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

pub(crate) fn joins_white_space(site: &Site) -> bool {
    let is_space = |place: Option<&Option<Value>>, at: fn(&str) -> Option<char>| {
        let text = place.and_then(Option::as_ref).and_then(Value::as_str);
        text.and_then(at).is_some_and(char::is_whitespace)
    };
    let mut parts = site.given.iter().filter(|part| part.as_ref().is_none_or(|part| *part != ""));
    let first = parts.next();
    is_space(first, |text| text.chars().next())
        || is_space(parts.next_back().or(first), |text| text.chars().last())
}

pub(crate) fn leads_into_text(site: &Site) -> bool {
    site.given.iter().flatten().filter_map(Value::as_str).any(|path| {
        let start = path.split_once('.').map(|(start, _)| &site.data[start]);
        start.is_some_and(Value::is_string)
    })
}

/// The names of all variables in the condition of an operator over a list.
fn variables(site: &Site) -> Vec<Value> {
    fn collect(rule: &Value, names: &mut Vec<Value>) {
        match rule {
            Value::Array(rules) => rules.iter().for_each(|rule| collect(rule, names)),
            Value::Object(fields) => {
                names.extend(fields.get("var").cloned());
                fields.values().for_each(|rule| collect(rule, names));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut names = Vec::new();
    site.written.iter().skip(1).for_each(|rule| collect(rule, &mut names));
    names.retain(|name| !name.as_str().is_some_and(|name| name.is_empty() || name.starts_with('.')));
    names
}

fn value_at(name: &Value, data: &Value) -> Value {
    sites::value_of(&serde_json::json!({ "var": name }), data, Default::default()).unwrap_or_default()
}

pub(crate) fn has_value_around(site: &Site) -> bool {
    variables(site).iter().any(|name| !value_at(name, &site.data).is_null())
}

/// Whether an object with one value in it is what a variable of the condition comes to, in the data or in an element.
pub(crate) fn looks_at_rule(site: &Site) -> bool {
    let elements = site.given.iter().flatten().filter_map(Value::as_array).flatten();
    let data: Vec<_> = elements.chain([&site.data]).collect();
    variables(site).iter().any(|name| {
        data.iter().any(|data| match value_at(name, data) {
            Value::Array(values) => values.iter().any(looks_like_rule),
            value => looks_like_rule(&value),
        })
    })
}

pub(crate) fn has_variable_for_rule(site: &Site) -> bool {
    site.written.get(1).is_some_and(|rule| rule.get("var").is_some())
}

pub(crate) fn leads_into_list_by_name(site: &Site) -> bool {
    site.given
        .iter()
        .flatten()
        .flat_map(|given| match given {
            Value::Array(names) => names.clone(),
            name => vec![name.clone()],
        })
        .any(|path| {
            let path = path.as_str().unwrap_or_default();
            path.rsplit_once('.').is_some_and(|(list, part)| {
                value_at(&list.into(), &site.data).is_array() && part.parse::<usize>().is_err()
            })
        })
}

pub(crate) fn has_null_with_default(site: &Site) -> bool {
    let [name, _] = site.written.as_slice() else { return false };
    let found = sites::value_of(&serde_json::json!({ "var": name }), &site.data, Default::default());
    found.is_some_and(|value| value.is_null())
}

pub(crate) fn begins_or_ends_outside(site: &Site) -> bool {
    let length = site.given[0].as_ref().and_then(Value::as_str).map_or(0, |text| text.chars().count()) as f64;
    let outside = |place: Option<&Option<Value>>| {
        place.and_then(Option::as_ref).and_then(Value::as_f64).is_some_and(|place| place.abs() >= length)
    };
    let is_text = site.given[0].as_ref().is_some_and(Value::is_string);
    let counts_from_end =
        |place: &Option<Value>| place.as_ref().and_then(Value::as_f64).is_some_and(|at| at < 0.0);
    !is_text || outside(site.given.get(1)) || site.given.get(2).is_some_and(counts_from_end)
}

pub(crate) fn has_unusual_entry(site: &Site) -> bool {
    site.given.iter().flatten().filter_map(Value::as_array).any(|entry| {
        let weight = entry.get(1);
        entry.first().is_some_and(is_compound)
            || entry.len() > 2
            || weight.is_some_and(|weight| !weight.is_i64() && !weight.is_u64())
    })
}

/// What the subject is placed by, if it is a text.
pub(crate) fn places_by(site: &Site) -> String {
    match site.given.first() {
        Some(Some(Value::String(text))) => text.clone(),
        _ => format!("{}{}", site.data["$flagd"]["flagKey"], site.data["targetingKey"]),
    }
}

/// One to three numbers without leading zeros, and a pre-release after three only.
pub(crate) fn is_plain_version(given: &Value) -> bool {
    let text = match given {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.as_f64().is_some_and(|number| number >= 1e6) => return false,
        other => other.to_string(),
    };
    let text = text.strip_prefix(['v', 'V']).unwrap_or(&text);
    let (numbers, rest) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
    let parts: Vec<_> = numbers.split('.').collect();
    let is_number = |part: &&str| part.parse::<u64>().is_ok_and(|number| number.to_string() == **part);
    parts.iter().all(is_number) && parts.len() <= 3 && (rest.is_empty() || parts.len() == 3)
}
