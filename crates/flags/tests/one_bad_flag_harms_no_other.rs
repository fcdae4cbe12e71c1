//! A flag that is at fault fails alone; a document that is none changes nothing.

use serinus_flags::{Context, Document, ErrorCode, Flags, Format, NoValue, Reason, Value};

const SOUND: &str = r#"{"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"}"#;

/// Flags in all sorts of ways at fault.
const BAD: [&str; 11] = [
    "null",
    "[]",
    "{}",
    r#"{"state": "enabled", "variants": {"on": true}}"#,
    r#"{"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "no"}"#,
    r#"{"state": "ENABLED", "variants": {"on": true, "off": 1}}"#,
    r#"{"state": "ENABLED", "variants": {"on": null}}"#,
    r#"{"state": "ENABLED", "variants": {"on": 1e999}}"#,
    r#"{"state": "ENABLED", "variants": {"on": "\ud800"}}"#,
    r#"{"state": "ENABLED", "variants": {"on": true, "on": true}}"#,
    r#"{"state": "ENABLED", "variants": {"on": true}, "targeting": 1}"#,
];

fn with(bad: &str) -> String {
    format!(r#"{{"flags": {{"first": {SOUND}, "bad": {bad}, "last": {SOUND}}}, "metadata": {{"v": 1}}}}"#)
}

#[test]
fn the_others_load_and_the_bad_one_says_what_is_wrong() {
    for bad in BAD {
        let flags = Flags::default();
        let report = flags.load(&Document::from_json(&with(bad)).unwrap());
        assert!(report.faults().iter().all(|fault| fault.flag.as_deref() == Some("bad")), "{bad}");
        assert!(!report.faults().is_empty(), "{bad}");
        let nobody = Context::default();
        assert_eq!(flags.bool("first", &nobody), Ok(true), "{bad}");
        assert_eq!(flags.bool("last", &nobody), Ok(true), "{bad}");
        assert_eq!(flags.bool("bad", &nobody), Err(NoValue::Failed(ErrorCode::ParseError)), "{bad}");
        let details = flags.bool_details("bad", &nobody);
        assert_eq!((details.reason(), details.variant()), (Reason::Error, None), "{bad}");
        assert_eq!(details.metadata().get("v"), Some(&Value::from(1)), "{bad}");
        let said = details.error().unwrap().to_string();
        let problem = report.faults()[0].problem.to_string();
        assert!(said.starts_with("flag \"bad\" cannot be read: ") && said.ends_with(&problem), "{said}");
    }
}

#[test]
fn metadata_at_fault_is_left_out_and_the_flag_stays() {
    for (metadata, kept) in [
        (r#"{"a": {}, "b": 1}"#, Some(1)),
        (r#"{"a": 1, "a": 2, "b": 1, "c": []}"#, Some(1)),
        ("[1]", None),
        ("7", None),
    ] {
        let bad = format!(
            r#"{{"state": "ENABLED", "variants": {{"on": true}}, "defaultVariant": "on", "metadata": {metadata}}}"#
        );
        let flags = Flags::default();
        let report = flags.load(&Document::from_json(&with(&bad)).unwrap());
        assert!(!report.faults().is_empty(), "{metadata}");
        assert!(
            report.faults().iter().all(|fault| fault.path.starts_with("flags.bad.metadata")),
            "{metadata}"
        );
        let details = flags.bool_details("bad", &Context::default());
        assert_eq!(details.value(), Ok(true), "{metadata}");
        assert_eq!(details.metadata().get("a"), None, "{metadata}");
        assert_eq!(details.metadata().get("b"), kept.map(Value::from).as_ref(), "{metadata}");
        assert_eq!(details.metadata().get("v"), Some(&Value::from(1)), "{metadata}");
    }
}

#[test]
fn half_a_surrogate_pair_in_a_name_is_the_fault_of_its_part() {
    let text = format!(
        r#"{{"flags": {{"\ud800": {SOUND}, "one": {SOUND}}}, "\ud801": 1, "metadata": {{"\ud802": 1, "v": 1}},
            "$evaluators": {{"\ud803": 1}}}}"#
    );
    let document = Document::from_json(&text).unwrap();
    let mut paths: Vec<_> = document.faults().iter().map(|fault| fault.path.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [r#"$evaluators["\\ud803"]"#, r#"["\\ud801"]"#, r#"flags["\\ud800"]"#, r#"metadata["\\ud802"]"#]
    );
    let flags = Flags::default();
    flags.load(&document);
    assert_eq!(flags.bool("one", &Context::default()), Ok(true));
    assert_eq!(document.metadata().get("v"), Some(&Value::from(1)));
    let list = format!(r#"{{"flags": [{{"key": "bad", "\ud800": 1, {}]}}"#, SOUND.trim_start_matches('{'));
    assert_eq!(Document::from_json(&list).unwrap().faults()[0].flag.as_deref(), Some("bad"));
}

#[test]
fn a_flag_nested_a_thousand_deep_is_that_flags_fault() {
    for (open, close) in [("{\"!\":[", "]}"), ("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(1000), close.repeat(1000));
        let bad = format!(r#"{{"state": "ENABLED", "variants": {{"on": true}}, "targeting": {deep}}}"#);
        let document = Document::from_json(&with(&bad)).unwrap();
        assert_eq!(document.faults().len(), 1);
        let said = document.faults()[0].to_string();
        assert!(said.contains("flags.bad: nested more than 127 levels deep"), "{said}");
    }
}

#[test]
fn a_shared_rule_nested_a_thousand_deep_harms_only_those_that_use_it() {
    let deep = format!("{}1{}", "[".repeat(1000), "]".repeat(1000));
    let text = format!(r#"{{"flags": {{"one": {SOUND}}}, "$evaluators": {{"deep": {deep}}}}}"#);
    let document = Document::from_json(&text).unwrap();
    assert_eq!(document.faults()[0].path, "$evaluators.deep");
    let flags = Flags::default();
    flags.load(&document);
    assert_eq!(flags.bool("one", &Context::default()), Ok(true));
}

#[test]
fn a_document_that_is_none_changes_nothing() {
    let flags = Flags::default();
    let nobody = Context::default();
    assert_eq!(flags.bool("one", &nobody), Err(NoValue::Failed(ErrorCode::ProviderNotReady)));
    let sound = format!(r#"{{"flags": {{"one": {SOUND}}}}}"#);
    for bad in ["", "{", "<html>502 Bad Gateway</html>", "[]", r#"{"flags": 1}"#, "\u{1}"] {
        assert!(flags.update(bad.as_bytes(), Format::Json).is_err(), "{bad}");
    }
    assert_eq!(flags.bool("one", &nobody), Err(NoValue::Failed(ErrorCode::ProviderNotReady)));
    flags.update(sound.as_bytes(), Format::Json).unwrap();
    let revision = flags.snapshot().revision();
    for bad in ["", "{", "<html>502 Bad Gateway</html>", "[]", r#"{"flags": 1}"#, "\u{1}"] {
        assert!(flags.update(bad.as_bytes(), Format::Json).is_err(), "{bad}");
        assert_eq!(flags.bool("one", &nobody), Ok(true));
        assert_eq!(flags.bool("two", &nobody), Err(NoValue::Failed(ErrorCode::FlagNotFound)));
    }
    assert_eq!(flags.snapshot().revision(), revision);
}
