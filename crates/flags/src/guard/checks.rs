//! The preconditions of a verdict, looked at again and again.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serinus_core::{
    analysis::comparison::Objection,
    cohort::Trial,
    metric::Sample,
    stats::{bernoulli::confidence_sequence, evidence::EProcess as _, sample_ratio::SampleRatio},
    time::{GoDuration, Timestamp},
    traffic::Weight,
};

use super::{
    Rate,
    counters::Counters,
    health::{Balance, Finding, Health, LeftOut, Portion, Preconditions},
    panel::{Panel, Seen},
};

/// Whether what is counted can be relied on.
#[derive(Debug)]
pub(crate) struct Checks {
    pub(crate) panel: Panel,
    preconditions: Preconditions,
    rate: Rate,
    /// Whether outcomes are counted elsewhere: then it says nothing that none is recorded here.
    hears_elsewhere: bool,
    /// Whether anybody is followed: the candidate has a share, and the control one as large.
    follows: AtomicBool,
    evidence: Mutex<Evidence>,
}

/// What is known of one attempt.
#[derive(Debug, Default)]
struct Evidence {
    attempt: u32,
    exposed: Coins,
    heard: Coins,
    is_crossed: bool,
    /// When it was last told who had the time for an outcome.
    settled_at: Option<Timestamp>,
    /// What was left out before this attempt.
    before: LeftOut,
    /// What was found already.
    told: Vec<Finding>,
}

/// Subjects that fall to either arm by a fair coin.
#[derive(Debug, Default)]
struct Coins {
    test: Option<SampleRatio>,
    batch: u64,
}

impl Checks {
    pub(crate) fn new(preconditions: Preconditions, rate: Rate, hears_elsewhere: bool) -> Self {
        Self {
            panel: Panel::new(),
            preconditions,
            rate,
            hears_elsewhere,
            follows: AtomicBool::new(false),
            evidence: Mutex::default(),
        }
    }

    /// This attempt is under way, with this share of the candidate.
    pub(crate) fn set_attempt(&self, attempt: u32, weight: Weight, counters: &Counters) {
        let trial = Trial::even(weight);
        let is_even = trial.candidate() == trial.control();
        self.follows.store(is_even && !weight.is_zero(), Ordering::Relaxed);
        let mut evidence = self.evidence();
        if evidence.attempt != attempt {
            self.panel.clear();
            *evidence = Evidence { attempt, before: counters.left_out(), ..Evidence::default() };
        }
    }

    /// It is this time now: whoever was exposed at least the grace ago has had the time for an outcome, to within
    /// another grace.
    pub(crate) fn settle(&self, at: Timestamp) {
        let mut evidence = self.evidence();
        let since = evidence.settled_at.map(|last| GoDuration::between(last, at));
        if since.is_none_or(|since| since >= self.preconditions.grace) {
            self.panel.settle();
            evidence.settled_at = Some(at);
        } else if since.is_some_and(|since| since.is_negative()) {
            // The clock was set back: it is waited for once more.
            evidence.settled_at = Some(at);
        }
    }

    /// Looks at everything once more.
    pub(crate) fn look(&self, key: &str, counters: &Counters) -> Health {
        let mut evidence = self.evidence();
        let seen = self.panel.look();
        let mut health = evidence.look(seen, counters, self.preconditions);
        let follows = self.follows.load(Ordering::Relaxed);
        health.findings = self.findings(&health, evidence.is_crossed, follows, counters);
        for finding in &health.findings {
            if !evidence.told.contains(finding) {
                evidence.told.push(*finding);
                tell(key, *finding, &health);
            }
        }
        health
    }

    /// The same answer, with what speaks against its counts, if there is something.
    pub(crate) fn object(&self, key: &str, counters: &Counters, answer: Sample) -> Sample {
        let is_about_arms = match &answer {
            Sample::Arms(_) => true,
            Sample::Map(map) => map.contains_key("stable") && map.contains_key("candidate"),
            _ => false,
        };
        if !is_about_arms {
            return answer;
        }
        let health = self.look(key, counters);
        let invalid = health.invalid().and_then(|finding| Some((finding, finding.why()?)));
        match invalid {
            Some((finding, why)) => Objection { why, reason: health.explain(finding) }.raise(answer),
            // Nobody can tell that all is well from that nobody says anything.
            None if health.findings.contains(&Finding::NothingHeard) && self.rate == Rate::PerExposure => {
                Sample::Map(BTreeMap::new())
            }
            None => answer,
        }
    }

    fn findings(
        &self,
        health: &Health,
        is_crossed: bool,
        follows: bool,
        counters: &Counters,
    ) -> Vec<Finding> {
        let Health { exposed, heard, silent_candidate, silent_control, unexposed, failed, .. } = health;
        let Preconditions { sample_ratio, .. } = self.preconditions;
        let hears = !self.hears_elsewhere;
        let is_silent = silent_candidate.is_above(SILENT) || silent_control.is_above(SILENT);
        let holds = |finding| match finding {
            Finding::SampleRatio => sample_ratio && exposed.is_uneven(),
            // Where only what fails is recorded, the arms are to differ.
            Finding::LostOutcomes => {
                sample_ratio && hears && self.rate == Rate::PerOutcome && heard.is_uneven()
            }
            Finding::MultipleExposure => is_crossed,
            Finding::Unserved => health.unserved.is_above(UNSERVED),
            Finding::NothingSeen => follows && exposed.all() == 0,
            Finding::NothingHeard => hears && exposed.all() > 0 && !counters.has_heard(),
            Finding::Silent => hears && counters.has_heard() && self.rate == Rate::PerOutcome && is_silent,
            Finding::Unexposed => unexposed.is_above(UNEXPOSED),
            Finding::Fallbacks => failed.is_above(FAILED),
        };
        Finding::ALL.into_iter().filter(|finding| holds(*finding)).collect()
    }

    fn evidence(&self) -> MutexGuard<'_, Evidence> {
        // Every holder leaves it whole.
        self.evidence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Evidence {
    fn look(&mut self, seen: Seen, counters: &Counters, preconditions: Preconditions) -> Health {
        let Seen { exposed, settled, heard, recorded, crossed, unexposed, failed, asked } = seen;
        let all: u64 = exposed.iter().sum();
        let crossed = Portion { part: crossed, of: all };
        self.is_crossed |= is_certainly_above(crossed, preconditions.most_crossed);
        let silent = |arm: usize| Portion { part: settled[arm] - heard[arm], of: settled[arm] };
        Health {
            exposed: self.exposed.balance(exposed, SampleRatio::peak),
            // What comes late makes good what it seemed to speak for.
            heard: self.heard.balance(heard, SampleRatio::log_e),
            crossed,
            silent_candidate: silent(0),
            silent_control: silent(1),
            unexposed: Portion { part: unexposed, of: recorded },
            failed: Portion { part: failed, of: asked },
            unserved: Portion { part: asked.saturating_sub(all), of: asked },
            left_out: counters.left_out().since(self.before),
            findings: Vec::new(),
        }
    }
}

impl Coins {
    fn balance(&mut self, [candidate, control]: [u64; 2], evidence: fn(&SampleRatio) -> f64) -> Balance {
        if self.test.is_none() {
            self.test = SampleRatio::new(&[0.5, 0.5], CONCENTRATION).ok();
        }
        let mut log_evidence = 0.0;
        if let Some(test) = &mut self.test {
            let before = [0, 1].map(|arm: usize| test.counts().get(arm).copied().unwrap_or(0));
            self.batch = self.batch.saturating_add(1);
            let new = [candidate.saturating_sub(before[0]), control.saturating_sub(before[1])];
            // The counts are far from what the test can hold, and the batches are numbered.
            let _ = test.observe(self.batch, &new);
            log_evidence = evidence(test);
        }
        Balance { candidate, control, log_evidence }
    }
}

impl LeftOut {
    fn since(self, before: Self) -> Self {
        Self {
            ruled: self.ruled.saturating_sub(before.ruled),
            keyless: self.keyless.saturating_sub(before.keyless),
            failed: self.failed.saturating_sub(before.failed),
        }
    }
}

/// Whether the share of which this is a sample is above that one, at every look.
fn is_certainly_above(found: Portion, most: Weight) -> bool {
    let most = f64::from(most.parts()) / f64::from(Weight::FULL.parts());
    let alpha = Preconditions::ERROR_PROBABILITY;
    found.is_above(most)
        && confidence_sequence(found.part, found.of, alpha, BEST, alpha)
            .is_ok_and(|interval| interval.lower > most)
}

fn tell(key: &str, finding: Finding, health: &Health) {
    let (name, explained) = (finding.name(), health.explain(finding));
    if finding.why().is_some() {
        tracing::event!(
            target: "serinus_flags",
            tracing::Level::WARN,
            feature_flag.key = key,
            feature_flag.provider.name = "serinus",
            finding = name,
            "no verdict can be relied on: {explained}"
        );
    } else {
        tracing::event!(
            target: "serinus_flags",
            tracing::Level::INFO,
            feature_flag.key = key,
            feature_flag.provider.name = "serinus",
            finding = name,
            "{explained}"
        );
    }
}

/// The weight of the prior on an even split, in subjects.
const CONCENTRATION: f64 = 100.0;
/// After so many subjects the interval of the crossed share is narrowest.
const BEST: f64 = 1_000.0;
const SILENT: f64 = 0.5;
const UNSERVED: f64 = 0.5;
const UNEXPOSED: f64 = 0.05;
const FAILED: f64 = 0.05;
