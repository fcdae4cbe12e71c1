//! A rule that can be read and can only fail, or that nobody can have meant, is warned of when it is loaded.

use serinus_flags::{
    Document, Format, Options, Problem,
    logic::{Doubt, Generation},
};

/// The warnings of a flag with the variants `on` and `off` and this rule, next to shared rules.
fn warned(rule: &str, evaluators: &str) -> Vec<String> {
    let text = format!(
        r#"{{"flags": {{"f": {{"state": "ENABLED", "variants": {{"on": true, "off": false}}, "defaultVariant": "off",
            "targeting": {rule}}}}}, "$evaluators": {evaluators}}}"#
    );
    let document = Document::from_json(&text).unwrap_or_default();
    assert_eq!(document.len(), 1, "{text}");
    assert_eq!(document.faults(), []);
    document.warnings().iter().map(|warning| format!("{}: {}", warning.path, warning.problem)).collect()
}

#[test]
fn what_can_only_fail_is_named_with_its_place_and_the_remedy() {
    for (rule, path, said) in [
        (r#"{"if": [true, "on", {"equals": [1, 1]}]}"#, "if[2].equals", "there is no operator \"equals\""),
        (r#"{"if": [{"$ref": "staf"}, "on", "off"]}"#, "if[0].$ref", "there is no shared rule \"staf\""),
        (r#"{"if": [true, "On", "off"]}"#, "if[1]", "the flag has no variant \"On\""),
        (r#"{"if": [true, "on", false, "off", "out"]}"#, "if[4]", "the flag has no variant \"out\""),
        (
            r#"{"if": [true, {"fractional": [["on", 1], ["of", 1]]}]}"#,
            "if[1].fractional[1][0]",
            "no variant \"of\"",
        ),
        (
            r#"{"fractional": [["on", "50"], ["off", 50]]}"#,
            "fractional[0][1]",
            "the weight \"50\" never counts",
        ),
        (r#"{"fractional": [["on", 0.5], ["off", 50]]}"#, "fractional[0][1]", "the weight 0.5 never counts"),
        (r#"{"fractional": [["on", -1], ["off", 50]]}"#, "fractional[0][1]", "the weight -1 never counts"),
        (r#"{"fractional": [["on", 3000000000], ["off", 50]]}"#, "fractional[0][1]", "never counts"),
        (
            r#"{"fractional": ["email", ["on", 1], ["off", 1]]}"#,
            "fractional[0]",
            "write {\"var\": \"email\"}",
        ),
        (
            r#"{"if": [{"starts_with": [{"var": "a"}]}, "on"]}"#,
            "if[0].starts_with",
            "takes 2 arguments and has 1",
        ),
        (
            r#"{"if": [{"ends_with": [{"var": "a"}, "b", "c"]}, "on"]}"#,
            "if[0].ends_with",
            "takes 2 arguments and has 3",
        ),
        (
            r#"{"if": [{"sem_ver": [{"var": "v"}, "==", "1.0.0"]}, "on"]}"#,
            "if[0].sem_ver",
            "\"==\" compares no versions",
        ),
        (
            r#"{"if": [{"sem_ver": [{"var": "v"}, "="]}, "on"]}"#,
            "if[0].sem_ver",
            "takes 3 arguments and has 2",
        ),
        (
            r#"{"if": [{"==": [{"var": "$flagd.time"}, 1]}, "on"]}"#,
            "if[0].==[0].var",
            "nothing is ever at \"$flagd.time\"",
        ),
        (
            r#"{"if": [{"in": [1, "123"]}, "on"]}"#,
            "if[0].in",
            "implementations of flagd do not agree: \"in\"",
        ),
        (
            r#"{"if": [{"$ref": "shared"}, "on", {"$ref": "names"}]}"#,
            "if[2].$ref",
            "the flag has no variant \"blue\"",
        ),
    ] {
        let evaluators = r#"{"shared": true, "names": {"if": [true, "on", "blue"]}}"#;
        let path = format!("flags.f.targeting.{path}").replace(".==", "[\"==\"]");
        let warnings = warned(rule, evaluators);
        assert_eq!(warnings.len(), 1, "{rule}: {warnings:?}");
        assert!(warnings[0].starts_with(&format!("{path}: ")) && warnings[0].contains(said), "{warnings:?}");
    }
}

#[test]
fn what_is_sound_is_not_warned_of() {
    for rule in [
        r#"{"if": [{"==": [{"var": "$flagd.flagKey"}, "f"]}, "on", "off"]}"#,
        r#"{"if": [{"<": [{"var": ["$flagd.timestamp", 0]}, 5]}, null, "off"]}"#,
        r#"{"fractional": [{"cat": [{"var": "$flagd.flagKey"}, {"var": "id"}]}, ["on", 50.0], ["off", null], ["on"]]}"#,
        r#"{"fractional": [["on", {"-": [100, {"var": "x"}]}], [null, 1]]}"#,
        r#"{"if": [{"some": [[{"any": "value"}], {"==": [{"var": "any"}, "value"]}]}, "on"]}"#,
        r#"{"if": [{"sem_ver": [{"var": "v"}, "~", "1.0.0"]}, {"if": [true, "on"]}, {"cat": ["o", "n"]}]}"#,
        r#"{"if": [{"in": ["nobody", ["a", "b"]]}, "on", "off"]}"#,
        r#"{"if": [{"fractional": [[true, 1], [false, 1]]}, "on", "off"]}"#,
        r#"{"if": {"$ref": "clauses"}}"#,
        r#"{"$ref": "rule"}"#,
    ] {
        let evaluators = r#"{"clauses": [true, "on", "off"], "rule": {"if": [true, "on", {"$ref": "else"}]}, "else": "off"}"#;
        assert_eq!(warned(rule, evaluators), [""; 0], "{rule}");
    }
}

#[test]
fn shared_rules_are_looked_into_once_each_and_named_by_their_own_place() {
    let evaluators = r#"{"a": {"in": [1, "123"]}, "b": {"!": [{"nothing": 1}]}, "c": {"$ref": "c"}}"#;
    let rule = r#"{"if": [{"$ref": "a"}, "on", {"$ref": "b"}, "off"]}"#;
    let warnings = warned(rule, evaluators);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].starts_with("$evaluators.a.in: implementations of flagd do not agree"),
        "{warnings:?}"
    );
    assert!(warnings[1].starts_with("$evaluators.b[\"!\"][0].nothing: there is no operator"), "{warnings:?}");
}

#[test]
fn a_fraction_is_a_weight_in_the_first_generation() {
    let text = r#"{"flags": {"f": {"state": "ENABLED", "variants": {"on": 1}, "targeting": {"fractional": [["on", 1.5]]}}}}"#;
    let warnings = |generation| {
        let document = Options::default().generation(generation).read(text.as_bytes(), Format::Json, None);
        document.unwrap_or_default().warnings().to_vec()
    };
    assert_eq!(warnings(Generation::V1), []);
    let [warning] = &warnings(Generation::V3)[..] else { panic!("one warning") };
    assert_eq!(warning.problem, Problem::Doubtful(Doubt::Weight { weight: "1.5".to_owned() }));
}

#[test]
fn warnings_have_an_end() {
    let many: Vec<_> = (0..5000).map(|number| format!(r#"{{"op{number}": 1}}, "v{number}""#)).collect();
    let warnings = warned(&format!(r#"{{"if": [{}]}}"#, many.join(",")), "{}");
    assert_eq!(warnings.len(), 20);
}
