//! Why there is no value.

use crate::details::{ErrorCode, Reason};

/// Why a flag has no value for a context: the caller's own default counts.
///
/// Only [`Failed`](Self::Failed) is a failure. [`Flags::details`](crate::Flags::details) says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NoValue {
    /// The flag is disabled.
    #[error("the flag is disabled: the program's own default counts")]
    Disabled,
    /// The flag leaves the default to the program.
    #[error("the flag has no default variant: the program's own default counts")]
    NoDefault,
    /// The evaluation failed.
    #[error("the evaluation failed with {0}: ask for the details of the flag")]
    Failed(ErrorCode),
}

impl NoValue {
    #[inline]
    pub(crate) fn because(reason: Reason) -> Self {
        if reason == Reason::Disabled { Self::Disabled } else { Self::NoDefault }
    }

    /// The reason that OpenFeature has for it.
    pub fn reason(self) -> Reason {
        match self {
            Self::Disabled => Reason::Disabled,
            Self::NoDefault => Reason::Default,
            Self::Failed(_) => Reason::Error,
        }
    }
}
