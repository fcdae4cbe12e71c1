//! When a plan that compares is expected to find a candidate that fails more often, without simulating it.

use std::ops::Range;

use super::world::World;
use crate::{
    analysis::{Compared, Comparison, comparison::Dispersal},
    rollout::{Place, Plan, Step},
    stats::power::windows_to_detect,
    time::GoDuration,
};

/// When a worse candidate is expected to be found.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Detection {
    /// About so long after the rollout began.
    After(GoDuration),
    /// Not while it is compared, which is for so long; by then there is this share of the evidence that it takes,
    /// `0..1`.
    NotWithin(GoDuration, f64),
}

impl Detection {
    /// When `plan` is expected to find a candidate whose requests fail `ratio` times as often as stable's, with the
    /// requests and failures of `world`; none if it does not compare failures, the ratio is within the margin, or the
    /// world is beyond its ranges.
    ///
    /// The formula of [`windows_to_detect`], summed over the weights of the plan, with the margin, the dispersion and the
    /// error probability of its comparison: the expected evidence of a second at share `ρ` is `n KL(θ(ratio) ‖ θ(margin))`
    /// nats, and `ln(1 / error) + 1` are needed. Without drift, incidents and swing; a gate is open and a person comes
    /// at once; an analysis that waits for another verdict takes its measurements. The mean is somewhat later than this,
    /// and where the evidence is weak half of the candidates are found by then, not all.
    ///
    /// ```
    /// use serinus_core::simulate::{Detection, Ladder, World};
    ///
    /// let world = World { failure_rate: 0.01, ..World::default() };
    /// let Some(Detection::After(length)) = Detection::expected(&Ladder::default().plan()?, &world, 2.0) else {
    ///     unreachable!()
    /// };
    /// // 6000 requests a minute, 5 % of them to the candidate.
    /// assert!((5.0..9.0).contains(&(length.as_secs_f64() / 60.0)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn expected(plan: &Plan, world: &World, ratio: f64) -> Option<Self> {
        world.check().ok()?;
        let failed = world.requests_per_second * world.failure_rate;
        let mut stretches = stretches(plan, world);
        stretches.retain(|stretch| stretch.judge.as_ref().is_some_and(|judge| ratio > judge.margin));
        let (mut gathered, mut compared) = (0.0, 0.0);
        for stretch in &stretches {
            let Some(judge) = &stretch.judge else { continue };
            let seconds = judge.seconds(failed, stretch.share, ratio).unwrap_or(f64::INFINITY);
            let lasts = stretch.until - stretch.from;
            if gathered + lasts / seconds >= 1.0 {
                return Some(Self::After(duration(stretch.from + (1.0 - gathered) * seconds)));
            }
            gathered += lasts / seconds;
            compared += lasts;
        }
        (!stretches.is_empty()).then(|| Self::NotWithin(duration(compared), gathered))
    }
}

/// A comparison of failures, in force.
#[derive(Clone, Copy, Debug)]
struct Judging {
    margin: f64,
    error: f64,
    dispersion: f64,
    /// Not compared after a change of weight, in seconds.
    settle: f64,
}

impl Judging {
    /// Seconds until the evidence is expected to be enough.
    fn seconds(&self, failed: f64, share: f64, ratio: f64) -> Option<f64> {
        // As if so many more of the requests were the candidate's, the margin is no harm.
        let tilted = share * self.margin / (1.0 - share + share * self.margin);
        let control = failed * (1.0 - share) / self.dispersion;
        windows_to_detect(control / PARTS, tilted, ratio / self.margin, self.error)
            .ok()
            .map(|parts| parts as f64 / PARTS)
    }
}

/// A part of the plan in which the candidate has the same share, in seconds after the beginning.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: f64,
    until: f64,
    share: f64,
    judge: Option<Judging>,
}

fn stretches(plan: &Plan, world: &World) -> Vec<Stretch> {
    let spec = plan.spec();
    let mut found = Vec::new();
    let (mut now, mut weight, mut matching) = (0.0, 0.0, 0.0);
    let mut is_settled = true;
    for (index, step) in spec.steps.iter().enumerate() {
        let waits = match step {
            Step::Weight(to) => {
                weight = f64::from(to.parts()) / f64::from(crate::traffic::Weight::FULL.parts());
                is_settled = false;
                continue;
            }
            Step::Match(matches) => {
                matching = if matches.is_empty() { 0.0 } else { world.matching };
                is_settled = false;
                continue;
            }
            Step::Hold(Some(length)) => length.as_secs_f64(),
            Step::Analyse(_) => analysed(plan, index),
            // All traffic is the candidate's: nothing is left to compare with.
            Step::Switch => break,
            Step::Hold(None) | Step::Gate(_) | Step::Scale(_) | Step::Mirror(_) => continue,
        };
        let judge = judging(plan, index);
        let share = matching + (1.0 - matching) * weight;
        let settle = judge.filter(|_| !is_settled).map_or(0.0, |judge| judge.settle.min(waits));
        if share > 0.0 && share < 1.0 {
            found.push(Stretch { from: now + settle, until: now + waits, share, judge });
            is_settled = true;
        }
        now += waits;
    }
    found
}

/// How long a step that waits for a verdict takes: for that of a comparison as long as it may.
fn analysed(plan: &Plan, step: usize) -> f64 {
    let Some(analysis) = plan.analysis_at(Place::Step(step)) else { return 0.0 };
    let lengths = analysis.metrics.iter().map(|metric| match metric.comparison() {
        Some(comparison) => comparison.horizon.map_or(f64::INFINITY, GoDuration::as_secs_f64),
        None => {
            let times = f64::from(metric.count.unwrap_or(1).saturating_sub(1));
            metric.initial_delay.as_secs_f64() + times * metric.interval.map_or(0.0, GoDuration::as_secs_f64)
        }
    });
    lengths.fold(0.0, f64::max)
}

/// The comparison of failures that looks while a step waits; of several the one that is quickest to fail.
fn judging(plan: &Plan, step: usize) -> Option<Judging> {
    let beside = plan.spec().background.iter().enumerate();
    let beside = beside.filter(|(_, background)| covers(&background.during, step));
    let places = beside.map(|(index, _)| Place::Background(index)).chain([Place::Step(step)]);
    let analyses = places.filter_map(|place| plan.analysis_at(place));
    let judges = analyses.flat_map(|analysis| {
        let compared = analysis.metrics.iter().filter(|metric| !metric.dry_run);
        let compared = compared.filter_map(|metric| metric.comparison());
        let failures = compared.filter(|comparison| comparison.of == Compared::Failures);
        failures.map(|comparison| {
            let dispersion = match comparison.dispersion {
                Dispersal::Fixed(times) => times.get(),
                Dispersal::Calibrated { .. } => 1.0,
            };
            let Comparison { margin, settle, .. } = comparison;
            Judging {
                margin: margin.get(),
                error: analysis.error_probability(comparison),
                dispersion,
                settle: settle.as_secs_f64(),
            }
        })
    });
    judges.max_by(|one, other| one.error.total_cmp(&other.error))
}

fn covers(during: &Range<usize>, step: usize) -> bool {
    during.contains(&step)
}

fn duration(seconds: f64) -> GoDuration {
    GoDuration::from_nanos((seconds * 1e9) as i64)
}

/// Parts of a second that are counted: what is found within one second is told apart.
const PARTS: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::Ladder;

    fn minutes(plan: &Plan, requests_per_second: f64, ratio: f64) -> Option<f64> {
        let world = World { requests_per_second, failure_rate: 0.01, ..World::default() };
        match Detection::expected(plan, &world, ratio)? {
            Detection::After(length) => Some(length.as_secs_f64() / 60.0),
            Detection::NotWithin(..) => None,
        }
    }

    #[test]
    fn the_figures_of_the_literature_come_out_again() {
        // Predicted 25, 13 and 4 minutes at an error probability of 5 % and without a margin; a settling time comes on top.
        let plan = Ladder::default().comparing(0.05, 1.0).unwrap();
        for (requests, ratio, expected) in [(10.0, 2.0, 25.0), (100.0, 1.5, 13.0), (100.0, 2.0, 4.0)] {
            let found = minutes(&plan, requests, ratio).unwrap();
            assert!((found - expected).abs() <= 1.0, "{requests} {ratio}: {found} instead of {expected}");
        }
    }

    #[test]
    fn strictness_and_margin_cost_time_and_little_traffic_more_than_there_is() {
        let ladder = Ladder::default();
        let quick = minutes(&ladder.comparing(0.05, 1.0).unwrap(), 100.0, 1.5).unwrap();
        let strict = minutes(&ladder.comparing(0.01, 1.1).unwrap(), 100.0, 1.5).unwrap();
        let default = minutes(&ladder.plan().unwrap(), 100.0, 1.5).unwrap();
        assert!(quick < strict && strict < default, "{quick} {strict} {default}");
        let world = World { requests_per_second: 1.0, failure_rate: 0.01, ..World::default() };
        let rare = Detection::expected(&ladder.plan().unwrap(), &world, 2.0);
        let Some(Detection::NotWithin(compared, share)) = rare else { panic!("{rare:?}") };
        assert!((58.0..60.0).contains(&(compared.as_secs_f64() / 60.0)), "{compared}");
        assert!((0.1..0.9).contains(&share), "{share}");
    }

    #[test]
    fn a_plan_that_does_not_compare_or_a_ratio_within_the_margin_has_no_answer() {
        let thresholds = Ladder::default().argo_thresholds(98.0, 2).unwrap();
        assert_eq!(Detection::expected(&thresholds, &World::default(), 2.0), None);
        let plan = Ladder::default().plan().unwrap();
        for ratio in [0.5, 1.0, 1.1, f64::NAN] {
            assert_eq!(Detection::expected(&plan, &World::default(), ratio), None, "{ratio}");
        }
        let nothing_fails = World { failure_rate: 0.0, ..World::default() };
        assert!(matches!(
            Detection::expected(&plan, &nothing_fails, 2.0),
            Some(Detection::NotWithin(_, 0.0))
        ));
    }
}
