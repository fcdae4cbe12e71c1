//! LaunchDarkly's evaluation, of a flag that was found already: its SDK's store clones the flag besides.

use launchdarkly_server_sdk_evaluation::{
    Context, ContextBuilder, Flag, FlagValue, Segment, Store, evaluate,
};
use serde_json::{Value, json};

use crate::{
    measure::{Case, Row},
    subjects::{RULE, SPLIT, STATIC, subjects},
};

pub(crate) fn rows() -> Vec<Row> {
    let contexts: Vec<Context> = subjects()
        .into_iter()
        .map(|subject| {
            ContextBuilder::new(subject.key)
                .set_string("email", subject.email)
                .set_string("plan", subject.plan)
                .set_string("country", subject.country)
                .build()
                .expect("the context is valid")
        })
        .collect();
    let everybody = flag(STATIC, json!([]), json!({ "variation": 0 }));
    let clause = json!({ "attribute": "plan", "op": "in", "values": ["gold"], "negate": false });
    let rule = json!([{ "id": "gold", "variation": 0, "clauses": [clause], "trackEvents": false }]);
    let rule = flag(RULE, rule, json!({ "variation": 1 }));
    let halves = json!([{ "variation": 0, "weight": 50_000 }, { "variation": 1, "weight": 50_000 }]);
    let split = flag(SPLIT, json!([]), json!({ "rollout": { "variations": halves } }));
    let on = |flag: &Flag, subject: usize| {
        evaluate(&Nothing, flag, &contexts[subject], None).value == Some(&FlagValue::Bool(true))
    };
    vec![
        Row::measure(NAME, Case::Static, |subject| on(&everybody, subject)),
        Row::measure(NAME, Case::Rule, |subject| on(&rule, subject)),
        Row::measure(NAME, Case::Split, |subject| on(&split, subject)),
    ]
}

fn flag(key: &str, rules: Value, fallthrough: Value) -> Flag {
    serde_json::from_value(json!({
        "key": key,
        "version": 1,
        "on": true,
        "targets": [],
        "rules": rules,
        "prerequisites": [],
        "fallthrough": fallthrough,
        "offVariation": 1,
        "variations": [true, false],
        "clientSideAvailability": { "usingMobileKey": false, "usingEnvironmentId": false },
        "salt": "salt",
    }))
    .expect("this is a flag as LaunchDarkly writes it")
}

/// No flag here has a prerequisite or a segment.
struct Nothing;

impl Store for Nothing {
    fn flag(&self, _: &str) -> Option<Flag> {
        None
    }

    fn segment(&self, _: &str) -> Option<Segment> {
        None
    }
}

const NAME: &str = "launchdarkly-server-sdk-evaluation 2.2.1";
