//! Why a guard is not made, or does not run.

use std::sync::Arc;

use serinus_core::{driver::DriverError, time::GoDuration};

/// Why a guard is not made, or does not run. The flag is what its document says.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// There is no such flag, or it is at fault.
    #[error("flag \"{flag}\" cannot be guarded: {why}")]
    NoFlag {
        /// The key of the flag.
        flag: Arc<str>,
        /// What is wrong, and what to do about it.
        why: String,
    },
    /// The flag has no variant of the candidate's name.
    #[error("flag \"{flag}\" has no variant \"{variant}\" to be the candidate: expected one of {known}")]
    UnknownVariant {
        /// The key of the flag.
        flag: Arc<str>,
        /// The name.
        variant: Arc<str>,
        /// The names of its variants.
        known: String,
    },
    /// The candidate is what everybody gets already.
    #[error(
        "\"{variant}\" is the default variant of flag \"{flag}\", so there is nothing to roll out: name another one, or \
         make the proven variant the default"
    )]
    IsDefault {
        /// The key of the flag.
        flag: Arc<str>,
        /// The name.
        variant: Arc<str>,
    },
    /// The flag has a guard already.
    #[error("flag \"{flag}\" is guarded already: use that guard, or call `unguard` first")]
    Twice {
        /// The key of the flag.
        flag: Arc<str>,
    },
    /// Something was not said.
    #[error("the guard of flag \"{flag}\" needs {what}: call `{call}`")]
    Missing {
        /// The key of the flag.
        flag: Arc<str>,
        /// What is missing.
        what: &'static str,
        /// The method that says it.
        call: &'static str,
    },
    /// The plan wants what a flag cannot do.
    #[error("the plan of flag \"{flag}\" {what}")]
    Plan {
        /// The key of the flag.
        flag: Arc<str>,
        /// What, and what to do instead.
        what: &'static str,
    },
    /// A lease that is over before it can be renewed.
    #[error("a lease of {lease} is too short for the guard of flag \"{flag}\": expected 1s or more")]
    Lease {
        /// The key of the flag.
        flag: Arc<str>,
        /// How long it was to last.
        lease: GoDuration,
    },
    /// Somebody else decides.
    #[error(
        "the guard of flag \"{flag}\" follows another instance: give the command to the one that decides"
    )]
    Follows {
        /// The key of the flag.
        flag: Arc<str>,
    },
    /// It is run twice at once.
    #[error("the guard of flag \"{flag}\" is run already: run it once")]
    Running {
        /// The key of the flag.
        flag: Arc<str>,
    },
    /// The rollout cannot go on.
    #[error("the rollout of flag \"{flag}\" cannot go on")]
    Driver {
        /// The key of the flag.
        flag: Arc<str>,
        /// Why.
        source: DriverError,
    },
}
