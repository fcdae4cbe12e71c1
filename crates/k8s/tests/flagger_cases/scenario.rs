//! A case, read by its meaning.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::{
    course::{Course, End, Rung},
    words::{self, Event},
};

/// What a case gives, and what it expects.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// The documents: a Canary, and a template if there is one.
    pub(crate) manifests: Vec<Value>,
    pub(crate) begins: Begin,
    /// Which of the checks fail, counted from 1.
    pub(crate) failing: Vec<std::ops::RangeInclusive<u32>>,
    /// What the metric answers while its check is not to fail.
    pub(crate) answer: Option<f64>,
    /// What happens from outside, each once the ladder has this many rungs.
    pub(crate) events: Vec<(usize, Event)>,
    pub(crate) expected: Expected,
}

/// What came before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Nothing: the first revision runs.
    #[default]
    Initialized,
    /// Another revision was rolled back.
    Failed,
    /// Another revision was copied to the primary, and does not run there.
    PromotionFailed,
}

/// What a case expects.
#[derive(Debug)]
pub(crate) enum Expected {
    Course(Course),
    /// Only how it ends.
    End(End),
    /// That the query says all of these, and has nothing left to fill in.
    Query(Vec<String>),
    /// That it does not work.
    Error,
}

impl Expected {
    pub(crate) fn is_met_by(&self, ours: &Answer) -> bool {
        match (self, ours) {
            (Self::Course(expected), Answer::Course(ours)) => {
                *expected == ours.with_mirrors_ending_in_weights()
            }
            (Self::End(expected), Answer::Course(ours)) => *expected == ours.end,
            (Self::Query(parts), Answer::Query(query)) => {
                !query.contains("{{") && parts.iter().all(|part| query.contains(part))
            }
            (Self::Error, Answer::Course(ours)) => matches!(ours.end, End::Refused(_)),
            (Self::Query(_), Answer::Course(_)) | (_, Answer::Query(_)) => false,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Course(course) => course.fmt(f),
            Self::End(end) => write!(f, "{end:?}"),
            Self::Query(parts) => write!(f, "a query with {parts:?}"),
            Self::Error => f.write_str("an error"),
        }
    }
}

/// What we say.
#[derive(Debug)]
pub(crate) enum Answer {
    Course(Course),
    Query(String),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Course(course) => course.fmt(f),
            Self::Query(query) => write!(f, "the query {query}"),
        }
    }
}

impl Scenario {
    /// Reads a case.
    ///
    /// # Errors
    ///
    /// A key or words that have no meaning here, by name.
    pub(crate) fn read(case: &Value) -> Result<Self, String> {
        match case["area"].as_str().unwrap_or_default() {
            "metric-template" => template(&case["input"], &case["expected"]),
            "metric-check" => check(&case["input"], &case["expected"]),
            "weights" | "trace" => rollout(&case["input"], &case["expected"]),
            area => Err(format!("unknown area `{area}`")),
        }
    }
}

fn rollout(input: &Value, expected: &Value) -> Result<Scenario, String> {
    let (expected, rungs_before) = course(expected)?;
    let mut given = words::Given::default();
    match input {
        Value::String(text) => given.hear(text)?,
        Value::Object(fields) => given.take(fields)?,
        other => return Err(format!("the input is neither text nor object: {other}")),
    }
    let mut analysis = given.analysis;
    let moves = ["stepWeight", "stepWeights", "iterations"];
    if !moves.iter().any(|name| analysis.contains_key(*name)) {
        // The case does not say which weights: those that it expects, up to the first fall.
        let mut steps: Vec<u32> = Vec::new();
        for rung in expected.ladder.iter().skip_while(|rung| rung.weight == 0) {
            if steps.last().is_some_and(|last| rung.weight < *last) {
                break;
            }
            steps.push(rung.weight / 1000);
        }
        analysis.insert("stepWeights".into(), if steps.is_empty() { json!([50]) } else { json!(steps) });
    }
    analysis.entry("interval").or_insert_with(|| "1m".into());
    analysis.entry("threshold").or_insert_with(|| 5.into());
    let metrics = json!([{"name": "request-success-rate", "thresholdRange": {"min": 99}}]);
    analysis.entry("metrics").or_insert(metrics);
    if !given.hooks.is_empty() {
        analysis.insert("webhooks".into(), given.hooks.into());
    }
    let mut canary = canary(&given.kind, analysis);
    if let Some(provider) = given.provider {
        canary["spec"]["provider"] = provider.into();
    }
    let rungs = |(tick, event)| (rungs_before(tick), event);
    Ok(Scenario {
        manifests: vec![canary],
        begins: given.begins,
        failing: given.failing,
        answer: None,
        events: given.events.into_iter().map(rungs).collect(),
        expected: Expected::Course(expected),
    })
}

/// The course that is expected, and how many rungs of it stand before a tick.
fn course(expected: &Value) -> Result<(Course, impl Fn(u32) -> usize + use<>), String> {
    let mut course = Course { ladder: Vec::new(), end: End::Open };
    let mut rungs = Vec::new();
    for (key, value) in expected.as_object().ok_or("what is expected is no object")? {
        let rows = value.as_array().map(Vec::as_slice).unwrap_or_default();
        match key.as_str() {
            "ticks" => {
                for row in rows {
                    row_of(row, &mut course)?;
                    rungs.push(course.ladder.len());
                }
            }
            "primaryWeightPerTick" => {
                for primary in rows {
                    let primary = primary.as_u64().filter(|primary| *primary <= 100);
                    let primary = primary.ok_or("a primary weight that is none")? as u32;
                    course.climb(Rung { weight: (100 - primary) * 1000, mirrored: false });
                    rungs.push(course.ladder.len());
                }
            }
            // After the weights, in the order of the object; a phase, and the weights where they are said.
            "then" => {}
            "columns" if *value == json!(COLUMNS) => {}
            // Whose hooks were called is no part of the course.
            "hookCalls" => {}
            _ => return Err(format!("unknown key `{key}` in what is expected")),
        }
    }
    for row in expected["then"].as_array().into_iter().flatten() {
        let text = row.as_str().ok_or("a phase that is no text")?;
        let (phase, weights) = text.split_once(' ').unwrap_or((text, ""));
        course.end = end(phase)?;
        if let Some((_, canary)) = weights.split_once('/') {
            let canary: u32 = canary.parse().map_err(|_| format!("unknown weights `{weights}`"))?;
            course.climb(Rung { weight: canary * 1000, mirrored: false });
        }
    }
    Ok((course, move |tick| {
        let before = (tick as usize).saturating_sub(1).min(rungs.len());
        before.checked_sub(1).map_or(0, |row| rungs[row])
    }))
}

fn row_of(row: &Value, course: &mut Course) -> Result<(), String> {
    let phase = row[0].as_str().ok_or("a phase that is no text")?;
    let canary = row[2].as_u64().and_then(|canary| u32::try_from(canary).ok()).ok_or("no weight")?;
    let mirrored = row[3].as_bool().ok_or("a flag that is none")?;
    course.climb(Rung { weight: canary * 1000, mirrored });
    course.end = end(phase)?;
    Ok(())
}

fn end(phase: &str) -> Result<End, String> {
    match phase {
        "Succeeded" => Ok(End::Promoted),
        "Failed" => Ok(End::RolledBack),
        "Progressing" | "Waiting" | "WaitingPromotion" | "Promoting" | "Finalising" => Ok(End::Open),
        _ => Err(format!("unknown phase `{phase}`")),
    }
}

fn check(input: &Value, expected: &Value) -> Result<Scenario, String> {
    let text = input.as_str().ok_or("the input is no text")?;
    let words::Measured { metric, template, answer } = words::measured(text)?;
    let passes = match expected.as_object().ok_or("what is expected is no object")? {
        fields if fields.len() == 1 => fields["checkPasses"].as_bool().ok_or("`checkPasses` is no flag")?,
        fields => return Err(format!("unknown keys in what is expected: {fields:?}")),
    };
    let analysis = json!({"interval": "1m", "threshold": 1, "stepWeight": 50, "metrics": [metric]});
    let mut manifests = vec![canary("Deployment", analysis.as_object().cloned().unwrap_or_default())];
    manifests.extend(template);
    Ok(Scenario {
        manifests,
        begins: Begin::Initialized,
        failing: Vec::new(),
        answer,
        events: Vec::new(),
        expected: Expected::End(if passes { End::Promoted } else { End::RolledBack }),
    })
}

fn template(input: &Value, expected: &Value) -> Result<Scenario, String> {
    let fields = input.as_object().ok_or("the input is no object")?;
    if let Some(key) =
        fields.keys().find(|key| !["template", "variables", "interval"].contains(&key.as_str()))
    {
        return Err(format!("unknown key `{key}` in the input"));
    }
    let text = input["template"].as_str().ok_or("`template` is no text")?;
    let mut metric =
        json!({"name": "custom", "templateRef": {"name": "custom"}, "thresholdRange": {"max": 1}});
    for (own, key) in [("variables", "templateVariables"), ("interval", "interval")] {
        if let Some(value) = fields.get(own) {
            metric[key] = value.clone();
        }
    }
    let analysis = json!({"interval": "1m", "threshold": 1, "stepWeight": 50, "metrics": [metric]});
    let expected = match expected.as_str().or(expected["error"].as_str()) {
        Some("variables and interval substituted") => {
            // Whatever stands for something in the template must stand in the query.
            let variables = fields.get("variables").and_then(Value::as_object).into_iter().flatten();
            let mut parts: Vec<_> = variables
                .filter(|(name, _)| text.contains(&format!("variables.{name} ")))
                .filter_map(|(_, value)| Some(format!("{:?}", value.as_str()?)))
                .collect();
            parts.extend(
                fields.get("interval").and_then(Value::as_str).map(|interval| format!("[{interval}]")),
            );
            Expected::Query(parts)
        }
        Some(text) if text.contains("error") => Expected::Error,
        Some(query) => Expected::Query(vec![query.to_owned()]),
        None => return Err(format!("unknown expectation {expected}")),
    };
    Ok(Scenario {
        manifests: vec![
            canary("Deployment", analysis.as_object().cloned().unwrap_or_default()),
            words::template_of(text),
        ],
        begins: Begin::Initialized,
        failing: Vec::new(),
        answer: None,
        events: Vec::new(),
        expected,
    })
}

fn canary(kind: &str, analysis: Map<String, Value>) -> Value {
    json!({
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "metadata": {"name": "podinfo", "namespace": "default"},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": kind, "name": "podinfo"},
            "service": {"port": 9898},
            "analysis": analysis,
        },
    })
}

const COLUMNS: [&str; 7] = [
    "phase",
    "primary",
    "canary",
    "mirrored",
    "status.canaryWeight",
    "status.iterations",
    "status.failedChecks",
];
