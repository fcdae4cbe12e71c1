//! What a comparison has seen so far, and what that says.

use std::{
    hash::{Hash, Hasher},
    panic::UnwindSafe,
};

use libm::log;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::{
    Compared, Comparison, ComparisonError, Dispersal, Findings, Objection, Strictness, Verdict, Why,
    findings::Doubt,
    latency::Latency,
    rare::log_rare,
    sentence,
    standing::{Pass, Standing},
};
use crate::{
    analysis::{Data, Judged, Outcome, run::Measurement},
    metric::{ArmCounts, Arms, ArmsError, Window},
    stats::{
        dispersion::Dispersion,
        evidence::{EProcess as _, EvidenceError, SchemaVersion},
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
    #[serde(default)]
    version: SchemaVersion,
    /// The stretch of even traffic under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stretch: Option<Stretch>,
    /// How much time has been compared.
    #[serde(default, skip_serializing_if = "GoDuration::is_zero", deserialize_with = "not_negative")]
    compared: GoDuration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    processes: Option<Processes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sample_ratio: Option<Split>,
    /// How much counts scatter between stable and its control group, if that is to be found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calibration: Option<Dispersion>,
    /// Whether there was evidence enough for a pass in this run: it does not go away.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    has_passed: bool,
    /// What was wrong with the last window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<Why>,
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

impl Evidence {
    /// What is known, if anything is; the interval holds with probability `1 − alpha`.
    pub fn findings(&self, comparison: &Comparison, alpha: f64) -> Option<Findings> {
        self.found(comparison, Some(alpha))
    }

    /// What it comes to so far. `strictness` is that of the analysis.
    pub fn verdict(&self, comparison: &Comparison, strictness: Strictness) -> Verdict {
        let findings = self.found(comparison, self.has_passed.then_some(strictness.error));
        if self.is_worse(comparison, strictness) {
            Verdict::Worse
        } else if self.uneven().is_some() {
            Verdict::Invalid(Why::SampleRatio)
        } else if let Some(why) = self.fault {
            Verdict::Invalid(why)
        } else if self.has_passed {
            let is_better = findings.is_some_and(|findings| findings.interval.1 < 1.0);
            if is_better { Verdict::Better } else { Verdict::NoWorse }
        } else if self.is_at_horizon(comparison) {
            Verdict::Uncertain
        } else {
            let requests = self.requests(comparison);
            let standings = self.standings(comparison);
            let missing =
                findings.and_then(|it| sentence::missing(comparison, &it, strictness, requests, &standings));
            Verdict::NotEnough { candidate_requests: missing }
        }
    }

    /// Without `alpha` no interval is worked out.
    fn found(&self, comparison: &Comparison, alpha: Option<f64>) -> Option<Findings> {
        let dispersion = self.dispersion(comparison);
        let doubt = alpha.zip(dispersion).map(|(alpha, dispersion)| Doubt { alpha, dispersion });
        let findings = match self.processes.as_ref()? {
            Processes::Counts(counts) => {
                let Counts { harm, safety, ratio } = &**counts;
                let (stable, candidate) = comparison.of.in_order(harm.totals());
                let logs = (harm.peak(), safety.peak());
                Findings::of(stable, candidate, None, logs, ratio, doubt)
            }
            Processes::Latency(latency) => latency.findings(doubt)?,
        };
        Some(Findings { dispersion, ..findings })
    }

    /// By how much evidence is divided, if that is known.
    fn dispersion(&self, comparison: &Comparison) -> Option<f64> {
        match comparison.dispersion {
            Dispersal::Fixed(times) => Some(times.get()),
            Dispersal::Calibrated { windows } => {
                let calibration = self.calibration.filter(|it| it.windows() >= u64::from(windows))?;
                calibration.factor().ok()
            }
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
        (carried.has_passed, carried.fault) = (false, None);
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
        arms: Result<&Arms, &ArmsError>,
        objection: Option<&Objection>,
    ) -> Judged {
        if window.from == window.to {
            let reason = "windows begin here".into();
            return Judged { outcome: Outcome::Undecided, data: Data::Present, reason };
        }
        let error = match arms {
            Ok(arms) => self.observe(comparison, window, share, arms).err(),
            Err(error) => {
                self.add(window);
                Some(error.clone().into())
            }
        };
        let objected = objection.map(|objection| objection.why);
        self.fault = error.as_ref().map(ComparisonError::why).or(objected);
        let judged = |outcome, reason| Judged { outcome, data: Data::Present, reason };
        // First what speaks against the candidate: nothing below may hide it.
        if self.is_worse(comparison, strictness) {
            let outcome = if comparison.critical { Outcome::Failed } else { Outcome::Inconclusive };
            return judged(outcome, self.told(comparison, strictness, || "worse".to_owned()));
        }
        match error {
            // As little as nothing is known of a window like this, and it may be the last one of many.
            Some(error @ ComparisonError::Arms(ArmsError::Missing { .. })) => {
                let is_over = self.is_at_horizon(comparison) && !self.has_passed;
                let (outcome, reason) = if is_over {
                    let compared = self.compared;
                    let ending = move || format!("not certain after {compared}: {error}");
                    (Outcome::Inconclusive, self.told(comparison, strictness, ending))
                } else {
                    (Outcome::Undecided, error.to_string().into())
                };
                return Judged { outcome, data: Data::Empty, reason };
            }
            Some(error) => {
                let reason = error.to_string().into();
                return Judged { outcome: Outcome::Error, data: Data::Erroneous, reason };
            }
            None => {}
        }
        if let Some(Objection { reason, .. }) = objection {
            return judged(Outcome::Inconclusive, format!("invalid: {reason}").into());
        }
        if let Some(split) = self.uneven() {
            return judged(Outcome::Inconclusive, sentence::uneven(&split.test, split.share).into());
        }
        if let Some(dispersion) = self.dispersion(comparison)
            && self.requests(comparison) >= comparison.least_requests
        {
            let needed = -log(strictness.miss) * dispersion;
            if let Some(pass) = self.pass(comparison, needed) {
                self.has_passed = true;
                let compared = comparison.clone();
                let ending = move || sentence::safe(&compared, pass);
                return judged(Outcome::Successful, self.told(comparison, strictness, ending));
            }
        }
        if self.is_at_horizon(comparison) {
            let compared = self.compared;
            let ending = move || format!("not certain after {compared}");
            return judged(Outcome::Inconclusive, self.told(comparison, strictness, ending));
        }
        // A window that decides nothing is told in fewer words: there are many.
        let found = self.found(comparison, None);
        let (missing, calibration) = (comparison.clone(), self.calibration);
        let standings = self.standings(comparison);
        let requests = self.requests(comparison);
        let ending = move || match &found {
            Some(findings) if findings.dispersion.is_none() => {
                sentence::calibrating(&missing, calibration.as_ref())
            }
            Some(findings) if !findings.is_empty() => {
                sentence::what_is_missing(&missing, findings, strictness, requests, &standings)
            }
            Some(_) | None => "nothing to compare yet".to_owned(),
        };
        judged(Outcome::Undecided, told(comparison, found, strictness, ending))
    }

    fn told(
        &self,
        comparison: &Comparison,
        strictness: Strictness,
        ending: impl FnOnce() -> String + Send + UnwindSafe + 'static,
    ) -> Text {
        told(comparison, self.findings(comparison, strictness.error), strictness, ending)
    }

    fn is_worse(&self, comparison: &Comparison, strictness: Strictness) -> bool {
        let dispersion = self.dispersion(comparison);
        dispersion.is_some_and(|dispersion| self.harm() / dispersion >= -log(strictness.error))
    }

    fn is_at_horizon(&self, comparison: &Comparison) -> bool {
        comparison.horizon.is_some_and(|horizon| self.compared >= horizon)
    }

    /// The split of the requests, if it is certainly not the planned one.
    fn uneven(&self) -> Option<&Split> {
        let split = self.sample_ratio.as_ref()?;
        split.test.rejects(Comparison::SPLIT_ERROR_PROBABILITY).unwrap_or(false).then_some(split)
    }

    fn add(&mut self, window: Window) {
        let length = GoDuration::between(window.from, window.to).as_nanos().max(0);
        self.compared = GoDuration::from_nanos(self.compared.as_nanos().saturating_add(length));
    }

    /// First what decides against the candidate: nothing that is refused after it may stop it. The first error.
    fn observe(
        &mut self,
        comparison: &Comparison,
        window: Window,
        share: Weight,
        arms: &Arms,
    ) -> Result<(), ComparisonError> {
        let id = id_of(window);
        self.add(window);
        let compared = self.observe_arms(comparison, id, arms);
        let calibrated = self.calibrate(comparison, id, arms);
        let split = if comparison.sample_ratio { self.observe_split(id, share, arms) } else { Ok(()) };
        compared.and(calibrated).and(split)
    }

    fn calibrate(&mut self, comparison: &Comparison, id: u64, arms: &Arms) -> Result<(), ComparisonError> {
        let (Dispersal::Calibrated { windows }, Some(control)) = (comparison.dispersion, &arms.control)
        else {
            return Ok(());
        };
        let both = match &self.processes {
            Some(Processes::Latency(latency)) => latency.alike(&arms.stable, control)?,
            None => None,
            Some(Processes::Counts(_)) => {
                Some([&arms.stable, control].map(|arm| Arm::new(arm.requests, arm.failures)))
            }
        };
        let calibration = self.calibration.get_or_insert_default();
        // What is known is not looked at again: a factor that moves with the data would void what it divides.
        if let Some([stable, control]) = both.filter(|_| calibration.windows() < u64::from(windows)) {
            calibration.observe(&Counted { id, control: stable, candidate: control })?;
        }
        Ok(())
    }

    fn observe_arms(&mut self, comparison: &Comparison, id: u64, arms: &Arms) -> Result<(), ComparisonError> {
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
                let (control, candidate) = comparison.of.in_order((arm(&arms.stable), arm(&arms.candidate)));
                let window = Counted { id, control, candidate };
                let harm = harm.observe(&window);
                let (safety, ratio) = (safety.observe(&window), ratio.observe(&window));
                let _ = harm.and(safety).and(ratio)?;
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
                vec![Standing { stable, candidate, log_safety: counts.safety.peak(), rare }]
            }
            Some(Processes::Latency(latency)) => latency.standings().collect(),
            None => Vec::new(),
        }
    }

    fn safety(&self) -> f64 {
        match &self.processes {
            Some(Processes::Counts(counts)) => counts.safety.peak(),
            Some(Processes::Latency(latency)) => latency.safety(),
            None => 0.0,
        }
    }

    /// The candidate's requests in this run that count.
    fn requests(&self, comparison: &Comparison) -> u64 {
        match &self.processes {
            Some(Processes::Counts(counts)) => comparison.of.in_order(counts.safety.totals()).1.exposure,
            Some(Processes::Latency(latency)) => latency.requests(),
            None => 0,
        }
    }

    /// In which way it is safe, if it is.
    fn pass(&self, comparison: &Comparison, needed: f64) -> Option<Pass> {
        if self.safety() >= needed {
            let edge = match &self.processes {
                Some(Processes::Latency(latency)) => latency.rarely_above(needed),
                Some(Processes::Counts(_)) | None => None,
            };
            Some(edge.map_or(Pass::Compared, Pass::RarelyAbove))
        } else if self.negligible(comparison) >= needed {
            Some(Pass::Rare)
        } else {
            self.has_passed.then_some(Pass::Before)
        }
    }
}

impl Compared {
    /// Fewer successes are harm: what is compared then is how many times as many stable has, with the arms the other way
    /// round. From the one order to the other, either way.
    fn in_order(self, (control, candidate): (Arm, Arm)) -> (Arm, Arm) {
        match self {
            Self::Successes => (candidate, control),
            Self::Failures | Self::Latency => (control, candidate),
        }
    }
}

fn not_negative<'de, D: Deserializer<'de>>(deserializer: D) -> Result<GoDuration, D::Error> {
    let read = GoDuration::deserialize(deserializer)?;
    let damaged = EvidenceError::Damaged { what: "the time it compared is negative" };
    if read.is_negative() { Err(D::Error::custom(damaged)) } else { Ok(read) }
}

// What is in it is never NaN: stored states with one are refused.
impl Eq for Evidence {}

impl Hash for Evidence {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.stretch.hash(state);
        self.compared.hash(state);
        self.harm().to_bits().hash(state);
        self.safety().to_bits().hash(state);
        (self.has_passed, self.fault).hash(state);
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

/// Prior weight of the planned split, in requests.
const CONCENTRATION: f64 = 100.0;
