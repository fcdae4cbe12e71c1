//! A compiled rule.

use std::sync::Arc;

use super::{
    LogicError,
    evaluators::Node,
    fractional::Fractional,
    frame::{FLAG_KEY, FLAGD, Frame, TIMESTAMP},
    given::Given,
    lists::ListOperation,
    operators::{self, Operator},
};
use crate::value::Value;

/// One node of a rule.
#[derive(Debug)]
pub(super) enum Expression {
    /// A value that stands in the rule.
    Literal(Value),
    /// A list of which at least one element is worked out.
    List(Box<[Expression]>),
    /// A variable.
    Variable(Variable),
    /// `if` and `?:`, whose clauses are worked out one by one; nothing where they are no list.
    If(Option<Box<[Expression]>>),
    /// `and`; nothing where its operands are no list.
    And(Option<Box<[Expression]>>),
    /// `or`; nothing where its operands are no list.
    Or(Option<Box<[Expression]>>),
    /// An operator that gets the values of its arguments.
    Call(Operator, Arguments),
    /// An operator over the elements of a list.
    Elements(Box<ListOperation>),
    /// A split.
    Fractional(Box<Fractional>),
    /// A part of a shared rule, which all flags have in common.
    Shared(Arc<Node>),
    /// No operator. Fails when it is reached.
    Unknown(Box<str>),
}

/// What an operator works on.
#[derive(Debug)]
pub(super) enum Arguments {
    /// A list that stands in the rule.
    List(Box<[Expression]>),
    /// One value; if it comes to a list, that is the list.
    One(Box<Expression>),
}

/// A variable, by how it names what it wants.
#[derive(Debug)]
pub(super) enum Variable {
    /// By a path.
    Path {
        path: Path,
        /// Whether the path stands there as a plain text that is empty or begins with a dot: those never look around.
        inner: bool,
    },
    /// By a path, with a value for when it is missing.
    Defaulted { path: Path, default: Box<Expression> },
    /// `{"var": []}`: everything.
    Whole,
    /// `{"var": null}`: everything, if it is no list and no object.
    Primitive,
    /// By what is worked out.
    Made(Box<Expression>),
}

/// Where a variable is.
#[derive(Debug)]
pub(super) enum Path {
    /// The empty path.
    Whole,
    /// `$flagd.flagKey`.
    FlagKey,
    /// `$flagd.timestamp`.
    Timestamp,
    /// Any other.
    Parts(Box<str>, Box<[Box<str>]>),
}

impl Expression {
    /// Works it out.
    #[inline]
    pub(super) fn run<'a>(&'a self, frame: &Frame<'_, 'a>) -> Result<Given<'a>, LogicError> {
        if let Self::Literal(value) = self {
            frame.spend(1)?;
            return Ok(Given::from(value));
        }
        if let Self::Shared(node) = self {
            return node.expression.run(frame);
        }
        let value = self.work_out(frame)?;
        frame.spend(1 + value.made())?;
        Ok(value)
    }

    #[inline]
    fn work_out<'a>(&'a self, frame: &Frame<'_, 'a>) -> Result<Given<'a>, LogicError> {
        match self {
            Self::Literal(value) => Ok(Given::from(value)),
            Self::Variable(variable) => frame.variable(variable),
            Self::If(clauses) => conditional(clauses.as_deref(), frame),
            Self::Call(operator, arguments) => operators::call(*operator, arguments, frame),
            Self::Fractional(fractional) => fractional.run(frame),
            Self::And(operands) => until(operands.as_deref(), frame, false),
            Self::Or(operands) => until(operands.as_deref(), frame, true),
            Self::List(elements) => {
                let values = elements.iter().map(|element| element.run(frame));
                Ok(Given::Made(values.collect::<Result<_, _>>()?))
            }
            Self::Elements(operation) => operation.run(frame),
            Self::Shared(node) => node.expression.run(frame),
            Self::Unknown(name) => Err(LogicError::UnknownOperator { name: name.to_string() }),
        }
    }
}

impl Variable {
    /// Whether the data around a condition may give the value.
    pub(super) const fn looks_around(&self) -> bool {
        !matches!(self, Self::Path { inner: true, .. })
    }

    /// Whether the time may be part of its value.
    pub(super) fn may_read_time(&self) -> bool {
        match self {
            Self::Path { path, .. } | Self::Defaulted { path, .. } => match path {
                Path::Parts(first, _) => first.as_ref() == FLAGD,
                Path::FlagKey => false,
                Path::Whole | Path::Timestamp => true,
            },
            Self::Whole | Self::Made(_) => true,
            Self::Primitive => false,
        }
    }
}

impl Path {
    /// The path that a text names: parts between dots, empty ones left out.
    pub(super) fn new(text: &str) -> Self {
        let mut parts = text.split('.').filter(|part| !part.is_empty());
        let Some(first) = parts.next() else { return Self::Whole };
        let rest: Vec<Box<str>> = parts.map(Into::into).collect();
        match (first, rest.as_slice()) {
            (FLAGD, [name]) if name.as_ref() == FLAG_KEY => Self::FlagKey,
            (FLAGD, [name]) if name.as_ref() == TIMESTAMP => Self::Timestamp,
            _ => Self::Parts(first.into(), rest.into()),
        }
    }
}

fn conditional<'a>(
    clauses: Option<&'a [Expression]>,
    frame: &Frame<'_, 'a>,
) -> Result<Given<'a>, LogicError> {
    let clauses =
        clauses.ok_or(LogicError::Argument { operator: "if", problem: "needs a list of clauses" })?;
    let mut pairs = clauses.chunks_exact(2);
    for pair in pairs.by_ref() {
        if let [condition, then] = pair
            && condition.run(frame)?.is_true()
        {
            return clause(then, frame);
        }
    }
    match pairs.remainder() {
        [otherwise] => clause(otherwise, frame),
        _ => Ok(Given::Null),
    }
}

/// The reference works the result of a clause out once more if it is an object: what a context says could become a
/// rule. Here it cannot.
fn clause<'a>(clause: &'a Expression, frame: &Frame<'_, 'a>) -> Result<Given<'a>, LogicError> {
    let value = clause.run(frame)?;
    match &value {
        Given::Object(_) => match value.rule() {
            Some(name) => Err(LogicError::RuleInContext { name: name.to_owned() }),
            None => Ok(value),
        },
        _ => Ok(value),
    }
}

/// The first operand that is as true as `stop`, or the last one.
fn until<'a>(
    operands: Option<&'a [Expression]>,
    frame: &Frame<'_, 'a>,
    stop: bool,
) -> Result<Given<'a>, LogicError> {
    let operator = if stop { "or" } else { "and" };
    let operands = operands.ok_or(LogicError::Argument { operator, problem: "needs a list of operands" })?;
    let mut last = Given::Null;
    for operand in operands {
        last = operand.run(frame)?;
        if last.is_true() == stop {
            break;
        }
    }
    Ok(last)
}
