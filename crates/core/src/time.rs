//! Points and lengths of time.
//!
//! Time is always an argument in this crate: nothing here reads a clock.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

/// A point in time, in UTC, to the nanosecond. Serialised as RFC 3339.
pub type Timestamp = jiff::Timestamp;

/// A length of time in Go's notation, as manifests of the field write it: `90s`, `1h30m`, `1.5h`, `-2m`, `0`.
///
/// Held as whole nanoseconds, so that it is `Eq` and hashable; the range is about ±292 years. It prints the way
/// Go prints it (`1m30s`), and parsing what it printed gives the same length.
///
/// ```
/// use serinus_core::time::GoDuration;
///
/// let wait: GoDuration = "1h30m".parse()?;
/// assert_eq!(wait, GoDuration::from_secs(5400));
/// assert_eq!(wait.to_string(), "1h30m0s");
/// # Ok::<(), serinus_core::time::DurationError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
pub struct GoDuration {
    nanos: i64,
}

impl GoDuration {
    /// No time at all.
    pub const ZERO: Self = Self { nanos: 0 };

    /// A length of whole seconds; lengths beyond the range saturate.
    pub const fn from_secs(secs: u64) -> Self {
        let secs = if secs > (i64::MAX / SECOND) as u64 { i64::MAX / SECOND } else { secs as i64 };
        Self { nanos: secs * SECOND }
    }

    /// A length of whole minutes; lengths beyond the range saturate.
    pub const fn from_mins(mins: u64) -> Self {
        Self::from_secs(mins.saturating_mul(60))
    }

    /// A length of whole milliseconds; lengths beyond the range saturate.
    pub const fn from_millis(millis: u64) -> Self {
        let limit = i64::MAX / MILLISECOND;
        let millis = if millis > limit as u64 { limit } else { millis as i64 };
        Self { nanos: millis * MILLISECOND }
    }

    /// A length of nanoseconds, of either sign.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self { nanos }
    }

    /// The length in nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.nanos
    }

    /// The length in seconds, with its fraction.
    pub fn as_secs_f64(self) -> f64 {
        self.nanos as f64 / SECOND as f64
    }

    /// Whether the length is below zero.
    pub const fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Whether the length is zero.
    pub const fn is_zero(&self) -> bool {
        self.nanos == 0
    }

    /// The length as the standard library has it; a negative length becomes zero.
    pub const fn to_std(self) -> Duration {
        Duration::from_nanos(if self.nanos < 0 { 0 } else { self.nanos as u64 })
    }

    /// The point this long after `start`; beyond the range of [`Timestamp`] it is the range's end.
    pub fn after(self, start: Timestamp) -> Timestamp {
        start.checked_add(jiff::SignedDuration::from_nanos(self.nanos)).unwrap_or(if self.nanos < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }

    /// The length from `start` to `end`, negative if `end` is earlier; saturates at the range's ends.
    pub fn between(start: Timestamp, end: Timestamp) -> Self {
        let nanos = end.as_nanosecond() - start.as_nanosecond();
        Self { nanos: nanos.clamp(i64::MIN.into(), i64::MAX.into()) as i64 }
    }

    /// This length `times` over; saturates.
    pub const fn saturating_mul(self, times: i64) -> Self {
        Self { nanos: self.nanos.saturating_mul(times) }
    }
}

impl From<Duration> for GoDuration {
    fn from(length: Duration) -> Self {
        Self { nanos: i64::try_from(length.as_nanos()).unwrap_or(i64::MAX) }
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0s");
        }
        if self.nanos < 0 {
            f.write_str("-")?;
        }
        let nanos = self.nanos.unsigned_abs();
        let (fraction_unit, name) = match nanos {
            0..1_000 => return write!(f, "{nanos}ns"),
            1_000..1_000_000 => (1_000, "µs"),
            1_000_000..1_000_000_000 => (1_000_000, "ms"),
            _ => {
                let secs = nanos / SECOND as u64;
                let (hours, minutes) = (secs / 3600, secs / 60 % 60);
                if hours > 0 {
                    write!(f, "{hours}h")?;
                }
                if hours > 0 || minutes > 0 {
                    write!(f, "{minutes}m")?;
                }
                let rest = nanos - (hours * 3600 + minutes * 60) * SECOND as u64;
                return write_decimal(f, rest, SECOND as u64, "s");
            }
        };
        write_decimal(f, nanos, fraction_unit, name)
    }
}

fn write_decimal(f: &mut fmt::Formatter<'_>, nanos: u64, unit: u64, name: &str) -> fmt::Result {
    write!(f, "{}", nanos / unit)?;
    let fraction = nanos % unit;
    if fraction > 0 {
        let width = unit.ilog10() as usize;
        let digits = format!("{fraction:0width$}");
        write!(f, ".{}", digits.trim_end_matches('0'))?;
    }
    f.write_str(name)
}

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let fault = |expected| DurationError { text: text.to_owned(), expected };
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if unsigned == "0" {
            return Ok(Self::ZERO);
        }
        if unsigned.is_empty() {
            return Err(fault("a number with a unit, such as 90s"));
        }
        let mut rest = unsigned;
        let mut total: i128 = 0;
        while !rest.is_empty() {
            let whole_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (whole, after_whole) = rest.split_at(whole_end);
            let (fraction, after_number) = match after_whole.strip_prefix('.') {
                Some(tail) => {
                    let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
                    tail.split_at(end)
                }
                None => ("", after_whole),
            };
            if whole.is_empty() && fraction.is_empty() {
                return Err(fault("a number before each unit, such as 1h30m"));
            }
            let unit_end =
                after_number.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after_number.len());
            let (unit, after_unit) = after_number.split_at(unit_end);
            let scale: i128 = match unit {
                "ns" => 1,
                "us" | "µs" | "μs" => 1_000,
                "ms" => MILLISECOND.into(),
                "s" => SECOND.into(),
                "m" => 60 * i128::from(SECOND),
                "h" => 3600 * i128::from(SECOND),
                "" => return Err(fault("a unit after each number: ns, us, ms, s, m or h")),
                _ => return Err(fault("one of the units ns, us, ms, s, m, h (there is no unit for days)")),
            };
            if whole.len() > 19 {
                return Err(fault("at most 292 years"));
            }
            let whole: i128 =
                if whole.is_empty() { 0 } else { whole.parse().map_err(|_| fault("a decimal number"))? };
            total += whole * scale;
            let mut place = scale;
            for digit in fraction.bytes() {
                place /= 10;
                total += i128::from(digit - b'0') * place;
            }
            if total > i128::from(i64::MAX) {
                return Err(fault("at most 292 years"));
            }
            rest = after_unit;
        }
        let total = if negative { -total } else { total };
        Ok(Self { nanos: total as i64 })
    }
}

impl TryFrom<String> for GoDuration {
    type Error = DurationError;

    fn try_from(text: String) -> Result<Self, DurationError> {
        text.parse()
    }
}

impl From<GoDuration> for String {
    fn from(length: GoDuration) -> Self {
        length.to_string()
    }
}

/// A text that is not a length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a duration: expected {expected}")]
pub struct DurationError {
    text: String,
    expected: &'static str,
}

const MILLISECOND: i64 = 1_000_000;
const SECOND: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_as_go_does() {
        for (text, nanos, printed) in [
            ("0", 0, "0s"),
            ("5s", 5_000_000_000, "5s"),
            ("-5s", -5_000_000_000, "-5s"),
            ("+5s", 5_000_000_000, "5s"),
            ("1478s", 1_478_000_000_000, "24m38s"),
            (".5s", 500_000_000, "500ms"),
            ("1.s", 1_000_000_000, "1s"),
            ("1.5h", 5_400_000_000_000, "1h30m0s"),
            ("10.5s4m", 250_500_000_000, "4m10.5s"),
            ("11µs", 11_000, "11µs"),
            ("1us500ns", 1_500, "1.5µs"),
            ("39h9m14.425s", 140_954_425_000_000, "39h9m14.425s"),
            ("100ms", 100_000_000, "100ms"),
        ] {
            let length: GoDuration = text.parse().unwrap();
            assert_eq!(length.as_nanos(), nanos, "{text}");
            assert_eq!(length.to_string(), printed, "{text}");
            assert_eq!(printed.parse(), Ok(length), "{printed}");
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in ["", "3", "-", "s", ".", "-.", ".s", "+.s", "1d", "10days", "9999999999999h", "1 m", "µ"]
        {
            assert!(text.parse::<GoDuration>().is_err(), "{text:?}");
        }
    }
}
