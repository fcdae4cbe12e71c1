//! The scenarios of flagd's test bed that need no server, as facts: all hold but six, which the test bed itself has
//! given up.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serinus_flags::{Flags, logic::Generation};

use support::{Answer, ask, context, flags, same};

mod support;

#[test]
fn every_scenario_holds_but_the_six_that_want_a_missing_default_to_be_a_missing_flag() {
    let test_bed: TestBed = serde_json::from_str(include_str!("data/testbed.json")).unwrap();
    let mut told = BTreeMap::<(&str, Generation), Count>::new();
    let mut failures = Vec::new();
    for generation in [Generation::V1, Generation::V2, Generation::V3] {
        let loaded: BTreeMap<_, _> =
            test_bed.documents.iter().map(|(name, document)| (name, flags(document, generation))).collect();
        for scenario in test_bed.scenarios.iter().filter(|scenario| scenario.is_about(generation)) {
            let count = told.entry((&scenario.feature, generation)).or_default();
            if scenario.is_given_up() {
                count.left_out += 1;
                assert_eq!(
                    scenario.failure(&loaded[&scenario.document]),
                    Some("the reason is DEFAULT".to_owned())
                );
            } else if let Some(failure) = scenario.failure(&loaded[&scenario.document]) {
                failures.push(format!("{generation:?}, {}, {}: {failure}", scenario.feature, scenario.name));
            } else {
                count.passed += 1;
            }
        }
    }
    println!("feature                        generation  passed  left out");
    for ((feature, generation), Count { passed, left_out }) in &told {
        println!("{feature:30} {:10}  {passed:6}  {left_out:8}", format!("{generation:?}"));
    }
    assert!(failures.is_empty(), "{} fail:\n{}", failures.len(), failures.join("\n"));

    let total = |generation| {
        let counts = told.iter().filter(|((_, of), _)| *of == generation).map(|(_, count)| count);
        counts.fold((0, 0), |sum, count| (sum.0 + count.passed, sum.1 + count.left_out))
    };
    assert_eq!(total(Generation::V1), (30, 0));
    assert_eq!(total(Generation::V2), (258, 6));
    assert_eq!(total(Generation::V3), (348, 6));
    let features = told.keys().filter(|(_, generation)| *generation == Generation::V3).count();
    assert_eq!((features, test_bed.scenarios.len()), (15, 426));
}

#[test]
fn the_six_that_are_left_out_are_all_that_the_test_bed_calls_deprecated_but_one_that_holds() {
    let test_bed: TestBed = serde_json::from_str(include_str!("data/testbed.json")).unwrap();
    let names = |kept: fn(&Scenario) -> bool| -> Vec<String> {
        test_bed
            .scenarios
            .iter()
            .filter(|scenario| kept(scenario))
            .map(|scenario| scenario.name.clone())
            .collect()
    };
    let deprecated = names(|scenario| scenario.deprecated);
    let left_out = names(Scenario::is_given_up);
    assert_eq!(deprecated.len(), 7);
    assert_eq!(left_out, LEFT_OUT);
    let held: Vec<_> = deprecated.iter().filter(|name| !left_out.contains(name)).collect();
    assert_eq!(held, ["no-default-flag-null-targeting-variant 3"]);
}

#[derive(Deserialize)]
struct TestBed {
    documents: BTreeMap<String, Value>,
    scenarios: Vec<Scenario>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    feature: String,
    name: String,
    document: String,
    generation: Option<Generation>,
    deprecated: bool,
    flag: String,
    #[serde(rename = "type")]
    asked: String,
    default: Value,
    context: Value,
    expect: Expected,
}

/// What a scenario says nothing about is missing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    value: Option<Value>,
    reason: Option<String>,
    /// `Some(None)`: there must be none.
    #[serde(default, deserialize_with = "said")]
    error: Option<Option<String>>,
    metadata: Option<BTreeMap<String, Value>>,
}

fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Default)]
struct Count {
    passed: usize,
    left_out: usize,
}

impl Scenario {
    /// The first generation is told from the second by its own scenarios only: the test bed runs the others from the
    /// second on.
    fn is_about(&self, generation: Generation) -> bool {
        match self.generation {
            Some(only) => only == generation,
            None => generation != Generation::V1,
        }
    }

    fn is_given_up(&self) -> bool {
        self.deprecated && self.expect.error == Some(Some("FLAG_NOT_FOUND".to_owned()))
    }

    fn failure(&self, flags: &Flags) -> Option<String> {
        let context = context(&self.context);
        let answer = ask(flags, &self.flag, &self.asked, &self.default, &context);
        let (reason, error, value) = match &answer {
            Answer::Resolved { reason, value, .. } => (reason.as_str(), None, value),
            Answer::Failed(code) => ("ERROR", Some(code.as_str()), &self.default),
        };
        if self.expect.value.as_ref().is_some_and(|expected| !same(expected, value)) {
            return Some(format!("the value is {value}"));
        }
        if self.expect.reason.as_ref().is_some_and(|expected| expected != reason) {
            return Some(format!("the reason is {reason}"));
        }
        if self.expect.error.as_ref().is_some_and(|expected| expected.as_deref() != error) {
            return Some(format!("the error is {error:?}"));
        }
        let expected = self.expect.metadata.as_ref()?;
        let snapshot = flags.snapshot();
        let metadata = snapshot.evaluate(&self.flag, &context).metadata;
        let metadata: BTreeMap<String, Value> = metadata
            .iter()
            .map(|(name, value)| (name.to_owned(), serde_json::to_value(value).unwrap()))
            .collect();
        (metadata != *expected).then(|| format!("the metadata is {metadata:?}"))
    }
}

const LEFT_OUT: [&str; 6] = [
    "null-default-flag 1",
    "null-default-flag 2",
    "undefined-default-flag 1",
    "no-default-flag-null-targeting-variant 1",
    "no-default-flag-null-targeting-variant 2",
    "no-default-flag-undefined-targeting-variant 1",
];
