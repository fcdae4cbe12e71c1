//! Its check of the split.

use crate::stats::special::chi_squared_sf;

/// The p-value of a chi-square test of the split; 1 without units.
///
/// An arm of weight 0 is left out of the sum and kept in the total and in the degrees of freedom, so that units that
/// stray into it make the others look too few, and its mere presence makes the test too weak.
pub fn check_sample_ratio(observed: &[f64], weights: &[f64]) -> f64 {
    let total: f64 = observed.iter().sum();
    if total == 0.0 {
        return 1.0;
    }
    let weight_sum: f64 = weights.iter().sum();
    let cells = observed.iter().zip(weights).filter(|&(_, &weight)| weight > 0.0);
    let distance = |(&observed, &weight): (&f64, &f64)| {
        let expected = weight / weight_sum * total;
        (observed - expected) * (observed - expected) / expected
    };
    let statistic: f64 = cells.map(distance).sum();
    chi_squared_sf(statistic, observed.len().saturating_sub(1) as f64)
}
