//! Conditions in Argo's expression language.

use std::{borrow::Cow, fmt, hash, str::FromStr, sync::Arc};

use expr::Program;
use serde::{Deserialize, Serialize};

use self::types::Comparison;
use crate::metric::Sample;

mod environment;
mod rewrite;
mod scan;
mod types;

/// A condition over `result`, in the expression language of Argo Rollouts: `result[0] >= 0.95`,
/// `all(result, # < 0.5)`, `isNaN(result) || result < 100`.
///
/// Parsed once, when it is made; two conditions are equal if their texts are. Besides the language's own functions
/// there are those of Argo: `asInt`, `asFloat`, `isNaN`, `isInf`, and `isNil(x)` and `default(x, d)`, which look at
/// the whole result whatever their first argument is, as Argo's do. A condition reads no clock: there is no `now`.
///
/// A text from outside cannot do harm: it is at most [`Condition::MAX_LENGTH`] bytes long, brackets are nested at most
/// [`Condition::MAX_DEPTH`] deep and there are at most [`Condition::MAX_OPERATORS`] operators, which is checked before
/// it is parsed.
///
/// ```
/// use serinus_core::{analysis::Condition, metric::Sample};
///
/// let condition: Condition = "result[0] >= 0.95".parse()?;
/// assert_eq!(condition.holds(&Sample::List(vec![0.99.into()])), Ok(true));
/// assert!(condition.holds(&Sample::empty()).is_err());
/// assert!("reslut > 1".parse::<Condition>().is_err());
/// # Ok::<(), serinus_core::analysis::ConditionError>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
pub struct Condition {
    parsed: Arc<Parsed>,
}

struct Parsed {
    source: String,
    program: Program,
    comparisons: Vec<Comparison>,
    asks_about_absence: bool,
    is_deep: bool,
}

impl Condition {
    /// The longest text, in bytes.
    pub const MAX_LENGTH: usize = 1024;
    /// The deepest nesting of brackets.
    pub const MAX_DEPTH: usize = 64;
    /// The greatest number of operators.
    pub const MAX_OPERATORS: usize = 256;

    /// The text it was parsed from.
    pub fn as_str(&self) -> &str {
        &self.parsed.source
    }

    /// Whether the condition holds for an answer. Pure: the same answer always gives the same result.
    ///
    /// # Errors
    ///
    /// If the condition cannot be evaluated for this answer (an index out of range, a text compared with a number)
    /// or its value is neither true nor false.
    pub fn holds(&self, result: &Sample) -> Result<bool, EvaluationError> {
        let evaluated = match self.parsed.comparisons.iter().find(|it| it.mismatches(result)) {
            Some(comparison) => Err(comparison.complaint(result)),
            None => with_room(self.parsed.is_deep, || environment::evaluate(&self.parsed.program, result)),
        };
        evaluated.map_err(|reason| {
            let reason = if result.is_empty() {
                Cow::Owned(format!("{NO_DATA} ({reason})"))
            } else {
                Cow::Borrowed(reason.as_str())
            };
            EvaluationError { source_text: self.as_str().to_owned(), reason: reason.into_owned() }
        })
    }

    /// Whether the condition mentions what an answer without data looks like, so that a pass on one is meant.
    pub(super) fn asks_about_absence(&self) -> bool {
        self.parsed.asks_about_absence
    }
}

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(source: &str) -> Result<Self, ConditionError> {
        let parse = || {
            let tokens = scan::scan(source)?;
            let rewritten = rewrite::rewrite(&tokens)?;
            // Few tokens cannot nest deeply.
            let is_deep = tokens.len() > SHALLOW;
            let program = with_room(is_deep, || expr::compile(&rewritten.text)).map_err(|error| {
                // The parser's drawing shows the rewritten text; its last line says what was expected.
                let drawn = error.to_string();
                drawn.lines().last().unwrap_or_default().trim_start_matches([' ', '=']).to_owned()
            })?;
            Ok(Parsed {
                source: source.to_owned(),
                program,
                comparisons: rewritten.comparisons,
                asks_about_absence: rewritten.asks_about_absence,
                is_deep,
            })
        };
        parse()
            .map(|parsed| Self { parsed: Arc::new(parsed) })
            .map_err(|reason: String| ConditionError { source_text: quotable(source), reason })
    }
}

/// Runs something recursive on a stack of its own if it may need one. Within the bounds of a condition that is enough
/// even without optimisation, whatever thread calls.
fn with_room<T>(is_deep: bool, recurse: impl FnOnce() -> T) -> T {
    if is_deep { stacker::maybe_grow(NEEDED_STACK, NEEDED_STACK, recurse) } else { recurse() }
}

/// A text short enough for a message.
fn quotable(source: &str) -> String {
    let mut quoted: String = source.chars().take(100).collect();
    if quoted.len() < source.len() {
        quoted.push('…');
    }
    quoted
}

impl TryFrom<String> for Condition {
    type Error = ConditionError;

    fn try_from(source: String) -> Result<Self, ConditionError> {
        source.parse()
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.as_str().to_owned()
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Condition {}

impl hash::Hash for Condition {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is not a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("condition `{source_text}` does not parse: {reason}")]
pub struct ConditionError {
    source_text: String,
    reason: String,
}

/// Why a condition has no value for an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("condition `{source_text}` cannot be evaluated: {reason}")]
pub struct EvaluationError {
    source_text: String,
    reason: String,
}

/// Tokens that every stack has room for.
const SHALLOW: usize = 40;

/// What the deepest condition needs, in bytes, with a wide margin.
const NEEDED_STACK: usize = 16 << 20;

const NO_DATA: &str = "metric result is nil or empty: no data returned from the metric provider";
