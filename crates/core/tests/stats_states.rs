//! What is stored between looks carries its version, comes back as it was, and is refused when it is not ours.

#![expect(clippy::unwrap_used, reason = "tests")]

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use serinus_core::stats::{
    Side,
    betting::{Betting, BettingInterval, EmpiricalBernstein, Hoeffding},
    counters::Counter,
    dispersion::Dispersion,
    exceedance::{BucketWindow, ExceedanceHistogram},
    grid::{Arm, CounterGrid, RateRatio, RatioGrid, ScoreMixture, Window},
    group_sequential::{Boundary, Spending},
    mixture::{AsymptoticMean, NormalRatio},
    sample_ratio::SampleRatio,
};

/// Comes back equal; is refused with another version, without one, with a field too many, and with any number of it
/// replaced by a text.
fn holds<State: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(state: &State) {
    let stored = serde_json::to_value(state).unwrap();
    assert_eq!(&serde_json::from_value::<State>(stored.clone()).unwrap(), state);
    assert_eq!(&serde_json::from_str::<State>(&stored.to_string()).unwrap(), state);
    let refused = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let mut changed = stored.clone();
        change(changed.as_object_mut().unwrap());
        serde_json::from_value::<State>(changed).unwrap_err().to_string()
    };
    let newer = refused(&|fields| drop(fields.insert("version".into(), 2.into())));
    assert!(newer.contains("version 2, and this program knows 1"), "{newer}");
    let unversioned = refused(&|fields| drop(fields.remove("version")));
    assert!(unversioned.contains("version"), "{unversioned}");
    let more = refused(&|fields| drop(fields.insert("surprise".into(), 1.into())));
    assert!(more.contains("surprise"), "{more}");
    for key in stored.as_object().unwrap().keys() {
        refused(&|fields| drop(fields.insert(key.clone(), "damaged".into())));
    }
}

#[test]
fn evidence_comes_back_as_it_was() {
    let mut harm = CounterGrid::new(RatioGrid::harm(1.1).unwrap());
    let mut safety = CounterGrid::new(RatioGrid::safety(1.5).unwrap());
    let mut latency = ExceedanceHistogram::new(RatioGrid::harm(1.1).unwrap(), &[0.1, 1.0]).unwrap();
    let mut ratio = RateRatio::new();
    let mut score = ScoreMixture::new(10.0, 0.01).unwrap();
    let mut split = SampleRatio::new(&[0.9, 0.1], 100.0).unwrap();
    let mut dispersion = Dispersion::new();
    for id in 0..20 {
        holds(&harm);
        holds(&safety);
        holds(&latency);
        holds(&ratio);
        holds(&score);
        holds(&split);
        holds(&dispersion);
        let window = Window { id, control: Arm::new(900, 9 + id % 3), candidate: Arm::new(100, id % 7) };
        let _ = harm.observe(&window).unwrap();
        let _ = safety.observe(&window).unwrap();
        let _ = ratio.observe(&window).unwrap();
        let _ = score.observe(&window).unwrap();
        let _ = dispersion.observe(&window).unwrap();
        let buckets = ([800, 90, 10], [80, 15, id % 5]);
        let _ = latency.observe(&BucketWindow { id, control: &buckets.0, candidate: &buckets.1 }).unwrap();
        let _ = split.observe(id, &[900, 100 + id]).unwrap();
    }
    holds(&split.next_stage(&[0.5, 0.5]).unwrap());
}

#[test]
fn a_stored_grid_carries_its_margin() {
    let stored = serde_json::to_value(CounterGrid::new(RatioGrid::safety(1.5).unwrap())).unwrap();
    assert_eq!(stored["version"], 1);
    assert_eq!(stored["grid"]["margin"], 1.5);
    assert_eq!(stored["grid"]["hypothesis"], "at-least");
    assert_eq!(stored["log_likelihoods"].as_array().unwrap().len(), 16);
}

#[test]
fn means_and_counters_come_back_as_they_were() {
    let mut bernstein = EmpiricalBernstein::new(0.05).unwrap();
    let mut hoeffding = Hoeffding::new(0.05).unwrap();
    let mut betting = Betting::new(0.01, 0.05).unwrap();
    let mut curve = BettingInterval::new(4, 0.05).unwrap();
    let mut mean = AsymptoticMean::new();
    let mut normal = NormalRatio::new(0.0, 1.0, 0.1).unwrap();
    let mut counter = Counter::new();
    for step in 0..20 {
        holds(&bernstein);
        holds(&hoeffding);
        holds(&betting);
        holds(&curve);
        holds(&mean);
        holds(&normal);
        holds(&counter);
        let value = f64::from(step) / 30.0;
        bernstein.observe(value).unwrap();
        hoeffding.observe(value).unwrap();
        betting.observe(value).unwrap();
        curve.observe(value).unwrap();
        mean.observe(value).unwrap();
        normal.observe(value).unwrap();
        counter.advance(f64::from(step) * 7.0).unwrap();
    }
}

#[test]
fn looks_that_were_taken_keep_their_bounds() {
    let mut straight = Boundary::new(0.05, Spending::OBrienFleming, Side::TwoSided).unwrap();
    let mut stored = straight.clone();
    // So early that nothing is spent and the bound is infinite.
    for information in [1e-4, 0.2, 0.5, 0.8, 1.0] {
        holds(&stored);
        let look = straight.look(information).unwrap();
        assert_eq!(stored.look(information), Ok(look));
        stored = serde_json::from_value(serde_json::to_value(&stored).unwrap()).unwrap();
    }
    assert_eq!(straight.looks()[0].z, f64::INFINITY);
    assert_eq!(stored, straight);
    let mut damaged = serde_json::to_value(&stored).unwrap();
    damaged["looks"][1]["information"] = 0.9.into();
    assert!(serde_json::from_value::<Boundary>(damaged).unwrap_err().to_string().contains("out of order"));
    let mut damaged = serde_json::to_value(&stored).unwrap();
    damaged["alpha"] = 1.5.into();
    assert!(serde_json::from_value::<Boundary>(damaged).unwrap_err().to_string().contains("alpha"));
}
