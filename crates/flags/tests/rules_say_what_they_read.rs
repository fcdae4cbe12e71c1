//! A rule that names the attributes it looks at looks at no others.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use serinus_flags::{
    Context, Map, Value,
    logic::{Clock, Generation, Rule},
};

const RULES: [(&str, Option<&[&str]>); 12] = [
    (r#""on""#, Some(&[])),
    (r#"{"if": [{"==": [{"var": "plan"}, "gold"]}, "on", "off"]}"#, Some(&["plan"])),
    (
        r#"{"if": [{"and": [{"var": "beta"}, {"!": [{"in": [{"var": "country"}, ["DE", "FR"]]}]}]}, "on"]}"#,
        Some(&["beta", "country"]),
    ),
    (r#"{"fractional": [["on", 1], ["off", 1]]}"#, Some(&["targetingKey"])),
    (r#"{"fractional": [{"var": "company.id"}, ["on", 1], ["off", 1]]}"#, Some(&["company"])),
    (
        r#"{"if": [{"starts_with": [{"var": "email"}, "a"]}, {"fractional": [["on", 1], ["off", 1]]}, "off"]}"#,
        Some(&["email", "targetingKey"]),
    ),
    (r#"{"==": [{"var": "plan"}, {"var": "country"}]}"#, Some(&["country", "plan"])),
    (r#"{"or": [{"var": "beta"}, {"<": [{"var": "age"}, 30]}]}"#, None),
    (r#"{"var": ""}"#, None),
    (r#"{"if": [{"var": {"var": "which"}}, "on"]}"#, None),
    (r#"{"if": [{"some": [{"var": "list"}, {"==": [{"var": "plan"}, "gold"]}]}, "on"]}"#, None),
    (r#"{"if": [{"sem_ver": [{"var": "version"}, ">", "1.0.0"]}, "on"]}"#, None),
];

const CONTEXTS: [&str; 6] = [
    "{}",
    r#"{"targetingKey": "user-1", "plan": "gold", "email": "a@example.com", "country": "DE", "beta": true}"#,
    r#"{"targetingKey": "user-2", "plan": ["gold"], "email": "b@example.com", "country": "US", "beta": []}"#,
    r#"{"targetingKey": 7, "plan": {"gold": 1}, "email": 4, "country": ["DE"], "beta": {}, "age": 3}"#,
    r#"{"company": {"id": "acme"}, "country": "gold", "plan": "gold", "which": "plan", "list": [{"plan": "gold"}]}"#,
    r#"{"company": "acme", "company.id": "other", "version": "1.2.3", "beta": 0, "email": null}"#,
];

#[test]
fn attributes_that_a_rule_does_not_name_make_no_difference() {
    for (rule, names) in RULES {
        let rule = Rule::compile(&value(rule), "flag", &Map::new(), Generation::V3).unwrap();
        let found = rule.reads().map(|found| found.iter().map(|name| &**name).collect::<Vec<_>>());
        assert_eq!(found.as_deref(), names, "{rule:?}");
        let Some(found) = found else { continue };
        for context in CONTEXTS {
            let all: Context = serde_json::from_str(context).unwrap();
            let named = all.attributes().iter().filter(|(name, _)| found.contains(name));
            let named: Context = named.map(|(name, value)| (name.to_owned(), value.clone())).collect();
            let run = |context| rule.run(context, Clock::At(0)).map(|outcome| format!("{outcome:?}"));
            assert_eq!(run(&named), run(&all), "{rule:?} {context}");
        }
    }
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
