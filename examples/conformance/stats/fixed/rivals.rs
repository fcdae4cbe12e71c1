//! Kayenta and GrowthBook.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use serinus_core::{
    simulate::rival::{growthbook, kayenta},
    stats::means::Difference,
};

use super::{
    super::{Input, shown},
    arm, interval, is, text,
};

pub(crate) fn kayenta_metric(input: Input<'_>) -> Result<Value, String> {
    let (canary, baseline) = (input.sample("canary")?, input.sample("baseline")?);
    let mut judge = kayenta::Judge { confidence: input.number("conf")?, ..kayenta::Judge::default() };
    if input.get("tolerance").is_some() {
        judge.tolerance = input.number("tolerance")?;
    }
    if input.get("direction").is_some() {
        judge.direction = match input.text("direction")? {
            "increase" => kayenta::Direction::Increase,
            "decrease" => kayenta::Direction::Decrease,
            _ => kayenta::Direction::Either,
        };
    }
    if let [decrease, increase] = input.numbers("allowed").unwrap_or_default()[..] {
        (judge.allowed_decrease, judge.allowed_increase) = (decrease, increase);
    }
    if input.get("nan_strategy").is_some() && input.text("nan_strategy")? == "replace" {
        judge.missing = kayenta::MissingValues::Replace;
    }
    judge.critical = is(input, "critical");
    judge.must_have_data = is(input, "must_have_data");
    let kept = |sample: &[f64]| -> Vec<f64> {
        let each = |value: &f64| match judge.missing {
            kayenta::MissingValues::Replace if value.is_nan() => Some(0.0),
            _ => Some(*value).filter(|value| !value.is_nan()),
        };
        sample.iter().filter_map(each).collect()
    };
    let (canary, baseline) = (kept(&canary), kept(&baseline));
    let mut answer = Map::new();
    let classification = kayenta::classify(&canary, &baseline, &judge);
    answer.insert("classification".to_owned(), json!(format!("{classification:?}")));
    answer.insert("mean_ratio".to_owned(), shown(kayenta::mean_ratio(&canary, &baseline)));
    if let Ok(comparison) = kayenta::compare(&canary, &baseline, judge.confidence) {
        answer.insert("ci".to_owned(), interval(comparison.interval));
        answer.insert("estimate".to_owned(), shown(comparison.estimate));
    }
    Ok(Value::Object(answer))
}

pub(crate) fn kayenta_score(input: Input<'_>) -> Result<Value, String> {
    let weights: BTreeMap<String, f64> =
        serde_json::from_value(input.need("group_weights")?.clone()).map_err(text)?;
    let metrics = input.need("metrics")?.as_array().ok_or("`metrics` is not a list")?;
    let metric = |metric: &Value| {
        let input = Input(metric.as_object().ok_or("a metric is not an object")?);
        let groups = if input.get("groups").is_some() {
            serde_json::from_value(input.need("groups")?.clone()).map_err(text)?
        } else {
            vec![input.text("group")?.to_owned()]
        };
        let word = input.text("classification")?;
        use kayenta::Classification::{Error, High, Low, Nodata, NodataFailMetric, Pass};
        let classification = [Error, High, Low, Nodata, NodataFailMetric, Pass]
            .into_iter()
            .find(|classification| format!("{classification:?}") == word)
            .ok_or_else(|| format!("unknown classification `{word}`"))?;
        Ok::<_, String>(kayenta::Judged { groups, classification, critical: is(input, "critical") })
    };
    let metrics = metrics.iter().map(metric).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "summary_score": shown(kayenta::score(&metrics, &weights)) }))
}

pub(crate) fn growthbook_welch(input: Input<'_>) -> Result<Value, String> {
    let (control, canary, alpha) = (arm(input, "control")?, arm(input, "canary")?, input.number("alpha")?);
    let report = |difference| {
        let report = growthbook::welch(control, canary, difference, alpha);
        json!({
            "expected": shown(report.expected),
            "ci": interval(report.interval),
            "p": shown(report.p),
            "se": shown(report.standard_error),
            "error": report.error,
        })
    };
    Ok(json!({ "absolute": report(Difference::Absolute), "relative": report(Difference::Relative) }))
}

pub(crate) fn growthbook_split(input: Input<'_>) -> Result<Value, String> {
    Ok(
        json!({ "p": shown(growthbook::check_sample_ratio(&input.numbers("observed")?, &input.numbers("weights")?)) }),
    )
}
