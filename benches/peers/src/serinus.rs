//! Ours.

use serde_json::{Map, json};
use serinus_flags::{Context, Document, Flags};

use crate::{
    measure::{Case, Row},
    subjects::{RULE, SPLIT, STATIC, other_flags, subjects},
};

pub(crate) fn rows() -> Vec<Row> {
    let flags = Flags::default();
    flags.load(&document());
    let contexts = contexts();
    let on = |key, subject: usize| flags.bool(key, &contexts[subject]).unwrap_or(false);
    let mut rows = vec![
        Row::measure(NAME, Case::Static, |subject| on(STATIC, subject)),
        Row::measure(NAME, Case::Rule, |subject| on(RULE, subject)),
        Row::measure(NAME, Case::Split, |subject| on(SPLIT, subject)),
    ];
    for (case, key) in [(Case::Static, STATIC), (Case::Rule, RULE), (Case::Split, SPLIT)] {
        let handle = flags.handle(key);
        let on = |subject: usize| handle.bool(&contexts[subject]).unwrap_or(false);
        rows.push(Row::measure(WITH_HANDLE, case, on));
    }
    rows
}

/// The attributes of every subject.
pub(crate) fn contexts() -> Vec<Context> {
    subjects()
        .into_iter()
        .map(|subject| {
            Context::new(subject.key)
                .with("email", subject.email)
                .with("plan", subject.plan)
                .with("country", subject.country)
        })
        .collect()
}

/// The flags.
pub(crate) fn document() -> Document {
    let flag =
        || json!({ "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": "on" });
    let mut flags: Map<_, _> = other_flags().chain([STATIC.to_owned()]).map(|name| (name, flag())).collect();
    let mut rule = flag();
    rule["targeting"] = json!({ "if": [{ "==": [{ "var": "plan" }, "gold"] }, "on", "off"] });
    flags.insert(RULE.to_owned(), rule);
    let mut split = flag();
    split["targeting"] = json!({ "fractional": [["on", 50], ["off", 50]] });
    flags.insert(SPLIT.to_owned(), split);
    Document::from_json(&json!({ "flags": flags }).to_string()).expect("the document can be read")
}

pub(crate) const NAME: &str = "serinus-flags";
const WITH_HANDLE: &str = "serinus-flags, with a handle";
