//! The context of the SDK as simple rules see it, without converting it.

use open_feature::{EvaluationContext, EvaluationContextFieldValue};

use crate::{
    context::TARGETING_KEY,
    logic::{Attributes, NotSimple, Peek},
    value::Number,
};

/// What a call was given, if all of it is plain: then none of it can be invalid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain<'a>(&'a EvaluationContext);

impl<'a> Plain<'a> {
    /// Times, structures and numbers that are none are not plain.
    #[inline]
    pub(super) fn of(given: &'a EvaluationContext) -> Option<Self> {
        let is_plain = |field: &EvaluationContextFieldValue| match field {
            EvaluationContextFieldValue::Float(number) => number.is_finite(),
            EvaluationContextFieldValue::DateTime(_) | EvaluationContextFieldValue::Struct(_) => false,
            EvaluationContextFieldValue::Bool(_)
            | EvaluationContextFieldValue::Int(_)
            | EvaluationContextFieldValue::String(_) => true,
        };
        given.custom_fields.values().all(is_plain).then_some(Self(given))
    }

    /// Comparing a few names costs less than hashing one.
    #[inline]
    fn field(self, name: &str) -> Option<&'a EvaluationContextFieldValue> {
        let fields = &self.0.custom_fields;
        if fields.len() > FEW {
            return fields.get(name);
        }
        fields.iter().find(|(key, _)| *key == name).map(|(_, field)| field)
    }
}

impl Attributes for Plain<'_> {
    #[inline]
    fn peek(&self, name: &str, path: &[Box<str>]) -> Result<Peek<'_>, NotSimple> {
        let plain = match &self.0.targeting_key {
            Some(key) if name == TARGETING_KEY => Peek::Text(key),
            _ => match self.field(name) {
                None => Peek::Null,
                Some(EvaluationContextFieldValue::Bool(truth)) => Peek::Bool(*truth),
                Some(EvaluationContextFieldValue::Int(number)) => {
                    Peek::Number(Number::from(*number).as_f64())
                }
                Some(EvaluationContextFieldValue::Float(number)) => Peek::Number(*number),
                Some(EvaluationContextFieldValue::String(text)) => Peek::Text(text),
                Some(EvaluationContextFieldValue::DateTime(_) | EvaluationContextFieldValue::Struct(_)) => {
                    return Err(NotSimple);
                }
            },
        };
        // What is no object has nothing at any path.
        Ok(if path.is_empty() { plain } else { Peek::Null })
    }

    #[inline]
    fn targeting_key(&self) -> Result<Option<&str>, NotSimple> {
        match self.peek(TARGETING_KEY, &[])? {
            Peek::Text(key) => Ok(Some(key)),
            _ => Ok(None),
        }
    }
}

/// Up to this many names are compared one by one.
const FEW: usize = 8;
