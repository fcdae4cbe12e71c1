//! What a flag evaluated to, borrowed from a snapshot.

use super::{
    decision::{Decision, Failure},
    failure::EvaluationError,
    typed::FlagType,
};
use crate::{details::Reason, document::Flag, metadata::Metadata, value::Value};

/// What a flag evaluated to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Evaluation<'a> {
    /// The value; nothing where the caller's own default counts.
    pub value: Option<&'a Value>,
    /// The name of the variant that has the value.
    pub variant: Option<&'a str>,
    /// Why it is this one.
    pub reason: Reason,
    /// Why there is none, if that is a failure: being disabled or without a default is not.
    pub error: Option<EvaluationError>,
    /// The metadata of the document, and over it that of the flag.
    pub metadata: &'a Metadata,
    key: &'a str,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(
        decision: Decision<'a>,
        key: &'a str,
        flag: Option<&'a Flag>,
        metadata: &'a Metadata,
    ) -> Self {
        let (value, variant, reason, error) = match decision {
            Decision::Variant(variant, reason) => (Some(&variant.value), Some(&*variant.name), reason, None),
            Decision::Nothing(reason) => (None, None, reason, None),
            Decision::Failed(failure) => (None, None, Reason::Error, Some(failure.explained(key, flag))),
        };
        Self { value, variant, reason, error, metadata, key }
    }

    /// The same if the value is of this type; otherwise a failure with
    /// [`ErrorCode::TypeMismatch`](crate::ErrorCode::TypeMismatch).
    ///
    /// ```
    /// use serinus_flags::{Context, Document, ErrorCode, Flags};
    ///
    /// let flags = Flags::default();
    /// flags.load(&Document::from_json(
    ///     r#"{"flags": {"size": {"state": "ENABLED", "variants": {"m": 2.5}, "defaultVariant": "m"}}}"#,
    /// )?);
    /// let (snapshot, context) = (flags.snapshot(), Context::default());
    /// assert_eq!(snapshot.evaluate("size", &context).of_type::<f64>().variant, Some("m"));
    /// let error = snapshot.evaluate("size", &context).of_type::<i64>().error;
    /// assert_eq!(error.map(|error| error.code()), Some(ErrorCode::TypeMismatch));
    /// # Ok::<(), serinus_flags::DocumentError>(())
    /// ```
    #[must_use = "the evaluation is returned, not changed in place"]
    pub fn of_type<T: FlagType + ?Sized>(self) -> Self {
        match (self.value, self.variant) {
            (Some(value), Some(variant)) if T::of(value).is_none() => {
                let failure = Failure::WrongType { variant, expected: T::EXPECTED, found: value.kind() };
                let error = Some(failure.explained(self.key, None));
                Self { value: None, variant: None, reason: Reason::Error, error, ..self }
            }
            _ => self,
        }
    }
}
