//! The worlds in which strategies are compared.

use super::world::{Incident, World};
use crate::time::GoDuration;

/// A world with a name, to compare strategies in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scenario {
    /// Requests and failures in words.
    pub name: &'static str,
    /// The world.
    pub world: World,
    /// Whether nothing but the candidate changes while the rollout lasts.
    pub is_flat: bool,
}

impl Scenario {
    /// Six services where nothing changes, from 60 to 60 000 requests a minute of which 0.1, 1 or 5 % fail, and two
    /// nuisances at 6000 a minute and 1 %: an incident that hits both versions, and a failure rate that triples within
    /// the hour.
    pub fn all() -> Vec<Self> {
        let flat = |name, requests_per_minute: f64, failure_rate| Self {
            name,
            world: World {
                requests_per_second: requests_per_minute / 60.0,
                failure_rate,
                ..World::default()
            },
            is_flat: true,
        };
        let base = flat("", 6_000.0, 0.01).world;
        let incident =
            Incident { start: GoDuration::from_mins(20), length: GoDuration::from_mins(5), rate: 0.04 };
        vec![
            flat("60/min, 1 %", 60.0, 0.01),
            flat("600/min, 1 %", 600.0, 0.01),
            flat("6000/min, 0.1 %", 6_000.0, 0.001),
            flat("6000/min, 1 %", 6_000.0, 0.01),
            flat("6000/min, 5 %", 6_000.0, 0.05),
            flat("60 000/min, 1 %", 60_000.0, 0.01),
            Self {
                name: "incident, five times the failures for 5 min",
                world: World { incidents: vec![incident], ..base.clone() },
                is_flat: false,
            },
            Self {
                name: "drift, three times the failures after 60 min",
                world: World { drift_per_hour: 2.0, ..base },
                is_flat: false,
            },
        ]
    }
}
