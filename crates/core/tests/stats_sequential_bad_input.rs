//! What confidence sequences and combinations cannot answer is a named error, and their state is then as before.

use serinus_core::stats::{
    Side, Undefined,
    anytime_t::AnytimeT,
    bands::{cdf_half_width, cdf_half_width_closed, quantile_bound, quantile_p_value, stitching_bound},
    bernoulli::confidence_sequence,
    betting::{Betting, BettingInterval, EmpiricalBernstein, Hoeffding},
    combine::{any_of, calibrate, e_bh, log_mean, log_product, log_weighted_mean, to_p_value},
    evidence::{EProcess as _, EvidenceError, Observed},
    exceedance::ExceedanceHistogram,
    grid::{RatioGrid, ScoreMixture},
    mixture::{
        AsymptoticMean, BetaBinomialMixture, GammaExponentialMixture, GammaPoissonMixture, Mixture as _,
        NormalMixture, NormalRatio, asymptotic_half_width, asymptotic_tuning, asymptotic_tuning_exact,
        bernoulli_log_ratio, normal_log_ratio, normal_ratio_radius, poisson_log_ratio,
    },
    sample_ratio::SampleRatio,
};

const NO_PROBABILITY: [f64; 6] = [0.0, 1.0, -0.1, 1.5, f64::NAN, f64::INFINITY];
const NOT_POSITIVE: [f64; 4] = [0.0, -1.0, f64::NAN, f64::INFINITY];
const NOT_FINITE: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

/// Refused as an argument out of range, with the value in the message.
fn refused<T: std::fmt::Debug>(answer: Result<T, Undefined>) {
    assert!(matches!(answer, Err(Undefined::OutOfRange { .. })), "{answer:?}");
}

#[test]
fn error_probabilities_lie_between_zero_and_one() {
    let design = AnytimeT::new(100, 2, 1.0).unwrap();
    for alpha in NO_PROBABILITY {
        refused(design.radius(alpha));
        refused(design.normal_radius(alpha));
        refused(cdf_half_width(100.0, 10.0, alpha, 0.85));
        refused(cdf_half_width_closed(100.0, 10.0, alpha));
        refused(stitching_bound(10.0, alpha, 1.0, 0.0, 1.4, 2.0));
        refused(quantile_bound(0.5, 100.0, alpha, 10.0));
        refused(quantile_p_value(&[1.0], &[2.0], 0.5, 100.0, alpha));
        refused(confidence_sequence(1, 10, alpha, 100.0, 0.05));
        refused(confidence_sequence(1, 10, 0.05, 100.0, alpha));
        refused(EmpiricalBernstein::new(alpha));
        refused(Hoeffding::new(alpha));
        refused(Betting::new(0.5, alpha));
        refused(BettingInterval::new(10, alpha));
        refused(e_bh(&[1.0], alpha));
        refused(any_of(&[1.0], &[1.0], alpha));
        refused(calibrate(0.5, alpha));
        refused(NormalMixture::two_sided(1.0, alpha));
        refused(NormalMixture::two_sided(1.0, 0.05).unwrap().bound(1.0, alpha));
        refused(asymptotic_tuning(1.0, alpha, Side::TwoSided));
        refused(asymptotic_tuning_exact(1.0, alpha));
        refused(asymptotic_half_width(10.0, 1.0, alpha, Side::Greater));
        refused(normal_ratio_radius(1.0, 1.0, alpha));
        refused(SampleRatio::new(&[0.5, 0.5], 100.0).unwrap().log_ratio_interval(alpha));
    }
    for alpha in [0.5, 0.9] {
        refused(NormalMixture::one_sided(1.0, alpha));
        refused(ScoreMixture::new(1.0, alpha));
        refused(BetaBinomialMixture::one_sided(1.0, alpha, 0.5, 0.5));
        refused(GammaExponentialMixture::new(1.0, alpha, 1.0));
        refused(GammaPoissonMixture::new(1.0, alpha, 1.0));
    }
}

#[test]
fn scales_and_variances_are_positive() {
    for wrong in NOT_POSITIVE {
        refused(AnytimeT::new(100, 2, wrong));
        refused(cdf_half_width(wrong, 10.0, 0.05, 0.85));
        refused(quantile_bound(0.5, wrong, 0.05, 1.0));
        refused(confidence_sequence(1, 10, 0.05, wrong, 0.05));
        refused(NormalMixture::two_sided(wrong, 0.05));
        refused(BetaBinomialMixture::two_sided(1.0, 0.05, wrong, 0.5));
        refused(BetaBinomialMixture::two_sided(1.0, 0.05, 0.5, wrong));
        refused(GammaExponentialMixture::new(1.0, 0.05, wrong));
        refused(GammaPoissonMixture::new(wrong, 0.05, 1.0));
        refused(asymptotic_tuning(wrong, 0.05, Side::Less));
        refused(asymptotic_half_width(wrong, 1.0, 0.05, Side::TwoSided));
        refused(normal_log_ratio(1.0, wrong, 1.0, 0.0));
        refused(normal_log_ratio(1.0, 1.0, wrong, 0.0));
        refused(bernoulli_log_ratio(1, 2, 0.5, (wrong, 1.0)));
        refused(poisson_log_ratio(1, 1.0, wrong, (1.0, 1.0)));
        refused(NormalRatio::new(0.0, wrong, 1.0));
        refused(SampleRatio::new(&[0.5, 0.5], wrong));
        refused(SampleRatio::of_weights(&[1.0, wrong], 100.0));
        refused(ExceedanceHistogram::weighted(RatioGrid::harm(1.0).unwrap(), &[1.0], &[wrong]).map(drop));
        refused(log_weighted_mean(&[1.0], &[wrong]));
    }
}

#[test]
fn observations_that_are_no_numbers_change_nothing() {
    let mut bernstein = EmpiricalBernstein::new(0.05).unwrap();
    let mut hoeffding = Hoeffding::new(0.05).unwrap();
    let mut betting = Betting::new(0.5, 0.05).unwrap();
    let mut curve = BettingInterval::new(10, 0.05).unwrap();
    let mut mean = AsymptoticMean::new();
    let mut normal = NormalRatio::new(0.0, 1.0, 1.0).unwrap();
    for value in [0.2, 0.9, 0.4] {
        bernstein.observe(value).unwrap();
        hoeffding.observe(value).unwrap();
        betting.observe(value).unwrap();
        curve.observe(value).unwrap();
        mean.observe(value).unwrap();
        normal.observe(value).unwrap();
    }
    let before = (bernstein, hoeffding, betting, curve.clone(), mean, normal);
    for wrong in NOT_FINITE {
        refused(mean.observe(wrong));
        refused(normal.observe(wrong));
        refused(AnytimeT::new(10, 1, 1.0).unwrap().log_e(wrong));
        refused(quantile_p_value(&[1.0, wrong], &[2.0], 0.5, 100.0, 0.05));
        refused(normal_log_ratio(wrong, 1.0, 1.0, 0.0));
    }
    for wrong in [f64::NAN, f64::INFINITY, -0.1, 1.1] {
        refused(bernstein.observe(wrong));
        refused(hoeffding.observe(wrong));
        refused(betting.observe(wrong));
        refused(curve.observe(wrong));
    }
    assert_eq!((bernstein, hoeffding, betting, curve, mean, normal), before);
}

#[test]
fn no_observations_are_no_answer() {
    assert!(matches!(AnytimeT::new(2, 2, 1.0), Err(Undefined::TooFew { got: 2, needed: 3, .. })));
    assert!(matches!(AnytimeT::new(0, u64::MAX, 1.0), Err(Undefined::TooFew { .. })));
    assert!(matches!(confidence_sequence(0, 0, 0.05, 100.0, 0.05), Err(Undefined::TooFew { .. })));
    assert!(matches!(quantile_p_value(&[], &[1.0], 0.5, 100.0, 0.05), Err(Undefined::TooFew { .. })));
    let mut mean = AsymptoticMean::new();
    assert!(matches!(mean.estimate(), Err(Undefined::TooFew { needed: 1, .. })));
    mean.observe(3.0).unwrap();
    assert!(matches!(mean.interval(1.0, 0.05), Err(Undefined::TooFew { got: 1, needed: 2, .. })));
    for empty in [log_mean(&[]), log_product(&[]), log_weighted_mean(&[], &[])] {
        assert!(matches!(empty, Err(Undefined::TooFew { .. })), "{empty:?}");
    }
    assert!(e_bh(&[], 0.05).is_err() && any_of(&[], &[], 0.05).is_err());
    assert!(matches!(log_weighted_mean(&[1.0], &[1.0, 2.0]), Err(Undefined::Unequal { .. })));
    // Before the first observation the intervals are all there is.
    let whole = EmpiricalBernstein::new(0.05).unwrap().interval();
    assert_eq!((whole.lower, whole.upper), (0.0, 1.0));
    assert_eq!(Hoeffding::new(0.05).unwrap().interval(), whole);
    assert_eq!(BettingInterval::new(10, 0.05).unwrap().interval(), whole);
    assert_eq!(Betting::new(0.5, 0.05).unwrap().p_value(), 1.0);
}

#[test]
fn counts_that_cannot_be_are_refused() {
    refused(confidence_sequence(3, 2, 0.05, 100.0, 0.05));
    refused(bernoulli_log_ratio(3, 2, 0.5, (1.0, 1.0)));
    refused(poisson_log_ratio(1, 0.0, 1.0, (1.0, 1.0)));
    assert_eq!(poisson_log_ratio(0, 0.0, 1.0, (1.0, 1.0)), Ok(0.0));
    assert!(
        confidence_sequence(u64::MAX, u64::MAX, 0.05, 100.0, 0.05)
            .is_ok_and(|interval| interval.upper == 1.0)
    );
    assert!(bernoulli_log_ratio(u64::MAX / 2, u64::MAX, 0.5, (1.0, 1.0)).is_ok_and(f64::is_finite));
}

#[test]
fn e_values_that_are_no_numbers_are_refused() {
    for list in [&[f64::NAN][..], &[1.0, f64::NAN]] {
        assert!(log_mean(list).is_err() && log_product(list).is_err() && e_bh(list, 0.05).is_err());
    }
    assert!(to_p_value(f64::NAN).is_err());
    for p in [-0.1, 1.1, f64::NAN] {
        refused(calibrate(p, 0.5));
    }
}

#[test]
fn a_split_seen_twice_or_of_nobody_says_nothing() {
    let mut split = SampleRatio::new(&[0.5, 0.5], 100.0).unwrap();
    assert_eq!(split.observe(3, &[0, 0]), Ok(Observed::NoInformation));
    assert_eq!(split.observe(4, &[10, 12]), Ok(Observed::Counted));
    let before = split.clone();
    assert_eq!(split.observe(4, &[1000, 0]), Ok(Observed::AlreadySeen));
    assert_eq!(split.observe(2, &[1000, 0]), Ok(Observed::AlreadySeen));
    assert!(matches!(split.observe(5, &[u64::MAX, 0]), Err(EvidenceError::TooMany { .. })));
    assert!(matches!(split.observe(5, &[1, 2, 3]), Err(EvidenceError::Shape { got: 3, expected: 2, .. })));
    assert_eq!(split, before);
    let three = SampleRatio::new(&[0.5, 0.25, 0.25], 100.0).unwrap();
    refused(three.log_ratio_interval(0.05));
    assert!(matches!(split.clone().next_stage(&[0.2, 0.3, 0.5]), Err(Undefined::Unequal { .. })));
    let mut later = split.next_stage(&[0.9, 0.1]).unwrap();
    assert!(matches!(later.merge(&before), Err(EvidenceError::Different { .. })));
}
