//! The rules of other tools, as judges of a rollout: a look each interval, and a call.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    growthbook,
    kayenta::{Direction, Judge, Judged, classify, score},
    peeking::NaiveZ,
    statsig,
};
use crate::stats::{Side, Undefined, grid, means::Difference, probability};

/// Whoever looks at both arms again and again, and says when to stop.
pub trait Rule {
    /// What follows from one more interval. Nothing is looked at after [`Call::Fail`] or [`Call::Pass`].
    fn look(&mut self, look: &Look) -> Call;
}

/// One interval of a rollout.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "everything a rule is shown")]
pub struct Look {
    /// Its number, from 1.
    pub number: u64,
    /// Whether no other follows: without a call to fail the candidate is promoted.
    pub is_last: bool,
    /// What stable did within the interval.
    pub stable: Seen,
    /// What the candidate did within the interval.
    pub candidate: Seen,
}

/// What one arm did within an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "counts of one arm")]
pub struct Seen {
    /// Requests.
    pub requests: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// 99th percentile of the latency in seconds; NaN if there were no requests, or the rule needs none.
    pub p99: f64,
}

impl Seen {
    fn failure_rate(&self) -> f64 {
        self.failures as f64 / self.requests as f64
    }
}

/// What a rule says after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth thing to say")]
pub enum Call {
    /// Go on.
    Continue,
    /// Roll back.
    Fail,
    /// Promote.
    Pass,
}

/// A rule of another tool, with its settings.
///
/// Each is faithful to its vectors; what is wrong with it stands in its module.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Rival {
    /// [`kayenta`](super::kayenta): error rate and 99th percentile of the latency, one value for each interval from
    /// the beginning on, each a group of half the weight. A score below `marginal` fails at any look; after the last
    /// one a score below `pass` fails, too. It judges from the fifth look on: with fewer values its interval ends at
    /// the extremes, and two values above two others are `High`, which they are by chance once in six times.
    Kayenta {
        /// The score from which on the canary passes, `0..=100`; 95 is usual.
        pass: f64,
        /// The score below which it fails, `0..=100`; 75 is usual.
        marginal: f64,
    },
    /// [`growthbook`](super::growthbook): the one-sided sequential test of the failure rates, on totals pooled from
    /// the beginning on. At the end everything that did not fail is shipped.
    GrowthBook {
        /// The probability of a false alarm that is aimed at.
        alpha: f64,
        /// Observations it is tuned for; 5000 by default.
        tuning: f64,
    },
    /// [`statsig`](super::statsig): the one-sided interval of the difference of failure rates, on pooled totals.
    Statsig {
        /// The probability of a false alarm that is aimed at.
        alpha: f64,
    },
    /// [`peeking`](super::peeking): a z-test on pooled totals at each look.
    ZTestEachLook {
        /// The probability of a false alarm of each single test.
        alpha: f64,
    },
}

impl Rival {
    /// Begins to watch a rollout.
    ///
    /// # Errors
    ///
    /// If a setting is out of its range.
    pub fn begin(&self) -> Result<Box<dyn Rule + Send>, Undefined> {
        let score = |name, value: f64| {
            crate::stats::require(name, value, (0.0..=100.0).contains(&value), "a score from 0 to 100")
        };
        Ok(match *self {
            Self::Kayenta { pass, marginal } => Box::new(Kayenta {
                pass: score("pass", pass)?,
                marginal: score("marginal", marginal)?,
                errors: Series::default(),
                latency: Series::default(),
            }),
            Self::GrowthBook { alpha, tuning } => Box::new(GrowthBook {
                alpha: probability("alpha", alpha)?,
                tuning: crate::stats::positive("tuning", tuning)?,
                totals: Totals::default(),
            }),
            Self::Statsig { alpha } => {
                Box::new(Statsig { alpha: probability("alpha", alpha)?, totals: Totals::default() })
            }
            Self::ZTestEachLook { alpha } => Box::new(NaiveZ::new(alpha)?),
        })
    }

    /// Whether [`Seen::p99`] is looked at.
    pub(crate) const fn needs_latency(&self) -> bool {
        matches!(self, Self::Kayenta { .. })
    }
}

struct Kayenta {
    pass: f64,
    marginal: f64,
    errors: Series,
    latency: Series,
}

/// One value of each arm for each interval.
#[derive(Default)]
struct Series {
    canary: Vec<f64>,
    baseline: Vec<f64>,
}

impl Rule for Kayenta {
    fn look(&mut self, look: &Look) -> Call {
        self.errors.push(look.candidate.failure_rate(), look.stable.failure_rate());
        self.latency.push(look.candidate.p99, look.stable.p99);
        let judge = Judge { direction: Direction::Increase, ..Judge::default() };
        let judged = [("errors", &self.errors), ("latency", &self.latency)].map(|(group, series)| Judged {
            groups: vec![group.to_owned()],
            classification: classify(&series.canary, &series.baseline, &judge),
            critical: false,
        });
        let score = score(&judged, &BTreeMap::new());
        match look.is_last {
            _ if look.number < FIRST_LOOK_OF_KAYENTA => Call::Continue,
            _ if score < self.marginal => Call::Fail,
            true if score < self.pass => Call::Fail,
            true => Call::Pass,
            false => Call::Continue,
        }
    }
}

impl Series {
    fn push(&mut self, canary: f64, baseline: f64) {
        self.canary.push(canary);
        self.baseline.push(baseline);
    }
}

/// Both arms from the beginning on.
#[derive(Clone, Copy, Default)]
struct Totals {
    stable: (u64, u64),
    candidate: (u64, u64),
}

impl Totals {
    fn add(&mut self, look: &Look) {
        for (total, seen) in [(&mut self.stable, look.stable), (&mut self.candidate, look.candidate)] {
            *total = (total.0.saturating_add(seen.requests), total.1.saturating_add(seen.failures));
        }
    }
}

struct GrowthBook {
    alpha: f64,
    tuning: f64,
    totals: Totals,
}

impl Rule for GrowthBook {
    fn look(&mut self, look: &Look) -> Call {
        self.totals.add(look);
        let arm = |(requests, failures): (u64, u64)| growthbook::Arm::Proportion {
            count: requests as f64,
            sum: failures as f64,
        };
        let (control, canary) = (arm(self.totals.stable), arm(self.totals.candidate));
        let absolute = Difference::Absolute;
        // What has no answer there alarms nobody.
        match growthbook::sequential(control, canary, absolute, self.alpha, self.tuning, Side::Greater) {
            Ok(report) if report.interval.lower > 0.0 => Call::Fail,
            Ok(_) | Err(_) => Call::Continue,
        }
    }
}

struct Statsig {
    alpha: f64,
    totals: Totals,
}

impl Rule for Statsig {
    fn look(&mut self, look: &Look) -> Call {
        self.totals.add(look);
        let arm = |(requests, failures): (u64, u64)| {
            let mean = failures as f64 / requests as f64;
            statsig::Arm { mean, variance: mean * (1.0 - mean), count: requests as f64 }
        };
        let (control, treatment) = (arm(self.totals.stable), arm(self.totals.candidate));
        match statsig::interval(treatment, control, self.alpha, Side::Greater) {
            Ok(interval) if interval.lower > 0.0 => Call::Fail,
            Ok(_) | Err(_) => Call::Continue,
        }
    }
}

impl Rule for NaiveZ {
    fn look(&mut self, look: &Look) -> Call {
        let arm = |seen: Seen| grid::Arm::new(seen.requests, seen.failures);
        let window =
            grid::Window { id: look.number, control: arm(look.stable), candidate: arm(look.candidate) };
        if Self::look(self, &window) { Call::Fail } else { Call::Continue }
    }
}

/// From so many values of each arm on, 98 % confidence can be reached at all.
const FIRST_LOOK_OF_KAYENTA: u64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(rival: Rival, candidate_failures: u64) -> Vec<Call> {
        let mut rule = rival.begin().unwrap();
        let mut calls = Vec::new();
        for number in 1..=30 {
            // Noise, so that no sample is constant.
            let noise = number * 7 % 5;
            let look = Look {
                number,
                is_last: number == 30,
                stable: Seen { requests: 5000, failures: 50 + noise, p99: 0.5 + 0.001 * noise as f64 },
                candidate: Seen {
                    requests: 500,
                    failures: candidate_failures + noise % 3,
                    p99: 0.5 + 0.001 * (noise % 3) as f64,
                },
            };
            calls.push(rule.look(&look));
            if calls.last() != Some(&Call::Continue) {
                break;
            }
        }
        calls
    }

    #[test]
    fn every_rival_fails_what_is_ten_times_worse_and_none_what_is_better() {
        for rival in [
            Rival::Kayenta { pass: 95.0, marginal: 75.0 },
            Rival::GrowthBook { alpha: 0.05, tuning: 5000.0 },
            Rival::Statsig { alpha: 0.05 },
            Rival::ZTestEachLook { alpha: 0.05 },
        ] {
            assert_eq!(calls(rival, 50).last(), Some(&Call::Fail), "{rival:?}");
            assert!(!calls(rival, 3).contains(&Call::Fail), "{rival:?}");
        }
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        for rival in [
            Rival::Kayenta { pass: 101.0, marginal: 75.0 },
            Rival::GrowthBook { alpha: 0.05, tuning: 0.0 },
            Rival::Statsig { alpha: 1.0 },
            Rival::ZTestEachLook { alpha: f64::NAN },
        ] {
            assert!(rival.begin().is_err(), "{rival:?}");
        }
    }
}
