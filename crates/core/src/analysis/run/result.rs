//! What the metrics of a run came to, with intervals, for people who read a result.

use std::fmt;

use super::Run;
use crate::{
    analysis::{
        Analysis, Compared, Comparison, Outcome,
        comparison::{Evidence, Verdict},
    },
    stats::{
        Interval,
        bernoulli::confidence_sequence,
        grid::{Arm, RateRatio},
    },
    text::Text,
};

/// What one metric came to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MetricResult {
    /// The metric's name.
    pub name: String,
    /// What the last measurement was, if there was one.
    pub outcome: Option<Outcome>,
    /// The value of the last measurement, as it is printed; empty for a comparison.
    pub value: Text,
    /// Of a comparison, what it comes to.
    pub verdict: Option<Verdict>,
    /// Of a comparison that has counted something: both arms, and how they differ.
    pub arms: Option<ArmsResult>,
}

/// What a comparison knows about both arms.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ArmsResult {
    /// What was compared.
    pub of: Compared,
    /// Of latencies, the edge in seconds: requests above it are counted.
    pub edge: Option<f64>,
    /// The proven revision.
    pub stable: ArmResult,
    /// The new revision.
    pub candidate: ArmResult,
    /// How many times as often the candidate does harm: fails, is slow, or (of successes) how many times as often
    /// stable succeeds. None before the first event; 0 and infinite for one below 1/64 and above 64.
    pub ratio: Option<f64>,
    /// Where that ratio lies, at every look at once; `0..inf` as long as nothing is known.
    pub ratio_interval: (f64, f64),
    /// The probability with which an interval of this result is wrong, `0 < p < 1`.
    pub error_probability: f64,
}

/// What one arm did over all windows compared.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ArmResult {
    /// Requests.
    pub requests: u64,
    /// Those of them that are counted: that failed, succeeded or were slow.
    pub events: u64,
    /// Where the share of events lies, `0..=1`, at every look at once if the requests are independent and the share
    /// stays what it is ([`confidence_sequence`]); wider by the comparison's dispersion. None without requests, or with
    /// fewer than the dispersion, or while that is not known.
    pub interval: Option<Interval>,
}

impl ArmResult {
    /// Requests that scatter `dispersion` times as much say as much as that part of them would.
    fn of(arm: Arm, alpha: f64, dispersion: Option<f64>) -> Self {
        let Arm { exposure: requests, failures: events } = arm;
        let Some(dispersion) = dispersion else { return Self { requests, events, interval: None } };
        let part = |count: u64| count as f64 / dispersion;
        let worth = part(requests).floor() as u64;
        // Refused without requests, and for counts that contradict each other.
        let end = |events: f64| {
            let events = (events as u64).min(worth);
            confidence_sequence(events, worth, alpha, BEST, alpha).ok()
        };
        let ends = end(part(events).floor()).zip(end(part(events).ceil()));
        let interval = ends.map(|(low, high)| Interval::new(low.lower, high.upper));
        Self { requests, events, interval }
    }

    /// The share of events, `0..=1`; none without requests.
    pub fn share(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.events as f64 / self.requests as f64)
    }
}

impl Run {
    /// What each metric of the analysis came to so far, in order.
    pub fn results(&self, analysis: &Analysis) -> Vec<MetricResult> {
        let metrics = analysis.metrics.iter().enumerate();
        metrics
            .map(|(index, metric)| {
                let last = self.measurements(index).last();
                let outcome = last.map(|last| last.outcome);
                let comparison = metric.comparison();
                let evidence = comparison.zip(self.evidence(index));
                MetricResult {
                    name: metric.name.clone(),
                    outcome,
                    value: match (comparison, last) {
                        (None, Some(last)) => last.value.clone(),
                        _ => Text::EMPTY,
                    },
                    verdict: evidence.map(|(comparison, evidence)| {
                        evidence.verdict(comparison, analysis.strictness(comparison))
                    }),
                    arms: evidence.and_then(|(comparison, evidence)| {
                        ArmsResult::of(comparison, evidence, analysis.error_probability(comparison))
                    }),
                }
            })
            .collect()
    }
}

impl ArmsResult {
    fn of(comparison: &Comparison, evidence: &Evidence, error_probability: f64) -> Option<Self> {
        let findings = evidence.findings(comparison, error_probability)?;
        let arm = |arm| ArmResult::of(arm, error_probability, findings.dispersion);
        Some(Self {
            of: comparison.of,
            edge: findings.edge,
            stable: arm(findings.stable),
            candidate: arm(findings.candidate),
            ratio: findings.ratio,
            ratio_interval: findings.interval,
            error_probability,
        })
    }
}

impl fmt::Display for MetricResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        match &self.arms {
            Some(arms) => write!(f, "{arms}: ")?,
            None if !self.value.is_empty() => write!(f, "{}, ", self.value)?,
            None => {}
        }
        match (self.verdict, self.outcome) {
            (Some(verdict), _) => verdict.fmt(f),
            (None, Some(outcome)) => f.write_str(outcome.as_str()),
            (None, None) => f.write_str("not measured"),
        }
    }
}

impl fmt::Display for ArmsResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.of, self.edge) {
            (Compared::Latency, Some(edge)) => write!(f, "slower than {edge} s, ")?,
            (Compared::Failures | Compared::Successes | Compared::Latency, _) => {}
        }
        let sure = ((1.0 - self.error_probability) * 1e4).round() / 100.0;
        for (name, arm, after) in [("candidate", &self.candidate, ", "), ("stable", &self.stable, "")] {
            match (arm.share(), arm.interval) {
                (Some(share), Some(interval)) => write!(
                    f,
                    "{name} {:.2}% of {} ({sure}% interval {:.2}% to {:.2}%){after}",
                    share * 100.0,
                    arm.requests,
                    interval.lower * 100.0,
                    interval.upper * 100.0
                )?,
                (Some(share), None) => {
                    write!(f, "{name} {:.2}% of {}{after}", share * 100.0, arm.requests)?;
                }
                (None, _) => write!(f, "{name} without requests{after}")?,
            }
        }
        if let Some(ratio) = self.ratio {
            let (lower, upper) = self.ratio_interval;
            let who = if self.of == Compared::Successes { "stable" } else { "candidate" };
            if ratio.is_finite() {
                write!(f, ", {who} {ratio:.2} times as often")?;
            } else {
                write!(f, ", {who} over {} times as often", RateRatio::FARTHEST)?;
            }
            if lower > 0.0 || upper.is_finite() {
                write!(f, " ({lower:.2} to {upper:.2})")?;
            }
        }
        Ok(())
    }
}

/// The number of requests after which an arm's interval is narrowest for its error probability. Chosen beforehand, as
/// an interval that is valid at every look must be.
const BEST: f64 = 10_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arm_without_requests_has_neither_share_nor_interval() {
        let arm = ArmResult::of(Arm::new(0, 0), 0.01, Some(1.0));
        assert_eq!((arm.share(), arm.interval), (None, None));
    }

    #[test]
    fn the_intervals_hold_the_shares_and_narrow() {
        let few = ArmResult::of(Arm::new(1_000, 50), 0.01, Some(1.0));
        let many = ArmResult::of(Arm::new(100_000, 5_000), 0.01, Some(1.0));
        let width = |arm: ArmResult| {
            let interval = arm.interval.unwrap();
            assert!(interval.lower < 0.05 && 0.05 < interval.upper, "{interval:?}");
            interval.upper - interval.lower
        };
        assert!(width(many) < width(few) / 5.0);
    }
}
