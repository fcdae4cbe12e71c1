//! Whether what a guard counts can be relied on.

use std::fmt;

use serinus_core::{analysis::comparison::Why, time::GoDuration, traffic::Weight};

/// What has to hold before anybody is promoted by what a guard counts. What speaks against the candidate takes it back
/// in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preconditions {
    /// Whether candidate and control must be of the same size, in subjects that were seen and in subjects of whom an
    /// outcome was recorded. True by default.
    pub sample_ratio: bool,
    /// The largest share of the subjects that may see the variants of both arms. 1 % by default; [`Weight::FULL`] asks
    /// for nothing.
    pub most_crossed: Weight,
    /// How long after a variant was shown an outcome of it is still waited for; of whom nothing is recorded up to then,
    /// it counts as lost. One minute by default. Where healthy outcomes take longer, the slower arm seems to lose some.
    pub grace: GoDuration,
}

impl Preconditions {
    /// The probability with which one precondition that holds is taken as violated within an attempt, however often it
    /// is looked at.
    pub const ERROR_PROBABILITY: f64 = 0.001;

    /// Without the check of the sizes of both arms.
    #[must_use = "the preconditions to guard with are the value returned"]
    pub const fn without_sample_ratio(self) -> Self {
        Self { sample_ratio: false, ..self }
    }

    /// With another share of subjects that may see both variants.
    #[must_use = "the preconditions to guard with are the value returned"]
    pub const fn most_crossed(self, share: Weight) -> Self {
        Self { most_crossed: share, ..self }
    }

    /// With another time that outcomes are waited for.
    #[must_use = "the preconditions to guard with are the value returned"]
    pub const fn grace(self, grace: GoDuration) -> Self {
        Self { grace, ..self }
    }
}

impl Default for Preconditions {
    fn default() -> Self {
        Self { sample_ratio: true, most_crossed: Weight::percent(1.0), grace: GoDuration::from_mins(1) }
    }
}

/// Whether what a guard counts can be relied on: what is known of the attempt under way, in this process.
///
/// The numbers of subjects are those of a sample, which is everybody as long as they are few: of up to 32 768 subjects
/// it is known exactly what happened to them. Made by [`Guard::health`](super::Guard::health).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// The subjects that were shown the variant of their arm.
    pub exposed: Balance,
    /// Those of them who have had the time for an outcome, and of whom one was recorded. They are told at times that
    /// are a [`grace`](Preconditions::grace) apart while the guard runs: it takes one to two of them to be among these.
    pub heard: Balance,
    /// Those who saw the variants of both arms, of those who were shown one.
    pub crossed: Portion,
    /// Those of the candidate's subjects who have had the time for an outcome and of whom none was recorded.
    pub silent_candidate: Portion,
    /// Those of the control's subjects who have had the time for an outcome and of whom none was recorded.
    pub silent_control: Portion,
    /// Those who were shown nothing, of those of whom an outcome was recorded.
    pub unexposed: Portion,
    /// Those for whom an evaluation failed, of those who were shown a variant or for whom one failed.
    pub failed: Portion,
    /// Those who were never shown a variant, of the same.
    pub unserved: Portion,
    /// The evaluations that the trial has no part in.
    pub left_out: LeftOut,
    /// What is to be said of it, the gravest first.
    pub findings: Vec<Finding>,
}

/// The sizes of both arms, which are to be equal.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Balance {
    /// Subjects of the candidate.
    pub candidate: u64,
    /// Subjects of the control.
    pub control: u64,
    /// The logarithm (nats) of the e-value against equal sizes: 0 and less says nothing, 6.9 is as unlikely as one in a
    /// thousand. Of those exposed it is the largest so far; of those heard the present one, as an outcome that comes
    /// late is not lost.
    pub log_evidence: f64,
}

/// A part of a number of subjects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Portion {
    /// The part.
    pub part: u64,
    /// The whole.
    pub of: u64,
}

/// Evaluations of the flag that the trial has no part in, by why. Exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// A rule of the flag gave a variant.
    pub ruled: u64,
    /// The context has no targeting key that is a text.
    pub keyless: u64,
    /// It failed, came to another type than was asked for, or the flag is disabled: the program's own default was served.
    pub failed: u64,
}

/// Something about what a guard counts that a person should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Finding {
    /// The arms are not of the same size. No verdict: somebody is left out of one of them, or counted elsewhere.
    SampleRatio,
    /// Outcomes are recorded for more subjects of one arm than of the other. No verdict: what gets lost may be what
    /// fails.
    LostOutcomes,
    /// Too many subjects see both variants. No verdict: what comes of it belongs to neither.
    MultipleExposure,
    /// More than half of the subjects that the flag was evaluated for were never shown a variant, as every evaluation
    /// failed or came to another type than was asked for. No verdict: what came of the program's own default belongs to
    /// neither arm.
    Unserved,
    /// Nobody was shown a variant in this attempt: there is nothing to judge.
    NothingSeen,
    /// Variants were shown, and nothing was ever recorded of what came of it: there is nothing to judge.
    NothingHeard,
    /// Of more than half of the subjects in one arm who have had the time for it no outcome was recorded.
    Silent,
    /// More than one in twenty of those of whom an outcome was recorded was shown nothing in this attempt.
    Unexposed,
    /// For more than one in twenty subjects an evaluation failed in this attempt, or came to another type than was asked
    /// for, and the program's own default was served. A flag that is disabled does not fail.
    Fallbacks,
}

impl Balance {
    /// The anytime-valid p-value of "both are of the same size", `exp(−log_evidence)`.
    pub fn p_value(&self) -> f64 {
        (-self.log_evidence).exp().min(1.0)
    }

    /// Whether the sizes are certainly not equal.
    pub fn is_uneven(&self) -> bool {
        self.log_evidence >= -Preconditions::ERROR_PROBABILITY.ln()
    }

    pub(super) fn all(&self) -> u64 {
        self.candidate.saturating_add(self.control)
    }
}

impl Portion {
    /// The share, 0 to 1; none of nothing.
    pub fn share(&self) -> Option<f64> {
        (self.of > 0).then(|| self.part as f64 / self.of as f64)
    }

    pub(super) fn is_above(&self, share: f64) -> bool {
        self.share().is_some_and(|found| found > share)
    }
}

impl Finding {
    /// Every finding.
    pub const ALL: [Self; 9] = [
        Self::SampleRatio,
        Self::LostOutcomes,
        Self::MultipleExposure,
        Self::Unserved,
        Self::NothingSeen,
        Self::NothingHeard,
        Self::Silent,
        Self::Unexposed,
        Self::Fallbacks,
    ];

    /// Why there can be no pass, if that is so.
    pub const fn why(self) -> Option<Why> {
        match self {
            Self::SampleRatio => Some(Why::SampleRatio),
            Self::LostOutcomes => Some(Why::LostOutcomes),
            Self::MultipleExposure => Some(Why::MultipleExposure),
            Self::Unserved => Some(Why::Source),
            Self::NothingSeen | Self::NothingHeard | Self::Silent | Self::Unexposed | Self::Fallbacks => None,
        }
    }

    /// Its name in telemetry: `sample_ratio`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SampleRatio => "sample_ratio",
            Self::LostOutcomes => "lost_outcomes",
            Self::MultipleExposure => "multiple_exposure",
            Self::Unserved => "unserved",
            Self::NothingSeen => "nothing_seen",
            Self::NothingHeard => "nothing_heard",
            Self::Silent => "silent",
            Self::Unexposed => "unexposed",
            Self::Fallbacks => "fallbacks",
        }
    }
}

impl Health {
    /// What makes every verdict but a failure invalid, if there is something: the gravest.
    pub fn invalid(&self) -> Option<Finding> {
        self.findings.iter().copied().find(|finding| finding.why().is_some())
    }

    /// A finding in words, with the numbers and what to do.
    pub fn explain(&self, finding: Finding) -> String {
        let Self { exposed, heard, crossed, unexposed, failed, .. } = self;
        match finding {
            Finding::SampleRatio => format!(
                "{exposed}: look for whoever is left out of one of them, such as by a cache or by a second split with the same salt"
            ),
            Finding::LostOutcomes => format!(
                "of the subjects of whom an outcome was recorded, {heard}: look for requests that end without `record`, such as crashes and time-outs"
            ),
            Finding::MultipleExposure => format!(
                "{crossed} subjects saw the variants of both arms: look for targeting keys that change, and for rules that change their mind about a subject"
            ),
            Finding::Unserved => format!(
                "{} subjects were never shown a variant, as every evaluation failed and the program's own default was served: see the rule of the flag, and whether its variants are of the type that is asked for",
                self.unserved
            ),
            Finding::NothingSeen => {
                "nobody was shown a variant: is the flag evaluated, with targeting keys?".to_owned()
            }
            Finding::NothingHeard => {
                format!("{exposed} were shown a variant, and nothing was recorded of any: call `record`")
            }
            Finding::Silent => format!(
                "no outcome was recorded of {} subjects of the candidate and of {} of the control: is `record` called wherever the flag is evaluated?",
                self.silent_candidate, self.silent_control
            ),
            Finding::Unexposed => format!(
                "{unexposed} subjects with an outcome were shown nothing: record with the same targeting key, and only where the flag was evaluated"
            ),
            Finding::Fallbacks => format!(
                "for {failed} subjects an evaluation failed, and the program's own default was served: see the rule of the flag, and the types of its variants"
            ),
        }
    }
}

/// One line: the sizes of both arms, the shares, and what is found.
impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (p {:.3}), {} crossed, {} and {} silent, {} unexposed",
            self.exposed,
            self.exposed.p_value(),
            self.crossed,
            self.silent_candidate,
            self.silent_control,
            self.unexposed
        )?;
        for finding in &self.findings {
            let kind = if finding.why().is_some() { "invalid" } else { "note" };
            write!(f, "; {kind}: {}", self.explain(*finding))?;
        }
        Ok(())
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} candidates and {} controls", self.candidate, self.control)
    }
}

impl fmt::Display for Portion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.part, self.of)
    }
}
