//! Vectors of statistics: a `method`, an `input`, what is `expected`, and the `tolerance` of each number.
//!
//! Numbers that JSON does not have are the strings `NaN`, `Infinity` and `-Infinity`; an expected null is not compared.

use serde_json::{Map, Value};

#[path = "stats/fixed.rs"]
mod fixed;
#[path = "stats/samples.rs"]
mod samples;
#[path = "stats/sequential.rs"]
mod sequential;

/// `Ok(None)`: as expected. `Ok(Some(_))`: what differs. `Err(_)`: why there is no answer to compare.
pub(crate) fn check(vector: &Value) -> Result<Option<String>, String> {
    let method = vector.get("method").and_then(Value::as_str).ok_or("there is no `method`")?;
    let input = Input(vector.get("input").and_then(Value::as_object).ok_or("`input` is no object")?);
    let answer = sequential::answer(method, input)
        .or_else(|| fixed::answer(method, input))
        .ok_or_else(|| format!("unknown method `{method}`"))??;
    let tolerance = vector.get("tolerance").and_then(Value::as_object).ok_or("there is no `tolerance`")?;
    let tolerance = Tolerance {
        relative: tolerance.get("rel").and_then(Value::as_f64).unwrap_or(0.0),
        absolute: tolerance.get("abs").and_then(Value::as_f64).unwrap_or(0.0),
    };
    let expected = vector.get("expected").ok_or("there is no `expected`")?;
    Ok(difference("", &answer, expected, tolerance))
}

/// The methods that have no counterpart, on purpose, and why.
pub(crate) fn left_out(method: &str) -> Option<&'static str> {
    Some(match method {
        "ddsketch" | "hdr_histogram" => "sketches come from their own crates",
        "post_stratification" => "not recommended for rollouts",
        "gb_quantile" => "a rival's quantile test, which nothing here is compared with",
        "eppo_sequential_multiplier" => "the two-sided normal mixture under another name",
        _ => return None,
    })
}

/// An object of arguments.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Input<'a> {
    pub(crate) fn get(self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn need(self, key: &str) -> Result<&'a Value, String> {
        self.get(key).ok_or_else(|| format!("there is no `{key}`"))
    }

    pub(crate) fn number(self, key: &str) -> Result<f64, String> {
        number(self.need(key)?).map_err(|error| format!("`{key}`: {error}"))
    }

    pub(crate) fn number_or(self, key: &str, default: f64) -> Result<f64, String> {
        if self.get(key).is_some() { self.number(key) } else { Ok(default) }
    }

    pub(crate) fn count(self, key: &str) -> Result<u64, String> {
        count(self.need(key)?).map_err(|error| format!("`{key}`: {error}"))
    }

    pub(crate) fn flag(self, key: &str) -> Result<bool, String> {
        self.need(key)?.as_bool().ok_or_else(|| format!("`{key}` is not true or false"))
    }

    pub(crate) fn text(self, key: &str) -> Result<&'a str, String> {
        self.need(key)?.as_str().ok_or_else(|| format!("`{key}` is no text"))
    }

    pub(crate) fn list(self, key: &str) -> Result<&'a [Value], String> {
        self.need(key)?.as_array().map(Vec::as_slice).ok_or_else(|| format!("`{key}` is no list"))
    }

    pub(crate) fn numbers(self, key: &str) -> Result<Vec<f64>, String> {
        self.list(key)?.iter().map(number).collect()
    }

    pub(crate) fn counts(self, key: &str) -> Result<Vec<u64>, String> {
        self.list(key)?.iter().map(count).collect()
    }

    pub(crate) fn object(self, key: &str) -> Result<Input<'a>, String> {
        self.need(key)?.as_object().map(Input).ok_or_else(|| format!("`{key}` is no object"))
    }

    /// A sample, as a list or as its recipe.
    pub(crate) fn sample(self, key: &str) -> Result<Vec<f64>, String> {
        samples::sample(self.need(key)?)
    }
}

pub(crate) fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Number(number) => number.as_f64().ok_or_else(|| format!("{number} is no double")),
        Value::String(text) => text.parse().map_err(|_| format!("`{text}` is no number")),
        other => Err(format!("{other} is no number")),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be a whole number in range"
)]
pub(crate) fn count(value: &Value) -> Result<u64, String> {
    if let Some(count) = value.as_u64() {
        return Ok(count);
    }
    let number = number(value)?;
    let whole = (0.0..1.8e19).contains(&number) && number.fract() == 0.0;
    if whole { Ok(number as u64) } else { Err(format!("{number} is no count")) }
}

/// A number as it stands in the vectors.
pub(crate) fn shown(number: f64) -> Value {
    if number.is_nan() {
        "NaN".into()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else {
        number.into()
    }
}

/// A list of numbers as it stands in the vectors.
pub(crate) fn shown_list(numbers: impl IntoIterator<Item = f64>) -> Value {
    numbers.into_iter().map(shown).collect()
}

#[derive(Clone, Copy)]
struct Tolerance {
    relative: f64,
    absolute: f64,
}

fn difference(place: &str, answer: &Value, expected: &Value, tolerance: Tolerance) -> Option<String> {
    match (answer, expected) {
        // A look that never comes is an answer.
        (_, Value::Null) if !place.starts_with(".first_look") => None,
        (Value::Object(answers), Value::Object(wanted)) => wanted.iter().find_map(|(key, wanted)| {
            let place = format!("{place}.{key}");
            // The notes of these vectors say so: a convex solver stopped there.
            let tolerance = if key.starts_with("savvi_") {
                Tolerance { relative: 0.0, absolute: 1e-3 }
            } else {
                tolerance
            };
            match answers.get(key) {
                Some(answer) => difference(&place, answer, wanted, tolerance),
                None if wanted.is_null() => None,
                None => Some(format!("{place} is expected and not answered")),
            }
        }),
        (Value::Array(answers), Value::Array(wanted)) => {
            if answers.len() != wanted.len() {
                return Some(format!("{place} has {} entries, not {}", answers.len(), wanted.len()));
            }
            answers.iter().zip(wanted).enumerate().find_map(|(index, (answer, wanted))| {
                difference(&format!("{place}[{index}]"), answer, wanted, tolerance)
            })
        }
        (answer, expected) => {
            let same = match (number(answer), number(expected)) {
                (Ok(own), Ok(wanted)) => {
                    own == wanted
                        || (own.is_nan() && wanted.is_nan())
                        || (own - wanted).abs() <= tolerance.absolute + tolerance.relative * wanted.abs()
                }
                _ => answer == expected,
            };
            (!same).then(|| format!("{place} is {answer}, not {expected}"))
        }
    }
}
