//! The schemas of what people write accept what serde writes, and refuse what serde refuses.

#![expect(clippy::unwrap_used, clippy::panic, reason = "the harness of tests may panic")]

use schemars::{JsonSchema, schema_for};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use serinus_core::{
    analysis::{Analysis, Comparison, Judge, Metric},
    capacity::Amount,
    cohort::{self, Holdout, Layer, Layers, Reseed, Salt, Slot, Split, Trial},
    metric::{Number, Query},
    rollout::{DeadlineAction, PlanSpec, ProgressDeadline},
    strategy::{
        BlueGreen, Canary, CanaryStep, Cohort, Experiment, Measure, Promotion, Recreate, RollingUpdate,
        Shadow, Stop,
    },
    time::GoDuration,
    traffic::Weight,
};

#[test]
fn a_canary() {
    let canary = canary();
    check(
        &canary,
        &[
            ("/capacity/routed/replicas", json!("four")),
            ("/steps/0/weight", json!(-1)),
            ("/steps/1/hold", json!({"minutes": 10})),
            ("/steps/2/analyse/metrics/0/judge", json!({"atLeast": 99})),
            ("/progressDeadline/then", json!("panic")),
            ("/keepOldest", json!("1m")),
        ],
    );
}

#[test]
fn a_blue_green() {
    let strategy = BlueGreen::new(2)
        .promotion(Promotion::Manual)
        .analyse_before(healthy())
        .keep_old(GoDuration::from_mins(30));
    check(&strategy, &[("/replicas", json!(-2)), ("/keepOld", json!(true)), ("/colour", json!("green"))]);
}

#[test]
fn an_experiment() {
    let primary = Measure::new("orders", Comparison::default()).asking(Query::new("shop", "orders"));
    let strategy = Experiment::new(4, Cohort::Subjects(Weight::percent(50.0)), primary)
        .stop(Stop::Horizon(GoDuration::from_mins(60)));
    check(
        &strategy,
        &[
            ("/cohort/subjects", json!("half")),
            ("/primary/compare/of", json!("happiness")),
            ("/stop/horizon", json!({"days": 7})),
            ("/then", json!("guess")),
            ("/winner", json!("B")),
        ],
    );
    check(&PlanSpec::from(strategy), &[("/ends", json!("well"))]);
}

#[test]
fn a_shadow() {
    let strategy = Shadow::new(4, Weight::percent(20.0), GoDuration::from_mins(30))
        .agreement(Number::new(99.5))
        .then(canary());
    check(
        &strategy,
        &[("/share", json!(-1)), ("/agreement/leastPairs", json!(0.5)), ("/then/canary/steps", json!(1))],
    );
}

#[test]
fn a_rolling_update() {
    let strategy = RollingUpdate::new(10).max_surge(Amount::Percent(25)).max_unavailable(Amount::Count(1));
    check(&strategy, &[("/replicas", json!(1.5)), ("/maxSurge", json!([]))]);
}

#[test]
fn a_recreate() {
    check(&Recreate::new(3), &[("/replicas", Value::Null)]);
}

#[test]
fn a_trial() {
    let trial = Trial::try_new(Weight::percent(10.0), Weight::percent(5.0)).unwrap();
    check(
        &trial,
        &[
            ("/candidate", json!("some")),
            ("/candidate", json!(null)),
            ("/control", json!(-1)),
            ("/rest", json!(85)),
        ],
    );
    // Left out, the control is as large as the candidate: for the schema as for serde.
    let written = json!({ "candidate": Weight::percent(10.0) });
    assert_eq!(read::<Trial>(&written), Trial::even(Weight::percent(10.0)));
}

#[test]
fn a_split_of_variants() {
    let split = Split::of([("old", Weight::percent(60.0)), ("new", Weight::percent(40.0))]).unwrap();
    check(
        &split,
        &[
            ("/0/name", json!(7)),
            ("/0/slots/0/from", json!("below")),
            ("/0/slots/0/colour", json!(1)),
            ("/1/slots", json!({})),
            ("/1/share", json!(3)),
        ],
    );
    let by_weight = json!([{"name": "old", "weight": Weight::percent(60.0)}, {"name": "new", "weight": Weight::percent(40.0)}]);
    assert_eq!(read::<Split>(&by_weight), split);
}

#[test]
fn layers_with_experiments_and_a_holdout() {
    let variants = Split::of([("old", Weight::percent(50.0)), ("new", Weight::percent(50.0))]).unwrap();
    let mut layer = Layer::new("search");
    layer.add(cohort::Experiment::new("ranking", variants.clone()), Weight::percent(30.0)).unwrap();
    layer.add(cohort::Experiment::new("colours", variants).salt("own"), Weight::percent(20.0)).unwrap();
    check(
        &layer,
        &[
            ("/salt", json!(["search"])),
            ("/experiments/0/name", json!(null)),
            ("/experiments/0/slots", json!("all")),
            ("/experiments/1/variants", json!("two")),
            ("/experiments/1/until", json!("1h")),
        ],
    );
    let layers = Layers::new([Holdout::new("quarter", Weight::percent(5.0))], [layer]).unwrap();
    check(
        &layers,
        &[
            ("/holdouts/0/share", json!(-5)),
            ("/holdouts/0/why", json!("because")),
            ("/layers/0/salt", json!(7)),
            ("/planes", json!([])),
        ],
    );
}

#[test]
fn what_cohorts_are_made_of() {
    let quarter = Slot::try_new(Weight::percent(25.0), Weight::percent(50.0)).unwrap();
    check(&quarter, &[("/from", json!("25")), ("/to", json!(null)), ("/size", json!(1))]);
    check(&Holdout::new("holdout", Weight::percent(5.0)), &[("/salt", json!(5)), ("/share", json!("few"))]);
    for reseed in [Reseed::Never, Reseed::EachAttempt] {
        check(&Wrapped { is: reseed }, &[("/is", json!("sometimes"))]);
    }
    for of in [cohort::Cohort::Candidate, cohort::Cohort::Control, cohort::Cohort::Rest] {
        let written = serde_json::to_value(of).unwrap();
        assert_eq!(serde_json::from_value::<cohort::Cohort>(written).unwrap(), of);
    }
    assert!(serde_json::from_value::<cohort::Cohort>(json!("others")).is_err());
    check(&Wrapped { is: Salt::new("checkout") }, &[("/is", json!(1))]);
}

/// What serde refuses for what it means, the schema cannot know of: it is no part of the schema, but it is refused.
#[test]
fn cohorts_that_contradict_themselves_are_refused() {
    let refused = |error: Result<(), serde_json::Error>, expected: &str| {
        let error = error.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let percent = Weight::percent;
    let trial = json!({"candidate": percent(60.0), "control": percent(50.0)});
    refused(serde_json::from_value::<Trial>(trial).map(drop), "60");
    let slot = json!({"from": percent(50.0), "to": percent(25.0)});
    refused(serde_json::from_value::<Slot>(slot).map(drop), "50");
    let much = json!([{"name": "a", "weight": percent(60.0)}, {"name": "b", "weight": percent(60.0)}]);
    refused(serde_json::from_value::<Split>(much).map(drop), "b");
    let twice = json!([{"name": "a", "weight": percent(10.0)}, {"name": "a", "weight": percent(10.0)}]);
    refused(serde_json::from_value::<Split>(twice).map(drop), "a");
}

#[derive(Debug, PartialEq, Serialize, serde::Deserialize, JsonSchema)]
struct Wrapped<T> {
    is: T,
}

fn read<T: JsonSchema + DeserializeOwned>(written: &Value) -> T {
    let schema = serde_json::to_value(schema_for!(T)).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(written), "{written}");
    serde_json::from_value(written.clone()).unwrap()
}

#[test]
fn a_whole_plan() {
    check(&PlanSpec::from(canary()), &[("/steps/0", json!("sprint")), ("/analyses", json!({}))]);
}

/// The schema agrees with serde about a value, and about the value with each of these changes.
fn check<T: JsonSchema + Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    value: &T,
    changes: &[(&str, Value)],
) {
    let schema = serde_json::to_value(schema_for!(T)).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let written = serde_json::to_value(value).unwrap();
    let complaints: Vec<_> = validator.iter_errors(&written).map(|error| error.to_string()).collect();
    assert!(complaints.is_empty(), "{complaints:#?}\n{written:#}");
    assert_eq!(&serde_json::from_value::<T>(written.clone()).unwrap(), value);
    for (place, wrong) in changes {
        let mut changed = written.clone();
        let (parent, key) = place.rsplit_once('/').unwrap();
        match changed.pointer_mut(parent).unwrap() {
            Value::Object(object) => {
                object.insert(key.to_owned(), wrong.clone());
            }
            Value::Array(list) => list[key.parse::<usize>().unwrap()] = wrong.clone(),
            other => panic!("{place}: {other}"),
        }
        assert!(serde_json::from_value::<T>(changed.clone()).is_err(), "serde takes {place} = {wrong}");
        assert!(!validator.is_valid(&changed), "the schema takes {place} = {wrong}");
    }
}

fn canary() -> Canary {
    Canary::new(4)
        .weight(Weight::percent(12.5))
        .hold(GoDuration::from_mins(10))
        .analyse(healthy())
        .step(CanaryStep::Gate("a person in the office".to_owned()))
        .hold_until_resumed()
        .progress_deadline(ProgressDeadline {
            within: GoDuration::from_mins(10),
            then: DeadlineAction::Abort,
        })
}

fn healthy() -> Analysis {
    let judge = Judge::Range { min: Some(Number::new(99.0)), max: None };
    let query = Query::builtin(Query::SUCCESS_RATE, GoDuration::from_mins(1));
    Analysis::of("healthy", [Metric::new("success-rate", query, judge)])
}
