//! From the JSON of a rule to its compiled form.

use super::{
    Generation, RuleFault,
    expression::{Arguments, Expression, Path, Variable},
    fractional::Fractional,
    lists::{ListOperation, ListOperator, Subject},
    operators::Operator,
};
use crate::value::{Map, Value};

/// Compiles one rule.
pub(super) struct Compiler<'r> {
    key: &'r str,
    evaluators: &'r Map,
    generation: Generation,
    /// The shared rules that are being put in, outermost first.
    open: Vec<&'r str>,
    depth: usize,
    parts: usize,
    timed: bool,
}

impl<'r> Compiler<'r> {
    pub(super) const fn new(key: &'r str, evaluators: &'r Map, generation: Generation) -> Self {
        Self { key, evaluators, generation, open: Vec::new(), depth: 0, parts: 0, timed: false }
    }

    /// One node, with everything in it.
    pub(super) fn compile(&mut self, rule: &'r Value) -> Result<Expression, RuleFault> {
        self.parts += 1;
        if self.parts > MOST_PARTS {
            return Err(RuleFault::TooLarge { limit: MOST_PARTS });
        }
        if self.depth == MOST_LEVELS {
            return Err(RuleFault::TooDeep { limit: MOST_LEVELS });
        }
        self.depth += 1;
        let compiled = match rule {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Ok(Expression::Literal(rule.clone()))
            }
            Value::List(elements) => self.list(elements),
            Value::Object(map) => match (map.len(), map.iter().next()) {
                (1, Some((name, arguments))) => self.operation(name, arguments),
                // An object with no name or with several is not a rule but a value.
                _ => Ok(Expression::Literal(rule.clone())),
            },
        };
        self.depth -= 1;
        compiled
    }

    /// Whether what was compiled may read the time.
    pub(super) const fn is_timed(&self) -> bool {
        self.timed
    }

    fn list(&mut self, elements: &'r [Value]) -> Result<Expression, RuleFault> {
        let compiled = self.all(elements)?;
        Ok(match literals(&compiled) {
            Some(values) => Expression::Literal(Value::List(values)),
            None => Expression::List(compiled),
        })
    }

    fn all(&mut self, elements: &'r [Value]) -> Result<Box<[Expression]>, RuleFault> {
        elements.iter().map(|element| self.compile(element)).collect()
    }

    fn operation(&mut self, name: &'r str, arguments: &'r Value) -> Result<Expression, RuleFault> {
        Ok(match name {
            "$ref" => return self.shared(arguments),
            "var" => {
                let variable = self.variable(arguments)?;
                self.timed |= variable.may_read_time();
                Expression::Variable(variable)
            }

            "if" | "?:" => Expression::If(self.operands(arguments)?),
            "and" => Expression::And(self.operands(arguments)?),
            "or" => Expression::Or(self.operands(arguments)?),
            "fractional" => {
                let arguments = self.arguments(arguments)?;
                Expression::Fractional(Box::new(Fractional::new(arguments, self.key, self.generation)))
            }
            _ => match (ListOperator::of(name), Operator::of(name)) {
                (Some(operator), _) => Expression::Elements(Box::new(self.elements(operator, arguments)?)),
                (None, Some(operator)) => Expression::Call(operator, self.arguments(arguments)?),
                (None, None) => Expression::Unknown(name.into()),
            },
        })
    }

    fn shared(&mut self, name: &'r Value) -> Result<Expression, RuleFault> {
        let Some(name) = name.as_str() else { return Ok(Expression::Unknown("$ref".into())) };
        let Some(rule) = self.evaluators.get(name) else { return Ok(Expression::Unknown("$ref".into())) };
        if self.open.contains(&name) {
            let path = self.open.iter().chain([&name]).copied().collect::<Vec<_>>().join(" -> ");
            return Err(RuleFault::Cycle { name: name.to_owned(), path });
        }
        self.open.push(name);
        let compiled = self.compile(rule);
        self.open.pop();
        compiled
    }

    fn operands(&mut self, arguments: &'r Value) -> Result<Option<Box<[Expression]>>, RuleFault> {
        match arguments {
            Value::List(operands) => self.all(operands).map(Some),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => Ok(None),
        }
    }

    fn arguments(&mut self, arguments: &'r Value) -> Result<Arguments, RuleFault> {
        Ok(match arguments {
            Value::List(elements) => Arguments::List(self.all(elements)?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                Arguments::One(Box::new(self.compile(arguments)?))
            }
        })
    }

    fn variable(&mut self, argument: &'r Value) -> Result<Variable, RuleFault> {
        Ok(match argument {
            Value::Null => Variable::Primitive,
            Value::String(text) => {
                Variable::Path { path: Path::new(text), inner: text.is_empty() || text.starts_with('.') }
            }
            Value::Number(number) => {
                Variable::Path { path: Path::new(&number.as_f64().to_string()), inner: false }
            }
            Value::List(elements) => match elements.as_slice() {
                [] => Variable::Whole,
                [Value::String(text)] => Variable::Path { path: Path::new(text), inner: false },
                [Value::String(text), default] => {
                    Variable::Defaulted { path: Path::new(text), default: Box::new(self.compile(default)?) }
                }
                _ => Variable::Made(Box::new(self.compile(argument)?)),
            },
            Value::Bool(_) | Value::Object(_) => Variable::Made(Box::new(self.compile(argument)?)),
        })
    }

    fn elements(&mut self, operator: ListOperator, arguments: &'r Value) -> Result<ListOperation, RuleFault> {
        let Value::List(arguments) = arguments else { return Ok(ListOperation::without_list(operator)) };
        let subject = match arguments.first() {
            None => Subject::Absent,
            // A list that stands in the rule is taken as it is written: its elements are not worked out.
            Some(Value::List(values)) => Subject::Written(values.clone()),
            Some(rule @ Value::Object(_)) => Subject::Made(self.compile(rule)?),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => Subject::Nothing,
        };
        let logic = arguments.get(1).map(|logic| self.compile(logic)).transpose()?;
        let start = arguments.get(2).map(|start| self.compile(start)).transpose()?;
        Ok(ListOperation::new(operator, subject, logic, start))
    }
}

/// The values, if nothing among them is worked out.
fn literals(compiled: &[Expression]) -> Option<Vec<Value>> {
    let literal = |expression: &Expression| match expression {
        Expression::Literal(value) => Some(value.clone()),
        _ => None,
    };
    compiled.iter().map(literal).collect()
}

/// Deeper than the JSON reader allows a text to be, so that only shared rules can reach it.
const MOST_LEVELS: usize = 256;
const MOST_PARTS: usize = 100_000;
