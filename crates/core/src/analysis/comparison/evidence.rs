//! What a comparison has seen so far, and what that says.

use std::{
    hash::{Hash, Hasher},
    panic::UnwindSafe,
};

use libm::log;
use serde::{Deserialize, Serialize};

use super::{Compared, Comparison, Strictness, latency::Latency, rare::log_rare, sentence};
use crate::{
    analysis::{Data, Judged, Outcome, run::Measurement},
    metric::{ArmCounts, Arms, ArmsError, Window},
    stats::{
        evidence::{EProcess as _, EvidenceError},
        grid::{Arm, CounterGrid, RateRatio, RatioGrid, Window as Counted},
        sample_ratio::SampleRatio,
    },
    text::Text,
    time::{GoDuration, Timestamp},
    traffic::Weight,
};

/// What a comparison has seen so far. Its size does not grow; it is part of a rollout's state and goes on from it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Evidence {
    /// The stretch of even traffic under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stretch: Option<Stretch>,
    /// How much time has been compared.
    #[serde(default, skip_serializing_if = "GoDuration::is_zero")]
    compared: GoDuration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    processes: Option<Processes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sample_ratio: Option<Split>,
}

/// Traffic that is split the same way since a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stretch {
    share: Weight,
    /// Where the next window begins.
    from: Timestamp,
    /// Whether nothing was asked yet: the first window is empty, so that the source knows where the next begins.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_fresh: bool,
}

/// Whether requests are split as planned, stage by stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Split {
    share: Weight,
    test: SampleRatio,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Processes {
    Counts(Box<Counts>),
    Latency(Box<Latency>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Counts {
    harm: CounterGrid,
    safety: CounterGrid,
    ratio: RateRatio,
}

/// How far one share, that of failures or of requests above an edge, is on its way to a pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) stable: Arm,
    pub(super) candidate: Arm,
    /// The logarithm of the e-value against "at least the safety margin".
    pub(super) log_safety: f64,
    /// The share that is rare enough to be safe whatever stable's is; 0 for none.
    pub(super) rare: f64,
}

/// The numbers behind a verdict.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Findings {
    /// Stable's requests, and those of them that failed, or took longer than the edge.
    pub stable: Arm,
    /// The candidate's.
    pub candidate: Arm,
    /// Of a latency, the edge in seconds that these counts are about.
    pub edge: Option<f64>,
    /// How many times as often the candidate fails, at the likeliest; none before the first failure.
    pub ratio: Option<f64>,
    /// Where that ratio lies, at all times at once, with the probability that the error probability leaves.
    pub interval: (f64, f64),
    /// The logarithm of the greatest e-value so far against "no more than the margin".
    pub log_harm: f64,
    /// The logarithm of the e-value against "at least the safety margin".
    pub log_safety: f64,
}

impl Evidence {
    /// What is known, if anything is; the interval holds with probability `1 − alpha`.
    pub fn findings(&self, alpha: f64) -> Option<Findings> {
        self.found(Some(alpha))
    }

    /// Without `alpha` no ratio is worked out.
    fn found(&self, alpha: Option<f64>) -> Option<Findings> {
        match self.processes.as_ref()? {
            Processes::Counts(counts) => {
                let Counts { harm, safety, ratio } = &**counts;
                let (stable, candidate) = harm.totals();
                let logs = (harm.peak(), safety.log_e());
                Some(Findings::of(stable, candidate, None, logs, ratio, alpha))
            }
            Processes::Latency(latency) => latency.findings(alpha),
        }
    }

    /// How much time has been compared.
    pub const fn compared(&self) -> GoDuration {
        self.compared
    }

    /// What another run of the same analysis goes on from: evidence of harm is kept, a pass needs evidence of its own.
    pub(in crate::analysis) fn carried(&self) -> Self {
        let mut carried = self.clone();
        carried.stretch = None;
        carried.compared = GoDuration::ZERO;
        match &mut carried.processes {
            Some(Processes::Counts(counts)) => {
                counts.safety = CounterGrid::new(counts.safety.grid().clone());
            }
            Some(Processes::Latency(latency)) => latency.forget_safety(),
            None => {}
        }
        carried
    }

    pub(in crate::analysis) const fn is_open(&self) -> bool {
        self.stretch.is_some()
    }

    /// Both arms take traffic from now on, the candidate this share. When the first window begins, if a new stretch
    /// begins.
    pub(in crate::analysis) fn open(
        &mut self,
        comparison: &Comparison,
        share: Weight,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if self.stretch.is_some_and(|stretch| stretch.share == share) {
            return None;
        }
        let from = comparison.settle.after(now);
        self.stretch = Some(Stretch { share, from, is_fresh: true });
        Some(from)
    }

    pub(in crate::analysis) fn close(&mut self) {
        self.stretch = None;
    }

    /// Where the window begins that is asked about next, and the candidate's share in it.
    pub(in crate::analysis) fn next_window(&mut self, at: Timestamp) -> Option<(Timestamp, Weight)> {
        let stretch = self.stretch.as_mut()?;
        let from = if stretch.is_fresh { at } else { stretch.from.min(at) };
        // Asked about once: what is not answered is left out, never asked about twice.
        *stretch = Stretch { from: at, is_fresh: false, ..*stretch };
        Some((from, stretch.share))
    }

    /// Takes in one window and says what all of them come to.
    pub(in crate::analysis) fn judge(
        &mut self,
        comparison: &Comparison,
        strictness: Strictness,
        window: Window,
        share: Weight,
        arms: &Arms,
    ) -> Judged {
        if window.from == window.to {
            let reason = "windows begin here".into();
            return Judged { outcome: Outcome::Undecided, data: Data::Present, reason };
        }
        let error = self.observe(comparison, window, share, arms).err();
        let judged = |outcome, reason| Judged { outcome, data: Data::Present, reason };
        let findings = || self.findings(strictness.error);
        // First what speaks against the candidate: nothing below may hide it.
        if self.harm() / comparison.dispersion.get() >= -log(strictness.error) {
            let outcome = if comparison.critical { Outcome::Failed } else { Outcome::Inconclusive };
            return judged(outcome, told(comparison, findings(), strictness, || "worse".to_owned()));
        }
        if let Some(error) = error {
            return Judged {
                outcome: Outcome::Error,
                data: Data::Erroneous,
                reason: error.to_string().into(),
            };
        }
        if let Some(split) = &self.sample_ratio
            && split.test.rejects(Comparison::SPLIT_ERROR_PROBABILITY).unwrap_or(false)
        {
            let counts = split.test.counts();
            return judged(Outcome::Inconclusive, sentence::uneven(counts, split.share).into());
        }
        let needed = -log(strictness.miss);
        // A window that decides nothing is told in fewer words: there are many.
        let found = self.found(None);
        let enough = found.is_some_and(|it| {
            let candidate = if comparison.of == Compared::Successes { it.stable } else { it.candidate };
            candidate.exposure >= comparison.least_requests
        });
        if enough && self.safety() / comparison.dispersion.get() >= needed {
            let ending = self.safe(needed * comparison.dispersion.get());
            return judged(Outcome::Successful, told(comparison, findings(), strictness, move || ending));
        }
        if enough && self.negligible(comparison) / comparison.dispersion.get() >= needed {
            let percent = comparison.negligible.get() * 100.0;
            let ending = move || format!("safe, as certainly less than {percent}% fail");
            return judged(Outcome::Successful, told(comparison, findings(), strictness, ending));
        }
        if comparison.horizon.is_some_and(|horizon| self.compared >= horizon) {
            let compared = self.compared;
            let ending = move || format!("not certain after {compared}");
            return judged(Outcome::Inconclusive, told(comparison, findings(), strictness, ending));
        }
        let (missing, standings) = (comparison.clone(), self.standings(comparison));
        let ending = move || match &found {
            Some(findings) if !findings.is_empty() => {
                sentence::what_is_missing(&missing, findings, strictness, &standings)
            }
            Some(_) | None => "nothing to compare yet".to_owned(),
        };
        judged(Outcome::Undecided, told(comparison, found, strictness, ending))
    }

    fn observe(
        &mut self,
        comparison: &Comparison,
        window: Window,
        share: Weight,
        arms: &Arms,
    ) -> Result<(), ComparisonError> {
        let id = id_of(window);
        self.compared = GoDuration::from_nanos(
            self.compared
                .as_nanos()
                .saturating_add(GoDuration::between(window.from, window.to).as_nanos().max(0)),
        );
        if comparison.sample_ratio {
            self.observe_split(id, share, arms)?;
        }
        if self.processes.is_none() {
            let harm = RatioGrid::harm(comparison.margin.get())?;
            let safety = RatioGrid::safety(comparison.safety_margin.get())?;
            self.processes = Some(match comparison.of {
                Compared::Failures | Compared::Successes => Processes::Counts(Box::new(Counts {
                    harm: CounterGrid::new(harm),
                    safety: CounterGrid::new(safety),
                    ratio: RateRatio::new(),
                })),
                Compared::Latency => Processes::Latency(Box::new(Latency::new(harm, safety))),
            });
        }
        match &mut self.processes {
            Some(Processes::Counts(counts)) => {
                let Counts { harm, safety, ratio } = &mut **counts;
                let arm = |counts: &ArmCounts| Arm::new(counts.requests, counts.failures);
                let (control, candidate) = match comparison.of {
                    // Fewer successes are harm: what is compared is how many times as many stable has.
                    Compared::Successes => (arm(&arms.candidate), arm(&arms.stable)),
                    _ => (arm(&arms.stable), arm(&arms.candidate)),
                };
                let window = Counted { id, control, candidate };
                let _ = ratio.observe(&window)?;
                let _ = safety.observe(&window)?;
                let _ = harm.observe(&window)?;
            }
            Some(Processes::Latency(latency)) => latency.observe(id, arms)?,
            None => {}
        }
        Ok(())
    }

    fn observe_split(&mut self, id: u64, share: Weight, arms: &Arms) -> Result<(), ComparisonError> {
        let candidate = f64::from(share.parts()) / f64::from(Weight::FULL.parts());
        let shares = [1.0 - candidate, candidate];
        let split = match self.sample_ratio.take() {
            None => Split { share, test: SampleRatio::new(&shares, CONCENTRATION)? },
            Some(split) if split.share == share => split,
            Some(split) => Split { share, test: split.test.next_stage(&shares)? },
        };
        let split = self.sample_ratio.insert(split);
        let _ = split.test.observe(id, &[arms.stable.requests, arms.candidate.requests])?;
        Ok(())
    }

    fn harm(&self) -> f64 {
        match &self.processes {
            Some(Processes::Counts(counts)) => counts.harm.peak(),
            Some(Processes::Latency(latency)) => latency.harm(),
            None => 0.0,
        }
    }

    /// The logarithm of the e-value against "the candidate fails at least as often as [`Comparison::negligible`]".
    fn negligible(&self, comparison: &Comparison) -> f64 {
        match (&self.processes, comparison.of) {
            // The totals of `safety` are those of this run alone.
            (Some(Processes::Counts(counts)), Compared::Failures) => {
                log_rare(counts.safety.totals().1, comparison.negligible.get())
            }
            _ => 0.0,
        }
    }

    /// What all of has to be safe before the candidate is.
    fn standings(&self, comparison: &Comparison) -> Vec<Standing> {
        match &self.processes {
            Some(Processes::Counts(counts)) => {
                let (stable, candidate) = counts.safety.totals();
                let rare = match comparison.of {
                    Compared::Failures => comparison.negligible.get(),
                    Compared::Successes | Compared::Latency => 0.0,
                };
                vec![Standing { stable, candidate, log_safety: counts.safety.log_e(), rare }]
            }
            Some(Processes::Latency(latency)) => latency.standings().collect(),
            None => Vec::new(),
        }
    }

    fn safety(&self) -> f64 {
        match &self.processes {
            Some(Processes::Counts(counts)) => counts.safety.log_e(),
            Some(Processes::Latency(latency)) => latency.safety(),
            None => 0.0,
        }
    }

    /// That it is safe, and in which way.
    fn safe(&self, needed: f64) -> String {
        match &self.processes {
            Some(Processes::Latency(latency)) => latency.rarely_above(needed).map_or_else(
                || "safe".to_owned(),
                |edge| {
                    let percent = Comparison::RARELY_SLOW * 100.0;
                    format!("safe, as certainly less than {percent}% are slower than {edge} s")
                },
            ),
            Some(Processes::Counts(_)) | None => "safe".to_owned(),
        }
    }
}

// What is in it is never NaN: stored states with one are refused.
impl Eq for Evidence {}

impl Hash for Evidence {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.stretch.hash(state);
        self.compared.hash(state);
        self.harm().to_bits().hash(state);
        self.safety().to_bits().hash(state);
    }
}

impl Findings {
    pub(super) fn of(
        stable: Arm,
        candidate: Arm,
        edge: Option<f64>,
        (log_harm, log_safety): (f64, f64),
        ratio: &RateRatio,
        alpha: Option<f64>,
    ) -> Self {
        let interval = alpha.and_then(|alpha| ratio.interval(alpha).ok());
        let interval = interval.map_or((0.0, f64::INFINITY), |it| (it.lower, it.upper));
        let ratio = alpha.and_then(|_| ratio.estimate().ok());
        Self { stable, candidate, edge, ratio, interval, log_harm, log_safety }
    }

    fn is_empty(&self) -> bool {
        self.stable.exposure == 0 || self.candidate.exposure == 0
    }
}

/// The sentence of a verdict, with the numbers as they are now. Every window gets one, and next to none is read.
fn told(
    comparison: &Comparison,
    findings: Option<Findings>,
    strictness: Strictness,
    ending: impl FnOnce() -> String + Send + UnwindSafe + 'static,
) -> Text {
    let comparison = comparison.clone();
    Text::lazily(move || {
        let sentence = sentence::tell(&comparison, findings.as_ref(), strictness, &ending());
        Text::cut(sentence, Measurement::MAX_TEXT)
    })
}

/// Windows are told apart by where they end, in nanoseconds since 1970.
fn id_of(window: Window) -> u64 {
    u64::try_from(GoDuration::between(Timestamp::UNIX_EPOCH, window.to).as_nanos()).unwrap_or(0)
}

/// Why a window could not be compared.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ComparisonError {
    /// The answer holds no counts of two arms.
    #[error(transparent)]
    Arms(#[from] ArmsError),
    /// The counts cannot be taken in.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A number of the comparison is out of range.
    #[error(transparent)]
    Undefined(#[from] crate::stats::Undefined),
    /// No histogram of latencies in the answer.
    #[error(
        "the answer has no latencies of the {arm} arm: compare failures only, or count latencies by bucket"
    )]
    NoLatencies {
        /// `stable` or `candidate`.
        arm: &'static str,
    },
    /// The buckets are not those of the windows before.
    #[error(
        "the {arm} arm has no bucket up to {edge} s any more: begin a new attempt after a change of buckets"
    )]
    BucketsChanged {
        /// `stable` or `candidate`.
        arm: &'static str,
        /// The edge that is missing.
        edge: f64,
    },
    /// The two arms have no bucket in common.
    #[error("the buckets of both arms have no finite edge in common: give both the same buckets")]
    NoCommonBuckets,
}

/// Prior weight of the planned split, in requests.
const CONCENTRATION: f64 = 100.0;
