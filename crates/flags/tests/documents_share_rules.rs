//! A shared rule is compiled once, stands for its text wherever it is named, and concerns nobody who does not reach it.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use serinus_flags::{
    Context, Document, ErrorCode, Flags, Format, NoValue, Options, Problem,
    logic::{Generation, RuleFault},
};

const BODY: &str = r#""state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off""#;

fn flag(key: &str, rule: &str) -> String {
    format!(r#""{key}": {{{BODY}, "targeting": {rule}}}"#)
}

fn document(flags: &[String], evaluators: &str) -> String {
    format!(r#"{{"flags": {{{}}}, "$evaluators": {{{evaluators}}}}}"#, flags.join(","))
}

fn ids(count: usize) -> String {
    (0..count).map(|number| format!("\"id-{number}\"")).collect::<Vec<_>>().join(",")
}

/// What `on` says of a document for each context, without a mistake.
fn says(text: &str, key: &str, context: &Context) -> Result<bool, NoValue> {
    let flags = Flags::default();
    let report = flags.load(&Document::from_json(text).unwrap());
    assert!(report.faults().is_empty(), "{:?}", report.faults());
    flags.bool(key, context)
}

#[test]
fn four_hundred_flags_share_one_list_of_ninety_thousand_ids() {
    let flags = |rule: &str| -> Vec<_> { (0..400).map(|number| flag(&format!("f{number}"), rule)).collect() };
    let list = ids(90_000);
    let of_the_rule = document(
        &flags(r#"{"if": [{"$ref": "b"}, "on", "off"]}"#),
        &format!(r#""b": {{"in": [{{"var": "id"}}, [{list}]]}}"#),
    );
    let of_the_list = document(
        &flags(r#"{"if": [{"in": [{"var": "id"}, {"$ref": "b"}]}, "on", "off"]}"#),
        &format!(r#""b": [{list}]"#),
    );
    let of_a_split = document(
        &flags(r#"{"$ref": "b"}"#),
        &format!(
            r#""b": {{"if": [{{"in": [{{"var": "id"}}, [{list}]]}}, "on", {{"fractional": [["off", 1]]}}]}}"#
        ),
    );
    for text in [of_the_rule, of_the_list, of_a_split] {
        let mut loaded = None;
        let info = allocation_counter::measure(|| loaded = Some(Document::from_json(&text).unwrap()));
        assert!(info.bytes_max < 100 << 20, "{} bytes", info.bytes_max);
        let flags = Flags::default();
        let report = flags.load(&loaded.unwrap());
        assert!(report.faults().is_empty(), "{:?}", report.faults().first());
        for key in ["f0", "f399"] {
            let context = Context::new("user").with("id", "id-89999");
            assert_eq!(flags.bool(key, &context), Ok(true));
            assert_eq!(flags.bool(key, &context.with("id", "id-90000")), Ok(false));
        }
    }
}

#[test]
fn documents_that_follow_one_another_share_what_stays() {
    let text = |changed: usize| {
        let flags: Vec<_> = (0..40)
            .map(|number| {
                let value = if number <= changed { "on" } else { "off" };
                flag(&format!("f{number}"), &format!(r#"{{"if": [{{"$ref": "b"}}, "{value}", "off"]}}"#))
            })
            .collect();
        document(&flags, &format!(r#""b": {{"in": [{{"var": "id"}}, [{}]]}}"#, ids(20_000)))
    };
    let mut last = Document::default();
    let info = allocation_counter::measure(|| {
        for changed in 0..40 {
            last = Options::default().read(text(changed).as_bytes(), Format::Json, Some(&last)).unwrap();
        }
    });
    assert!(info.bytes_current < 8 << 20, "{} bytes", info.bytes_current);
    let flags = Flags::default();
    flags.load(&last);
    assert_eq!(flags.bool("f39", &Context::new("user").with("id", "id-19999")), Ok(true));
}

#[test]
fn a_shared_condition_of_many_parts_is_as_quick_for_many_flags_and_says_what_it_reads() {
    let conditions: Vec<_> =
        (0..9000).map(|number| format!(r#"{{"==": [{{"var": "a{}"}}, {number}]}}"#, number % 7)).collect();
    let flags: Vec<_> = (0..4000)
        .map(|number| flag(&format!("f{number}"), r#"{"if": [{"$ref": "b"}, "on", "off"]}"#))
        .collect();
    let text = document(&flags, &format!(r#""b": {{"or": [{}]}}"#, conditions.join(",")));
    let started = std::time::Instant::now();
    let context = Context::new("user").with("a5", 5);
    assert_eq!(says(&text, "f3999", &context), Ok(true));
    assert_eq!(says(&text, "f3999", &context.with("a5", 6)), Ok(false));
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn what_depends_on_the_flag_is_not_shared() {
    let long: String = (0..20).map(|_| r#"["on", 1], ["off", 1],"#).collect();
    let entries = long.trim_end_matches(',');
    let split = format!(r#"{{"fractional": [{entries}]}}"#);
    let named = format!(
        r#"{{"if": [{{"or": [{{"in": [{{"var": "$flagd.flagKey"}}, ["one", {}]]}}, false]}}, "on", "off"]}}"#,
        ids(30)
    );
    for rule in [&split, &named] {
        let shared = document(
            &[flag("one", r#"{"$ref": "rule"}"#), flag("two", r#"{"$ref": "rule"}"#)],
            &format!(r#""rule": {rule}"#),
        );
        let written = document(&[flag("one", rule), flag("two", rule)], "");
        let mut differ = 0;
        for user in 0..100 {
            let context = Context::new(format!("user-{user}"));
            let one = says(&shared, "one", &context);
            let two = says(&shared, "two", &context);
            assert_eq!(one, says(&written, "one", &context));
            assert_eq!(two, says(&written, "two", &context));
            differ += u32::from(one != two);
        }
        assert!(differ > 20, "{differ}");
    }
}

#[test]
fn splits_copied_without_end_are_the_fault_of_the_flags_that_are_too_many() {
    let clauses: String = (0..3000)
        .map(|number| format!(r#"{{"==": [{{"var": "id"}}, {number}]}}, {{"fractional": [["on", 1]]}},"#))
        .collect();
    let flags: Vec<_> = (0..100).map(|number| flag(&format!("f{number}"), r#"{"$ref": "b"}"#)).collect();
    let text = document(&flags, &format!(r#""b": {{"if": [{clauses} "off"]}}"#));
    let mut document = Document::default();
    let info = allocation_counter::measure(|| document = Document::from_json(&text).unwrap());
    assert!(info.bytes_max < 600 << 20, "{} bytes", info.bytes_max);
    let faults = document.faults();
    assert!((1..100).contains(&faults.len()), "{}", faults.len());
    assert!(
        faults.iter().all(|fault| matches!(fault.problem, Problem::Rule(RuleFault::CopiedTooOften { .. }))),
        "{}",
        faults[0]
    );
    assert_eq!(faults[0].path, format!("flags.f{}.targeting", 100 - faults.len()));
    // What was taken from the document before counts as well.
    let again = Options::default().read(text.as_bytes(), Format::Json, Some(&document)).unwrap();
    assert_eq!(again.faults(), faults);
}

#[test]
fn a_shared_rule_may_be_the_whole_list_of_arguments() {
    let context: Context =
        serde_json::from_str(r#"{"targetingKey": "user", "numbers": [1, 2, 3], "yes": true}"#).unwrap();
    let list = r#"{"var": "numbers"}"#;
    for (operator, arguments) in [
        ("if", r#"[{"var": "yes"}, "on", "off"]"#.to_owned()),
        ("?:", r#"[{"var": "yes"}, "on", "off"]"#.to_owned()),
        ("and", r#"[true, "on"]"#.to_owned()),
        ("or", r#"[false, "on"]"#.to_owned()),
        ("fractional", r#"[["on", 1]]"#.to_owned()),
        ("cat", r#"["o", "n"]"#.to_owned()),
    ] {
        let rule = format!(r#"{{"{operator}": {{"$ref": "whole"}}}}"#);
        let text = document(&[flag("f", &rule)], &format!(r#""whole": {arguments}"#));
        assert_eq!(says(&text, "f", &context), Ok(true), "{operator}");
    }
    for (operator, arguments) in [
        ("all", format!(r#"[{list}, {{">": [{{"var": ""}}, 0]}}]"#)),
        ("some", format!(r#"[{list}, {{">": [{{"var": ""}}, 2]}}]"#)),
        ("none", format!(r#"[{list}, {{">": [{{"var": ""}}, 3]}}]"#)),
        ("map", format!(r#"[{list}, {{"+": [{{"var": ""}}, 1]}}]"#)),
        ("filter", format!(r#"[{list}, {{">": [{{"var": ""}}, 2]}}]"#)),
        ("reduce", format!(r#"[{list}, {{"+": [{{"var": "current"}}, {{"var": "accumulator"}}]}}, 0]"#)),
        ("==", r#"[1, 1]"#.to_owned()),
        ("in", format!("[3, {list}]")),
        ("var", r#"["yes"]"#.to_owned()),
    ] {
        let rule = format!(r#"{{"if": [{{"{operator}": {{"$ref": "whole"}}}}, "on", "off"]}}"#);
        let text = document(&[flag("f", &rule)], &format!(r#""whole": {arguments}"#));
        assert_eq!(says(&text, "f", &context), Ok(true), "{operator}");
        let written = document(&[flag("f", &rule.replace(r#"{"$ref": "whole"}"#, &arguments))], "");
        assert_eq!(says(&written, "f", &context), Ok(true), "{operator}");
    }
}

#[test]
fn a_list_of_values_is_taken_as_written_wherever_it_is_written() {
    // As a list of values its elements are not worked out; as an argument of another operator they are.
    let values = r#"[{"var": "yes"}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]"#;
    let rules = [
        r#"{"if": [{"all": [LIST, {"!!": [{"var": ""}]}]}, "on", "off"]}"#,
        r#"{"if": [{"in": [true, LIST]}, "on", "off"]}"#,
    ];
    let context = Context::new("user").with("yes", true);
    let flags = [
        flag("a", &rules[0].replace("LIST", r#"{"$ref": "l"}"#)),
        flag("b", &rules[1].replace("LIST", r#"{"$ref": "l"}"#)),
    ];
    let text = document(&flags, &format!(r#""l": {values}"#));
    let written = document(
        &[flag("a", &rules[0].replace("LIST", values)), flag("b", &rules[1].replace("LIST", values))],
        "",
    );
    for key in ["a", "b"] {
        assert_eq!(says(&text, key, &context), says(&written, key, &context), "{key}");
    }
    assert_eq!(says(&text, "b", &context), Ok(true));
}

#[test]
fn circles_through_a_list_of_arguments_are_that_flags_fault() {
    let text = document(
        &[
            flag("f", r#"{"if": {"$ref": "a"}}"#),
            flag("sound", r#""on""#.replace("\"on\"", r#"{"!": [1]}"#).as_str()),
        ],
        r#""a": {"$ref": "b"}, "b": {"$ref": "a"}"#,
    );
    let document = Document::from_json(&text).unwrap();
    assert_eq!(document.faults().len(), 1, "{:?}", document.faults());
    let said = document.faults()[0].to_string();
    assert!(said.contains("refers to itself: a -> b -> a"), "{said}");
    let flags = Flags::default();
    flags.load(&document);
    assert_eq!(flags.bool("f", &Context::default()), Err(NoValue::Failed(ErrorCode::ParseError)));
}

#[test]
fn only_flags_that_reach_a_shared_rule_change_with_it() {
    let text = |inner: &str, unused: &str| {
        document(
            &[
                flag("reaches", r#"{"if": [{"$ref": "outer"}, "on", "off"]}"#),
                flag("other", r#"{"if": [{"$ref": "fixed"}, "on", "off"]}"#),
                flag("misses", r#"{"if": [{"$ref": "missing"}, "on", "off"]}"#),
            ],
            &format!(r#""outer": {{"!": [{{"$ref": "inner"}}]}}, "inner": {inner}, "fixed": true, {unused}"#),
        )
    };
    let flags = Flags::with_options(Options::default().generation(Generation::V3));
    let changed = |inner: &str, unused: &str| -> Vec<String> {
        let report = flags.update(text(inner, unused).as_bytes(), Format::Json).unwrap();
        report.change().changed.iter().map(ToString::to_string).collect()
    };
    assert_eq!(changed("true", r#""unused": 1"#), [""; 0]);
    assert_eq!(flags.bool("reaches", &Context::default()), Ok(false));
    assert_eq!(changed("true", r#""unused": 2"#), [""; 0]);
    assert_eq!(changed("false", r#""unused": 2"#), ["reaches"]);
    assert_eq!(flags.bool("reaches", &Context::default()), Ok(true));
    assert_eq!(changed("false", r#""missing": true"#), ["misses"]);
    assert_eq!(flags.bool("misses", &Context::default()), Ok(true));
    assert_eq!(flags.bool("other", &Context::default()), Ok(true));
}
