//! Conditions have the value that Argo Rollouts gives them.

#![cfg(feature = "expr")]

use serde_json::json;
use serinus_core::{analysis::Condition, metric::Sample};

fn holds(condition: &str, result: serde_json::Value) -> Result<bool, String> {
    let condition: Condition = condition.parse().map_err(|error| format!("{error}"))?;
    condition.holds(&Sample::from(result)).map_err(|error| error.to_string())
}

#[test]
fn a_condition_has_the_value_it_has_in_argo() {
    for (condition, result, expected) in [
        ("result == true", json!(true), true),
        ("result == false", json!(true), false),
        ("2 in result", json!([2.0, 2.0]), true),
        ("10 in result", json!([10.0, 11.0]), true),
        ("10 not in result", json!([10.0, 11.0]), false),
        ("asInt(result) == 1", json!("1"), true),
        ("asInt(result) == 1", json!(1.123), true),
        ("asFloat(result) == 1.1", json!("1.1"), true),
        ("asFloat(result) == 1.1", json!(1.1), true),
        ("any(result, {# > 5})", json!([1, 2, 3, 4, 5, 6]), true),
        ("any(result, # > 6)", json!([1, 2, 3, 4, 5, 6]), false),
        ("all(result.a.values, {# > 1})", json!({"a": {"values": [2.0, 2.0]}}), true),
        ("all(result, {.v < 3})", json!([{"v": 1}, {"v": 2}]), true),
        ("any(result, .v[0] > 3)", json!([{"v": [1]}, {"v": [4]}]), true),
        ("result[-1] == 3", json!([1, 2, 3]), true),
        ("result[0].v[1] == 2", json!([{"v": [1, 2]}]), true),
        ("result[\"a\"] == 2", json!({"a": 2}), true),
        ("len(result[1:]) == 2 && len(result[:-1]) == 2 && len(result[:]) == 3", json!([1, 2, 3]), true),
        ("len(result) > 0 && result[0] > 1", json!([]), false),
        ("len(result) == 0 || result[0] < 0.05", json!([]), true),
        ("(len(result) > 1 ? result[1] : result[0]) == 7", json!([7]), true),
        ("result[len(result) > 1 ? 1 : 0] == 7", json!([7]), true),
        ("default(result, 0) < 5", json!(null), true),
        ("default(nil, 0) == 9", json!(9), true),
        ("isNil(1)", json!(null), true),
        ("isNil(nil)", json!(1), false),
        ("result.missing == nil", json!({}), true),
        ("(result.missing ?? 4) == 4", json!({}), true),
        ("result?.missing?.deeper == nil", json!({}), true),
        ("let limit = 0.5; all(result, # < limit)", json!([0.1, 0.2]), true),
        ("result | filter(# > 1) | len() == 2", json!([1, 2, 3]), true),
        ("(result | filter(# > 1))[0] == 2", json!([1, 2, 3]), true),
        ("sum(map(1..3, # * 2)) == 12", json!(0), true),
        ("result matches \"^ok[0-9]\"", json!("ok7"), true),
        ("not (result startsWith 'x') and result endsWith `y`", json!("ay"), true),
        ("result == 10", json!(10.0), true),
        ("result != nil // a comment", json!(10.0), true),
    ] {
        assert_eq!(holds(condition, result.clone()), Ok(expected), "{condition} of {result}");
    }
}

#[test]
fn nan_compares_false_with_everything() {
    let nan = Sample::number(f64::NAN);
    for (condition, expected) in [
        ("result >= 0.9", false),
        ("result < 0.9", false),
        ("isNaN(result)", true),
        ("isNaN(result) || result >= 0.9", true),
        ("isInf(result)", false),
    ] {
        assert_eq!(condition.parse::<Condition>().unwrap().holds(&nan), Ok(expected), "{condition}");
    }
}

#[test]
fn what_is_an_error_in_argo_is_an_error() {
    for (condition, result, words) in [
        ("1", json!(true), "expected bool, but got int"),
        ("result", json!(1.5), "expected bool, but got float64"),
        ("invalidVariable", json!(true), "unknown name invalidVariable"),
        ("a == true", json!(true), "unknown name a"),
        ("lenght(result) == 0", json!([]), "unknown name lenght"),
        ("asInt(result) == 1.1", json!("1.1"), "asInt"),
        ("asFloat(result) == 1.1", json!("NotANum"), "NotANum"),
        ("asFloat(result) == \"1.1\"", json!("1.1"), "mismatched types number and string"),
        ("result == \"1\"", json!(1), "mismatched types float64 and string"),
        ("1 == result", json!("1"), "mismatched types string and number"),
        ("result > 1", json!("1"), "operator >"),
        (
            "result[0] >= 0.95",
            json!([]),
            "metric result is nil or empty: no data returned from the metric provider",
        ),
        ("result[0] != 1", json!([]), "metric result is nil or empty"),
        ("result[2] != 1", json!([1, 2]), "index out of range: 2"),
        ("result[-3] != 1", json!([1, 2]), "index out of range: -3"),
        ("default(result[5], 0) < 1", json!([1]), "index out of range: 5"),
        ("result[0] == 1", json!(null), "metric result is nil or empty"),
        ("result.a.b == 1", json!({}), "operator []"),
        ("result > ", json!(1), "does not parse"),
        ("now() == now()", json!(1), "no clock"),
        ("result.String() == 1", json!(1), "unknown method String"),
        ("", json!(1), "empty"),
        ("asInt(result) == 1", json!([1]), "asInt"),
    ] {
        let error = holds(condition, result.clone()).expect_err(condition);
        assert!(error.contains(words), "{condition} of {result}: {error}");
    }
}

#[test]
fn a_condition_is_equal_by_its_text_and_survives_a_round_trip() {
    let condition: Condition = "result > 1".parse().unwrap();
    let json = serde_json::to_string(&condition).unwrap();
    assert_eq!(json, "\"result > 1\"");
    assert_eq!(serde_json::from_str::<Condition>(&json).unwrap(), condition);
    assert!(serde_json::from_str::<Condition>("\"result >\"").is_err());
}
