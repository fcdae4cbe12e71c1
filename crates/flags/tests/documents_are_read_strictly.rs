//! Documents are read strictly: what is wrong is said with its place and what to do about it.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps nothing")]

use serinus_flags::{
    Chosen, Context, Document, DocumentError, Flags, Format, Kind, Map, Options, Problem, Value,
    logic::Generation,
};

/// A document with one flag of these fields.
fn one(fields: &str) -> Document {
    Document::from_json(&format!("{{\"flags\": {{\n\"one\": {{{fields}}}}}}}")).unwrap()
}

/// The faults of a flag of these fields, without the line and column.
fn faults(fields: &str) -> Vec<String> {
    one(fields).faults().iter().map(|fault| format!("{}: {}", fault.path, fault.problem)).collect()
}

const SOUND: &str = r#""state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on""#;

#[test]
fn a_sound_document_has_neither_faults_nor_warnings() {
    let document = Document::from_json(
        r#"{"$schema": "https://flagd.dev/schema/v0/flags.json",
            "flags": {
              "boolean": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
              "text": {"state": "DISABLED", "variants": {"a": "", "b": "b"}, "defaultVariant": null},
              "number": {"state": "ENABLED", "variants": {"a": 1, "b": 0.5, "c": 9007199254740991, "d": -0.0}},
              "object": {"state": "ENABLED", "variants": {"a": {}, "b": {"c": [null, [1]]}}, "targeting": {},
                         "defaultVariant": "", "metadata": {"text": "", "number": 1.5, "yes": true, "none": null}}
            },
            "$evaluators": {"staff": {"ends_with": [{"var": "email"}, "@example.com"]}},
            "metadata": {"flagSetId": "shop", "version": 7, "none": null}}"#,
    )
    .unwrap();
    assert_eq!(document.faults(), []);
    assert_eq!(document.warnings(), []);
    assert_eq!(document.keys().collect::<Vec<_>>(), ["boolean", "text", "number", "object"]);
    assert_eq!(document.metadata().get("version"), Some(&Value::from(7)));
    assert_eq!(document.metadata().len(), 2);
}

#[test]
fn a_fault_names_its_line_its_field_and_the_remedy() {
    let text = "{\n  \"flags\": {\n    \"a.b\": {\"state\": \"ON\", \"variants\": {\"x y\": null}}\n  }\n}";
    let document = Document::from_json(text).unwrap();
    let faults: Vec<_> = document.faults().iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "in the flag at line 3, column 12: flags[\"a.b\"].state: \"ON\" is no state: write \"ENABLED\" or \"DISABLED\"",
            "in the flag at line 3, column 12: flags[\"a.b\"].variants[\"x y\"]: null stands where a boolean, text, number or \
             object belongs: write a boolean, text, number or object",
        ]
    );
    assert_eq!(document.faults()[0].flag.as_deref(), Some("a.b"));
}

#[test]
fn what_a_flag_must_have_is_asked_for() {
    assert_eq!(
        faults(""),
        [
            "flags.one.state: the flag has no state: add \"state\": \"ENABLED\"",
            "flags.one.variants: the flag has no variants: add \"variants\": {\"on\": true, \"off\": false}",
        ]
    );
    assert_eq!(
        faults(r#""state": "ENABLED", "variants": {}"#),
        ["flags.one.variants: the flag has no variant: add at least one, such as \"on\": true"]
    );
}

#[test]
fn every_field_of_the_wrong_type_is_a_fault() {
    let problem = |fields: &str| one(fields).faults()[0].problem.clone();
    let found = |fields: &str| match problem(fields) {
        Problem::WrongType { found, .. } => found,
        other => panic!("{fields}: {other}"),
    };
    assert_eq!(found(r#""state": true, "variants": {"on": true}"#), Kind::Bool);
    assert_eq!(found(r#""state": null, "variants": {"on": true}"#), Kind::Null);
    assert_eq!(found(r#""state": "ENABLED", "variants": ["on"]"#), Kind::List);
    assert_eq!(found(r#""state": "ENABLED", "variants": {"on": [1]}"#), Kind::List);
    assert_eq!(found(r#""state": "ENABLED", "variants": {"on": null}"#), Kind::Null);
    assert_eq!(found(r#""state": "ENABLED", "variants": {"on": true}, "defaultVariant": 1"#), Kind::Number);
    assert_eq!(found(&format!(r#"{SOUND}, "targeting": "on""#)), Kind::String);
    assert_eq!(found(&format!(r#"{SOUND}, "targeting": [1]"#)), Kind::List);
    assert_eq!(found(&format!(r#"{SOUND}, "metadata": 1"#)), Kind::Number);
    assert_eq!(found(&format!(r#"{SOUND}, "metadata": {{"owners": ["a"]}}"#)), Kind::List);
    for flag in ["null", "1", "\"on\"", "[]", "true"] {
        let document = Document::from_json(&format!(r#"{{"flags": {{"one": {flag}}}}}"#)).unwrap();
        assert!(matches!(document.faults()[0].problem, Problem::WrongType { .. }), "{flag}");
    }
}

#[test]
fn variants_are_of_one_type_and_their_numbers_are_safe() {
    assert_eq!(
        faults(r#""state": "ENABLED", "variants": {"a": 1, "b": 2.5, "c": "3"}"#),
        [
            "flags.one.variants.c: this variant is a string, and \"a\" is a number: give all variants of a flag one type"
        ]
    );
    for number in ["9007199254740992", "-9007199254740992", "18446744073709551616", "1e300"] {
        let document = one(&format!(r#""state": "ENABLED", "variants": {{"a": {number}}}"#));
        assert!(matches!(document.faults()[0].problem, Problem::NumberTooLarge { .. }), "{number}");
    }
    for number in ["9007199254740991", "-9007199254740991", "1e15", "1e-300", "5e-324"] {
        assert_eq!(
            faults(&format!(r#""state": "ENABLED", "variants": {{"a": {number}}}"#)),
            [""; 0],
            "{number}"
        );
    }
    let document = one("\"state\": \"ENABLED\",\n \"variants\": {\"a\": 1e999}");
    assert!(matches!(document.faults()[0].problem, Problem::Unreadable { .. }), "{:?}", document.faults());
    assert_eq!(document.faults()[0].line, 3);
}

#[test]
fn large_numbers_are_left_alone_where_nobody_asks_for_them_by_type() {
    assert_eq!(faults(r#""state": "ENABLED", "variants": {"a": {"id": 9007199254740993}}"#), [""; 0]);
}

#[test]
fn a_default_variant_has_to_exist() {
    assert_eq!(
        faults(r#""state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "On""#),
        ["flags.one.defaultVariant: there is no variant \"On\": name one of \"off\", \"on\""]
    );
}

#[test]
fn names_are_not_empty_and_stand_once() {
    assert_eq!(
        faults(r#""state": "ENABLED", "variants": {"": true}"#),
        ["flags.one.variants[\"\"]: the name is empty: give it a name"]
    );
    assert_eq!(
        faults(r#""state": "ENABLED", "variants": {"on": true, "on": false}"#),
        ["flags.one.variants: \"on\" stands twice: keep one of the two"]
    );
    assert_eq!(
        faults(&format!(r#"{SOUND}, "state": "DISABLED""#)),
        ["flags.one.state: \"state\" stands twice: keep one of the two"]
    );
    assert_eq!(
        faults(&format!(r#"{SOUND}, "targeting": {{"if": [{{"a": 1, "a": 2}}, "on"]}}"#)),
        ["flags.one.targeting.if[0]: \"a\" stands twice: keep one of the two"]
    );
    let empty = Document::from_json(&format!(r#"{{"flags": {{"": {{{SOUND}}}}}}}"#)).unwrap();
    assert_eq!(empty.faults()[0].problem, Problem::EmptyName);
}

#[test]
fn a_flag_that_stands_twice_is_at_fault_and_both_places_are_named() {
    let text =
        format!("{{\"flags\": {{\n\"one\": {{{SOUND}}},\n\"two\": {{{SOUND}}},\n\"one\": {{{SOUND}}}}}}}");
    let document = Document::from_json(&text).unwrap();
    let faults: Vec<_> = document.faults().iter().map(ToString::to_string).collect();
    let expected = "line 4, column 8: flags.one: the flag stands a second time; the first is at line 2, column 8: \
                    keep one of the two";
    assert_eq!(faults, [expected]);
    assert_eq!(document.len(), 2);
}

#[test]
fn unknown_fields_are_warned_of() {
    let document = Document::from_json(&format!(
        r#"{{"flags": {{"one": {{{SOUND}, "defaultvariant": "off"}}}}, "$evaluator": {{}}}}"#
    ))
    .unwrap();
    assert_eq!(document.faults(), []);
    let warnings: Vec<_> = document.warnings().iter().map(|warning| warning.path.as_str()).collect();
    assert_eq!(warnings, ["flags.one.defaultvariant", "$evaluator"]);
    let said = document.warnings()[0].to_string();
    assert!(said.contains("state, variants, defaultVariant, targeting and metadata are read"), "{said}");
}

#[test]
fn shared_rules_and_metadata_at_fault_are_left_out() {
    let document = Document::from_json(&format!(
        r#"{{"flags": {{"one": {{{SOUND}, "metadata": {{"owner": "flag"}}}}}},
            "$evaluators": {{"deep": {{"a": 1, "a": 2}}, "twice": {{}}, "twice": {{}}}},
            "metadata": {{"owners": ["a"], "owner": "set", "version": 2}}}}"#
    ))
    .unwrap();
    let paths: Vec<_> = document.faults().iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(paths, ["$evaluators.deep", "$evaluators.twice", "$evaluators.twice", "metadata.owners"]);
    let flags = Flags::default();
    flags.load(&document);
    let details = flags.bool_details("one", &Context::default());
    let metadata: Vec<_> = details.metadata().iter().collect();
    assert_eq!(metadata, [("owner", &Value::from("flag")), ("version", &Value::from(2))]);
}

#[test]
fn a_text_that_is_no_document_is_refused_with_the_reason() {
    let said = |text: &str| Document::from_json(text).unwrap_err().to_string();
    assert_eq!(said(" \n"), "the document is empty: write at least {\"flags\": {}}");
    assert_eq!(said("[]"), "the document is a list: write an object with the field \"flags\"");
    assert_eq!(said("{}"), "the document has no field \"flags\": add it; an object of flags by key");
    assert_eq!(
        said("{\"flags\":\n  true}"),
        "line 2, column 3: flags: a boolean stands here: write an object of flags by key"
    );
    assert_eq!(
        said("{\"flags\": {\n\"one\": {]}}"),
        "line 2, column 9: not valid JSON: key must be a string"
    );
    assert!(said("<!doctype html><html>").starts_with("this is HTML or XML"));
    assert!(matches!(
        Document::from_json("{\"flags\": {}, \"flags\": {}}"),
        Err(DocumentError::Twice { line: 1, column: 24, .. })
    ));
    assert!(matches!(
        Document::from_slice(b"{\"flags\": {\"\xff\": 1}}", Format::Json),
        Err(DocumentError::NotUtf8 { at: 12 })
    ));
    let limited = Options::default().max_bytes(10).read(b"{\"flags\": {}}", Format::Json, None);
    assert_eq!(limited.unwrap_err(), DocumentError::TooLarge { bytes: 13, limit: 10 });
}

#[test]
fn a_byte_order_mark_is_no_fault() {
    assert!(Document::from_json("\u{feff}{\"flags\": {}}").is_ok());
}

#[test]
fn flags_can_be_a_list() {
    let document = Document::from_json(&format!(
        r#"{{"flags": [{{"key": "one", {SOUND}}}, {{{SOUND}}}, 5, {{"key": 1, {SOUND}}},
                       {{"key": "two", "state": "OFF", "variants": {{"on": true}}}}]}}"#
    ))
    .unwrap();
    let paths: Vec<_> = document.faults().iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(paths, ["flags[1]", "flags[2]", "flags[3].key", "flags[4].state"]);
    assert_eq!(document.warnings(), []);
    assert_eq!(document.keys().collect::<Vec<_>>(), ["one", "two"]);
    let flags = Flags::default();
    flags.load(&document);
    assert_eq!(flags.bool("one", &Context::default()), Ok(true));
}

#[test]
fn the_generation_is_chosen_by_the_document_then_the_program_then_the_newest() {
    let plain = r#"{"flags": {}}"#;
    let named = r#"{"flags": {}, "metadata": {"serinus.fractional": "v1"}}"#;
    let options = Options::default().generation(Generation::V2);
    let read = |options: &Options, text: &str| {
        let document = options.read(text.as_bytes(), Format::Json, None).unwrap();
        (document.generation(), document.generation_chosen_by())
    };
    assert_eq!(read(&Options::default(), plain), (Generation::V3, Chosen::Newest));
    assert_eq!(read(&options, plain), (Generation::V2, Chosen::Options));
    assert_eq!(read(&options, named), (Generation::V1, Chosen::Document));
    let said = Flags::default().load(&Document::from_json(plain).unwrap()).to_string();
    assert!(
        said.ends_with("by v3 (the newest, because neither the document nor the program names one)"),
        "{said}"
    );
}

#[test]
fn a_generation_that_does_not_exist_is_not_guessed() {
    for found in ["\"v4\"", "2", "true", "null", "[\"v2\"]", "{}", "{\"a\":1,\"a\":2}", "\"\\ud800\""] {
        let text = format!(r#"{{"flags": {{}}, "metadata": {{"serinus.fractional": {found}}}}}"#);
        let refused = Document::from_json(&text).unwrap_err();
        assert_eq!(refused, DocumentError::UnknownGeneration { found: found.to_owned() });
    }
    let twice = r#"{"flags": {}, "metadata": {"serinus.fractional": "v2", "serinus.fractional": "v2"}}"#;
    assert!(matches!(Document::from_json(twice), Err(DocumentError::Twice { line: 1, .. })));
    let list = r#"{"flags": {}, "metadata": [{"serinus.fractional": "v2"}]}"#;
    assert!(matches!(Document::from_json(list), Err(DocumentError::UnknownGeneration { .. })));
    assert_eq!(Document::from_json(r#"{"flags": {}, "metadata": [1]}"#).unwrap().faults().len(), 1);
}

#[cfg(feature = "yaml")]
#[test]
fn nor_is_it_in_yaml() {
    for metadata in ["{serinus.fractional: null}", "{serinus.fractional: [v2]}", "[{serinus.fractional: v2}]"]
    {
        let refused = Document::from_yaml(&format!("flags: {{}}\nmetadata: {metadata}"));
        assert!(matches!(refused, Err(DocumentError::UnknownGeneration { .. })), "{metadata}");
    }
    let twice = "flags: {}\nmetadata: {serinus.fractional: v2, serinus.fractional: v2}";
    assert!(matches!(Document::from_yaml(twice), Err(DocumentError::Twice { line: 2, .. })));
}

#[test]
fn a_generation_of_one_flag_is_warned_of() {
    let document = one(&format!(r#"{SOUND}, "metadata": {{"serinus.fractional": "v2"}}"#));
    assert_eq!(document.generation(), Generation::V3);
    assert_eq!(document.warnings().len(), 1);
    assert_eq!(document.warnings()[0].problem, Problem::GenerationOfFlag);
    assert_eq!(document.warnings()[0].path, "flags.one.metadata[\"serinus.fractional\"]");
}

#[test]
fn a_key_that_stands_twice_in_a_list_of_flags_is_a_fault() {
    let text = format!(r#"{{"flags": [{{"key": "b", "key": "c", {SOUND}}}]}}"#);
    let faults =
        Document::from_json(&text).unwrap().faults().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        faults,
        ["in the flag at line 1, column 12: flags[0].key: \"key\" stands twice: keep one of the two"]
    );
}

#[test]
fn a_number_without_end_is_told_in_short() {
    let said = faults(r#""state": "ENABLED", "variants": {"a": 1e300}"#);
    assert!(said[0].starts_with("flags.one.variants.a: 1e300 is beyond"), "{said:?}");
}

#[test]
fn texts_and_objects_are_borrowed_from_the_snapshot() {
    let flags = Flags::default();
    flags.load(
        &Document::from_json(
            r#"{"flags": {
                "text": {"state": "ENABLED", "variants": {"a": "hello"}, "defaultVariant": "a"},
                "object": {"state": "ENABLED", "variants": {"a": {"b": 1}}, "defaultVariant": "a"}}}"#,
        )
        .unwrap(),
    );
    let text = flags.string("text", &Context::default()).unwrap();
    let object = flags.object("object", &Context::default()).unwrap();
    flags.load(&Document::default());
    assert_eq!(text, "hello");
    assert_eq!(*object, [("b", 1)].into_iter().collect::<Map>());
    assert!(flags.string("text", &Context::default()).is_err());
}
