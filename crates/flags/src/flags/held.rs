//! Values that are borrowed from the snapshot they are in.

use std::{fmt, marker::PhantomData, ops::Deref, sync::Arc};

use arc_swap::Guard;

use super::no_value::NoValue;
use crate::{
    context::Context,
    logic::Clock,
    snapshot::{Decision, FlagType, State, read},
    value::{Map, Value},
};

/// A text that a flag evaluated to; it derefs to `str`.
pub type Text = Held<str>;

/// An object that a flag evaluated to; it derefs to [`Map`].
pub type ObjectRef = Held<Map>;

/// A value that a flag evaluated to. It keeps the snapshot that it is from: use it and let it go, or copy what is to
/// be kept. Let it go before anything is awaited: from eight on that a thread holds at a time, asking for a flag counts
/// something that threads share, and takes about twice as long.
pub struct Held<T: ?Sized> {
    state: Guard<Arc<State>>,
    flag: u32,
    variant: u32,
    of: PhantomData<fn(&T)>,
}

impl<T: FlagType + ?Sized> Held<T> {
    #[inline]
    pub(super) fn new(state: Guard<Arc<State>>, flag: u32, context: &Context) -> Result<Self, NoValue> {
        let variant = match state.decide::<T>(flag, context, Clock::System) {
            Decision::Variant(variant, _) => match read::<T>(variant) {
                Ok(_) => variant.index,
                Err(failure) => return Err(NoValue::Failed(failure.code())),
            },
            Decision::Nothing(reason) => return Err(NoValue::because(reason)),
            Decision::Failed(failure) => return Err(NoValue::Failed(failure.code())),
        };
        Ok(Self { state, flag, variant, of: PhantomData })
    }
}

impl<T: ?Sized> Held<T> {
    #[inline]
    fn value(&self) -> Option<&Value> {
        let body = self.state.flag_at(self.flag)?.body.as_ref()?;
        body.variants.get(self.variant as usize).map(|variant| &variant.value)
    }
}

impl Deref for Held<str> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        // It was a text when this was made, and a snapshot does not change.
        self.value().and_then(Value::as_str).unwrap_or_default()
    }
}

impl Deref for Held<Map> {
    type Target = Map;

    #[inline]
    fn deref(&self) -> &Map {
        // It was an object when this was made, and a snapshot does not change.
        self.value().and_then(Value::as_object).unwrap_or(&EMPTY)
    }
}

impl From<Held<str>> for String {
    fn from(held: Held<str>) -> Self {
        (*held).to_owned()
    }
}

impl AsRef<str> for Held<str> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl PartialEq<str> for Held<str> {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Held<str> {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl PartialEq<Map> for Held<Map> {
    fn eq(&self, other: &Map) -> bool {
        **self == *other
    }
}

impl fmt::Display for Held<str> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

impl<T: ?Sized> fmt::Debug for Held<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value() {
            Some(value) => value.fmt(formatter),
            None => formatter.write_str("null"),
        }
    }
}

static EMPTY: Map = Map::new();
