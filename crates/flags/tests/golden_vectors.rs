//! The golden vectors: facts of flagd's evaluation that several implementations agreed on. The program `conformance`
//! checks files of them by the same code.

use serde_json::{Map, Value, json};

#[path = "../../../examples/conformance/flags.rs"]
mod flags;

macro_rules! every_row_holds {
    ($($test:ident: $rows:literal of $section:literal;)*) => {$(
        #[test]
        fn $test() {
            let vectors: Value = serde_json::from_str(include_str!("data/flag-vectors.json")).unwrap();
            let checked = flags::check($section, &vectors[$section]).unwrap();
            let failures: Vec<_> = checked
                .iter()
                .filter_map(|row| row.difference.as_ref().map(|difference| format!("{}: {difference}", row.id)))
                .collect();
            assert!(failures.is_empty(), "{} of {} fail:\n{}", failures.len(), checked.len(), failures.join("\n"));
            assert_eq!(checked.len(), $rows);
        }
    )*};
}

every_row_holds! {
    values_are_encoded_in_deterministic_cbor: 39 of "cbor_deterministic";
    subjects_are_placed_by_all_three_generations: 234 of "fractional";
    values_of_every_type_are_placed_by_the_third_generation: 56 of "fractional_typed_v3";
    flags_of_the_test_bed_place_its_subjects: 28 of "testbed_fractional_rows";
    flags_are_evaluated_as_by_the_reference: 182 of "targeting";
    rules_come_to_what_the_reference_in_go_comes_to: 77 of "jsonlogic_dialects";
}

#[test]
fn a_wrong_row_is_found() {
    let mut vectors: Value = serde_json::from_str(include_str!("data/flag-vectors.json")).unwrap();
    vectors["cbor_deterministic"][3]["cbor"] = "18".into();
    vectors["fractional"][0]["v1"] = "neither".into();
    vectors["fractional_typed_v3"]["rows"][0]["bucket_of_25"] = 26.into();
    vectors["testbed_fractional_rows"]["rows"][0]["value"] = "wild".into();
    vectors["targeting"]["cases"][0]["expect"][1] = "GENERAL".into();
    vectors["jsonlogic_dialects"]["cases"][0]["go"] = "2".into();
    let wrong = |section| {
        let rows = flags::check(section, &vectors[section]).unwrap();
        rows.iter().filter(|row| row.difference.is_some()).count()
    };
    assert_eq!(wrong("cbor_deterministic"), 1);
    assert_eq!(wrong("fractional"), 1);
    assert_eq!(wrong("fractional_typed_v3"), 1);
    assert_eq!(wrong("testbed_fractional_rows"), 1);
    assert_eq!(wrong("targeting"), 2, "by both generations");
    assert_eq!(wrong("jsonlogic_dialects"), 1);
    assert!(flags::check("about", &vectors["about"]).is_none());
}

#[test]
fn a_row_that_cannot_be_read_is_no_row_that_holds() {
    let vectors: Value = serde_json::from_str(include_str!("data/flag-vectors.json")).unwrap();
    let with = |section: &str, row: Value| -> Vec<String> {
        let mut content = vectors[section].clone();
        let rows = match section {
            "targeting" | "jsonlogic_dialects" => &mut content["cases"],
            "fractional_typed_v3" | "testbed_fractional_rows" => &mut content["rows"],
            _ => &mut content,
        };
        *rows = json!([row]);
        flags::check(section, &content).unwrap().into_iter().filter_map(|row| row.difference).collect()
    };
    for section in [
        "cbor_deterministic",
        "fractional",
        "fractional_typed_v3",
        "testbed_fractional_rows",
        "targeting",
        "jsonlogic_dialects",
    ] {
        assert!(!with(section, json!({ "id": "x" })).is_empty(), "{section}");
        assert!(!with(section, json!("x")).is_empty(), "{section}");
    }
    for (section, name, nonsense) in [
        ("targeting", "context", json!("nonsense")),
        ("targeting", "type", json!("colour")),
        ("targeting", "expect", Value::Null),
        ("fractional", "weights", json!([1])),
        ("fractional", "names", json!([1, 2])),
        ("fractional", "v2", json!(1)),
        ("fractional_typed_v3", "json", json!("{")),
        ("testbed_fractional_rows", "generation", json!("v4")),
        ("testbed_fractional_rows", "context", json!([])),
        ("jsonlogic_dialects", "go", json!("neither")),
    ] {
        let content = &vectors[section];
        let rows = ["rows", "cases"].iter().find_map(|name| content[name].as_array());
        let mut row = rows.or(content.as_array()).unwrap()[0].clone();
        assert_eq!(with(section, row.clone()), [""; 0], "{section} {name}");
        row[name] = nonsense;
        assert!(!with(section, row).is_empty(), "{section} {name}");
    }
}

#[test]
fn the_flags_that_rows_of_the_test_bed_ask_for_are_its_own() {
    let test_bed: Value = serde_json::from_str(include_str!("data/testbed.json")).unwrap();
    let theirs = test_bed["documents"]["provider"]["flags"].as_object().unwrap();
    let theirs: Map<String, Value> = theirs
        .iter()
        .filter(|(key, _)| key.starts_with("fractional-"))
        .map(|(key, flag)| (key.clone(), flag.clone()))
        .collect();
    assert_eq!(theirs.len(), 15);
    assert_eq!(flags::test_bed_document()["flags"], Value::Object(theirs));
}
