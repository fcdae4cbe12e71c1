//! What came of what a subject saw.

use std::time::Duration;

use crate::context::Context;

/// What came of what a subject saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "it went well, or it did not")]
pub enum Outcome {
    /// It went well.
    Success,
    /// It failed.
    Error,
}

impl Outcome {
    /// The same, after this long.
    pub const fn after(self, latency: Duration) -> Recorded {
        Recorded { outcome: self, latency: Some(latency) }
    }
}

/// An outcome, and how long it took if that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "an outcome counts only once it is recorded"]
#[expect(clippy::exhaustive_structs, reason = "a pair by nature")]
pub struct Recorded {
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took.
    pub latency: Option<Duration>,
}

impl From<Outcome> for Recorded {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, latency: None }
    }
}

/// Whose outcome it is: a targeting key, or a whole context.
///
/// By a key (`str`, `String`) the cohort is found from the hash alone. Whom a rule of the flag gives a variant of its
/// own is in no cohort, and only a [`Context`] tells: the rule is then run again.
pub trait Subject: sealed::Sealed {
    #[doc(hidden)]
    fn as_context(&self) -> Option<&Context>;

    #[doc(hidden)]
    fn as_key(&self) -> Option<&str>;
}

impl Subject for str {
    fn as_context(&self) -> Option<&Context> {
        None
    }

    fn as_key(&self) -> Option<&str> {
        Some(self)
    }
}

impl Subject for String {
    fn as_context(&self) -> Option<&Context> {
        None
    }

    fn as_key(&self) -> Option<&str> {
        Some(self)
    }
}

impl Subject for Context {
    fn as_context(&self) -> Option<&Context> {
        Some(self)
    }

    fn as_key(&self) -> Option<&str> {
        self.targeting_key()
    }
}

mod sealed {
    use crate::context::Context;

    pub trait Sealed {}

    impl Sealed for str {}
    impl Sealed for String {}
    impl Sealed for Context {}
}
