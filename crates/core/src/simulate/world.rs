//! What happens around a rollout: traffic, failures, latency, and what is wrong with the candidate.

use serde::{Deserialize, Serialize};

use super::traffic::{Times, shown_quantile};
use crate::time::GoDuration;

/// A made-up world: who sends requests, and how they end.
///
/// Everything has a default, so that a file holds only what is different. Keys are in camel case, lengths of time in
/// Go's notation:
///
/// ```
/// use serinus_core::simulate::World;
///
/// let world: World = serde_json::from_str(
///     r#"{"requestsPerSecond": 500, "incidents": [{"start": "20m", "length": "5m", "rate": 0.04}]}"#,
/// )?;
/// world.check()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(
    clippy::exhaustive_structs,
    reason = "a specification that people write; use `..Default::default()`"
)]
pub struct World {
    /// Requests of all users per second, on average; above 0, at most 10⁷. Default 100.
    pub requests_per_second: f64,
    /// Share of stable's requests that fail when the rollout starts, `0..=1`. Default 0.005.
    pub failure_rate: f64,
    /// What an hour adds to the failure rate of both versions, as a multiple of what it was at the start: with 2 it is
    /// three times as high after an hour. From -100 to 100; the rate itself stays within `0..=1`. Default 0.
    pub drift_per_hour: f64,
    /// A regular rise and fall.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swing: Option<Swing>,
    /// Troubles that are nobody's fault here: they hit both versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<Incident>,
    /// How much more the failures of a version scatter than independent ones would: their variance, as a multiple.
    /// 1 is independent; failures that come in clumps have more. From 1 to 10⁶. Default 1.
    pub dispersion: f64,
    /// How long answers of stable take.
    pub latency: Latency,
    /// Requests that one user sends while a rollout lasts, above 0: what makes users out of requests. Default 10.
    pub requests_per_user: f64,
    /// Share of the requests that fit the matches of a plan that sends matching ones to the candidate, `0..=1`.
    /// Default 0.05.
    pub matching: f64,
    /// Requests at the preview address while it leads to the candidate, as a share of those of users, `0..=1`.
    /// Default 0.05.
    pub preview: f64,
    /// How the candidate differs from stable.
    pub candidate: Behaviour,
}

/// How the candidate differs from stable.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(
    clippy::exhaustive_structs,
    reason = "a specification that people write; use `..Default::default()`"
)]
pub struct Behaviour {
    /// How many times as often its requests fail as stable's; incidents come on top. From 0 to 10⁶. Default 1.
    pub failure_ratio: f64,
    /// How many times as long its answers take; above 0, at most 10⁶. Default 1.
    pub latency_factor: f64,
    /// Share of its answers that come late, `0..=1`. Default 0.
    pub late_share: f64,
    /// By how much those come late; 0s or more. Default 1s.
    pub late_by: GoDuration,
    /// How long after the rollout began it starts to differ: a leak, an expired cache. Default 0s.
    pub after: GoDuration,
}

impl Behaviour {
    /// Whether the candidate is as good as stable.
    pub fn is_healthy(&self) -> bool {
        let is_late = self.late_share > 0.0 && self.late_by > GoDuration::ZERO;
        self.failure_ratio <= 1.0 && self.latency_factor <= 1.0 && !is_late
    }
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            failure_ratio: 1.0,
            latency_factor: 1.0,
            late_share: 0.0,
            late_by: GoDuration::from_secs(1),
            after: GoDuration::ZERO,
        }
    }
}

/// Log-normal times of answers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(
    clippy::exhaustive_structs,
    reason = "a specification that people write; use `..Default::default()`"
)]
pub struct Latency {
    /// Half of the answers take at most this many seconds; above 0. Default 0.1.
    pub median: f64,
    /// Standard deviation of the logarithm; above 0, at most 10. Default 0.5: one answer in a hundred
    /// takes more than 0.32 s.
    pub sigma: f64,
    /// What an hour adds to the median of both versions, as a multiple of what it was at the start. From 0 to 100.
    /// Default 0.
    pub drift_per_hour: f64,
}

impl Default for Latency {
    fn default() -> Self {
        Self { median: 0.1, sigma: 0.5, drift_per_hour: 0.0 }
    }
}

/// A sine: both start at their mean and rise first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "a specification that people write")]
pub struct Swing {
    /// From one rise to the next; above 0s. 24h for a day.
    pub period: GoDuration,
    /// How far the rate of requests departs from its mean, as a share of it, `0..=1`.
    #[serde(default)]
    pub requests: f64,
    /// How far the failure rate departs from its mean, as a share of it, `0..=1`.
    #[serde(default)]
    pub failures: f64,
}

/// A trouble that hits both versions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "a specification that people write")]
pub struct Incident {
    /// How long after the rollout began it starts.
    pub start: GoDuration,
    /// How long it lasts.
    pub length: GoDuration,
    /// Share of all requests that fail because of it, besides those that fail anyway, `0..=1`.
    pub rate: f64,
}

impl Default for World {
    fn default() -> Self {
        Self {
            requests_per_second: 100.0,
            failure_rate: 0.005,
            drift_per_hour: 0.0,
            swing: None,
            incidents: Vec::new(),
            dispersion: 1.0,
            latency: Latency::default(),
            requests_per_user: 10.0,
            matching: 0.05,
            preview: 0.05,
            candidate: Behaviour::default(),
        }
    }
}

impl World {
    /// Checks that every number is in its range.
    ///
    /// # Errors
    ///
    /// The first that is not, with its place.
    pub fn check(&self) -> Result<(), WorldError> {
        positive("requestsPerSecond", self.requests_per_second, 1e7)?;
        share("failureRate", self.failure_rate)?;
        within("driftPerHour", self.drift_per_hour, -100.0, 100.0, "a number from -100 to 100")?;
        if let Some(Swing { period, requests, failures }) = self.swing {
            if period <= GoDuration::ZERO {
                return Err(WorldError::BadLength {
                    place: "swing.period".to_owned(),
                    value: period,
                    expected: "a length of time above 0s, such as 24h",
                });
            }
            share("swing.requests", requests)?;
            share("swing.failures", failures)?;
        }
        for (index, Incident { start, length, rate }) in self.incidents.iter().enumerate() {
            not_negative(&format!("incidents[{index}].start"), *start)?;
            not_negative(&format!("incidents[{index}].length"), *length)?;
            share(&format!("incidents[{index}].rate"), *rate)?;
        }
        within("dispersion", self.dispersion, 1.0, 1e6, "a number from 1, for independent failures, to 1e6")?;
        positive("latency.median", self.latency.median, 1e6)?;
        positive("latency.sigma", self.latency.sigma, 10.0)?;
        within("latency.driftPerHour", self.latency.drift_per_hour, 0.0, 100.0, "a number from 0 to 100")?;
        positive("requestsPerUser", self.requests_per_user, 1e12)?;
        share("matching", self.matching)?;
        share("preview", self.preview)?;
        let Behaviour { failure_ratio, latency_factor, late_share, late_by, after } = self.candidate;
        within("candidate.failureRatio", failure_ratio, 0.0, 1e6, "a number from 0 to 1e6")?;
        positive("candidate.latencyFactor", latency_factor, 1e6)?;
        share("candidate.lateShare", late_share)?;
        not_negative("candidate.lateBy", late_by)?;
        not_negative("candidate.after", after)
    }

    /// The same world with a candidate that differs like this.
    pub const fn with_candidate(mut self, candidate: Behaviour) -> Self {
        self.candidate = candidate;
        self
    }

    /// The time in seconds that this share of stable's answers take at most when the rollout starts, as a histogram with
    /// the buckets that clients of Prometheus have by default shows it after endlessly many requests; `share` within
    /// `0..=1`. NaN in a world that cannot be.
    ///
    /// It is not the quantile itself, which lies anywhere in its bucket.
    pub fn shown_latency(&self, share: f64) -> f64 {
        shown_quantile(&self.times(&self.at(0.0), false).buckets(), share)
    }

    /// How long answers take at a moment.
    pub(super) fn times(&self, moment: &Moment, of_candidate: bool) -> Times {
        let Latency { sigma, .. } = self.latency;
        let times = Times { median: moment.median, sigma, late: 0.0, by: 0.0 };
        if !(of_candidate && moment.differs) {
            return times;
        }
        let Behaviour { latency_factor, late_share, late_by, .. } = self.candidate;
        Times { median: times.median * latency_factor, late: late_share, by: late_by.as_secs_f64(), ..times }
    }

    /// What is in force `seconds` after the rollout began.
    pub(super) fn at(&self, seconds: f64) -> Moment {
        let wave = self
            .swing
            .map_or(0.0, |swing| libm::sin(seconds / swing.period.as_secs_f64() * std::f64::consts::TAU));
        let (busier, worse) = self.swing.map_or((0.0, 0.0), |swing| (swing.requests, swing.failures));
        let drift = 1.0 + self.drift_per_hour * seconds / 3600.0;
        let own = (self.failure_rate * drift * (1.0 + worse * wave)).clamp(0.0, 1.0);
        let differs = seconds >= self.candidate.after.as_secs_f64();
        let ratio = if differs { self.candidate.failure_ratio } else { 1.0 };
        let spared: f64 = self
            .incidents
            .iter()
            .filter(|incident| {
                let start = incident.start.as_secs_f64();
                (start..start + incident.length.as_secs_f64()).contains(&seconds)
            })
            .map(|incident| 1.0 - incident.rate)
            .product();
        let failing = |own: f64| 1.0 - (1.0 - own) * spared;
        Moment {
            requests_per_second: self.requests_per_second * (1.0 + busier * wave),
            stable: failing(own),
            candidate: failing((own * ratio).min(1.0)),
            median: self.latency.median * (1.0 + self.latency.drift_per_hour * seconds / 3600.0),
            differs,
        }
    }

    /// Where something changes at once, in nanoseconds after the beginning.
    pub(super) fn edges(&self) -> Vec<i64> {
        let mut edges: Vec<i64> = self
            .incidents
            .iter()
            .flat_map(|incident| {
                let start = incident.start.as_nanos();
                [start, start.saturating_add(incident.length.as_nanos())]
            })
            .chain([self.candidate.after.as_nanos()])
            .collect();
        edges.sort_unstable();
        edges.dedup();
        edges
    }
}

/// A world at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moment {
    pub(super) requests_per_second: f64,
    /// Share of stable's requests that fail.
    pub(super) stable: f64,
    /// Share of the candidate's requests that fail.
    pub(super) candidate: f64,
    /// Half of stable's answers take at most this many seconds.
    pub(super) median: f64,
    /// Whether the candidate differs by now.
    pub(super) differs: bool,
}

/// Why a world cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// A number out of its range.
    #[error("{place} is {value}: expected {expected}")]
    OutOfRange {
        /// Where it stands in the world.
        place: String,
        /// What was found.
        value: f64,
        /// What would be accepted.
        expected: String,
    },
    /// A length of time out of its range.
    #[error("{place} is {value}: expected {expected}")]
    BadLength {
        /// Where it stands in the world.
        place: String,
        /// What was found.
        value: GoDuration,
        /// What would be accepted.
        expected: &'static str,
    },
}

fn share(place: &str, value: f64) -> Result<(), WorldError> {
    within(place, value, 0.0, 1.0, "a share from 0 to 1, such as 0.01 for 1 %")
}

fn positive(place: &str, value: f64, most: f64) -> Result<(), WorldError> {
    let expected = || format!("a number above 0, at most {most:e}");
    if value > 0.0 && value <= most {
        Ok(())
    } else {
        Err(WorldError::OutOfRange { place: place.to_owned(), value, expected: expected() })
    }
}

fn within(place: &str, value: f64, least: f64, most: f64, expected: &str) -> Result<(), WorldError> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(WorldError::OutOfRange { place: place.to_owned(), value, expected: expected.to_owned() })
    }
}

fn not_negative(place: &str, value: GoDuration) -> Result<(), WorldError> {
    if value.is_negative() {
        Err(WorldError::BadLength {
            place: place.to_owned(),
            value,
            expected: "a length of time of 0s or more",
        })
    } else {
        Ok(())
    }
}
