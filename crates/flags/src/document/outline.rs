//! The outline of a document: its parts, each as the text that it was written as.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    error::DocumentError,
    fault::{Finding, Problem, shortened},
    place::{Places, saturated, within},
};
use crate::value::Kind;

/// The parts of a document, in the order of its text.
#[derive(Default)]
pub(crate) struct Outline<'t> {
    pub(crate) flags: Vec<Part<'t>>,
    /// Whether the flags are written as a list.
    pub(crate) is_list: bool,
    pub(crate) evaluators: Vec<Part<'t>>,
    pub(crate) metadata: Vec<Part<'t>>,
    /// What does not belong there, with the name of the field where it stands.
    pub(crate) findings: Vec<(&'static str, Part<'t>)>,
    /// Fields of the document that nobody reads.
    pub(crate) unknown: Vec<Part<'t>>,
    /// Metadata that is no object, as JSON.
    pub(crate) unreadable: Option<Cow<'t, str>>,
}

/// A named part of a document.
pub(crate) struct Part<'t> {
    pub(crate) name: String,
    /// Its JSON; or why there is none.
    pub(crate) text: Result<Cow<'t, str>, Box<Finding>>,
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// Its index, if it is an element of a list.
    pub(crate) element: Option<usize>,
}

impl<'t> Part<'t> {
    pub(crate) fn broken(name: String, finding: Finding, (line, column): (u32, u32)) -> Self {
        Self { name, text: Err(Box::new(finding)), line, column, element: None }
    }

    /// Whether its JSON is not what is written, so that places in it mean nothing to the reader.
    pub(crate) fn is_converted(&self) -> bool {
        matches!(self.text, Ok(Cow::Owned(_)))
    }
}

/// The outline of a document in JSON.
pub(crate) fn of_json(text: &str) -> Result<Outline<'_>, DocumentError> {
    let Entries(fields) = parse(text).map_err(|error| match kind_of(text) {
        // The text may go on after that; that it is no object is the greater fault.
        found if found != Kind::Object && serde_json::from_str::<IgnoredAny>(text).is_ok() => {
            DocumentError::NotAnObject { found }
        }
        _ => syntax(&error, (1, 1)),
    })?;
    let mut places = Places::of(text);
    let mut outline = Outline::default();
    let mut seen = Vec::new();
    for (name, raw) in fields {
        let place = places.start_of(raw.get());
        let name = match name {
            Ok(name) => name,
            Err(finding) => {
                outline.findings.push(("", Part::broken(String::new(), *finding, place)));
                continue;
            }
        };
        let known = [FLAGS, EVALUATORS, METADATA, SCHEMA].into_iter().find(|known| *known == name);
        let Some(known) = known else {
            let text = Ok(Cow::Borrowed(raw.get()));
            outline.unknown.push(Part { name, text, line: place.0, column: place.1, element: None });
            continue;
        };
        if seen.contains(&known) {
            return Err(DocumentError::Twice { name, line: place.0, column: place.1 });
        }
        seen.push(known);
        let found = kind_of(raw.get());
        match (known, found) {
            (FLAGS, Kind::Object) => outline.flags = entries(raw, FLAGS, &mut places, &mut outline.findings)?,
            (FLAGS, Kind::List) => {
                outline.is_list = true;
                elements(raw, &mut places, &mut outline)?;
            }
            (FLAGS, found) => {
                return Err(DocumentError::FlagsWrongType { found, line: place.0, column: place.1 });
            }
            (EVALUATORS, Kind::Object) => {
                outline.evaluators = entries(raw, EVALUATORS, &mut places, &mut outline.findings)?;
            }
            (METADATA, Kind::Object) => {
                outline.metadata = entries(raw, METADATA, &mut places, &mut outline.findings)?;
            }
            (EVALUATORS | METADATA, Kind::Null) | (SCHEMA, _) => {}
            (field, found) => {
                outline.unreadable = Some(Cow::Borrowed(raw.get())).filter(|_| field == METADATA);
                let finding = Finding::wrong_type("an object", found);
                outline.findings.push((field, Part::broken(String::new(), finding, place)));
            }
        }
    }
    if !seen.contains(&FLAGS) {
        return Err(DocumentError::NoFlags);
    }
    Ok(outline)
}

/// The entries of an object; those without a name that can be read go to the findings.
fn entries<'t>(
    raw: &'t RawValue,
    field: &'static str,
    places: &mut Places<'t>,
    findings: &mut Vec<(&'static str, Part<'t>)>,
) -> Result<Vec<Part<'t>>, DocumentError> {
    let place = places.start_of(raw.get());
    let Entries(entries) = parse(raw.get()).map_err(|error| syntax(&error, place))?;
    let mut parts = Vec::with_capacity(entries.len());
    for (name, raw) in entries {
        let (line, column) = places.start_of(raw.get());
        match name {
            Ok(name) => {
                let text = Ok(Cow::Borrowed(raw.get()));
                parts.push(Part { name, text, line, column, element: None });
            }
            Err(finding) => {
                findings.push((field, Part::broken(String::new(), *finding, (line, column))));
            }
        }
    }
    Ok(parts)
}

/// Flags written as a list, each with its key as a field.
fn elements<'t>(
    raw: &'t RawValue,
    places: &mut Places<'t>,
    outline: &mut Outline<'t>,
) -> Result<(), DocumentError> {
    let place = places.start_of(raw.get());
    let Elements(elements) = parse(raw.get()).map_err(|error| syntax(&error, place))?;
    for (index, raw) in elements.into_iter().enumerate() {
        let (line, column) = places.start_of(raw.get());
        match key_of(raw.get()) {
            Ok(name) => {
                let text = Ok(Cow::Borrowed(raw.get()));
                outline.flags.push(Part { name, text, line, column, element: Some(index) });
            }
            Err(finding) => {
                let finding = finding.within_element(index);
                outline.findings.push((FLAGS, Part::broken(String::new(), finding, (line, column))));
            }
        }
    }
    Ok(())
}

/// The field `key` of a flag in a list.
pub(crate) fn key_of(text: &str) -> Result<String, Finding> {
    let found = kind_of(text);
    if found != Kind::Object {
        return Err(Finding::wrong_type("a flag, an object,", found));
    }
    let unreadable =
        |error: serde_json::Error| Finding::new(Problem::Unreadable { what: shortened(&error.to_string()) });
    let Entries(fields) = parse(text).map_err(unreadable)?;
    let key = fields.into_iter().find(|(name, _)| name.as_deref().is_ok_and(|name| name == KEY));
    let (_, key) = key.ok_or_else(|| Finding::new(Problem::NoKey))?;
    match kind_of(key.get()) {
        Kind::String => serde_json::from_str(key.get()).map_err(|error| unreadable(error).within(KEY)),
        found => Err(Finding::wrong_type("a text", found).within(KEY)),
    }
}

/// What kind of JSON a valid text is, by how it begins.
fn kind_of(text: &str) -> Kind {
    match text.trim_start().bytes().next() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::List,
        Some(b'"') => Kind::String,
        Some(b't' | b'f') => Kind::Bool,
        Some(b'n') => Kind::Null,
        _ => Kind::Number,
    }
}

fn parse<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text)
}

/// A fault of syntax in a part of the text that begins at `place`.
fn syntax(error: &serde_json::Error, place: (u32, u32)) -> DocumentError {
    let what = error.to_string();
    let what = shortened(what.split(" at line ").next().unwrap_or_default());
    let (line, column) = within(place, (saturated(error.line()), saturated(error.column())));
    DocumentError::Syntax { format: "JSON", line, column, what }
}

/// The text that a name of an object is.
fn name_of(raw: &RawValue) -> Result<String, Box<Finding>> {
    serde_json::from_str(raw.get()).map_err(|error| {
        let what = error.to_string();
        let what = shortened(what.split(" at line ").next().unwrap_or_default());
        let written = raw.get().trim_matches('"');
        Box::new(Finding::new(Problem::Unreadable { what }).within(written))
    })
}

/// A name, or why it is none.
type Name = Result<String, Box<Finding>>;

/// An object whose values are not looked into.
struct Entries<'t>(Vec<(Name, &'t RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyEntries;
        impl<'de> Visitor<'de> for AnyEntries {
            type Value = Entries<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((name, value)) = fields.next_entry::<&'de RawValue, &'de RawValue>()? {
                    entries.push((name_of(name), value));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(AnyEntries)
    }
}

/// A list whose elements are not looked into.
struct Elements<'t>(Vec<&'t RawValue>);

impl<'de> Deserialize<'de> for Elements<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyElements;
        impl<'de> Visitor<'de> for AnyElements {
            type Value = Elements<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = items.next_element()? {
                    elements.push(element);
                }
                Ok(Elements(elements))
            }
        }
        deserializer.deserialize_seq(AnyElements)
    }
}

pub(crate) const FLAGS: &str = "flags";
pub(crate) const EVALUATORS: &str = "$evaluators";
pub(crate) const METADATA: &str = "metadata";
pub(crate) const SCHEMA: &str = "$schema";
pub(crate) const KEY: &str = "key";
