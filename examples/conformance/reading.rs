//! Cases: input keys by meaning, and answers compared with what is expected.

use std::{cell::RefCell, collections::BTreeSet, fmt};

use serde_json::{Map, Value};
use serinus_core::time::GoDuration;

/// Why a case cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable(pub(crate) String);

/// An object whose every key must be understood.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    fields: &'a Map<String, Value>,
    read: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Input<'a> {
    pub(crate) fn new(value: &'a Value) -> Result<Self, Unreadable> {
        let fields = value.as_object().ok_or_else(|| Unreadable(format!("`{value}` is not an object")))?;
        Ok(Self { fields, read: RefCell::default() })
    }

    /// The value of a key; null counts as absent.
    pub(crate) fn get(&self, key: &'static str) -> Option<&'a Value> {
        self.read.borrow_mut().insert(key);
        self.fields.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    pub(crate) fn number(&self, key: &'static str) -> Result<Option<i64>, Unreadable> {
        self.get(key).map(|value| whole(key, value)).transpose()
    }

    pub(crate) fn count(&self, key: &'static str) -> Result<Option<u32>, Unreadable> {
        let number = self.number(key)?;
        number
            .map(|number| u32::try_from(number).map_err(|_| Unreadable(format!("`{key}` is {number}"))))
            .transpose()
    }

    pub(crate) fn is(&self, key: &'static str) -> Result<bool, Unreadable> {
        match self.get(key) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(other) => Err(Unreadable(format!("`{key}` is {other}, not true or false"))),
        }
    }

    pub(crate) fn text(&self, key: &'static str) -> Result<Option<&'a str>, Unreadable> {
        self.get(key)
            .map(|value| value.as_str().ok_or_else(|| Unreadable(format!("`{key}` is {value}, not a text"))))
            .transpose()
    }

    pub(crate) fn length(&self, key: &'static str) -> Result<Option<GoDuration>, Unreadable> {
        let text = self.text(key)?.filter(|text| !text.is_empty());
        text.map(|text| text.parse().map_err(|error| Unreadable(format!("`{key}`: {error}")))).transpose()
    }

    pub(crate) fn object(&self, key: &'static str) -> Result<Option<Input<'a>>, Unreadable> {
        self.get(key).map(Input::new).transpose()
    }

    /// Fails if a key was never asked for.
    pub(crate) fn finish(&self) -> Result<(), Unreadable> {
        let read = self.read.borrow();
        match self.fields.keys().find(|key| !read.contains(key.as_str()) && !REMARKS.contains(&key.as_str()))
        {
            Some(key) => Err(Unreadable(format!("unknown key `{key}`"))),
            None => Ok(()),
        }
    }
}

pub(crate) fn whole(key: &str, value: &Value) -> Result<i64, Unreadable> {
    let text = || value.as_str().and_then(|text| text.parse().ok());
    value.as_i64().or_else(text).ok_or_else(|| Unreadable(format!("`{key}` is {value}, not a whole number")))
}

/// What the library says.
#[derive(Debug, Default)]
pub(crate) struct Answer(Map<String, Value>, Map<String, Value>);

impl Answer {
    pub(crate) fn error(error: impl fmt::Display) -> Self {
        Self::default().with("error", error.to_string())
    }

    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// A number that has changed; the change may be expected instead of the number, as `+1`.
    pub(crate) fn with_change(mut self, key: &str, value: Value, change: i64) -> Self {
        self.1.insert(key.to_owned(), format!("{change:+}").into());
        self.with(key, value)
    }

    /// Whether everything that is expected is so.
    pub(crate) fn meets(&self, expected: &Value) -> Result<bool, Unreadable> {
        let expected = expected
            .as_object()
            .ok_or_else(|| Unreadable(format!("expected `{expected}` is not an object")))?;
        let is_error = self.0.get("error").is_some_and(|error| !error.is_null());
        if expected.get("error").is_some_and(|error| !error.is_null()) {
            return Ok(is_error || self.0.get("phase").is_some_and(|phase| phase == "Error"));
        }
        if is_error && !expected.contains_key("phase") {
            return Ok(false);
        }
        let error_phase = expected.get("phase").is_some_and(|phase| phase == "Error");
        for (key, wanted) in expected {
            if REMARKS.contains(&key.as_str())
                || key == "error"
                || (key == "message" && error_phase && is_error)
            {
                continue;
            }
            match self.0.get(key) {
                Some(own) if same(own, wanted) => {}
                Some(_) if self.1.get(key).is_some_and(|change| change == wanted) => {}
                Some(_) => return Ok(false),
                None => return Err(Unreadable(format!("unknown key `{key}` in what is expected"))),
            }
        }
        Ok(true)
    }
}

/// Numbers by value, everything else as it is.
fn same(own: &Value, wanted: &Value) -> bool {
    match (own, wanted) {
        (Value::Number(own), Value::Number(wanted)) => own.as_f64() == wanted.as_f64(),
        (Value::Array(own), Value::Array(wanted)) => {
            own.len() == wanted.len() && own.iter().zip(wanted).all(|(own, wanted)| same(own, wanted))
        }
        (Value::Object(own), Value::Object(wanted)) => {
            own.len() == wanted.len()
                && own.iter().all(|(key, own)| wanted.get(key).is_some_and(|wanted| same(own, wanted)))
        }
        (Value::String(_), Value::Null) => own == "",
        _ => own == wanted,
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| fmt::Error)?)
    }
}

/// Keys that explain and decide nothing.
const REMARKS: &[&str] = &["case", "why", "note", "notes", "name", "description", "comment"];
