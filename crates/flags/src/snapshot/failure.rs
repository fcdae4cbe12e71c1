//! Why an evaluation failed, for people.

use super::decision::Failure;
use crate::{details::ErrorCode, document::Flag, logic::LogicError, value::Kind};

/// Why an evaluation failed, and what to do about it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// No document was loaded yet.
    #[error("flag \"{flag}\": no document was loaded yet: load one, or wait for the source")]
    NotReady {
        /// The key that was asked for.
        flag: Box<str>,
    },
    /// No document was loaded, and nobody will bring one.
    #[error(
        "flag \"{flag}\": there is no document, and its source was given up: mend the source, or load a document"
    )]
    GivenUp {
        /// The key that was asked for.
        flag: Box<str>,
    },
    /// There is no flag of this key.
    #[error("there is no flag \"{flag}\": correct the key, or add the flag to the document")]
    NotFound {
        /// The key that was asked for.
        flag: Box<str>,
    },
    /// The flag is at fault.
    #[error("flag \"{flag}\" cannot be read: {fault}")]
    Broken {
        /// Its key.
        flag: Box<str>,
        /// What is wrong, from the flag on: `.variants.on: …`.
        fault: Box<str>,
    },
    /// The rule failed for this context.
    #[error("the rule of flag \"{flag}\" failed: {cause}")]
    Rule {
        /// The key of the flag.
        flag: Box<str>,
        /// Why.
        cause: LogicError,
    },
    /// The rule names a variant that the flag does not have.
    #[error(
        "the rule of flag \"{flag}\" names the variant \"{variant}\", which the flag does not have: add it"
    )]
    UnknownVariant {
        /// The key of the flag.
        flag: Box<str>,
        /// What the rule came to.
        variant: Box<str>,
    },
    /// The value is of another type than was asked for.
    #[error(
        "variant \"{variant}\" of flag \"{flag}\" is a {found}, and {expected} was asked for: ask for its type"
    )]
    WrongType {
        /// The key of the flag.
        flag: Box<str>,
        /// The name of the variant.
        variant: Box<str>,
        /// What was asked for.
        expected: &'static str,
        /// What it is.
        found: Kind,
    },
}

impl EvaluationError {
    /// What kind of failure it is.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotReady { .. } => ErrorCode::ProviderNotReady,
            Self::GivenUp { .. } => ErrorCode::ProviderFatal,
            Self::NotFound { .. } => ErrorCode::FlagNotFound,
            Self::Broken { .. } | Self::Rule { .. } => ErrorCode::ParseError,
            Self::UnknownVariant { .. } => ErrorCode::General,
            Self::WrongType { .. } => ErrorCode::TypeMismatch,
        }
    }
}

impl Failure<'_> {
    /// The same in words; this allocates.
    #[cold]
    pub(crate) fn explained(self, key: &str, flag: Option<&Flag>) -> EvaluationError {
        let key: Box<str> = key.into();
        match self {
            Self::NotReady => EvaluationError::NotReady { flag: key },
            Self::GivenUp => EvaluationError::GivenUp { flag: key },
            Self::NotFound => EvaluationError::NotFound { flag: key },
            Self::Broken => {
                let first = flag.and_then(|flag| flag.faults.first());
                let fault = first.map_or_else(String::new, |fault| match fault.path.as_str() {
                    "" => fault.problem.to_string(),
                    path => format!("{path}: {}", fault.problem),
                });
                EvaluationError::Broken { flag: key, fault: fault.into() }
            }
            Self::Rule(cause) => EvaluationError::Rule { flag: key, cause },
            Self::UnknownVariant(variant) => {
                EvaluationError::UnknownVariant { flag: key, variant: (*variant).into() }
            }
            Self::WrongType { variant, expected, found } => {
                EvaluationError::WrongType { flag: key, variant: variant.into(), expected, found }
            }
        }
    }
}
