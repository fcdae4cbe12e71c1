//! What the metrics of a run came to, with intervals, for people who read a result.

use std::fmt;

use super::Run;
use crate::{
    analysis::{Analysis, Compared, Comparison, Outcome},
    stats::{Interval, bernoulli::confidence_sequence, grid::Arm},
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
    /// Of a comparison that has seen requests of both arms: both, and how they differ.
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
    /// stable succeeds. None before the first event.
    pub ratio: Option<f64>,
    /// Where that ratio lies, at every look at once; `0..inf` as long as nothing is known.
    pub ratio_interval: (f64, f64),
    /// The probability with which an interval of this result is wrong, `0 < p < 1`.
    pub error_probability: f64,
    /// What it comes to.
    pub verdict: Verdict,
}

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// There is evidence that the candidate is worse than the margin allows.
    Worse,
    /// There is evidence that it is not worse than the safety margin allows, and the whole interval of the ratio says
    /// that it is better.
    Better,
    /// There is evidence that it is not worse than the safety margin allows.
    NoWorse,
    /// There is no evidence for either.
    Uncertain,
}

impl Verdict {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::NoWorse => "no worse",
            Self::Uncertain => "not certain",
        }
    }
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
    /// stays what it is ([`confidence_sequence`]). None without requests.
    pub interval: Option<Interval>,
}

impl ArmResult {
    fn of(arm: Arm, alpha: f64) -> Self {
        let Arm { exposure: requests, failures: events } = arm;
        // Refused without requests, and for counts that contradict each other.
        let interval = confidence_sequence(events, requests, alpha, BEST, alpha).ok();
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
                let arms = comparison.and_then(|it| self.arms(analysis, index, it, outcome));
                MetricResult {
                    name: metric.name.clone(),
                    outcome,
                    value: match (comparison, last) {
                        (None, Some(last)) => last.value.clone(),
                        _ => Text::EMPTY,
                    },
                    arms,
                }
            })
            .collect()
    }

    fn arms(
        &self,
        analysis: &Analysis,
        metric: usize,
        comparison: &Comparison,
        outcome: Option<Outcome>,
    ) -> Option<ArmsResult> {
        let error_probability = analysis.error_probability(comparison);
        let findings = self.evidence(metric)?.findings(error_probability)?;
        // Of successes, the arms stand the other way round.
        let (stable, candidate) = match comparison.of {
            Compared::Successes => (findings.candidate, findings.stable),
            Compared::Failures | Compared::Latency => (findings.stable, findings.candidate),
        };
        let harm = findings.log_harm / comparison.dispersion.get();
        let verdict = if harm >= -libm::log(error_probability) {
            Verdict::Worse
        } else if outcome == Some(Outcome::Inconclusive) || self.metrics[metric].counters.successful == 0 {
            // Evidence that was there at some look is evidence, whatever chance did to it since.
            Verdict::Uncertain
        } else if findings.interval.1 < 1.0 {
            Verdict::Better
        } else {
            Verdict::NoWorse
        };
        Some(ArmsResult {
            of: comparison.of,
            edge: findings.edge,
            stable: ArmResult::of(stable, error_probability),
            candidate: ArmResult::of(candidate, error_probability),
            ratio: findings.ratio,
            ratio_interval: findings.interval,
            error_probability,
            verdict,
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
        f.write_str(match (&self.arms, self.outcome) {
            (Some(arms), _) => arms.verdict.as_str(),
            (None, Some(outcome)) => outcome.as_str(),
            (None, None) => "not measured",
        })
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
                _ => write!(f, "{name} without requests{after}")?,
            }
        }
        if let Some(ratio) = self.ratio {
            let (lower, upper) = self.ratio_interval;
            let who = if self.of == Compared::Successes { "stable" } else { "candidate" };
            write!(f, ", {who} {ratio:.2} times as often")?;
            if upper.is_finite() {
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
        let arm = ArmResult::of(Arm::new(0, 0), 0.01);
        assert_eq!((arm.share(), arm.interval), (None, None));
    }

    #[test]
    fn the_intervals_hold_the_shares_and_narrow() {
        let few = ArmResult::of(Arm::new(1_000, 50), 0.01);
        let many = ArmResult::of(Arm::new(100_000, 5_000), 0.01);
        let width = |arm: ArmResult| {
            let interval = arm.interval.unwrap();
            assert!(interval.lower < 0.05 && 0.05 < interval.upper, "{interval:?}");
            interval.upper - interval.lower
        };
        assert!(width(many) < width(few) / 5.0);
    }
}
