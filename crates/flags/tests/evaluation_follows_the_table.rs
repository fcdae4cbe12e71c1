//! What flags evaluate to, in the order and with the reasons of flagd.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps nothing")]

use serinus_flags::{
    Context, Document, ErrorCode, EvaluationError, FlagType, Flags, Format, Map, NoValue, Options, Reason,
    Value,
};

const DOCUMENT: &str = r#"{
  "flags": {
    "static": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
    "empty-rule": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on", "targeting": {}},
    "no-default": {"state": "ENABLED", "variants": {"on": true}},
    "empty-default": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": ""},
    "disabled": {"state": "DISABLED", "variants": {"on": true}, "defaultVariant": "on",
                 "targeting": {"no-such-operator": []}},
    "rule": {"state": "ENABLED", "variants": {"gold": 1, "other": 2}, "defaultVariant": "other",
             "targeting": {"if": [{"==": [{"var": "plan"}, "gold"]}, "gold", null]}},
    "rule-no-default": {"state": "ENABLED", "variants": {"gold": 1},
             "targeting": {"if": [{"==": [{"var": "plan"}, "gold"]}, "gold", null]}},
    "unknown-variant": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on",
             "targeting": {"if": [true, "nope"]}},
    "unknown-operator": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on",
             "targeting": {"no-such-operator": []}},
    "no-such-ref": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on",
             "targeting": {"if": [{"$ref": "nobody"}, "on"]}},
    "ref": {"state": "ENABLED", "variants": {"in": true, "out": false}, "defaultVariant": "out",
             "targeting": {"if": [{"$ref": "staff"}, "in", "out"]}},
    "boolean-names": {"state": "ENABLED", "variants": {"true": "yes", "false": "no"}, "defaultVariant": "false",
             "targeting": {"==": [{"var": "plan"}, "gold"]}},
    "many": {"state": "ENABLED", "variants": {"v0": 0, "v1": 1, "v2": 2, "v3": 3, "v4": 4, "v5": 5, "v6": 6,
             "v7": 7, "v8": 8, "v9": 9, "v10": 10}, "defaultVariant": "v0", "targeting": {"var": "name"}},
    "split": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
             "targeting": {"fractional": [["on", 50], ["off", 50]]}},
    "time": {"state": "ENABLED", "variants": {"past": true, "future": false}, "defaultVariant": "past",
             "targeting": {"if": [{">": [{"var": "$flagd.timestamp"}, 1000]}, "future", "past"]}},
    "numbers": {"state": "ENABLED", "variants": {"ten": 10.0, "pi": 3.25, "one": 1}, "defaultVariant": "ten",
             "targeting": {"var": "name"}},
    "text": {"state": "ENABLED", "variants": {"a": "hello", "b": ""}, "defaultVariant": "a"},
    "object": {"state": "ENABLED", "variants": {"a": {"b": [1]}}, "defaultVariant": "a",
               "metadata": {"owner": "flag", "none": null}}
  },
  "$evaluators": {"staff": {"ends_with": [{"var": "email"}, "@example.com"]}},
  "metadata": {"owner": "set", "version": 3}
}"#;

fn flags() -> Flags {
    let flags = Flags::default();
    flags.update(DOCUMENT.as_bytes(), Format::Json).unwrap();
    flags
}

/// Reason, variant and error of a flag asked for as a type.
fn outcome<T: FlagType + ?Sized>(
    key: &str,
    context: &Context,
) -> (Reason, Option<String>, Option<ErrorCode>) {
    let flags = flags();
    let details = flags.details::<T>(key, context);
    let outcome = (details.reason(), details.variant().map(str::to_owned), details.error_code());
    let by_handle = flags.handle(key);
    let by_handle = by_handle.details::<T>(context);
    assert_eq!(by_handle.variant().map(str::to_owned), outcome.1);
    let snapshot = flags.snapshot();
    let borrowed = snapshot.evaluate(key, context).of_type::<T>();
    let code = borrowed.error.as_ref().map(EvaluationError::code);
    assert_eq!((borrowed.reason, borrowed.variant.map(str::to_owned), code), outcome);
    outcome
}

fn chosen(reason: Reason, variant: &str) -> (Reason, Option<String>, Option<ErrorCode>) {
    (reason, Some(variant.to_owned()), None)
}

fn failed(code: ErrorCode) -> (Reason, Option<String>, Option<ErrorCode>) {
    (Reason::Error, None, Some(code))
}

#[test]
fn without_a_rule_the_default_is_static() {
    let nobody = Context::default();
    assert_eq!(outcome::<bool>("static", &nobody), chosen(Reason::Static, "on"));
    assert_eq!(outcome::<bool>("empty-rule", &nobody), chosen(Reason::Static, "on"));
    assert_eq!(flags().bool("static", &nobody), Ok(true));
}

#[test]
fn without_a_default_the_programs_own_counts() {
    let nobody = Context::default();
    for key in ["no-default", "empty-default", "rule-no-default"] {
        assert_eq!(outcome::<bool>(key, &nobody), (Reason::Default, None, None), "{key}");
        assert_eq!(flags().bool(key, &nobody), Err(NoValue::NoDefault), "{key}");
        assert!(flags().bool(key, &nobody).unwrap_or(true));
    }
}

#[test]
fn a_disabled_flag_is_no_failure_and_its_rule_is_not_run() {
    let flags = flags();
    let details = flags.bool_details("disabled", &Context::default());
    assert_eq!((details.reason(), details.variant(), details.error()), (Reason::Disabled, None, None));
    assert_eq!(details.value(), Err(NoValue::Disabled));
    assert_eq!(details.metadata().get("version"), Some(&Value::from(3)));
    assert_eq!(flags.bool("disabled", &Context::default()), Err(NoValue::Disabled));
}

#[test]
fn a_rule_that_comes_to_a_variant_is_a_match_and_to_null_the_default() {
    let gold = Context::default().with("plan", "gold");
    let other = Context::default().with("plan", "silver");
    assert_eq!(outcome::<i64>("rule", &gold), chosen(Reason::TargetingMatch, "gold"));
    assert_eq!(outcome::<i64>("rule", &other), chosen(Reason::Default, "other"));
    assert_eq!(outcome::<i64>("rule-no-default", &gold), chosen(Reason::TargetingMatch, "gold"));
    assert_eq!(outcome::<str>("boolean-names", &gold), chosen(Reason::TargetingMatch, "true"));
    assert_eq!(outcome::<str>("boolean-names", &other), chosen(Reason::TargetingMatch, "false"));
    assert_eq!(flags().int("rule", &gold), Ok(1));
}

#[test]
fn a_variant_is_found_among_many() {
    for number in 0..=10 {
        let context = Context::default().with("name", format!("v{number}"));
        assert_eq!(flags().int("many", &context), Ok(number));
    }
    assert_eq!(outcome::<i64>("many", &Context::default().with("name", "v11")), failed(ErrorCode::General));
}

#[test]
fn failures_have_the_codes_of_the_reference() {
    let nobody = Context::default();
    assert_eq!(outcome::<bool>("missing", &nobody), failed(ErrorCode::FlagNotFound));
    assert_eq!(outcome::<bool>("unknown-variant", &nobody), failed(ErrorCode::General));
    assert_eq!(outcome::<bool>("unknown-operator", &nobody), failed(ErrorCode::ParseError));
    assert_eq!(outcome::<bool>("no-such-ref", &nobody), failed(ErrorCode::ParseError));
    assert_eq!(flags().bool("missing", &nobody), Err(NoValue::Failed(ErrorCode::FlagNotFound)));
}

#[test]
fn failures_say_what_to_do() {
    let (flags, nobody) = (flags(), Context::default());
    let said = |key: &str| flags.int_details(key, &nobody).error().unwrap().to_string();
    assert_eq!(
        said("missing"),
        "there is no flag \"missing\": correct the key, or add the flag to the document"
    );
    assert_eq!(
        said("unknown-variant"),
        "the rule of flag \"unknown-variant\" names the variant \"nope\", which the flag does not have: add it"
    );
    assert_eq!(
        said("text"),
        "variant \"a\" of flag \"text\" is a string, and an integer was asked for: ask for its type"
    );
}

#[test]
fn a_shared_rule_is_followed() {
    let staff = Context::default().with("email", "a@example.com");
    assert_eq!(outcome::<bool>("ref", &staff), chosen(Reason::TargetingMatch, "in"));
    assert_eq!(outcome::<bool>("ref", &Context::default().with("email", "a@b.c")).1.as_deref(), Some("out"));
}

#[test]
fn the_type_has_to_be_that_of_the_value() {
    let nobody = Context::default();
    let mismatch = failed(ErrorCode::TypeMismatch);
    for key in ["static", "numbers", "text", "object"] {
        let of_type = [
            outcome::<bool>(key, &nobody),
            outcome::<f64>(key, &nobody),
            outcome::<str>(key, &nobody),
            outcome::<Map>(key, &nobody),
        ];
        assert_eq!(of_type.iter().filter(|outcome| **outcome == mismatch).count(), 3, "{key}");
        assert_eq!(outcome::<Value>(key, &nobody).2, None, "{key}");
    }
}

#[test]
fn numbers_are_converted_only_without_loss() {
    let named = |name: &str| Context::default().with("name", name);
    let flags = flags();
    assert_eq!(flags.int("numbers", &named("ten")), Ok(10));
    assert_eq!(flags.int("numbers", &named("pi")), Err(NoValue::Failed(ErrorCode::TypeMismatch)));
    assert_eq!(flags.float("numbers", &named("pi")), Ok(3.25));
    assert_eq!(flags.float("numbers", &named("one")), Ok(1.0));
    assert_eq!(flags.int("numbers", &named("one")), Ok(1));
}

#[test]
fn a_split_is_a_match_unless_it_is_to_be_told() {
    let user = Context::new("user-1");
    assert_eq!(outcome::<bool>("split", &user).0, Reason::TargetingMatch);
    assert_eq!(outcome::<bool>("split", &Context::default()), chosen(Reason::Default, "off"));
    let telling = Flags::with_options(Options::default().split_reason(true));
    telling.update(DOCUMENT.as_bytes(), Format::Json).unwrap();
    assert_eq!(telling.bool_details("split", &user).reason(), Reason::Split);
    let gold = Context::new("user-1").with("plan", "gold");
    assert_eq!(telling.int_details("rule", &gold).reason(), Reason::TargetingMatch);
}

#[test]
fn rules_see_the_time_of_the_evaluation() {
    let (flags, nobody) = (flags(), Context::default());
    let snapshot = flags.snapshot();
    assert_eq!(snapshot.evaluate_at("time", &nobody, 1000).variant, Some("past"));
    assert_eq!(snapshot.evaluate_at("time", &nobody, 1001).variant, Some("future"));
    assert_eq!(flags.bool("time", &nobody), Ok(false));
}

#[test]
fn metadata_is_that_of_the_document_and_over_it_that_of_the_flag() {
    let (flags, nobody) = (flags(), Context::default());
    let of = |key: &str| -> Vec<(String, Value)> {
        let details = flags.details::<Value>(key, &nobody);
        details.metadata().iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()
    };
    let expect =
        |owner: &str| [("owner".to_owned(), Value::from(owner)), ("version".to_owned(), Value::from(3))];
    assert_eq!(of("object"), expect("flag"));
    for key in ["static", "disabled", "missing", "unknown-operator", "unknown-variant"] {
        assert_eq!(of(key), expect("set"), "{key}");
    }
}

#[test]
fn a_document_read_by_hand_evaluates_as_one_that_was_updated() {
    let flags = Flags::default();
    let report = flags.load(&Document::from_json(DOCUMENT).unwrap());
    let keys: Vec<_> = report.faults().iter().filter_map(|fault| fault.flag.as_deref()).collect();
    // Whether an operator exists is asked when it is reached.
    assert_eq!(keys, [""; 0]);
    assert_eq!(flags.int("rule", &Context::default().with("plan", "gold")), Ok(1));
}
