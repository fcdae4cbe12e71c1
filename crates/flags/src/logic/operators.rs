//! The operators that get the values of their arguments.

use std::{borrow::Cow, collections::HashSet};

use super::{
    LogicError,
    compare::{Peek, holds},
    convert,
    expression::{Arguments, Path},
    frame::Frame,
    given::Given,
    semantic_version,
};

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Same,
    NotSame,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Not,
    Truth,
    In,
    Concatenate,
    Substring,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Minimum,
    Maximum,
    Absolute,
    Merge,
    Missing,
    MissingSome,
    Set,
    ContainsAll,
    ContainsAny,
    ContainsNone,
    StartsWith,
    EndsWith,
    SemanticVersion,
}

impl Operator {
    /// The operator of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        NAMES.iter().find(|(other, _)| *other == name).map(|&(_, operator)| operator)
    }

    fn name(self) -> &'static str {
        NAMES.iter().find(|&&(_, other)| other == self).map_or("operator", |&(name, _)| name)
    }

    const fn fault<T>(self, problem: &'static str) -> Result<T, Fault> {
        Err(Fault { operator: self, problem })
    }
}

/// Works an operator out.
#[inline]
pub(super) fn call<'a>(
    operator: Operator,
    arguments: &'a Arguments,
    frame: &Frame<'_, 'a>,
) -> Result<Given<'a>, LogicError> {
    // Up to three operands, as nearly everything has them, need no memory.
    if let Arguments::List(list) = arguments {
        match &**list {
            [one] => return with(operator, &[one.run(frame)?], frame),
            [one, two] => return with(operator, &[one.run(frame)?, two.run(frame)?], frame),
            [one, two, three] => {
                return with(operator, &[one.run(frame)?, two.run(frame)?, three.run(frame)?], frame);
            }
            _ => {}
        }
    }
    match arguments {
        Arguments::List(list) => {
            let values = list.iter().map(|argument| argument.run(frame)).collect::<Result<Vec<_>, _>>()?;
            with(operator, &values, frame)
        }
        Arguments::One(argument) => match argument.run(frame)?.into_list() {
            Ok(values) => with(operator, &values, frame),
            Err(value) => Ok(of_one(operator, &value, frame)?),
        },
    }
}

fn with<'a>(
    operator: Operator,
    values: &[Given<'a>],
    frame: &Frame<'_, 'a>,
) -> Result<Given<'a>, LogicError> {
    frame.spend(values.iter().map(Given::len).sum())?;
    of_list(operator, values, frame)
}

/// The variable that a value names.
pub(super) fn variable<'a>(name: Given<'a>, frame: &Frame<'_, 'a>) -> Result<Given<'a>, LogicError> {
    const NAME: LogicError =
        LogicError::Argument { operator: "var", problem: "needs a name: a text or a number" };
    match name {
        Given::Null => Ok(frame.primitive()),
        Given::Text(path) => Ok(frame.path(&Path::new(&path))),
        Given::Number(number) => Ok(frame.path(&Path::new(&number.as_f64().to_string()))),
        Given::Float(number) => Ok(frame.path(&Path::new(&number.to_string()))),
        list @ (Given::List(_) | Given::Made(_)) => {
            let mut elements = list.into_list().unwrap_or_default();
            let default = if elements.len() == 2 { elements.pop() } else { None };
            match elements.into_iter().next() {
                None => Ok(frame.whole()),
                Some(Given::Text(path)) => {
                    let found = frame.path(&Path::new(&path));
                    Ok(if found.is_null() { default.unwrap_or(Given::Null) } else { found })
                }
                Some(_) => Err(NAME),
            }
        }
        Given::Bool(_) | Given::Object(_) => Err(NAME),
    }
}

/// Whether the variable that a value names is there.
fn has<'a>(operator: Operator, name: &Given<'a>, frame: &Frame<'_, 'a>) -> Result<bool, LogicError> {
    const NAMES: &str = "needs names: texts or numbers";
    frame.spend(1 + name.len())?;
    match name {
        Given::Null => Ok(!frame.primitive().is_null()),
        Given::Text(path) => frame.has(&Path::new(path)),
        Given::Number(number) => frame.has(&Path::new(&number.as_f64().to_string())),
        Given::Float(number) => frame.has(&Path::new(&number.to_string())),
        Given::List(_) | Given::Made(_) => {
            let elements = name.clone().into_list().unwrap_or_default();
            let default = elements.len() == 2 && elements.last().is_some_and(|default| !default.is_null());
            match elements.first() {
                None => frame.has(&Path::Whole),
                Some(Given::Text(path)) => Ok(frame.has(&Path::new(path))? || default),
                Some(_) => Ok(operator.fault(NAMES)?),
            }
        }
        Given::Bool(_) | Given::Object(_) => Ok(operator.fault(NAMES)?),
    }
}

fn of_list<'a>(
    operator: Operator,
    values: &[Given<'a>],
    frame: &Frame<'_, 'a>,
) -> Result<Given<'a>, LogicError> {
    Ok(match (operator, values) {
        (Operator::Less | Operator::LessOrEqual, [a, b, c]) => {
            Given::Bool(holds(operator, a.peek(), b.peek()) && holds(operator, b.peek(), c.peek()))
        }
        (Operator::Greater | Operator::GreaterOrEqual, [a, b, c]) => {
            Given::Bool(holds(operator, b.peek(), c.peek()) && holds(operator, a.peek(), b.peek()))
        }
        (
            Operator::Equal
            | Operator::NotEqual
            | Operator::Same
            | Operator::NotSame
            | Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual,
            [one, other, ..],
        ) => Given::Bool(holds(operator, one.peek(), other.peek())),
        (Operator::NotEqual | Operator::NotSame, _) => Given::Bool(true),
        (
            Operator::Equal
            | Operator::Same
            | Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual,
            _,
        ) => Given::Bool(false),
        (Operator::Not, values) => Given::Bool(!values.first().is_some_and(Given::is_true)),
        (Operator::Truth, values) => Given::Bool(values.first().is_some_and(Given::is_true)),
        (Operator::In, [wanted]) => is_in(wanted, &Given::Null, frame)?,
        (Operator::In, [wanted, place, ..]) => is_in(wanted, place, frame)?,
        (Operator::In, []) => operator.fault("needs what is looked for and where")?,
        (Operator::Concatenate, values) => concatenate(values)?,
        (Operator::Substring, values) => substring(values)?,
        (Operator::Add, values) => total(operator, values, 0.0, |sum, number| sum + number)?,
        (Operator::Multiply, values) => total(operator, values, 1.0, |product, number| product * number)?,
        (Operator::Subtract | Operator::Divide, []) => Given::Float(0.0),
        (Operator::Subtract, [one]) => Given::Float(-number(operator, one)?),
        (Operator::Subtract, [first, rest @ ..]) => {
            total(operator, rest, number(operator, first)?, |left, number| left - number)?
        }
        (Operator::Divide, [first, rest @ ..]) => {
            total(operator, rest, number(operator, first)?, |left, number| left / number)?
        }
        (Operator::Remainder, [one, other, ..]) => {
            Given::Float(number(operator, one)? % number(operator, other)?)
        }
        (Operator::Remainder, _) => operator.fault("needs two numbers")?,
        (Operator::Minimum | Operator::Maximum, []) => Given::Null,
        (Operator::Minimum, [first, rest @ ..]) => total(
            operator,
            rest,
            number(operator, first)?,
            |least, number| {
                if least > number { number } else { least }
            },
        )?,
        (Operator::Maximum, [first, rest @ ..]) => total(
            operator,
            rest,
            number(operator, first)?,
            |most, number| {
                if number > most { number } else { most }
            },
        )?,
        (Operator::Absolute, []) => operator.fault("needs a number")?,
        (Operator::Absolute, [one, ..]) => Given::Float(number(operator, one)?.abs()),
        (Operator::Merge, values) => Given::Made(merge(values)),
        (Operator::Missing, names) => Given::Made(missing(operator, names, frame)?),
        (Operator::MissingSome, [least, names, ..]) => missing_some(least, names, frame)?,
        (Operator::MissingSome, _) => operator.fault("needs a number and a list of names")?,
        (Operator::Set, values) => set(values)?,
        (Operator::ContainsAll | Operator::ContainsAny | Operator::ContainsNone, [list, wanted]) => {
            Given::Bool(contains(operator, list, wanted, frame)?)
        }
        (Operator::ContainsAll | Operator::ContainsAny, _) => Given::Bool(false),
        (Operator::ContainsNone, _) => Given::Bool(true),
        (Operator::StartsWith, [Given::Text(text), Given::Text(start)]) => {
            Given::Bool(text.as_bytes().starts_with(start.as_bytes()))
        }
        (Operator::EndsWith, [Given::Text(text), Given::Text(end)]) => {
            Given::Bool(text.as_bytes().ends_with(end.as_bytes()))
        }
        (Operator::SemanticVersion, [version, comparison, other]) => {
            semantic_version::compare(version, comparison, other).map_or(Given::Null, Given::Bool)
        }
        // What flagd adds answers null where it cannot answer, so that the default variant is taken.
        (Operator::StartsWith | Operator::EndsWith | Operator::SemanticVersion, _) => Given::Null,
    })
}

/// An operator whose arguments are no list.
fn of_one<'a>(operator: Operator, value: &Given<'a>, frame: &Frame<'_, 'a>) -> Result<Given<'a>, LogicError> {
    Ok(match operator {
        Operator::Not => Given::Bool(!value.is_true()),
        Operator::Truth => Given::Bool(value.is_true()),
        Operator::Same => Given::Bool(false),
        Operator::NotSame => Given::Bool(true),
        Operator::Add => Given::Float(number(operator, value)?),
        Operator::Absolute => Given::Float(number(operator, value)?.abs()),
        Operator::Concatenate if value.as_text().is_some() => value.clone(),
        Operator::Merge if value.is_primitive() => Given::Made(vec![value.clone()]),
        Operator::Missing if value.as_text().is_some() => {
            Given::Made(missing(operator, std::slice::from_ref(value), frame)?)
        }
        Operator::ContainsAll | Operator::ContainsAny => Given::Bool(false),
        Operator::ContainsNone => Given::Bool(true),
        Operator::StartsWith | Operator::EndsWith | Operator::SemanticVersion => Given::Null,
        Operator::Equal
        | Operator::NotEqual
        | Operator::Less
        | Operator::LessOrEqual
        | Operator::Greater
        | Operator::GreaterOrEqual
        | Operator::In
        | Operator::Concatenate
        | Operator::Substring
        | Operator::Subtract
        | Operator::Multiply
        | Operator::Divide
        | Operator::Remainder
        | Operator::Minimum
        | Operator::Maximum
        | Operator::Merge
        | Operator::Missing
        | Operator::MissingSome
        | Operator::Set => operator.fault("needs a list of operands")?,
    })
}

fn is_in<'a>(wanted: &Given<'a>, place: &Given<'a>, frame: &Frame<'_, 'a>) -> Result<Given<'a>, LogicError> {
    match place {
        Given::Text(text) => match wanted.as_text() {
            Some(part) => Ok(Given::Bool(text.contains(part))),
            None => Ok(Operator::In.fault("looks for texts in a text")?),
        },
        Given::List(values) => among(wanted, values.iter().map(Given::from), frame),
        Given::Made(values) => {
            frame.spend(place.made())?;
            among(wanted, values.iter().cloned(), frame)
        }
        Given::Null | Given::Bool(_) | Given::Number(_) | Given::Float(_) | Given::Object(_) => {
            Ok(Given::Bool(false))
        }
    }
}

/// A list among the elements is a range with its ends.
#[inline]
fn among<'a>(
    wanted: &Given<'a>,
    elements: impl Iterator<Item = Given<'a>>,
    frame: &Frame<'_, 'a>,
) -> Result<Given<'a>, LogicError> {
    for element in elements {
        if let Given::Text(element) = &element {
            frame.spend(element.len() / COMPARED)?;
        }
        let found = match (wanted, &element) {
            (_, Given::List(_) | Given::Made(_)) => {
                let range = element.into_list().unwrap_or_default();
                let [from, to, ..] = range.as_slice() else {
                    return Ok(Operator::In.fault("needs ranges of two numbers")?);
                };
                let wanted = number(Operator::In, wanted)?;
                wanted >= number(Operator::In, from)? && number(Operator::In, to)? >= wanted
            }
            (Given::Number(_) | Given::Float(_), element) => {
                number(Operator::In, element)? == number(Operator::In, wanted)?
            }
            (Given::Text(wanted), Given::Text(element)) => wanted == element,
            (Given::Bool(wanted), Given::Bool(element)) => wanted == element,
            (Given::Null, Given::Null) => true,
            (Given::Object(_), Given::Object(_)) => Operator::In.fault("cannot compare objects")?,
            _ => false,
        };
        if found {
            return Ok(Given::Bool(true));
        }
    }
    Ok(Given::Bool(false))
}

fn concatenate<'a>(values: &[Given<'a>]) -> Result<Given<'a>, Fault> {
    const PARTS: &str = "joins texts and numbers, not truths, lists or objects";
    let mut joined = String::new();
    for value in values {
        let Some(text) = convert::text(value) else { return Operator::Concatenate.fault(PARTS) };
        joined.push_str(&text);
    }
    // One text stays as it is; what is joined loses the white space around it.
    let joined = if values.len() > 1 && joined.trim().len() < joined.len() {
        joined.trim().to_owned()
    } else {
        joined
    };
    Ok(Given::Text(Cow::Owned(joined)))
}

/// Characters, not bytes; a negative beginning counts from the end, a negative length leaves that many off the end.
fn substring<'a>(values: &[Given<'a>]) -> Result<Given<'a>, Fault> {
    let (text, from, length) = match values {
        [text, from, length] => (text, from, Some(length)),
        [text, from, ..] => (text, from, None),
        _ => return Operator::Substring.fault("needs a text and where to begin"),
    };
    let Some(text) = convert::text(text) else { return Operator::Substring.fault("needs a text") };
    let count = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let mut from = convert::whole(number(Operator::Substring, from)?);
    if from < 0 {
        from = from.saturating_add(count);
    }
    if from < 0 || from > count {
        return Ok(Given::Text(Cow::Owned(text.into_owned())));
    }
    let length =
        length.map(|length| number(Operator::Substring, length)).transpose()?.map_or(count, convert::whole);
    let to = if length < 0 { count.saturating_add(length) } else { from.saturating_add(length).min(count) };
    let (Ok(skip), Ok(take)) = (usize::try_from(from), usize::try_from(to - from)) else {
        return Operator::Substring.fault("ends before it begins");
    };
    Ok(Given::Text(Cow::Owned(text.chars().skip(skip).take(take).collect())))
}

fn total<'a>(
    operator: Operator,
    values: &[Given<'a>],
    start: f64,
    add: impl Fn(f64, f64) -> f64,
) -> Result<Given<'a>, Fault> {
    let mut total = start;
    for value in values {
        total = add(total, number(operator, value)?);
    }
    Ok(Given::Float(total))
}

fn number(operator: Operator, value: &Given<'_>) -> Result<f64, Fault> {
    convert::calculable(value).map_or_else(|| operator.fault("needs numbers, or texts of numbers"), Ok)
}

fn merge<'a>(values: &[Given<'a>]) -> Vec<Given<'a>> {
    let mut merged = Vec::with_capacity(values.len());
    for value in values {
        match value.clone().into_list() {
            Ok(elements) => merged.extend(elements),
            Err(value) => merged.push(value),
        }
    }
    merged
}

fn missing<'a>(
    operator: Operator,
    names: &[Given<'a>],
    frame: &Frame<'_, 'a>,
) -> Result<Vec<Given<'a>>, LogicError> {
    let mut missing = Vec::new();
    for name in names {
        if !has(operator, name, frame)? {
            missing.push(name.clone());
        }
    }
    Ok(missing)
}

fn missing_some<'a>(
    least: &Given<'a>,
    names: &Given<'a>,
    frame: &Frame<'_, 'a>,
) -> Result<Given<'a>, LogicError> {
    let least = convert::whole(number(Operator::MissingSome, least)?);
    let Ok(names) = names.clone().into_list() else {
        return Ok(Operator::MissingSome.fault("needs a list of names")?);
    };
    let missing = missing(Operator::MissingSome, &names, frame)?;
    let found = i64::try_from(names.len() - missing.len()).unwrap_or(i64::MAX);
    Ok(Given::Made(if least > found { missing } else { Vec::new() }))
}

/// A copy of an object with one value set.
fn set<'a>(values: &[Given<'a>]) -> Result<Given<'a>, LogicError> {
    let [object, name, value, ..] = values else {
        return Ok(values.first().cloned().unwrap_or(Given::Null));
    };
    let Given::Object(map) = object else { return Ok(object.clone()) };
    let Some(name) = name.as_text() else { return Ok(Operator::Set.fault("needs a text for the name")?) };
    // The reference works the value out once more.
    if let Some(name) = value.rule() {
        return Err(LogicError::RuleInContext { name: name.to_owned() });
    }
    let mut map = map.clone().into_owned();
    map.insert(name, value.clone().into_value()?);
    Ok(Given::Object(Cow::Owned(map)))
}

/// What one of the `contains_` operators says of two lists.
fn contains<'a>(
    operator: Operator,
    list: &Given<'a>,
    wanted: &Given<'a>,
    frame: &Frame<'_, 'a>,
) -> Result<bool, LogicError> {
    frame.spend(list.made() + wanted.made())?;
    let (Ok(list), Ok(wanted)) = (list.clone().into_list(), wanted.clone().into_list()) else {
        return Ok(operator == Operator::ContainsNone);
    };
    let looked_at = list.iter().chain(&wanted).map(|element| 1 + element.len()).sum();
    frame.spend(looked_at)?;
    let plain: HashSet<_> = list.iter().filter_map(Plain::of).collect();
    let (has_list, has_object) = (list.iter().any(Given::is_list), list.iter().any(Given::is_object));
    for wanted in &wanted {
        let found = match wanted {
            Given::List(_) | Given::Made(_) if has_list => {
                return Ok(operator.fault("cannot compare lists")?);
            }
            Given::Object(_) if has_object => {
                return Ok(operator.fault("cannot compare objects")?);
            }
            wanted => Plain::of(wanted).is_some_and(|wanted| plain.contains(&wanted)),
        };
        if found != (operator == Operator::ContainsAll) {
            return Ok(operator == Operator::ContainsAny);
        }
    }
    Ok(operator != Operator::ContainsAny)
}

/// A value that equals others of its kind; a number by its bits.
#[derive(PartialEq, Eq, Hash)]
enum Plain<'v> {
    Null,
    Bool(bool),
    Number(u64),
    Text(&'v str),
}

impl<'v> Plain<'v> {
    fn of(value: &'v Given<'_>) -> Option<Self> {
        Some(match value.peek() {
            Peek::Null => Self::Null,
            Peek::Bool(truth) => Self::Bool(truth),
            Peek::Number(number) if number.is_nan() => return None,
            // There is one zero.
            Peek::Number(number) => Self::Number((number + 0.0).to_bits()),
            Peek::Text(text) => Self::Text(text),
            Peek::Many => return None,
        })
    }
}

/// How many bytes of texts are compared in the time of a step.
const COMPARED: usize = 64;

/// A [`LogicError::Argument`] on its way.
struct Fault {
    operator: Operator,
    problem: &'static str,
}

impl From<Fault> for LogicError {
    fn from(Fault { operator, problem }: Fault) -> Self {
        Self::Argument { operator: operator.name(), problem }
    }
}

const NAMES: [(&str, Operator); 31] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("===", Operator::Same),
    ("!==", Operator::NotSame),
    ("<", Operator::Less),
    ("<=", Operator::LessOrEqual),
    (">", Operator::Greater),
    (">=", Operator::GreaterOrEqual),
    ("!", Operator::Not),
    ("!!", Operator::Truth),
    ("in", Operator::In),
    ("cat", Operator::Concatenate),
    ("substr", Operator::Substring),
    ("+", Operator::Add),
    ("-", Operator::Subtract),
    ("*", Operator::Multiply),
    ("/", Operator::Divide),
    ("%", Operator::Remainder),
    ("min", Operator::Minimum),
    ("max", Operator::Maximum),
    ("abs", Operator::Absolute),
    ("merge", Operator::Merge),
    ("missing", Operator::Missing),
    ("missing_some", Operator::MissingSome),
    ("set", Operator::Set),
    ("contains_all", Operator::ContainsAll),
    ("contains_any", Operator::ContainsAny),
    ("contains_none", Operator::ContainsNone),
    ("starts_with", Operator::StartsWith),
    ("ends_with", Operator::EndsWith),
    ("sem_ver", Operator::SemanticVersion),
];
