//! Arguments of analyses: where they are written, how several lists become one, and values found in an object.

use serde_json::Value;

/// A named value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "set up by readers of manifests")]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Its value, if it is known.
    pub value: Option<String>,
    /// Whether the value is looked up when it is needed, as that of a secret is.
    pub deferred: bool,
}

impl Argument {
    /// An argument with a value, or without one.
    pub fn new(name: impl Into<String>, value: Option<String>) -> Self {
        Self { name: name.into(), value, deferred: false }
    }
}

/// The arguments of one template, with values from outside put in: those win. What the template does not name is left
/// out.
///
/// # Errors
///
/// If an argument has no value in the end, and none to be looked up.
pub fn resolve(incoming: &[Argument], template: &[Argument]) -> Result<Vec<Argument>, ArgumentError> {
    template
        .iter()
        .map(|own| {
            let given = incoming.iter().find(|argument| {
                argument.name == own.name && (argument.value.is_some() || argument.deferred)
            });
            let argument = given.unwrap_or(own);
            if argument.value.is_none() && !argument.deferred {
                return Err(ArgumentError::Unresolved { name: own.name.clone() });
            }
            Ok(argument.clone())
        })
        .collect()
}

/// The arguments of several templates as one list, each name once. A missing value is filled by another template's.
///
/// # Errors
///
/// If two templates give one argument different values.
pub fn flatten<'a>(
    templates: impl IntoIterator<Item = &'a [Argument]>,
) -> Result<Vec<Argument>, ArgumentError> {
    let mut flat: Vec<Argument> = Vec::new();
    for argument in templates.into_iter().flatten() {
        let Some(held) = flat.iter_mut().find(|held| held.name == argument.name) else {
            flat.push(argument.clone());
            continue;
        };
        match (&held.value, &argument.value) {
            (Some(first), Some(second)) if first != second => {
                return Err(ArgumentError::Conflict {
                    name: argument.name.clone(),
                    first: first.clone(),
                    second: second.clone(),
                });
            }
            (None, _) => {
                held.value.clone_from(&argument.value);
                held.deferred |= argument.deferred;
            }
            (Some(_), _) => {}
        }
    }
    Ok(flat)
}

/// Checks that no name occurs twice. `what` says what they are the names of, such as `metrics`.
///
/// # Errors
///
/// If one does.
pub fn unique<'a>(what: &'static str, names: impl IntoIterator<Item = &'a str>) -> Result<(), ArgumentError> {
    let mut seen = std::collections::BTreeSet::new();
    match names.into_iter().find(|name| !seen.insert(*name)) {
        Some(name) => Err(ArgumentError::Duplicate { what, name: name.to_owned() }),
        None => Ok(()),
    }
}

/// The value at a path in an object, such as `status.pauseConditions[0].reason`. Keys are separated by points; a key
/// with a point in it cannot be named.
///
/// # Errors
///
/// If there is nothing at the path, an index is no number or out of range, or the value there is a list or a map.
pub fn field_path(object: &Value, path: &str) -> Result<String, ArgumentError> {
    let invalid = || ArgumentError::NoSuchField { path: path.to_owned() };
    let mut at = object;
    for section in path.split('.') {
        let (key, mut indices) = match section.find('[') {
            Some(bracket) => section.split_at(bracket),
            None => (section, ""),
        };
        at = at.get(key).ok_or_else(invalid)?;
        while !indices.is_empty() {
            let (index, rest) =
                indices.strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or_else(invalid)?;
            let list = at.as_array().ok_or_else(invalid)?;
            let index: usize = index
                .parse()
                .map_err(|_| ArgumentError::NotAnIndex { path: path.to_owned(), found: index.to_owned() })?;
            at = list.get(index).ok_or_else(|| ArgumentError::OutOfRange {
                path: path.to_owned(),
                index,
                length: list.len(),
            })?;
            indices = rest;
        }
    }
    match at {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(at.to_string()),
        Value::Null => Err(invalid()),
        Value::Array(_) | Value::Object(_) => Err(ArgumentError::NotPrimitive { path: path.to_owned() }),
    }
}

/// Why arguments have no values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgumentError {
    /// An argument without a value.
    #[error("args.{name} was not resolved: give it a `value` or a `valueFrom`")]
    Unresolved {
        /// Its name.
        name: String,
    },
    /// An argument with two values.
    #[error("argument `{name}` specified multiple times with different values: '{first}', '{second}'")]
    Conflict {
        /// Its name.
        name: String,
        /// The value that comes first.
        first: String,
        /// The other one.
        second: String,
    },
    /// A name that occurs twice.
    #[error("two {what} have the same name '{name}': rename one")]
    Duplicate {
        /// What has the name.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A path that leads nowhere.
    #[error("invalid path {path}: there is no such field")]
    NoSuchField {
        /// The path.
        path: String,
    },
    /// Something in brackets that is no index.
    #[error("invalid index '{found}' in path {path}: expected a whole number")]
    NotAnIndex {
        /// The path.
        path: String,
        /// What stands in the brackets.
        found: String,
    },
    /// An index beyond the end.
    #[error("index {index} out of range in path {path}: the list has {length} elements")]
    OutOfRange {
        /// The path.
        path: String,
        /// The index.
        index: usize,
        /// How many elements there are.
        length: usize,
    },
    /// A list or a map where a single value is needed.
    #[error("path {path} must terminate in a primitive value: a text, a number or a bool")]
    NotPrimitive {
        /// The path.
        path: String,
    },
}
