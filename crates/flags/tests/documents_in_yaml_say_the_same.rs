//! YAML is read as the JSON that it stands for.
#![cfg(feature = "yaml")]

use serinus_flags::{Context, Document, DocumentError, Flags, Format, Kind, Problem};

const YAML: &str = "\
flags:
  search:
    state: ENABLED
    variants:
      on: true
      off: false
    defaultVariant: on
  size:
    state: ENABLED
    variants: {s: 1, m: 2.5}
    defaultVariant: m
metadata:
  flagSetId: shop
";
const JSON: &str = r#"{"flags": {
    "search": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
    "size": {"state": "ENABLED", "variants": {"s": 1, "m": 2.5}, "defaultVariant": "m"}
}, "metadata": {"flagSetId": "shop"}}"#;

#[test]
fn yaml_says_what_json_says() {
    let flags = Flags::default();
    flags.load(&Document::from_json(JSON).unwrap());
    let report = flags.load(&Document::from_yaml(YAML).unwrap());
    assert!(report.faults().is_empty(), "{:?}", report.faults());
    assert!(report.change().is_empty(), "{:?}", report.change());
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));
    assert_eq!(flags.float("size", &Context::default()), Ok(2.5));
}

#[test]
fn json_can_be_read_as_yaml() {
    let flags = Flags::default();
    flags.load(&Document::from_json(JSON).unwrap());
    assert!(flags.load(&Document::from_yaml(JSON).unwrap()).change().is_empty());
}

#[test]
fn names_that_are_no_texts_are_the_fault_of_their_flag() {
    let yaml = "\
flags:
  one:
    state: ENABLED
    variants:
      1: true
  two:
    state: ENABLED
    variants: {on: true}
    defaultVariant: on
  3:
    state: ENABLED
    variants: {on: true}
";
    let document = Document::from_yaml(yaml).unwrap();
    let faults: Vec<_> = document.faults().iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "in the flag at line 3, column 5: flags.one.variants.1: a number stands where a name belongs: put it in quotes",
            "line 10, column 3: flags.3: a number stands where a name belongs: put it in quotes",
        ]
    );
    let flags = Flags::default();
    flags.load(&document);
    assert_eq!(flags.bool("two", &Context::default()), Ok(true));
    assert_eq!(
        Document::from_yaml("flags: {}\ntrue: 1").unwrap_err(),
        DocumentError::NameIsNoText { found: Kind::Bool, line: 2, column: 1 }
    );
}

#[test]
fn numbers_that_json_lacks_are_the_fault_of_their_flag() {
    let yaml =
        "flags:\n  one: {state: ENABLED, variants: {a: .inf}}\n  two: {state: ENABLED, variants: {a: 1}}";
    let document = Document::from_yaml(yaml).unwrap();
    assert_eq!(document.faults().len(), 1);
    assert_eq!(document.faults()[0].problem, Problem::NotFinite { number: f64::INFINITY });
    assert_eq!(document.faults()[0].path, "flags.one.variants.a");
}

#[test]
fn lists_of_flags_are_read_in_yaml_too() {
    let yaml =
        "flags:\n- {key: one, state: ENABLED, variants: {on: true}, defaultVariant: on}\n- {state: ENABLED}";
    let document = Document::from_yaml(yaml).unwrap();
    assert_eq!(document.keys().collect::<Vec<_>>(), ["one"]);
    assert_eq!(document.faults()[0].problem, Problem::NoKey);
    assert_eq!(document.faults()[0].path, "flags[1]");
}

#[test]
fn what_is_no_document_in_yaml_is_refused() {
    let refused = |text: &str| Document::from_yaml(text).unwrap_err();
    assert!(matches!(refused("flags: [1"), DocumentError::Syntax { format: "YAML", .. }));
    assert!(matches!(refused("flags: {}\nflags: {}"), DocumentError::Twice { line: 2, .. }));
    assert!(matches!(refused("- flags"), DocumentError::NotAnObject { found: Kind::List }));
    assert!(matches!(refused("metadata: {}"), DocumentError::NoFlags));
    assert!(matches!(refused("flags: on"), DocumentError::FlagsWrongType { found: Kind::String, .. }));
}

#[test]
fn a_bad_flag_is_as_bad_in_yaml_as_in_json() {
    let sound = r#"{"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on"}"#;
    let nested = |levels: usize| format!("{}1{}", "{\"!\":[".repeat(levels), "]}".repeat(levels));
    for bad in [
        r#"{"state": "ENABLED", "variants": {"on": true, "on": false}}"#.to_owned(),
        r#"{"state": "ENABLED", "state": "ENABLED", "variants": {"on": true}}"#.to_owned(),
        format!(r#"{{"state": "ENABLED", "variants": {{"on": true}}, "targeting": {}}}"#, nested(60)),
        format!(r#"{{"state": "ENABLED", "variants": {{"on": true}}, "targeting": {}}}"#, nested(70)),
    ] {
        let text = format!(r#"{{"flags": {{"a": {sound}, "b": {bad}}}}}"#);
        let said = |document: &Document| -> Vec<_> {
            document.faults().iter().map(|fault| (fault.path.clone(), fault.problem.clone())).collect()
        };
        let (json, yaml) = (Document::from_json(&text).unwrap(), Document::from_yaml(&text).unwrap());
        assert_eq!(said(&json), said(&yaml), "{bad:.80}");
        assert_eq!(json.warnings().len(), yaml.warnings().len());
        let flags = Flags::default();
        flags.load(&yaml);
        assert_eq!(flags.bool("a", &Context::default()), Ok(true), "{bad:.80}");
    }
    for twice in [
        format!("flags: {{b: {sound}, b: {sound}}}"),
        "flags: {}\n$evaluators: {b: 1, b: 1}".to_owned(),
        "flags: {}\nmetadata: {b: 1, b: 1}".to_owned(),
    ] {
        let document = Document::from_yaml(&twice).unwrap();
        assert!(!document.faults().is_empty() && document.faults()[0].path.ends_with(".b"), "{twice}");
    }
}

#[test]
fn the_place_of_a_fault_is_one_in_the_yaml() {
    let deep = format!("{}1{}", "[".repeat(150), "]".repeat(150));
    let yaml =
        format!("flags:\n  b:\n    state: ENABLED\n    variants: {{on: true}}\n    targeting: {deep}\n");
    let document = Document::from_yaml(&yaml).unwrap();
    assert_eq!(
        document.faults()[0].to_string(),
        "line 3, column 5: flags.b: nested more than 127 levels deep: flatten it, or move parts into $evaluators"
    );
}

#[test]
fn two_documents_in_one_text_are_refused_in_our_words() {
    let said = Document::from_yaml("flags: {}\n---\nflags: {}\n").unwrap_err().to_string();
    assert!(said.ends_with("it has more than one document: put each into a text of its own"), "{said}");
}

#[test]
fn aliases_that_unfold_without_end_are_refused() {
    let mut yaml = String::from("a: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        yaml.push_str(&format!("b{level}: &a{level} [{}]\n", before.trim_end_matches(", ")));
    }
    yaml.push_str("flags: {}\n");
    assert!(matches!(Document::from_yaml(&yaml), Err(DocumentError::Syntax { format: "YAML", .. })));
    let deep = format!("flags: {}{}", "[".repeat(1000), "]".repeat(1000));
    assert!(matches!(Document::from_yaml(&deep), Err(DocumentError::Syntax { format: "YAML", .. })));
}

#[test]
fn the_extension_says_what_a_file_is_written_in() {
    assert_eq!(Format::of_path("/etc/flags.YAML"), Format::Yaml);
    assert_eq!(Format::of_path("flags.yml"), Format::Yaml);
    assert_eq!(Format::of_path("flags.json"), Format::Json);
    assert_eq!(Format::of_path("flags"), Format::Json);
}
