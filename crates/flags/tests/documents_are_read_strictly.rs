//! Documents are read strictly: what is wrong is said with its place and remedy.

use serinus_flags::{Chosen, Context, Document, Flags, Format, Options, logic::Generation};

fn yaml_and_json() -> (&'static str, &'static str) {
    let yaml = "\
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
    let json = r#"{"flags": {
        "search": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
        "size": {"state": "ENABLED", "variants": {"s": 1, "m": 2.5}, "defaultVariant": "m"}
    }, "metadata": {"flagSetId": "shop"}}"#;
    (yaml, json)
}

#[test]
fn yaml_says_what_json_says() {
    let (yaml, json) = yaml_and_json();
    let flags = Flags::default();
    flags.load(&Document::from_json(json).unwrap());
    let report = flags.load(&Document::from_yaml(yaml).unwrap());
    assert!(report.faults().is_empty(), "{:?}", report.faults());
    assert!(report.change().is_empty(), "{:?}", report.change());
    assert_eq!(flags.bool("search", &Context::default()), Ok(true));
    assert_eq!(flags.float("size", &Context::default()), Ok(2.5));
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
}
