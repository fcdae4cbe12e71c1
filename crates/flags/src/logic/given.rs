//! Values as a running rule has them: borrowed where they can be.

use std::borrow::Cow;

use super::{LogicError, compare::Peek, convert, simple::is_plain};
use crate::value::{Map, Number, Value};

/// A value on its way through a rule.
#[derive(Clone, Debug)]
pub(super) enum Given<'a> {
    Null,
    Bool(bool),
    /// From a document or a context.
    Number(Number),
    /// The result of a calculation; may be infinite or NaN.
    Float(f64),
    Text(Cow<'a, str>),
    List(&'a [Value]),
    Made(Vec<Given<'a>>),
    Object(Cow<'a, Map>),
}

impl<'a> Given<'a> {
    /// A text of the rule or of the context.
    pub(super) const fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// How much of it was made while the rule ran, in steps: what is borrowed costs nothing.
    #[inline]
    pub(super) fn made(&self) -> usize {
        match self {
            Self::Text(Cow::Owned(text)) => text.len() / 8,
            Self::Made(values) => values.iter().map(|value| 1 + value.made()).sum(),
            Self::Object(Cow::Owned(map)) => size(map),
            Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Float(_)
            | Self::Text(Cow::Borrowed(_))
            | Self::List(_)
            | Self::Object(Cow::Borrowed(_)) => 0,
        }
    }

    /// How much there is to look at, in steps.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len() / 8,
            Self::List(values) => values.len(),
            Self::Made(values) => values.len(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Float(_) | Self::Object(_) => 0,
        }
    }

    /// How much there is in it, however deep, in steps.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len() / 8,
            Self::List(values) => values.iter().map(size_of_value).sum(),
            Self::Made(values) => values.iter().map(|value| 1 + value.size()).sum(),
            Self::Object(map) => size(map),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Float(_) => 0,
        }
    }

    /// What counts as true: what is not null, false, zero or empty.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(truth) => *truth,
            Self::Number(number) => number.as_f64() != 0.0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(values) => !values.is_empty(),
            Self::Made(values) => !values.is_empty(),
            Self::Object(map) => !map.is_empty(),
        }
    }

    /// The name of the operator that it would call if it stood in a rule; nothing if it would stay a value.
    pub(super) fn rule(&self) -> Option<&str> {
        match self {
            Self::Object(map) => rule_of(map),
            Self::List(values) => values.iter().find_map(rule),
            Self::Made(values) => values.iter().find_map(Self::rule),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Float(_) | Self::Text(_) => None,
        }
    }

    pub(super) const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub(super) const fn is_list(&self) -> bool {
        matches!(self, Self::List(_) | Self::Made(_))
    }

    pub(super) const fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    /// A truth, a number or a text.
    pub(super) const fn is_primitive(&self) -> bool {
        matches!(self, Self::Bool(_) | Self::Number(_) | Self::Float(_) | Self::Text(_))
    }

    /// What a comparison looks at.
    pub(super) fn peek(&self) -> Peek<'_> {
        match self {
            Self::Null => Peek::Null,
            Self::Bool(truth) => Peek::Bool(*truth),
            Self::Number(number) => Peek::Number(number.as_f64()),
            Self::Float(number) => Peek::Number(*number),
            Self::Text(text) => Peek::Text(text),
            Self::List(_) | Self::Made(_) | Self::Object(_) => Peek::Many,
        }
    }

    /// The number, if it is one.
    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number.as_f64()),
            Self::Float(number) => Some(*number),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::List(_) | Self::Made(_) | Self::Object(_) => {
                None
            }
        }
    }

    /// The text, if it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Float(_)
            | Self::List(_)
            | Self::Made(_)
            | Self::Object(_) => None,
        }
    }

    /// The elements, if it is a list.
    pub(super) fn into_list(self) -> Result<Vec<Self>, Self> {
        match self {
            Self::List(values) => Ok(values.iter().map(Self::from).collect()),
            Self::Made(values) => Ok(values),
            other @ (Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Float(_)
            | Self::Text(_)
            | Self::Object(_)) => Err(other),
        }
    }

    /// The value of this name or index in it.
    pub(super) fn part(self, name: &str) -> Self {
        match self {
            Self::Object(Cow::Borrowed(map)) => map.get(name).map_or(Self::Null, Self::from),
            Self::Object(Cow::Owned(mut map)) => map.remove(name).map_or(Self::Null, Self::owned),
            Self::List(values) => {
                convert::index(name).and_then(|at| values.get(at)).map_or(Self::Null, Self::from)
            }
            Self::Made(mut values) => match convert::index(name) {
                Some(at) if at < values.len() => values.swap_remove(at),
                Some(_) | None => Self::Null,
            },
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Float(_) | Self::Text(_) => Self::Null,
        }
    }

    /// Of a value that nobody else keeps.
    pub(super) fn owned(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(truth),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::Text(Cow::Owned(text)),
            Value::List(values) => Self::Made(values.into_iter().map(Self::owned).collect()),
            Value::Object(map) => Self::Object(Cow::Owned(map)),
        }
    }

    /// The name of a variant: the JSON text without its quotes. Nothing for null.
    pub(super) fn into_variant(self) -> Result<Option<Cow<'a, str>>, LogicError> {
        match self {
            Self::Null => Ok(None),
            Self::Bool(true) => Ok(Some(Cow::Borrowed("true"))),
            Self::Bool(false) => Ok(Some(Cow::Borrowed("false"))),
            Self::Text(text) if is_plain(&text) => Ok(Some(text)),
            Self::Number(_)
            | Self::Float(_)
            | Self::Text(_)
            | Self::List(_)
            | Self::Made(_)
            | Self::Object(_) => {
                let text = convert::json(&self.into_value()?);
                Ok(Some(Cow::Owned(text.replace('"', ""))))
            }
        }
    }

    /// As a value of its own.
    pub(super) fn into_value(self) -> Result<Value, LogicError> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(truth),
            Self::Number(number) => Value::Number(number),
            Self::Float(number) => Value::Number(
                Number::from_f64(number)
                    .ok_or_else(|| LogicError::NotFinite { result: number.to_string() })?,
            ),
            Self::Text(text) => Value::String(text.into_owned()),
            Self::List(values) => Value::List(values.to_vec()),
            Self::Made(values) => {
                Value::List(values.into_iter().map(Self::into_value).collect::<Result<_, _>>()?)
            }
            Self::Object(map) => Value::Object(map.into_owned()),
        })
    }
}

impl<'a> From<&'a Value> for Given<'a> {
    #[inline]
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => Self::Number(*number),
            Value::String(text) => Self::text(text),
            Value::List(values) => Self::List(values),
            Value::Object(map) => Self::Object(Cow::Borrowed(map)),
        }
    }
}

fn rule(value: &Value) -> Option<&str> {
    match value {
        Value::Object(map) => rule_of(map),
        Value::List(values) => values.iter().find_map(rule),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn rule_of(map: &Map) -> Option<&str> {
    if map.len() == 1 { map.iter().next().map(|(name, _)| name) } else { None }
}

/// How much a copy of it holds, in steps.
fn size(map: &Map) -> usize {
    map.iter().map(|(name, value)| name.len() / 8 + size_of_value(value)).sum()
}

fn size_of_value(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        Value::String(text) => 1 + text.len() / 8,
        Value::List(values) => 1 + values.iter().map(size_of_value).sum::<usize>(),
        Value::Object(map) => 1 + size(map),
    }
}
