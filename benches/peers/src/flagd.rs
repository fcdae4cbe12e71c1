//! The engine of flagd's provider for Rust. (The provider itself needs `protoc` to be built.)

use flagd_evaluation_engine::Operator;
use open_feature::EvaluationContext;

use crate::{
    measure::{Case, Row},
    subjects::{RULE, SPLIT, subjects},
};

/// Not `static`: that, the provider answers without the engine.
pub(crate) fn rows() -> Vec<Row> {
    let operator = Operator::new();
    let contexts: Vec<_> = subjects()
        .into_iter()
        .map(|subject| {
            EvaluationContext::default()
                .with_targeting_key(subject.key)
                .with_custom_field("email", subject.email)
                .with_custom_field("plan", subject.plan)
                .with_custom_field("country", subject.country)
        })
        .collect();
    let rule = r#"{"if": [{"==": [{"var": "plan"}, "gold"]}, "on", "off"]}"#;
    let split = r#"{"fractional": [["on", 50], ["off", 50]]}"#;
    let on = |key, rule, subject: usize| {
        operator.apply(key, rule, &contexts[subject]).is_ok_and(|variant| variant.as_deref() == Some("on"))
    };
    vec![
        Row::measure(NAME, Case::Rule, |subject| on(RULE, rule, subject)),
        Row::measure(NAME, Case::Split, |subject| on(SPLIT, split, subject)),
    ]
}

pub(crate) const NAME: &str = "flagd-evaluation-engine 0.1.0";
