//! Eppo's evaluation.

use std::{collections::HashMap, sync::Arc};

use eppo_core::{
    Attributes, Configuration, SdkMetadata, Str,
    eval::get_assignment,
    ufc::{UniversalFlagConfig, VariationType},
};
use serde_json::{Map, Value, json};

use crate::{
    measure::{Case, Row},
    subjects::{RULE, SPLIT, STATIC, other_flags, subjects},
};

pub(crate) fn rows() -> Vec<Row> {
    let configuration = configuration();
    let now = chrono::Utc::now();
    let subjects: Vec<(Str, Arc<Attributes>)> = subjects()
        .into_iter()
        .map(|subject| {
            let attributes: HashMap<Str, _> = HashMap::from([
                (Str::from("email"), subject.email.as_str().into()),
                (Str::from("plan"), subject.plan.into()),
                (Str::from("country"), subject.country.into()),
            ]);
            (Str::from(subject.key), Arc::new(attributes))
        })
        .collect();
    let on = |flag: &str, subject: usize| {
        let (key, attributes) = &subjects[subject];
        let asked = Some(VariationType::Boolean);
        get_assignment(Some(&configuration), flag, key, attributes, asked, now)
            .is_ok_and(|assigned| assigned.is_some_and(|assigned| assigned.value.as_boolean() == Some(true)))
    };
    vec![
        Row::measure(NAME, Case::Static, |subject| on(STATIC, subject)),
        Row::measure(NAME, Case::Rule, |subject| on(RULE, subject)),
        Row::measure(NAME, Case::Split, |subject| on(SPLIT, subject)),
    ]
}

/// Allocations do not ask to be logged: making the event of the log is not evaluation.
fn configuration() -> Configuration {
    let allocation = |rules: Value, splits: Value| json!({ "key": "all", "rules": rules, "splits": splits, "doLog": false });
    let flag = |name: &str, allocations: Value| {
        json!({
            "key": name,
            "enabled": true,
            "variationType": "BOOLEAN",
            "variations": { "on": { "key": "on", "value": true }, "off": { "key": "off", "value": false } },
            "allocations": allocations,
            "totalShards": 10_000,
        })
    };
    let everybody = |variation: &str| json!([{ "variationKey": variation, "shards": [] }]);
    let half = |variation: &str, start: u32, end: u32| {
        let shard = json!({ "salt": SPLIT, "ranges": [{ "start": start, "end": end }] });
        json!({ "variationKey": variation, "shards": [shard] })
    };
    let mut flags = Map::new();
    for name in other_flags().chain([STATIC.to_owned()]) {
        flags.insert(name.clone(), flag(&name, json!([allocation(json!([]), everybody("on"))])));
    }
    let condition = json!({ "attribute": "plan", "operator": "ONE_OF", "value": ["gold"] });
    let matching = allocation(json!([{ "conditions": [condition] }]), everybody("on"));
    flags.insert(RULE.to_owned(), flag(RULE, json!([matching, allocation(json!([]), everybody("off"))])));
    let halves = json!([half("on", 0, 5_000), half("off", 5_000, 10_000)]);
    flags.insert(SPLIT.to_owned(), flag(SPLIT, json!([allocation(json!([]), halves)])));
    let document = json!({
        "createdAt": "2026-01-01T00:00:00.000Z",
        "format": "SERVER",
        "environment": { "name": "test" },
        "flags": flags,
    });
    let metadata = SdkMetadata { name: "serinus-peers", version: "0.1.0" };
    let flags = UniversalFlagConfig::from_json(metadata, document.to_string().into_bytes())
        .expect("this is a configuration as Eppo writes it");
    Configuration::from_server_response(flags, None)
}

const NAME: &str = "eppo_core 10.0.0";
