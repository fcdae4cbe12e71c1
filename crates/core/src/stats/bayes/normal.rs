//! A normal prior on an effect that was estimated with a normal error.

use super::super::{Interval, Undefined, finite, positive, probability, special};

/// What was believed of an effect before: normal with this mean and standard deviation, in the unit of the effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormalPrior {
    mean: f64,
    deviation: f64,
}

impl NormalPrior {
    /// A prior with this mean and standard deviation.
    ///
    /// # Errors
    ///
    /// A mean that is not finite, a deviation that is not a finite number above 0.
    pub fn new(mean: f64, deviation: f64) -> Result<Self, Undefined> {
        Ok(Self { mean: finite("prior mean", mean)?, deviation: positive("prior deviation", deviation)? })
    }
}

/// What is believed of an effect now: normal.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct EffectPosterior {
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation.
    pub deviation: f64,
    /// `P(effect > 0)`.
    pub chance_greater: f64,
    /// `P(effect < 0)`.
    pub chance_less: f64,
    /// `E[max(effect, 0)] = μ Φ(μ/σ) + σ φ(μ/σ)`: what keeping the candidate is expected to cost if more is worse.
    pub expected_increase: f64,
    /// `E[max(-effect, 0)]`: what keeping the control is expected to cost if more is worse.
    pub expected_decrease: f64,
}

impl EffectPosterior {
    /// The interval that holds the effect with probability `1 - alpha`, cut equally on both sides.
    ///
    /// # Errors
    ///
    /// An `alpha` outside (0, 1).
    pub fn interval(&self, alpha: f64) -> Result<Interval, Undefined> {
        let half = -special::normal_quantile(probability("alpha", alpha)? / 2.0) * self.deviation;
        Ok(Interval::new(self.mean - half, self.mean + half))
    }
}

/// The posterior of an effect that was estimated as `estimate ± standard_error`; without a prior, the flat one.
///
/// Means are weighted by precision, `1 / variance`.
///
/// # Errors
///
/// An estimate that is not finite, a standard error that is not a finite number above 0.
pub fn effect_posterior(
    estimate: f64,
    standard_error: f64,
    prior: Option<NormalPrior>,
) -> Result<EffectPosterior, Undefined> {
    finite("estimate", estimate)?;
    positive("standard_error", standard_error)?;
    let (mean, deviation) = match prior {
        None => (estimate, standard_error),
        Some(prior) => {
            // The weight of the data, from the ratio of the deviations: squares of tiny ones vanish.
            let ratio = standard_error / prior.deviation;
            let weight = 1.0 / (1.0 + ratio * ratio);
            (prior.mean + weight * (estimate - prior.mean), standard_error * weight.sqrt())
        }
    };
    positive("posterior deviation", deviation)?;
    let z = mean / deviation;
    Ok(EffectPosterior {
        mean,
        deviation,
        chance_greater: special::normal_cdf(z),
        chance_less: special::normal_sf(z),
        expected_increase: expected_excess(z) * deviation,
        expected_decrease: expected_excess(-z) * deviation,
    })
}

/// `E[max(Z + z, 0)]` of a standard normal `Z`.
fn expected_excess(z: f64) -> f64 {
    if z < -5.0 {
        // The two terms cancel: φ(z) (1 - |z| Mills(|z|)), by the continued fraction of Mills' ratio.
        let x = -z;
        let mut fraction = 0.0;
        for k in (1..=60).rev() {
            fraction = f64::from(k) / (x + fraction);
        }
        return special::normal_density(z) * fraction / (x + fraction);
    }
    z * special::normal_cdf(z) + special::normal_density(z)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_excess_keeps_its_digits_in_the_tail() {
        // Both forms agree where both are good.
        for z in [-4.9_f64, -4.0] {
            let direct = z * special::normal_cdf(z) + special::normal_density(z);
            let x = -z;
            let mut fraction = 0.0;
            for k in (1..=400).rev() {
                fraction = f64::from(k) / (x + fraction);
            }
            let by_fraction = special::normal_density(z) * fraction / (x + fraction);
            assert!((direct / by_fraction - 1.0).abs() < 1e-9, "{direct} {by_fraction}");
        }
        // φ(30) / 30² to leading order.
        let leading = special::normal_density(30.0) / 900.0;
        assert!((expected_excess(-30.0) / leading - 1.0).abs() < 0.01);
    }
}
