//! Comparisons whose two sides cannot be of one type.
//!
//! Argo's language checks types when a condition is compiled; our parser calls such a comparison false. Only what can
//! be seen without evaluating is checked: literals, `result`, and calls of functions that always give one type.

use super::scan::{Kind, Token};
use crate::metric::Sample;

/// A comparison of the whole result with something whose type is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    with: Type,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Number,
    Text,
    Bool,
    /// That of the answer.
    Result,
    Unknown,
}

/// The comparisons whose types can disagree; those that always do are an error at once.
pub(super) fn comparisons(tokens: &[Token<'_>]) -> Result<Vec<Comparison>, String> {
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if !(token.is("==") || token.is("!=")) {
            continue;
        }
        match (type_before(tokens, index), type_after(tokens, index)) {
            (Type::Unknown, _) | (_, Type::Unknown) | (Type::Result, Type::Result) => {}
            (Type::Result, with) | (with, Type::Result) => found.push(Comparison { with }),
            (left, right) if left != right => {
                return Err(format!(
                    "invalid operation: {} (mismatched types {} and {})",
                    token.text,
                    left.name(),
                    right.name()
                ));
            }
            _ => {}
        }
    }
    Ok(found)
}

fn type_before(tokens: &[Token<'_>], operator: usize) -> Type {
    let Some(last) = operator.checked_sub(1) else { return Type::Unknown };
    let first = if tokens[last].is(")") {
        match opening(tokens, last).and_then(|open| open.checked_sub(1)) {
            Some(name) => name,
            None => return Type::Unknown,
        }
    } else {
        last
    };
    let stands_alone = first.checked_sub(1).is_none_or(|before| {
        let before = tokens[before];
        matches!(before.text, "(" | "{" | "," | "&&" | "||" | "?" | ":" | ";" | "=")
            && before.kind == Kind::Symbol
            || matches!(before.text, "and" | "or") && before.kind == Kind::Word
    });
    if stands_alone { type_of(tokens, first) } else { Type::Unknown }
}

fn type_after(tokens: &[Token<'_>], operator: usize) -> Type {
    let mut first = operator + 1;
    if tokens.get(first).is_some_and(|token| token.is("-")) {
        first += 1;
    }
    let last = match tokens.get(first + 1) {
        Some(next) if next.is("(") => match closing(tokens, first + 1) {
            Some(last) => last,
            None => return Type::Unknown,
        },
        _ => first,
    };
    let stands_alone = tokens.get(last + 1).is_none_or(|after| {
        matches!(after.text, ")" | "}" | "," | "&&" | "||" | "?" | ":" | ";") && after.kind == Kind::Symbol
            || matches!(after.text, "and" | "or") && after.kind == Kind::Word
    });
    if stands_alone { type_of(tokens, first) } else { Type::Unknown }
}

/// The type of a literal, of `result`, or of a call of a function that always gives the same type.
fn type_of(tokens: &[Token<'_>], at: usize) -> Type {
    let Some(token) = tokens.get(at) else { return Type::Unknown };
    let is_call = tokens.get(at + 1).is_some_and(|after| after.is("("));
    match (token.kind, token.text) {
        (Kind::Number, _) => Type::Number,
        (Kind::Text, _) => Type::Text,
        (Kind::Name, "true" | "false") => Type::Bool,
        (Kind::Name, "result") if !is_call => Type::Result,
        (Kind::Name, "asInt" | "asFloat" | "len" | "int" | "float" | "ceil" | "floor" | "round")
            if is_call =>
        {
            Type::Number
        }
        (Kind::Name, "string" | "trim" | "upper" | "lower" | "type" | "join") if is_call => Type::Text,
        (Kind::Name, "isNaN" | "isInf" | "isNil" | "all" | "any" | "none" | "one") if is_call => Type::Bool,
        _ => Type::Unknown,
    }
}

fn opening(tokens: &[Token<'_>], close: usize) -> Option<usize> {
    let mut depth = 0_usize;
    (0..=close).rev().find(|at| {
        depth += usize::from(tokens[*at].is(")"));
        depth -= usize::from(tokens[*at].is("("));
        depth == 0
    })
}

fn closing(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    (open..tokens.len()).find(|at| {
        depth += usize::from(tokens[*at].is("("));
        depth -= usize::from(tokens[*at].is(")"));
        depth == 0
    })
}

impl Comparison {
    /// Whether the answer is of another type than what it is compared with. Nothing is of every type.
    pub(super) fn mismatches(&self, result: &Sample) -> bool {
        type_of_sample(result).is_some_and(|(own, _)| own != self.with)
    }

    pub(super) fn complaint(&self, result: &Sample) -> String {
        let own = type_of_sample(result).map_or("nil", |(_, name)| name);
        format!("invalid operation: mismatched types {own} and {}", self.with.name())
    }
}

fn type_of_sample(sample: &Sample) -> Option<(Type, &'static str)> {
    match sample {
        Sample::Null => None,
        Sample::Bool(_) => Some((Type::Bool, "bool")),
        Sample::Number(_) => Some((Type::Number, "float64")),
        Sample::Text(_) => Some((Type::Text, "string")),
        Sample::List(_) => Some((Type::Unknown, "list")),
        Sample::Map(_) | Sample::Arms(_) => Some((Type::Unknown, "map")),
    }
}

impl Type {
    const fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Text => "string",
            Self::Bool => "bool",
            Self::Result => "result",
            Self::Unknown => "any",
        }
    }
}
