//! A million subjects spread evenly over all places, and independently under every salt.
//!
//! The names are the same in every run, so each of these is one draw: a p-value below one in ten thousand would be found
//! in one of ten thousand hash functions that are as good as chance.

use serinus_core::{
    cohort::{Salt, Trial},
    stats::special::chi_squared_sf,
    traffic::Weight,
};

const SUBJECTS: u32 = 1_000_000;
const CHANCE: f64 = 1e-4;

#[test]
fn a_million_subjects_are_spread_evenly() {
    for (salt, name) in
        [("checkout", "user-"), ("", "user-"), ("a much longer salt, as a path/of/some/thing", "")]
    {
        for cells in [2, 7, 100, 1000] {
            let salt = Salt::new(salt);
            let mut counts = vec![0_u32; cells];
            for subject in subjects(name) {
                counts[cell(salt.place(subject).part(), cells)] += 1;
            }
            let (statistic, probability) = goodness_of_fit(&counts);
            assert!(
                probability > CHANCE,
                "`{salt}`, {cells} cells: {statistic} has probability {probability}"
            );
        }
    }
}

#[test]
fn numbers_as_bytes_are_spread_evenly_too() {
    let salt = Salt::new("devices");
    let mut counts = vec![0_u32; 1000];
    for subject in 0..SUBJECTS {
        counts[cell(salt.place(subject.to_le_bytes()).part(), 1000)] += 1;
    }
    let (statistic, probability) = goodness_of_fit(&counts);
    assert!(probability > CHANCE, "{statistic} has probability {probability}");
}

#[test]
fn two_salts_are_independent() {
    for (one, other) in [("checkout", "search"), ("checkout", "checkout#2"), ("a", "b"), ("", "x")] {
        let (first, second) = (Salt::new(one), Salt::new(other));
        let mut table = [[0_u32; 10]; 10];
        for subject in subjects("user-") {
            let row = cell(first.place(&subject).part(), 10);
            table[row][cell(second.place(&subject).part(), 10)] += 1;
        }
        let probability = independence(&table);
        assert!(probability > CHANCE, "`{one}` and `{other}`: {probability}");
    }
}

#[test]
fn one_salt_is_not_independent_of_itself() {
    // So the test above can fail.
    let salt = Salt::new("checkout");
    let mut table = [[0_u32; 10]; 10];
    for subject in subjects("user-").take(10_000) {
        let row = cell(salt.place(&subject).part(), 10);
        table[row][row] += 1;
    }
    assert!(independence(&table) < CHANCE);
}

#[test]
fn cohorts_of_a_trial_have_their_shares() {
    let salt = Salt::new("checkout");
    for percent in [0.1, 1.0, 12.5, 50.0] {
        let trial = Trial::even(Weight::percent(percent));
        let mut counts = [0_u32; 3];
        for subject in subjects("user-") {
            counts[trial.cohort_of(salt.place(subject)) as usize] += 1;
        }
        let expected = f64::from(SUBJECTS) * percent / 100.0;
        for count in &counts[..2] {
            // Five standard deviations.
            assert!((f64::from(*count) - expected).abs() < 5.0 * expected.sqrt(), "{percent}%: {counts:?}");
        }
    }
}

fn subjects(name: &str) -> impl Iterator<Item = String> {
    (0..SUBJECTS).map(move |number| format!("{name}{number}"))
}

/// One of some cells, as equal as parts can be shared out.
fn cell(part: u32, cells: usize) -> usize {
    part as usize * cells / 100_000
}

/// Pearson's chi-square of equal cells, and the probability of one at least as large.
fn goodness_of_fit(counts: &[u32]) -> (f64, f64) {
    let cells = counts.len() as f64;
    let expected = f64::from(counts.iter().sum::<u32>()) / cells;
    let statistic = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
    (statistic, chi_squared_sf(statistic, cells - 1.0))
}

/// The probability of a table at least as far from independence as this one.
fn independence(table: &[[u32; 10]; 10]) -> f64 {
    let total: f64 = table.iter().flatten().map(|count| f64::from(*count)).sum();
    let row_sums = table.map(|row| row.iter().map(|count| f64::from(*count)).sum::<f64>());
    let mut statistic = 0.0;
    for column in 0..10 {
        let column_sum: f64 = table.iter().map(|row| f64::from(row[column])).sum();
        for (row, row_sum) in table.iter().zip(row_sums) {
            let expected = row_sum * column_sum / total;
            statistic += (f64::from(row[column]) - expected).powi(2) / expected;
        }
    }
    chi_squared_sf(statistic, 81.0)
}
