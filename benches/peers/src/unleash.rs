//! Unleash's evaluation.

use std::collections::HashMap;

use serde_json::json;
use unleash_types::client_features::ClientFeatures;
use unleash_yggdrasil::{Context, EngineState};

use crate::{
    measure::{Case, Row},
    subjects::{RULE, SPLIT, STATIC, other_flags, subjects},
};

pub(crate) fn rows() -> Vec<Row> {
    let feature = |name: &str, strategy: serde_json::Value| json!({ "name": name, "enabled": true, "strategies": [strategy] });
    let everybody = json!({ "name": "default", "parameters": {} });
    let mut features: Vec<_> = other_flags().map(|name| feature(&name, everybody.clone())).collect();
    features.push(feature(STATIC, everybody));
    let constraint = json!({ "contextName": "plan", "operator": "IN", "values": ["gold"] });
    features.push(feature(RULE, json!({ "name": "default", "parameters": {}, "constraints": [constraint] })));
    let parameters = json!({ "rollout": "50", "stickiness": "userId", "groupId": SPLIT });
    features.push(feature(SPLIT, json!({ "name": "flexibleRollout", "parameters": parameters })));
    let features: ClientFeatures = serde_json::from_value(json!({ "version": 2, "features": features }))
        .expect("these are features as Unleash writes them");
    let engine = EngineState::initial_state(chrono::Utc::now());
    assert!(engine.apply_client_features(features).is_none(), "Unleash reads the features without a warning");

    let contexts: Vec<_> = subjects()
        .into_iter()
        .map(|subject| Context {
            user_id: Some(subject.key),
            properties: Some(HashMap::from([
                ("email".to_owned(), subject.email),
                ("plan".to_owned(), subject.plan.to_owned()),
                ("country".to_owned(), subject.country.to_owned()),
            ])),
            ..Context::default()
        })
        .collect();
    vec![
        Row::measure(NAME, Case::Static, |subject| engine.is_enabled(STATIC, &contexts[subject], &None)),
        Row::measure(NAME, Case::Rule, |subject| engine.is_enabled(RULE, &contexts[subject], &None)),
        Row::measure(NAME, Case::Split, |subject| engine.is_enabled(SPLIT, &contexts[subject], &None)),
    ]
}

const NAME: &str = "unleash-yggdrasil 0.21.7";
