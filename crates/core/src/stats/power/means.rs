//! Sample sizes for two means.

use super::{
    super::{Undefined, positive, quadrature, require, root, special},
    Design,
    proportions::z_sample_size,
};

/// The control's sample size for a difference of `effect` standard deviations, known: a z-test, both tails counted.
///
/// # Errors
///
/// An effect that is not a finite number above 0; a power below the level of the test.
pub fn sample_size_z(effect: f64, design: Design) -> Result<f64, Undefined> {
    z_sample_size(positive("effect", effect)?, design)
}

/// The control's sample size for a difference of `effect` standard deviations, estimated: Student's t with equal
/// variances, by its noncentral distribution. `both_tails` counts rejections on the wrong side as power too, as
/// statsmodels does and R does not.
///
/// # Errors
///
/// An effect that is not a finite number above 0; a power that two observations an arm exceed, or that is below the
/// level of the test.
pub fn sample_size_t(effect: f64, design: Design, both_tails: bool) -> Result<f64, Undefined> {
    let guess = sample_size_z(effect, design)?;
    let power = |count: f64| t_power(effect, count, design, both_tails);
    // At least one degree of freedom.
    let least = 3.0 / (1.0 + design.ratio);
    let found = root::zero(
        |ln_count| power(libm::exp(ln_count)) - design.power,
        libm::log(least),
        libm::log(guess.max(least) * 2.0 + 20.0),
    );
    let found = found.ok_or(Undefined::OutOfRange {
        name: "power",
        value: design.power,
        expected: "more than the smallest samples have",
    })?;
    Ok(libm::exp(found))
}

/// The power of Student's t for a difference of `effect` standard deviations with `count` observations of the control.
/// The power of the design is not read; `both_tails` as in [`sample_size_t`].
///
/// # Errors
///
/// An effect that is not a finite number above 0; fewer than one degree of freedom.
pub fn power_of_t_test(effect: f64, count: f64, design: Design, both_tails: bool) -> Result<f64, Undefined> {
    positive("effect", effect)?;
    let enough = count.is_finite() && count * (1.0 + design.ratio) >= 3.0;
    require("count", count, enough, "enough for one degree of freedom")?;
    Ok(t_power(effect, count, design, both_tails))
}

fn t_power(effect: f64, count: f64, design: Design, both_tails: bool) -> f64 {
    let freedom = count * (1.0 + design.ratio) - 2.0;
    let shift = effect * (count * design.ratio / (1.0 + design.ratio)).sqrt();
    let level = -special::student_t_quantile(design.tail(), freedom);
    let other = if design.two_sided && both_tails { noncentral_t_sf(level, freedom, -shift) } else { 0.0 };
    noncentral_t_sf(level, freedom, shift) + other
}

/// `P((Z + shift) / S > t)` with `S² ~ χ²/freedom`, for `freedom` of at least 1.
///
/// Integrates `P(Z > t s - shift)` over the density of `S`, which falls off like a bell. With few degrees of freedom it
/// begins at 0 like a power of `s` that need not be whole; over the fourth root of `s` it is smooth there too.
fn noncentral_t_sf(t: f64, freedom: f64, shift: f64) -> f64 {
    let half = freedom / 2.0;
    let deviation = (0.5 / freedom).sqrt();
    let (from, to) = ((1.0 - REACH * deviation).max(0.0), 1.0 + REACH * deviation);
    let ln_norm = std::f64::consts::LN_2 + 0.5 * libm::log(half / (2.0 * std::f64::consts::PI))
        - special::stirling_remainder(half);
    let narrow = deviation.min(1.0 / t.abs().max(1.0));
    let panels = ((to - from) / (2.0 * narrow)).ceil().clamp(8.0, 400.0) as usize;
    let at = |(root, weight): (f64, f64)| {
        let s = root * root * root * root;
        let ln_s = libm::log(s);
        // freedom/2 (1 - s² + 2 ln s), by deviations from 1.
        let excess = s - 1.0;
        let ln_excess = if excess.abs() < 0.5 { libm::log1p(excess) } else { ln_s };
        let bell = half * (2.0 * ln_excess - excess * (2.0 + excess));
        4.0 * weight * libm::exp(ln_norm + bell - 0.25 * ln_s) * special::normal_sf(t * s - shift)
    };
    quadrature::points(from.sqrt().sqrt(), to.sqrt().sqrt(), panels).into_iter().map(at).sum()
}

/// Standard deviations of `S` that count.
const REACH: f64 = 14.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_shift_it_is_students_t() {
        for freedom in [1.0, 1.1, 2.5, 3.7, 8.0, 100.0, 1e5] {
            for t in [0.0, 0.7, 2.0, 5.0] {
                let (noncentral, central) =
                    (noncentral_t_sf(t, freedom, 0.0), special::student_t_sf(t, freedom));
                assert!((noncentral - central).abs() < 1e-9, "{freedom} {t}: {noncentral} {central}");
            }
        }
    }
}
