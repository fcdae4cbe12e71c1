//! Whatever the bytes are: an answer, never a panic, and soon.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serinus_flags::{Context, Document, ErrorCode, Flags, Format, Map, NoValue, Problem, Value};

/// A document with something of everything.
const DOCUMENT: &str = r#"{"$schema": "x", "flags": {
    "static": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
    "rule": {"state": "ENABLED", "variants": {"a": 1, "b": 2.5e3}, "defaultVariant": "a", "metadata": {"x": "\u00e4"},
             "targeting": {"if": [{"$ref": "staff"}, "b", {"fractional": [{"var": "email"}, ["a", 1], ["b", 99]]}]}},
    "object": {"state": "DISABLED", "variants": {"o": {"a": [null, {"b": "\"\\"}]}}, "targeting": {}}},
  "$evaluators": {"staff": {"ends_with": [{"var": ["email", ""]}, "@example.com"]}},
  "metadata": {"flagSetId": "shop", "v": -1}}"#;

/// Asks for every flag of a document in every way.
fn ask_everything(document: &Document) {
    let flags = Flags::default();
    flags.load(document);
    let contexts =
        [Context::default(), Context::new("user-1").with("email", "a@example.com").with("$flagd", 1)];
    for context in &contexts {
        for key in document.keys().chain(["missing"]) {
            let _ = flags.bool(key, context);
            let _ = flags.int(key, context);
            let _ = flags.float(key, context);
            let _ = flags.string(key, context).map(|text| text.len());
            let _ = flags.object(key, context).map(|object| object.len());
            let details = flags.details::<Value>(key, context);
            assert_eq!(details.error().is_some(), matches!(details.value(), Err(NoValue::Failed(_))));
            let _ = format!("{details:?}");
        }
    }
    for fault in document.faults().iter().chain(document.warnings()) {
        assert!(fault.line > 0 && fault.column > 0 && !fault.path.is_empty(), "{fault:?}");
        let said = fault.to_string();
        assert!(!said.contains('\n') && said.len() < 1000, "{said}");
    }
}

fn read(bytes: &[u8]) {
    for format in [Format::Json, Format::Yaml] {
        if let Ok(document) = Document::from_slice(bytes, format) {
            ask_everything(&document);
        }
    }
}

#[test]
fn a_document_cut_off_anywhere_is_refused() {
    assert_eq!(Document::from_json(DOCUMENT).unwrap().faults(), []);
    for end in 0..DOCUMENT.len() {
        assert!(Document::from_slice(&DOCUMENT.as_bytes()[..end], Format::Json).is_err(), "{end}");
    }
    for end in (0..DOCUMENT.len()).step_by(7) {
        read(&DOCUMENT.as_bytes()[..end]);
    }
}

#[test]
fn every_value_may_be_of_any_other_type() {
    let root: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
    let mut places = Vec::new();
    pointers(&root, String::new(), &mut places);
    assert!(places.len() > 40);
    for place in places {
        for other in
            ["null", "true", "-1", "1e308", "\"\"", "\"on\"", "[]", "[[[]]]", "{}", r#"{"$ref": "staff"}"#]
        {
            let mut mutated = root.clone();
            *mutated.pointer_mut(&place).unwrap() = serde_json::from_str(other).unwrap();
            if let Ok(document) = Document::from_json(&mutated.to_string()) {
                ask_everything(&document);
            }
        }
    }
}

#[test]
fn shared_rules_that_go_in_circles_are_that_flags_fault() {
    let document = Document::from_json(
        r#"{"flags": {
            "circle": {"state": "ENABLED", "variants": {"on": true}, "targeting": {"if": [{"$ref": "a"}, "on"]}},
            "sound": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on"}
        }, "$evaluators": {"a": {"!": [{"$ref": "b"}]}, "b": {"!": [{"$ref": "a"}]}}}"#,
    )
    .unwrap();
    assert_eq!(document.faults().len(), 1);
    assert!(matches!(document.faults()[0].problem, Problem::Rule(_)), "{}", document.faults()[0]);
    assert_eq!(document.faults()[0].path, "flags.circle.targeting");
    ask_everything(&document);
}

#[test]
fn shared_rules_that_double_one_another_take_no_time() {
    let doubling =
        |level: i32| format!(r#""r{level}": {{"and": [{{"$ref": "r{0}"}}, {{"$ref": "r{0}"}}]}}"#, level - 1);
    let evaluators: Vec<_> = (1..60).map(doubling).collect();
    let text = format!(
        r#"{{"flags": {{"f": {{"state": "ENABLED", "variants": {{"on": true}}, "targeting": {{"$ref": "r59"}}}}}},
            "$evaluators": {{"r0": true, {}}}}}"#,
        evaluators.join(",")
    );
    let document = soon(|| Document::from_json(&text).unwrap());
    assert_eq!(document.faults().len(), 1, "{:?}", document.faults());
    ask_everything(&document);
}

#[test]
fn depth_costs_nothing_wherever_it_is() {
    let deep = format!("{}1{}", "{\"!\":[".repeat(100_000), "]}".repeat(100_000));
    for text in [
        deep.clone(),
        format!(r#"{{"flags": {deep}}}"#),
        format!(r#"{{"flags": {{"f": {deep}}}}}"#),
        format!(r#"{{"flags": {{}}, "metadata": {{"m": {deep}}}}}"#),
        format!(r#"{{"flags": {{}}, "$evaluators": {{"e": {deep}}}, "unknown": {deep}}}"#),
        format!(r#"{{"flags": [{deep}]}}"#),
        "[".repeat(1_000_000),
        "{\"flags\":".repeat(100_000),
    ] {
        soon(|| read(text.as_bytes()));
    }
}

#[test]
fn much_of_the_same_takes_no_longer_than_it_should() {
    let many = |part: fn(usize) -> String, count: usize| (0..count).map(part).collect::<Vec<_>>().join(",");
    let bad = many(|number| format!("\n\"f{number}\": {{\"state\": 1}}"), 20_000);
    let twice = many(|number| format!("\"f{}\": {{}}", number % 2), 20_000);
    let variants = many(|number| format!("\"v{}\": {number}", number * 7919 % 20_000), 20_000);
    let names = many(|_| "\"same\": 1".to_owned(), 20_000);
    for text in [
        format!("{{\"flags\": {{{bad}}}}}"),
        format!("{{\"flags\": {{{twice}}}}}"),
        format!(
            r#"{{"flags": {{"f": {{"state": "ENABLED", "variants": {{{variants}}}, "defaultVariant": "v5"}}}}}}"#
        ),
        format!(r#"{{"flags": {{"f": {{"state": "ENABLED", "variants": {{{names}}}}}}}}}"#),
        format!(r#"{{"flags": {{}}, "metadata": {{{names}}}, "$evaluators": {{{names}}}}}"#),
    ] {
        let document = soon(|| Document::from_json(&text).unwrap());
        soon(|| document.faults().iter().map(|fault| fault.to_string().len()).sum::<usize>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read(&bytes);
    }

    #[test]
    fn any_change_of_a_few_bytes_gets_an_answer(
        changes in proptest::collection::vec((0..DOCUMENT.len(), prop_oneof![any::<u8>(), proptest::sample::select(b"{}[]\":,\\0e-. nt".as_slice())]), 1..4),
        cut in 0..40usize,
        at in 0..DOCUMENT.len(),
    ) {
        let mut bytes = DOCUMENT.as_bytes().to_vec();
        for (place, byte) in changes {
            bytes[place] = byte;
        }
        bytes.drain(at..(at + cut).min(DOCUMENT.len()));
        read(&bytes);
    }

    #[test]
    fn a_flag_of_any_value_is_its_own_fault(value in any_value()) {
        let text = format!(
            r#"{{"flags": {{"bad": {value}, "good": {{"state": "ENABLED", "variants": {{"on": true}}, "defaultVariant": "on"}}}}}}"#
        );
        let document = Document::from_json(&text).unwrap();
        ask_everything(&document);
        let flags = Flags::default();
        flags.load(&document);
        prop_assert_eq!(flags.bool("good", &Context::default()), Ok(true));
        prop_assert!(document.faults().iter().all(|fault| fault.flag.as_deref() == Some("bad")));
    }

    #[test]
    fn a_rule_of_any_value_gets_an_answer(rule in any_value(), attributes in any_value()) {
        let text = format!(
            r#"{{"flags": {{"f": {{"state": "ENABLED", "variants": {{"on": true}}, "targeting": {rule}}}}}}}"#
        );
        let document = Document::from_json(&text).unwrap();
        ask_everything(&document);
        let flags = Flags::default();
        flags.load(&document);
        let context = Context::from(attributes.as_object().cloned().unwrap_or_else(Map::new));
        let _ = flags.bool_details("f", &context);
    }
}

/// Values that look a little like flags and rules.
fn any_value() -> impl Strategy<Value = Value> {
    let name = proptest::sample::select(vec![
        "state",
        "variants",
        "defaultVariant",
        "targeting",
        "metadata",
        "on",
        "if",
        "var",
        "fractional",
        "==",
        "and",
        "cat",
        "sem_ver",
        "starts_with",
        "$ref",
        "reduce",
        "map",
        "in",
        "-",
        "/",
        "%",
        "substr",
        "missing_some",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3..4i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(vec!["ENABLED", "on", "targetingKey", "1.2.3", "^", "", "ä"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            proptest::collection::vec((name.clone(), inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The JSON pointers of all values below.
fn pointers(value: &serde_json::Value, at: String, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                pointers(field, format!("{at}/{name}"), found);
            }
        }
        serde_json::Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                pointers(element, format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
    found.push(at);
}

/// Ten seconds are a hundred times what it takes, and nothing against what a square of the size would.
fn soon<T>(work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    done
}

#[test]
fn a_rule_that_doubles_a_text_or_nests_lists_ends_in_an_error_and_soon() {
    let ones = |count| vec!["1"; count].join(",");
    let doubled = format!(
        r#"{{"reduce": [[{}], {{"cat": [{{"var": "accumulator"}}, {{"var": "accumulator"}}]}}, "xx"]}}"#,
        ones(40)
    );
    let nested = (0..12).fold("true".to_owned(), |logic, _| {
        format!(r#"{{"map": [[{}], {{"if": [{logic}, 1]}}]}}"#, ones(10))
    });
    let quantified = (0..12)
        .fold(r#"{"==": [1, 2]}"#.to_owned(), |logic, _| format!(r#"{{"some": [[{}], {logic}]}}"#, ones(10)));
    let named = (0..12)
        .fold(r#"{"==": [1, 2]}"#.to_owned(), |logic, _| format!(r#"{{"some": [{{"var": "l"}}, {logic}]}}"#));
    let context: Context = serde_json::from_str(r#"{"l": [1,2,3,4,5,6,7,8,9,10]}"#).unwrap();
    for rule in [doubled, nested, quantified, named] {
        let document = format!(
            r#"{{"flags": {{"f": {{"state": "ENABLED", "variants": {{"on": true}}, "defaultVariant": "on", "targeting": {rule}}}}}}}"#
        );
        let flags = Flags::default();
        flags.load(&Document::from_json(&document).unwrap());
        let started = Instant::now();
        let details = flags.details::<bool>("f", &context);
        assert_eq!(details.error_code(), Some(ErrorCode::ParseError), "{rule:.80}");
        let told = details.error().unwrap().to_string();
        assert!(told.contains("takes more than 1000000 steps"), "{told}");
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}: {rule:.80}", started.elapsed());
    }
}
