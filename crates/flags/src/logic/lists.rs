//! Operators over the elements of a list.

use super::{
    LogicError, convert,
    expression::Expression,
    frame::{Frame, Item, Sight},
    given::Given,
};
use crate::value::Value;

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListOperator {
    Map,
    Filter,
    Reduce,
    All,
    None,
    Some,
}

/// An operator with its list and what is done to each element.
#[derive(Debug)]
pub(super) struct ListOperation {
    operator: ListOperator,
    subject: Subject,
    logic: Option<Expression>,
    start: Option<Expression>,
}

/// The list.
#[derive(Debug)]
pub(super) enum Subject {
    /// As it stands in the rule.
    Written(Vec<Value>),
    /// Worked out.
    Made(Expression),
    /// Something that is no list.
    Nothing,
    /// There are no arguments.
    Absent,
    /// The arguments are no list.
    Malformed,
}

impl ListOperator {
    /// The operator of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "map" => Self::Map,
            "filter" => Self::Filter,
            "reduce" => Self::Reduce,
            "all" => Self::All,
            "none" => Self::None,
            "some" => Self::Some,
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Map => "map",
            Self::Filter => "filter",
            Self::Reduce => "reduce",
            Self::All => "all",
            Self::None => "none",
            Self::Some => "some",
        }
    }
}

impl ListOperation {
    pub(super) const fn new(
        operator: ListOperator,
        subject: Subject,
        logic: Option<Expression>,
        start: Option<Expression>,
    ) -> Self {
        Self { operator, subject, logic, start }
    }

    pub(super) const fn without_list(operator: ListOperator) -> Self {
        Self::new(operator, Subject::Malformed, None, None)
    }

    pub(super) fn run<'a>(&'a self, frame: &Frame<'_, 'a>) -> Result<Given<'a>, LogicError> {
        if matches!(self.subject, Subject::Malformed) {
            return self.fault("needs a list: the values and what to do with each");
        }
        match self.operator {
            ListOperator::Map => self.map(frame),
            ListOperator::Filter => self.filter(frame),
            ListOperator::Reduce => self.reduce(frame),
            ListOperator::All => self.quantify(frame, Sight::ElementPutIn, false, false, false),
            ListOperator::None => self.quantify(frame, Sight::AroundPutIn, true, false, true),
            ListOperator::Some => self.quantify(frame, Sight::BothPutIn, true, true, false),
        }
    }

    fn map<'a>(&'a self, frame: &Frame<'_, 'a>) -> Result<Given<'a>, LogicError> {
        let Some(logic) = &self.logic else { return Ok(Given::Made(Vec::new())) };
        let Some(elements) = self.elements(frame)? else { return Ok(Given::Made(Vec::new())) };
        let run = |element| logic.run(&frame.element(Item::Value(element), Sight::Element));
        let values = elements.into_iter().map(run);
        Ok(Given::Made(values.collect::<Result<_, _>>()?))
    }

    fn filter<'a>(&'a self, frame: &Frame<'_, 'a>) -> Result<Given<'a>, LogicError> {
        let Some(logic) = &self.logic else { return Ok(Given::Made(Vec::new())) };
        let Some(elements) = self.elements(frame)? else { return Ok(Given::Made(Vec::new())) };
        let mut kept = Vec::new();
        for element in elements {
            let inner = frame.element(Item::Value(element.clone()), Sight::AroundPutIn);
            if logic.run(&inner)?.is_true() {
                kept.push(element);
            }
        }
        Ok(Given::Made(kept))
    }

    fn reduce<'a>(&'a self, frame: &Frame<'_, 'a>) -> Result<Given<'a>, LogicError> {
        let (Some(logic), Some(start)) = (&self.logic, &self.start) else { return Ok(ZERO) };
        let mut accumulator = start.run(frame)?;
        let kind = match &accumulator {
            Given::Bool(_) => "bool",
            Given::Number(_) | Given::Float(_) => "number",
            Given::Text(_) => "string",
            Given::Null | Given::List(_) | Given::Made(_) | Given::Object(_) => {
                return self.fault("starts from a truth, a number or a text");
            }
        };
        let Some(elements) = self.elements(frame)? else { return Ok(ZERO) };
        for current in elements.into_iter().filter(|element| !element.is_null()) {
            let round = frame.element(Item::Round { current, accumulator, kind }, Sight::Element);
            let value = self.judge(logic, &round)?;
            accumulator = match kind {
                "bool" => Given::Bool(value.is_true()),
                "number" => match convert::calculable(&value) {
                    Some(number) => Given::Float(number),
                    None => return self.fault("came to something that is no number"),
                },
                _ => match (convert::text(&value), &value) {
                    (Some(_), Given::Text(_)) => value,
                    (Some(text), _) => Given::Text(text.into_owned().into()),
                    (None, _) => return self.fault("came to something that is no text"),
                },
            };
        }
        Ok(accumulator)
    }

    /// Looks for an element whose truth is `wanted`, and says `found` if there is one.
    fn quantify<'a>(
        &'a self,
        frame: &Frame<'_, 'a>,
        sight: Sight,
        wanted: bool,
        found: bool,
        empty: bool,
    ) -> Result<Given<'a>, LogicError> {
        if matches!(self.subject, Subject::Absent) {
            return self.fault("needs the values and a condition");
        }
        // What is false is empty: a missing list, zero, an empty text.
        let subject = self.subject(frame)?;
        if !subject.is_true() {
            return Ok(Given::Bool(empty));
        }
        let Ok(elements) = subject.into_list() else { return self.fault("works on a list") };
        frame.spend(elements.len())?;
        let Some(logic) = &self.logic else { return self.fault("needs a condition") };
        for element in elements {
            if self.judge(logic, &frame.element(Item::Value(element), sight))?.is_true() == wanted {
                return Ok(Given::Bool(found));
            }
        }
        Ok(Given::Bool(!found))
    }

    /// The result of what must be a rule.
    fn judge<'a>(&self, logic: &'a Expression, frame: &Frame<'_, 'a>) -> Result<Given<'a>, LogicError> {
        match logic {
            Expression::Shared(node) => self.judge(&node.expression, frame),
            Expression::Literal(Value::Object(_)) => logic.run(frame),
            Expression::Literal(_) | Expression::List(_) => self.fault("needs a rule, not a value"),
            // A value that was put in the place of the variable is no rule any more.
            Expression::Variable(variable) => match frame.put_in(variable)? {
                Given::Null => logic.run(frame),
                object @ Given::Object(_) => Ok(object),
                _ => self.fault("needs a rule, not a variable that has a value"),
            },
            _ => logic.run(frame),
        }
    }

    fn subject<'a>(&'a self, frame: &Frame<'_, 'a>) -> Result<Given<'a>, LogicError> {
        match &self.subject {
            Subject::Written(values) => Ok(Given::List(values)),
            // A list that was put in the place of the variable is taken as it is, and what is neither list nor object
            // counts as nothing.
            Subject::Made(Expression::Variable(variable)) => match frame.put_in_as_it_is(variable)? {
                Given::Null => frame.variable(variable),
                object @ Given::Object(_) => match object.rule() {
                    Some(name) => Err(LogicError::RuleInContext { name: name.to_owned() }),
                    None => Ok(object),
                },
                value if value.is_primitive() => Ok(Given::Null),
                value => Ok(value),
            },
            Subject::Made(rule) => rule.run(frame),
            Subject::Nothing | Subject::Absent | Subject::Malformed => Ok(Given::Null),
        }
    }

    fn elements<'a>(&'a self, frame: &Frame<'_, 'a>) -> Result<Option<Vec<Given<'a>>>, LogicError> {
        let subject = self.subject(frame)?;
        if subject.is_null() {
            return Ok(None);
        }
        match subject.into_list() {
            Ok(elements) => {
                frame.spend(elements.len())?;
                Ok(Some(elements))
            }
            Err(_) => {
                Err(LogicError::Argument { operator: self.operator.name(), problem: "works on a list" })
            }
        }
    }

    const fn fault<T>(&self, problem: &'static str) -> Result<T, LogicError> {
        Err(LogicError::Argument { operator: self.operator.name(), problem })
    }
}

const ZERO: Given<'static> = Given::Float(0.0);
