//! One plan in one world.

use std::collections::BTreeMap;

use super::{
    course::Course,
    signal::{Signal, SignalError, window_of},
    stage::Stage,
    traffic::Drawn,
    world::{World, WorldError},
};
use crate::{
    analysis::{Compared, Metric, comparison::Dispersal},
    rollout::{Place, Plan},
    time::GoDuration,
};

/// A plan in a made-up world: the engine that runs rollouts, with everything around it drawn from a seed.
///
/// Whatever the plan wants is so at once: routes are in force, instances are ready, gates are open. Questions are
/// answered from the requests that came. Where the plan waits for a person, one comes and lets it go on, see
/// [`Simulation::person_after`].
///
/// ```
/// use serinus_core::{
///     simulate::{Behaviour, Ending, Ladder, Simulation, World},
///     time::GoDuration,
/// };
///
/// let plan = Ladder::default().argo_thresholds(95.0, 2)?;
/// let healthy = Simulation::new(plan.clone(), World::default())?;
/// assert_eq!(healthy.run(42, 0).ending, Ending::Promoted);
///
/// let broken = Behaviour { failure_ratio: 20.0, ..Behaviour::default() };
/// let faulty = Simulation::new(plan, World::default().with_candidate(broken))?;
/// let course = faulty.run(42, 0);
/// assert!(matches!(course.ending, Ending::RolledBack(_)));
/// // Three looks, a minute apart.
/// assert_eq!(course.looks, 3);
/// assert!(course.lasted < GoDuration::from_mins(4));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Simulation {
    pub(super) plan: Plan,
    pub(super) world: World,
    /// Where the world changes at once.
    pub(super) edges: Vec<i64>,
    /// By the place of the analysis in the plan, then of the metric.
    signals: Vec<Vec<Answering>>,
    pub(super) person_after: GoDuration,
    pub(super) horizon: GoDuration,
    pub(super) drawn: Drawn,
}

/// How a metric is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answering {
    pub(super) signal: Signal,
    /// How long it looks back, in nanoseconds.
    pub(super) window: i64,
    pub(super) shape: Shape,
    /// What counts of both versions come with.
    pub(super) drawn: Drawn,
}

/// How the source hands a value out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A list with the one value, as Argo Rollouts reads a vector of Prometheus.
    List,
    /// The number, or nothing if there is none.
    Number,
}

impl Simulation {
    /// A simulation of `plan` in `world`.
    ///
    /// # Errors
    ///
    /// If the world cannot be, or it is not clear what a metric of the plan measures.
    pub fn new(plan: Plan, world: World) -> Result<Self, SimulationError> {
        Self::with_signals(plan, world, &BTreeMap::new())
    }

    /// A simulation of `plan` in `world`, where these metrics measure what is said here, by their names. What the
    /// others measure is inferred by [`Signal::of`].
    ///
    /// # Errors
    ///
    /// As [`Simulation::new`]; if a name is not that of a metric.
    pub fn with_signals(
        plan: Plan,
        world: World,
        said: &BTreeMap<String, Signal>,
    ) -> Result<Self, SimulationError> {
        world.check()?;
        let metrics = || plan.spec().analyses.iter().flat_map(|analysis| &analysis.metrics);
        for name in said.keys() {
            if metrics().all(|metric| metric.name != *name) {
                let known: Vec<_> = metrics().map(|metric| format!("`{}`", metric.name)).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(SignalError::NoSuchMetric { metric: name.clone(), known }.into());
            }
        }
        let answering = |metric: &Metric| -> Result<Answering, SignalError> {
            let signal = said.get(&metric.name).copied().map_or_else(|| Signal::of(metric), Ok)?;
            let query = &metric.query;
            let is_vector = query.settings.get("shape").is_some_and(|shape| shape == "argo")
                && !query.text.trim_start().starts_with("scalar(");
            let shape = if is_vector { Shape::List } else { Shape::Number };
            // Histograms cost most of a simulation: drawn only where they are judged.
            let drawn = match metric.comparison() {
                Some(comparison) => Drawn {
                    latency: comparison.of == Compared::Latency,
                    control: matches!(comparison.dispersion, Dispersal::Calibrated { .. }),
                },
                None => Drawn { latency: signal.needs_latency(), control: false },
            };
            Ok(Answering { signal, window: window_of(metric), shape, drawn })
        };
        let signals = plan
            .spec()
            .analyses
            .iter()
            .map(|analysis| analysis.metrics.iter().map(answering).collect())
            .collect::<Result<Vec<Vec<_>>, _>>()?;
        Ok(Self {
            edges: world.edges(),
            drawn: signals.iter().flatten().fold(Drawn::default(), |all, it| all.and(it.drawn)),
            plan,
            world,
            signals,
            person_after: PERSON_AFTER,
            horizon: HORIZON,
        })
    }

    /// How long a plan that waits for a person waits. 10 minutes without this.
    ///
    /// The person lets it go on without a look at anything. A rollout that an inconclusive analysis has paused is left
    /// to a person for good: see [`Ending::LeftToPerson`](super::Ending::LeftToPerson).
    pub const fn person_after(mut self, length: GoDuration) -> Self {
        self.person_after = length;
        self
    }

    /// After how long a rollout that has not ended is given up. Thirty days without this.
    pub const fn horizon(mut self, length: GoDuration) -> Self {
        self.horizon = length;
        self
    }

    /// What each metric was taken for, by its name, each once.
    pub fn signals(&self) -> Vec<(&str, Signal)> {
        let mut named: Vec<(&str, Signal)> = Vec::new();
        for (analysis, signals) in self.plan.spec().analyses.iter().zip(&self.signals) {
            for (metric, answering) in analysis.metrics.iter().zip(signals) {
                let pair = (metric.name.as_str(), answering.signal);
                if !named.contains(&pair) {
                    named.push(pair);
                }
            }
        }
        named
    }

    /// Runs one rollout: the same for the same seed and number, whatever else runs.
    pub fn run(&self, seed: u64, rollout: u64) -> Course {
        Stage::new(self, seed, rollout).play()
    }

    pub(super) fn answering(&self, place: Place, metric: usize) -> Option<&Answering> {
        self.signals.get(self.plan.analysis_index(place)?)?.get(metric)
    }
}

/// Why something cannot be simulated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// A world that cannot be.
    #[error("the world cannot be: {0}")]
    World(WorldError),
    /// A metric that cannot be answered.
    #[error("{0}")]
    Signal(SignalError),
    /// A ladder that nobody can climb.
    #[error(
        "the ladder has {looks} looks, one every {interval}: expected 1 to 100000 looks, and an interval above 0s"
    )]
    Ladder {
        /// Its looks in all.
        looks: u64,
        /// Time between them.
        interval: GoDuration,
    },
    /// A rule that cannot be.
    #[error("the rule cannot be: {0}")]
    Rule(crate::stats::Undefined),
}

impl From<WorldError> for SimulationError {
    fn from(error: WorldError) -> Self {
        Self::World(error)
    }
}

impl From<SignalError> for SimulationError {
    fn from(error: SignalError) -> Self {
        Self::Signal(error)
    }
}

impl From<crate::stats::Undefined> for SimulationError {
    fn from(error: crate::stats::Undefined) -> Self {
        Self::Rule(error)
    }
}

const PERSON_AFTER: GoDuration = GoDuration::from_mins(10);
const HORIZON: GoDuration = GoDuration::from_secs(30 * 24 * 3600);
