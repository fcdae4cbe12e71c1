//! One run of an analysis, as a pure machine: it says what is to be asked, hears the answers, and adds them up.

use serde::{Deserialize, Serialize};

pub use self::{
    measurement::{Measurement, Reading},
    result::{ArmResult, ArmsResult, MetricResult},
    rounds::RoundTally,
    standing::{Assessment, DryRunSummary, Standing, overall},
};
use self::{progress::Progress, rounds::RoundProgress};
pub use super::comparison::{Verdict, Why};
use super::{
    Analysis, Judge, Metric, Phase,
    comparison::{Evidence, Window},
};
use crate::{time::Timestamp, traffic::Weight};

mod conclusive;
mod measurement;
mod progress;
mod result;
mod rounds;
mod standing;

/// How far one run of an [`Analysis`] is. Small and plain: fit to be part of a stored state. The only numbers in it that
/// are not whole are those of comparisons ([`Evidence`]), which are finite and come back from JSON to the last bit.
///
/// A run never asks by itself. At every moment that may matter ([`Run::wake`]) its owner calls [`Run::expire`] and
/// [`Run::start_due`], puts the questions of [`Run::open`], and hands the answers to [`Run::record`]. The analysis
/// passed must be the one the run was begun with.
///
/// An analysis that compares goes on after an inconclusive end ([`Run::is_watching`]): what is invalid or uncertain
/// hides no failure, whichever answer comes first.
///
/// ```
/// use serinus_core::{
///     analysis::{Analysis, Judge, Metric, Phase, run::{Reading, Run}},
///     metric::{Number, Query},
///     time::Timestamp,
/// };
///
/// let judge = Judge::Range { min: Some(Number::new(99.0)), max: None };
/// let metric = Metric::new("success rate", Query::new("prometheus", "…"), judge);
/// let analysis = Analysis { name: "smoke".into(), metrics: vec![metric], rounds: None };
///
/// let now: Timestamp = "2026-01-01T00:00:00Z".parse()?;
/// let mut run = Run::begin(&analysis, now);
/// run.start_due(&analysis, now);
/// let question = run.open().next().ok_or("nothing asked")?;
/// run.record(&analysis, question.metric, question.ordinal, Reading::Answer(99.9.into()), now);
/// assert_eq!(run.assess(&analysis).phase, Phase::Successful);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    started: Timestamp,
    phase: Phase,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    terminated: bool,
    metrics: Vec<Progress>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rounds: Option<RoundProgress>,
}

/// What runs of the same analysis within one attempt have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_structs, reason = "the whole of what is handed on")]
pub struct Carried {
    /// Rounds counted so far.
    #[serde(default)]
    pub rounds: RoundTally,
    /// The evidence of each metric that compares, by its place; empty if none does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Option<Box<Evidence>>>,
}

/// A question that has been put and not been answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the whole of a question's identity")]
pub struct Open {
    /// The metric, by its place in the analysis.
    pub metric: usize,
    /// Which measurement of that metric, counted from 0. Never used twice within a run.
    pub ordinal: u32,
    /// The moment asked about.
    pub at: Timestamp,
    /// The moment from which an answer is no longer heard.
    pub due: Timestamp,
    /// The window asked about, for a comparison.
    pub window: Option<Window>,
}

impl Run {
    /// A run that starts now.
    pub fn begin(analysis: &Analysis, now: Timestamp) -> Self {
        Self::continuing(analysis, Carried::default(), now)
    }

    /// A run that starts now and inherits from an earlier run of the same analysis within the same attempt: its failed
    /// rounds, and the evidence of its comparisons. Rounds that passed are not inherited: each run needs its own.
    pub fn continuing(analysis: &Analysis, carried: Carried, now: Timestamp) -> Self {
        let Carried { rounds: tally, evidence } = carried;
        let mut evidence = evidence.into_iter();
        let mut run = Self {
            started: now,
            phase: Phase::Pending,
            terminated: false,
            metrics: analysis
                .metrics
                .iter()
                .map(|metric| {
                    Progress::begin(metric, analysis.rounds.is_some(), evidence.next().flatten(), now)
                })
                .collect(),
            rounds: analysis.rounds.as_ref().map(|rounds| RoundProgress::begin(rounds, tally, now)),
        };
        run.settle(analysis);
        run
    }

    /// When the run began.
    pub const fn started(&self) -> Timestamp {
        self.started
    }

    /// What the next run of this analysis inherits, to be handed to [`Run::continuing`].
    pub fn carried(&self) -> Carried {
        let kept = |progress: &Progress| Some(Box::new(progress.evidence.as_ref()?.carried()));
        let evidence: Vec<_> = self.metrics.iter().map(kept).collect();
        Carried {
            rounds: self.rounds.as_ref().map(|rounds| rounds.tally).unwrap_or_default(),
            evidence: if evidence.iter().all(Option::is_none) { Vec::new() } else { evidence },
        }
    }

    /// What a comparison has seen so far; none for other metrics, and for a metric there is not.
    pub fn evidence(&self, metric: usize) -> Option<&Evidence> {
        self.metrics.get(metric)?.evidence.as_deref()
    }

    /// Whether it has metrics that compare.
    pub(crate) fn compares(&self) -> bool {
        self.metrics.iter().any(|progress| progress.evidence.is_some())
    }

    /// Lets comparisons begin their windows: both arms take traffic, the candidate this share of it, from now on.
    pub fn open_windows(&mut self, analysis: &Analysis, share: Weight, now: Timestamp) {
        let is_watching = self.is_watching(analysis);
        if !self.is_over() || is_watching {
            for (progress, metric) in self.metrics.iter_mut().zip(&analysis.metrics) {
                progress.open_windows(metric, share, is_watching, now);
            }
        }
    }

    /// Ends the windows of comparisons: the shares are about to change, or one arm takes no traffic.
    pub fn close_windows(&mut self) {
        for progress in &mut self.metrics {
            progress.close_windows();
        }
    }

    /// Whether there is a verdict. Nothing changes any more then, unless it [is watching](Self::is_watching).
    pub const fn is_over(&self) -> bool {
        self.phase.is_over()
    }

    /// Whether the run is inconclusive and goes on to measure, as it compares and the candidate may still take traffic.
    /// Only a failure can come of it; that its source is away does not.
    pub fn is_watching(&self, analysis: &Analysis) -> bool {
        self.phase == Phase::Inconclusive && analysis.compares()
    }

    /// How far the run is; the same as `assess(..).phase`, without the message.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// The measurements of one metric that are kept, oldest first; empty for a metric there is not.
    pub fn measurements(&self, metric: usize) -> &[Measurement] {
        self.metrics.get(metric).map_or(&[], |progress| progress.measurements.as_slice())
    }

    /// Puts every question that is due now.
    pub fn start_due(&mut self, analysis: &Analysis, now: Timestamp) {
        if self.is_over() && !self.is_watching(analysis) || self.is_settling(analysis) {
            return;
        }
        let mut started = false;
        if let Some(rounds) = &mut self.rounds {
            if rounds.start_due(now) {
                started = true;
                for (progress, metric) in self.metrics.iter_mut().zip(&analysis.metrics) {
                    progress.ask(metric, now);
                }
            }
        } else {
            for (progress, metric) in self.metrics.iter_mut().zip(&analysis.metrics) {
                if progress.next.is_some_and(|next| now >= next) {
                    started = true;
                    progress.ask(metric, now);
                }
            }
        }
        if started {
            self.settle(analysis);
        }
    }

    /// The questions without an answer yet, in the order of the metrics.
    pub fn open(&self) -> impl Iterator<Item = Open> + '_ {
        self.metrics.iter().enumerate().filter_map(|(metric, progress)| {
            progress.open.as_ref().map(|asked| Open {
                metric,
                ordinal: asked.ordinal,
                at: asked.at,
                due: asked.due,
                window: asked.from.map(|from| Window { from, to: asked.at }),
            })
        })
    }

    /// Hears an answer and returns what it came to, or `None` if that question is not open: answered before, never
    /// put, dropped with the end of the run, or late. A late answer counts as no answer, as in [`Run::expire`].
    pub fn record(
        &mut self,
        analysis: &Analysis,
        metric: usize,
        ordinal: u32,
        reading: Reading,
        now: Timestamp,
    ) -> Option<&Measurement> {
        let spec = analysis.metrics.get(metric)?;
        let progress = self.metrics.get_mut(metric)?;
        let asked = progress.open.filter(|asked| asked.ordinal == ordinal)?;
        if now >= asked.due {
            self.expire(analysis, now);
            return None;
        }
        let measurement = match (&spec.judge, &mut progress.evidence) {
            (Judge::Compare(comparison), Some(evidence)) => {
                let strictness = analysis.strictness(comparison);
                Measurement::compared(comparison, strictness, evidence, metric, asked, reading, now)
            }
            _ => Measurement::new(spec, metric, asked, reading, now),
        };
        progress.answer(spec, measurement, self.rounds.is_some());
        self.close_round(analysis, now);
        self.settle(analysis);
        self.metrics.get(metric)?.measurements.last()
    }

    /// Ends every question that is past its time as an error, and returns these measurements.
    pub fn expire(&mut self, analysis: &Analysis, now: Timestamp) -> Vec<Measurement> {
        let mut late = Vec::new();
        for (index, (progress, metric)) in self.metrics.iter_mut().zip(&analysis.metrics).enumerate() {
            if let Some(asked) = progress.open.filter(|asked| now >= asked.due) {
                let measurement = Measurement::late(metric, index, asked, now);
                late.push(measurement.clone());
                progress.answer(metric, measurement, self.rounds.is_some());
            }
        }
        if !late.is_empty() {
            self.close_round(analysis, now);
            self.settle(analysis);
        }
        late
    }

    /// The next time at which the run changes by itself; `None` if it is over and watches nothing.
    pub fn wake(&self, analysis: &Analysis) -> Option<Timestamp> {
        let mut earliest = self.rounds.as_ref().and_then(|rounds| rounds.next);
        let is_settling = self.is_settling(analysis);
        for progress in &self.metrics {
            let next = progress.next.filter(|_| !is_settling);
            for at in [progress.open.map(|asked| asked.due), next].into_iter().flatten() {
                earliest = Some(earliest.map_or(at, |earliest| earliest.min(at)));
            }
        }
        earliest
    }

    /// How far the run is, and why.
    pub fn assess(&self, analysis: &Analysis) -> Assessment {
        let mut assessment = overall(self.standings(analysis), self.is_over());
        if let (Some(rounds), Some(spec)) = (&self.rounds, &analysis.rounds) {
            assessment.message = rounds.message(spec, self.phase);
        }
        assessment.phase = self.phase;
        if self.terminated && self.phase == Phase::Successful {
            assessment.message = "Run Terminated".to_owned();
        }
        assessment
    }

    /// Stops the run: no further question, no further answer. What was measured so far decides; if nothing was, the
    /// run ends successfully, as there is nothing against it.
    pub fn terminate(&mut self) {
        if self.is_over() {
            return;
        }
        // Whatever breaks a limit was settled when it was counted; what is still open has nothing against it.
        self.terminated = true;
        self.phase = Phase::Successful;
        for progress in &mut self.metrics {
            progress.end_well();
        }
        self.stop();
    }

    fn standings<'a>(&'a self, analysis: &'a Analysis) -> impl Iterator<Item = Standing<'a>> {
        self.metrics.iter().zip(&analysis.metrics).map(|(progress, metric)| progress.standing(metric))
    }

    fn close_round(&mut self, analysis: &Analysis, now: Timestamp) {
        if let (Some(rounds), Some(spec)) = (&mut self.rounds, &analysis.rounds) {
            rounds.close(spec, &mut self.metrics, &analysis.metrics, now);
        }
    }

    /// Whether a comparison ended without a clear answer and what was asked beside it is still waited for. Nothing new is
    /// asked then, or the run would never end.
    fn is_settling(&self, analysis: &Analysis) -> bool {
        !self.is_over()
            && analysis.compares()
            && self.deciding(analysis).any(|(progress, _)| progress.phase == Phase::Inconclusive)
    }

    fn deciding<'a>(&'a self, analysis: &'a Analysis) -> impl Iterator<Item = (&'a Progress, &'a Metric)> {
        self.metrics.iter().zip(&analysis.metrics).filter(|(_, metric)| !metric.dry_run)
    }

    /// Brings the phases up to date with what was counted. A phase that is an end stays, but for a failure after an
    /// inconclusive one.
    fn settle(&mut self, analysis: &Analysis) {
        if self.is_watching(analysis) {
            return self.watch(analysis);
        }
        if self.is_over() {
            return;
        }
        if let (Some(rounds), Some(spec)) = (&self.rounds, &analysis.rounds) {
            self.phase = rounds.phase(spec);
        } else {
            for (progress, metric) in self.metrics.iter_mut().zip(&analysis.metrics) {
                progress.settle(metric, false);
            }
            let bad = self.deciding(analysis).map(|(progress, _)| progress.phase);
            let bad = bad.filter(|phase| phase.is_over() && *phase != Phase::Successful).max();
            // What is invalid or uncertain hides no failure: what was asked is heard before it is the end, and what
            // compares is not ended by it.
            if bad == Some(Phase::Inconclusive) && analysis.compares() {
                if self.deciding(analysis).any(|(progress, _)| progress.open.is_some()) {
                    self.phase = Phase::Running;
                } else {
                    self.phase = Phase::Inconclusive;
                    self.watch(analysis);
                }
                return;
            }
            // The first bad end among those that decide ends the others, too.
            let ending = bad.is_some();
            if ending {
                for (progress, metric) in self.metrics.iter_mut().zip(&analysis.metrics) {
                    progress.settle(metric, true);
                }
            }
            let phases = self.metrics.iter().zip(&analysis.metrics);
            self.phase =
                standing::phase_of(phases.map(|(progress, metric)| (metric.dry_run, progress.phase)), ending);
            if self.phase == Phase::Running
                && self.metrics.iter().all(|metric| metric.phase == Phase::Pending)
            {
                self.phase = Phase::Pending;
            }
        }
        if self.is_over() {
            self.stop();
        }
    }

    /// After an inconclusive end: looks for failures, and for nothing else.
    fn watch(&mut self, analysis: &Analysis) {
        for (progress, metric) in self.metrics.iter_mut().zip(&analysis.metrics) {
            progress.watch(metric);
        }
        if self.deciding(analysis).any(|(progress, _)| progress.phase == Phase::Failed) {
            self.phase = Phase::Failed;
            self.stop();
        }
    }

    fn stop(&mut self) {
        for progress in &mut self.metrics {
            progress.stop();
        }
        if let Some(rounds) = &mut self.rounds {
            rounds.next = None;
        }
    }
}
