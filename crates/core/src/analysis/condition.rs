//! Conditions in Argo's expression language.

use std::{fmt, hash, str::FromStr};

use serde::{Deserialize, Serialize};

/// A condition over `result`, parsed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Condition {
    source: String,
}

impl Condition {
    /// The text it was parsed from.
    pub fn as_str(&self) -> &str {
        &self.source
    }
}

impl Condition {
    /// Whether the condition mentions what an answer without data looks like.
    pub(crate) fn asks_about_absence(&self) -> bool {
        ["isNaN", "isNil", "isInf", "len", "default", "nil", "??"]
            .iter()
            .any(|word| self.source.contains(word))
    }

    /// Whether the condition holds for an answer.
    ///
    /// # Errors
    ///
    /// If it cannot be evaluated.
    pub fn holds(&self, _result: &crate::metric::Sample) -> Result<bool, EvaluationError> {
        Err(EvaluationError(format!("condition `{}` cannot be evaluated yet", self.source)))
    }
}

/// Why a condition cannot be evaluated for an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EvaluationError(String);

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(source: &str) -> Result<Self, ConditionError> {
        Ok(Self { source: source.to_owned() })
    }
}

impl TryFrom<String> for Condition {
    type Error = ConditionError;

    fn try_from(source: String) -> Result<Self, ConditionError> {
        source.parse()
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.source
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Condition {}

impl hash::Hash for Condition {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.source.hash(state);
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

/// Why a text is not a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("condition `{source_text}` does not parse: {reason}")]
pub struct ConditionError {
    source_text: String,
    reason: String,
}
