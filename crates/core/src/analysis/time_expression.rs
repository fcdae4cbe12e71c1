//! Points in time, relative to now: the ends of range queries.

use std::str::FromStr;

use jiff::{civil, fmt::strtime, tz::TimeZone};

use crate::time::{GoDuration, Timestamp};

/// A point in time as range queries of Argo Rollouts give it: `now()` or `date("2023-08-14 00:00:00")`, and lengths of
/// time added or taken away: `now() - duration("1h") + duration("5m")`.
///
/// `date` takes a time, then optionally its layout in Go's notation, then optionally the name of a time zone; without
/// a layout RFC 3339, a date with a time and a date alone are understood. Only UTC and fixed offsets are known as zones,
/// as every other needs a database that changes. The rest of the expression language is not understood here.
///
/// ```
/// use serinus_core::{analysis::TimeExpression, time::Timestamp};
///
/// let start: TimeExpression = r#"now() - duration("1h")"#.parse()?;
/// let now: Timestamp = "2026-01-01T12:00:00Z".parse()?;
/// assert_eq!(start.evaluate(now), "2026-01-01T11:00:00Z".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TimeExpression {
    /// `None`: now.
    start: Option<Timestamp>,
    offset: GoDuration,
}

impl TimeExpression {
    /// The point in time, if it is `now`.
    pub fn evaluate(&self, now: Timestamp) -> Timestamp {
        self.offset.after(self.start.unwrap_or(now))
    }
}

impl FromStr for TimeExpression {
    type Err = TimeExpressionError;

    fn from_str(source: &str) -> Result<Self, TimeExpressionError> {
        let fault = |reason: String| TimeExpressionError { source_text: source.to_owned(), reason };
        let mut rest = source.trim();
        let (name, arguments, after) = call(rest).map_err(fault)?;
        rest = after;
        let start = match (name, arguments.as_slice()) {
            ("now", []) => None,
            ("date", [time]) => Some(unlaid(time).map_err(fault)?),
            ("date", [time, layout]) => Some(laid(time, layout, "UTC").map_err(fault)?),
            ("date", [time, layout, zone]) => Some(laid(time, layout, zone).map_err(fault)?),
            _ => {
                return Err(fault(format!(
                    "expected `now()` or `date(…)`, found {name} with {} arguments",
                    arguments.len()
                )));
            }
        };
        let mut offset: i64 = 0;
        while !rest.is_empty() {
            let sign = match rest.as_bytes()[0] {
                b'+' => 1,
                b'-' => -1,
                _ => return Err(fault(format!("expected `+` or `-`, found `{rest}`"))),
            };
            let (name, arguments, after) = call(rest[1..].trim_start()).map_err(fault)?;
            let ("duration", [length]) = (name, arguments.as_slice()) else {
                return Err(fault(format!("expected `duration(\"1h\")` after `+` or `-`, found {name}")));
            };
            let length: GoDuration = length.parse().map_err(|error| fault(format!("{error}")))?;
            offset = offset.saturating_add(length.saturating_mul(sign).as_nanos());
            rest = after;
        }
        Ok(Self { start, offset: GoDuration::from_nanos(offset) })
    }
}

/// A call with texts as arguments, and what follows it.
fn call(text: &str) -> Result<(&str, Vec<&str>, &str), String> {
    let expected = || format!("expected a call such as `now()` or `duration(\"1h\")`, found `{text}`");
    let (name, mut rest) = text.split_once('(').ok_or_else(expected)?;
    let mut arguments = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(')') {
            return Ok((name.trim(), arguments, after.trim_start()));
        }
        if !arguments.is_empty() {
            rest = rest.strip_prefix(',').ok_or_else(expected)?.trim_start();
        }
        let quote =
            rest.chars().next().filter(|quote| matches!(quote, '"' | '\'' | '`')).ok_or_else(expected)?;
        let (argument, after) = rest[1..].split_once(quote).ok_or_else(expected)?;
        arguments.push(argument);
        rest = after;
    }
}

fn unlaid(time: &str) -> Result<Timestamp, String> {
    let utc = |civil: civil::DateTime| civil.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    time.parse::<Timestamp>()
        .or_else(|_| time.parse::<civil::DateTime>().and_then(utc))
        .map_err(|_| format!("`{time}` is not a time: expected one such as 2023-08-14T00:00:00Z"))
}

fn laid(time: &str, layout: &str, zone: &str) -> Result<Timestamp, String> {
    let mut format = layout.replace('%', "%%");
    for (go, directive) in LAYOUT {
        format = format.replace(go, directive);
    }
    let broken =
        strtime::parse(&format, time).map_err(|_| format!("`{time}` is not laid out as `{layout}`"))?;
    if let Ok(timestamp) = broken.to_timestamp() {
        return Ok(timestamp);
    }
    let zone = match zone {
        "" | "UTC" | "Etc/UTC" | "GMT" => TimeZone::UTC,
        _ => {
            return Err(format!(
                "time zone `{zone}` is not known here: give the time in UTC, or with its offset"
            ));
        }
    };
    let date = broken.to_date().map_err(|_| format!("`{time}` has no date"))?;
    let clock = broken.to_time().unwrap_or(civil::Time::midnight());
    date.to_datetime(clock)
        .to_zoned(zone)
        .map(|zoned| zoned.timestamp())
        .map_err(|_| format!("`{time}` is out of range"))
}

/// Why a text is not a time expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("time expression `{source_text}` does not parse: {reason}")]
pub struct TimeExpressionError {
    source_text: String,
    reason: String,
}

/// Go's reference time, part by part; longer ones first where one begins with another.
const LAYOUT: &[(&str, &str)] = &[
    ("2006", "%Y"),
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("01", "%m"),
    ("02", "%d"),
    ("15", "%H"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("PM", "%p"),
    ("Z07:00", "%:z"),
    ("-07:00", "%:z"),
    ("-0700", "%z"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_expressions_are_evaluated_against_a_given_now() {
        let now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        for (source, expected) in [
            ("now()", "2026-01-01T12:00:00Z"),
            (r#"now() - duration("1h") + duration("5m")"#, "2026-01-01T11:05:00Z"),
            (
                r#"date("2023-08-14 00:00:00", "2006-01-02 15:04:05", "UTC") - duration("1h")"#,
                "2023-08-13T23:00:00Z",
            ),
            (r#"date("2023-08-14")"#, "2023-08-14T00:00:00Z"),
            (r#"date('2023-08-14T01:00:00+01:00')"#, "2023-08-14T00:00:00Z"),
            (r#"date("14 Aug 2023", "02 Jan 2006")"#, "2023-08-14T00:00:00Z"),
        ] {
            let expression: TimeExpression = source.parse().unwrap();
            assert_eq!(expression.evaluate(now), expected.parse().unwrap(), "{source}");
        }
        for source in [
            "",
            "1",
            "now",
            "now() -",
            "now() - 5",
            "now() * duration(\"1h\")",
            "duration(\"1h\")",
            "date()",
            "now()ä",
        ] {
            assert!(source.parse::<TimeExpression>().is_err(), "{source}");
        }
    }
}
