//! JSON as it is written: names in their order, and also those that stand twice.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{
    fault::{Finding, Problem, shortened},
    place::saturated,
};
use crate::value::{Kind, Map, Number, Value};

pub(crate) enum Tree {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    pub(crate) fn parse(text: &str) -> Result<Self, Finding> {
        serde_json::from_str(text).map_err(|error| {
            let what = error.to_string();
            let what = what.split(" at line ").next().unwrap_or_default();
            let problem = match what {
                "recursion limit exceeded" => Problem::TooDeep { limit: DEEPEST },
                what => Problem::Unreadable { what: shortened(what) },
            };
            let at = (saturated(error.line()), saturated(error.column()));
            Finding { path: String::new(), at: Some(at), problem }
        })
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Number(_) => Kind::Number,
            Self::String(_) => Kind::String,
            Self::List(_) => Kind::List,
            Self::Object(_) => Kind::Object,
        }
    }

    /// The value, in which a name stands once.
    pub(crate) fn into_value(self) -> Result<Value, Finding> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(truth),
            Self::Number(number) => Value::Number(number),
            Self::String(text) => Value::String(text),
            Self::List(elements) => {
                let values = elements.into_iter().enumerate().map(|(index, element)| {
                    element.into_value().map_err(|finding| finding.within_element(index))
                });
                Value::List(values.collect::<Result<_, _>>()?)
            }
            Self::Object(fields) => Value::Object(into_map(fields)?),
        })
    }
}

/// The values by name; each name may stand once.
pub(crate) fn into_map(fields: Vec<(String, Tree)>) -> Result<Map, Finding> {
    let mut pairs = fields
        .into_iter()
        .map(|(name, field)| match field.into_value() {
            Ok(value) => Ok((name, value)),
            Err(finding) => Err(finding.within(&name)),
        })
        .collect::<Result<Vec<_>, _>>()?;
    // Sorted first, so that each goes to the end: one by one, a hundred thousand names would move one another.
    pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
    if let Some(name) = twice(&pairs) {
        return Err(Finding::new(Problem::Twice { name: shortened(name) }));
    }
    Ok(pairs.into_iter().collect())
}

/// The first of these sorted names that stands twice.
fn twice<T>(sorted: &[(String, T)]) -> Option<&str> {
    sorted.windows(2).find_map(|pair| match pair {
        [(one, _), (other, _)] if one == other => Some(one.as_str()),
        _ => None,
    })
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyTree)
    }
}

struct AnyTree;

impl<'de> Visitor<'de> for AnyTree {
    type Value = Tree;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Number(Number::from(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Number(Number::from(number)))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Tree, E> {
        Number::from_f64(number).map(Tree::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Tree, E> {
        Ok(Tree::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Tree, A::Error> {
        let mut object = Vec::new();
        while let Some(field) = fields.next_entry()? {
            object.push(field);
        }
        Ok(Tree::Object(object))
    }
}

/// How deep `serde_json` goes; what protects the stack.
const DEEPEST: u32 = 127;
