//! Conditions and what they make of an answer.

use serde_json::Value;
use serinus_core::{
    analysis::{Condition, Judge, TimeExpression},
    metric::Sample,
    time::Timestamp,
};

use crate::reading::{Answer, Input, Unreadable};

pub(crate) fn expression(input: &Input<'_>) -> Result<Answer, Unreadable> {
    if let Some(source) = input.text("timeExpression")? {
        let now = input.text("now")?.map_or(Ok(Timestamp::UNIX_EPOCH), str::parse);
        let now = now.map_err(|error| Unreadable(format!("`now`: {error}")))?;
        return Ok(match source.parse::<TimeExpression>() {
            Ok(expression) => Answer::default().with("time", expression.evaluate(now).to_string()),
            Err(error) => Answer::error(error),
        });
    }
    let source =
        input.text("expression")?.ok_or_else(|| Unreadable("there is no `expression`".to_owned()))?;
    let result = sample(input.get("result"), source);
    let condition: Condition = match source.parse() {
        Ok(condition) => condition,
        Err(error) => return Ok(Answer::error(error).with("phase", "Error")),
    };
    let judged = Judge::Conditions { success: Some(condition.clone()), failure: None }.judge(&result);
    Ok(match condition.holds(&result) {
        Ok(value) => Answer::default().with("value", value).with("phase", judged.outcome.to_string()),
        Err(error) => Answer::error(error).with("phase", judged.outcome.to_string()),
    })
}

pub(crate) fn evaluate(input: &Input<'_>) -> Result<Answer, Unreadable> {
    let conditions = conditions(input)?;
    let _ = input.get("result");
    Ok(judged(conditions, &sample(input.get("result"), "")))
}

pub(crate) fn prometheus(input: &Input<'_>) -> Result<Answer, Unreadable> {
    let conditions = conditions(input)?;
    let response = input.get("response").ok_or_else(|| Unreadable("there is no `response`".to_owned()))?;
    let Some(sample) = response_sample(response)? else {
        return Ok(Answer::error("this kind of answer is not supported").with("phase", "Error"));
    };
    Ok(judged(conditions, &sample))
}

fn judged(conditions: Result<Judge, String>, result: &Sample) -> Answer {
    match conditions {
        Ok(judge) => {
            let judged = judge.judge(result);
            Answer::default()
                .with("phase", judged.outcome.to_string())
                .with("value", result.to_string())
                .with("message", judged.reason.to_string())
        }
        Err(error) => Answer::error(error).with("phase", "Error"),
    }
}

/// The conditions, or why they cannot be read; empty ones are none.
fn conditions(input: &Input<'_>) -> Result<Result<Judge, String>, Unreadable> {
    let (success, failure) = (input.text("successCondition")?, input.text("failureCondition")?);
    let parse = |source: Option<&str>| {
        source.filter(|source| !source.is_empty()).map(str::parse::<Condition>).transpose()
    };
    Ok(match (parse(success), parse(failure)) {
        (Ok(success), Ok(failure)) => Ok(Judge::Conditions { success, failure }),
        (Err(error), _) | (_, Err(error)) => Err(error.to_string()),
    })
}

/// A result; JSON has no NaN and no infinities, so their names stand for them where no text can be meant.
fn sample(result: Option<&Value>, source: &str) -> Sample {
    match result {
        Some(Value::String(text)) if !source.contains("asFloat") && !source.contains("asInt") => {
            match text.as_str() {
                "NaN" | "+Inf" | "-Inf" | "Inf" => {
                    text.parse().map_or_else(|_| Sample::Text(text.clone()), Sample::Number)
                }
                _ => Sample::Text(text.clone()),
            }
        }
        Some(value) => Sample::from(value.clone()),
        None => Sample::Null,
    }
}

/// An answer of Prometheus in words: `scalar 10`, `vector 10, 11`, `empty vector`, `matrix of 2 series x 3 samples`.
/// `None`: a kind of answer that is no number.
fn response_sample(response: &Value) -> Result<Option<Sample>, Unreadable> {
    let unreadable = || Unreadable(format!("unknown response {response}"));
    let words = response.as_str().ok_or_else(unreadable)?;
    let list = |numbers: Vec<f64>| Sample::List(numbers.into_iter().map(Sample::number).collect());
    let kind = words.split(|character: char| !character.is_alphabetic()).find(|word| {
        ["scalar", "vector", "matrix", "string", "empty", "error", "none", "nil"].contains(word)
    });
    let numbers = numbers(words);
    Ok(Some(match (kind, words.contains("empty")) {
        (Some("string" | "error" | "none" | "nil"), _) => return Ok(None),
        (Some("vector" | "matrix" | "empty"), true) => Sample::empty(),
        (Some("scalar"), _) => match numbers.as_slice() {
            [only] => Sample::number(*only),
            _ => return Err(unreadable()),
        },
        (Some("vector"), _) if !numbers.is_empty() && !words.contains("sample") => list(numbers),
        (Some("matrix"), _) => match numbers.as_slice() {
            [series, samples] if words.contains("series") => list(vec![1.0; (series * samples) as usize]),
            [_, ..] if !words.contains("series") && !words.contains("sample") => list(numbers),
            _ => return Err(unreadable()),
        },
        _ => return Err(unreadable()),
    }))
}

fn numbers(words: &str) -> Vec<f64> {
    words
        .split(|character: char| {
            character.is_whitespace() || matches!(character, ',' | '[' | ']' | '(' | ')' | ':')
        })
        .filter_map(|word| word.parse::<serinus_core::metric::Number>().ok())
        .map(serinus_core::metric::Number::get)
        .collect()
}
