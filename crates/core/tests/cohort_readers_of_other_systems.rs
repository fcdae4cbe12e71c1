//! The readers of other systems put subjects where those systems put them.

use serde_json::Value;
use serinus_core::cohort::systems::{
    eppo::{self, Shard},
    flagsmith,
    growthbook::{self, HashVersion, Range},
    launchdarkly::{Bucket, Precision},
    unleash,
};

#[test]
fn every_vector_holds() {
    let document: Value = serde_json::from_str(include_str!("data/cohort-vectors.json")).unwrap();
    let rows = |system: &str| document["other_systems"][system].as_array().unwrap().clone();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    for row in rows("unleash") {
        let (group, identifier) = (text(&row, "groupId"), text(&row, "identifier"));
        assert_eq!(u64::from(unleash::rollout(&group, &identifier)), row["rollout_1_100"], "{row}");
        assert_eq!(
            unleash::variant(&group, &identifier, 1000).map(u64::from),
            row["variant_1_1000"].as_u64(),
            "{row}"
        );
    }
    for row in rows("growthbook") {
        let (seed, value) = (text(&row, "seed"), text(&row, "value"));
        assert_eq!(growthbook::hash(&seed, &value, HashVersion::One), row["v1"], "{row}");
        assert_eq!(growthbook::hash(&seed, &value, HashVersion::Two), row["v2"], "{row}");
    }
    for row in rows("launchdarkly") {
        let key = text(&row, "contextKey");
        let bucket = match row["seed"].as_i64() {
            Some(seed) => Bucket::of_seed(seed, &key),
            None => Bucket::of_rollout(&text(&row, "flagKey"), &text(&row, "salt"), &key),
        };
        assert_eq!(bucket.as_f64(), row["bucket"], "{row}");
    }
    for row in rows("flagsmith") {
        let ids: Vec<_> = row["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        assert_eq!(flagsmith::percentage(&ids), row["percentage"], "{row}");
    }
    for row in rows("eppo") {
        let shard = eppo::shard(&text(&row, "salt"), &text(&row, "subject"), 10_000);
        assert_eq!(shard.map(u64::from), row["shard_of_10000"].as_u64(), "{row}");
    }
}

#[test]
fn the_constants_that_vendors_test_with_hold() {
    assert_eq!(unleash::rollout("gr1", "123"), 73);
    assert_eq!(unleash::rollout("groupX", "999"), 25);
    let bucket = |key| Bucket::of_rollout("hashKey", "saltyA", key).as_f32();
    assert_eq!(["userKeyA", "userKeyB", "userKeyC"].map(bucket), [0.421_575_87, 0.670_848_5, 0.103_431_06]);
    assert_eq!(Bucket::of_seed(61, "userKeyA").as_f32(), 0.098_012_07);
}

#[test]
fn unleash_holds_up_to_the_percentage_and_picks_the_first_weight_that_reaches_the_bucket() {
    assert!(unleash::is_enabled("gr1", "123", 73));
    assert!(!unleash::is_enabled("gr1", "123", 72));
    assert!(!unleash::is_enabled("gr1", "123", 0));
    assert_eq!(unleash::variant("checkout", "user-2", 1000), Some(9));
    assert_eq!(unleash::pick("checkout", "user-2", &[0, 9, 991]), Some(1));
    assert_eq!(unleash::pick("checkout", "user-2", &[8, 1, 991]), Some(1));
    assert_eq!(unleash::pick("checkout", "user-2", &[8, 0, 992]), Some(2));
    assert_eq!(unleash::pick("checkout", "user-2", &[]), None);
    assert_eq!(unleash::pick("checkout", "user-2", &[0, 0]), None);
    assert_eq!(unleash::pick("checkout", "user-2", &[u32::MAX, 1]), None);
}

#[test]
fn growthbook_cuts_ranges_by_weight_and_coverage() {
    let range = |from, to| Range { from, to };
    let ranges = |variations, coverage, weights: &[f64]| -> Vec<Range> {
        growthbook::ranges(variations, coverage, weights).collect()
    };
    assert_eq!(ranges(2, 1.0, &[0.5, 0.5]), [range(0.0, 0.5), range(0.5, 1.0)]);
    assert_eq!(ranges(2, 0.5, &[0.4, 0.6]), [range(0.0, 0.2), range(0.4, 0.4 + 0.3)]);
    assert_eq!(ranges(2, -0.2, &[0.5, 0.5]), [range(0.0, 0.0), range(0.5, 0.5)]);
    // Too few, or not one in sum: equal.
    assert_eq!(ranges(2, 1.0, &[0.4]), ranges(2, 7.0, &[0.5, 0.5]));
    assert_eq!(ranges(2, 1.0, &[0.4, 0.1]), ranges(2, 1.0, &[]));
    assert_eq!(ranges(0, 1.0, &[]), []);
    let chosen = |number| growthbook::choose(number, ranges(2, 0.5, &[0.5, 0.5]));
    assert_eq!(chosen(0.249), Some(0));
    assert_eq!(chosen(0.25), None);
    assert_eq!(chosen(0.5), Some(1));
    assert_eq!(chosen(f64::NAN), None);
}

#[test]
fn a_rollout_of_growthbook_holds_its_coverage_itself_and_at_nothing_nobody() {
    for version in [HashVersion::One, HashVersion::Two] {
        let number = growthbook::hash("checkout", "user-1", version);
        assert!(growthbook::is_in_rollout(number, number));
        assert!(!growthbook::is_in_rollout(number, number - 1e-9));
        assert!(growthbook::is_in_rollout(number, 1.0));
        assert!(growthbook::is_in_rollout(number, 7.0));
        assert!(!growthbook::is_in_rollout(number, 0.0));
        assert!(!growthbook::is_in_rollout(number, -1.0));
        assert!(!growthbook::is_in_rollout(number, f64::NAN));
    }
    // The lowest number there is: in every coverage but none.
    let lowest = (0..)
        .map(|number: u32| format!("u{number}"))
        .find(|value| growthbook::hash("checkout", value, HashVersion::One) == 0.0);
    let lowest = growthbook::hash("checkout", &lowest.unwrap(), HashVersion::One);
    assert!(growthbook::is_in_rollout(lowest, 0.001));
    assert!(!growthbook::is_in_rollout(lowest, 0.0));
    assert!(!growthbook::is_in_rollout(lowest, -0.0));
}

#[test]
fn a_rollout_of_growthbook_holds_more_than_the_range_up_to_its_coverage() {
    let (mut rollout, mut range) = (0, 0);
    for user in 0..20_000 {
        let number = growthbook::hash("checkout", &format!("u{user}"), HashVersion::One);
        rollout += u32::from(growthbook::is_in_rollout(number, 0.1));
        range += u32::from(Range { from: 0.0, to: 0.1 }.contains(number));
    }
    // About one in a thousand, those at 0.1.
    assert!((5..50).contains(&(rollout - range)), "{rollout} and {range}");
}

#[test]
fn a_namespace_of_growthbook_is_the_first_hash_under_its_marked_name() {
    let number = growthbook::namespace("ns1", "user-1");
    assert_eq!(number, growthbook::hash("__ns1", "user-1", HashVersion::One));
    assert!(growthbook::in_namespace("ns1", "user-1", Range { from: number, to: number + 0.001 }));
    assert!(!growthbook::in_namespace("ns1", "user-1", Range { from: 0.0, to: number }));
}

#[test]
fn launchdarkly_gives_what_is_left_over_to_the_last() {
    let bucket = Bucket::of_rollout("hashKey", "saltyA", "userKeyA");
    for precision in [Precision::Single, Precision::Double] {
        assert_eq!(bucket.variation(&[42_157, 57_843], precision), Some(1));
        assert_eq!(bucket.variation(&[42_158, 57_842], precision), Some(0));
        assert_eq!(bucket.variation(&[1000, 1000], precision), Some(1));
        assert_eq!(bucket.variation(&[], precision), None);
    }
}

#[test]
fn launchdarkly_gives_whoever_is_missing_what_comes_first() {
    assert_eq!((Bucket::MISSING.as_f32(), Bucket::MISSING.as_f64()), (0.0, 0.0));
    for precision in [Precision::Single, Precision::Double] {
        assert_eq!(Bucket::MISSING.variation(&[1, 99_999], precision), Some(0));
        assert_eq!(Bucket::MISSING.variation(&[0, 0, 100_000], precision), Some(2));
        assert_eq!(Bucket::MISSING.variation(&[0, 0], precision), Some(1));
        assert_eq!(Bucket::MISSING.variation(&[], precision), None);
        assert!(Bucket::MISSING.is_in_segment(1, precision));
        assert!(!Bucket::MISSING.is_in_segment(0, precision));
    }
    // An empty value is not a missing one.
    assert!(Bucket::of_rollout("hashKey", "saltyA", "") > Bucket::MISSING);
}

#[test]
fn launchdarkly_holds_a_segment_below_its_weight() {
    let bucket = Bucket::of_rollout("hashKey", "saltyA", "userKeyA");
    for precision in [Precision::Single, Precision::Double] {
        assert!(bucket.is_in_segment(42_158, precision));
        assert!(!bucket.is_in_segment(42_157, precision));
        assert!(bucket.is_in_segment(100_000, precision));
        assert!(!bucket.is_in_segment(0, precision));
    }
}

#[test]
fn seeds_of_launchdarkly_may_be_nothing_or_negative() {
    // Below: the first 60 bits of the SHA-1 of `0.user-1` and `-1.user-1`, as another implementation gives them.
    assert_eq!(Bucket::of_seed(0, "user-1").as_f64(), 0.7070901122785119);
    assert_eq!(Bucket::of_seed(-1, "user-1").as_f64(), 0.7434549868598836);
}

#[test]
fn unleash_sticks_to_the_user_and_without_one_to_the_session() {
    assert_eq!(unleash::default_identifier(Some("user-1"), Some("session-1")), Some("user-1"));
    assert_eq!(unleash::default_identifier(None, Some("session-1")), Some("session-1"));
    assert_eq!(unleash::default_identifier(Some("user-1"), None), Some("user-1"));
    assert_eq!(unleash::default_identifier(None, None), None);
}

#[test]
fn flagsmith_holds_a_segment_up_to_its_percentage() {
    let ids = ["12", "93"];
    let percentage = flagsmith::percentage(&ids);
    assert!(flagsmith::is_in_segment(&ids, percentage));
    assert!(!flagsmith::is_in_segment(&ids, percentage - 0.001));
    assert!((0.0..100.0).contains(&flagsmith::percentage(&[])));
    // The edge is part of a segment, and the first of what follows a variant.
    let lowest =
        (0..100_000).map(|key: u32| key.to_string()).find(|key| flagsmith::percentage(&["12", key]) == 0.0);
    assert!(flagsmith::is_in_segment(&["12", &lowest.unwrap()], 0.0));
    assert_eq!(flagsmith::pick(percentage, &[percentage, 100.0 - percentage]), Some(1));
}

#[test]
fn eppo_wants_every_shard_in_one_of_its_ranges() {
    let shard = |salt: &str, ranges: &[(u32, u32)]| Shard { salt: salt.to_owned(), ranges: ranges.to_vec() };
    let (in_first, in_second) =
        (shard("checkout", &[(0, 100), (362, 363)]), shard("allocation-1", &[(184, 9000)]));
    assert!(eppo::is_in(&[in_first.clone(), in_second], "user-1", 10_000));
    assert!(!eppo::is_in(&[in_first.clone(), shard("allocation-1", &[(0, 184)])], "user-1", 10_000));
    assert!(!eppo::is_in(&[in_first], "user-1", 0));
    // The lower end is in a range, the upper is not.
    assert!(eppo::is_in(&[shard("checkout", &[(362, 363)])], "user-1", 10_000));
    assert!(!eppo::is_in(&[shard("checkout", &[(361, 362), (363, 10_000)])], "user-1", 10_000));
    assert!(eppo::is_in(&[shard("checkout", &[(0, 10_000)])], "user-1", 10_000));
    assert!(!eppo::is_in(&[shard("checkout", &[])], "user-1", 10_000));
    assert!(eppo::is_in(&[], "user-1", 10_000));
}
