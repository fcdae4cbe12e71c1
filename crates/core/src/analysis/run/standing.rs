//! From the phases of the metrics to the phase of the run.

use serde::{Deserialize, Serialize};

use crate::analysis::Phase;

/// How far one metric is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "set up by hand in tables")]
pub struct Standing<'a> {
    /// The metric's name.
    pub name: &'a str,
    /// Whether it decides nothing.
    pub dry_run: bool,
    /// How far it is.
    pub phase: Phase,
    /// Which limit it broke, such as `failed (1) > failureLimit (0)`; empty if none.
    pub reason: String,
    /// What went wrong with its last measurement, if something did.
    pub error: Option<&'a str>,
}

impl Standing<'_> {
    /// The metric, its phase and why, in one sentence; empty if it ended well or has not ended.
    pub fn message(&self) -> String {
        if self.reason.is_empty() {
            return String::new();
        }
        let mut message = format!("Metric \"{}\" assessed {} due to {}", self.name, self.phase, self.reason);
        if let Some(error) = self.error.filter(|error| !error.is_empty()) {
            message.push_str(": \"Error Message: ");
            message.push_str(error);
            message.push('"');
        }
        message
    }
}

/// How far a run is, and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Assessment {
    /// How far it is.
    pub phase: Phase,
    /// Why, for people; may be empty.
    pub message: String,
    /// What the metrics that decide nothing would have said.
    pub dry_run: DryRunSummary,
}

/// How the metrics that decide nothing ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_structs, reason = "plain counts")]
pub struct DryRunSummary {
    /// How many there are.
    pub count: u32,
    /// How many ended well.
    pub successful: u32,
    /// How many ended badly.
    pub failed: u32,
    /// How many ended without a clear answer.
    pub inconclusive: u32,
    /// How many ended because the source could not be asked.
    pub error: u32,
}

/// Adds up the metrics of a run: the worst of those that decide, and the first of the worst gives the message.
///
/// The first bad end is the verdict at once. Otherwise, while one has not ended the run goes on, unless it is `ending`:
/// what has nothing against it then ends well.
pub fn overall<'a>(standings: impl Iterator<Item = Standing<'a>>, ending: bool) -> Assessment {
    let mut worst: Option<Standing<'a>> = None;
    let mut dry_run = DryRunSummary::default();
    let mut phases = Phases::default();
    for standing in standings {
        phases.add(standing.dry_run, standing.phase);
        if standing.dry_run {
            dry_run.add(standing.phase);
        } else if standing.phase.is_over() && worst.as_ref().is_none_or(|worst| standing.phase > worst.phase)
        {
            worst = Some(standing);
        }
    }
    let message = match worst.filter(|worst| worst.phase != Phase::Successful) {
        _ if !phases.any => "there is no metric to measure".to_owned(),
        Some(bad) => bad.message(),
        None => String::new(),
    };
    Assessment { phase: phases.phase(ending), message, dry_run }
}

/// The phase of [`overall`], from whether each metric is a dry run and its phase; without the words.
pub(super) fn phase_of(metrics: impl Iterator<Item = (bool, Phase)>, ending: bool) -> Phase {
    let mut phases = Phases::default();
    metrics.for_each(|(dry_run, phase)| phases.add(dry_run, phase));
    phases.phase(ending)
}

/// What the phases of the metrics come to.
#[derive(Default)]
struct Phases {
    any: bool,
    /// Whether one has not ended.
    running: bool,
    /// The worst bad end of those that decide.
    bad: Option<Phase>,
}

impl Phases {
    fn add(&mut self, dry_run: bool, phase: Phase) {
        self.any = true;
        if !phase.is_over() {
            self.running = true;
        } else if !dry_run && phase != Phase::Successful {
            self.bad = self.bad.max(Some(phase));
        }
    }

    fn phase(&self, ending: bool) -> Phase {
        match self.bad {
            _ if !self.any => Phase::Error,
            Some(bad) => bad,
            None if self.running && !ending => Phase::Running,
            None => Phase::Successful,
        }
    }
}

impl DryRunSummary {
    fn add(&mut self, phase: Phase) {
        self.count += 1;
        match phase {
            Phase::Successful => self.successful += 1,
            Phase::Failed => self.failed += 1,
            Phase::Inconclusive => self.inconclusive += 1,
            Phase::Error => self.error += 1,
            Phase::Running | Phase::Pending => {}
        }
    }
}
