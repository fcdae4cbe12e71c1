//! Vectors of cohorts: an object with a section for each kind, and in it rows.
//!
//! A section that is a list holds rows of its own; one that is an object of lists holds rows of each of its kinds. Every
//! row is a case of the section, with the id `section[index]` or `section.kind[index]`.

use serde_json::{Map, Value, json};

mod hashing;
mod systems;

/// Whether rows of this section are checked here.
pub(crate) fn has(section: &str) -> bool {
    SECTIONS.contains(&section)
}

/// All rows of a document, each with its section and its kind.
pub(crate) fn cases(document: Map<String, Value>) -> Vec<Value> {
    let mut cases = Vec::new();
    for (section, content) in document {
        match content {
            Value::Array(rows) => {
                let ids = 0..rows.len();
                cases.extend(ids.zip(rows).map(|(index, row)| {
                    json!({ "id": format!("{section}[{index}]"), "section": section, "row": row })
                }));
            }
            Value::Object(kinds) => {
                for (kind, rows) in kinds {
                    let Value::Array(rows) = rows else { continue };
                    let ids = 0..rows.len();
                    cases.extend(ids.zip(rows).map(|(index, row)| {
                        let id = format!("{section}.{kind}[{index}]");
                        json!({ "id": id, "section": section, "kind": kind, "row": row })
                    }));
                }
            }
            _ => {}
        }
    }
    cases
}

/// `Ok(None)`: as expected. `Ok(Some(_))`: what differs. `Err(_)`: why there is no answer to compare.
pub(crate) fn check(section: &str, case: &Value) -> Result<Option<String>, String> {
    let kind = case.get("kind").and_then(Value::as_str).unwrap_or_default();
    let row = case.get("row").and_then(Value::as_object).ok_or("the row is no object")?;
    // One arm for each section; a new one goes into SECTIONS, too.
    match section {
        "murmur3_x86_32" => hashing::murmur3(row),
        "other_systems" => systems::check(kind, row),
        _ => Err(format!("unknown section `{section}`")),
    }
}

/// What differs between an answer and what is expected.
fn difference(what: &str, answer: &Value, expected: &Value) -> Option<String> {
    (answer != expected).then(|| format!("{what} is {answer}, not {expected}"))
}

fn need<'a>(row: &'a Map<String, Value>, key: &str) -> Result<&'a Value, String> {
    row.get(key).ok_or_else(|| format!("there is no `{key}`"))
}

fn text<'a>(row: &'a Map<String, Value>, key: &str) -> Result<&'a str, String> {
    need(row, key)?.as_str().ok_or_else(|| format!("`{key}` is no text"))
}

const SECTIONS: [&str; 2] = ["murmur3_x86_32", "other_systems"];
