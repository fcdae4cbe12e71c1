//! Many rollouts, on all cores.

use std::{
    num::NonZero,
    panic::resume_unwind,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use serde::{Deserialize, Serialize};

use super::{
    contestant::{Contestant, Entered},
    report::{Brief, Cell, Report, StrategyReport},
    simulation::SimulationError,
    world::{Behaviour, World},
};

/// Strategies against effects of growing size, each many times: their operating characteristics.
///
/// Every strategy meets the same random streams. The report depends on the seed and not on the number of threads.
///
/// ```
/// use serinus_core::simulate::{Contestant, Ladder, Study, World};
///
/// let plan = Ladder::default().argo_thresholds(99.0, 2)?;
/// let study = Study { rollouts: 50, effects: vec![1.0, 5.0], ..Study::of(World::default()) };
/// let report = study.run(&[Contestant::plan("thresholds", plan)], &|_| {})?;
/// let [healthy, faulty] = report.strategies[0].cells.as_slice() else { unreachable!() };
/// println!("{:.1} % of healthy candidates are rolled back", 100.0 * healthy.rolled_back.share);
/// assert_eq!(faulty.rolled_back.count, 50);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "settings; use `..Study::of(world)`")]
pub struct Study {
    /// The world. The sweep makes its candidate worse.
    pub world: World,
    /// What is made worse.
    pub sweep: Sweep,
    /// How much worse, each a number above 0; 1 leaves the candidate healthy.
    pub effects: Vec<f64>,
    /// Rollouts for each strategy and effect.
    pub rollouts: u64,
    /// Where the random numbers come from.
    pub seed: u64,
    /// How many threads; all cores without it.
    pub threads: Option<NonZero<usize>>,
    /// The first rollouts of each cell, whose courses are kept for pictures.
    pub trails: u64,
}

/// What is made worse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Sweep {
    /// [`Behaviour::failure_ratio`].
    #[default]
    Failures,
    /// [`Behaviour::latency_factor`].
    Latency,
}

/// How far a study is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "two counts")]
pub struct Progress {
    /// Rollouts done.
    pub done: u64,
    /// Rollouts in all.
    pub all: u64,
}

impl Study {
    /// A thousand rollouts each of a healthy candidate and of those that fail 1.2, 1.5, 2, 3 and 5 times as often.
    pub fn of(world: World) -> Self {
        Self {
            world,
            sweep: Sweep::Failures,
            effects: vec![1.0, 1.2, 1.5, 2.0, 3.0, 5.0],
            rollouts: 1000,
            seed: 1,
            threads: None,
            trails: 0,
        }
    }

    /// Runs everything; `progress` hears about it from any thread, many times.
    ///
    /// # Errors
    ///
    /// If the world cannot be, or a strategy cannot be simulated; nothing runs then.
    pub fn run(
        &self,
        contestants: &[Contestant],
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Report, SimulationError> {
        self.world.check()?;
        let mut cells: Vec<(&Contestant, f64, Entered)> = Vec::new();
        for contestant in contestants {
            for effect in &self.effects {
                cells.push((contestant, *effect, contestant.enter(self.world_with(*effect))?));
            }
        }
        let briefs = self.run_cells(&cells, progress)?;
        let mut strategies: Vec<StrategyReport> = contestants
            .iter()
            .map(|contestant| StrategyReport { name: contestant.name().to_owned(), cells: Vec::new() })
            .collect();
        for (index, ((_, effect, _), briefs)) in cells.iter().zip(briefs).enumerate() {
            let is_healthy = self.world_with(*effect).candidate.is_healthy();
            let cell = Cell::of(*effect, is_healthy, &briefs, self.trails);
            if let Some(strategy) = strategies.get_mut(index / self.effects.len().max(1)) {
                strategy.cells.push(cell);
            }
        }
        Ok(Report {
            seed: self.seed,
            rollouts: self.rollouts,
            sweep: self.sweep,
            world: self.world.clone(),
            strategies,
        })
    }

    fn world_with(&self, effect: f64) -> World {
        let candidate = match self.sweep {
            Sweep::Failures => Behaviour { failure_ratio: effect, ..self.world.candidate },
            Sweep::Latency => Behaviour { latency_factor: effect, ..self.world.candidate },
        };
        self.world.clone().with_candidate(candidate)
    }

    /// The rollouts of each cell, in order. Threads take one chunk after the other, whichever cell it is of.
    fn run_cells(
        &self,
        cells: &[(&Contestant, f64, Entered)],
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Vec<Vec<Brief>>, SimulationError> {
        let chunks = self.rollouts.div_ceil(CHUNK);
        let all = self.rollouts.saturating_mul(cells.len() as u64);
        let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
        let work = || -> Result<Vec<(usize, Brief)>, SimulationError> {
            let mut briefs = Vec::new();
            loop {
                let chunk = next.fetch_add(1, Ordering::Relaxed);
                let cell = (chunk / chunks.max(1)) as usize;
                let Some((_, _, entered)) = cells.get(cell).filter(|_| chunks > 0) else { return Ok(briefs) };
                let first = chunk % chunks * CHUNK;
                let end = (first + CHUNK).min(self.rollouts);
                for rollout in first..end {
                    let course = entered.run(self.seed, rollout)?;
                    briefs.push((cell, Brief::of(rollout, course, rollout < self.trails)));
                }
                let done = done.fetch_add(end - first, Ordering::Relaxed) + (end - first);
                progress(Progress { done, all });
            }
        };
        let threads = self.threads.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZero::get);
        let found = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .collect::<Result<Vec<_>, _>>()
        })?;
        let mut sorted: Vec<Vec<Brief>> = cells.iter().map(|_| Vec::new()).collect();
        for (cell, brief) in found.into_iter().flatten() {
            sorted[cell].push(brief);
        }
        for briefs in &mut sorted {
            briefs.sort_unstable_by_key(|brief| brief.rollout);
        }
        Ok(sorted)
    }
}

/// Rollouts that a thread takes at a time.
const CHUNK: u64 = 32;
