//! Numbers as JSON has them.

use std::fmt;

use serde::{Serialize, Serializer};

/// A finite number: an integer as it was written, or a float.
///
/// Integers beyond 2⁵³ keep their digits: the third generation of `fractional` hashes them. Two numbers are equal if
/// their values are: 1 and 1.0 are one number.
#[derive(Clone, Copy, Debug)]
pub struct Number(Form);

#[derive(Clone, Copy, Debug)]
enum Form {
    Signed(i64),
    /// Above `i64::MAX`.
    Unsigned(u64),
    Float(f64),
}

impl Number {
    /// This float, unless it is infinite or NaN.
    pub fn from_f64(number: f64) -> Option<Self> {
        number.is_finite().then_some(Self(Form::Float(number)))
    }

    /// The nearest float.
    #[expect(clippy::cast_precision_loss, reason = "documented")]
    pub fn as_f64(self) -> f64 {
        match self.0 {
            Form::Signed(number) => number as f64,
            Form::Unsigned(number) => number as f64,
            Form::Float(number) => number,
        }
    }

    /// The integer, if it is one without loss: 10 and 10.0 are, 3.14 and 2⁶³ are not.
    #[expect(clippy::cast_possible_truncation, reason = "the bounds are checked")]
    pub fn as_i64(self) -> Option<i64> {
        match self.0 {
            Form::Signed(number) => Some(number),
            Form::Unsigned(_) => None,
            Form::Float(number) => {
                (number.fract() == 0.0 && (-TWO_TO_63..TWO_TO_63).contains(&number)).then_some(number as i64)
            }
        }
    }

    /// The integer, if it is one from zero to 2⁶⁴ - 1 without loss.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the bounds are checked")]
    pub fn as_u64(self) -> Option<u64> {
        match self.0 {
            Form::Signed(number) => u64::try_from(number).ok(),
            Form::Unsigned(number) => Some(number),
            Form::Float(number) => {
                (number.fract() == 0.0 && (0.0..2.0 * TWO_TO_63).contains(&number)).then_some(number as u64)
            }
        }
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self(Form::Signed(number))
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self(i64::try_from(number).map_or(Form::Unsigned(number), Form::Signed))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (self.as_i64(), other.as_i64()) {
            (Some(one), Some(other)) => one == other,
            (None, None) => match (self.as_u64(), other.as_u64()) {
                (Some(one), Some(other)) => one == other,
                _ => self.as_f64() == other.as_f64(),
            },
            _ => false,
        }
    }
}

/// As JSON has it; a float without a fraction like an integer.
impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Form::Signed(number) => number.fmt(formatter),
            Form::Unsigned(number) => number.fmt(formatter),
            Form::Float(number) => number.fmt(formatter),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Form::Signed(number) => serializer.serialize_i64(number),
            Form::Unsigned(number) => serializer.serialize_u64(number),
            Form::Float(number) => serializer.serialize_f64(number),
        }
    }
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_however_it_is_written() {
        assert_eq!(Number::from(1i64), Number::from_f64(1.0).unwrap());
        assert_eq!(Number::from(u64::MAX).as_u64(), Some(u64::MAX));
        assert_ne!(Number::from(u64::MAX), Number::from(u64::MAX - 1));
        assert_eq!(Number::from_f64(-0.0).unwrap(), Number::from(0i64));
    }

    #[test]
    fn conversions_lose_nothing() {
        assert_eq!(Number::from_f64(10.0).unwrap().as_i64(), Some(10));
        assert_eq!(Number::from_f64(3.25).unwrap().as_i64(), None);
        assert_eq!(Number::from_f64(9.3e18).unwrap().as_i64(), None);
        assert_eq!(Number::from_f64(-1.0).unwrap().as_u64(), None);
        assert!(Number::from_f64(f64::NAN).is_none());
    }
}
