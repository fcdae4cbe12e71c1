use std::sync::Arc;

use crate::traffic::Weight;

/// Why cohorts cannot be as they were asked for. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CohortError {
    /// A slot ends where it begins, or before.
    #[error("a slot from {from} to {to} holds nobody: name its lower end first")]
    EmptySlot {
        /// Where it was to begin.
        from: Weight,
        /// Where it was to end.
        to: Weight,
    },
    /// Candidate and control are more than everybody.
    #[error("a candidate of {candidate} and a control of {control} are more than 100%: lower one of them")]
    TooManyOnTrial {
        /// The share of the candidate.
        candidate: Weight,
        /// The share of the control.
        control: Weight,
    },
    /// Two hold the same places.
    #[error("`{first}` and `{second}` both hold {from} to {to}: move one of them")]
    Overlap {
        /// Who holds them already.
        first: Arc<str>,
        /// Who was to hold them as well; the same name if its own slots overlap.
        second: Arc<str>,
        /// Where the places begin that both hold.
        from: Weight,
        /// Where they end.
        to: Weight,
    },
    /// More was asked for than is free.
    #[error("`{name}` needs {wanted} more, and {free} is free: lower or remove another one first")]
    Full {
        /// Who was to grow.
        name: Arc<str>,
        /// By how much.
        wanted: Weight,
        /// What is left.
        free: Weight,
    },
    /// A name stands twice.
    #[error("`{name}` stands twice: give each its own name")]
    Twice {
        /// The name.
        name: Arc<str>,
    },
    /// A name is empty.
    #[error("{what} has no name: give it one")]
    Nameless {
        /// What has no name, with its article.
        what: &'static str,
    },
    /// A name is not known.
    #[error("there is no `{name}`: expected {expected}")]
    Unknown {
        /// The name.
        name: Arc<str>,
        /// The names there are.
        expected: String,
    },
    /// Two draws have the same salt, and so would not be independent.
    #[error(
        "{first} and {second} have the same salt `{salt}`, so who is in one decides who is in the other: give \
         one of them another salt"
    )]
    SameSalt {
        /// The salt.
        salt: Arc<str>,
        /// Who has it.
        first: String,
        /// Who has it, too.
        second: String,
    },
    /// A share is written with a weight and with slots, or with neither.
    #[error("`{name}` needs either a `weight` or `slots`, and has {found}")]
    EitherWeightOrSlots {
        /// Whose share it is.
        name: Arc<str>,
        /// What is written.
        found: &'static str,
    },
}
