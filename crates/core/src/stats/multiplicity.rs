//! Many p-values at once.
//!
//! A rollback on *any* of several guardrails needs a correction, or ten healthy metrics stop every second rollout; a
//! promotion that needs *all* of them needs none (an intersection-union test). For e-values see
//! [`combine`](super::combine).
//!
//! ```
//! use serinus_core::stats::multiplicity::{Correction, adjust};
//!
//! let adjusted = adjust(&[0.01, 0.04, 0.03], Correction::Holm)?;
//! assert_eq!(adjusted, [0.03, 0.06, 0.06]);
//! # Ok::<(), serinus_core::stats::Undefined>(())
//! ```

use serde::{Deserialize, Serialize};

use super::{Undefined, probability, require};

/// What is held below `α`, and under which dependence between the p-values.
///
/// With the p-values sorted, `p₁ ≤ … ≤ pₘ`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "kebab-case")]
pub enum Correction {
    /// `m pᵢ`: the chance of any false alarm, under every dependence.
    Bonferroni,
    /// `1 - (1 - pᵢ)ᵐ`: the chance of any false alarm, for independent p-values.
    Sidak,
    /// `max over j ≤ i of (m - j + 1) pⱼ`: as Bonferroni, never weaker (Holm 1979). The default for guardrails.
    Holm,
    /// `min over j ≥ i of (m - j + 1) pⱼ`: the chance of any false alarm, for independent or positively dependent
    /// p-values (Hochberg 1988).
    Hochberg,
    /// The closed test over Simes' inequality: as [`Hochberg`](Self::Hochberg), never weaker (Hommel 1988). Takes
    /// time quadratic in the number of p-values.
    Hommel,
    /// `min over j ≥ i of m pⱼ / j`: the expected share of false alarms among the alarms, for independent or
    /// positively dependent p-values (Benjamini & Hochberg 1995).
    BenjaminiHochberg,
    /// The same times `1 + ½ + … + 1/m`: under every dependence (Benjamini & Yekutieli 2001).
    BenjaminiYekutieli,
}

/// The adjusted p-values, in the order of `p`: a hypothesis is rejected at `α` if its adjusted p-value is at most `α`.
///
/// # Errors
///
/// No p-values, or one that is not in `[0, 1]` (NaN among them): leave out what was not measured, and say so.
pub fn adjust(p: &[f64], correction: Correction) -> Result<Vec<f64>, Undefined> {
    if p.is_empty() {
        return Err(Undefined::TooFew { what: "the list of p-values", got: 0, needed: 1 });
    }
    for &value in p {
        require("p", value, (0.0..=1.0).contains(&value), "a probability from 0 to 1")?;
    }
    let count = p.len() as f64;
    let each = |adjusted: fn(f64, f64) -> f64| p.iter().map(|&p| adjusted(p, count).min(1.0)).collect();
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&left, &right| p[left].total_cmp(&p[right]));
    let sorted: Vec<f64> = order.iter().map(|&index| p[index]).collect();
    let stepped = match correction {
        Correction::Bonferroni => return Ok(each(|p, count| p * count)),
        Correction::Sidak => return Ok(each(|p, count| -libm::expm1(count * libm::log1p(-p)))),
        Correction::Holm => step_down(&sorted, |p, rank| (count - rank + 1.0) * p),
        Correction::Hochberg => step_up(&sorted, |p, rank| (count - rank + 1.0) * p),
        Correction::Hommel => hommel(&sorted),
        Correction::BenjaminiHochberg => step_up(&sorted, |p, rank| count / rank * p),
        Correction::BenjaminiYekutieli => {
            let harmonic: f64 = (1..=p.len()).map(|rank| 1.0 / rank as f64).sum();
            step_up(&sorted, |p, rank| harmonic * count / rank * p)
        }
    };
    let mut adjusted = vec![0.0; p.len()];
    for (index, value) in order.into_iter().zip(stepped) {
        adjusted[index] = value;
    }
    Ok(adjusted)
}

/// Which hypotheses are rejected at level `alpha`, in the order of `p`.
///
/// # Errors
///
/// As [`adjust`], and an `alpha` outside (0, 1).
pub fn rejected(p: &[f64], correction: Correction, alpha: f64) -> Result<Vec<bool>, Undefined> {
    let alpha = probability("alpha", alpha)?;
    Ok(adjust(p, correction)?.into_iter().map(|p| p <= alpha).collect())
}

/// The running maximum from the smallest p-value upwards; ranks count from one.
fn step_down(sorted: &[f64], adjusted: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let mut greatest = 0.0_f64;
    let step = |(index, &p): (usize, &f64)| {
        greatest = greatest.max(adjusted(p, index as f64 + 1.0)).min(1.0);
        greatest
    };
    sorted.iter().enumerate().map(step).collect()
}

/// The running minimum from the greatest p-value downwards.
fn step_up(sorted: &[f64], adjusted: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let mut least = 1.0_f64;
    let mut stepped = vec![0.0; sorted.len()];
    for (index, &p) in sorted.iter().enumerate().rev() {
        least = least.min(adjusted(p, index as f64 + 1.0));
        stepped[index] = least;
    }
    stepped
}

/// For each size `m` of a set of hypotheses, Simes' p-value of the worst set of that size that holds hypothesis `i`;
/// the adjusted p-value is the greatest of them.
fn hommel(sorted: &[f64]) -> Vec<f64> {
    let count = sorted.len();
    let simes = |p: &[f64], from_rank: usize, size: usize| {
        let share = |(index, &p): (usize, &f64)| size as f64 * p / (from_rank + index) as f64;
        p.iter().enumerate().map(share).fold(f64::INFINITY, f64::min)
    };
    let mut adjusted = vec![simes(sorted, 1, count); count];
    for size in (2..count).rev() {
        // The set holds the `size - 1` greatest p-values and one of the others.
        let others = count - size + 1;
        let of_greatest = simes(&sorted[others..], 2, size);
        let mut of_last_other = of_greatest;
        for (value, &p) in adjusted.iter_mut().zip(&sorted[..others]) {
            of_last_other = (size as f64 * p).min(of_greatest);
            *value = value.max(of_last_other);
        }
        for value in &mut adjusted[others..] {
            *value = value.max(of_last_other);
        }
    }
    adjusted.iter().zip(sorted).map(|(&value, &p)| value.max(p).min(1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_probability_is_refused() {
        for wrong in [f64::NAN, f64::INFINITY, -0.1, 1.1] {
            assert!(
                matches!(adjust(&[0.5, wrong], Correction::Holm), Err(Undefined::OutOfRange { .. })),
                "{wrong}"
            );
        }
        assert!(matches!(adjust(&[], Correction::Holm), Err(Undefined::TooFew { .. })));
        assert!(rejected(&[0.1], Correction::Holm, 1.0).is_err());
    }

    #[test]
    fn no_correction_makes_a_p_value_smaller() {
        let p = [0.3, 0.0, 1.0, 0.02, 0.02, 0.7, 0.041];
        for correction in [
            Correction::Bonferroni,
            Correction::Sidak,
            Correction::Holm,
            Correction::Hochberg,
            Correction::Hommel,
            Correction::BenjaminiHochberg,
            Correction::BenjaminiYekutieli,
        ] {
            let adjusted = adjust(&p, correction).unwrap();
            assert!(
                adjusted.iter().zip(&p).all(|(adjusted, p)| adjusted >= p && *adjusted <= 1.0),
                "{correction:?}"
            );
        }
    }
}
