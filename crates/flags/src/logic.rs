//! JSONLogic as flagd's reference evaluates it, compiled once and run many times.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Context, value::Map, value::Value};

/// A targeting rule, ready to run.
#[derive(Debug)]
pub struct Rule(Value);

/// What a rule came to.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// The name of the variant; nothing where the rule came to null.
    pub variant: Option<Cow<'a, str>>,
    /// Whether a `fractional` with more than one reachable entry decided.
    pub split: bool,
}

/// How `fractional` hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Generation {
    /// Float percentages of the text's hash.
    V1,
    /// Integer weights, over the bytes of the text.
    V2,
    /// Integer weights, over the value's deterministic CBOR.
    #[default]
    V3,
}

/// Why a rule cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleFault {
    /// See the text.
    #[error("placeholder")]
    Placeholder,
}

/// Why a rule cannot be evaluated for this context. Its display says what and why; it is made on the slow path only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogicError {
    /// See the text.
    #[error("placeholder")]
    Placeholder,
}

impl Rule {
    /// Compiles a rule of the flag `key`. `evaluators` are the shared rules that `$ref` names.
    pub fn compile(
        rule: &Value,
        key: &str,
        evaluators: &Map,
        generation: Generation,
    ) -> Result<Self, RuleFault> {
        let _ = (key, evaluators, generation);
        Ok(Self(rule.clone()))
    }

    /// Runs it. `now` gives Unix seconds, and is called only if the rule reads `$flagd.timestamp`.
    pub fn run<'a>(
        &'a self,
        context: &'a Context,
        now: impl FnOnce() -> i64,
    ) -> Result<Outcome<'a>, LogicError> {
        let _ = (context, now, &self.0);
        Ok(Outcome { variant: None, split: false })
    }
}
