//! What cannot be answered is a named error: never a p-value of 1, never a panic, never a pass.

#![expect(clippy::unwrap_used, reason = "tests")]

use serinus_core::stats::{
    Undefined,
    bayes::{NormalPrior, Prior, compare_proportions, effect_posterior},
    contingency::{Statistic, Table, conditional_odds_ratio, fisher_exact, goodness_of_fit, independence},
    drift::{Smoothing, compare, stability_index, wasserstein},
    means::{
        Covariate, Difference, Moments, RatioSums, cuped, ln_ratio_effect, mean_effect, ratio_effect, welch_t,
    },
    poisson::{Rate, compare_rates, rate_ratio_interval},
    power::{Design, power_of_pooled, power_of_t_test, sample_size_t, sample_size_unpooled, sample_size_z},
    proportions::{
        Proportion, clopper_pearson_interval, newcombe_interval, pooled_z, score_non_inferiority, score_z,
        wald_non_inferiority, wald_z, wilson_interval,
    },
    ranks::{
        kolmogorov_smirnov, kolmogorov_smirnov_of_histograms, mann_whitney, mann_whitney_of_histograms, shift,
    },
};

const NOT_FINITE: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
const NO_PROBABILITY: [f64; 6] = [0.0, 1.0, -0.1, 1.1, f64::NAN, f64::INFINITY];

fn share(events: u64, trials: u64) -> Proportion {
    Proportion::new(events, trials).unwrap()
}

#[test]
fn proportions_without_trials_or_with_too_many_events_do_not_exist() {
    assert!(matches!(Proportion::new(0, 0), Err(Undefined::TooFew { got: 0, .. })));
    assert!(matches!(Proportion::new(2, 1), Err(Undefined::OutOfRange { name: "events", .. })));
}

#[test]
fn arms_without_events_say_nothing_of_equality() {
    for (control, candidate) in [(share(0, 10), share(0, 20)), (share(10, 10), share(20, 20))] {
        assert!(matches!(pooled_z(control, candidate), Err(Undefined::NoInformation { .. })));
        assert!(matches!(wald_z(control, candidate), Err(Undefined::NoInformation { .. })));
        assert!(matches!(score_z(control, candidate, 0.0), Err(Undefined::NoInformation { .. })));
        assert!(matches!(
            wald_non_inferiority(control, candidate, 0.1),
            Err(Undefined::NoInformation { .. })
        ));
        // The score test has an answer, and it is not certain.
        let score = score_non_inferiority(control, candidate, 0.1).unwrap();
        assert!(score.p > 0.01 && score.p < 1.0, "{score:?}");
        // So has the interval, and it is not a point.
        assert!(newcombe_interval(control, candidate, 0.05).unwrap().width() > 0.1);
    }
}

#[test]
fn error_probabilities_lie_between_zero_and_one() {
    let (control, candidate) = (share(1, 10), share(2, 10));
    for alpha in NO_PROBABILITY {
        assert!(wilson_interval(control, alpha).is_err(), "{alpha}");
        assert!(clopper_pearson_interval(control, alpha).is_err(), "{alpha}");
        assert!(newcombe_interval(control, candidate, alpha).is_err(), "{alpha}");
        assert!(conditional_odds_ratio(&Table::new([1, 2], [3, 4]), alpha).is_err(), "{alpha}");
        assert!(Design::new(alpha, 0.8).is_err() && Design::new(0.05, alpha).is_err(), "{alpha}");
        let rates = (Rate::new(1, 1.0).unwrap(), Rate::new(1, 1.0).unwrap());
        assert!(rate_ratio_interval(rates.0, rates.1, alpha).is_err(), "{alpha}");
        assert!(shift(&[1.0, 2.0], &[3.0]).unwrap().interval(alpha).is_err(), "{alpha}");
    }
}

#[test]
fn counts_at_the_limit_of_their_type_are_answered_or_refused() {
    let huge = share(u64::MAX / 2, u64::MAX);
    assert!(pooled_z(huge, share(u64::MAX / 2 + 1, u64::MAX)).unwrap().z.is_finite());
    assert!(newcombe_interval(huge, huge, 0.05).unwrap().contains(0.0));
    let table = Table::new([u64::MAX, 1], [1, u64::MAX]);
    assert!(fisher_exact(&table).is_ok_and(|p| p.two_sided >= 0.0) || fisher_exact(&table).is_err());
    let even = Table::new([u64::MAX; 2], [u64::MAX; 2]);
    assert!(matches!(fisher_exact(&even), Err(Undefined::OutOfRange { .. })));
    assert!(independence(&[[u64::MAX; 2]; 2], Statistic::Pearson, true).is_ok());
    assert!(mann_whitney_of_histograms(&[u64::MAX; 3], &[u64::MAX; 3]).unwrap().asymptotic(true).is_ok());
    assert!(compare(&[u64::MAX; 3], &[u64::MAX; 3]).is_ok());
    assert!(kolmogorov_smirnov_of_histograms(&[u64::MAX, 0], &[0, u64::MAX]).is_ok());
    let rate = Rate::new(u64::MAX, 1e9).unwrap();
    assert!(compare_rates(rate, rate, 1.0).unwrap().greater > 0.0);
    assert!(compare_proportions(huge, huge, Prior::UNIFORM).is_err());
}

#[test]
fn tables_without_a_row_or_column_say_nothing() {
    for table in [
        Table::new([0, 0], [1, 2]),
        Table::new([1, 2], [0, 0]),
        Table::new([0, 5], [0, 5]),
        Table::new([5, 0], [5, 0]),
        Table::new([0, 0], [0, 0]),
    ] {
        assert!(matches!(fisher_exact(&table), Err(Undefined::NoInformation { .. })), "{table:?}");
        assert!(
            matches!(conditional_odds_ratio(&table, 0.05), Err(Undefined::NoInformation { .. })),
            "{table:?}"
        );
        let rows = [table.first, table.second];
        assert!(matches!(
            independence(&rows, Statistic::Pearson, false),
            Err(Undefined::NoInformation { .. })
        ));
    }
    assert!(matches!(
        independence::<[u64; 2]>(&[], Statistic::Pearson, false),
        Err(Undefined::TooFew { .. })
    ));
    let uneven = [vec![1, 2], vec![3]];
    assert!(matches!(independence(&uneven, Statistic::Pearson, false), Err(Undefined::Unequal { .. })));
}

#[test]
fn a_split_needs_counts_and_weights() {
    let test = |observed: &[u64], weights: &[f64]| goodness_of_fit(observed, weights, Statistic::Pearson);
    assert!(matches!(test(&[0, 0], &[1.0, 1.0]), Err(Undefined::NoInformation { .. })));
    assert!(matches!(test(&[1, 2], &[1.0]), Err(Undefined::Unequal { .. })));
    assert!(matches!(test(&[1, 2], &[1.0, 0.0]), Err(Undefined::TooFew { .. })));
    for weight in [f64::NAN, f64::INFINITY, -1.0] {
        assert!(matches!(test(&[1, 2], &[1.0, weight]), Err(Undefined::OutOfRange { name: "weight", .. })));
    }
    // What strays into an arm without weight does not make the others look too few.
    assert_eq!(test(&[50, 50, 40], &[1.0, 1.0, 0.0]).unwrap().p, 1.0);
    // A cell expected to hold less than one is answered, and marked.
    let rare = test(&[1, 0], &[1.0, 1.0]).unwrap();
    assert!(rare.least_expected < 1.0 && rare.reliable().is_err());
}

#[test]
fn means_need_two_observations_that_vary() {
    let moments = |values: &[f64]| values.iter().copied().collect::<Moments>();
    let two = moments(&[1.0, 2.0]);
    for few in [moments(&[]), moments(&[1.0])] {
        assert!(matches!(welch_t(&few, &two), Err(Undefined::TooFew { needed: 2, .. })));
        assert!(matches!(welch_t(&two, &few), Err(Undefined::TooFew { needed: 2, .. })));
    }
    let constant = moments(&[3.0, 3.0, 3.0]);
    assert!(matches!(welch_t(&constant, &moments(&[4.0, 4.0])), Err(Undefined::NoVariance { .. })));
    assert!(welch_t(&constant, &two).is_ok(), "one arm that varies is enough");
    let around_zero = moments(&[-1.0, 1.0]);
    assert!(matches!(
        mean_effect(&around_zero, &two, Difference::Relative),
        Err(Undefined::NoInformation { .. })
    ));
    for wrong in NOT_FINITE {
        assert!(Moments::new().push(wrong).is_err());
        assert!(moments(&[1.0, wrong, 2.0]).variance().is_err(), "{wrong}");
        assert!(Moments::from_summary(3, wrong, 1.0).is_err());
        assert!(Moments::from_sums(3, wrong, 1.0).is_err());
    }
    assert!(Moments::from_summary(3, 1.0, -1.0).is_err());
    assert!(Moments::from_sums(2, 10.0, 1.0).is_err(), "no sample has such sums");
}

#[test]
fn ratios_and_covariates_need_units_that_vary() {
    let sums = RatioSums {
        count: 10,
        numerator: 5.0,
        numerator_squares: 7.0,
        denominator: 50.0,
        denominator_squares: 300.0,
        products: 30.0,
    };
    assert!(ratio_effect(&sums, &sums, Difference::Absolute).is_ok());
    let still = RatioSums { numerator: 0.0, numerator_squares: 0.0, products: 0.0, ..sums };
    assert!(matches!(ratio_effect(&still, &sums, Difference::Relative), Err(Undefined::NoVariance { .. })));
    assert!(ln_ratio_effect(&still, &sums).is_err());
    let one = RatioSums { count: 1, ..sums };
    assert!(matches!(ratio_effect(&one, &sums, Difference::Absolute), Err(Undefined::TooFew { .. })));
    let empty = RatioSums { denominator: 0.0, ..sums };
    assert!(matches!(
        ratio_effect(&empty, &sums, Difference::Absolute),
        Err(Undefined::NoInformation { .. })
    ));
    for wrong in NOT_FINITE {
        let sums_wrong = RatioSums { products: wrong, ..sums };
        assert!(ratio_effect(&sums, &sums_wrong, Difference::Absolute).is_err());
        let covariate = Covariate { count: 3, metric: wrong, ..Covariate::default() };
        assert!(cuped(&covariate, &covariate, Difference::Absolute).is_err());
    }
    // A covariate that does not vary takes nothing out.
    let flat = Covariate {
        count: 4,
        metric: 10.0,
        metric_squares: 30.0,
        covariate: 8.0,
        covariate_squares: 16.0,
        products: 20.0,
    };
    let answer = cuped(&flat, &flat, Difference::Absolute).unwrap();
    assert_eq!((answer.theta, answer.effect), (0.0, answer.unadjusted));
}

#[test]
fn ranks_refuse_what_has_no_order() {
    assert!(matches!(mann_whitney(&[], &[1.0]), Err(Undefined::TooFew { .. })));
    assert!(matches!(kolmogorov_smirnov(&[1.0], &[]), Err(Undefined::TooFew { .. })));
    for wrong in NOT_FINITE {
        assert!(mann_whitney(&[1.0, wrong], &[1.0]).is_err(), "{wrong}");
        assert!(kolmogorov_smirnov(&[1.0], &[wrong]).is_err(), "{wrong}");
        assert!(shift(&[wrong], &[1.0]).is_err(), "{wrong}");
    }
    let tied = mann_whitney(&[2.0; 5], &[2.0; 7]).unwrap();
    assert!(matches!(tied.asymptotic(true), Err(Undefined::NoVariance { .. })));
    assert!(matches!(tied.asymptotic(false), Err(Undefined::NoVariance { .. })));
    assert!(matches!(tied.exact(), Err(Undefined::OutOfRange { .. })));
    assert!(shift(&[2.0; 5], &[2.0; 7]).unwrap().interval(0.05).is_err());
    let large: Vec<f64> = (0..51).map(f64::from).collect();
    assert!(mann_whitney(&large, &[0.5]).unwrap().exact().is_err());
    assert!(matches!(mann_whitney_of_histograms(&[1], &[1, 2]), Err(Undefined::Unequal { .. })));
    assert!(matches!(mann_whitney_of_histograms(&[0, 0], &[1, 2]), Err(Undefined::TooFew { .. })));
    // The two zeros are one number.
    assert!(mann_whitney(&[0.0], &[-0.0]).unwrap().asymptotic(true).is_err());
}

#[test]
fn samples_too_small_for_a_level_say_so() {
    let shift = shift(&[4.0, 5.0, 6.0], &[1.0, 2.0, 3.0]).unwrap();
    let widest = shift.interval(0.02).unwrap();
    assert!(!widest.reaches_level);
    assert_eq!((widest.interval.lower, widest.interval.upper), (-5.0, -1.0));
    assert!(shift.interval(0.2).unwrap().reaches_level);
}

#[test]
fn rates_need_exposure_and_events() {
    for exposure in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(Rate::new(1, exposure), Err(Undefined::OutOfRange { name: "exposure", .. })));
    }
    let none = Rate::new(0, 10.0).unwrap();
    assert!(matches!(compare_rates(none, none, 1.0), Err(Undefined::NoInformation { .. })));
    assert!(matches!(rate_ratio_interval(none, none, 0.05), Err(Undefined::NoInformation { .. })));
    let some = Rate::new(3, 10.0).unwrap();
    assert!(compare_rates(some, some, 0.0).is_err() && compare_rates(some, some, f64::NAN).is_err());
    assert_eq!(rate_ratio_interval(none, some, 0.05).unwrap().upper, f64::INFINITY);
    assert_eq!(rate_ratio_interval(some, none, 0.05).unwrap().lower, 0.0);
}

#[test]
fn beliefs_need_numbers() {
    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(Prior::new(wrong, 1.0).is_err() && Prior::new(1.0, wrong).is_err(), "{wrong}");
        assert!(NormalPrior::new(0.0, wrong).is_err(), "{wrong}");
        assert!(effect_posterior(0.0, wrong, None).is_err(), "{wrong}");
    }
    assert!(effect_posterior(f64::NAN, 1.0, None).is_err());
}

#[test]
fn plans_that_cannot_be_met_are_refused() {
    let design = Design::new(0.05, 0.8).unwrap();
    assert!(sample_size_unpooled(0.01, 0.01, design).is_err());
    for wrong in NO_PROBABILITY {
        assert!(sample_size_unpooled(wrong, 0.5, design).is_err(), "{wrong}");
        assert!(power_of_pooled(0.5, wrong, 100.0, design).is_err(), "{wrong}");
    }
    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(
            sample_size_z(wrong, design).is_err() && sample_size_t(wrong, design, true).is_err(),
            "{wrong}"
        );
        assert!(design.with_ratio(wrong).is_err(), "{wrong}");
        assert!(power_of_t_test(0.5, wrong, design, true).is_err(), "{wrong}");
    }
    // A power below the level needs no observations at all.
    assert!(sample_size_z(0.1, Design::new(0.5, 0.1).unwrap()).is_err());
}

#[test]
fn histograms_of_other_buckets_are_not_compared() {
    assert!(matches!(compare(&[1, 2], &[1, 2, 3]), Err(Undefined::Unequal { .. })));
    assert!(matches!(compare(&[0, 0], &[1, 2]), Err(Undefined::OutOfRange { .. })));
    assert!(matches!(compare(&[], &[]), Err(Undefined::OutOfRange { .. })));
    assert!(stability_index(&[1, 2], &[2, 1], Smoothing::Added(0.0)).is_err());
    for positions in [&[1.0, 1.0][..], &[2.0, 1.0], &[f64::NAN, 1.0], &[f64::INFINITY, f64::INFINITY], &[1.0]]
    {
        assert!(wasserstein(&[1, 2], &[2, 1], positions).is_err(), "{positions:?}");
    }
    let open = wasserstein(&[1, 2, 0], &[2, 0, 1], &[1.0, 2.0, f64::INFINITY]).unwrap();
    assert!(open.censored && open.distance > 0.0);
}

#[test]
fn drift_over_one_bucket_has_no_p_value() {
    let drift = compare(&[5, 0], &[9, 0]).unwrap();
    assert_eq!(drift.p, None);
    assert!(compare(&[5, 1], &[9, 0]).unwrap().p.is_some_and(|p| p > 0.0));
}
