//! Probabilities of single counts: binomial and hypergeometric.
//!
//! The factorials are not taken as differences of large logarithms, which loses seven digits at counts of 1e9, but as
//! Stirling's main terms, combined into deviances, and what remains of them (Loader 2000).

use std::f64::consts::PI;

use super::special::{deviance, stirling_remainder};

/// `ln P(X = k)` of a binomial with `n` trials; `q` is `1 - p`, given apart because it may be tiny.
pub(crate) fn ln_binomial(k: f64, n: f64, p: f64, q: f64) -> f64 {
    if k < 0.0 || k > n {
        return f64::NEG_INFINITY;
    }
    if p == 0.0 {
        return if k == 0.0 { 0.0 } else { f64::NEG_INFINITY };
    }
    if q == 0.0 {
        return if k == n { 0.0 } else { f64::NEG_INFINITY };
    }
    if k == 0.0 {
        return n * if p < 0.1 { libm::log1p(-p) } else { libm::log(q) };
    }
    if k == n {
        return n * if q < 0.1 { libm::log1p(-q) } else { libm::log(p) };
    }
    let rest = n - k;
    stirling_remainder(n)
        - stirling_remainder(k)
        - stirling_remainder(rest)
        - deviance(k, n * p)
        - deviance(rest, n * q)
        + 0.5 * libm::log(n / (2.0 * PI * k * rest))
}

/// `ln P(X = k)` where `drawn` are drawn from `total`, of which `marked` are marked, and `k` of those drawn are marked.
pub(crate) fn ln_hypergeometric(k: f64, marked: f64, drawn: f64, total: f64) -> f64 {
    let unmarked = total - marked;
    if k < 0.0 || k > marked || k > drawn || drawn - k > unmarked {
        return f64::NEG_INFINITY;
    }
    if drawn == 0.0 || drawn == total {
        return 0.0;
    }
    let (p, q) = (drawn / total, (total - drawn) / total);
    ln_binomial(k, marked, p, q) + ln_binomial(drawn - k, unmarked, p, q) - ln_binomial(drawn, total, p, q)
}

/// The sum `1 + r(0) + r(0) r(1) + …` of a tail whose neighbouring terms have the ratios `ratio(0), ratio(1), …`, at
/// most `steps` of them; stops when a term no longer counts.
pub(crate) fn tail(steps: f64, mut ratio: impl FnMut(f64) -> f64) -> f64 {
    let (mut sum, mut term, mut step) = (1.0, 1.0, 0.0);
    while step < steps {
        term *= ratio(step);
        sum += term;
        if term < sum * NEGLIGIBLE {
            break;
        }
        step += 1.0;
    }
    sum
}

/// The least distance from 1 to `span` that is `improbable`, where all greater ones are too; `None` if none is.
pub(crate) fn first_improbable(span: f64, improbable: impl Fn(f64) -> bool) -> Option<f64> {
    if span < 1.0 || !improbable(span) {
        return None;
    }
    let (mut probable, mut found) = (0.0, span);
    for _ in 0..MOST_HALVINGS {
        let middle = ((probable + found) / 2.0).floor();
        if middle <= probable || middle >= found {
            break;
        }
        if improbable(middle) { found = middle } else { probable = middle }
    }
    Some(found)
}

/// A term below this share of the sum cannot change it.
const NEGLIGIBLE: f64 = 1e-18;
/// More than a range of `u64` can be halved.
const MOST_HALVINGS: usize = 70;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_probabilities_are_exact() {
        assert!(
            (ln_binomial(3.0, 7.0, 0.25, 0.75).exp() - 35.0 * 0.25_f64.powi(3) * 0.75_f64.powi(4)).abs()
                < 1e-15
        );
        assert!((ln_hypergeometric(8.0, 10.0, 9.0, 16.0).exp() - 45.0 * 6.0 / 11440.0).abs() < 1e-15);
        assert_eq!(ln_binomial(8.0, 7.0, 0.5, 0.5), f64::NEG_INFINITY);
        assert_eq!(ln_hypergeometric(3.0, 10.0, 2.0, 16.0), f64::NEG_INFINITY);
    }

    #[test]
    fn a_binomial_of_a_thousand_million_keeps_twelve_digits() {
        // At the mean: 1/sqrt(2 pi n p q), with the correction of order 1/n, which is below 1e-9 / 12 here.
        let (n, p) = (1e9, 0.5);
        let expected = -0.5 * (2.0 * PI * n * 0.25_f64).ln() - 0.25 / n;
        assert!((ln_binomial(5e8, n, p, p) - expected).abs() < 1e-12);
    }

    #[test]
    fn probabilities_sum_to_one() {
        let sum: f64 = (0..=300).map(|k| ln_binomial(f64::from(k), 300.0, 0.013, 0.987).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-13);
    }
}
