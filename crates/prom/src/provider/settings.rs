//! The settings a query brings.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use serinus_core::time::GoDuration;

use super::{AskError, Shape};
use crate::{
    builtin::{Source, Variables},
    client::Method,
};

/// The settings of one query.
#[derive(Default)]
pub(super) struct Settings {
    pub(super) address: Option<String>,
    pub(super) timeout: Option<Duration>,
    pub(super) insecure: bool,
    pub(super) headers: Vec<(String, String)>,
    pub(super) method: Option<Method>,
    pub(super) range: Option<RangeSettings>,
    pub(super) shape: Option<Shape>,
    pub(super) source: Option<Source>,
    /// Only the names; candidate and interval come with the question.
    pub(super) variables: Variables,
    /// The selectors of both arms, by their keys.
    pub(super) selectors: BTreeMap<&'static str, String>,
    pub(super) edges_in_milliseconds: bool,
}

/// The settings of a range query.
pub(super) struct RangeSettings {
    pub(super) start: String,
    pub(super) end: Option<String>,
    pub(super) step: GoDuration,
}

impl Settings {
    pub(super) fn read(written: &BTreeMap<String, String>) -> Result<Self, AskError> {
        let mut settings = Self::default();
        let (mut start, mut end, mut step) = (None, None, None);
        for (key, value) in written {
            let text = || Some(value.clone());
            match key.as_str() {
                "address" => settings.address = text(),
                "timeout" => settings.timeout = Some(length(key, value)?.to_std()),
                "insecure" => settings.insecure = parsed(key, value, "true or false")?,
                "method" => settings.method = Some(method(key, value)?),
                "range.start" => start = text(),
                "range.end" => end = text(),
                "range.step" => step = Some(length(key, value)?),
                "shape" => settings.shape = Some(shape(key, value)?),
                "source" => settings.source = Some(value.parse()?),
                "namespace" => settings.variables.namespace = text(),
                "target" => settings.variables.target = text(),
                "service" => settings.variables.service = text(),
                "ingress" => settings.variables.ingress = text(),
                "route" => settings.variables.route = text(),
                "buckets.unit" => settings.edges_in_milliseconds = is_milliseconds(key, value)?,
                _ => match (key.strip_prefix("header."), SELECTORS.iter().find(|known| *known == key)) {
                    (Some(name), _) if !name.is_empty() => {
                        settings.headers.push((name.to_owned(), value.clone()));
                    }
                    (_, Some(known)) => drop(settings.selectors.insert(known, value.clone())),
                    _ => return Err(AskError::UnknownSetting { key: key.clone() }),
                },
            }
        }
        settings.range = match (start, step) {
            (Some(start), Some(step)) => Some(RangeSettings { start, end, step }),
            (None, None) if end.is_none() => None,
            (None, _) => return Err(AskError::Range { key: "range.start" }),
            (Some(_), None) => return Err(AskError::Range { key: "range.step" }),
        };
        Ok(settings)
    }

    /// Queries in PromQL name what they mean; a namespace beside them would be ignored.
    pub(super) fn refuse_variables(&self) -> Result<(), AskError> {
        let names = &self.variables;
        let given = [
            ("source", self.source.is_some()),
            ("namespace", names.namespace.is_some()),
            ("target", names.target.is_some()),
            ("service", names.service.is_some()),
            ("ingress", names.ingress.is_some()),
            ("route", names.route.is_some()),
            ("stable.*, candidate.* and control.*", !self.selectors.is_empty()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((key, _)) => Err(AskError::OnlyBuiltin { key }),
            None => Ok(()),
        }
    }
}

fn parsed<T: FromStr>(key: &str, value: &str, expected: &'static str) -> Result<T, AskError> {
    value.parse().map_err(|_| fault(key, value, expected))
}

fn length(key: &str, value: &str) -> Result<GoDuration, AskError> {
    const EXPECTED: &str = "a length of time above zero, such as 30s";
    let length: GoDuration = parsed(key, value, EXPECTED)?;
    if length > GoDuration::ZERO { Ok(length) } else { Err(fault(key, value, EXPECTED)) }
}

fn method(key: &str, value: &str) -> Result<Method, AskError> {
    match value.to_ascii_lowercase().as_str() {
        "auto" => Ok(Method::Auto),
        "get" => Ok(Method::Get),
        "post" => Ok(Method::Post),
        _ => Err(fault(key, value, "auto, get or post")),
    }
}

fn is_milliseconds(key: &str, value: &str) -> Result<bool, AskError> {
    match value {
        "s" => Ok(false),
        "ms" => Ok(true),
        _ => Err(fault(key, value, "s or ms")),
    }
}

fn shape(key: &str, value: &str) -> Result<Shape, AskError> {
    match value {
        "argo" => Ok(Shape::Argo),
        "flagger" => Ok(Shape::Flagger),
        _ => Err(fault(key, value, "argo or flagger")),
    }
}

fn fault(key: &str, value: &str, expected: &'static str) -> AskError {
    AskError::Setting { key: key.to_owned(), value: value.to_owned(), expected }
}

/// The raw counters of both arms, and of a control group.
const SELECTORS: [&str; 9] = [
    "candidate.requests",
    "candidate.failures",
    "candidate.buckets",
    "control.requests",
    "control.failures",
    "control.buckets",
    "stable.requests",
    "stable.failures",
    "stable.buckets",
];
