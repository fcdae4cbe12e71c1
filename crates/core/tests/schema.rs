//! The schemas of what people write accept what serde writes, and refuse what serde refuses.

#![expect(clippy::unwrap_used, clippy::panic, reason = "the harness of tests may panic")]

use schemars::{JsonSchema, schema_for};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use serinus_core::{
    analysis::{Analysis, Comparison, Judge, Metric},
    capacity::Amount,
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
