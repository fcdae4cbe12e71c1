//! A value and how it came about.

use std::{fmt, marker::PhantomData, sync::Arc};

use arc_swap::Guard;

use super::no_value::NoValue;
use crate::{
    context::Context,
    details::{ErrorCode, Reason},
    document::Variant,
    logic::Clock,
    metadata::Metadata,
    snapshot::{Decision, EvaluationError, FlagType, State},
};

/// A value and how it came about. It keeps the snapshot that it is from: use it and let it go, or copy what is to be
/// kept.
pub struct Details<T: ?Sized> {
    state: Guard<Arc<State>>,
    flag: u32,
    variant: Option<u32>,
    reason: Reason,
    error: Option<EvaluationError>,
    of: PhantomData<fn(&T)>,
}

impl<T: FlagType + ?Sized> Details<T> {
    pub(super) fn new(state: Guard<Arc<State>>, flag: u32, key: &str, context: &Context) -> Self {
        let (variant, reason, error) = match state.decide::<T>(flag, context, Clock::System).of_type::<T>() {
            Decision::Variant(variant, reason) => (Some(variant.index), reason, None),
            Decision::Nothing(reason) => (None, reason, None),
            Decision::Failed(failure) => {
                (None, Reason::Error, Some(failure.explained(key, state.flag_at(flag))))
            }
        };
        Self { state, flag, variant, reason, error, of: PhantomData }
    }

    /// The value.
    ///
    /// # Errors
    ///
    /// Where the caller's own default counts.
    pub fn value(&self) -> Result<T::Ref<'_>, NoValue> {
        match (&self.error, self.chosen().and_then(|variant| T::of(&variant.value))) {
            (Some(error), _) => Err(NoValue::Failed(error.code())),
            (None, Some(value)) => Ok(value),
            (None, None) => Err(NoValue::because(self.reason)),
        }
    }
}

impl<T: ?Sized> Details<T> {
    /// The name of the variant that has the value.
    pub fn variant(&self) -> Option<&str> {
        self.chosen().map(|variant| &*variant.name)
    }

    /// Why it is this value.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Why there is no value, if that is a failure: being disabled or without a default is not.
    pub fn error(&self) -> Option<&EvaluationError> {
        self.error.as_ref()
    }

    /// What kind of failure that is.
    pub fn error_code(&self) -> Option<ErrorCode> {
        self.error.as_ref().map(EvaluationError::code)
    }

    /// The metadata of the document, and over it that of the flag.
    pub fn metadata(&self) -> &Metadata {
        self.state.metadata_of(self.flag)
    }

    fn chosen(&self) -> Option<&Variant> {
        let body = self.state.flag_at(self.flag)?.body.as_ref()?;
        body.variants.get(self.variant? as usize)
    }
}

impl<T: ?Sized> fmt::Debug for Details<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Details")
            .field("value", &self.chosen().map(|variant| &variant.value))
            .field("variant", &self.variant())
            .field("reason", &self.reason)
            .field("error", &self.error)
            .field("metadata", self.metadata())
            .finish()
    }
}
