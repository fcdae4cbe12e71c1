//! In a list one key may stand once in each flag set, and a selector chooses the set.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use serinus_flags::{
    Context, Document, Flags, NoValue, Problem, Reason,
    source::{Selector, SelectorError},
};

#[test]
fn one_key_is_in_several_sets_and_the_selector_chooses() {
    let document = Document::from_json(LIST).unwrap();
    assert!(document.faults().is_empty(), "{:?}", document.faults());
    assert_eq!(document.keys().collect::<Vec<_>>(), ["search", "basket"], "each key once");
    let search = |selector: &str| {
        let flags = selected(&document, selector);
        flags.int("search", &Context::default())
    };
    assert_eq!(search(""), Ok(4), "the last counts where no set is chosen");
    assert_eq!(search("source=flags.json"), Ok(4));
    assert_eq!(search("flagSetId=shop"), Ok(1));
    assert_eq!(search("flagSetId=bank"), Err(NoValue::Disabled));
    assert_eq!(search("flagSetId=7"), Ok(3), "a number is taken by its text");
    assert_eq!(search("flagSetId="), Ok(4), "and this is the one in no set");
    assert!(matches!(search("flagSetId=other"), Err(NoValue::Failed(_))));
    assert!(matches!(search("source=other.json"), Err(NoValue::Failed(_))));

    let shop = selected(&document, "flagSetId=shop");
    assert_eq!(shop.snapshot().document().len(), 2);
    assert_eq!(shop.int("basket", &Context::default()), Ok(1));
    assert_eq!(selected(&document, "flagSetId=bank").snapshot().document().len(), 1);
}

#[test]
fn the_test_beds_flag_is_disabled_in_one_set_and_enabled_in_another() {
    let document = Document::from_json(
        r#"{"flags": [
            {"key": "cross-flagset-flag", "state": "DISABLED", "variants": {"on": true, "off": false},
             "defaultVariant": "on", "metadata": {"flagSetId": "all"}},
            {"key": "cross-flagset-flag", "state": "ENABLED", "variants": {"on": true, "off": false},
             "defaultVariant": "on", "metadata": {"flagSetId": "selector-set"}}
        ]}"#,
    )
    .unwrap();
    for (selector, value, reason) in [
        ("flagSetId=all", Err(NoValue::Disabled), Reason::Disabled),
        ("flagSetId=selector-set", Ok(true), Reason::Static),
    ] {
        let flags = selected(&document, selector);
        let details = flags.bool_details("cross-flagset-flag", &Context::default());
        assert_eq!((details.value(), details.reason()), (value, reason), "{selector}");
    }
}

#[test]
fn sets_merge_each_for_itself_and_the_last_document_counts() {
    let below = Document::from_json(LIST).unwrap();
    let above = LIST.replace("\"it\": 1", "\"it\": 10").replace("\"it\": 4", "\"it\": 40");
    let above = Document::from_json(&above.replace(
        "\"search\", \"state\": \"ENABLED\", \"variants\": {\"it\": 3}",
        "\"other\", \"state\": \"ENABLED\", \"variants\": {\"it\": 3}",
    ))
    .unwrap();
    let search = |selector: &str| {
        let selector = selector.parse().unwrap();
        let flags = Flags::default();
        flags.load(&Document::merged(&[("below", below.clone()), ("above", above.clone())], &selector));
        flags.int("search", &Context::default()).unwrap()
    };
    assert_eq!(search("flagSetId=shop"), 10);
    assert_eq!(search("flagSetId=7"), 3, "which is only below");
    assert_eq!(search(""), 40);
}

#[test]
fn twice_in_one_set_is_the_fault_of_that_set_alone() {
    let twice = LIST.replace("\"flagSetId\": \"bank\"", "\"flagSetId\": \"shop\"");
    let document = Document::from_json(&twice).unwrap();
    let [fault] = document.faults() else { panic!("{:?}", document.faults()) };
    assert!(matches!(fault.problem, Problem::FlagTwice { line: 2, .. }), "{fault}");
    assert_eq!((&*fault.path, fault.line), ("flags[1]", 3));
    let search = |selector| selected(&document, selector).int("search", &Context::default());
    assert!(matches!(search("flagSetId=shop"), Err(NoValue::Failed(_))));
    assert_eq!(search("flagSetId=7"), Ok(3));

    // In an object every key is there once, whatever the sets.
    let object = r#"{"flags": {
        "a": {"state": "ENABLED", "variants": {"it": 1}, "metadata": {"flagSetId": "shop"}},
        "a": {"state": "ENABLED", "variants": {"it": 1}, "metadata": {"flagSetId": "bank"}}}}"#;
    assert_eq!(Document::from_json(object).unwrap().faults().len(), 1);
}

#[test]
fn a_fault_in_a_flag_that_another_set_covers_is_told_too() {
    let document = Document::from_json(
        &LIST.replace("{\"it\": 1}, \"defaultVariant\": \"it\", \"metadata\"", "{}, \"metadata\""),
    );
    let document = document.unwrap();
    assert_eq!(document.faults()[0].to_string().split(": ").next(), Some("in the flag at line 2, column 5"));
    assert_eq!(document.faults()[0].flag.as_deref(), Some("search"));
    let search = |selector| selected(&document, selector).int("search", &Context::default());
    assert!(matches!(search("flagSetId=shop"), Err(NoValue::Failed(_))));
    assert_eq!(search("flagSetId=7"), Ok(3));
}

#[test]
fn what_nobody_knows_selects_nothing_and_is_an_error() {
    for text in ["flagSet=shop", "flagsetid=shop", "=shop", " flagSetId=shop", "app=a,flagSetId=shop"] {
        let error: SelectorError = text.parse::<Selector>().unwrap_err();
        assert!(error.to_string().contains("write flagSetId=<id> or source=<name>"), "{text}: {error}");
    }
    // One pair only: what comes after the first equals sign is the value, as flagd has it.
    assert_eq!("flagSetId=a=b".parse(), Ok(Selector::flag_set("a=b")));
}

fn selected(document: &Document, selector: &str) -> Flags {
    let flags = Flags::default();
    let selector = selector.parse().unwrap();
    flags.load(&Document::merged(&[("flags.json", document.clone())], &selector));
    flags
}

const LIST: &str = r#"{"flags": [
    {"key": "search", "state": "ENABLED", "variants": {"it": 1}, "defaultVariant": "it", "metadata": {"flagSetId": "shop"}},
    {"key": "search", "state": "DISABLED", "variants": {"it": 2}, "defaultVariant": "it", "metadata": {"flagSetId": "bank"}},
    {"key": "basket", "state": "ENABLED", "variants": {"it": 1}, "defaultVariant": "it", "metadata": {"flagSetId": "shop"}},
    {"key": "search", "state": "ENABLED", "variants": {"it": 3}, "defaultVariant": "it", "metadata": {"flagSetId": 7}},
    {"key": "search", "state": "ENABLED", "variants": {"it": 4}, "defaultVariant": "it"}
]}"#;
