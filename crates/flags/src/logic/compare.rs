//! How two values are compared.

use super::{convert, operators::Operator};
use crate::value::Value;

/// As much of a value as a comparison looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Peek<'v> {
    Null,
    Bool(bool),
    Number(f64),
    Text(&'v str),
    /// A list or an object.
    Many,
}

impl<'v> Peek<'v> {
    #[inline]
    pub(super) fn of(value: &'v Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => Self::Number(number.as_f64()),
            Value::String(text) => Self::Text(text),
            Value::List(_) | Value::Object(_) => Self::Many,
        }
    }

    /// As JavaScript converts: nothing is 0, a text is its number, and what is none is NaN.
    fn number(self) -> f64 {
        match self {
            Self::Null => 0.0,
            Self::Bool(truth) => f64::from(u8::from(truth)),
            Self::Number(number) => number,
            Self::Text(text) if text.trim().is_empty() => 0.0,
            Self::Text(text) => convert::parse_within_range(text).unwrap_or(f64::NAN),
            Self::Many => f64::NAN,
        }
    }
}

/// Whether a comparison of two values holds.
#[inline]
pub(super) fn holds(operator: Operator, one: Peek<'_>, other: Peek<'_>) -> bool {
    match operator {
        Operator::Equal => equal(one, other),
        Operator::NotEqual => !equal(one, other),
        Operator::Same => same(one, other),
        Operator::NotSame => !same(one, other),
        Operator::Less => less(one, other),
        Operator::LessOrEqual => less(one, other) || equal(one, other),
        Operator::Greater => less(other, one),
        _ => less(other, one) || equal(one, other),
    }
}

/// Texts as texts, everything else as numbers; null equals only null.
#[inline]
fn equal(one: Peek<'_>, other: Peek<'_>) -> bool {
    match (one, other) {
        (Peek::Text(one), Peek::Text(other)) => one == other,
        (Peek::Null, other) | (other, Peek::Null) => matches!(other, Peek::Null),
        #[expect(clippy::float_cmp, reason = "equality is what the rule asks for")]
        (one, other) => one.number() == other.number(),
    }
}

/// Equal and of one kind.
#[inline]
fn same(one: Peek<'_>, other: Peek<'_>) -> bool {
    match (one, other) {
        (Peek::Text(one), Peek::Text(other)) => one == other,
        (Peek::Null, Peek::Null) => true,
        (Peek::Bool(one), Peek::Bool(other)) => one == other,
        #[expect(clippy::float_cmp, reason = "equality is what the rule asks for")]
        (Peek::Number(one), Peek::Number(other)) => one == other,
        _ => false,
    }
}

fn less(one: Peek<'_>, other: Peek<'_>) -> bool {
    match (one, other) {
        (Peek::Text(one), Peek::Text(other)) => one < other,
        (one, other) => one.number() < other.number(),
    }
}
