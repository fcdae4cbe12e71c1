//! Strategies that are put side by side.

use std::collections::BTreeMap;

use super::{
    course::{Course, Ending, Turn},
    detection::Detection,
    ladder::Ladder,
    rival::{Call, Look, Rival, Seen},
    signal::Signal,
    simulation::{Simulation, SimulationError},
    traffic::{Drawn, Split, Tally, Traffic},
    world::World,
};
use crate::{rollout::Plan, time::GoDuration, traffic::Weight};

/// A strategy with a name: a plan that the engine runs, or the rule of another tool on a ladder of weights.
#[derive(Clone, Debug)]
pub struct Contestant {
    name: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Plan { plan: Box<Plan>, signals: BTreeMap<String, Signal>, person_after: Option<GoDuration> },
    Rival { rival: Rival, ladder: Ladder },
}

impl Contestant {
    /// A plan, run by the engine.
    pub fn plan(name: impl Into<String>, plan: Plan) -> Self {
        let kind = Kind::Plan { plan: Box::new(plan), signals: BTreeMap::new(), person_after: None };
        Self { name: name.into(), kind }
    }

    /// A rule of another tool, which looks at each interval of a ladder that is climbed by the clock.
    pub fn rival(name: impl Into<String>, rival: Rival, ladder: Ladder) -> Self {
        Self { name: name.into(), kind: Kind::Rival { rival, ladder } }
    }

    /// What metrics of a plan measure, as for [`Simulation::with_signals`]. Nothing changes for a rival.
    #[must_use]
    pub fn with_signals(mut self, said: BTreeMap<String, Signal>) -> Self {
        if let Kind::Plan { signals, .. } = &mut self.kind {
            *signals = said;
        }
        self
    }

    /// How long a plan waits for a person, as for [`Simulation::person_after`]. Nothing changes for a rival.
    #[must_use]
    pub fn person_after(mut self, length: GoDuration) -> Self {
        if let Kind::Plan { person_after, .. } = &mut self.kind {
            *person_after = Some(length);
        }
        self
    }

    /// When it is expected to find a candidate that fails `ratio` times as often, as [`Detection::expected`]; none for a
    /// rival.
    pub fn expected_detection(&self, world: &World, ratio: f64) -> Option<Detection> {
        match &self.kind {
            Kind::Plan { plan, .. } => Detection::expected(plan, world, ratio),
            Kind::Rival { .. } => None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Puts it into a world.
    pub(super) fn enter(&self, world: World) -> Result<Entered, SimulationError> {
        match &self.kind {
            Kind::Plan { plan, signals, person_after } => {
                let simulation = Simulation::with_signals((**plan).clone(), world, signals)?;
                Ok(Entered::Plan(Box::new(match person_after {
                    Some(length) => simulation.person_after(*length),
                    None => simulation,
                })))
            }
            Kind::Rival { rival, ladder } => {
                world.check()?;
                // What cannot begin is found before any rollout runs.
                rival.begin()?;
                ladder.check()?;
                let (rival, ladder, edges) = (*rival, ladder.clone(), world.edges());
                Ok(Entered::Rival(Box::new(Climb { rival, ladder, edges, world })))
            }
        }
    }
}

/// A contestant in its world.
#[derive(Clone, Debug)]
pub(super) enum Entered {
    Plan(Box<Simulation>),
    Rival(Box<Climb>),
}

/// A rule that looks while a ladder is climbed by the clock.
#[derive(Clone, Debug)]
pub(super) struct Climb {
    rival: Rival,
    ladder: Ladder,
    edges: Vec<i64>,
    world: World,
}

impl Entered {
    pub(super) fn run(&self, seed: u64, rollout: u64) -> Result<Course, SimulationError> {
        match self {
            Self::Plan(simulation) => Ok(simulation.run(seed, rollout)),
            Self::Rival(climb) => climb.run(seed, rollout),
        }
    }
}

impl Climb {
    fn run(&self, seed: u64, rollout: u64) -> Result<Course, SimulationError> {
        let Self { rival, ladder, edges, world } = self;
        let with_latency = rival.needs_latency();
        let mut traffic =
            Traffic::new(world, edges, (seed, rollout), Drawn { latency: with_latency, control: false });
        let mut rule = rival.begin()?;
        let interval = ladder.interval.as_nanos().max(1);
        let (mut number, mut now) = (0, 0_i64);
        let mut trail = Vec::new();
        let mut set = |at: i64, weight: Weight| {
            trail.push(Turn { at: GoDuration::from_nanos(at), weight });
        };
        let mut ending = Ending::Promoted;
        'climb: for weight in &ladder.weights {
            set(now, *weight);
            let share = f64::from(weight.parts()) / f64::from(Weight::FULL.parts());
            traffic.split = Split { candidate: share, ..Split::default() };
            for _ in 0..ladder.looks_at_each {
                let from = now;
                now = now.saturating_add(interval);
                number += 1;
                traffic.advance(now);
                let both = traffic.within(from, now);
                let seen = |tally: &Tally| Seen {
                    requests: tally.requests,
                    failures: tally.failures,
                    p99: if with_latency { tally.quantile(0.99) } else { f64::NAN },
                };
                let look = Look {
                    number,
                    is_last: number == ladder.looks(),
                    stable: seen(&both.stable),
                    candidate: seen(&both.candidate),
                };
                match rule.look(&look) {
                    Call::Continue => {}
                    Call::Pass => break 'climb,
                    Call::Fail => {
                        ending = Ending::RolledBack(format!("the rule failed at look {number}"));
                        break 'climb;
                    }
                }
            }
        }
        set(now, if ending == Ending::Promoted { Weight::FULL } else { Weight::ZERO });
        let toll = traffic.toll;
        Ok(Course {
            ending,
            lasted: GoDuration::from_nanos(now),
            looks: number,
            failures: toll.failures,
            excess_failures: toll.excess,
            candidate_failures: toll.candidate_failures,
            candidate_requests: toll.candidate,
            candidate_users: (toll.candidate as f64 / world.requests_per_user).ceil() as u64,
            trail,
        })
    }
}
