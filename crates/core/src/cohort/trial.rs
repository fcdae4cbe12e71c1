use serde::{Deserialize, Serialize};

use super::{CohortError, Place};
use crate::traffic::Weight;

/// A candidate beside its concurrent control: the candidate takes the places from the low end, the control those from
/// the high end, and the rest lie between.
///
/// Both grow inwards, so raising either moves nobody who is in one. As long as both together stay within 100 %, nobody
/// ever passes from one to the other.
///
/// ```
/// use serinus_core::{
///     cohort::{Cohort, Salt, Trial},
///     traffic::Weight,
/// };
///
/// let salt = Salt::new("checkout");
/// let trial = Trial::even(Weight::percent(10.0));
/// assert_eq!(trial.control(), Weight::percent(10.0));
/// assert_eq!(trial.cohort_of(salt.place("user-2")), Cohort::Candidate);
/// assert_eq!(trial.cohort_of(salt.place("user-9")), Cohort::Control);
/// assert_eq!(trial.cohort_of(salt.place("user-1")), Cohort::Rest);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "Written")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "Written"))]
pub struct Trial {
    candidate: Weight,
    control: Weight,
}

impl Trial {
    /// A control as large as the candidate, for a candidate of at most one half. Beyond that nobody is left for a
    /// control of that size: it is what the candidate leaves over, and it loses subjects to the candidate, which must
    /// get them from somewhere. No subject ever goes the other way while the candidate grows.
    pub const fn even(candidate: Weight) -> Self {
        let rest = candidate.rest();
        let control = if candidate.parts() <= rest.parts() { candidate } else { rest };
        Self { candidate, control }
    }

    /// A control of its own size.
    ///
    /// # Errors
    ///
    /// If both together are more than 100 %.
    pub const fn try_new(candidate: Weight, control: Weight) -> Result<Self, CohortError> {
        if control.parts() <= candidate.rest().parts() {
            Ok(Self { candidate, control })
        } else {
            Err(CohortError::TooManyOnTrial { candidate, control })
        }
    }

    /// The cohort a place belongs to.
    #[inline]
    pub const fn cohort_of(self, place: Place) -> Cohort {
        if place.is_below(self.candidate) {
            Cohort::Candidate
        } else if place.is_among_the_last(self.control) {
            Cohort::Control
        } else {
            Cohort::Rest
        }
    }

    /// The share of the candidate.
    pub const fn candidate(self) -> Weight {
        self.candidate
    }

    /// The share of the control.
    pub const fn control(self) -> Weight {
        self.control
    }
}

/// The set of subjects that is treated and counted as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::exhaustive_enums,
    reason = "there is no fourth: a subject is on one side, on the other, or on none"
)]
pub enum Cohort {
    /// Gets what is on trial, and is counted.
    Candidate,
    /// Gets what is proven, and is counted beside the candidate.
    Control,
    /// Gets what is proven, and is not counted.
    Rest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Written {
    candidate: Weight,
    /// As large as the candidate, if it is not written.
    control: Option<Weight>,
}

impl TryFrom<Written> for Trial {
    type Error = CohortError;

    fn try_from(Written { candidate, control }: Written) -> Result<Self, CohortError> {
        control.map_or(Ok(Self::even(candidate)), |control| Self::try_new(candidate, control))
    }
}
