//! The types that a flag can be asked for.

use super::decision::{Decision, Failure};
use crate::{
    document::Variant,
    value::{Map, Value},
};

/// A type that a flag can be asked for: `bool`, `i64`, `f64`, `str`, [`Map`] and, for any, [`Value`].
///
/// Numbers are converted only without loss: 10.0 is an integer, 3.14 is none, and every integer that a document can
/// have is a float.
pub trait FlagType: sealed::Sealed {
    /// What is borrowed of a value of this type.
    type Ref<'a>;

    /// What it is called in messages.
    #[doc(hidden)]
    const EXPECTED: &'static str;

    /// The value as this type, if it is of it.
    #[doc(hidden)]
    fn of(value: &Value) -> Option<Self::Ref<'_>>;
}

/// The variant that was decided for, and its value as this type.
#[inline]
pub(crate) fn read<'a, T: FlagType + ?Sized>(variant: &'a Variant) -> Result<T::Ref<'a>, Failure<'a>> {
    T::of(&variant.value).ok_or_else(|| Failure::WrongType {
        variant: &variant.name,
        expected: T::EXPECTED,
        found: variant.value.kind(),
    })
}

impl<'a> Decision<'a> {
    /// The same if the value is of this type.
    #[inline]
    pub(crate) fn of_type<T: FlagType + ?Sized>(self) -> Self {
        match self {
            Self::Variant(variant, reason) => match read::<T>(variant) {
                Ok(_) => Self::Variant(variant, reason),
                Err(failure) => Self::Failed(failure),
            },
            other => other,
        }
    }
}

impl FlagType for bool {
    type Ref<'a> = bool;
    const EXPECTED: &'static str = "a boolean";

    #[inline]
    fn of(value: &Value) -> Option<bool> {
        if let Value::Bool(truth) = value { Some(*truth) } else { None }
    }
}

impl FlagType for i64 {
    type Ref<'a> = i64;
    const EXPECTED: &'static str = "an integer";

    #[inline]
    fn of(value: &Value) -> Option<i64> {
        if let Value::Number(number) = value { number.as_i64() } else { None }
    }
}

impl FlagType for f64 {
    type Ref<'a> = f64;
    const EXPECTED: &'static str = "a float";

    #[inline]
    fn of(value: &Value) -> Option<f64> {
        if let Value::Number(number) = value { Some(number.as_f64()) } else { None }
    }
}

impl FlagType for str {
    type Ref<'a> = &'a str;
    const EXPECTED: &'static str = "a text";

    #[inline]
    fn of(value: &Value) -> Option<&str> {
        value.as_str()
    }
}

impl FlagType for Map {
    type Ref<'a> = &'a Map;
    const EXPECTED: &'static str = "an object";

    #[inline]
    fn of(value: &Value) -> Option<&Map> {
        value.as_object()
    }
}

impl FlagType for Value {
    type Ref<'a> = &'a Value;
    const EXPECTED: &'static str = "a value";

    #[inline]
    fn of(value: &Value) -> Option<&Value> {
        Some(value)
    }
}

mod sealed {
    use crate::value::{Map, Value};

    pub trait Sealed {}

    impl Sealed for bool {}
    impl Sealed for i64 {}
    impl Sealed for f64 {}
    impl Sealed for str {}
    impl Sealed for Map {}
    impl Sealed for Value {}
}
