//! Laws that every test of one fixed sample keeps, for random data.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serinus_core::stats::{
    bayes::{Prior, compare_proportions},
    contingency::{Statistic, Table, conditional_odds_ratio, fisher_exact, goodness_of_fit, independence},
    drift::compare,
    means::{Moments, welch_t},
    poisson::{Rate, compare_rates, rate_ratio_interval},
    proportions::{
        Proportion, agresti_caffo_interval, clopper_pearson_interval, miettinen_nurminen_interval,
        newcombe_interval, pooled_z, score_z, wilson_interval,
    },
    ranks::{kolmogorov_smirnov, mann_whitney, shift},
};

fn proportion() -> impl Strategy<Value = Proportion> {
    (1_u64..5_000)
        .prop_flat_map(|trials| (0..=trials).prop_map(move |events| Proportion::new(events, trials).unwrap()))
}

/// Values with ties, in the unit 1.
fn sample() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((0_i32..40).prop_map(|value| f64::from(value) * 0.25), 2..40)
}

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-9 * (1.0 + left.abs().max(right.abs()))
}

proptest! {
    #[test]
    fn exchanging_the_arms_mirrors_a_comparison_of_shares(control in proportion(), candidate in proportion()) {
        if let (Ok(one), Ok(other)) = (pooled_z(control, candidate), pooled_z(candidate, control)) {
            prop_assert!(close(one.z, -other.z) && close(one.greater, other.less));
            prop_assert!(close(one.greater + one.less, 1.0));
        }
        for interval in [newcombe_interval, agresti_caffo_interval, miettinen_nurminen_interval] {
            let (one, other) = (interval(control, candidate, 0.05).unwrap(), interval(candidate, control, 0.05).unwrap());
            prop_assert!(close(one.lower, -other.upper) && close(one.upper, -other.lower));
            prop_assert!(one.lower >= -1.0 - 1e-9 && one.upper <= 1.0 + 1e-9 && one.lower <= one.upper);
        }
    }

    #[test]
    fn the_score_interval_holds_what_the_score_test_does_not_reject(
        control in proportion(), candidate in proportion(), value in -0.9_f64..0.9,
    ) {
        let interval = miettinen_nurminen_interval(control, candidate, 0.05).unwrap();
        if let Ok(test) = score_z(control, candidate, value) {
            let margin = (value - interval.lower).abs().min((value - interval.upper).abs());
            prop_assert!(margin < 1e-6 || interval.contains(value) == (test.two_sided > 0.05));
        }
    }

    #[test]
    fn intervals_of_a_share_hold_it_and_nest(of in proportion()) {
        for interval in [wilson_interval, clopper_pearson_interval] {
            let (wide, narrow) = (interval(of, 0.01).unwrap(), interval(of, 0.2).unwrap());
            prop_assert!(narrow.contains(of.share()));
            prop_assert!(wide.lower <= narrow.lower && narrow.upper <= wide.upper);
            prop_assert!(wide.lower >= 0.0 && wide.upper <= 1.0);
        }
    }

    #[test]
    fn fishers_tails_overlap_in_the_table_seen(cells in prop::array::uniform4(0_u64..200)) {
        let [a, b, c, d] = cells;
        let (table, swapped) = (Table::new([a, b], [c, d]), Table::new([c, d], [a, b]));
        if let Ok(p) = fisher_exact(&table) {
            let other = fisher_exact(&swapped).unwrap();
            prop_assert!(close(p.two_sided, other.two_sided), "{p:?} {other:?}");
            prop_assert!(close(p.greater, other.less) && p.greater + p.less >= 1.0 - 1e-12);
            prop_assert!(p.two_sided >= p.greater.min(p.less) - 1e-12);
            if let Ok(odds) = conditional_odds_ratio(&table, 0.05) {
                prop_assert!(odds.interval.contains(odds.estimate));
                // A one-sided p-value of at most 2.5 % is a limit beyond 1.
                prop_assert_eq!(odds.interval.lower > 1.0, p.greater < 0.025);
            }
        }
    }

    #[test]
    fn a_table_and_its_transpose_are_as_dependent(cells in prop::array::uniform6(0_u64..500)) {
        let [a, b, c, d, e, f] = cells;
        for statistic in [Statistic::Pearson, Statistic::LikelihoodRatio] {
            let wide = independence(&[[a, b, c], [d, e, f]], statistic, false);
            let tall = independence(&[[a, d], [b, e], [c, f]], statistic, false);
            prop_assert_eq!(wide.is_ok(), tall.is_ok());
            if let (Ok(wide), Ok(tall)) = (wide, tall) {
                prop_assert!(close(wide.statistic, tall.statistic) && wide.statistic >= 0.0);
                prop_assert!((0.0..=1.0).contains(&wide.p));
            }
        }
    }

    #[test]
    fn weights_of_a_split_have_no_unit(counts in prop::collection::vec(1_u64..1000, 2..6), unit in 1e-6_f64..1e6) {
        let weights: Vec<f64> = (1..=counts.len()).map(|weight| weight as f64).collect();
        let scaled: Vec<f64> = weights.iter().map(|weight| weight * unit).collect();
        let one = goodness_of_fit(&counts, &weights, Statistic::Pearson).unwrap();
        let other = goodness_of_fit(&counts, &scaled, Statistic::Pearson).unwrap();
        prop_assert!(close(one.statistic, other.statistic));
    }

    #[test]
    fn merging_moments_is_observing_together(left in sample(), right in sample()) {
        let moments = |values: &[f64]| values.iter().copied().collect::<Moments>();
        let merged = moments(&left).merge(moments(&right));
        let together = moments(&[left, right].concat());
        prop_assert_eq!(merged.count(), together.count());
        prop_assert!(close(merged.mean(), together.mean()));
        prop_assert!(close(merged.variance().unwrap(), together.variance().unwrap()));
    }

    #[test]
    fn no_verdict_depends_on_the_unit(control in sample(), candidate in sample(), power in -12_i32..12) {
        let unit = 10_f64.powi(power);
        let scaled = |values: &[f64]| values.iter().map(|value| value * unit).collect::<Vec<_>>();
        let (control_scaled, candidate_scaled) = (scaled(&control), scaled(&candidate));
        let moments = |values: &[f64]| values.iter().copied().collect::<Moments>();
        let welch = welch_t(&moments(&control), &moments(&candidate));
        if let (Ok(one), Ok(other)) = (welch, welch_t(&moments(&control_scaled), &moments(&candidate_scaled))) {
            prop_assert!((one.p_two_sided() - other.p_two_sided()).abs() < 1e-6);
        }
        prop_assert_eq!(
            mann_whitney(&control, &candidate).unwrap(),
            mann_whitney(&control_scaled, &candidate_scaled).unwrap()
        );
        let (one, other) = (shift(&control, &candidate).unwrap(), shift(&control_scaled, &candidate_scaled).unwrap());
        prop_assert!(close(one.estimate, other.estimate / unit));
        if let (Ok(one), Ok(other)) = (one.interval(0.05), other.interval(0.05)) {
            prop_assert!(close(one.interval.lower, other.interval.lower / unit));
            prop_assert!(close(one.interval.upper, other.interval.upper / unit));
        }
    }

    #[test]
    fn a_shift_moves_with_the_candidate(control in sample(), candidate in sample(), by in -64_i32..64) {
        // A multiple of a quarter, so that nothing is rounded.
        let by = f64::from(by) * 0.25;
        let moved: Vec<f64> = candidate.iter().map(|value| value + by).collect();
        let (before, after) = (shift(&control, &candidate).unwrap(), shift(&control, &moved).unwrap());
        prop_assert_eq!(before.estimate + by, after.estimate);
        let (before, after) = (before.asymptotic_interval(0.1), after.asymptotic_interval(0.1));
        if let (Ok(before), Ok(after)) = (before, after) {
            prop_assert_eq!(before.interval.lower + by, after.interval.lower);
            prop_assert_eq!(before.interval.upper + by, after.interval.upper);
        }
    }

    #[test]
    fn ranks_see_no_difference_between_a_sample_and_itself(values in sample()) {
        let test = mann_whitney(&values, &values).unwrap();
        prop_assert_eq!(test.effect(), 0.5);
        let distance = kolmogorov_smirnov(&values, &values).unwrap();
        prop_assert_eq!(distance.distance(), 0.0);
        prop_assert_eq!(distance.p(), Ok(1.0));
        prop_assert_eq!(shift(&values, &values).unwrap().estimate, 0.0);
    }

    #[test]
    fn exact_rank_tests_agree_with_counting_every_order(first in 1_usize..5, second in 1_usize..5, pick in any::<u64>()) {
        // One order of the ranks 0..n, as the set of the candidate's ranks; all others are counted.
        let all = first + second;
        let orders: Vec<u32> = (0_u32..1 << all).filter(|order| order.count_ones() as usize == second).collect();
        let split = |order: u32| {
            let side = |bit| (0..all).filter(|rank| (order >> rank & 1 == 1) == bit).map(|rank| rank as f64).collect::<Vec<_>>();
            (side(false), side(true))
        };
        let seen = orders[(pick % orders.len() as u64) as usize];
        let (control, candidate) = split(seen);
        let test = mann_whitney(&control, &candidate).unwrap();
        let distance = kolmogorov_smirnov(&control, &candidate).unwrap();
        let of = |order: &u32| {
            let (control, candidate) = split(*order);
            (mann_whitney(&control, &candidate).unwrap().u(), kolmogorov_smirnov(&control, &candidate).unwrap())
        };
        let share = |is: &dyn Fn(&u32) -> bool| {
            orders.iter().filter(|order| is(order)).count() as f64 / orders.len() as f64
        };
        let exact = test.exact().unwrap();
        prop_assert!(close(exact.greater, share(&|order| of(order).0 >= test.u())));
        prop_assert!(close(exact.less, share(&|order| of(order).0 <= test.u())));
        let at_least = |left: f64, right: f64| left >= right - 1e-12;
        let p = share(&|order| at_least(of(order).1.distance(), distance.distance()));
        prop_assert!(close(distance.exact().unwrap(), p));
        let p = share(&|order| at_least(of(order).1.candidate_greater(), distance.candidate_greater()));
        prop_assert!(close(distance.exact_greater().unwrap(), p));
        let p = share(&|order| at_least(of(order).1.candidate_less(), distance.candidate_less()));
        prop_assert!(close(distance.exact_less().unwrap(), p));
    }

    #[test]
    fn rates_are_compared_alike_in_every_unit_of_exposure(
        x1 in 0_u64..300, x2 in 0_u64..300, e1 in 1.0_f64..1e6, e2 in 1.0_f64..1e6, unit in 1e-6_f64..1e6,
    ) {
        let compare = |unit: f64| {
            let (control, candidate) = (Rate::new(x1, e1 * unit).unwrap(), Rate::new(x2, e2 * unit).unwrap());
            compare_rates(control, candidate, 1.0).map(|test| (test, rate_ratio_interval(control, candidate, 0.05).unwrap()))
        };
        if let (Ok((one, limits)), Ok((other, _))) = (compare(1.0), compare(unit)) {
            prop_assert!((one.greater - other.greater).abs() < 1e-9 && (one.less - other.less).abs() < 1e-9);
            prop_assert!(one.greater + one.less >= 1.0 - 1e-9);
            prop_assert!(limits.contains(one.ratio));
            prop_assert!((one.greater - 0.025).abs() < 1e-9 || (limits.lower > 1.0) == (one.greater < 0.025));
        }
    }

    #[test]
    fn beliefs_about_two_shares_add_up(control in proportion(), candidate in proportion()) {
        let one = compare_proportions(control, candidate, Prior::UNIFORM).unwrap();
        let other = compare_proportions(candidate, control, Prior::UNIFORM).unwrap();
        prop_assert!(close(one.chance_greater + other.chance_greater, 1.0));
        prop_assert!(close(one.expected_increase, other.expected_decrease));
        prop_assert!(one.expected_increase >= 0.0 && one.expected_decrease >= 0.0);
    }

    #[test]
    fn distances_between_histograms_are_symmetric_and_bounded(
        pairs in prop::collection::vec((0_u64..50, 0_u64..50), 2..12),
    ) {
        let (reference, current): (Vec<u64>, Vec<u64>) = pairs.into_iter().unzip();
        if let (Ok(one), Ok(other)) = (compare(&reference, &current), compare(&current, &reference)) {
            prop_assert!(close(one.jensen_shannon, other.jensen_shannon));
            prop_assert!(close(one.stability_index, other.stability_index));
            for bounded in [one.jensen_shannon, one.hellinger, one.total_variation, one.kolmogorov_smirnov, one.p.unwrap_or(0.0)] {
                prop_assert!((0.0..=1.0 + 1e-12).contains(&bounded), "{one:?}");
            }
            prop_assert!(one.kolmogorov_smirnov <= one.total_variation + 1e-12);
        }
    }
}
