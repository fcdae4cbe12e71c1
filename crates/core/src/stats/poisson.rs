//! Rates of two counters over known exposures, exactly.
//!
//! Given the total, the candidate's events are binomial with the share `ρ = r₀ e₂ / (e₁ + r₀ e₂)`: the unknown base
//! rate cancels, and no events in the control are no trouble (Przyborowski & Wilenski 1940). For one fixed sample; to
//! watch a rollout use [`grid`](super::grid), the same idea made valid at every look.
//!
//! ```
//! use serinus_core::stats::poisson::{Rate, compare_rates, rate_ratio_interval};
//!
//! // No error in 95,000 requests against 4 in 5,000.
//! let (control, candidate) = (Rate::new(0, 95_000.0)?, Rate::new(4, 5_000.0)?);
//! let test = compare_rates(control, candidate, 1.0)?;
//! assert!((test.greater - 0.05_f64.powi(4)).abs() < 1e-18);
//! assert!(rate_ratio_interval(control, candidate, 0.05)?.lower > 10.0);
//! # Ok::<(), serinus_core::stats::Undefined>(())
//! ```

use super::{
    Interval, Undefined,
    discrete::{first_improbable, ln_binomial, tail},
    positive, probability, special,
};

/// Events of a counter, and what they were exposed to: requests, or seconds of instances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    events: u64,
    exposure: f64,
}

impl Rate {
    /// `events` in `exposure`, in the same unit for both arms.
    ///
    /// # Errors
    ///
    /// An exposure that is not a finite number above 0.
    pub fn new(events: u64, exposure: f64) -> Result<Self, Undefined> {
        Ok(Self { events, exposure: positive("exposure", exposure)? })
    }

    /// Events for each unit of exposure.
    pub fn rate(&self) -> f64 {
        self.events as f64 / self.exposure
    }
}

/// An exact comparison of two rates.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RateComparison {
    /// The candidate's rate over the control's; infinite if the control has no events.
    pub ratio: f64,
    /// The probability of as many events of the candidate or more, given the total, at the null ratio.
    pub greater: f64,
    /// The probability of as many or fewer.
    pub less: f64,
    /// The probability of all splits of the total that are at most as probable as the one seen; twice the smaller
    /// side where more than 1e12 events make that the same.
    pub two_sided: f64,
}

/// Whether the candidate's rate is `null_ratio` times the control's: 1 for equality, above 1 for a margin.
///
/// *Assumes* events that arrive independently; events that come in bursts make it too sure.
///
/// # Errors
///
/// No events at all; a `null_ratio` that is not a finite number above 0.
pub fn compare_rates(control: Rate, candidate: Rate, null_ratio: f64) -> Result<RateComparison, Undefined> {
    positive("null_ratio", null_ratio)?;
    let total = total(control, candidate)?;
    let weighted = null_ratio * candidate.exposure;
    let (p, q) = (weighted / (control.exposure + weighted), control.exposure / (control.exposure + weighted));
    let seen = candidate.events as f64;
    let greater = if seen == 0.0 { 1.0 } else { special::beta_lower(seen, total - seen + 1.0, p) };
    let less = if seen == total { 1.0 } else { special::beta_lower(total - seen, seen + 1.0, q) };
    let exact = (total * p * q).sqrt() <= MOST_SPREAD;
    let two_sided =
        if exact { minimum_likelihood(seen, total, p, q) } else { (2.0 * greater.min(less)).min(1.0) };
    Ok(RateComparison { ratio: candidate.rate() / control.rate(), greater, less, two_sided })
}

/// The exact interval of level `1 - alpha` for the candidate's rate over the control's.
///
/// Clopper and Pearson's limits of the candidate's share of the events, as `p / (1 - p) · e₁ / e₂`. Infinite above if
/// the control has no events, 0 below if the candidate has none.
///
/// # Errors
///
/// No events at all; an `alpha` outside (0, 1).
pub fn rate_ratio_interval(control: Rate, candidate: Rate, alpha: f64) -> Result<Interval, Undefined> {
    let alpha_half = probability("alpha", alpha)? / 2.0;
    total(control, candidate)?;
    let (x1, x2) = (control.events as f64, candidate.events as f64);
    let exposures = control.exposure / candidate.exposure;
    let lower = if x2 == 0.0 {
        0.0
    } else {
        let p = special::beta_quantile(x2, x1 + 1.0, alpha_half);
        p / (1.0 - p) * exposures
    };
    let upper = if x1 == 0.0 {
        f64::INFINITY
    } else {
        let q = special::beta_quantile(x1, x2 + 1.0, alpha_half);
        (1.0 - q) / q * exposures
    };
    Ok(Interval::new(lower, upper))
}

fn total(control: Rate, candidate: Rate) -> Result<f64, Undefined> {
    let total = control.events as f64 + candidate.events as f64;
    if total == 0.0 {
        return Err(Undefined::NoInformation {
            what: "a pair of counters without events",
            remedy: "wait for events, or certify with a margin that none were to be expected",
        });
    }
    Ok(total)
}

/// The sum of all binomial probabilities at most as great as that of `seen`.
fn minimum_likelihood(seen: f64, total: f64, p: f64, q: f64) -> f64 {
    let ln = |count: f64| ln_binomial(count, total, p, q);
    let ln_seen = ln(seen);
    let ln_limit = ln_seen + libm::log1p(SAME);
    let mode = ((total + 1.0) * p).floor().min(total);
    let is_improbable = |count: f64| ln(count) <= ln_limit;
    if is_improbable(mode) {
        return 1.0;
    }
    let up = |from: f64| {
        let sum = tail(total - from, |step| (total - from - step) / (from + step + 1.0) * (p / q));
        libm::exp(ln(from) + libm::log(sum))
    };
    let down = |from: f64| {
        let sum = tail(from, |step| (from - step) / (total - from + step + 1.0) * (q / p));
        libm::exp(ln(from) + libm::log(sum))
    };
    let (near, far) = if seen > mode {
        (up(seen), first_improbable(mode, |step| is_improbable(mode - step)).map(|step| down(mode - step)))
    } else {
        (
            down(seen),
            first_improbable(total - mode, |step| is_improbable(mode + step)).map(|step| up(mode + step)),
        )
    };
    (near + far.unwrap_or(0.0)).min(1.0)
}

/// A sum over the tails takes some ten steps for each standard deviation.
const MOST_SPREAD: f64 = 1e6;
/// Splits whose probabilities differ by less count as equally probable.
const SAME: f64 = 1e-7;
