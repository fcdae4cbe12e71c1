//! What was counted, for people and programs.

use super::counters::{ArmReading, Reading};

/// What was counted of both cohorts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Of those who get the candidate variant.
    pub candidate: ArmTotals,
    /// Of as many who do not.
    pub control: ArmTotals,
}

/// What was counted of one cohort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArmTotals {
    /// Subjects for whom the flag was evaluated, each once per window: windows end where a comparison asks and where a
    /// weight changes. An estimate from hashes: with up to 65 000 subjects in a window its standard error is 0.3 %,
    /// with 500 000 it is 3 %, and more than 770 000 are not told apart. It is the same whichever threads they are on.
    pub exposures: u64,
    /// Outcomes that went well. Exact.
    pub successes: u64,
    /// Outcomes that failed. Exact.
    pub errors: u64,
}

impl From<&Reading> for Totals {
    fn from(reading: &Reading) -> Self {
        Self { candidate: ArmTotals::from(&reading.candidate), control: ArmTotals::from(&reading.control) }
    }
}

impl From<&ArmReading> for ArmTotals {
    fn from(reading: &ArmReading) -> Self {
        let ArmReading { exposures, successes, errors, .. } = *reading;
        Self { exposures, successes, errors }
    }
}
