//! Mixture sequential probability ratio tests (Johari, Koomen, Pekelis & Walsh 2022).

use libm::{log, log1p};
use serde::{Deserialize, Serialize};

use crate::stats::{
    Undefined,
    evidence::{EProcess, SchemaVersion},
    finite, not_negative, positive, probability, require,
    special::{ln_dirichlet_scaled, ln_gamma_scaled},
};

/// The log-likelihood ratio of a normal estimate: `½ ln(V/(V+τ²)) + (d−θ₀)²τ²/(2V(V+τ²))`.
///
/// `variance` is that of the estimate `difference`, `spread` the standard deviation `τ` of the effects that are mixed
/// over, in the unit of the estimate. It must not depend on the data, nor on the number of observations: a `τ` that
/// shrinks with them makes a boundary that is crossed for sure in the end. Of two samples, the guarantee is asymptotic,
/// and void for totals pooled over a ramp.
///
/// # Errors
///
/// A `difference` or `null` that is not finite, a `variance` or `spread` that is not a finite number above 0.
pub fn normal_log_ratio(difference: f64, variance: f64, spread: f64, null: f64) -> Result<f64, Undefined> {
    finite("difference", difference)?;
    positive("variance", variance)?;
    positive("spread", spread)?;
    let distance = difference - finite("null", null)?;
    let prior = spread * spread / variance;
    Ok(-0.5 * log1p(prior) + distance * distance / (2.0 * variance) * (prior / (1.0 + prior)))
}

/// The half-width of the confidence sequence that belongs to [`normal_log_ratio`]: the distance at which the ratio is
/// `1/alpha`.
///
/// # Errors
///
/// A `variance` or `spread` that is not a finite number above 0, an `alpha` outside (0, 1).
pub fn normal_ratio_radius(variance: f64, spread: f64, alpha: f64) -> Result<f64, Undefined> {
    positive("variance", variance)?;
    positive("spread", spread)?;
    let threshold = -log(probability("alpha", alpha)?);
    let prior = spread * spread / variance;
    Ok((2.0 * variance * (1.0 + 1.0 / prior) * (threshold + 0.5 * log1p(prior))).sqrt())
}

/// The log e-value of `successes` among `trials` against the rate `null`, mixed over a beta prior:
/// `ln B(a+s, b+f) − ln B(a, b) − s ln p₀ − f ln(1−p₀)`.
///
/// # Errors
///
/// More successes than trials, a `null` outside (0, 1), a prior whose parameters are not finite numbers above 0.
pub fn bernoulli_log_ratio(
    successes: u64,
    trials: u64,
    null: f64,
    prior: (f64, f64),
) -> Result<f64, Undefined> {
    probability("null", null)?;
    let (a, b) = (positive("prior.0", prior.0)?, positive("prior.1", prior.1)?);
    let (successes, trials) = (successes as f64, trials as f64);
    require("successes", successes, successes <= trials, "at most the number of trials")?;
    let with =
        ln_dirichlet_scaled([(a + successes, null), (b + (trials - successes), 1.0 - null)].into_iter());
    Ok(with - ln_dirichlet_scaled([(a, null), (b, 1.0 - null)].into_iter()))
}

/// The log e-value of `count` events in `exposure` against the rate `null`, mixed over a gamma prior of `shape` and
/// `rate`: `a ln b − ln Γ(a) + ln Γ(a+N) − (a+N) ln(b+T) − N ln λ₀ + λ₀T`. Exposure and rate in one unit of time.
///
/// # Errors
///
/// Events without exposure, an exposure below 0; a `null`, `shape` or `rate` that is not a finite number above 0.
pub fn poisson_log_ratio(
    count: u64,
    exposure: f64,
    null: f64,
    (shape, rate): (f64, f64),
) -> Result<f64, Undefined> {
    not_negative("exposure", exposure)?;
    positive("null", null)?;
    positive("shape", shape)?;
    positive("rate", rate)?;
    require("exposure", exposure, exposure > 0.0 || count == 0, "above 0, as there were events")?;
    let with = ln_gamma_scaled(shape + count as f64, null * (rate + exposure));
    Ok(with - ln_gamma_scaled(shape, null * rate))
}

/// The test of a mean with known standard deviation, observation by observation. State of three numbers.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NormalRatio {
    version: SchemaVersion,
    null: f64,
    deviation: f64,
    spread: f64,
    count: u64,
    sum: f64,
    log_e: f64,
    peak: f64,
}

impl NormalRatio {
    /// Against the mean `null`, of observations with standard deviation `deviation`, mixed over effects of standard
    /// deviation `spread`.
    ///
    /// # Errors
    ///
    /// A `null` that is not finite, a `deviation` or `spread` that is not a finite number above 0.
    pub fn new(null: f64, deviation: f64, spread: f64) -> Result<Self, Undefined> {
        finite("null", null)?;
        positive("deviation", deviation)?;
        positive("spread", spread)?;
        Ok(Self {
            version: SchemaVersion,
            null,
            deviation,
            spread,
            count: 0,
            sum: 0.0,
            log_e: 0.0,
            peak: 0.0,
        })
    }

    /// Adds an observation; one that is not finite is refused and nothing has changed.
    ///
    /// # Errors
    ///
    /// A value that is not finite; nothing has changed then.
    pub fn observe(&mut self, value: f64) -> Result<(), Undefined> {
        finite("value", value)?;
        let count = self.count.saturating_add(1);
        let sum = finite("value", self.sum + (value - self.null))?;
        let number = count as f64;
        let variance = self.deviation * self.deviation / number;
        let log_e = normal_log_ratio(sum / number, variance, self.spread, 0.0)?;
        *self = Self { count, sum, log_e, peak: self.peak.max(log_e), ..*self };
        Ok(())
    }
}

impl EProcess for NormalRatio {
    fn log_e(&self) -> f64 {
        self.log_e
    }

    fn peak(&self) -> f64 {
        self.peak
    }
}
