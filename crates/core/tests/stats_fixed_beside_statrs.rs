//! Where statrs is right we agree with it; where it is wrong the difference is shown.

#![expect(clippy::unwrap_used, reason = "tests")]

use serinus_core::stats::{
    contingency::{Table, fisher_exact},
    means::{Moments, welch_t},
    ranks::mann_whitney,
};
use statrs::{
    distribution::{ContinuousCDF, Discrete, Hypergeometric, StudentsT},
    stats_tests::{Alternative, fisher::fishers_exact},
};

/// The two-sided p-value of Fisher's test by its definition, term by term.
fn fisher_by_definition([a, b, c, d]: [u64; 4]) -> f64 {
    let law = Hypergeometric::new(a + b + c + d, a + b, a + c).unwrap();
    let seen = law.pmf(a);
    (0..=(a + b).min(a + c)).map(|cell| law.pmf(cell)).filter(|&p| p <= seen * (1.0 + 1e-7)).sum()
}

#[test]
fn on_small_tables_fishers_test_is_the_same() {
    for cells in [[8, 2, 1, 5], [3, 5, 4, 5], [2, 15, 9, 4], [0, 7, 3, 9]] {
        let [a, b, c, d] = cells;
        let own = fisher_exact(&Table::new([a, b], [c, d])).unwrap();
        let other = fishers_exact(&[a, c, b, d], Alternative::TwoSided).unwrap();
        assert!((own.two_sided - other).abs() < 1e-9, "{cells:?}: {own:?} {other}");
        assert!((own.two_sided - fisher_by_definition(cells)).abs() < 1e-9, "{cells:?}");
    }
}

#[test]
fn on_larger_tables_its_two_sided_fisher_is_wrong() {
    let [a, b, c, d] = [100_u64, 99_900, 140, 99_860];
    let own = fisher_exact(&Table::new([a, b], [c, d])).unwrap().two_sided;
    assert!((own - 0.011_614_113_849).abs() < 1e-9, "{own}");
    let (rows, swapped) = ([a, c, b, d], [c, a, d, b]);
    let other = fishers_exact(&rows, Alternative::TwoSided).unwrap();
    let other_swapped = fishers_exact(&swapped, Alternative::TwoSided).unwrap();
    assert!((other - own).abs() > 0.001 || (other_swapped - own).abs() > 0.1, "{other} {other_swapped}");
}

#[test]
fn welchs_p_value_is_that_of_its_t_distribution() {
    let control: Moments = [1.0, 2.0, 3.0, 4.0, 100.0].into_iter().collect();
    let candidate: Moments = [2.0, 3.0, 4.0, 5.5].into_iter().collect();
    let test = welch_t(&control, &candidate).unwrap();
    let law = StudentsT::new(0.0, 1.0, test.degrees_of_freedom).unwrap();
    assert!((test.p_two_sided() - 2.0 * law.sf(test.t().abs())).abs() < 1e-12);
}

#[test]
fn its_exact_mann_whitney_is_the_complement_when_the_first_sample_is_smaller() {
    use statrs::stats_tests::mannwhitneyu::{MannWhitneyUMethod, mannwhitneyu};
    let (first, second) = ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]);
    // No order is further from chance: 2 of the 35 orders.
    let own = mann_whitney(&first, &second).unwrap().exact().unwrap();
    assert!((own.two_sided - 2.0 / 35.0).abs() < 1e-15);
    let (_, other) = mannwhitneyu(&first, &second, MannWhitneyUMethod::Exact, Alternative::TwoSided).unwrap();
    assert!(other > 0.9, "{other}");
}
