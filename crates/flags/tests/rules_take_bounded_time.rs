//! However large the context is, a rule ends soon: with its answer, or as one that takes too long.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps nothing")]

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use serinus_flags::{
    Context, Map,
    logic::{Clock, Generation, LogicError, Rule},
};

/// What the rule comes to, which takes no longer than a run may.
#[track_caller]
fn soon(rule: &Value, context: &Value) -> Result<Option<String>, LogicError> {
    let rule = Rule::compile(&rule.clone().into(), "flag", &Map::new(), Generation::V3).unwrap();
    let context: Context = serde_json::from_value(context.clone()).unwrap();
    let begun = Instant::now();
    let outcome = rule.run(&context, Clock::At(0)).map(|outcome| outcome.variant.map(Into::into));
    assert!(begun.elapsed() < LONGEST, "{:?}", begun.elapsed());
    outcome
}

#[track_caller]
fn is_too_long(rule: &Value, context: &Value) {
    let outcome = soon(rule, context);
    assert!(matches!(outcome, Err(LogicError::TooLong { .. })), "{outcome:?}");
}

fn texts(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}{number}")).collect()
}

/// A context of some 240 kB.
fn wide() -> Value {
    texts("attribute-", 10_000).into_iter().map(|name| (name, json!("v"))).collect()
}

#[test]
fn lists_that_share_nothing_are_compared_element_by_element_only_once() {
    let context = json!({ "list": texts("a", 20_000), "other": texts("b", 20_000) });
    for (operator, expected) in
        [("contains_all", "false"), ("contains_any", "false"), ("contains_none", "true")]
    {
        let rule = json!({ operator: [{ "var": "list" }, { "var": "other" }] });
        assert_eq!(soon(&rule, &context).unwrap().as_deref(), Some(expected), "{operator}");
    }
    let each =
        json!({ "filter": [{ "var": "list" }, { "contains_any": [{ "var": "list" }, { "var": "other" }] }] });
    is_too_long(&each, &context);
    let each = json!({ "filter": [{ "var": "list" }, { "in": [{ "var": "" }, { "var": "other" }] }] });
    is_too_long(&each, &context);
}

#[test]
fn the_whole_context_is_not_copied_to_see_whether_it_is_there() {
    let names = vec![""; 50_000];
    assert_eq!(soon(&json!({ "missing": names }), &wide()).unwrap().as_deref(), Some("[]"));
    assert_eq!(soon(&json!({ "missing_some": [1, names] }), &wide()).unwrap().as_deref(), Some("[]"));
    let lists = vec![json!([]); 30_000];
    assert_eq!(soon(&json!({ "missing": lists }), &wide()).unwrap().as_deref(), Some("[]"));
    let nothing = vec![json!({ "!": [{ "var": null }] }); 20_000];
    assert_eq!(soon(&json!({ "and": nothing }), &wide()).unwrap().as_deref(), Some("true"));
    is_too_long(&json!({ "and": vec![json!({ "var": "" }); 20_000] }), &wide());
}

#[test]
fn names_that_are_missing_are_paid_for() {
    let made = json!({ "map": [{ "var": "list" }, { "missing": [{ "cat": [{ "var": "" }, ".a.b.c"] }] }] });
    is_too_long(&made, &json!({ "list": texts(&"x".repeat(1_000), 10_000) }));
    let each = json!({ "filter": [{ "var": "list" }, { "missing": texts("name", 1_000) }] });
    is_too_long(&each, &json!({ "list": texts("a", 10_000) }));
}

#[test]
fn what_stands_in_the_rule_is_paid_for_each_time() {
    let context = json!({ "list": vec![1; 50_000] });
    let each = json!({ "filter": [{ "var": "list" }, { "and": vec![true; 50_000] }] });
    is_too_long(&each, &context);
    let text = "x".repeat(1_000_000);
    let rounds = json!({ "reduce": [{ "var": "list" }, { "if": [true, text] }, ""] });
    assert_eq!(soon(&rounds, &context).unwrap().map(|text| text.len()), Some(1_000_000));
    let joined = json!({ "map": [{ "var": "list" }, { "cat": [text, "!"] }] });
    is_too_long(&joined, &context);
}

#[test]
fn splits_pay_for_what_they_hash_and_pass_over() {
    let context = json!({ "list": vec![1; 50_000], "long": "x".repeat(1_000_000), "wide": wide() });
    for bucket in
        [json!({ "var": "long" }), json!({ "cat": [{ "var": "long" }, "!"] }), json!({ "var": "wide" })]
    {
        let each = json!({ "filter": [{ "var": "list" }, { "fractional": [bucket, ["a", 1]] }] });
        is_too_long(&each, &context);
    }
    let mut entries: Vec<_> = texts("v", 20_000).into_iter().map(|name| json!([name, 0])).collect();
    entries.push(json!(["last", 1]));
    entries.insert(0, json!({ "var": "" }));
    let each = json!({ "filter": [{ "var": "list" }, { "fractional": entries }] });
    is_too_long(&each, &context);
}

/// Hundreds of times what it takes, and a hundredth of what it would take.
const LONGEST: Duration = Duration::from_secs(8);
