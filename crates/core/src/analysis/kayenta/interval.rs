//! The interval for a shift, by root finding on the Wilcoxon statistic.

use super::brent;
use crate::stats::{Interval, Undefined, special};

/// A canary compared with its baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// The interval for the shift `canary - baseline`; its lower end may exceed its upper one, since each is within
    /// 1e-4 of where the statistic jumps.
    pub interval: Interval,
    /// A root of the statistic, near the median of the differences; within 1e-4, in whatever unit.
    pub estimate: f64,
}

/// The asymptotic interval of level `confidence`, with corrections for ties and continuity, as R's
/// `wilcox.test(conf.int = TRUE, exact = FALSE)`; the estimate keeps the continuity correction, which R drops.
///
/// # Errors
///
/// An empty sample, values that are not finite, a confidence outside (0, 1); all observations tied at the ends of the
/// search, where Kayenta throws and calls the metric an error.
pub fn compare(canary: &[f64], baseline: &[f64], confidence: f64) -> Result<Comparison, Undefined> {
    let within = confidence > 0.0 && confidence < 1.0;
    crate::stats::require("confidence", confidence, within, "between 0 and 1, both excluded")?;
    let z = special::normal_quantile((1.0 - confidence) / 2.0);
    Ok(Comparison {
        interval: Interval::new(
            wilcoxon_root(canary, baseline, -z, true, true)?,
            wilcoxon_root(canary, baseline, z, true, true)?,
        ),
        estimate: wilcoxon_root(canary, baseline, 0.0, true, false)?,
    })
}

/// The shift at which the standardised Wilcoxon statistic of `canary - shift` against `baseline` crosses `quantile`,
/// within an absolute 1e-4.
///
/// `continuity` moves the statistic by ½ towards 0; `ends` returns the least or greatest difference where the crossing
/// lies outside of them. R's interval is this with both, R's estimate at quantile 0 with neither.
///
/// # Errors
///
/// As [`compare`].
pub fn wilcoxon_root(
    canary: &[f64],
    baseline: &[f64],
    quantile: f64,
    continuity: bool,
    ends: bool,
) -> Result<f64, Undefined> {
    for (what, sample) in [("the canary", canary), ("the baseline", baseline)] {
        if sample.is_empty() {
            return Err(Undefined::TooFew { what, got: 0, needed: 1 });
        }
        for &value in sample {
            crate::stats::finite(what, value)?;
        }
    }
    let least = |sample: &[f64]| sample.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = |sample: &[f64]| sample.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = (least(canary) - greatest(baseline), greatest(canary) - least(baseline));
    let mut tied = false;
    let mut statistic = |shift: f64| match standardised(canary, baseline, shift, continuity) {
        Some(value) => value - quantile,
        None => {
            tied = true;
            // Ends the search.
            0.0
        }
    };
    let (at_low, at_high) = (statistic(low), statistic(high));
    let found = if ends && at_low <= 0.0 {
        low
    } else if ends && at_high >= 0.0 {
        high
    } else {
        brent::root(low, high, TOLERANCE, &mut statistic)
    };
    if tied {
        return Err(Undefined::NoVariance { what: "the canary, shifted, together with the baseline," });
    }
    Ok(found)
}

/// `(U - n₁n₂/2 ∓ ½) / sd`, with the ties there are at this shift; `None` if everything is tied.
fn standardised(canary: &[f64], baseline: &[f64], shift: f64, continuity: bool) -> Option<f64> {
    let mut values: Vec<(f64, bool)> = canary
        .iter()
        .map(|&value| (value - shift, true))
        .chain(baseline.iter().map(|&value| (value, false)))
        .collect();
    values.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
    let (first, second) = (canary.len() as f64, baseline.len() as f64);
    let all = first + second;
    let (mut ranks, mut ties, mut before) = (0.0, 0.0, 0.0);
    for group in values.chunk_by(|left, right| left.0 == right.0) {
        let size = group.len() as f64;
        let rank = before + (size + 1.0) / 2.0;
        ranks += rank * group.iter().filter(|(_, is_canary)| *is_canary).count() as f64;
        ties += size * size * size - size;
        before += size;
    }
    let beyond = ranks - first * (first + 1.0) / 2.0 - first * second / 2.0;
    let sign = if beyond == 0.0 { 0.0 } else { beyond.signum() };
    let correction = if continuity { sign * 0.5 } else { 0.0 };
    let deviation = (first * second / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)))).sqrt();
    (deviation > 0.0).then(|| (beyond - correction) / deviation)
}

const TOLERANCE: f64 = 1e-4;
