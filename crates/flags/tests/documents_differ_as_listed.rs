//! The differences of documents that `docs/differences.md` lists are there, and come out as it says.

use serinus_flags::{Context, Document, ErrorCode, Flags, NoValue, Value};

#[test]
fn every_example_of_the_section_comes_out_as_its_row_says() {
    let documented = include_str!("../../../docs/differences.md");
    let section = documented.split("\n## ").find(|section| section.starts_with("Documents\n"));
    let rows: Vec<Vec<&str>> = section
        .unwrap_or_default()
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| Their rule"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() > 8, "{rows:?}");
    for row in rows {
        let [_, ours, _, example] = row[..] else { panic!("four columns: {row:?}") };
        let text = format!(
            r#"{{"flags": {{"example": {}, "other": {{"state": "ENABLED", "variants": {{"on": true}}, "defaultVariant": "on"}}}},
                "$evaluators": {{"outer": {{"if": [{{"$ref": "shared"}}, "on"]}}, "shared": true}}}}"#,
            example.trim_matches('`')
        );
        let document = Document::from_json(&text).unwrap();
        let flags = Flags::default();
        flags.load(&document);
        let details = flags.details::<Value>("example", &Context::default());
        if ours.starts_with("PARSE_ERROR") {
            assert_eq!(details.value(), Err(NoValue::Failed(ErrorCode::ParseError)), "{example}");
            assert_eq!(document.faults().len(), 1, "{example}");
        } else {
            assert_eq!(details.variant(), Some("on"), "{example}");
            assert_eq!(document.faults().is_empty(), !ours.contains("with a fault"), "{example}");
        }
        assert_eq!(flags.bool("other", &Context::default()), Ok(true), "{example}");
    }
}

#[test]
fn a_key_that_stands_twice_in_an_object_breaks_that_flag() {
    let sound = r#"{"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on"}"#;
    let text = format!(r#"{{"flags": {{"a": {sound}, "b": {sound}, "a": {sound}}}}}"#);
    let flags = Flags::default();
    flags.load(&Document::from_json(&text).unwrap());
    assert_eq!(flags.bool("a", &Context::default()), Err(NoValue::Failed(ErrorCode::ParseError)));
    assert_eq!(flags.bool("b", &Context::default()), Ok(true));
}
