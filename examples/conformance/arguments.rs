//! Arguments, and the rules of specifications.

use serde_json::{Map, Value, json};
use serinus_core::{
    analysis::{
        Analysis, MetricNumbers,
        arguments::{Argument, field_path, flatten, resolve, unique},
        check_providers,
    },
    time::GoDuration,
};

use crate::{
    reading::{Answer, Input, Unreadable},
    runs::blank,
};

pub(crate) fn arguments(input: &Input<'_>) -> Result<Answer, Unreadable> {
    if let Some(path) = input.text("fieldPath")? {
        let rollout = input.get("rollout").or(input.get("object")).cloned().unwrap_or_else(sample_rollout);
        return Ok(match field_path(&rollout, path) {
            Ok(value) => Answer::default().with("value", value),
            Err(error) => Answer::error(error),
        });
    }
    let incoming = input.get("incoming").map(list).transpose()?;
    let mut template = input.get("template").map(list).transpose()?;
    if let Some(Value::Array(templates)) = input.get("templates") {
        let mut lists = Vec::new();
        let mut names: [Vec<String>; 3] = Default::default();
        for given in templates {
            let given = Input::new(given)?;
            lists.push(given.get("args").map(list).transpose()?.unwrap_or_default());
            for (names, key) in names.iter_mut().zip(["metrics", "dryRun", "measurementRetention"]) {
                names.extend(given.get(key).map(names_in).transpose()?.unwrap_or_default());
            }
            given.finish()?;
        }
        let kinds = ["metrics", "dry-run metric rules", "measurement retention metric rules"];
        for (kind, names) in kinds.into_iter().zip(&names) {
            if let Err(error) = unique(kind, names.iter().map(String::as_str)) {
                return Ok(Answer::error(error));
            }
        }
        match flatten(lists.iter().map(Vec::as_slice)) {
            Ok(flat) => template = Some(flat),
            Err(error) => return Ok(Answer::error(error)),
        }
        if incoming.is_none() {
            let [metrics, dry_run, retention] = names;
            return Ok(shown(template.unwrap_or_default())
                .with("metrics", metrics)
                .with("dryRun", dry_run)
                .with("measurementRetention", retention));
        }
    }
    let template =
        template.ok_or_else(|| Unreadable("there is neither `template` nor `templates`".to_owned()))?;
    Ok(match resolve(&incoming.unwrap_or_default(), &template) {
        Ok(resolved) => shown(resolved),
        Err(error) => Answer::error(error),
    })
}

pub(crate) fn validation(input: &Input<'_>) -> Result<Answer, Unreadable> {
    if let Some(Value::Array(metrics)) = input.get("metrics") {
        let names = names_in(&Value::Array(metrics.clone()))?;
        let metrics = names.iter().map(|name| blank(name)).collect();
        let analysis = Analysis { name: "metrics".to_owned(), metrics, rounds: None };
        return Ok(checked(analysis.validate()));
    }
    let providers = match input.get("provider").or(input.get("providers")) {
        None => usize::from(!(input.has("provider") || input.has("providers"))),
        Some(Value::String(words)) if words == "many" || words == "multiple" => 2,
        Some(Value::String(words)) if words == "none" => 0,
        Some(Value::Number(number)) => number.as_u64().unwrap_or(0) as usize,
        Some(Value::Array(providers)) => providers.len(),
        Some(Value::Object(providers)) => providers.len(),
        Some(_) => 1,
    };
    for key in ["interval", "initialDelay"] {
        if let Some(Err(error)) =
            input.text(key)?.filter(|text| !text.is_empty()).map(str::parse::<GoDuration>)
        {
            return Ok(Answer::error(error));
        }
    }
    let numbers = MetricNumbers {
        count: input.number("count")?,
        interval: input.length("interval")?,
        failure_limit: input.number("failureLimit")?,
        inconclusive_limit: input.number("inconclusiveLimit")?,
        consecutive_error_limit: input.number("consecutiveErrorLimit")?,
        consecutive_success_limit: input.number("consecutiveSuccessLimit")?,
    };
    Ok(checked(numbers.check().and_then(|()| check_providers(providers))))
}

fn checked<E: std::fmt::Display>(result: Result<(), E>) -> Answer {
    match result {
        Ok(()) => Answer::default().with("error", Value::Null),
        Err(error) => Answer::error(error),
    }
}

/// Arguments, as a map of names to values, or a list of objects with `name` and `value`.
fn list(given: &Value) -> Result<Vec<Argument>, Unreadable> {
    match given {
        Value::Object(arguments) => Ok(arguments.iter().map(|(name, value)| argument(name, value)).collect()),
        Value::Array(arguments) => arguments
            .iter()
            .map(|given| {
                let name = given.get("name").and_then(Value::as_str);
                let name = name.ok_or_else(|| Unreadable(format!("{given} has no name")))?;
                let value = given.get("value").filter(|value| !value.is_null());
                Ok(match value {
                    Some(value) => argument(name, value),
                    None => {
                        Argument { deferred: given.get("valueFrom").is_some(), ..Argument::new(name, None) }
                    }
                })
            })
            .collect(),
        other => Err(Unreadable(format!("{other} is no list of arguments"))),
    }
}

fn argument(name: &str, value: &Value) -> Argument {
    match value {
        Value::Null => Argument::new(name, None),
        Value::String(text) => Argument::new(name, Some(text.clone())),
        Value::Object(_) => Argument { deferred: true, ..Argument::new(name, None) },
        other => Argument::new(name, Some(other.to_string())),
    }
}

fn shown(arguments: Vec<Argument>) -> Answer {
    let args: Map<String, Value> =
        arguments.into_iter().map(|argument| (argument.name, argument.value.into())).collect();
    Answer::default().with("args", args)
}

fn names_in(given: &Value) -> Result<Vec<String>, Unreadable> {
    let names = given.as_array().into_iter().flatten().map(|given| {
        let name = given.as_str().or_else(|| given.get("metricName").or(given.get("name"))?.as_str());
        name.map(str::to_owned)
    });
    names.collect::<Option<_>>().ok_or_else(|| Unreadable(format!("{given} is no list of names")))
}

/// The object that paths without one are about.
fn sample_rollout() -> Value {
    json!({
        "metadata": { "name": "test", "namespace": "test", "labels": { "app": "app" } },
        "status": { "pauseConditions": [{ "reason": "test-reason" }] },
    })
}
