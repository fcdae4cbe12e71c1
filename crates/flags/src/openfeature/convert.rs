//! Between the values of the SDK and ours.

use std::{any::Any, collections::HashMap};

use open_feature::{
    EvaluationContext, EvaluationContextFieldValue, EvaluationError, EvaluationErrorCode, EvaluationReason,
    FlagMetadata, FlagMetadataValue, StructValue, Value as SdkValue,
};

use crate::{
    context::{Context, TARGETING_KEY},
    details::{ErrorCode, Reason},
    metadata::Metadata,
    snapshot::Reads,
    value::{Map, Number, Value},
};

/// The attributes that are looked at, as rules see them; all, if any may be. The targeting key proper counts where a
/// field is called `targetingKey` too.
pub(super) fn context_of(
    given: &EvaluationContext,
    reads: Option<Reads<'_>>,
) -> Result<Context, EvaluationError> {
    let mut attributes = Map::new();
    let mut insert = |name: &str, field| {
        let value = field_of(field).map_err(|problem| EvaluationError {
            code: EvaluationErrorCode::InvalidContext,
            message: Some(format!("the field \"{name}\" of the context {problem}")),
        })?;
        attributes.insert(name, value);
        Ok(())
    };
    match reads {
        Some(reads) => {
            let mut fields = reads.names().filter_map(|name| given.custom_fields.get_key_value(name));
            fields.try_for_each(|(name, field)| insert(name, field))?;
        }
        None => given.custom_fields.iter().try_for_each(|(name, field)| insert(name, field))?,
    }
    let is_read = || reads.is_none_or(|reads| reads.names().any(|name| name == TARGETING_KEY));
    if let Some(key) = given.targeting_key.as_ref().filter(|_| is_read()) {
        attributes.insert(TARGETING_KEY, key.as_str());
    }
    Ok(Context::from(attributes))
}

fn field_of(field: &EvaluationContextFieldValue) -> Result<Value, &'static str> {
    match field {
        EvaluationContextFieldValue::Bool(truth) => Ok(Value::Bool(*truth)),
        EvaluationContextFieldValue::Int(number) => Ok(Value::from(*number)),
        EvaluationContextFieldValue::Float(number) => float_of(*number),
        EvaluationContextFieldValue::String(text) => Ok(Value::from(text.as_str())),
        EvaluationContextFieldValue::DateTime(time) => {
            let (hours, minutes, _) = time.offset().as_hms();
            let offset = if (hours, minutes) == (0, 0) {
                "Z".to_owned()
            } else {
                let sign = if hours < 0 || minutes < 0 { '-' } else { '+' };
                format!("{sign}{:02}:{:02}", hours.unsigned_abs(), minutes.unsigned_abs())
            };
            let fraction = match time.nanosecond() {
                0 => String::new(),
                nanoseconds => format!(".{nanoseconds:09}").trim_end_matches('0').to_owned(),
            };
            let (year, month, day) = time.to_calendar_date();
            let (hour, minute, second) = time.to_hms();
            Ok(Value::String(format!(
                "{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{offset}",
                u8::from(month),
            )))
        }
        EvaluationContextFieldValue::Struct(anything) => structure_of(&**anything),
    }
}

/// A structure is whatever the program put there; what it can be is tried.
fn structure_of(anything: &(dyn Any + Send + Sync)) -> Result<Value, &'static str> {
    if let Some(structure) = anything.downcast_ref::<StructValue>() {
        return object_of(structure);
    }
    if let Some(value) = anything.downcast_ref::<SdkValue>() {
        return value_of(value);
    }
    if let Some(value) = anything.downcast_ref::<serde_json::Value>() {
        return Ok(Value::from(value.clone()));
    }
    Err("is a structure of an unknown type: give a StructValue, a Value or a serde_json::Value")
}

fn value_of(value: &SdkValue) -> Result<Value, &'static str> {
    match value {
        SdkValue::Bool(truth) => Ok(Value::Bool(*truth)),
        SdkValue::Int(number) => Ok(Value::from(*number)),
        SdkValue::Float(number) => float_of(*number),
        SdkValue::String(text) => Ok(Value::from(text.as_str())),
        SdkValue::Array(values) => values.iter().map(value_of).collect::<Result<_, _>>().map(Value::List),
        SdkValue::Struct(structure) => object_of(structure),
    }
}

fn object_of(structure: &StructValue) -> Result<Value, &'static str> {
    let fields = structure.fields.iter().map(|(name, value)| Ok((name.as_str(), value_of(value)?)));
    fields.collect::<Result<Map, _>>().map(Value::Object)
}

fn float_of(number: f64) -> Result<Value, &'static str> {
    let number = Number::from_f64(number).ok_or("is not a finite number: give one that is")?;
    Ok(Value::Number(number))
}

/// An object as the SDK has it: without fields that are null.
pub(super) fn struct_of(map: &Map) -> Result<StructValue, &'static str> {
    let mut fields = HashMap::with_capacity(map.len());
    for (name, value) in map.iter().filter(|(_, value)| **value != Value::Null) {
        fields.insert(name.to_owned(), sdk_value_of(value)?);
    }
    Ok(StructValue { fields })
}

fn sdk_value_of(value: &Value) -> Result<SdkValue, &'static str> {
    match value {
        Value::Null => Err("a list in its value has a null, which the SDK cannot hold: leave it out"),
        Value::Bool(truth) => Ok(SdkValue::Bool(*truth)),
        Value::Number(number) => {
            Ok(number.as_i64().map_or_else(|| SdkValue::Float(number.as_f64()), SdkValue::Int))
        }
        Value::String(text) => Ok(SdkValue::String(text.clone())),
        Value::List(values) => values.iter().map(sdk_value_of).collect::<Result<_, _>>().map(SdkValue::Array),
        Value::Object(map) => struct_of(map).map(SdkValue::Struct),
    }
}

pub(super) fn metadata_of(metadata: &Metadata) -> FlagMetadata {
    let values = metadata.iter().filter_map(|(name, value)| {
        let value = match value {
            Value::Bool(truth) => FlagMetadataValue::Bool(*truth),
            Value::Number(number) => match number.as_i64() {
                Some(number) => FlagMetadataValue::Int(number),
                None => FlagMetadataValue::Float(number.as_f64()),
            },
            Value::String(text) => FlagMetadataValue::String(text.clone()),
            // Metadata has only what stands above; the reader of documents sees to that.
            Value::Null | Value::List(_) | Value::Object(_) => return None,
        };
        Some((name.to_owned(), value))
    });
    FlagMetadata { values: values.collect() }
}

pub(super) fn reason_of(reason: Reason) -> EvaluationReason {
    match reason {
        Reason::Static => EvaluationReason::Static,
        Reason::Default => EvaluationReason::Default,
        Reason::TargetingMatch => EvaluationReason::TargetingMatch,
        Reason::Split => EvaluationReason::Split,
        Reason::Cached => EvaluationReason::Cached,
        Reason::Disabled => EvaluationReason::Disabled,
        Reason::Unknown => EvaluationReason::Unknown,
        Reason::Error => EvaluationReason::Error,
        Reason::Stale => EvaluationReason::Other(reason.as_str().to_owned()),
    }
}

pub(super) fn error_of(error: &crate::EvaluationError) -> EvaluationError {
    let code = match error.code() {
        ErrorCode::ProviderNotReady => EvaluationErrorCode::ProviderNotReady,
        ErrorCode::FlagNotFound => EvaluationErrorCode::FlagNotFound,
        ErrorCode::ParseError => EvaluationErrorCode::ParseError,
        ErrorCode::TypeMismatch => EvaluationErrorCode::TypeMismatch,
        ErrorCode::TargetingKeyMissing => EvaluationErrorCode::TargetingKeyMissing,
        ErrorCode::InvalidContext => EvaluationErrorCode::InvalidContext,
        ErrorCode::ProviderFatal | ErrorCode::General => {
            EvaluationErrorCode::General(error.code().as_str().to_owned())
        }
    };
    EvaluationError { code, message: Some(error.to_string()) }
}
