//! Rules that compare attributes with values and split subjects: most rules there are.
//!
//! They need neither a frame nor values of their own, so they run several times as fast. What turns out not to be that
//! simple once the context is there is left to the expression, which always knows.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Outcome,
    compare::{self, Peek},
    convert,
    evaluators::Node,
    expression::{Arguments, Expression, Path, Variable},
    fractional::Fractional,
    operators::Operator,
};
use crate::{
    context::{Context, TARGETING_KEY},
    value::Value,
};

/// A rule, or a branch of one, that ends with the name of a variant.
#[derive(Debug)]
pub(super) enum Simple {
    Name(Box<str>),
    Nothing,
    /// Conditions with what follows from each, and what follows otherwise.
    If(Box<[(Condition, Simple)]>, Box<Simple>),
    /// A comparison, whose result is the name.
    Truth(Condition),
    Split(Box<Split>),
    /// A shared rule that is simple.
    Shared(Arc<Node>),
}

/// Something that is true or not.
#[derive(Debug)]
pub(super) enum Condition {
    Constant(bool),
    /// Whether an attribute is there, and neither false nor zero nor empty.
    Is(Operand),
    Compare(Operator, Operand, Operand),
    /// Whether a text or a number is among these texts.
    Among(Operand, Arc<[Box<str>]>),
    StartsWith(Operand, Box<str>),
    EndsWith(Operand, Box<str>),
    Not(Box<Condition>),
    All(Box<[Condition]>),
    Any(Box<[Condition]>),
    /// A shared rule that is such a condition.
    Shared(Arc<Node>),
}

/// What is compared.
#[derive(Debug)]
pub(super) enum Operand {
    Literal(Value),
    Attribute(Box<str>, Box<[Box<str>]>),
}

/// A split whose entries are names.
#[derive(Debug)]
pub(super) struct Split {
    bucket: Bucket,
    fractional: Fractional,
}

/// By what a subject is placed.
#[derive(Debug)]
enum Bucket {
    TargetingKey,
    Texts(Box<[Operand]>),
}

/// The context is not what a simple rule can look at.
#[derive(Debug)]
pub(crate) struct NotSimple;

/// Where a simple rule finds what it looks at.
pub(crate) trait Attributes {
    /// The attribute of this name, or what it has at this path; [`Peek::Null`] if there is none.
    fn peek(&self, name: &str, path: &[Box<str>]) -> Result<Peek<'_>, NotSimple>;

    /// The targeting key, if there is one and it is a text.
    fn targeting_key(&self) -> Result<Option<&str>, NotSimple>;
}

impl Attributes for Context {
    #[inline]
    fn peek(&self, name: &str, path: &[Box<str>]) -> Result<Peek<'_>, NotSimple> {
        let Some(mut value) = self.get(name) else { return Ok(Peek::Null) };
        for part in path {
            match value {
                Value::Object(map) => match map.get(part) {
                    Some(found) => value = found,
                    None => return Ok(Peek::Null),
                },
                Value::List(_) => return Err(NotSimple),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Ok(Peek::Null),
            }
        }
        Ok(Peek::of(value))
    }

    #[inline]
    fn targeting_key(&self) -> Result<Option<&str>, NotSimple> {
        Ok(self.targeting_key())
    }
}

impl Simple {
    /// The same rule in this form, if it has it.
    pub(super) fn of(rule: &Expression, key: &str) -> Option<Self> {
        match rule {
            Expression::Literal(Value::Null) => Some(Self::Nothing),
            Expression::Literal(Value::String(name)) if is_plain(name) => {
                Some(Self::Name(name.as_str().into()))
            }
            Expression::If(Some(clauses)) => {
                let mut pairs = clauses.chunks_exact(2);
                let conditions = pairs.by_ref().map(|pair| match pair {
                    [condition, then] => Some((Condition::of(condition, key)?, Self::of(then, key)?)),
                    _ => None,
                });
                let conditions: Option<Box<[_]>> = conditions.collect();
                let otherwise = match pairs.remainder() {
                    [otherwise] => Self::of(otherwise, key)?,
                    _ => Self::Nothing,
                };
                Some(Self::If(conditions?, Box::new(otherwise)))
            }
            Expression::Call(operator, _) if is_comparison(*operator) => {
                Some(Self::Truth(Condition::of(rule, key)?))
            }
            Expression::Shared(node) => node.simple().map(|_| Self::Shared(Arc::clone(node))),
            Expression::Fractional(fractional) => Some(Self::Split(Box::new(Split::of(fractional, key)?))),
            _ => None,
        }
    }

    /// The names of the attributes that it looks at, in order.
    pub(super) fn reads(&self) -> Box<[Box<str>]> {
        let mut names = BTreeSet::new();
        self.add_names(&mut names);
        names.into_iter().map(Into::into).collect()
    }

    pub(super) fn add_names<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        match self {
            Self::Name(_) | Self::Nothing => {}
            Self::Shared(node) => names.extend(node.names().iter().map(|name| &**name)),
            Self::Truth(condition) => condition.add_names(names),
            Self::If(conditions, otherwise) => {
                for (condition, then) in conditions {
                    condition.add_names(names);
                    then.add_names(names);
                }
                otherwise.add_names(names);
            }
            Self::Split(split) => match &split.bucket {
                Bucket::TargetingKey => drop(names.insert(TARGETING_KEY)),
                Bucket::Texts(parts) => parts.iter().for_each(|part| part.add_name(names)),
            },
        }
    }

    #[inline]
    pub(super) fn run(&self, context: &impl Attributes) -> Result<Outcome<'_>, NotSimple> {
        let mut rule = self;
        loop {
            let name = match rule {
                Self::Name(name) => Some(&**name),
                Self::Nothing => None,
                Self::Truth(condition) => Some(if condition.holds(context)? { "true" } else { "false" }),
                Self::If(conditions, otherwise) => {
                    rule = otherwise;
                    for (condition, then) in conditions {
                        if condition.holds(context)? {
                            rule = then;
                            break;
                        }
                    }
                    continue;
                }
                Self::Split(split) => return split.run(context),
                Self::Shared(node) => {
                    rule = node.simple().ok_or(NotSimple)?;
                    continue;
                }
            };
            return Ok(Outcome { variant: name.map(Into::into), split: false });
        }
    }
}

impl Condition {
    pub(super) fn of(rule: &Expression, key: &str) -> Option<Self> {
        let all = |operands: &[Expression]| -> Option<Box<[Self]>> {
            operands.iter().map(|operand| Self::of(operand, key)).collect()
        };
        match rule {
            Expression::Literal(Value::Bool(truth)) => Some(Self::Constant(*truth)),
            Expression::Shared(node) => node.condition().map(|_| Self::Shared(Arc::clone(node))),
            Expression::Variable(_) => Some(Self::Is(Operand::of(rule, key)?)),
            Expression::And(Some(operands)) if !operands.is_empty() => Some(Self::All(all(operands)?)),
            Expression::Or(Some(operands)) => Some(Self::Any(all(operands)?)),
            Expression::Call(Operator::Not, Arguments::List(arguments)) => match &**arguments {
                [condition] => Some(Self::Not(Box::new(Self::of(condition, key)?))),
                _ => None,
            },
            Expression::Call(Operator::Truth, Arguments::List(arguments)) => match &**arguments {
                [condition] => Self::of(condition, key),
                _ => None,
            },
            Expression::Call(operator, Arguments::List(arguments)) => {
                let [one, other] = &**arguments else { return None };
                match (operator, Operand::of(one, key)?, other) {
                    (Operator::StartsWith, text, Expression::Literal(Value::String(start))) => {
                        Some(Self::StartsWith(text, start.as_str().into()))
                    }
                    (Operator::EndsWith, text, Expression::Literal(Value::String(end))) => {
                        Some(Self::EndsWith(text, end.as_str().into()))
                    }
                    (Operator::In, wanted, Expression::Literal(Value::List(place))) => {
                        let texts = place.iter().map(|value| value.as_str().map(Into::into));
                        Some(Self::Among(wanted, texts.collect::<Option<_>>()?))
                    }
                    (Operator::In, wanted, Expression::Shared(place)) => {
                        Some(Self::Among(wanted, place.texts()?))
                    }
                    (operator, one, other) if is_comparison(*operator) => {
                        Some(Self::Compare(*operator, one, Operand::of(other, key)?))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    #[inline]
    fn holds(&self, context: &impl Attributes) -> Result<bool, NotSimple> {
        Ok(match self {
            Self::Constant(truth) => *truth,
            Self::Shared(node) => node.condition().ok_or(NotSimple)?.holds(context)?,
            Self::Is(operand) => match operand.peek(context)? {
                Peek::Null => false,
                Peek::Bool(truth) => truth,
                Peek::Number(number) => number != 0.0,
                Peek::Text(text) => !text.is_empty(),
                Peek::Many => return Err(NotSimple),
            },
            Self::Compare(operator, one, other) => {
                compare::holds(*operator, one.peek(context)?, other.peek(context)?)
            }
            Self::Among(wanted, place) => match wanted.peek(context)? {
                Peek::Text(wanted) => place.iter().any(|text| **text == *wanted),
                #[expect(clippy::float_cmp, reason = "equality is what the rule asks for")]
                Peek::Number(wanted) => {
                    place.iter().any(|text| convert::parse(text).unwrap_or(0.0) == wanted)
                }
                Peek::Null | Peek::Bool(_) | Peek::Many => false,
            },
            Self::StartsWith(text, start) => {
                matches!(text.peek(context)?, Peek::Text(text) if text.as_bytes().starts_with(start.as_bytes()))
            }
            Self::EndsWith(text, end) => {
                matches!(text.peek(context)?, Peek::Text(text) if text.as_bytes().ends_with(end.as_bytes()))
            }
            Self::Not(condition) => !condition.holds(context)?,
            Self::All(conditions) => {
                for condition in conditions {
                    if !condition.holds(context)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Any(conditions) => {
                for condition in conditions {
                    if condition.holds(context)? {
                        return Ok(true);
                    }
                }
                false
            }
        })
    }

    pub(super) fn add_names<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        match self {
            Self::Constant(_) => {}
            Self::Shared(node) => names.extend(node.names().iter().map(|name| &**name)),
            Self::Is(one) | Self::Among(one, _) | Self::StartsWith(one, _) | Self::EndsWith(one, _) => {
                one.add_name(names);
            }
            Self::Compare(_, one, other) => {
                one.add_name(names);
                other.add_name(names);
            }
            Self::Not(condition) => condition.add_names(names),
            Self::All(conditions) | Self::Any(conditions) => {
                conditions.iter().for_each(|condition| condition.add_names(names));
            }
        }
    }
}

impl Operand {
    fn add_name<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        if let Self::Attribute(name, _) = self {
            names.insert(name);
        }
    }

    fn of(expression: &Expression, key: &str) -> Option<Self> {
        match expression {
            Expression::Literal(
                value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)),
            ) => Some(Self::Literal(value.clone())),
            Expression::Variable(Variable::Path { path, .. }) => match path {
                Path::FlagKey => Some(Self::Literal(Value::from(key))),
                Path::Parts(first, rest) if !first.starts_with('$') => {
                    Some(Self::Attribute(first.clone(), rest.clone()))
                }
                Path::Parts(..) | Path::Whole | Path::Timestamp => None,
            },
            _ => None,
        }
    }

    #[inline]
    fn peek<'v>(&'v self, context: &'v impl Attributes) -> Result<Peek<'v>, NotSimple> {
        match self {
            Self::Literal(value) => Ok(Peek::of(value)),
            Self::Attribute(first, rest) => context.peek(first, rest),
        }
    }
}

impl Split {
    fn of(fractional: &Fractional, key: &str) -> Option<Self> {
        let bucket = match fractional.simple_bucket()? {
            None => Bucket::TargetingKey,
            Some(Expression::Call(Operator::Concatenate, Arguments::List(parts))) if parts.len() > 1 => {
                Bucket::Texts(parts.iter().map(|part| Operand::of(part, key)).collect::<Option<_>>()?)
            }
            Some(bucket) => Bucket::Texts(Box::new([Operand::of(bucket, key)?])),
        };
        Some(Self { bucket, fractional: fractional.without_arguments()? })
    }

    #[inline]
    fn run(&self, context: &impl Attributes) -> Result<Outcome<'_>, NotSimple> {
        let hash = match &self.bucket {
            Bucket::TargetingKey => context.targeting_key()?.and_then(|key| self.fractional.hash_of_key(key)),
            Bucket::Texts(parts) => Some(self.hash_of_texts(parts, context)?),
        };
        Ok(self.fractional.choose(hash))
    }

    fn hash_of_texts(&self, parts: &[Operand], context: &impl Attributes) -> Result<u32, NotSimple> {
        let mut texts = [""; MOST_PARTS];
        if parts.len() > MOST_PARTS {
            return Err(NotSimple);
        }
        for (part, text) in parts.iter().zip(&mut texts) {
            match part.peek(context)? {
                // The white space around what is joined would have to go.
                Peek::Text(part) if parts.len() == 1 || is_tight(part) => *text = part,
                _ => return Err(NotSimple),
            }
        }
        Ok(self.fractional.hash_of_texts(texts.get(..parts.len()).unwrap_or_default()))
    }
}

const fn is_comparison(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Equal
            | Operator::NotEqual
            | Operator::Same
            | Operator::NotSame
            | Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual
    )
}

/// Whether JSON writes it without an escape.
pub(super) fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\')
}

/// Whether it begins and ends with plain characters, so that no white space can be around it.
fn is_tight(text: &str) -> bool {
    let is_graphic = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    is_graphic(text.as_bytes().first()) && is_graphic(text.as_bytes().last())
}

const MOST_PARTS: usize = 4;
