//! A document held against its schema.

use super::{Field, Shape, nearest::advice};
use crate::{
    fault::{Fault, FaultKind},
    node::{Entry, Node, Value},
    place::{Place, joined},
};

/// What a document has that it should not have.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Wrong types, and fields that are known and not supported.
    pub(crate) faults: Vec<Fault>,
    /// Fields that are not known.
    pub(crate) unknown: Vec<Fault>,
}

/// Holds a document against the fields of its kind.
pub(crate) fn check(document: &Place<'_>, fields: &'static [Field]) -> Findings {
    let mut findings = Findings::default();
    Checker { root: fields, findings: &mut findings }.object(document, fields);
    findings
}

struct Checker<'f> {
    root: &'static [Field],
    findings: &'f mut Findings,
}

impl Checker<'_> {
    fn object(&mut self, place: &Place<'_>, fields: &'static [Field]) {
        let Value::Map(entries) = &place.node.value else { return self.wrong_type(place, "a map") };
        for entry in entries {
            let path = joined(&place.path, &entry.name);
            let below = Place { file: place.file, path, node: &entry.node };
            match fields.iter().find(|field| field.name == entry.name) {
                Some(field) => self.field(&below, field),
                None => self.unknown(place, entry, fields),
            }
        }
    }

    fn field(&mut self, place: &Place<'_>, field: &Field) {
        match field.instead {
            Some(_) if is_unset(place.node) => {}
            Some(remedy) => {
                let message = format!("not supported yet: {remedy}");
                self.findings.faults.push(place.fault(FaultKind::Unsupported, message));
            }
            None => self.value(place, field.shape),
        }
    }

    fn value(&mut self, place: &Place<'_>, shape: Shape) {
        let value = &place.node.value;
        // To an API server null is the same as no field at all.
        if matches!(value, Value::Null) {
            return;
        }
        let expected = match shape {
            Shape::Any => return,
            Shape::Object(fields) => return self.object(place, fields),
            Shape::List(of) => match value {
                Value::List(_) => return place.elements().iter().for_each(|item| self.value(item, *of)),
                _ => "a list, each item of it after a dash",
            },
            Shape::MapOf(of) => match value {
                Value::Map(_) => return place.fields().iter().for_each(|(_, item)| self.value(item, *of)),
                _ => "a map",
            },
            Shape::Text => match value {
                Value::Text(_) => return,
                Value::Bool(_) | Value::Integer(_) | Value::Number(_) => "a text (put it in quotes)",
                _ => "a text",
            },
            Shape::Integer => match value {
                Value::Integer(_) => return,
                Value::Text(text) if text.trim_end_matches('%').parse::<i64>().is_ok() => {
                    "a whole number (without quotes, without a percent sign)"
                }
                _ => "a whole number",
            },
            Shape::Number => match value {
                Value::Integer(_) | Value::Number(_) => return,
                _ => "a number",
            },
            Shape::Bool => match value {
                Value::Bool(_) => return,
                _ => "true or false",
            },
            Shape::IntegerOrText => match value {
                Value::Integer(_) | Value::Text(_) => return,
                _ => "a whole number or a text",
            },
        };
        self.wrong_type(place, expected);
    }

    fn wrong_type(&mut self, place: &Place<'_>, expected: &str) {
        let message = format!("expected {expected}; this is {}", place.node.described());
        self.findings.faults.push(place.fault(FaultKind::WrongType, message));
    }

    fn unknown(&mut self, place: &Place<'_>, entry: &Entry, fields: &[Field]) {
        let advice = advice(self.root, &place.path, fields, &entry.name);
        self.findings.unknown.push(Fault {
            file: place.file.to_owned(),
            line: entry.line,
            column: entry.column,
            field: joined(&place.path, &entry.name),
            kind: FaultKind::UnknownField,
            message: format!("unknown field: {advice}"),
        });
    }
}

fn is_unset(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::List(items) => items.is_empty(),
        Value::Bool(_) | Value::Integer(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => false,
    }
}
