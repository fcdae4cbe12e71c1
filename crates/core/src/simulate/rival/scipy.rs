//! The G statistic of scipy 1.17, by a sum that cancels.

/// `2 Σ O ln(O / E)` over observed and expected counts, term by term, with `0 ln 0 = 0`.
///
/// The terms are as large as the counts and their sum is near zero: at counts of 1e9 eight digits are left. The G of
/// [`contingency`](crate::stats::contingency) sums deviances, which are all above 0.
pub fn g_statistic(cells: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    let term = |(observed, expected): (f64, f64)| {
        if observed == 0.0 { 0.0 } else { 2.0 * (observed * libm::log(observed / expected)) }
    };
    cells.into_iter().map(term).sum()
}

/// Observed and expected counts of a table, the observed moved by up to ½ towards the expected if `yates` and the table
/// is two by two.
pub fn expected<Row: AsRef<[u64]>>(rows: &[Row], yates: bool) -> Vec<(f64, f64)> {
    let sum = |row: &Row| row.as_ref().iter().map(|&count| count as f64).sum::<f64>();
    let sums: Vec<f64> = rows.iter().map(sum).collect();
    let total: f64 = sums.iter().sum();
    let columns = rows.iter().map(|row| row.as_ref().len()).max().unwrap_or(0);
    let column = |index: usize| -> f64 {
        rows.iter().filter_map(|row| row.as_ref().get(index)).map(|&count| count as f64).sum()
    };
    let columns: Vec<f64> = (0..columns).map(column).collect();
    let yates = yates && rows.len() == 2 && columns.len() == 2;
    let mut cells = Vec::new();
    for (row, row_sum) in rows.iter().zip(&sums) {
        for (&count, column_sum) in row.as_ref().iter().zip(&columns) {
            let (observed, expected) = (count as f64, row_sum * column_sum / total);
            let difference = expected - observed;
            let moved = if yates { difference.abs().min(0.5).copysign(difference) } else { 0.0 };
            cells.push((observed + moved, expected));
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::contingency::{Statistic, independence};

    #[test]
    fn the_plain_sum_loses_eight_digits_at_a_thousand_million() {
        let rows = [[1_000_000_u64, 999_000_000], [1_005_000, 998_995_000]];
        let own = independence(&rows, Statistic::LikelihoodRatio, false).unwrap().statistic;
        let plain = g_statistic(expected(&rows, false));
        // The truth to forty digits begins so.
        let truth = 12.481_353_397_695_247;
        assert!((own / truth - 1.0).abs() < 1e-12, "{own}");
        assert!((plain / truth - 1.0).abs() > 1e-8, "{plain}");
    }
}
