//! The context of the SDK as simple rules see it, without converting it.

use open_feature::{EvaluationContext, EvaluationContextFieldValue};

use crate::{
    context::TARGETING_KEY,
    logic::{Attributes, NotSimple, Peek},
    value::Number,
};

/// What a call was given. Times, structures and numbers that are none are left to the conversion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given<'a>(pub(super) &'a EvaluationContext);

impl Attributes for Given<'_> {
    #[inline]
    fn peek(&self, name: &str, path: &[Box<str>]) -> Result<Peek<'_>, NotSimple> {
        let plain = match &self.0.targeting_key {
            Some(key) if name == TARGETING_KEY => Peek::Text(key),
            _ => match self.0.custom_fields.get(name) {
                None => Peek::Null,
                Some(EvaluationContextFieldValue::Bool(truth)) => Peek::Bool(*truth),
                Some(EvaluationContextFieldValue::Int(number)) => {
                    Peek::Number(Number::from(*number).as_f64())
                }
                Some(EvaluationContextFieldValue::Float(number)) if number.is_finite() => {
                    Peek::Number(*number)
                }
                Some(EvaluationContextFieldValue::String(text)) => Peek::Text(text),
                Some(
                    EvaluationContextFieldValue::Float(_)
                    | EvaluationContextFieldValue::DateTime(_)
                    | EvaluationContextFieldValue::Struct(_),
                ) => return Err(NotSimple),
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
