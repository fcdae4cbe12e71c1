//! The numbers behind a verdict.

use crate::stats::grid::{Arm, RateRatio};

/// The numbers behind a verdict.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Findings {
    /// Stable's requests, and those of them that failed, succeeded, or took longer than the edge.
    pub stable: Arm,
    /// The candidate's.
    pub candidate: Arm,
    /// Of a latency, the edge in seconds that these counts are about.
    pub edge: Option<f64>,
    /// How many times as often the candidate does harm, at the likeliest: fails or is slow; of successes, how many times
    /// as often *stable* succeeds. None before the first event; 0 and infinite where it is below 1/64 or above 64.
    pub ratio: Option<f64>,
    /// Where that ratio lies, at all times at once, with the probability that the error probability leaves.
    pub interval: (f64, f64),
    /// The logarithm of the greatest e-value so far against "no more than the margin", before it is divided by the
    /// dispersion.
    pub log_harm: f64,
    /// The logarithm of the e-value against "at least the safety margin", before it is divided by the dispersion: the
    /// greatest so far in this run, and of a latency the present one.
    pub log_safety: f64,
    /// By how much evidence is divided, at least 1; none while that is still to be found out.
    pub dispersion: Option<f64>,
}

impl Findings {
    pub(super) fn of(
        stable: Arm,
        candidate: Arm,
        edge: Option<f64>,
        (log_harm, log_safety): (f64, f64),
        ratio: &RateRatio,
        doubt: Option<Doubt>,
    ) -> Self {
        let interval =
            doubt.and_then(|Doubt { alpha, dispersion }| ratio.dispersed_interval(alpha, dispersion).ok());
        let interval = interval.map_or((0.0, f64::INFINITY), |it| (it.lower, it.upper));
        let ratio = ratio.estimate().ok();
        Self { stable, candidate, edge, ratio, interval, log_harm, log_safety, dispersion: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.stable.exposure == 0 || self.candidate.exposure == 0
    }
}

/// How sure an interval is to be, and by how much evidence is divided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doubt {
    pub(super) alpha: f64,
    pub(super) dispersion: f64,
}
