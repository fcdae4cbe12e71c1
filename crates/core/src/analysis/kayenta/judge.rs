//! From two samples of one metric to a classification.

use super::interval::compare;
use crate::stats::special;

/// What Kayenta makes of a metric, with what else the score depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Assessment {
    /// What it makes of the metric.
    pub classification: Classification,
    /// Whether that alone makes the score 0.
    pub is_critical: bool,
    /// The canary's mean over the baseline's ([`mean_ratio`]); 1 without data.
    pub ratio: f64,
}

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

/// How great a change is, beside how certain it is.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EffectSize {
    /// [`mean_ratio`]: 1 if nothing changed.
    #[default]
    MeanRatio,
    /// The share of pairs in which the canary's value is the higher one, ties counted by half: ½ if nothing changed.
    CommonLanguage,
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
    /// How the size of a change is measured; 1 in what follows is for the ratio of the means.
    pub effect: EffectSize,
    /// A lower canary counts only if the effect is at most this; 1 by default.
    pub allowed_decrease: f64,
    /// A higher canary counts only if the effect is at least this; 1 by default.
    pub allowed_increase: f64,
    /// A lower canary is critical only if the effect is at most this; 1 by default.
    pub critical_decrease: f64,
    /// A higher canary is critical only if the effect is at least this; 1 by default.
    pub critical_increase: f64,
    /// How many times the distance between the quartiles a value may lie beyond them (and beyond the 1st or 99th
    /// percentile) before it is left out; none: all values are kept.
    pub outliers: Option<f64>,
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
            effect: EffectSize::MeanRatio,
            allowed_decrease: 1.0,
            allowed_increase: 1.0,
            critical_decrease: 1.0,
            critical_increase: 1.0,
            outliers: None,
            missing: MissingValues::Remove,
            must_have_data: false,
            critical: false,
        }
    }
}

/// Classifies a metric, by [`assess`].
pub fn classify(canary: &[f64], baseline: &[f64], judge: &Judge) -> Classification {
    assess(canary, baseline, judge).classification
}

/// Classifies a metric and says whether that alone decides.
///
/// High if the lower end of the interval exceeds `tolerance` times the estimate and the effect is at least
/// `allowed_increase`; Low likewise. A ratio that is not defined, because a mean is 0, is ignored: one error against
/// none can fail a canary. Two constant arms get noise of 1e-5 times their value; here the noise is normal scores, so
/// that the answer is always the same.
pub fn assess(canary: &[f64], baseline: &[f64], judge: &Judge) -> Assessment {
    let of = |classification, is_critical| Assessment { classification, is_critical, ratio: 1.0 };
    let (mut canary, mut baseline) = (prepared(canary, judge), prepared(baseline, judge));
    if canary.is_empty() || baseline.is_empty() {
        return match judge.missing {
            MissingValues::Replace => of(Classification::Pass, false),
            MissingValues::Remove if judge.must_have_data && !judge.critical => {
                of(Classification::NodataFailMetric, false)
            }
            MissingValues::Remove => of(Classification::Nodata, judge.critical),
        };
    }
    if canary == baseline {
        return of(Classification::Pass, false);
    }
    let constant = |sample: &[f64]| sample.iter().all(|&value| value == sample[0]);
    if constant(&canary) && constant(&baseline) {
        if canary[0] == baseline[0] {
            return of(Classification::Pass, false);
        }
        add_noise(&mut canary);
        add_noise(&mut baseline);
    }
    let Ok(comparison) = compare(&canary, &baseline, judge.confidence) else {
        return of(Classification::Error, false);
    };
    let limit = judge.tolerance * comparison.estimate.abs();
    let ratio = mean_ratio(&canary, &baseline);
    let effect = match judge.effect {
        EffectSize::MeanRatio => ratio,
        EffectSize::CommonLanguage => common_language(&canary, &baseline),
    };
    let counts = |direction| judge.direction == direction || judge.direction == Direction::Either;
    // What cannot be computed counts as great.
    let at_least = |threshold: f64| effect.is_nan() || effect >= threshold;
    let at_most = |threshold: f64| effect.is_nan() || effect <= threshold;
    let (classification, is_critical) = if counts(Direction::Increase)
        && comparison.interval.lower > limit
        && at_least(judge.allowed_increase)
    {
        (Classification::High, judge.critical && at_least(judge.critical_increase))
    } else if counts(Direction::Decrease)
        && comparison.interval.upper < -limit
        && at_most(judge.allowed_decrease)
    {
        (Classification::Low, judge.critical && at_most(judge.critical_decrease))
    } else {
        (Classification::Pass, false)
    };
    Assessment { classification, is_critical, ratio }
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

/// In ascending order, without what is to be left out.
fn prepared(sample: &[f64], judge: &Judge) -> Vec<f64> {
    let mut sample: Vec<f64> = match judge.missing {
        MissingValues::Remove => sample.iter().copied().filter(|value| !value.is_nan()).collect(),
        MissingValues::Replace => {
            sample.iter().map(|&value| if value.is_nan() { 0.0 } else { value }).collect()
        }
    };
    sample.sort_unstable_by(f64::total_cmp);
    if let Some(factor) = judge.outliers
        && !sample.is_empty()
    {
        let [first, lower, upper, last] = [0.01, 0.25, 0.75, 0.99].map(|share| percentile(&sample, share));
        let reach = factor * (upper - lower);
        let (low, high) = (first.min(lower - reach), last.max(upper + reach));
        sample.retain(|value| !(*value < low || *value > high));
    }
    sample
}

/// Between the two values nearest to the rank `share · (n - 1)` (R's type 7) of a sample that is sorted and not empty.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = share * (sorted.len() - 1) as f64;
    let below = rank as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (rank - below as f64) * (sorted[above] - sorted[below])
}

/// The share of pairs in which the canary's value is the higher one; both samples are sorted and not empty.
fn common_language(canary: &[f64], baseline: &[f64]) -> f64 {
    let higher: f64 = canary
        .iter()
        .map(|value| {
            let below = baseline.partition_point(|other| other < value);
            let up_to = baseline.partition_point(|other| other <= value);
            (below + up_to) as f64 / 2.0
        })
        .sum();
    higher / (canary.len() as f64 * baseline.len() as f64)
}

fn add_noise(sample: &mut [f64]) {
    let count = sample.len() as f64;
    for (index, value) in sample.iter_mut().enumerate() {
        let score = special::normal_quantile((index as f64 + 0.5) / count);
        *value += *value * NOISE * score;
    }
}

const NOISE: f64 = 1e-5;
