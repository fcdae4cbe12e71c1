//! What a rule sees while it runs.

use std::{borrow::Cow, cell::Cell};

use super::{
    LogicError, Mark,
    expression::{Path, Variable},
    given::Given,
};
use crate::{
    Context,
    context::TARGETING_KEY,
    value::{Map, Value},
};

/// Where a part of a rule looks for its variables.
#[derive(Debug)]
pub(super) struct Frame<'f, 'a> {
    item: Item<'a>,
    /// Whether the values of the item were put into the rule, so that they come first in what is nested in it, too.
    put_in: bool,
    /// The data whose values were put into the rule before the item was looked at.
    around: Option<Around<'f, 'a>>,
    split: Shared<'f>,
    budget: &'f Budget,
}

/// What a run may still do.
#[derive(Debug)]
pub(super) struct Budget(Cell<usize>);

impl Budget {
    pub(super) const fn new() -> Self {
        Self(Cell::new(MOST_STEPS))
    }

    /// # Errors
    ///
    /// There is less left.
    #[inline]
    pub(super) fn spend(&self, steps: usize) -> Result<(), LogicError> {
        let left = self.0.get().checked_sub(steps);
        self.0.set(left.unwrap_or_default());
        left.map(|_| ()).ok_or(LogicError::TooLong { limit: MOST_STEPS })
    }
}

/// The data of one level.
#[derive(Clone, Debug)]
pub(super) enum Item<'a> {
    /// The top of a flag's rule.
    Context { context: &'a Context, key: &'a str, seconds: i64 },
    /// The top of a bare rule, or the element of a list.
    Value(Given<'a>),
    /// A round of `reduce`.
    Round { current: Given<'a>, accumulator: Given<'a>, kind: &'static str },
}

/// What a rule that is run for each element of a list sees.
///
/// Some operators put the values of variables into the rule before they run it, and what was put in counts for
/// everything that is nested in it. A variable that has no value yet stays a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// The element only (`map`, `reduce`).
    Element,
    /// The element only, whose values are put in (`all`).
    ElementPutIn,
    /// The values of the data around are put in, then the element is looked at (`filter`, `none`).
    AroundPutIn,
    /// The values of the data around are put in, then those of the element (`some`).
    BothPutIn,
}

#[derive(Clone, Copy, Debug)]
struct Around<'f, 'a> {
    item: &'f Item<'a>,
    before: Option<&'f Around<'f, 'a>>,
    budget: &'f Budget,
}

#[derive(Debug)]
enum Shared<'f> {
    Own(Mark),
    Of(&'f Mark),
}

impl<'f, 'a> Frame<'f, 'a> {
    /// The top.
    pub(super) const fn new(item: Item<'a>, budget: &'f Budget) -> Self {
        Self { item, put_in: false, around: None, split: Shared::Own(Mark::new(false)), budget }
    }

    /// For an element of a list, of which a rule sees as much as `sight` says.
    pub(super) fn element<'g>(&'g self, item: Item<'a>, sight: Sight) -> Frame<'g, 'a>
    where
        'f: 'g,
    {
        let around = match sight {
            Sight::Element | Sight::ElementPutIn if !self.put_in => self.around,
            _ => Some(Around { item: &self.item, before: self.around.as_ref(), budget: self.budget }),
        };
        let put_in = matches!(sight, Sight::ElementPutIn | Sight::BothPutIn);
        Frame { item, put_in, around, split: Shared::Of(self.mark()), budget: self.budget }
    }

    /// The value of a variable.
    ///
    /// # Errors
    ///
    /// What was put into the rule would be a rule itself.
    #[inline]
    pub(super) fn variable(&self, variable: &'a Variable) -> Result<Given<'a>, LogicError> {
        if self.put_in || self.around.is_some() {
            let found = self.put_in(variable)?;
            if !found.is_null() || self.put_in && variable.looks_around() {
                return Ok(found);
            }
        }
        self.find(variable)
    }

    /// What stands in the rule in the place of a variable; nothing where the variable still does.
    ///
    /// # Errors
    ///
    /// It would be a rule.
    pub(super) fn put_in(&self, variable: &'a Variable) -> Result<Given<'a>, LogicError> {
        let found = self.put_in_as_it_is(variable)?;
        self.spend(found.len())?;
        match found.rule() {
            Some(name) => Err(LogicError::RuleInContext { name: name.to_owned() }),
            None => Ok(found),
        }
    }

    /// The same where it is not worked out once more.
    pub(super) fn put_in_as_it_is(&self, variable: &'a Variable) -> Result<Given<'a>, LogicError> {
        if !variable.looks_around() {
            return Ok(Given::Null);
        }
        let found = match &self.around {
            Some(around) => around.find(variable, self.mark())?,
            None => Given::Null,
        };
        if found.is_null() && self.put_in { self.find(variable) } else { Ok(found) }
    }

    /// What the item has.
    #[inline]
    fn find(&self, variable: &'a Variable) -> Result<Given<'a>, LogicError> {
        self.spend(self.item.made())?;
        if self.around.is_none() && !self.put_in {
            return self.item.find(variable, self);
        }
        match variable {
            // Nothing is put into the name and the default of a variable.
            Variable::Made(_) | Variable::Defaulted { .. } => {
                self.spend(self.item.made())?;
                let split = Shared::Of(self.mark());
                let item = self.item.clone();
                let alone = Frame { item, put_in: false, around: None, split, budget: self.budget };
                self.item.find(variable, &alone)
            }
            Variable::Path { .. } | Variable::Whole | Variable::Primitive => self.item.find(variable, self),
        }
    }

    /// Takes steps off what the run may still do.
    ///
    /// # Errors
    ///
    /// There are not so many left.
    #[inline]
    pub(super) fn spend(&self, steps: usize) -> Result<(), LogicError> {
        self.budget.spend(steps)
    }

    /// The value at a path that was made while the rule ran.
    pub(super) fn path(&self, path: &Path) -> Given<'a> {
        self.item.at(path)
    }

    /// Everything.
    pub(super) fn whole(&self) -> Given<'a> {
        self.item.whole()
    }

    /// Everything, if it is no list and no object.
    pub(super) fn primitive(&self) -> Given<'a> {
        self.item.primitive()
    }

    /// Whether there is anything at a path that was made while the rule ran.
    pub(super) fn has(&self, path: &Path) -> Result<bool, LogicError> {
        if matches!(path, Path::Whole) {
            return Ok(!matches!(self.item, Item::Value(Given::Null)));
        }
        self.spend(1 + self.item.made())?;
        Ok(!self.item.at(path).is_null())
    }

    /// Whether the data is an object.
    pub(super) const fn is_object(&self) -> bool {
        !matches!(&self.item, Item::Value(value) if !value.is_object())
    }

    /// Whether a split was asked.
    pub(super) fn was_split(&self) -> bool {
        self.mark().get()
    }

    /// Notes that a split was asked.
    pub(super) fn mark_split(&self) {
        self.mark().set(true);
    }

    /// Who is placed by a `fractional` without a bucketing value: flag key and targeting key. The flag key is left out
    /// where it is the compiled rule's own. Nothing where the data is no object.
    pub(super) fn subject(&self) -> Option<(Option<Given<'a>>, Given<'a>)> {
        match &self.item {
            Item::Context { context, .. } => {
                Some((None, context.get(TARGETING_KEY).map_or(Given::Null, Given::from)))
            }
            Item::Value(Given::Object(map)) => {
                let data = Given::Object(map.clone());
                let key = data.clone().part(FLAGD).part(FLAG_KEY);
                let key = if key.as_text().is_some() { key } else { Given::text("") };
                Some((Some(key), data.part(TARGETING_KEY)))
            }
            Item::Value(_) => None,
            Item::Round { .. } => Some((Some(Given::text("")), Given::Null)),
        }
    }

    fn mark(&self) -> &Mark {
        match &self.split {
            Shared::Own(mark) => mark,
            Shared::Of(mark) => mark,
        }
    }
}

impl<'a> Around<'_, 'a> {
    /// The outermost comes first.
    fn find(&self, variable: &'a Variable, mark: &Mark) -> Result<Given<'a>, LogicError> {
        if let Some(before) = self.before {
            let found = before.find(variable, mark)?;
            if !found.is_null() {
                return Ok(found);
            }
        }
        self.budget.spend(1 + self.item.made())?;
        let (item, split) = (self.item.clone(), Shared::Of(mark));
        let frame = Frame { item, put_in: false, around: None, split, budget: self.budget };
        self.item.find(variable, &frame)
    }
}

impl<'a> Item<'a> {
    /// What a copy of it takes, in steps.
    #[inline]
    fn made(&self) -> usize {
        match self {
            Self::Context { .. } => 0,
            Self::Value(value) => value.made(),
            Self::Round { current, accumulator, .. } => current.made() + accumulator.made(),
        }
    }

    #[inline]
    fn find(&self, variable: &'a Variable, frame: &Frame<'_, 'a>) -> Result<Given<'a>, LogicError> {
        match variable {
            Variable::Path { path, .. } => Ok(self.at(path)),
            Variable::Defaulted { path, default } => {
                let default = default.run(frame)?;
                let found = self.at(path);
                Ok(if found.is_null() { default } else { found })
            }
            Variable::Whole => Ok(self.whole()),
            Variable::Primitive => Ok(self.primitive()),
            Variable::Made(argument) => {
                let argument = argument.run(frame)?;
                super::operators::variable(argument, frame)
            }
        }
    }

    #[inline]
    fn at(&self, path: &Path) -> Given<'a> {
        match self {
            Self::Context { context, key, seconds } => match path {
                Path::Whole => self.whole(),
                Path::FlagKey => Given::text(key),
                Path::Timestamp => Given::Number((*seconds).into()),
                Path::Parts(first, rest) => match first.as_ref() {
                    FLAGD => walk(flagd(key, *seconds), rest),
                    name => match context.get(name) {
                        Some(value) => walk(Given::from(value), rest),
                        None => Given::Null,
                    },
                },
            },
            Self::Value(value) => match path {
                Path::Whole => value.clone(),
                Path::FlagKey => value.clone().part(FLAGD).part(FLAG_KEY),
                Path::Timestamp => value.clone().part(FLAGD).part(TIMESTAMP),
                Path::Parts(first, rest) => walk(value.clone().part(first), rest),
            },
            Self::Round { current, accumulator, kind } => match path {
                Path::Whole => self.whole(),
                Path::FlagKey | Path::Timestamp => Given::Null,
                Path::Parts(first, rest) => match first.as_ref() {
                    "current" => walk(current.clone(), rest),
                    "accumulator" => walk(accumulator.clone(), rest),
                    "valueType" => walk(Given::text(kind), rest),
                    _ => Given::Null,
                },
            },
        }
    }

    fn primitive(&self) -> Given<'a> {
        match self {
            Self::Value(value) if value.is_primitive() => value.clone(),
            Self::Context { .. } | Self::Value(_) | Self::Round { .. } => Given::Null,
        }
    }

    fn whole(&self) -> Given<'a> {
        match self {
            Self::Context { context, key, seconds } => {
                let mut map = context.attributes().clone();
                if let Ok(flagd) = flagd(key, *seconds).into_value() {
                    map.insert(FLAGD, flagd);
                }
                Given::Object(Cow::Owned(map))
            }
            Self::Value(value) => value.clone(),
            Self::Round { current, accumulator, kind } => {
                let fields = [("current", current.clone()), ("accumulator", accumulator.clone())];
                let mut map: Map = fields
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value.into_value().ok()?)))
                    .collect();
                map.insert("valueType", *kind);
                Given::Object(Cow::Owned(map))
            }
        }
    }
}

fn walk<'a>(mut value: Given<'a>, parts: &[Box<str>]) -> Given<'a> {
    for part in parts {
        if value.is_null() {
            break;
        }
        value = value.part(part);
    }
    value
}

fn flagd<'a>(key: &str, timestamp: i64) -> Given<'a> {
    let map: Map = [(FLAG_KEY, Value::from(key)), (TIMESTAMP, Value::from(timestamp))].into_iter().collect();
    Given::Object(Cow::Owned(map))
}

pub(super) const FLAGD: &str = "$flagd";
pub(super) const FLAG_KEY: &str = "flagKey";
pub(super) const TIMESTAMP: &str = "timestamp";
/// How much a run may do: nodes that are worked out, elements that are looked at, and what is made, eight bytes of a
/// text to the step.
const MOST_STEPS: usize = 1_000_000;
