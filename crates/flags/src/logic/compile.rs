//! From the JSON of a rule to its compiled form.

use super::{
    Generation, RuleFault,
    evaluators::{Evaluator, Evaluators, Node, REFERENCE, reference},
    expression::{Arguments, Expression, Path, Variable},
    fractional::Fractional,
    lists::{ListOperation, ListOperator, Subject},
    operators::Operator,
};
use crate::value::Value;

/// Compiles one rule.
pub(super) struct Compiler<'r> {
    key: &'r str,
    evaluators: &'r Evaluators,
    generation: Generation,
    /// The shared rules that are being put in, outermost first.
    open: Vec<(&'r str, &'r Evaluator)>,
    depth: usize,
    /// The greatest depth in the part that is being compiled.
    deepest: usize,
    parts: usize,
    /// How much of shared rules is copied instead of shared.
    copied: usize,
    timed: bool,
    /// Whether the part that is being compiled depends on the key of the flag.
    keyed: bool,
}

impl<'r> Compiler<'r> {
    pub(super) const fn new(key: &'r str, evaluators: &'r Evaluators, generation: Generation) -> Self {
        Self {
            key,
            evaluators,
            generation,
            open: Vec::new(),
            depth: 0,
            deepest: 0,
            parts: 0,
            copied: 0,
            timed: false,
            keyed: false,
        }
    }

    /// One node, with everything in it.
    pub(super) fn compile(&mut self, rule: &'r Value) -> Result<Expression, RuleFault> {
        match self.open.last() {
            Some(&(_, evaluator)) if may_be_large(rule) => self.share(evaluator, rule, false),
            _ => self.node(rule),
        }
    }

    /// Whether what was compiled may read the time.
    pub(super) const fn is_timed(&self) -> bool {
        self.timed
    }

    /// How much of shared rules was copied: parts, and texts by their length.
    pub(super) const fn copied(&self) -> usize {
        self.copied
    }

    /// A part of a shared rule. A large one that is the same for all flags is kept for the next of them.
    fn share(
        &mut self,
        evaluator: &'r Evaluator,
        rule: &'r Value,
        written: bool,
    ) -> Result<Expression, RuleFault> {
        if let Some(node) = evaluator.node(rule, written) {
            self.count(node.parts, 1)?;
            self.reach(node.height)?;
            self.timed |= node.timed;
            return Ok(Expression::Shared(node));
        }
        let (parts, copied, deepest) = (self.parts, self.copied, self.deepest);
        let timed = std::mem::take(&mut self.timed);
        let keyed = std::mem::take(&mut self.keyed);
        self.deepest = self.depth;
        let mut compiled = if written { self.plain(rule) } else { self.node(rule) }?;
        if !self.keyed && self.copied - copied > MOST_COPIED_ONE_BY_ONE && is_shareable(&compiled) {
            let height = self.deepest - self.depth;
            let node = Node::new(compiled, self.parts - parts, height, self.timed);
            compiled = Expression::Shared(evaluator.keep(rule, written, node));
            self.copied = copied + 1;
        }
        self.deepest = self.deepest.max(deepest);
        self.timed |= timed;
        self.keyed |= keyed;
        Ok(compiled)
    }

    fn node(&mut self, rule: &'r Value) -> Result<Expression, RuleFault> {
        if is_plain(rule) {
            return self.plain(rule);
        }
        self.count(1, 1)?;
        self.reach(1)?;
        self.depth += 1;
        let compiled = match rule {
            Value::List(elements) => self.all(elements).map(|compiled| match literals(&compiled) {
                Some(values) => Expression::Literal(Value::List(values)),
                None => Expression::List(compiled),
            }),
            Value::Object(map) => match map.iter().next() {
                Some((name, arguments)) => self.operation(name, arguments),
                None => Ok(Expression::Literal(rule.clone())),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Ok(Expression::Literal(rule.clone()))
            }
        };
        self.depth -= 1;
        compiled
    }

    /// What is taken as it is written.
    fn plain(&mut self, value: &'r Value) -> Result<Expression, RuleFault> {
        let size = Size::of(value);
        self.count(size.parts, size.weight)?;
        self.reach(size.height)?;
        Ok(Expression::Literal(value.clone()))
    }

    fn count(&mut self, parts: usize, weight: usize) -> Result<(), RuleFault> {
        self.parts = self.parts.saturating_add(parts);
        if self.parts > MOST_PARTS {
            return Err(RuleFault::TooLarge { limit: MOST_PARTS });
        }
        self.weigh(weight);
        Ok(())
    }

    const fn weigh(&mut self, weight: usize) {
        if !self.open.is_empty() {
            self.copied = self.copied.saturating_add(weight);
        }
    }

    fn reach(&mut self, levels: usize) -> Result<(), RuleFault> {
        let depth = self.depth + levels;
        if depth > MOST_LEVELS {
            return Err(RuleFault::TooDeep { limit: MOST_LEVELS });
        }
        self.deepest = self.deepest.max(depth);
        Ok(())
    }

    fn all(&mut self, elements: &'r [Value]) -> Result<Box<[Expression]>, RuleFault> {
        elements.iter().map(|element| self.compile(element)).collect()
    }

    fn operation(&mut self, name: &'r str, arguments: &'r Value) -> Result<Expression, RuleFault> {
        if name == REFERENCE {
            return self.shared(arguments);
        }
        let open = self.open.len();
        // A shared rule may be the whole list of arguments.
        let arguments = self.resolve(arguments)?;
        let compiled = match name {
            "var" => {
                let variable = self.variable(arguments)?;
                self.timed |= variable.may_read_time();
                self.keyed |= matches!(
                    variable,
                    Variable::Path { path: Path::FlagKey, .. }
                        | Variable::Defaulted { path: Path::FlagKey, .. }
                );
                Expression::Variable(variable)
            }
            "if" | "?:" => Expression::If(self.operands(arguments)?),
            "and" => Expression::And(self.operands(arguments)?),
            "or" => Expression::Or(self.operands(arguments)?),
            "fractional" => {
                let arguments = self.arguments(arguments)?;
                self.keyed = true;
                Expression::Fractional(Box::new(Fractional::new(arguments, self.key, self.generation)))
            }
            _ => match (ListOperator::of(name), Operator::of(name)) {
                (Some(operator), _) => Expression::Elements(Box::new(self.elements(operator, arguments)?)),
                (None, Some(operator)) => Expression::Call(operator, self.arguments(arguments)?),
                (None, None) => {
                    self.weigh(name.len() / TEXT);
                    Expression::Unknown(name.into())
                }
            },
        };
        self.open.truncate(open);
        Ok(compiled)
    }

    fn shared(&mut self, name: &'r Value) -> Result<Expression, RuleFault> {
        let found = name.as_str().and_then(|name| self.evaluators.get(name));
        let Some((name, evaluator)) = found else { return Ok(Expression::Unknown(REFERENCE.into())) };
        self.open(name, evaluator)?;
        let compiled = self.compile(&evaluator.rule);
        self.open.pop();
        compiled
    }

    /// What stands there once `$ref`s are replaced. Leaves the shared rules open that it is from.
    fn resolve(&mut self, mut value: &'r Value) -> Result<&'r Value, RuleFault> {
        while let Some((name, evaluator)) = reference(value).and_then(|name| self.evaluators.get(name)) {
            self.open(name, evaluator)?;
            value = &evaluator.rule;
        }
        Ok(value)
    }

    fn open(&mut self, name: &'r str, evaluator: &'r Evaluator) -> Result<(), RuleFault> {
        let names = self.open.iter().map(|(name, _)| *name);
        if names.clone().any(|other| other == name) {
            let path = names.chain([name]).collect::<Vec<_>>().join(" -> ");
            return Err(RuleFault::Cycle { name: name.to_owned(), path });
        }
        if self.open.len() >= MOST_LEVELS {
            return Err(RuleFault::TooDeep { limit: MOST_LEVELS });
        }
        self.open.push((name, evaluator));
        Ok(())
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
                self.weigh(text.len() / PATH);
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
        let open = self.open.len();
        let subject = match arguments.first().map(|subject| self.resolve(subject)).transpose()? {
            None => Subject::Absent,
            // A list that stands in the rule is taken as it is written: its elements are not worked out.
            Some(list @ Value::List(values)) => match self.open.last() {
                Some(&(_, evaluator)) => Subject::Made(self.share(evaluator, list, true)?),
                None => Subject::Written(values.clone()),
            },
            Some(rule @ Value::Object(_)) => Subject::Made(self.compile(rule)?),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => Subject::Nothing,
        };
        self.open.truncate(open);
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

/// How large a value is.
struct Size {
    parts: usize,
    /// Its parts, and its texts by their length.
    weight: usize,
    /// Its levels, itself among them.
    height: usize,
}

impl Size {
    fn of(value: &Value) -> Self {
        let around = |inner: &mut dyn Iterator<Item = Self>| {
            inner.fold(Self { parts: 1, weight: 1, height: 1 }, |sum, size| Self {
                parts: sum.parts + size.parts,
                weight: sum.weight + size.weight,
                height: sum.height.max(size.height + 1),
            })
        };
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Self { parts: 1, weight: 1, height: 1 },
            Value::String(text) => Self { parts: 1, weight: 1 + text.len() / TEXT, height: 1 },
            Value::List(elements) => around(&mut elements.iter().map(Self::of)),
            Value::Object(map) => around(&mut map.iter().map(|(name, value)| {
                let size = Self::of(value);
                Self { weight: size.weight + 1 + name.len() / TEXT, ..size }
            })),
        }
    }
}

/// Whether nothing in it is worked out. An object with no name or with several is not a rule but a value.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        Value::List(elements) => elements.iter().all(is_plain),
        Value::Object(map) => map.len() != 1,
    }
}

fn may_be_large(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.len() / TEXT >= MOST_COPIED_ONE_BY_ONE,
        Value::List(_) | Value::Object(_) => true,
    }
}

/// Other rules look into variables and splits; those are small, or depend on the key.
const fn is_shareable(compiled: &Expression) -> bool {
    !matches!(
        compiled,
        Expression::Shared(_) | Expression::Variable(_) | Expression::Fractional(_) | Expression::Unknown(_)
    )
}

/// Deeper than the JSON reader allows a text to be, so that only shared rules can reach it.
const MOST_LEVELS: usize = 256;
const MOST_PARTS: usize = 100_000;
/// What is smaller than this is copied into each flag: it is found faster there.
const MOST_COPIED_ONE_BY_ONE: usize = 16;
/// How many bytes of a text weigh as much as a part.
const TEXT: usize = 16;
/// How many bytes of a variable's path do.
const PATH: usize = 4;
