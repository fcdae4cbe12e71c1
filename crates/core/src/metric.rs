//! Values that a metrics source answers with, and the questions put to it.

use std::{cmp::Ordering, collections::BTreeMap, fmt, hash, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

pub use self::{
    arms::{ArmCounts, Arms, ArmsError, Window},
    histogram::{Counts, Histogram},
    windows::Windows,
};
use crate::{
    time::{GoDuration, Timestamp},
    traffic::Revision,
};

mod arms;
mod histogram;
mod windows;

/// A floating-point number that can be compared, hashed and stored.
///
/// JSON has no `NaN` and no infinities, and metrics sources answer with them daily; here they are serialised as the
/// texts `"NaN"`, `"+Inf"` and `"-Inf"`, the way Prometheus writes them. Equality is by value, except that NaN
/// equals NaN; the order is that of [`f64::total_cmp`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Number(f64);

impl Number {
    /// Wraps a number; `-0.0` becomes `0.0`.
    pub fn new(value: f64) -> Self {
        if value.is_nan() { Self(f64::NAN) } else { Self(value + 0.0) }
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// Whether the number is neither NaN nor infinite.
    pub const fn is_finite(self) -> bool {
        self.0.is_finite()
    }

    /// Whether this is "not a number".
    pub const fn is_nan(self) -> bool {
        self.0.is_nan()
    }

    /// What it prints, without the detour through a formatter where that is possible.
    pub(crate) fn text(self) -> String {
        Decimal::of(self.0).map_or_else(|| self.to_string(), |decimal| decimal.as_str().to_owned())
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self::new(value)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl hash::Hash for Number {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_nan() {
            f.write_str("NaN")
        } else if self.0.is_infinite() {
            f.write_str(if self.0 > 0.0 { "+Inf" } else { "-Inf" })
        } else if self.0 != 0.0 && !(1e-4..1e21).contains(&self.0.abs()) {
            write!(f, "{:e}", self.0)
        } else {
            match Decimal::of(self.0) {
                Some(decimal) => f.write_str(decimal.as_str()),
                None => write!(f, "{}", self.0),
            }
        }
    }
}

/// The text of a number with at most three decimals. Most measurements are such numbers, and finding the shortest text
/// of any number takes several times as long.
struct Decimal {
    text: [u8; 16],
    start: usize,
}

impl Decimal {
    fn of(value: f64) -> Option<Self> {
        let size = value.abs();
        if size >= 1e9 {
            return None;
        }
        let mut scale = 1.0;
        for decimals in 0..=3 {
            let digits = (size * scale + 0.5) as u64;
            // Both are whole and exact, so their quotient is the number nearest to the text; no other text with so few
            // digits leads to the same number.
            if digits as f64 / scale == size {
                return Some(Self::written(value < 0.0, digits, decimals));
            }
            scale *= 10.0;
        }
        None
    }

    fn written(is_negative: bool, mut digits: u64, decimals: usize) -> Self {
        let mut decimal = Self { text: [0; 16], start: 16 };
        let mut written = 0;
        while digits > 0 || written <= decimals {
            if written == decimals && decimals > 0 {
                decimal.push(b'.');
            }
            decimal.push(b'0' + (digits % 10) as u8);
            digits /= 10;
            written += 1;
        }
        if is_negative {
            decimal.push(b'-');
        }
        decimal
    }

    /// Puts a letter before the others.
    fn push(&mut self, letter: u8) {
        self.start -= 1;
        self.text[self.start] = letter;
    }

    fn as_str(&self) -> &str {
        // Only ASCII is ever pushed.
        str::from_utf8(&self.text[self.start..]).unwrap_or_default()
    }
}

impl FromStr for Number {
    type Err = NumberError;

    /// Reads what [`Number`] prints, and every spelling Prometheus uses.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        match text {
            "NaN" => Ok(Self::new(f64::NAN)),
            "+Inf" | "Inf" => Ok(Self::new(f64::INFINITY)),
            "-Inf" => Ok(Self::new(f64::NEG_INFINITY)),
            _ => text
                .parse()
                .ok()
                .filter(|value: &f64| value.is_finite())
                .map(Self::new)
                .ok_or_else(|| NumberError { text: text.to_owned() }),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() { serializer.serialize_f64(self.0) } else { serializer.collect_str(self) }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(value) => Ok(Self::new(value)),
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Number {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A number, or one of the texts NaN, +Inf, -Inf.",
            "anyOf": [{"type": "number"}, {"type": "string", "enum": ["NaN", "+Inf", "-Inf"]}]
        })
    }
}

/// A text that is not a number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a number: expected a decimal number, NaN, +Inf or -Inf")]
pub struct NumberError {
    text: String,
}

/// One answer of a metrics source, before anybody judged it.
///
/// The emptiness of an answer is part of it: a query that matched nothing is [`Sample::List`] without elements, an
/// answer without a value is [`Sample::Null`], and 0/0 is a [`Number`] that is NaN. None of them is a pass.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Sample {
    /// No value at all.
    Null,
    /// A yes or no.
    Bool(bool),
    /// A number; it may be NaN or infinite.
    Number(Number),
    /// A text.
    Text(String),
    /// Several values, in the order of the source; may be empty.
    List(Vec<Sample>),
    /// Named values.
    Map(BTreeMap<String, Sample>),
    /// What both arms of a comparison did, as it was counted: to be had by `Arms::try_from`. In every respect the same
    /// as the map that [`Arms`] describes, which is what it is serialised as and compared by.
    Arms(Arc<Arms>),
}

impl Sample {
    /// A number.
    pub fn number(value: f64) -> Self {
        Self::Number(Number::new(value))
    }

    /// An answer without any element: what a query that matched nothing gives.
    pub const fn empty() -> Self {
        Self::List(Vec::new())
    }

    /// The only number in this answer: the number itself, or that of a list with one element.
    pub fn as_number(&self) -> Option<Number> {
        match self {
            Self::Number(number) => Some(*number),
            Self::List(items) => match items.as_slice() {
                [only] => only.as_number(),
                _ => None,
            },
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::Map(_) | Self::Arms(_) => None,
        }
    }

    /// The named values, if this is a map or counts of both arms.
    pub fn into_map(self) -> Option<BTreeMap<String, Self>> {
        match self {
            Self::Map(map) => Some(map),
            Self::Arms(arms) => Some(arms.to_map()),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// Whether there is nothing in this answer.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::List(items) => items.is_empty(),
            Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Map(_) | Self::Arms(_) => false,
        }
    }

    /// The place of the kind of value in the order of samples.
    const fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Number(_) => 2,
            Self::Text(_) => 3,
            Self::List(_) => 4,
            Self::Map(_) | Self::Arms(_) => 5,
        }
    }
}

impl PartialEq for Sample {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Sample {}

impl PartialOrd for Sample {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sample {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(one), Self::Bool(two)) => one.cmp(two),
            (Self::Number(one), Self::Number(two)) => one.cmp(two),
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            (Self::List(one), Self::List(two)) => one.cmp(two),
            (Self::Map(one), Self::Map(two)) => one.cmp(two),
            (Self::Arms(one), Self::Arms(two)) if one == two => Ordering::Equal,
            (Self::Arms(one), Self::Arms(two)) => one.to_map().cmp(&two.to_map()),
            (Self::Arms(one), Self::Map(two)) => one.to_map().cmp(two),
            (Self::Map(one), Self::Arms(two)) => one.cmp(&two.to_map()),
            (one, two) => one.rank().cmp(&two.rank()),
        }
    }
}

impl hash::Hash for Sample {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            Self::Null => {}
            Self::Bool(value) => value.hash(state),
            Self::Number(value) => value.hash(state),
            Self::Text(text) => text.hash(state),
            Self::List(items) => items.hash(state),
            Self::Map(items) => items.hash(state),
            Self::Arms(arms) => arms.to_map().hash(state),
        }
    }
}

impl From<f64> for Sample {
    fn from(value: f64) -> Self {
        Self::number(value)
    }
}

impl fmt::Display for Sample {
    /// Scalars plainly, lists as `[10,11]`, maps as JSON; as Argo Rollouts prints measured values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        f.write_str(",")?;
                    }
                    item.fmt(f)?;
                }
                f.write_str("]")
            }
            Self::Map(_) | Self::Arms(_) => {
                f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
            }
        }
    }
}

impl Serialize for Sample {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) if value.is_finite() => value.serialize(serializer),
            // A text "NaN" and the number NaN must stay apart, so the number is written as a map with one key.
            Self::Number(value) => BTreeMap::from([("$number", value)]).serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => items.serialize(serializer),
            Self::Map(items) => items.serialize(serializer),
            Self::Arms(arms) => arms.to_map().serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(serde_json::Value::deserialize(deserializer)?))
    }
}

impl From<serde_json::Value> for Sample {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => Self::number(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => Self::Text(text),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Object(items) => {
                if let (1, Some(Value::String(text))) = (items.len(), items.get("$number"))
                    && let Ok(number) = text.parse()
                {
                    return Self::Number(number);
                }
                Self::Map(items.into_iter().map(|(key, value)| (key, Self::from(value))).collect())
            }
        }
    }
}

/// What a metrics source is asked, in that source's own language.
///
/// Plain data, so that it can stand in a plan; the provider that knows the language reads `settings` and says what
/// is wrong with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(
    clippy::exhaustive_structs,
    reason = "built by readers of manifests and by hand; settings take what is new"
)]
pub struct Query {
    /// Which provider answers: `prometheus`, or [`Query::BUILTIN`] for the metrics every provider knows by name.
    pub provider: String,
    /// The query. `{{candidate}}` and `{{stable}}` stand for the two revisions.
    pub text: String,
    /// The window over which rates are taken, where the provider does not write it into the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<GoDuration>,
    /// Whatever else the provider needs: address, headers, timeout.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

impl Query {
    /// The provider name of the metrics that every provider knows: [`Query::SUCCESS_RATE`] and [`Query::DURATION`].
    pub const BUILTIN: &str = "builtin";
    /// Share of the candidate's requests that did not fail on the server's side, in percent, `0..=100`.
    pub const SUCCESS_RATE: &str = "request-success-rate";
    /// 99th percentile of the time the candidate takes to answer, in milliseconds.
    pub const DURATION: &str = "request-duration";
    /// What both revisions did within [`Question::window`], as [`Arms`]: the data of a comparison; with a control group
    /// where the provider counts one.
    pub const ARMS: &str = "arms";
    /// Share of the requests answered by both revisions, the candidate's answer thrown away, whose two answers agree;
    /// in percent, `0..=100`. Empty if fewer pairs were compared than the setting [`Query::LEAST_PAIRS`] asks for.
    pub const AGREEMENT: &str = "agreement";
    /// The setting of [`Query::AGREEMENT`] with the least number of pairs, a whole number from 1; 1 without it.
    pub const LEAST_PAIRS: &str = "leastPairs";

    /// One of the metrics every provider knows by name, over a window.
    pub fn builtin(name: impl Into<String>, window: GoDuration) -> Self {
        Self {
            provider: Self::BUILTIN.into(),
            text: name.into(),
            window: Some(window),
            settings: BTreeMap::new(),
        }
    }

    /// A query in the language of a provider.
    pub fn new(provider: impl Into<String>, text: impl Into<String>) -> Self {
        Self { provider: provider.into(), text: text.into(), window: None, settings: BTreeMap::new() }
    }
}

/// A question about one moment of a rollout.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_structs, reason = "the whole of what a provider is told")]
pub struct Question {
    /// What is asked.
    pub query: Arc<Query>,
    /// The new revision.
    pub candidate: Revision,
    /// The proven revision.
    pub stable: Revision,
    /// The moment the answer is about.
    pub at: Timestamp,
    /// The window that both arms are asked about; only questions of a comparison have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_cannot_hold_survives_a_round_trip() {
        let sample = Sample::List(vec![
            Sample::number(f64::NAN),
            Sample::number(f64::INFINITY),
            Sample::Text("NaN".into()),
            Sample::number(0.5),
            Sample::Null,
        ]);
        let text = serde_json::to_string(&sample).unwrap();
        assert_eq!(serde_json::from_str::<Sample>(&text).unwrap(), sample);
        assert_eq!(sample.to_string(), "[NaN,+Inf,NaN,0.5,null]");
    }

    #[test]
    fn numbers_print_as_the_shortest_text_that_reads_back() {
        let mut bits = 1_u64;
        let mut thousandths = 0_u32;
        let fixed =
            [0.0, 0.1, 0.3, 1.005, 99.9, -99.95, 0.001, 0.0001, 1e9, 999_999_999.999, 0.1 + 0.2, 4.35];
        let drawn = (0..50_000).map(|_| {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from_bits((bits >> 12) | 0x3ff0_0000_0000_0000) * 500.0 - 750.0
        });
        let counted = (0..50_000).map(|_| {
            thousandths += 7;
            f64::from(thousandths) / 1000.0
        });
        // Below that they are written with an exponent.
        let drawn = drawn.filter(|value| value.abs() >= 1e-4);
        for value in fixed.into_iter().chain(drawn).chain(counted) {
            let number = Number::new(value);
            assert_eq!((number.to_string(), number.text()), (format!("{value}"), format!("{value}")));
        }
    }
}
