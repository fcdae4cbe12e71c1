//! Asking clients of the SDK. Nothing here waits, so that nothing needs a runtime.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use open_feature::{
    Client, EvaluationContext, EvaluationContextFieldValue, EvaluationDetails, EvaluationError,
    EvaluationOptions, FlagMetadataValue, Hook, HookContext, HookHints, OpenFeature, StructValue, Value,
    provider::ProviderStatus,
};
use serde_json::Value as Json;
use serinus_flags::{Flags, openfeature::SerinusProvider};

use crate::facts::Seen;

/// What comes of it when it is asked for the first time.
#[expect(clippy::panic, reason = "tests may panic")]
pub(crate) fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a call waits for something"),
    }
}

pub(crate) fn served(flags: Flags) -> (OpenFeature, Client) {
    let mut api = OpenFeature::default();
    at_once(api.set_provider(SerinusProvider::new(flags)));
    let client = api.create_client();
    (api, client)
}

#[expect(clippy::panic, reason = "tests may panic")]
pub(crate) fn ask(
    client: &Client,
    key: &str,
    asked: &str,
    context: &EvaluationContext,
    options: &EvaluationOptions,
) -> Result<Seen, EvaluationError> {
    let (context, options) = (Some(context), Some(options));
    let details = match asked {
        "boolean" => {
            at_once(client.get_bool_details(key, context, options)).map(EvaluationDetails::into_value)
        }
        "integer" => {
            at_once(client.get_int_details(key, context, options)).map(EvaluationDetails::into_value)
        }
        "float" => {
            at_once(client.get_float_details(key, context, options)).map(EvaluationDetails::into_value)
        }
        "string" => {
            at_once(client.get_string_details(key, context, options)).map(EvaluationDetails::into_value)
        }
        "object" => at_once(client.get_struct_details::<StructValue>(key, context, options))
            .map(EvaluationDetails::into_value),
        _ => panic!("no type of a flag is called {asked}"),
    };
    details.as_ref().map(seen).map_err(EvaluationError::clone)
}

/// The SDK has no null for a context; the provider reads that of JSON.
pub(crate) fn context(attributes: &Json) -> EvaluationContext {
    let mut context = EvaluationContext::default();
    for (name, value) in attributes.as_object().unwrap() {
        let field = match value {
            Json::Bool(truth) => EvaluationContextFieldValue::Bool(*truth),
            Json::Number(number) => EvaluationContextFieldValue::Int(number.as_i64().unwrap()),
            Json::String(text) => EvaluationContextFieldValue::String(text.clone()),
            Json::Null | Json::Array(_) | Json::Object(_) => {
                EvaluationContextFieldValue::new_struct(value.clone())
            }
        };
        context.add_custom_field(name, field);
    }
    context
}

pub(crate) fn context_of(entries: Option<&BTreeMap<String, String>>) -> EvaluationContext {
    entries.into_iter().flatten().fold(EvaluationContext::default(), |context, (name, value)| {
        context.with_custom_field(name, value.as_str())
    })
}

/// As the specification writes it.
pub(crate) fn status(status: &ProviderStatus) -> &'static str {
    match status {
        ProviderStatus::NotReady => "NOT_READY",
        ProviderStatus::Ready => "READY",
        ProviderStatus::Error => "ERROR",
        ProviderStatus::STALE => "STALE",
    }
}

/// What hooks are called with, and in which order.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) calls: Vec<String>,
    /// With the stage.
    pub(crate) details: Vec<(&'static str, Seen)>,
    /// Of the errors.
    pub(crate) codes: Vec<String>,
}

/// A hook that writes down how it is called.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) name: String,
    pub(crate) record: Arc<Mutex<Record>>,
    /// To the context, before the evaluation.
    pub(crate) adds: Option<EvaluationContext>,
}

impl Recorder {
    fn called(&self, stage: &'static str, then: impl FnOnce(&mut Record)) {
        let mut record = self.record.lock().unwrap();
        record.calls.push(format!("{} {stage}", self.name));
        then(&mut record);
    }
}

#[open_feature::async_trait]
impl Hook for Recorder {
    async fn before<'a>(
        &self,
        _: &HookContext<'a>,
        _: Option<&'a HookHints>,
    ) -> Result<Option<EvaluationContext>, EvaluationError> {
        self.called("before", |_| ());
        Ok(self.adds.clone())
    }

    async fn after<'a>(
        &self,
        _: &HookContext<'a>,
        details: &EvaluationDetails<Value>,
        _: Option<&'a HookHints>,
    ) -> Result<(), EvaluationError> {
        self.called("after", |record| record.details.push(("after", seen(details))));
        Ok(())
    }

    async fn error<'a>(&self, _: &HookContext<'a>, error: &EvaluationError, _: Option<&'a HookHints>) {
        self.called("error", |record| record.codes.push(error.code.to_string()));
    }

    async fn finally<'a>(
        &self,
        _: &HookContext<'a>,
        details: &EvaluationDetails<Value>,
        _: Option<&'a HookHints>,
    ) {
        self.called("finally", |record| record.details.push(("finally", seen(details))));
    }
}

/// The details of the SDK have no error.
fn seen(details: &EvaluationDetails<Value>) -> Seen {
    let metadata = details.flag_metadata.values.iter().map(|(name, value)| {
        let value = match value {
            FlagMetadataValue::Bool(truth) => Json::from(*truth),
            FlagMetadataValue::Int(number) => Json::from(*number),
            FlagMetadataValue::Float(number) => Json::from(*number),
            FlagMetadataValue::String(text) => Json::from(text.as_str()),
        };
        (name.clone(), value)
    });
    Seen {
        flag: details.flag_key.clone(),
        value: json(&details.value),
        reason: details.reason.as_ref().unwrap().to_string(),
        variant: details.variant.clone(),
        error: None,
        metadata: metadata.collect(),
    }
}

fn json(value: &Value) -> Json {
    match value {
        Value::Bool(truth) => Json::from(*truth),
        Value::Int(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::String(text) => Json::from(text.as_str()),
        Value::Array(values) => values.iter().map(json).collect(),
        Value::Struct(structure) => {
            structure.fields.iter().map(|(name, value)| (name.clone(), json(value))).collect()
        }
    }
}
