//! Sample sizes for two proportions.

use super::{
    super::{Undefined, positive, probability, require, root, special},
    Design,
};

/// The control's sample size with the variance of each arm by itself:
/// `n₁ = (z_α + z_β)² (p₁q₁ + p₂q₂/k) / (p₂ - p₁)²`, `k` the ratio of the arms.
///
/// # Errors
///
/// Shares outside (0, 1), or equal.
pub fn sample_size_unpooled(control: f64, candidate: f64, design: Design) -> Result<f64, Undefined> {
    let (p1, p2) = two_shares(control, candidate)?;
    let z = design.z_level() + design.z_power();
    let difference = p2 - p1;
    Ok(z * z * (p1 * (1.0 - p1) + p2 * (1.0 - p2) / design.ratio) / (difference * difference))
}

/// The control's sample size with the pooled variance under the null hypothesis, as R's `power.prop.test`:
/// `n₁ = (z_α √((1 + 1/k) p̄ q̄) + z_β √(p₁q₁ + p₂q₂/k))² / (p₂ - p₁)²`, `p̄ = (p₁ + k p₂) / (1 + k)`.
///
/// # Errors
///
/// Shares outside (0, 1), or equal.
pub fn sample_size_pooled(control: f64, candidate: f64, design: Design) -> Result<f64, Undefined> {
    let (p1, p2) = two_shares(control, candidate)?;
    let (null, own) = deviations(p1, p2, design.ratio);
    let root = (design.z_level() * null + design.z_power() * own) / (p2 - p1);
    Ok(root * root)
}

/// The power of the pooled z-test, the other way round of [`sample_size_pooled`], for `count` observations of the
/// control. The power of the design is not read.
///
/// # Errors
///
/// Shares outside (0, 1), or equal; a count that is not above 0.
pub fn power_of_pooled(control: f64, candidate: f64, count: f64, design: Design) -> Result<f64, Undefined> {
    let (p1, p2) = two_shares(control, candidate)?;
    positive("count", count)?;
    let (null, own) = deviations(p1, p2, design.ratio);
    Ok(special::normal_cdf((count.sqrt() * (p2 - p1).abs() - design.z_level() * null) / own))
}

/// Cohen's effect size `2 asin √p₂ - 2 asin √p₁`.
///
/// # Errors
///
/// Shares outside [0, 1].
pub fn effect_h(control: f64, candidate: f64) -> Result<f64, Undefined> {
    for (name, share) in [("control", control), ("candidate", candidate)] {
        require(name, share, (0.0..=1.0).contains(&share), "a share from 0 to 1")?;
    }
    Ok(2.0 * libm::asin(candidate.sqrt()) - 2.0 * libm::asin(control.sqrt()))
}

/// The control's sample size by the arcsine transformation: a z-test of [`effect_h`] with variance
/// `1/n₁ + 1/n₂`, both tails counted.
///
/// # Errors
///
/// Shares outside (0, 1), or equal.
pub fn sample_size_arcsine(control: f64, candidate: f64, design: Design) -> Result<f64, Undefined> {
    let (p1, p2) = two_shares(control, candidate)?;
    z_sample_size(effect_h(p1, p2)?.abs(), design)
}

/// The control's sample size for a z-test of a standardised difference.
pub(super) fn z_sample_size(effect: f64, design: Design) -> Result<f64, Undefined> {
    let level = design.z_level();
    let power = |shift: f64| {
        let other = if design.two_sided { special::normal_cdf(-level - shift) } else { 0.0 };
        special::normal_sf(level - shift) + other
    };
    let start = (level + design.z_power()).max(0.0);
    let shift = root::zero(|shift| power(shift) - design.power, 0.0, start + 10.0);
    let shift = shift.ok_or(Undefined::OutOfRange {
        name: "power",
        value: design.power,
        expected: "above the level of the test",
    })?;
    // The shift is `effect / √(1/n₁ + 1/(k n₁))`.
    Ok((shift / effect) * (shift / effect) * (1.0 + 1.0 / design.ratio))
}

fn two_shares(control: f64, candidate: f64) -> Result<(f64, f64), Undefined> {
    let (p1, p2) = (probability("control", control)?, probability("candidate", candidate)?);
    require("candidate", p2, p1 != p2, "a share other than the control's")?;
    Ok((p1, p2))
}

/// Of the difference times `√n₁`: under the null hypothesis, and as it is.
fn deviations(p1: f64, p2: f64, ratio: f64) -> (f64, f64) {
    let pooled = (p1 + ratio * p2) / (1.0 + ratio);
    let null = ((1.0 + 1.0 / ratio) * pooled * (1.0 - pooled)).sqrt();
    (null, (p1 * (1.0 - p1) + p2 * (1.0 - p2) / ratio).sqrt())
}
