//! The score test for a difference of proportions in statsmodels 0.15, with its slip.
//!
//! The shares under the null hypothesis solve a cubic. In the coefficient of its linear term the control's *events*
//! stand where Miettinen & Nurminen (1985) have its *trials*, so that the shares are not the most probable ones: the
//! statistic is off by up to a few parts in a thousand, and not symmetric in the arms.
//! [`score_z`](crate::stats::proportions::score_z) maximises the likelihood itself.

use crate::stats::{
    Interval, Undefined,
    proportions::{NormalTest, Proportion, wald_interval},
    require, root, special,
};

/// The score test of `p₂ - p₁ = value`.
///
/// # Errors
///
/// A `value` outside (-1, 1); a statistic that is not defined.
pub fn score_z(control: Proportion, candidate: Proportion, value: f64) -> Result<NormalTest, Undefined> {
    require("value", value, value > -1.0 && value < 1.0, "between -1 and 1, both excluded")?;
    let z = statistic(control, candidate, value);
    require("score statistic", z, z.is_finite(), "defined at this difference")?;
    Ok(NormalTest::new(z))
}

/// All differences that [`score_z`] does not reject at `alpha`, found outwards from Wald's limits; `None` where it is
/// not defined there.
///
/// # Errors
///
/// An `alpha` outside (0, 1).
pub fn score_interval(
    control: Proportion,
    candidate: Proportion,
    alpha: f64,
) -> Result<Option<Interval>, Undefined> {
    let wald = wald_interval(control, candidate, alpha)?;
    let z = -special::normal_quantile(alpha / 2.0);
    let step = (wald.width() / 100.0).max(1e-9);
    let limit = |quantile: f64, start: f64| {
        let start = start.clamp(-1.0 + 1e-9, 1.0 - 1e-9);
        root::zero_around(|value| statistic(control, candidate, value) - quantile, start, step)
    };
    Ok(limit(z, wald.lower).zip(limit(-z, wald.upper)).map(|(lower, upper)| Interval::new(lower, upper)))
}

fn statistic(control: Proportion, candidate: Proportion, value: f64) -> f64 {
    let (x0, n0) = (control.events() as f64, control.trials() as f64);
    let (x1, n1) = (candidate.events() as f64, candidate.trials() as f64);
    let (events, trials) = (x0 + x1, n0 + n1);
    let share = if value == 0.0 {
        events / trials
    } else {
        let quadratic = ((n1 + 2.0 * n0) * value - trials - events) / (3.0 * trials);
        // The slip: `n0 * value` is meant.
        let linear = ((x0 * value - trials - 2.0 * x0) * value + events) / (3.0 * trials);
        let constant = x0 * value * (1.0 - value) / (2.0 * trials);
        let half = quadratic * (quadratic * quadratic) - 1.5 * linear * quadratic + constant;
        let radius = (quadratic * quadratic - linear).sqrt().copysign(half);
        let angle = (std::f64::consts::PI + libm::acos(half / (radius * radius * radius))) / 3.0;
        2.0 * radius * libm::cos(angle) - quadratic
    };
    let other = share + value;
    let variance = share * (1.0 - share) / n0 + other * (1.0 - other) / n1;
    (x1 / n1 - x0 / n0 - value) / variance.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::proportions;

    #[test]
    fn the_slip_moves_the_statistic_away_from_the_most_probable_shares() {
        let (control, candidate) =
            (Proportion::new(100, 10_000).unwrap(), Proportion::new(110, 10_000).unwrap());
        let rival = score_z(control, candidate, 0.005).unwrap().z;
        let own = proportions::score_z(control, candidate, 0.005).unwrap().z;
        // Maximising the likelihood numerically gives -2.71844.
        assert!((own + 2.718_440_1).abs() < 1e-6, "{own}");
        assert!((rival + 2.719_579_4).abs() < 1e-6, "{rival}");
    }
}
