//! The golden vectors: facts of flagd's evaluation that several implementations agreed on. The program `conformance`
//! checks files of them by the same code.

use serde_json::Value;

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
