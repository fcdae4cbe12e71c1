//! Conversions of the reference's language: numbers to texts and back.

use std::borrow::Cow;

use super::given::Given;
use crate::value::Value;

/// As arithmetic converts: a text that is no number is 0, and only texts and numbers are taken.
pub(super) fn calculable(value: &Given<'_>) -> Option<f64> {
    match value {
        Given::Number(number) => Some(number.as_f64()),
        Given::Float(number) => Some(*number),
        Given::Text(text) => Some(parse(text).unwrap_or(0.0)),
        Given::Null | Given::Bool(_) | Given::List(_) | Given::Made(_) | Given::Object(_) => None,
    }
}

/// As texts are put together: nothing is empty, a number has no exponent; the rest is not taken.
pub(super) fn text<'g>(value: &'g Given<'_>) -> Option<Cow<'g, str>> {
    match value {
        Given::Null => Some(Cow::Borrowed("")),
        Given::Number(number) => Some(Cow::Owned(number.as_f64().to_string())),
        Given::Float(number) => Some(Cow::Owned(plain(*number))),
        Given::Text(text) => Some(Cow::Borrowed(text)),
        Given::Bool(_) | Given::List(_) | Given::Made(_) | Given::Object(_) => None,
    }
}

/// The index that a part of a path names in a list; a fraction is cut off, and what is no number is the first.
pub(super) fn index(part: &str) -> Option<usize> {
    usize::try_from(whole(parse(part).unwrap_or(0.0))).ok()
}

/// Cut off towards zero. What no integer of 64 bits can be is the least of them, as in Go on the usual machines.
pub(super) fn whole(number: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "the bounds are checked")]
    if (-TWO_TO_63..TWO_TO_63).contains(&number) { number as i64 } else { i64::MIN }
}

/// The number that a text is, as Go's `strconv.ParseFloat` reads it; beyond the range of f64 it is infinite.
pub(super) fn parse(text: &str) -> Option<f64> {
    // Most texts that are compared are no numbers, and their first letter says so.
    match text.as_bytes() {
        [b'0'..=b'9' | b'+' | b'-' | b'.' | b'i' | b'I', ..] => {
            let number = text.parse().ok().or_else(|| hexadecimal(text)).or_else(|| separated(text))?;
            // There is no sign before what is no number.
            (!f64::is_nan(number)).then_some(number)
        }
        [b'n' | b'N', ..] => text.parse().ok(),
        _ => None,
    }
}

/// The same for a comparison, which takes no text for a number that is out of the range.
pub(super) fn parse_within_range(text: &str) -> Option<f64> {
    let number = parse(text)?;
    (number.is_finite() || !text.bytes().any(|byte| byte.is_ascii_digit())).then_some(number)
}

/// The JSON text of a value, its numbers written as Go writes them.
pub(super) fn json(value: &Value) -> String {
    match value {
        Value::Number(number) => json_number(number.as_f64()),
        Value::List(values) => {
            let values: Vec<_> = values.iter().map(json).collect();
            format!("[{}]", values.join(","))
        }
        Value::Object(map) => {
            let fields: Vec<_> =
                map.iter().map(|(name, value)| format!("{}:{}", Value::from(name), json(value))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value.to_string(),
    }
}

fn json_number(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{number:e}");
        return if text.contains("e-") { text } else { text.replace('e', "e+") };
    }
    number.to_string()
}

fn plain(number: f64) -> String {
    if number == f64::INFINITY {
        "+Inf".to_owned()
    } else if number == f64::NEG_INFINITY {
        "-Inf".to_owned()
    } else {
        number.to_string()
    }
}

/// `1_000`: an underscore between any two digits.
fn separated(text: &str) -> Option<f64> {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    let holds = |(at, byte): (usize, &u8)| {
        *byte != b'_'
            || is_digit(at.checked_sub(1).and_then(|at| bytes.get(at))) && is_digit(bytes.get(at + 1))
    };
    if !text.contains('_') || !bytes.iter().enumerate().all(holds) {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// `0x1.8p3`: mantissa in base 16, exponent of two; the exponent must stand.
fn hexadecimal(text: &str) -> Option<f64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1.0, text),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if !(1..=13).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let digits = u64::from_str_radix(&digits, 16).ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "at most thirteen digits of four bits")]
    Some(sign * digits as f64 * f64::from(exponent.saturating_sub(4 * places)).exp2())
}

/// The first number that no integer of 64 bits with a sign can be.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_texts_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("1", 1.0),
            ("+1.5", 1.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("0x1.8p3", 12.0),
            ("1e400", f64::INFINITY),
            ("1_000.2_5e+0_1", 10_002.5),
            ("-Infinity", f64::NEG_INFINITY),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        for text in [
            "",
            " 1",
            "1 ",
            "abc",
            "_1",
            "1_",
            "1__0",
            "1_.0",
            "1_e5",
            "0x10",
            "0x+1p0",
            "--1",
            "1.2.3",
            "-nan",
            "0x1.8p-2147483649",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("0x1.8p-2147483648"), Some(0.0));
        assert_eq!(parse_within_range("1e400"), None);
        assert_eq!(parse_within_range("-inf"), Some(f64::NEG_INFINITY));
    }

    #[test]
    fn every_part_of_a_path_is_an_index_or_none() {
        for (part, expected) in [
            ("1", Some(1)),
            ("1e0", Some(1)),
            ("1.9", Some(1)),
            ("x", Some(0)),
            ("length", Some(0)),
            ("-0.5", Some(0)),
            ("-1", None),
            ("nan", None),
            ("inf", None),
            ("1e30", None),
        ] {
            assert_eq!(index(part), expected, "{part}");
        }
    }

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        for (number, expected) in [
            (1.0, "1"),
            (2.5, "2.5"),
            (1e21, "1e+21"),
            (1e20, "100000000000000000000"),
            (1e-7, "1e-7"),
            (-0.0, "-0"),
        ] {
            assert_eq!(json_number(number), expected);
        }
    }
}
