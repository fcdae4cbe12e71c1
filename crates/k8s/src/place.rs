//! A node together with the way to it, for reading fields and for naming them in faults.

use crate::{
    fault::{Fault, FaultKind},
    node::{Node, Value},
};

/// A node of a document, the file it is in and its path from the root.
#[derive(Clone, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) file: &'a str,
    pub(crate) path: String,
    pub(crate) node: &'a Node,
}

impl<'a> Place<'a> {
    pub(crate) fn root(file: &'a str, node: &'a Node) -> Self {
        Self { file, path: String::new(), node }
    }

    /// The field of this name, if it is there and not null.
    pub(crate) fn get(&self, name: &str) -> Option<Self> {
        let node = self.node.get(name)?;
        Some(Self { file: self.file, path: joined(&self.path, name), node })
    }

    /// The field at the end of a path of names.
    pub(crate) fn find(&self, names: &[&str]) -> Option<Self> {
        names.iter().try_fold(self.clone(), |place, name| place.get(name))
    }

    /// Whether the field is there and not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.node.get(name).is_some()
    }

    /// The items of the list in the field of this name; none if it is not there.
    pub(crate) fn items(&self, name: &str) -> Vec<Self> {
        self.get(name).map(|list| list.elements()).unwrap_or_default()
    }

    /// The items of this list.
    pub(crate) fn elements(&self) -> Vec<Self> {
        let Value::List(items) = &self.node.value else { return Vec::new() };
        let place = |(index, node)| Self { file: self.file, path: format!("{}[{index}]", self.path), node };
        items.iter().enumerate().map(place).collect()
    }

    /// The fields of this map, each with its name.
    pub(crate) fn fields(&self) -> Vec<(&'a str, Self)> {
        let Value::Map(entries) = &self.node.value else { return Vec::new() };
        entries
            .iter()
            .map(|entry| {
                let path = joined(&self.path, &entry.name);
                (entry.name.as_str(), Self { file: self.file, path, node: &entry.node })
            })
            .collect()
    }

    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.node.get(name)?.text()
    }

    /// A text that is not empty: the field's zero value means that it is not set.
    pub(crate) fn name_in(&self, name: &str) -> Option<&'a str> {
        self.text(name).filter(|text| !text.is_empty())
    }

    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        match self.node.get(name)?.value {
            Value::Integer(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        match self.node.get(name)?.value {
            Value::Integer(value) => Some(value as f64),
            Value::Number(value) => Some(value),
            _ => None,
        }
    }

    /// A boolean; false if it is not there.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.node.get(name).is_some_and(|node| matches!(node.value, Value::Bool(true)))
    }

    /// The scalar as it would be printed: an integer, a number or a text.
    pub(crate) fn printed(&self) -> Option<String> {
        match &self.node.value {
            Value::Bool(value) => Some(value.to_string()),
            Value::Integer(value) => Some(value.to_string()),
            Value::Number(value) => Some(value.to_string()),
            Value::Text(text) => Some(text.clone()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    pub(crate) fn fault(&self, kind: FaultKind, message: impl Into<String>) -> Fault {
        Fault {
            file: self.file.to_owned(),
            line: self.node.line,
            column: self.node.column,
            field: self.path.clone(),
            kind,
            message: message.into(),
        }
    }

    /// A fault in the field of this name if it is there, else here.
    pub(crate) fn fault_in(&self, name: &str, kind: FaultKind, message: impl Into<String>) -> Fault {
        match self.get(name) {
            Some(field) => field.fault(kind, message),
            None => {
                let mut fault = self.fault(kind, message);
                fault.field = joined(&self.path, name);
                fault
            }
        }
    }
}

/// A path one field longer. Names with dots, as those of labels, stand in brackets.
pub(crate) fn joined(path: &str, name: &str) -> String {
    if name.contains(['.', '/', '[']) {
        format!("{path}['{name}']")
    } else if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
