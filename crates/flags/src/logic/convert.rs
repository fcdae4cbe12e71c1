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

/// The index that a part of a path names in a list; a fraction is cut off.
pub(super) fn index(part: &str) -> Option<usize> {
    let index = parse(part)?.trunc();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the bounds are checked")]
    (0.0..9.0e15).contains(&index).then_some(index as usize)
}

/// The number that a text is, as Go's `strconv.ParseFloat` reads it; beyond the range of f64 it is infinite.
pub(super) fn parse(text: &str) -> Option<f64> {
    // Most texts that are compared are no numbers, and their first letter says so.
    match text.as_bytes().first()? {
        b'0'..=b'9' | b'+' | b'-' | b'.' | b'i' | b'I' | b'n' | b'N' => {
            text.parse().ok().or_else(|| hexadecimal(text))
        }
        _ => None,
    }
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
    if whole.len() + fraction.len() == 0 || whole.len() + fraction.len() > 13 {
        return None;
    }
    let digits = u64::from_str_radix(&format!("{whole}{fraction}"), 16).ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "at most thirteen digits of four bits")]
    Some(sign * digits as f64 * f64::from(exponent - 4 * places).exp2())
}

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
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        for text in ["", " 1", "1 ", "abc", "1_000", "0x10", "--1", "1.2.3"] {
            assert_eq!(parse(text), None, "{text}");
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
