//! `fractional`: a subject's place among weighted entries.

use std::borrow::Cow;

use serinus_core::cohort::murmur3::Hasher;

use super::{
    Generation, LogicError, Outcome, cbor,
    expression::{Arguments, Expression},
    frame::Frame,
    given::Given,
    operators::Operator,
    simple::is_plain,
};
use crate::value::Value;

/// A split, ready to place subjects.
#[derive(Debug)]
pub(super) struct Fractional {
    arguments: Arguments,
    generation: Generation,
    /// What the hashed text of every subject of a split without a bucketing value begins with.
    prefix: Hasher,
    /// The entries, where they stand in the rule as plain values; nothing in it where they are malformed.
    table: Option<Option<Table>>,
}

/// Entries with their weights added up.
#[derive(Clone, Debug)]
struct Table {
    entries: Vec<(Value, u32)>,
    total: u32,
    /// How many entries somebody can get.
    reachable: usize,
}

impl Fractional {
    pub(super) fn new(arguments: Arguments, key: &str, generation: Generation) -> Self {
        let table = match &arguments {
            Arguments::List(arguments) => {
                let (_, entries) = split_off_bucket(arguments);
                let literal = |expression: &Expression| match expression {
                    Expression::Literal(value) => Some(value.clone()),
                    _ => None,
                };
                let entries: Option<Vec<Value>> = entries.iter().map(literal).collect();
                entries.map(|entries| Table::of(entries.iter().map(Given::from), generation))
            }
            Arguments::One(_) => None,
        };
        Self { arguments, generation, prefix: prefix(key, generation), table }
    }

    #[inline]
    pub(super) fn run<'a>(&'a self, frame: &Frame<'_, 'a>) -> Result<Given<'a>, LogicError> {
        let (Arguments::List(arguments), Some(table)) = (&self.arguments, &self.table) else {
            return self.work_out(frame);
        };
        let hash = match split_off_bucket(arguments).0 {
            None => self.shorthand(frame),
            Some(bucket) => match self.streamed(bucket, frame)? {
                Some(hash) => Some(hash),
                None => match bucket.run(frame)? {
                    // What looked like a bucketing value was the first entry.
                    Given::List(_) | Given::Made(_) => return self.work_out(frame),
                    bucket => {
                        frame.spend(bucket.size())?;
                        self.bucket(&bucket, frame)
                    }
                },
            },
        };
        let hash = hash.filter(|_| self.generation == Generation::V3 || frame.is_object());
        let (Some(hash), Some(table)) = (hash, table) else { return Ok(Given::Null) };
        frame.spend(table.entries.len() / PASSED)?;
        if table.reachable > 1 {
            frame.mark_split();
        }
        Ok(table.place(hash, self.generation).map_or(Given::Null, Given::from))
    }

    /// The bucketing value, nothing for a split without one; nothing at all where the entries are worked out, or come
    /// to something else than a plain name.
    pub(super) fn simple_bucket(&self) -> Option<Option<&Expression>> {
        let (Arguments::List(arguments), Some(Some(table))) = (&self.arguments, &self.table) else {
            return None;
        };
        let is_name = |(entry, _): &(Value, u32)| entry.as_str().is_some_and(is_plain);
        table.entries.iter().all(is_name).then(|| split_off_bucket(arguments).0)
    }

    /// The entries alone, for a rule that knows its bucketing value itself.
    pub(super) fn without_arguments(&self) -> Option<Self> {
        Some(Self {
            arguments: Arguments::List(Box::new([])),
            generation: self.generation,
            prefix: self.prefix,
            table: Some(Some(self.table.as_ref()?.as_ref()?.clone())),
        })
    }

    /// The hash of the flag key and this targeting key, unless it is empty.
    #[inline]
    pub(super) fn hash_of_key(&self, targeting_key: &str) -> Option<u32> {
        if targeting_key.is_empty() {
            return None;
        }
        let mut hasher = self.prefix;
        if self.generation == Generation::V3 {
            cbor::text_head(targeting_key.len(), &mut hasher);
        }
        Some(hasher.with(targeting_key.as_bytes()).finish())
    }

    /// The hash of a text that comes in parts.
    #[inline]
    pub(super) fn hash_of_texts(&self, texts: &[&str]) -> u32 {
        let mut hasher = Hasher::new(SEED);
        if self.generation == Generation::V3 {
            cbor::text_head(texts.iter().map(|text| text.len()).sum(), &mut hasher);
        }
        texts.iter().fold(hasher, |hasher, text| hasher.with(text.as_bytes())).finish()
    }

    /// The name that a hash comes to, where every entry is a name.
    #[inline]
    pub(super) fn choose(&self, hash: Option<u32>) -> Outcome<'_> {
        let (Some(hash), Some(Some(table))) = (hash, &self.table) else {
            return Outcome { variant: None, split: false };
        };
        let variant = table.place(hash, self.generation).and_then(Value::as_str).map(Cow::Borrowed);
        Outcome { variant, split: table.reachable > 1 }
    }

    /// Where entries or weights depend on the subject.
    fn work_out<'a>(&'a self, frame: &Frame<'_, 'a>) -> Result<Given<'a>, LogicError> {
        let mut values = match &self.arguments {
            Arguments::List(arguments) => {
                arguments.iter().map(|argument| argument.run(frame)).collect::<Result<Vec<_>, _>>()?
            }
            Arguments::One(argument) => argument.run(frame)?.into_list().unwrap_or_default(),
        };
        let hash = match values.first() {
            None => None,
            Some(Given::List(_) | Given::Made(_)) => self.shorthand(frame),
            Some(bucket) => {
                frame.spend(bucket.size())?;
                self.bucket(&values.remove(0), frame)
            }
        };
        let hash = hash.filter(|_| self.generation == Generation::V3 || frame.is_object());
        frame.spend(values.iter().map(|entry| 1 + entry.made()).sum())?;
        let table = Table::of(values.into_iter(), self.generation);
        let (Some(hash), Some(table)) = (hash, table) else { return Ok(Given::Null) };
        if table.reachable > 1 {
            frame.mark_split();
        }
        Ok(table.place(hash, self.generation).map_or(Given::Null, |entry| Given::owned(entry.clone())))
    }

    /// The hash of a bucketing value. The two older generations take texts only, and fall back where there is none.
    #[inline]
    fn bucket<'a>(&'a self, value: &Given<'a>, frame: &Frame<'_, 'a>) -> Option<u32> {
        match (self.generation, value) {
            (Generation::V1 | Generation::V2, Given::Text(text)) => {
                Some(Hasher::new(SEED).with(text.as_bytes()).finish())
            }
            (Generation::V1 | Generation::V2, Given::Null) => self.shorthand(frame),
            (Generation::V1 | Generation::V2, _) | (Generation::V3, Given::Null) => None,
            (Generation::V3, value) => {
                let mut hasher = Hasher::new(SEED);
                cbor::write(value, &mut hasher);
                Some(hasher.finish())
            }
        }
    }

    /// The hash of flag key and targeting key, if there is a targeting key and it is a text.
    #[inline]
    fn shorthand<'a>(&'a self, frame: &Frame<'_, 'a>) -> Option<u32> {
        let (key, targeting_key) = frame.subject()?;
        let targeting_key = targeting_key.as_text().filter(|key| !key.is_empty())?;
        let Some(key) = key else { return self.hash_of_key(targeting_key) };
        let mut hasher = prefix(key.as_text()?, self.generation);
        if self.generation == Generation::V3 {
            cbor::text_head(targeting_key.len(), &mut hasher);
        }
        Some(hasher.with(targeting_key.as_bytes()).finish())
    }

    /// The hash of a text that `cat` joins, without joining it. Nothing where that is not what the bucketing value is.
    fn streamed<'a>(
        &'a self,
        bucket: &'a Expression,
        frame: &Frame<'_, 'a>,
    ) -> Result<Option<u32>, LogicError> {
        let Expression::Call(Operator::Concatenate, Arguments::List(parts)) = bucket else { return Ok(None) };
        if !(2..=MOST_PARTS).contains(&parts.len()) {
            return Ok(None);
        }
        let mut values = [const { Given::Null }; MOST_PARTS];
        for (part, value) in parts.iter().zip(&mut values) {
            *value = part.run(frame)?;
        }
        let mut texts = [""; MOST_PARTS];
        for (value, text) in values.iter().zip(&mut texts) {
            match value {
                Given::Text(value) => *text = value,
                Given::Null => {}
                _ => return Ok(None),
            }
        }
        // The white space around the whole would have to go.
        let mut filled = texts.iter().filter(|text| !text.is_empty());
        let first = filled.next().and_then(|text| text.chars().next());
        let last = filled.next_back().or_else(|| texts.iter().find(|text| !text.is_empty()));
        let last = last.and_then(|text| text.chars().next_back());
        if first.is_some_and(char::is_whitespace) || last.is_some_and(char::is_whitespace) {
            return Ok(None);
        }
        frame.spend(texts.iter().map(|text| text.len() / 8).sum())?;
        Ok(Some(self.hash_of_texts(&texts)))
    }
}

impl Table {
    /// Nothing where an entry is malformed or the weights are too heavy.
    fn of<'a>(entries: impl Iterator<Item = Given<'a>>, generation: Generation) -> Option<Self> {
        let mut table = Self { entries: Vec::new(), total: 0, reachable: 0 };
        for entry in entries {
            let mut parts = entry.into_list().ok()?.into_iter();
            let variant = parts.next()?;
            if !variant.is_null() && !variant.is_primitive() {
                return None;
            }
            let weight = match parts.next() {
                None | Some(Given::Null) => 1,
                Some(weight) => weigh(weight.as_number()?, generation)?,
            };
            table.total = table.total.checked_add(weight).filter(|total| *total <= HEAVIEST)?;
            table.reachable += usize::from(weight > 0);
            table.entries.push((variant.into_value().ok()?, weight));
        }
        (table.total > 0).then_some(table)
    }

    #[inline]
    fn place(&self, hash: u32, generation: Generation) -> Option<&Value> {
        if generation == Generation::V1 {
            return self.place_by_percent(hash);
        }
        let bucket = (u64::from(hash) * u64::from(self.total)) >> 32;
        let mut end = 0;
        self.entries.iter().find_map(|(variant, weight)| {
            end += u64::from(*weight);
            (bucket < end).then_some(variant)
        })
    }

    /// The first generation. A few hashes reach 100 % and get nothing.
    fn place_by_percent(&self, hash: u32) -> Option<&Value> {
        let bucket = f64::from(hash.cast_signed()).abs() / f64::from(i32::MAX) * 100.0;
        let mut end = 0.0;
        self.entries.iter().find_map(|(variant, weight)| {
            end += 100.0 * f64::from(*weight) / f64::from(self.total);
            (bucket < end).then_some(variant)
        })
    }
}

/// Splits the first argument off, unless it stands there as a list and is an entry.
fn split_off_bucket(arguments: &[Expression]) -> (Option<&Expression>, &[Expression]) {
    match arguments {
        [Expression::Literal(Value::List(_)) | Expression::List(_), ..] | [] => (None, arguments),
        [bucket, entries @ ..] => (Some(bucket), entries),
    }
}

/// What the hashed text begins with where flag key and targeting key are hashed.
fn prefix(key: &str, generation: Generation) -> Hasher {
    let mut hasher = Hasher::new(SEED);
    if generation == Generation::V3 {
        cbor::list_head(2, &mut hasher);
        cbor::text_head(key.len(), &mut hasher);
    }
    hasher.with(key.as_bytes())
}

/// Whole numbers only, but for the first generation, which cut them off. What is negative counts as nothing, so that
/// weights can be calculated from a time.
fn weigh(weight: f64, generation: Generation) -> Option<u32> {
    let whole = weight.trunc();
    #[expect(clippy::float_cmp, reason = "a fraction is what is looked for")]
    if whole != weight && generation != Generation::V1 || whole.is_nan() || whole > f64::from(HEAVIEST) {
        return None;
    }
    // What no integer of 64 bits is, is no whole number for the reference.
    if whole < LIGHTEST && generation != Generation::V1 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the bounds are checked")]
    Some(whole.max(0.0) as u32)
}

const SEED: u32 = 0;
/// 2³¹ - 1: the heaviest entry, and the heaviest sum.
const HEAVIEST: u32 = i32::MAX.cast_unsigned();
/// -2⁶³.
const LIGHTEST: f64 = -9_223_372_036_854_775_808.0;
/// How many entries are passed over in the time of a step.
const PASSED: usize = 8;
/// Of a `cat` that is hashed part by part.
const MOST_PARTS: usize = 4;
