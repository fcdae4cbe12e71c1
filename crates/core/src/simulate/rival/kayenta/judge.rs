//! From two samples of one metric to a classification.

use super::interval::compare;
use crate::stats::special;

/// What Kayenta makes of a metric.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Classification {
    /// No difference was shown: not the same as none.
    Pass,
    /// The canary is higher.
    High,
    /// The canary is lower.
    Low,
    /// An arm had no values.
    Nodata,
    /// An arm had no values, and the configuration says that it must have.
    NodataFailMetric,
    /// The test threw. In no denominator of the score, and no longer critical: fails open.
    Error,
}

/// In which direction a change is bad.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Direction {
    /// Upwards.
    Increase,
    /// Downwards.
    Decrease,
    /// Both; also what every unknown word means.
    #[default]
    Either,
}

/// What is done with NaN.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum MissingValues {
    /// Left out; also what every unknown word means. An arm left empty is [`Classification::Nodata`].
    #[default]
    Remove,
    /// Replaced by 0. An arm that is empty even so passes: fails open.
    Replace,
}

/// The configuration of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the options of another tool, at one commit")]
pub struct Judge {
    /// The part of the estimated shift that the interval must stay away from 0. Always 0.25 in Kayenta, whatever is
    /// configured.
    pub tolerance: f64,
    /// The level of the interval. Always 0.98 in Kayenta.
    pub confidence: f64,
    /// Which changes count.
    pub direction: Direction,
    /// A lower canary counts only if the ratio of the means is at most this.
    pub allowed_decrease: f64,
    /// A higher canary counts only if the ratio of the means is at least this.
    pub allowed_increase: f64,
    /// What is done with NaN.
    pub missing: MissingValues,
    /// Whether an empty arm fails the metric.
    pub must_have_data: bool,
    /// Whether the metric is critical.
    pub critical: bool,
}

impl Default for Judge {
    fn default() -> Self {
        Self {
            tolerance: 0.25,
            confidence: 0.98,
            direction: Direction::Either,
            allowed_decrease: 1.0,
            allowed_increase: 1.0,
            missing: MissingValues::Remove,
            must_have_data: false,
            critical: false,
        }
    }
}

/// Classifies a metric.
///
/// High if the lower end of the interval exceeds `tolerance` times the estimate and the ratio of the means is at least
/// `allowed_increase`; Low likewise. A ratio that is not defined, because a mean is 0, is ignored: one error against
/// none can fail a canary. Two constant arms get noise of 1e-5 times their value; here the noise is normal scores, so
/// that the answer is always the same.
pub fn classify(canary: &[f64], baseline: &[f64], judge: &Judge) -> Classification {
    let prepare = |sample: &[f64]| -> Vec<f64> {
        let mut sample = match judge.missing {
            MissingValues::Remove => sample.iter().copied().filter(|value| !value.is_nan()).collect(),
            MissingValues::Replace => {
                sample.iter().map(|&value| if value.is_nan() { 0.0 } else { value }).collect::<Vec<f64>>()
            }
        };
        sample.sort_unstable_by(f64::total_cmp);
        sample
    };
    let (mut canary, mut baseline) = (prepare(canary), prepare(baseline));
    if canary.is_empty() || baseline.is_empty() {
        return match judge.missing {
            MissingValues::Replace => Classification::Pass,
            MissingValues::Remove if judge.must_have_data && !judge.critical => {
                Classification::NodataFailMetric
            }
            MissingValues::Remove => Classification::Nodata,
        };
    }
    if canary == baseline {
        return Classification::Pass;
    }
    let constant = |sample: &[f64]| sample.iter().all(|&value| value == sample[0]);
    if constant(&canary) && constant(&baseline) {
        if canary[0] == baseline[0] {
            return Classification::Pass;
        }
        add_noise(&mut canary);
        add_noise(&mut baseline);
    }
    let Ok(comparison) = compare(&canary, &baseline, judge.confidence) else { return Classification::Error };
    let limit = judge.tolerance * comparison.estimate.abs();
    let ratio = mean_ratio(&canary, &baseline);
    let counts = |direction| judge.direction == direction || judge.direction == Direction::Either;
    if counts(Direction::Increase)
        && comparison.interval.lower > limit
        && (ratio.is_nan() || ratio >= judge.allowed_increase)
    {
        Classification::High
    } else if counts(Direction::Decrease)
        && comparison.interval.upper < -limit
        && (ratio.is_nan() || ratio <= judge.allowed_decrease)
    {
        Classification::Low
    } else {
        Classification::Pass
    }
}

/// The canary's mean over the baseline's: 1 if they are equal, NaN if either is 0, or a sample is empty.
pub fn mean_ratio(canary: &[f64], baseline: &[f64]) -> f64 {
    let mean = |sample: &[f64]| sample.iter().sum::<f64>() / sample.len() as f64;
    let (canary, baseline) = (mean(canary), mean(baseline));
    if canary == baseline {
        1.0
    } else if canary == 0.0 || baseline == 0.0 {
        f64::NAN
    } else {
        canary / baseline
    }
}

fn add_noise(sample: &mut [f64]) {
    let count = sample.len() as f64;
    for (index, value) in sample.iter_mut().enumerate() {
        let score = special::normal_quantile((index as f64 + 0.5) / count);
        *value += *value * NOISE * score;
    }
}

const NOISE: f64 = 1e-5;
