//! Whoever is in a cohort stays in it while shares grow, and nobody is in two that exclude each other.

#![expect(clippy::unwrap_used, reason = "the harness of tests may panic")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serinus_core::{
    cohort::{Assignment, Cohort, Experiment, Holdout, Layer, Layers, Place, Salt, Split, Trial},
    traffic::Weight,
};

proptest! {
    #[test]
    fn raising_a_weight_moves_nobody_out(salt: String, subject: String, mut weights in prop::collection::vec(weight(), 1..12)) {
        let place = Salt::new(salt).place(&subject);
        weights.sort_unstable();
        let held: Vec<bool> = weights.iter().map(|weight| place.is_below(*weight)).collect();
        prop_assert!(held.is_sorted(), "{held:?}");
        prop_assert!(place.is_below(Weight::FULL));
        prop_assert!(!place.is_below(Weight::ZERO));
    }

    #[test]
    fn candidate_and_control_exchange_nobody_up_to_one_half(hash: u32, mut ramp in prop::collection::vec(0_u32..=50_000, 1..12)) {
        ramp.sort_unstable();
        let cohorts = ramp.iter().map(|parts| Trial::even(parts_of(*parts)).cohort_of(Place::new(hash)));
        let settled: Vec<_> = cohorts.skip_while(|cohort| *cohort == Cohort::Rest).collect();
        prop_assert!(settled.windows(2).all(|pair| pair[0] == pair[1]), "{settled:?}");
    }

    #[test]
    fn candidate_and_control_of_any_size_exchange_nobody(hash: u32, limit in weight(), mut ramp in prop::collection::vec((weight(), weight()), 1..12)) {
        // Each grows on its own, the candidate up to a limit and the control up to what that leaves.
        let (mut candidates, mut controls): (Vec<_>, Vec<_>) = ramp
            .drain(..)
            .map(|(candidate, control)| (candidate.min(limit), control.min(limit.rest())))
            .unzip();
        candidates.sort_unstable();
        controls.sort_unstable();
        let trials = candidates.into_iter().zip(controls).map(|(candidate, control)| Trial::try_new(candidate, control).unwrap());
        let settled: Vec<_> =
            trials.map(|trial| trial.cohort_of(Place::new(hash))).skip_while(|cohort| *cohort == Cohort::Rest).collect();
        prop_assert!(settled.windows(2).all(|pair| pair[0] == pair[1]), "{settled:?}");
    }

    #[test]
    fn on_the_way_to_everybody_nobody_leaves_the_candidate(hash: u32, mut ramp in prop::collection::vec(weight(), 1..12)) {
        ramp.sort_unstable();
        let in_candidate: Vec<bool> =
            ramp.iter().map(|weight| Trial::even(*weight).cohort_of(Place::new(hash)) == Cohort::Candidate).collect();
        prop_assert!(in_candidate.is_sorted(), "{in_candidate:?}");
    }

    #[test]
    fn the_control_is_as_large_as_the_candidate_up_to_one_half(candidate in weight()) {
        let trial = Trial::even(candidate);
        prop_assert_eq!(trial.control(), candidate.min(candidate.rest()));
    }

    #[test]
    fn growing_shares_move_nobody_and_shrinking_ones_only_their_own(
        hashes in prop::collection::vec(any::<u32>(), 50),
        changes in prop::collection::vec((0_usize..4, weight()), 1..30),
    ) {
        let names = ["a", "b", "c", "d"];
        let mut split = Split::of(names.map(|name| (name, Weight::ZERO))).unwrap();
        for (index, to) in changes {
            let (before, held) = (split.clone(), split.shares()[index].weight());
            if split.resize(names[index], to).is_err() {
                prop_assert!(to > held);
                prop_assert_eq!(&before, &split);
                continue;
            }
            prop_assert_eq!(split.shares()[index].weight(), to);
            for place in hashes.iter().map(|hash| Place::new(*hash)) {
                match (before.at(place), split.at(place)) {
                    (was, is) if was == is => {}
                    (None, is) => prop_assert!(to > held && is == Some(names[index])),
                    (was, is) => prop_assert!(to < held && was == Some(names[index]) && is.is_none()),
                }
            }
            prop_assert_eq!(sum_of_shares(&split) + split.free().parts(), 100_000);
        }
        // What is written and read again puts everybody where they were.
        let text = serde_json::to_string(&split).unwrap();
        prop_assert_eq!(serde_json::from_str::<Split>(&text).unwrap(), split);
    }

    #[test]
    fn lowering_undoes_raising(first in 0_u32..=40_000, other in 0_u32..=20_000, more in 0_u32..=40_000) {
        let mut split = Split::of([("a", parts_of(first)), ("b", parts_of(other))]).unwrap();
        let before = split.clone();
        split.resize("a", parts_of(first + more)).unwrap();
        split.resize("a", parts_of(first)).unwrap();
        prop_assert_eq!(split, before);
    }

    #[test]
    fn every_place_belongs_to_at_most_one_share(weights in prop::collection::vec(1_u32..30_000, 1..8)) {
        let mut split = Split::default();
        for (index, weight) in weights.iter().enumerate() {
            let before = split.clone();
            if split.add(index.to_string(), parts_of(*weight)).is_err() {
                prop_assert_eq!(&before, &split);
            }
        }
        let mut slots: Vec<_> = split.shares().iter().flat_map(|share| share.slots().iter().copied()).collect();
        slots.sort_unstable();
        for pair in slots.windows(2) {
            prop_assert!(pair[0].to() <= pair[1].from());
        }
    }
}

#[test]
fn a_layer_enrols_nobody_twice_and_a_holdout_nobody_at_all() {
    let halves = || Split::of([("old", Weight::percent(50.0)), ("new", Weight::percent(50.0))]).unwrap();
    let mut search = Layer::new("search");
    search.add(Experiment::new("ranking", halves()), Weight::percent(40.0)).unwrap();
    search.add(Experiment::new("suggestions", halves()), Weight::percent(40.0)).unwrap();
    let mut shop = Layer::new("shop");
    shop.add(Experiment::new("prices", halves()), Weight::FULL).unwrap();
    let layers = Layers::new([Holdout::new("holdout", Weight::percent(5.0))], [search, shop]).unwrap();

    let mut counts = BTreeMap::<String, u32>::new();
    for number in 0..100_000 {
        let subject = format!("user-{number}");
        let in_search = layers.assign("search", &subject).unwrap();
        let in_shop = layers.assign("shop", &subject).unwrap();
        let held_out = matches!(in_search, Assignment::HeldOut(_));
        assert_eq!(held_out, matches!(in_shop, Assignment::HeldOut(_)));
        assert_eq!(held_out, layers.held_out(&subject).is_some());
        let told = match in_search {
            Assignment::HeldOut(_) => "held out".to_owned(),
            Assignment::Free => "free".to_owned(),
            Assignment::Enrolled { experiment, variant } => {
                format!("{} {}", experiment.name(), variant.unwrap())
            }
        };
        *counts.entry(told).or_default() += 1;
    }
    for (name, expected) in [
        ("held out", 5_000),
        ("free", 19_000),
        ("ranking old", 19_000),
        ("ranking new", 19_000),
        ("suggestions old", 19_000),
        ("suggestions new", 19_000),
    ] {
        assert!(counts[name].abs_diff(expected) < 600, "{counts:?}");
    }
    assert_eq!(counts.len(), 6, "{counts:?}");
}

#[test]
fn resizing_an_experiment_changes_nobodys_variant() {
    let variants = Split::of([("old", Weight::percent(50.0)), ("new", Weight::percent(50.0))]).unwrap();
    let mut layer = Layer::new("search");
    layer.add(Experiment::new("ranking", variants.clone()), Weight::percent(10.0)).unwrap();
    layer.add(Experiment::new("suggestions", variants), Weight::percent(10.0)).unwrap();
    let mut grown = layer.clone();
    grown.resize("ranking", Weight::percent(60.0)).unwrap();
    for number in 0..20_000 {
        let subject = format!("user-{number}");
        let told = |layer: &Layer| {
            let experiment = layer.experiment_of(&subject)?;
            Some((experiment.name().to_owned(), experiment.variant_of(&subject).map(str::to_owned)))
        };
        if let Some(before) = told(&layer) {
            assert_eq!(told(&grown), Some(before));
        }
    }
    assert_eq!(grown.free(), Weight::percent(30.0));
}

fn sum_of_shares(split: &Split) -> u32 {
    split.shares().iter().map(|share| share.weight().parts()).sum()
}

fn weight() -> impl Strategy<Value = Weight> {
    prop_oneof![0_u32..=100_000, 0_u32..=10, 49_990_u32..=50_010, 99_990_u32..=100_000].prop_map(parts_of)
}

fn parts_of(parts: u32) -> Weight {
    Weight::try_parts(parts).unwrap()
}
