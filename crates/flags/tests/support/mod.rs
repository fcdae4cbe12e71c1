//! Asking flags as tables of cases do: by the name of a type, answered in JSON.

use serde_json::Value;
use serinus_flags::{
    Context, Details, FlagType, Flags, Format, Map, NoValue, Options, Text, logic::Generation,
};

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Resolved {
        reason: String,
        variant: Option<String>,
        /// Or the caller's default.
        value: Value,
    },
    /// The code of the error; the caller's default counts.
    Failed(String),
}

/// The flags of a document.
pub(crate) fn flags(document: &Value, generation: Generation) -> Flags {
    let options = Options::default().generation(generation);
    let flags = Flags::default();
    flags.load(&options.read(document.to_string().as_bytes(), Format::Json, None).unwrap());
    flags
}

pub(crate) fn context(attributes: &Value) -> Context {
    serde_json::from_value(attributes.clone()).unwrap()
}

/// Asks for a flag as a `boolean`, `string`, `integer`, `float` or `object`, by both ways that there are.
#[expect(clippy::panic, reason = "tests may panic")]
pub(crate) fn ask(flags: &Flags, key: &str, asked: &str, default: &Value, context: &Context) -> Answer {
    match asked {
        "boolean" => {
            let default = default.as_bool().unwrap();
            let details = flags.bool_details(key, context);
            agree(&details, flags.bool(key, context).ok(), details.value().ok());
            answer(&details, details.value().unwrap_or(default).into())
        }
        "integer" => {
            let default = default.as_i64().unwrap();
            let details = flags.int_details(key, context);
            agree(&details, flags.int(key, context).ok(), details.value().ok());
            answer(&details, details.value().unwrap_or(default).into())
        }
        "float" => {
            let default = default.as_f64().unwrap();
            let details = flags.float_details(key, context);
            agree(&details, flags.float(key, context).ok(), details.value().ok());
            answer(&details, details.value().unwrap_or(default).into())
        }
        "string" => {
            let details = flags.string_details(key, context);
            let text = flags.string(key, context);
            agree(&details, text.as_ref().ok().map(|text: &Text| &**text), details.value().ok());
            answer(&details, details.value().map_or(default.clone(), Value::from))
        }
        "object" => {
            let details = flags.object_details(key, context);
            let object = flags.object(key, context);
            agree(&details, object.as_ref().ok().map(|object| &**object), details.value().ok());
            let json = |object: &Map| serde_json::to_value(object).unwrap();
            answer(&details, details.value().map_or(default.clone(), json))
        }
        _ => panic!("no type of a flag is called {asked}"),
    }
}

fn agree<T: FlagType + ?Sized, V: PartialEq + std::fmt::Debug>(
    details: &Details<T>,
    short: Option<V>,
    long: Option<V>,
) {
    assert_eq!(short, long, "{:?}", details.variant());
}

fn answer<T: FlagType + ?Sized>(details: &Details<T>, value: Value) -> Answer {
    if let Some(code) = details.error_code() {
        assert_eq!(details.value().err(), Some(NoValue::Failed(code)));
        assert_eq!(details.reason().as_str(), "ERROR");
        return Answer::Failed(code.to_string());
    }
    Answer::Resolved {
        reason: details.reason().to_string(),
        variant: details.variant().map(str::to_owned),
        value,
    }
}

/// Whether two values are the same, however their numbers are written.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => match (one.as_i64(), other.as_i64()) {
            (Some(one), Some(other)) => one == other,
            _ => one.as_f64() == other.as_f64(),
        },
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}
