//! What Flagger does with a Canary, case by case, and what a plan compiled from the same Canary does in the engine:
//! the same weights one after the other, and the same end. How many ticks that takes may differ.
//!
//! `data/flagger-cases.json` holds cases of all areas. Every case of the areas of weights and metrics, and every
//! trace, is run; none is left out. A case that is answered differently on purpose stands in `docs/differences.md`,
//! section Flagger, with its reason, and below with our answer.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{collections::BTreeMap, fs};

use serde_json::Value;
use serinus_core as engine;

use crate::{
    course::{Course, End},
    scenario::{Answer, Expected, Scenario},
};

#[path = "flagger_cases/course.rs"]
mod course;
#[path = "flagger_cases/scenario.rs"]
mod scenario;
#[path = "flagger_cases/words.rs"]
mod words;
#[path = "flagger_cases/world.rs"]
mod world;

#[test]
fn weights_and_ends_are_those_of_flagger_or_differ_on_purpose() {
    let listed = listed_differences();
    let (mut agreed, mut differing, mut problems) = (Vec::new(), BTreeMap::new(), Vec::new());
    for case in cases() {
        let id = case["id"].as_str().unwrap();
        let scenario = match Scenario::read(&case) {
            Ok(scenario) => scenario,
            Err(unknown) => {
                problems.push(format!("{id}: {unknown}"));
                continue;
            }
        };
        let ours = world::run(&scenario);
        if scenario.expected.is_met_by(&ours) {
            agreed.push(id.to_owned());
        } else {
            problems.extend(
                (!listed.contains_key(id))
                    .then(|| format!("{id}: expected {}, got {ours}; not on purpose", scenario.expected)),
            );
            differing.insert(id.to_owned(), ours.to_string());
        }
    }
    for id in agreed.iter().filter(|id| listed.contains_key(*id)) {
        problems.push(format!("{id} is listed as a difference, and agrees"));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let ours: BTreeMap<_, _> = OURS.iter().map(|(id, ours)| ((*id).to_owned(), (*ours).to_owned())).collect();
    assert_eq!(differing, ours);
    println!("{} agree, {} differ on purpose", agreed.len(), differing.len());
    assert_eq!(agreed.len(), AGREED);
}

#[test]
fn a_case_with_a_key_or_a_word_that_is_not_known_is_named() {
    let mut case: Value = cases().find(|case| case["id"] == "sm-013").unwrap();
    case["input"]["suspended"] = true.into();
    assert_eq!(Scenario::read(&case).unwrap_err(), "unknown key `suspended` in the input");
    let mut case: Value = cases().find(|case| case["id"] == "der-001").unwrap();
    case["input"] = "{stepWeight:10}, all checks pass, the moon is full".into();
    assert_eq!(Scenario::read(&case).unwrap_err(), "unknown words `the moon is full` in the input");
    case["input"] = "{stepWeigth:10}".into();
    let unknown = Scenario::read(&case).unwrap_err();
    assert!(unknown.contains("stepWeigth"), "{unknown}");
}

#[test]
fn a_wrong_ladder_or_end_is_seen() {
    let case = cases().find(|case| case["id"] == "der-015").unwrap();
    let scenario = Scenario::read(&case).unwrap();
    assert!(scenario.expected.is_met_by(&world::run(&scenario)));
    for (from, to) in [("3,5,7", "3,5"), ("threshold:3", "threshold:2"), ("stepWeight:10", "stepWeight:15")] {
        let mut case = case.clone();
        let input = case["input"].as_str().unwrap().replace(from, to);
        case["input"] = input.into();
        let scenario = Scenario::read(&case).unwrap();
        assert!(!scenario.expected.is_met_by(&world::run(&scenario)), "{from} to {to}");
    }
    let Expected::Course(course) = scenario.expected else { panic!("a course") };
    assert_eq!(course.end, End::RolledBack);
}

#[test]
fn ladders_that_the_cases_do_not_have() {
    for (input, rungs, end) in [
        ("{stepWeight:20,maxWeight:50}", "0 20 40 60 0", End::Promoted),
        ("{stepWeight:30}, nothing fails", "0 30 60 90 100 0", End::Promoted),
        ("{stepWeight:10,maxWeight:20,mirror:true}, istio", "0 0m 10 20 0", End::Promoted),
        ("{iterations:2,mirror:true}, istio", "0 0m 100 0", End::Promoted),
        ("{iterations:2,match}, istio", "0 100 0", End::Promoted),
        ("{stepWeight:50,threshold:1}; checks fail on ticks 3", "0 50 0", End::RolledBack),
        ("{stepWeight:50,threshold:2}; checks fail from tick 4", "0 50 100 0", End::RolledBack),
        (
            "{stepWeight:0,stepWeights:[5,30],threshold:9}; metric fails on ticks 3,4,5,6",
            "0 5 30 0",
            End::Promoted,
        ),
    ] {
        let mut case: Value = cases().find(|case| case["id"] == "der-001").unwrap();
        case["input"] = input.into();
        let Answer::Course(course) = world::run(&Scenario::read(&case).unwrap()) else { panic!("a course") };
        let end = Course { ladder: Vec::new(), end };
        let course = course.with_mirrors_ending_in_weights();
        assert_eq!(course.to_string(), format!("{rungs} {end}"), "{input}");
    }
}

/// Our answers to the cases that `docs/differences.md` lists.
const OURS: &[(&str, &str)] = &[
    ("met-001", "refused: spec.analysis.metrics[0].name"),
    ("der-005", "refused: spec.analysis.stepWeight"),
    ("der-007", "0 50 0 promoted"),
    ("der-010", "0 10 20 30 40 50 0 promoted"),
    ("der-014", "0 0m 0 10 20 0 promoted"),
    ("der-021", "refused: spec.analysis.webhooks"),
    ("der-022", "refused: spec.analysis.webhooks"),
    ("der-023", "refused: spec.analysis.webhooks"),
    ("der-024", "refused: spec.analysis.webhooks"),
    ("der-026", "refused: spec.analysis.webhooks"),
    ("der-027", "refused: spec.analysis.webhooks"),
    ("der-028", "0 50 0 rolled back"),
    ("der-031", "refused: nothing is copied, so no copy can fail"),
    ("der-032", "0 50 0 100 0 promoted"),
    ("der-035", "0 1 2 10 80 0 promoted"),
];

/// How many cases come out as with Flagger.
const AGREED: usize = 11;

fn cases() -> impl Iterator<Item = Value> {
    let document: Value = serde_json::from_str(include_str!("data/flagger-cases.json")).unwrap();
    let Some(cases) = document["cases"].as_array().cloned() else { panic!("no cases") };
    let areas = ["weights", "metric-check", "metric-template", "trace"];
    cases.into_iter().filter(move |case| areas.iter().any(|area| case["area"] == **area))
}

/// The cases that the section on Flagger names in its last column, with the row they stand in.
fn listed_differences() -> BTreeMap<String, String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/differences.md");
    let text = fs::read_to_string(path).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with("Flagger\n")).unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|'));
    rows.flat_map(|row| {
        let cases = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
        let ids = cases.split(',').map(str::trim).filter(|id| id.contains("-0"));
        ids.map(|id| (id.to_owned(), row.to_owned())).collect::<Vec<_>>()
    })
    .collect()
}
