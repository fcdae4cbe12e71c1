//! JSONLogic as flagd's reference evaluates it, compiled once and run many times.
//!
//! The dialects of flagd's languages differ. This is the one of its Go implementation, the daemon's, core 0.16.1, which
//! uses jsonlogic 3.9.1; later changes of that library are not followed before flagd takes them up. `==` compares a
//! text with a number by the text's number, `cat` leaves out what is missing, an empty list is false, a custom operator
//! answers null where it cannot answer, and an argument of the wrong kind ends the evaluation with an error. Where we
//! differ on purpose stands in `docs/differences.md`.
//!
//! Compiling resolves `$ref`s, splits the paths of variables, adds up constant weights and hashes what every subject's
//! text begins with; running looks at the context and nothing else, and allocates only for texts and lists that a rule
//! makes.

use std::{borrow::Cow, cell::Cell};

use serde::{Deserialize, Serialize};
use serinus_core::time::Timestamp;

pub(crate) use self::evaluators::{Evaluators, REFERENCE};
pub use self::fault::{Doubt, LogicError, RuleFault, RuleWarning};
#[cfg(feature = "open-feature")]
pub(crate) use self::{
    compare::Peek,
    simple::{Attributes, NotSimple},
};
use self::{
    compile::Compiler,
    expression::Expression,
    frame::{Budget, Frame, Item},
    given::Given,
    simple::Simple,
};
use crate::{
    Context,
    value::{Map, Value},
};

pub mod cbor;
mod compare;
mod compile;
mod convert;
mod evaluators;
mod expression;
mod fault;
mod fractional;
mod frame;
mod given;
mod lists;
mod operators;
mod semantic_version;
mod simple;
mod warn;

/// A targeting rule, ready to run.
#[derive(Debug)]
pub struct Rule {
    key: Box<str>,
    expression: Expression,
    /// The same, if it is simple.
    simple: Option<Simple>,
    reads: Option<Box<[Box<str>]>>,
    /// Whether the time may matter.
    timed: bool,
    warnings: Vec<RuleWarning>,
    /// How much of shared rules it has copied.
    copied: usize,
}

/// What a rule came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// The name of the variant; nothing where the rule came to null.
    pub variant: Option<Cow<'a, str>>,
    /// Whether a `fractional` with more than one reachable entry was asked.
    pub split: bool,
}

/// How `fractional` places a subject.
///
/// Each generation places everybody anew: about half of the users of a flag that is split in halves change sides from
/// one to the next. A document does not say which it was written for, and the published implementations differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Generation {
    /// Float percentages; the hash of the text. flagd up to core 0.14, 2024 to March 2026.
    V1,
    /// Weights of any sum; the hash of the text. flagd from core 0.15, npm flagd-core 4, PyPI flagd-core 1.
    V2,
    /// Weights of any sum; the hash of the value's deterministic CBOR, whatever its type. PyPI flagd-core 2, the crate
    /// flagd-evaluation-engine 0.1.
    #[default]
    V3,
}

impl Rule {
    /// Compiles the rule of the flag `key`. `evaluators` are the shared rules that `$ref` names.
    ///
    /// # Errors
    ///
    /// The rule refers to itself, is nested too deeply, or is too large with its shared rules put in. An operator that
    /// does not exist is no fault: it fails when it is reached, and only then.
    pub fn compile(
        rule: &Value,
        key: &str,
        evaluators: &Map,
        generation: Generation,
    ) -> Result<Self, RuleFault> {
        Self::compile_with(rule, key, &Evaluators::new(evaluators.clone(), None), generation, None)
    }

    /// The same, sharing what can be shared with the other flags of the document.
    pub(crate) fn compile_with(
        rule: &Value,
        key: &str,
        evaluators: &Evaluators,
        generation: Generation,
        has_variant: Option<&dyn Fn(&str) -> bool>,
    ) -> Result<Self, RuleFault> {
        let mut compiler = Compiler::new(key, evaluators, generation);
        let expression = compiler.compile(rule)?;
        let (timed, copied) = (compiler.is_timed(), compiler.copied());
        evaluators.copy(copied)?;
        let simple = Simple::of(&expression, key);
        let reads = simple.as_ref().map(Simple::reads);
        let warnings = warn::warnings(rule, evaluators, generation, has_variant);
        Ok(Self { key: key.into(), expression, simple, reads, timed, warnings, copied })
    }

    pub(crate) const fn copied(&self) -> usize {
        self.copied
    }

    /// The names of the attributes that the rule looks at, in order; no others make a difference. Nothing if the rule
    /// is not simple enough to tell: then any may.
    pub fn reads(&self) -> Option<&[Box<str>]> {
        self.reads.as_deref()
    }

    /// What was probably not meant in this rule: what can only fail, what nobody can get, and where implementations of
    /// flagd do not agree.
    pub fn warnings(&self) -> &[RuleWarning] {
        &self.warnings
    }

    /// Runs it. The clock is read at most once, and only if the rule may read `$flagd.timestamp`.
    ///
    /// # Errors
    ///
    /// An unknown operator was reached, an argument is of a kind that the operator cannot take, the result is not a
    /// finite number, or it takes too many steps.
    #[inline]
    pub fn run<'a>(&'a self, context: &'a Context, clock: Clock) -> Result<Outcome<'a>, LogicError> {
        if let Some(simple) = &self.simple
            && let Ok(outcome) = simple.run(context)
        {
            return Ok(outcome);
        }
        self.run_in_full(context, clock)
    }

    /// Runs it where only the attributes matter, and only as plain values.
    #[cfg(feature = "open-feature")]
    #[inline]
    pub(crate) fn run_simply(&self, attributes: &impl Attributes) -> Result<Outcome<'_>, NotSimple> {
        self.simple.as_ref().ok_or(NotSimple)?.run(attributes)
    }

    fn run_in_full<'a>(&'a self, context: &'a Context, clock: Clock) -> Result<Outcome<'a>, LogicError> {
        let seconds = if self.timed { clock.seconds() } else { 0 };
        let budget = Budget::new();
        let frame = Frame::new(Item::Context { context, key: &self.key, seconds }, &budget);
        let variant = self.expression.run(&frame)?.into_variant()?;
        Ok(Outcome { variant, split: frame.was_split() })
    }
}

/// Where `$flagd.timestamp` is from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third kind of clock")]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// Always these Unix seconds: for tests, and for asking what a document will say.
    At(i64),
}

impl Clock {
    fn seconds(self) -> i64 {
        match self {
            Self::System => Timestamp::now().as_second(),
            Self::At(seconds) => seconds,
        }
    }
}

/// Applies a bare rule to bare data, as the JSONLogic library of the reference does.
///
/// There is no flag: `$flagd` and `targetingKey` are what the data says they are. For tests and tools.
///
/// # Errors
///
/// As [`Rule::compile`] and [`Rule::run`].
pub fn apply(rule: &Value, data: &Value, generation: Generation) -> Result<Value, ApplyError> {
    let evaluators = Evaluators::default();
    let expression = Compiler::new("", &evaluators, generation).compile(rule)?;
    let budget = Budget::new();
    let frame = Frame::new(Item::Value(Given::from(data)), &budget);
    Ok(expression.run(&frame)?.into_value()?)
}

/// Why a bare rule could not be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// It cannot be compiled.
    #[error(transparent)]
    Compile(#[from] RuleFault),
    /// It cannot be evaluated.
    #[error(transparent)]
    Run(#[from] LogicError),
}

/// A truth that can be set through a shared reference.
type Mark = Cell<bool>;
