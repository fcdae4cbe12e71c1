//! The worlds in which strategies are compared.

use super::{
    study::Sweep,
    world::{Behaviour, Incident, Latency, World},
};
use crate::time::GoDuration;

/// A world with a name, and the candidates to try in it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scenario {
    /// Requests and failures in words.
    pub name: &'static str,
    /// The world.
    pub world: World,
    /// What is made worse in its candidates.
    pub sweep: Sweep,
    /// How many times as bad they are; 1 leaves what the world says.
    pub effects: Vec<f64>,
    /// What is shown here.
    pub theme: Theme,
}

/// What a scenario shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Theme {
    /// Nothing but the candidate changes, and requests fail independently.
    Flat,
    /// The failure rate or the latency of both versions moves.
    Moving,
    /// Failures come in clumps: no rule that takes requests for independent keeps what it promises.
    Clumped,
    /// The candidate is slower.
    Latency,
}

impl Scenario {
    /// All of them:
    ///
    /// - Seven services where nothing changes, from 60 to 60 000 requests a minute of which 0.01 to 5 % fail.
    /// - Two nuisances at 6000 a minute and 1 %: an incident that hits both versions, and a failure rate that triples
    ///   within the hour.
    /// - Failures in clumps there, whose variance is three and ten times that of independent ones.
    /// - Slower candidates at 6000 and 600 a minute, with 2 % of the answers a second late, and while the latency of both
    ///   versions doubles within the hour.
    pub fn all() -> Vec<Self> {
        let flat = |name, requests_per_minute: f64, failure_rate| Self {
            name,
            world: World {
                requests_per_second: requests_per_minute / 60.0,
                failure_rate,
                ..World::default()
            },
            sweep: Sweep::Failures,
            effects: vec![1.0, 1.5, 2.0, 5.0],
            theme: Theme::Flat,
        };
        let base = flat("", 6_000.0, 0.01);
        let in_world = |name, theme, world| Self { name, theme, world, ..base.clone() };
        let incident =
            Incident { start: GoDuration::from_mins(20), length: GoDuration::from_mins(5), rate: 0.04 };
        let calm = || base.world.clone();
        let clumped = |name, dispersion| in_world(name, Theme::Clumped, World { dispersion, ..calm() });
        let latency = |requests_per_minute: f64, drift_per_hour| World {
            requests_per_second: requests_per_minute / 60.0,
            latency: Latency { sigma: 0.8, drift_per_hour, ..Latency::default() },
            ..calm()
        };
        let slower = |name, world, effects: &[f64]| Self {
            sweep: Sweep::Latency,
            effects: effects.to_vec(),
            ..in_world(name, Theme::Latency, world)
        };
        let late = Behaviour { late_share: 0.02, ..Behaviour::default() };
        vec![
            flat("60/min, 1 %", 60.0, 0.01),
            flat("600/min, 1 %", 600.0, 0.01),
            Self { effects: vec![1.0, 2.0, 5.0, 20.0], ..flat("6000/min, 0.01 %", 6_000.0, 0.0001) },
            flat("6000/min, 0.1 %", 6_000.0, 0.001),
            flat("6000/min, 1 %", 6_000.0, 0.01),
            flat("6000/min, 5 %", 6_000.0, 0.05),
            flat("60 000/min, 1 %", 60_000.0, 0.01),
            in_world(
                "incident, five times the failures for 5 min",
                Theme::Moving,
                World { incidents: vec![incident], ..calm() },
            ),
            in_world(
                "drift, three times the failures after 60 min",
                Theme::Moving,
                World { drift_per_hour: 2.0, ..calm() },
            ),
            clumped("clumps, three times the variance", 3.0),
            clumped("clumps, ten times the variance", 10.0),
            slower("latency, 6000/min", latency(6_000.0, 0.0), &[1.0, 1.1, 1.3]),
            slower(
                "latency, 6000/min, 2 % of the candidate's answers 1 s late",
                latency(6_000.0, 0.0).with_candidate(late),
                &[1.0],
            ),
            slower("latency, 600/min", latency(600.0, 0.0), &[1.0, 1.1, 1.3]),
            slower(
                "latency, 600/min, 2 % of the candidate's answers 1 s late",
                latency(600.0, 0.0).with_candidate(late),
                &[1.0],
            ),
            slower(
                "latency, 6000/min, twice as long for both after 60 min",
                latency(6_000.0, 1.0),
                &[1.0, 1.3],
            ),
        ]
    }

    /// Whether the candidate is as good as stable where the effect is 1.
    pub fn begins_healthy(&self) -> bool {
        self.world.candidate.is_healthy()
    }
}
