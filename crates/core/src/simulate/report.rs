//! What a study found.

use serde::{Deserialize, Serialize};

use super::{
    course::{Course, Ending, Turn},
    study::Sweep,
    world::World,
};
use crate::stats::proportions::{Proportion, wilson_interval};

/// What a [`Study`](super::Study) found, the same bytes for the same seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Rollouts for each strategy and effect.
    pub rollouts: u64,
    /// What is made worse.
    pub sweep: Sweep,
    /// The world, with the candidate as it was before the sweep.
    pub world: World,
    /// The strategies, in the order they were given in.
    pub strategies: Vec<StrategyReport>,
}

/// One strategy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StrategyReport {
    /// Its name.
    pub name: String,
    /// One cell for each effect, in the order of the study.
    pub cells: Vec<Cell>,
}

/// One strategy against one effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Cell {
    /// The size of the effect: how many times as often the candidate fails, or as long it takes.
    pub effect: f64,
    /// Whether the candidate is as good as stable: whoever rolls it back is wrong.
    pub is_healthy: bool,
    /// How many rollouts.
    pub rollouts: u64,
    /// How many of them were rolled back.
    pub rolled_back: Share,
    /// How many were promoted.
    pub promoted: Share,
    /// How many came to the end of a plan that goes back to stable, as experiments do.
    pub returned: Share,
    /// How many were left to a person.
    pub left_to_person: Share,
    /// How many did not end, and what the first of them waited for.
    pub open: Share,
    /// What the first rollout that did not end waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_because: Option<String>,
    /// Minutes until the rollback, of those that were rolled back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes_to_rollback: Option<Spread>,
    /// Minutes until the promotion, of those that were promoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes_to_promotion: Option<Spread>,
    /// Failures that stable would not have had, mean of all rollouts.
    pub excess_failures: f64,
    /// Requests of users that failed on the candidate until the rollout ended, whoever is to blame; mean of all rollouts.
    pub candidate_failures: f64,
    /// Requests of users that failed while the rollout lasted, mean of all rollouts.
    pub failures: f64,
    /// Requests of users that the candidate answered, mean of all rollouts.
    pub candidate_requests: f64,
    /// Users that met the candidate, mean of all rollouts.
    pub candidate_users: f64,
    /// Measurements, mean of all rollouts.
    pub looks: f64,
    /// The first rollouts, for pictures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trails: Vec<Trail>,
}

/// How many of the rollouts, with Wilson's 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Share {
    /// How many.
    pub count: u64,
    /// As a share of all, `0..=1`.
    pub share: f64,
    /// The lower end of the interval.
    pub lower: f64,
    /// The upper end of the interval.
    pub upper: f64,
}

/// Where values lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Spread {
    /// Half of the values are at most this.
    pub median: f64,
    /// Nine of ten values are at most this.
    pub p90: f64,
}

/// One rollout, as a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Trail {
    /// How it ended.
    pub ending: Ending,
    /// How many minutes it took.
    pub minutes: f64,
    /// The candidate's share of the traffic.
    pub turns: Vec<Turn>,
}

/// What is kept of a course.
#[derive(Clone, Debug)]
pub(super) struct Brief {
    pub(super) rollout: u64,
    course: Course,
}

impl Brief {
    /// Keeps the trail of those that are drawn, and the reason of those that did not end.
    pub(super) fn of(rollout: u64, mut course: Course, with_trail: bool) -> Self {
        if !with_trail {
            course.trail = Vec::new();
            if let Ending::RolledBack(reason) | Ending::Returned(reason) = &mut course.ending {
                *reason = String::new();
            }
        }
        Self { rollout, course }
    }
}

impl Cell {
    /// Sums up rollouts, which are in order.
    pub(super) fn of(effect: f64, is_healthy: bool, briefs: &[Brief], trails: u64) -> Self {
        let courses = || briefs.iter().map(|brief| &brief.course);
        let rollouts = briefs.len() as u64;
        let share = |is: fn(&Ending) -> bool| {
            Share::of(courses().filter(|course| is(&course.ending)).count() as u64, rollouts)
        };
        let minutes = |is: fn(&Ending) -> bool| {
            Spread::of(courses().filter(|course| is(&course.ending)).map(minutes_of).collect())
        };
        let mean = |value: fn(&Course) -> f64| courses().map(value).sum::<f64>() / rollouts.max(1) as f64;
        let is_rolled_back = |ending: &Ending| matches!(ending, Ending::RolledBack(_));
        let is_promoted = |ending: &Ending| *ending == Ending::Promoted;
        Self {
            effect,
            is_healthy,
            rollouts,
            rolled_back: share(is_rolled_back),
            promoted: share(is_promoted),
            returned: share(|ending| matches!(ending, Ending::Returned(_))),
            left_to_person: share(|ending| *ending == Ending::LeftToPerson),
            open: share(|ending| matches!(ending, Ending::Open(_))),
            open_because: courses().find_map(|course| match &course.ending {
                Ending::Open(waits) => Some(waits.clone()),
                Ending::Promoted | Ending::RolledBack(_) | Ending::Returned(_) | Ending::LeftToPerson => None,
            }),
            minutes_to_rollback: minutes(is_rolled_back),
            minutes_to_promotion: minutes(is_promoted),
            excess_failures: mean(|course| course.excess_failures),
            candidate_failures: mean(|course| course.candidate_failures as f64),
            failures: mean(|course| course.failures as f64),
            candidate_requests: mean(|course| course.candidate_requests as f64),
            candidate_users: mean(|course| course.candidate_users as f64),
            looks: mean(|course| course.looks as f64),
            trails: briefs
                .iter()
                .take_while(|brief| brief.rollout < trails)
                .map(|Brief { course, .. }| Trail {
                    ending: course.ending.clone(),
                    minutes: minutes_of(course),
                    turns: course.trail.clone(),
                })
                .collect(),
        }
    }
}

fn minutes_of(course: &Course) -> f64 {
    course.lasted.as_secs_f64() / 60.0
}

impl Share {
    fn of(count: u64, all: u64) -> Self {
        let share = count as f64 / all.max(1) as f64;
        let interval = Proportion::new(count, all).and_then(|of| wilson_interval(of, 0.05));
        let (lower, upper) = interval.map_or((0.0, 1.0), |interval| (interval.lower, interval.upper));
        Self { count, share, lower, upper }
    }
}

impl Spread {
    /// By nearest rank.
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let rank = |share: f64| {
            let rank = (share * values.len() as f64).ceil() as usize;
            values.get(rank.saturating_sub(1)).copied()
        };
        Some(Self { median: rank(0.5)?, p90: rank(0.9)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_values_that_occurred() {
        let spread = Spread::of(vec![5.0, 1.0, 2.0, 4.0, 3.0]).unwrap();
        assert_eq!(spread, Spread { median: 3.0, p90: 5.0 });
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn nothing_seen_is_not_nothing_there() {
        let share = Share::of(0, 1000);
        assert_eq!((share.share, share.lower), (0.0, 0.0));
        assert!(share.upper > 0.003 && share.upper < 0.004, "{}", share.upper);
    }
}
