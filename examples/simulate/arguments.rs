//! What can be asked of the program.

use std::{fs, num::NonZero, path::PathBuf};

use clap::{Parser, ValueEnum};
use serinus_core::{
    simulate::{Signal, Sweep, World},
    time::GoDuration,
};

/// Simulates rollouts, and says how often and how fast they are rolled back: healthy candidates, and worse and worse
/// ones.
///
/// Without --manifest and --compare: the default plan, in the default world of 100 requests per second of which 0.5 %
/// fail.
#[derive(Clone, Debug, Parser)]
#[command(name = "simulate")]
pub(crate) struct Arguments {
    /// A manifest of Argo Rollouts or Flagger; again for each file with templates. Every rollout in them is simulated.
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Vec<PathBuf>,
    /// Put other strategies beside: thresholds as for Argo Rollouts and Flagger, the judge of Kayenta, the sequential
    /// tests of GrowthBook and Statsig, a z-test at each look.
    #[arg(long)]
    pub(crate) compare: bool,
    /// A world in YAML; keys that are left out keep their defaults. For example: `{requestsPerSecond: 50,
    /// driftPerHour: 1, incidents: [{start: 20m, length: 5m, rate: 0.04}], dispersion: 3}`.
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Requests per second, whatever the world says.
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    /// Share of stable's requests that fail, 0 to 1, whatever the world says.
    #[arg(long, value_name = "SHARE")]
    base: Option<f64>,
    /// What is made worse in the candidate.
    #[arg(long, value_enum, default_value_t = Worse::Failures)]
    pub(crate) sweep: Worse,
    /// How many times as bad the candidate is; 1 is healthy.
    #[arg(long, value_name = "TIMES", value_delimiter = ',', default_values_t = [1.0, 1.2, 1.5, 2.0, 3.0, 5.0])]
    pub(crate) effects: Vec<f64>,
    /// Rollouts for each strategy and effect.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(crate) rollouts: u64,
    /// With --characteristics: rollouts of healthy candidates by the default plan; as many as --rollouts without it.
    #[arg(long, value_name = "N", requires = "characteristics", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(crate) healthy: Option<u64>,
    /// Where the random numbers come from: the same seed gives the same bytes.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Threads; all cores without it. The result does not depend on it.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZero<usize>>,
    /// What a metric of a manifest measures, if its name and query do not say: success-ratio, success-percent,
    /// error-ratio, error-percent, latency-p99-seconds, latency-p99-ms, requests-per-second, errors-per-second, or
    /// value:NUMBER for what no world knows.
    #[arg(long, value_name = "METRIC=SIGNAL", value_parser = signal)]
    pub(crate) signal: Vec<(String, Signal)>,
    /// How long a rollout that waits for a person waits.
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub(crate) person_after: GoDuration,
    /// Print instead, in Markdown, what every strategy does in every reference scenario: services from 1 to 1000
    /// requests per second, an incident, drifts, clumps, slower candidates. docs/operating-characteristics.md was printed by this.
    #[arg(long, conflicts_with_all = ["manifest", "compare", "world", "rate", "base", "json", "svg"])]
    pub(crate) characteristics: bool,
    /// Print the report in JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Draw the report.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

/// What is made worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Worse {
    /// The candidate's requests fail more often.
    Failures,
    /// The candidate's answers take longer.
    Latency,
}

impl From<Worse> for Sweep {
    fn from(worse: Worse) -> Self {
        match worse {
            Worse::Failures => Self::Failures,
            Worse::Latency => Self::Latency,
        }
    }
}

impl Arguments {
    /// The world: from the file, with what the options say.
    pub(crate) fn world(&self) -> Result<World, String> {
        let mut world = match &self.world {
            Some(path) => {
                let shown = path.display();
                let text =
                    fs::read_to_string(path).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
                serde_saphyr::from_str(&text).map_err(|error| format!("`{shown}` is no world: {error}"))?
            }
            None => World::default(),
        };
        world.requests_per_second = self.rate.unwrap_or(world.requests_per_second);
        world.failure_rate = self.base.unwrap_or(world.failure_rate);
        world.check().map_err(|error| format!("the world cannot be: {error}"))?;
        Ok(world)
    }
}

fn signal(text: &str) -> Result<(String, Signal), String> {
    let (metric, signal) = text.rsplit_once('=').ok_or("expected METRIC=SIGNAL")?;
    Ok((metric.to_owned(), signal.parse().map_err(|error| format!("{error}"))?))
}
