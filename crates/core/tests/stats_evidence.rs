//! Evidence is counted once, keeps its guarantee, and refuses what it cannot read.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serinus_core::stats::{
    Undefined,
    evidence::{EProcess, EvidenceError, Observed},
    exceedance::{BucketWindow, ExceedanceHistogram},
    grid::{Arm, CounterGrid, Hypothesis, RateRatio, RatioGrid, ScoreMixture, Window},
    sample_ratio::SampleRatio,
};

fn window(id: u64, control: (u64, u64), candidate: (u64, u64)) -> Window {
    Window { id, control: Arm::new(control.0, control.1), candidate: Arm::new(candidate.0, candidate.1) }
}

fn harm() -> CounterGrid {
    CounterGrid::new(RatioGrid::harm(1.0).unwrap())
}

/// A generator of uniform numbers, the same on every machine.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn failures(&mut self, among: u64, rate: f64) -> u64 {
        (0..among).filter(|_| self.next() < rate).count() as u64
    }
}

#[test]
fn a_window_counts_once_and_late_ones_do_not_count() {
    let mut evidence = harm();
    assert_eq!(evidence.observe(&window(5, (900, 9), (100, 6))), Ok(Observed::Counted));
    let before = evidence.clone();
    for id in [5, 4, 0] {
        assert_eq!(evidence.observe(&window(id, (900, 0), (100, 100))), Ok(Observed::AlreadySeen));
    }
    assert_eq!(evidence, before);
    assert_eq!(evidence.observe(&window(6, (900, 9), (100, 6))), Ok(Observed::Counted));
    assert!(evidence.log_e() > before.log_e());
}

#[test]
fn a_window_without_an_arm_or_without_failures_says_nothing() {
    let mut evidence = harm();
    for (id, control, candidate) in
        [(1, (0, 0), (0, 0)), (2, (100, 5), (0, 0)), (3, (0, 0), (100, 5)), (4, (100, 0), (100, 0))]
    {
        assert_eq!(evidence.observe(&window(id, control, candidate)), Ok(Observed::NoInformation), "{id}");
    }
    assert!(evidence.log_e().abs() < 1e-12);
    assert_eq!(evidence.p_value(), 1.0);
    assert_eq!(evidence.last_window(), Some(4));
    assert!(matches!(RateRatio::new().estimate(), Err(Undefined::NoInformation { .. })));
}

#[test]
fn impossible_counts_are_refused_and_change_nothing() {
    let mut evidence = harm();
    let _ = evidence.observe(&window(1, (10, 1), (10, 1))).unwrap();
    let before = evidence.clone();
    assert!(matches!(
        evidence.observe(&window(2, (10, 1), (0, 1))),
        Err(EvidenceError::FailuresWithoutExposure { arm: "candidate", failures: 1 })
    ));
    assert!(matches!(
        evidence.observe(&window(2, (u64::MAX, 1), (10, 1))),
        Err(EvidenceError::TooMany { .. })
    ));
    assert_eq!(evidence, before);
}

#[test]
fn arms_of_different_windows_are_not_compared() {
    let (good, bad) = (Arm::new(900, 9), Arm::new(100, 6));
    assert_eq!(Window::paired((3, good), (3, bad)), Ok(Window { id: 3, control: good, candidate: bad }));
    let apart = Window::paired((3, good), (4, bad));
    assert_eq!(apart, Err(EvidenceError::DifferentWindows { control: 3, candidate: 4 }));
    assert_eq!(
        apart.unwrap_err().to_string(),
        "control was counted in window 3 and the candidate in window 4: compare the same window"
    );
    assert!(BucketWindow::paired((3, &[1, 2]), (3, &[3, 4])).is_ok());
    assert!(matches!(
        BucketWindow::paired((3, &[1, 2]), (2, &[3, 4])),
        Err(EvidenceError::DifferentWindows { control: 3, candidate: 2 })
    ));
}

#[test]
fn evidence_has_the_same_bits_on_every_machine() {
    let mut harm = CounterGrid::new(RatioGrid::harm(1.1).unwrap());
    let mut split = SampleRatio::new(&[0.9, 0.1], 100.0).unwrap();
    let mut latency = ExceedanceHistogram::new(RatioGrid::harm(1.1).unwrap(), &[0.1, 1.0]).unwrap();
    for id in 0..100 {
        let (share, failures) = (100 + 3 * id, id % 7 + id % 5);
        let _ = harm.observe(&window(id, (1000, 11), (share, failures))).unwrap();
        let _ = split.observe(id, &[900 + id % 13, 100]).unwrap();
        let buckets = ([800, 90, 10], [80, 15, id % 5]);
        let _ = latency.observe(&BucketWindow { id, control: &buckets.0, candidate: &buckets.1 }).unwrap();
    }
    let bits = [harm.log_e(), split.log_e(), latency.log_e()].map(f64::to_bits);
    assert_eq!(bits, [4_631_033_312_310_997_235, 13_837_931_096_932_964_910, 4_635_267_960_778_122_939]);
}

#[test]
fn counts_at_the_limit_of_64_bits_stay_numbers() {
    for (control, candidate) in [
        ((u64::MAX, u64::MAX), (u64::MAX, u64::MAX)),
        ((u64::MAX, 0), (1, 1)),
        ((1, 1), (u64::MAX, u64::MAX)),
    ] {
        let mut evidence = harm();
        let _ = evidence.observe(&window(u64::MAX, control, candidate)).unwrap();
        assert!(!evidence.log_e().is_nan(), "{control:?} {candidate:?}");
        assert!(evidence.peak() >= 0.0);
    }
}

#[test]
fn margins_and_grids_out_of_range_are_refused() {
    for margin in [0.99, 0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(RatioGrid::harm(margin).is_err(), "{margin}");
        assert!(RatioGrid::safety(margin).is_err(), "{margin}");
    }
    for (nearest, farthest, count, spread) in [
        (1.0, 2.0, 16, 0.8),
        (3.0, 2.0, 16, 0.8),
        (1.1, 2.0, 1, 0.8),
        (1.1, 2.0, 16, 0.0),
        (1.1, f64::INFINITY, 16, 0.8),
    ] {
        assert!(RatioGrid::new(Hypothesis::AtMost, 1.0, nearest, farthest, count, spread).is_err());
    }
    for alpha in [0.0, 1.0, -0.5, f64::NAN, 2.0] {
        assert!(harm().rejects(alpha).is_err(), "{alpha}");
        assert!(RateRatio::new().interval(alpha).is_err(), "{alpha}");
    }
}

#[test]
fn a_stored_state_goes_on_to_the_last_bit() {
    let mut chance = Chance(3);
    let mut evidence = harm();
    let mut latency =
        ExceedanceHistogram::weighted(RatioGrid::harm(1.1).unwrap(), &[0.1, 1.0], &[1.0, 3.0]).unwrap();
    let mut score = ScoreMixture::new(10.0, 0.05).unwrap();
    let mut split = SampleRatio::new(&[0.9, 0.1], 100.0).unwrap();
    let mut ratio = RateRatio::new();
    for id in 1..50 {
        let next = window(id, (900, chance.failures(900, 0.02)), (100, chance.failures(100, 0.03)));
        let buckets = [[800, 90, 10], [80, 15, 5]];
        let _ = evidence.observe(&next).unwrap();
        let _ = score.observe(&next).unwrap();
        let _ = ratio.observe(&next).unwrap();
        let _ = latency.observe(&BucketWindow { id, control: &buckets[0], candidate: &buckets[1] }).unwrap();
        let _ = split.observe(id, &[900 + id, 100]).unwrap();
        evidence = serde_json::from_str(&serde_json::to_string(&evidence).unwrap()).unwrap();
        latency = serde_json::from_str(&serde_json::to_string(&latency).unwrap()).unwrap();
        score = serde_json::from_str(&serde_json::to_string(&score).unwrap()).unwrap();
        split = serde_json::from_str(&serde_json::to_string(&split).unwrap()).unwrap();
        ratio = serde_json::from_str(&serde_json::to_string(&ratio).unwrap()).unwrap();
    }
    let mut chance = Chance(3);
    let mut straight = harm();
    for id in 1..50 {
        let next = window(id, (900, chance.failures(900, 0.02)), (100, chance.failures(100, 0.03)));
        let _ = straight.observe(&next).unwrap();
    }
    assert_eq!(straight, evidence);
    assert_eq!(straight.log_e().to_bits(), evidence.log_e().to_bits());
    assert!(latency.log_e() > 0.0 && split.log_e().is_finite() && score.variance() > 0.0);
    assert!(ratio.interval(0.05).unwrap().contains(ratio.estimate().unwrap()));
}

#[test]
fn a_newer_or_damaged_state_is_refused() {
    let mut evidence = harm();
    let _ = evidence.observe(&window(1, (900, 9), (100, 6))).unwrap();
    let stored = serde_json::to_value(&evidence).unwrap();
    let with = |key: &str, value: serde_json::Value| {
        let mut stored = stored.clone();
        stored[key] = value;
        serde_json::from_value::<CounterGrid>(stored).map_err(|error| error.to_string())
    };
    assert!(with("version", 1.into()).is_ok());
    assert!(with("version", 2.into()).unwrap_err().contains("version 2"));
    assert!(with("log_likelihoods", serde_json::json!([0.0])).unwrap_err().contains("1 entries where 16"));
    assert!(with("unknown", 1.into()).unwrap_err().contains("unknown"));
    let mut grid = stored["grid"].clone();
    grid["margin"] = (-1.0).into();
    assert!(with("grid", grid).unwrap_err().contains("margin"));
    let mut progress = stored["progress"].clone();
    progress["last"] = serde_json::Value::Null;
    assert!(with("progress", progress).unwrap_err().contains("out of order"));
}

#[test]
fn states_about_different_questions_do_not_merge() {
    let mut one = harm();
    let margin = CounterGrid::new(RatioGrid::harm(1.1).unwrap());
    let safety = CounterGrid::new(RatioGrid::safety(1.5).unwrap());
    assert!(matches!(one.merge(&margin), Err(EvidenceError::Different { .. })));
    assert!(matches!(one.merge_stratum(&safety), Err(EvidenceError::Different { .. })));
    let grid = RatioGrid::harm(1.0).unwrap();
    let mut latency = ExceedanceHistogram::new(grid.clone(), &[1.0, 2.0]).unwrap();
    for edges in [&[1.0, 3.0][..], &[1.0]] {
        let other = ExceedanceHistogram::new(grid.clone(), edges).unwrap();
        assert!(matches!(latency.merge(&other), Err(EvidenceError::Different { .. })));
    }
    let mut half = SampleRatio::new(&[0.5, 0.5], 100.0).unwrap();
    let tenth = SampleRatio::new(&[0.9, 0.1], 100.0).unwrap();
    assert!(matches!(half.merge(&tenth), Err(EvidenceError::Different { .. })));
}

#[test]
fn windows_in_both_states_do_not_merge() {
    let (mut one, mut other) = (harm(), harm());
    for id in 1..=3 {
        let _ = one.observe(&window(id, (900, 9), (100, 2))).unwrap();
    }
    for id in 3..=5 {
        let _ = other.observe(&window(id, (900, 9), (100, 2))).unwrap();
    }
    let before = one.clone();
    assert!(matches!(one.merge(&other), Err(EvidenceError::Overlapping { first: 1, last: 3, .. })));
    assert_eq!(one, before);
}

#[test]
fn a_histogram_with_other_buckets_is_refused() {
    let mut latency = ExceedanceHistogram::new(RatioGrid::harm(1.0).unwrap(), &[0.1, 1.0]).unwrap();
    for (control, candidate) in
        [(&[1, 2][..], &[1, 2, 3][..]), (&[1, 2, 3, 4], &[1, 2, 3]), (&[1, 2, 3], &[])]
    {
        assert!(matches!(
            latency.observe(&BucketWindow { id: 1, control, candidate }),
            Err(EvidenceError::Shape { expected: 3, .. })
        ));
    }
    assert!(matches!(
        latency.observe(&BucketWindow { id: 1, control: &[u64::MAX, 1, 0], candidate: &[1, 2, 3] }),
        Err(EvidenceError::TooMany { .. })
    ));
    for edges in [&[][..], &[1.0, 1.0], &[2.0, 1.0], &[f64::NAN], &[f64::INFINITY]] {
        assert!(ExceedanceHistogram::new(RatioGrid::harm(1.0).unwrap(), edges).is_err(), "{edges:?}");
    }
}

#[test]
fn a_histogram_of_one_edge_is_a_counter() {
    let mut latency = ExceedanceHistogram::new(RatioGrid::harm(1.0).unwrap(), &[1.0]).unwrap();
    let mut counter = harm();
    for (id, failures) in (1..20).zip([3, 5, 4, 9, 2].into_iter().cycle()) {
        let _ =
            latency.observe(&BucketWindow { id, control: &[891, 9], candidate: &[100 - failures, failures] });
        let _ = counter.observe(&window(id, (900, 9), (100, failures)));
    }
    assert!((latency.log_e() - counter.log_e()).abs() < 1e-12);
    assert_eq!(latency.strongest_edge(), Some(1.0));
}

#[test]
fn a_healthy_candidate_is_rarely_refuted_across_a_ramp_with_drift() {
    let mut chance = Chance(11);
    let (mut harmful, mut safe, mut pooled_alarms) = (0, 0, 0);
    for _ in 0..400 {
        let mut harm = harm();
        let mut safety = CounterGrid::new(RatioGrid::safety(1.0).unwrap());
        let mut naive = serinus_core::simulate::rival::peeking::NaiveZ::new(0.05).unwrap();
        let mut alarmed = false;
        for look in 0..30 {
            let share = [30, 60, 120, 210, 300][look as usize / 6];
            let rate = 0.02 * (1.0 + 2.0 * look as f64 / 30.0);
            let control = (600 - share, chance.failures(600 - share, rate));
            let next = window(look, control, (share, chance.failures(share, rate)));
            let _ = harm.observe(&next).unwrap();
            let _ = safety.observe(&next).unwrap();
            alarmed |= naive.look(&next);
        }
        harmful += u32::from(harm.rejects(0.05).unwrap());
        safe += u32::from(safety.rejects(0.05).unwrap());
        pooled_alarms += u32::from(alarmed);
    }
    // At most 5 % each, in the worst case; twenty in four hundred.
    assert!(harmful <= 20, "{harmful} of 400 healthy candidates refuted");
    assert!(safe <= 20, "{safe} of 400 certified better than they are");
    assert!(pooled_alarms > 200, "pooled totals are fooled by drift: {pooled_alarms} of 400");
}

#[test]
fn a_bad_candidate_is_found_and_a_good_one_certified() {
    let mut chance = Chance(12);
    let (mut found, mut certified) = (0, 0);
    for _ in 0..100 {
        let mut harm = CounterGrid::new(RatioGrid::harm(1.1).unwrap());
        let mut safety = CounterGrid::new(RatioGrid::safety(1.5).unwrap());
        for id in 0..60 {
            let control = (500, chance.failures(500, 0.02));
            let _ = harm.observe(&window(id, control, (500, chance.failures(500, 0.04)))).unwrap();
            let _ = safety.observe(&window(id, control, (500, chance.failures(500, 0.02)))).unwrap();
        }
        found += u32::from(harm.rejects(0.01).unwrap());
        certified += u32::from(safety.rejects(0.05).unwrap());
    }
    assert!(found >= 98, "{found} of 100 found");
    assert!(certified >= 95, "{certified} of 100 certified");
}

#[test]
fn the_rate_ratio_is_in_its_interval_at_all_times() {
    let mut chance = Chance(13);
    let (mut missed, mut last_widths) = (0, Vec::new());
    for _ in 0..200 {
        let mut ratio = RateRatio::new();
        let mut always = true;
        for id in 0..40 {
            let next = window(id, (400, chance.failures(400, 0.03)), (100, chance.failures(100, 0.06)));
            let _ = ratio.observe(&next).unwrap();
            always &= ratio.interval(0.05).unwrap().contains(2.0);
        }
        missed += u32::from(!always);
        last_widths.push(ratio.interval(0.05).unwrap().width());
        let estimate = ratio.estimate().unwrap();
        assert!((1.2..3.4).contains(&estimate), "{estimate}");
    }
    assert!(missed <= 10, "{missed} of 200 intervals missed the truth");
    assert!(last_widths.iter().all(|width| *width < 2.5));
}

#[test]
fn a_split_under_a_ramp_goes_on_with_its_evidence() {
    let mut ratio = SampleRatio::new(&[0.9, 0.1], 100.0).unwrap();
    let _ = ratio.observe(1, &[9000, 1000]).unwrap();
    let before = ratio.log_e();
    let mut ratio = ratio.next_stage(&[0.5, 0.5]).unwrap();
    assert_eq!(ratio.log_e(), before);
    assert_eq!(ratio.observe(1, &[1, 1]), Ok(Observed::AlreadySeen), "seen before the stage");
    let _ = ratio.observe(2, &[5000, 5000]).unwrap();
    assert!(!ratio.rejects(0.001).unwrap());
    let _ = ratio.observe(3, &[5000, 4000]).unwrap();
    assert!(ratio.rejects(0.001).unwrap());
    // What was once refuted stays so.
    let _ = ratio.observe(4, &[4000, 5000]).unwrap();
    assert!(ratio.rejects(0.001).unwrap());
    for shares in [&[1.0][..], &[0.5, 0.6], &[1.0, 0.0], &[f64::NAN, 0.5], &[]] {
        assert!(SampleRatio::new(shares, 100.0).is_err(), "{shares:?}");
    }
    assert!(matches!(ratio.observe(9, &[1]), Err(EvidenceError::Shape { .. })));
    assert!(matches!(ratio.observe(9, &[u64::MAX, 1]), Err(EvidenceError::TooMany { .. })));
}

fn any_window() -> impl Strategy<Value = (u64, u64, u64, u64)> {
    (1_u64..100_000, 1_u64..100_000)
        .prop_flat_map(|(control, candidate)| (Just(control), 0..=control, Just(candidate), 0..=candidate))
}

proptest! {
    #[test]
    fn parts_merged_in_any_order_say_what_the_whole_says(
        windows in prop::collection::vec(any_window(), 2..20),
        cut in 0_usize..20,
    ) {
        let mut whole = harm();
        let (mut first, mut second) = (harm(), harm());
        for (id, (n1, x1, n2, x2)) in (1_u64..).zip(&windows) {
            let next = window(id, (*n1, *x1), (*n2, *x2));
            let _ = whole.observe(&next).unwrap();
            let part = if (id as usize) <= cut { &mut first } else { &mut second };
            let _ = part.observe(&next).unwrap();
        }
        let mut backward = second.clone();
        backward.merge(&first).unwrap();
        first.merge(&second).unwrap();
        for merged in [&first, &backward] {
            prop_assert!((merged.log_e() - whole.log_e()).abs() <= 1e-9 * (1.0 + whole.log_e().abs()));
            prop_assert_eq!(merged.totals(), whole.totals());
            prop_assert_eq!(merged.last_window(), whole.last_window());
            // Fewer looks cannot find more.
            prop_assert!(merged.peak() <= whole.peak() + 1e-9 * (1.0 + whole.peak()));
        }
    }

    #[test]
    fn the_expected_likelihood_ratio_is_at_most_one(
        (n1, n2) in (1_u64..60, 1_u64..60),
        failures in 0_u64..20,
        margin in 1.0_f64..2.0,
    ) {
        // Given the failures of a window, those of the candidate are binomial with the share of the null.
        let share = n2 as f64 / (n1 + n2) as f64;
        let theta = share * margin / (1.0 - share + share * margin);
        let mut mean = 0.0;
        let mut chance = libm::pow(1.0 - theta, failures as f64);
        for candidate in 0..=failures {
            let mut evidence = CounterGrid::new(RatioGrid::harm(margin).unwrap());
            let _ = evidence.observe(&window(1, (n1, failures - candidate), (n2, candidate))).unwrap();
            mean += chance * evidence.log_e().exp();
            chance *= (failures - candidate) as f64 / (candidate + 1) as f64 * theta / (1.0 - theta);
        }
        prop_assert!((mean - 1.0).abs() < 1e-9, "{}", mean);
    }

    #[test]
    fn more_failures_of_the_candidate_never_weaken_the_evidence(
        (n1, x1, n2, x2) in any_window(),
    ) {
        prop_assume!(x2 < n2 && x1 > 0);
        let evidence = |x1, x2| {
            let mut evidence = harm();
            let _ = evidence.observe(&window(1, (n1, x1), (n2, x2))).unwrap();
            evidence.log_e()
        };
        prop_assert!(evidence(x1 - 1, x2 + 1) >= evidence(x1, x2));
    }
}

#[test]
fn failures_of_one_arm_alone_in_its_windows_say_nothing_of_the_ratio() {
    let mut ratio = RateRatio::new();
    let alone = Window { id: 1, control: Arm::new(100, 5), candidate: Arm::new(0, 0) };
    assert_eq!(ratio.observe(&alone), Ok(Observed::NoInformation));
    assert!(matches!(ratio.estimate(), Err(Undefined::NoInformation { .. })), "{:?}", ratio.estimate());
}

#[test]
fn a_ratio_beyond_the_grid_is_no_number_of_the_grid() {
    let mut none = RateRatio::new();
    let _ = none.observe(&Window { id: 1, control: Arm::new(100, 50), candidate: Arm::new(100, 0) }).unwrap();
    assert_eq!(none.estimate(), Ok(0.0));
    let mut all = RateRatio::new();
    let _ = all.observe(&Window { id: 1, control: Arm::new(100, 0), candidate: Arm::new(100, 50) }).unwrap();
    assert_eq!(all.estimate(), Ok(f64::INFINITY));
}

#[test]
fn an_interval_of_dispersed_counts_is_that_of_as_many_independent_ones() {
    let after = |windows: u64| {
        let mut ratio = RateRatio::new();
        for id in 0..windows {
            let _ = ratio.observe(&window(id, (1_000, 100), (1_000, 50))).unwrap();
        }
        ratio
    };
    let (dispersed, fewer) =
        (after(20).dispersed_interval(0.01, 4.0).unwrap(), after(5).interval(0.01).unwrap());
    assert!((dispersed.width() / fewer.width() - 1.0).abs() < 0.3, "{dispersed:?} {fewer:?}");
    assert_eq!(after(20).dispersed_interval(0.01, 1.0), after(20).interval(0.01));
    for dispersion in [0.5, f64::NAN, f64::INFINITY] {
        assert!(after(1).dispersed_interval(0.01, dispersion).is_err(), "{dispersion}");
    }
}
