//! Kayenta's canary config: which metrics, how each is judged, what each group weighs.

use std::{collections::BTreeMap, str::FromStr};

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{
    judge::{Classification, Direction, EffectSize, Judge, MissingValues, assess},
    score::{Judged, score},
};

/// A canary config of Kayenta, as its API gives it (`GET /canaryConfig/ID`), in JSON.
///
/// What does not change a verdict (description, applications, times) is read and forgotten; what would change it and is
/// not known is refused. Read are metrics that Prometheus answers, by a whole query (`customInlineTemplate:
/// "PromQL:…"`) or by a name with labels, and the judge `NetflixACAJudge-v1.0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct CanaryConfig(Written);

/// What both scopes did with respect to one metric: a value for each point in time; NaN where there is none.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a judge compares two samples")]
pub struct Values {
    /// What the canary is compared with.
    pub control: Vec<f64>,
    /// What the canary did.
    pub experiment: Vec<f64>,
}

/// What the judge makes of a canary.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Judgement {
    /// From 0 to 100, to two decimals.
    pub score: f64,
    /// What it makes of each metric that is not muted.
    pub metrics: BTreeMap<String, Classification>,
}

impl CanaryConfig {
    /// Scores what both scopes did, by metric; a metric that is not among these has no data. `None` if no metric has
    /// a number in the experiment: that is no canary to judge.
    pub fn judge(&self, values: &BTreeMap<String, Values>) -> Option<Judgement> {
        let nothing = Values::default();
        let mut has_data = false;
        let mut judged = Vec::new();
        let mut metrics = BTreeMap::new();
        for metric in self.metrics() {
            let values = values.get(&metric.name).unwrap_or(&nothing);
            has_data |= values.experiment.iter().any(|value| !value.is_nan());
            let (classification, critical) = metric.judge(values);
            judged.push(Judged { groups: metric.groups.clone(), classification, critical });
            metrics.insert(metric.name.clone(), classification);
        }
        has_data.then(|| Judgement { score: score(&judged, &self.0.classifier.group_weights), metrics })
    }

    /// Those that are not muted.
    pub(super) fn metrics(&self) -> impl Iterator<Item = &MetricConfig> {
        self.0.metrics.iter().filter(|metric| !metric.canary().muted)
    }

    /// The text of a query with its placeholders, and whether it is a whole query.
    pub(super) fn template(&self, query: &QueryConfig) -> Option<String> {
        let written = query.custom_inline_template.as_ref().filter(|text| !text.is_empty());
        let named = query.custom_filter_template.as_ref().and_then(|name| self.0.templates.get(name));
        // Kayenta's stores may keep the placeholders escaped.
        written.or(named).map(|text| text.replace("$\\{", "${"))
    }
}

impl FromStr for CanaryConfig {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let written: Written =
            serde_json::from_str(text).map_err(|error| ConfigError::Syntax { reason: error.to_string() })?;
        Self::try_from(written)
    }
}

impl TryFrom<Written> for CanaryConfig {
    type Error = ConfigError;

    fn try_from(written: Written) -> Result<Self, ConfigError> {
        if let Some(judge) = written.judge.as_ref().filter(|judge| judge.name != JUDGE) {
            return Err(ConfigError::Judge { name: judge.name.clone() });
        }
        if written.metrics.iter().all(|metric| metric.canary().muted) {
            return Err(ConfigError::NoMetrics);
        }
        let weights = || written.classifier.group_weights.iter();
        if let Some((group, weight)) = weights().find(|(_, weight)| !(0.0..=100.0).contains(*weight)) {
            return Err(ConfigError::Weight { group: group.clone(), weight: *weight });
        }
        let sum: f64 = weights().map(|(_, weight)| *weight).sum();
        if sum > 100.0 + 1e-9 {
            return Err(ConfigError::Weights { sum });
        }
        for (index, metric) in written.metrics.iter().enumerate() {
            if written.metrics[..index].iter().any(|before| before.name == metric.name) {
                return Err(ConfigError::Twice { metric: metric.name.clone() });
            }
            metric.check(&written.templates)?;
        }
        Ok(Self(written))
    }
}

impl From<CanaryConfig> for Written {
    fn from(config: CanaryConfig) -> Self {
        config.0
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    metrics: Vec<MetricConfig>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    templates: BTreeMap<String, String>,
    #[serde(default)]
    classifier: Classifier,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    judge: Option<JudgeName>,
    #[serde(default, skip_serializing)]
    id: IgnoredAny,
    #[serde(default, skip_serializing)]
    name: IgnoredAny,
    #[serde(default, skip_serializing)]
    description: IgnoredAny,
    #[serde(default, skip_serializing)]
    applications: IgnoredAny,
    #[serde(default, skip_serializing)]
    config_version: IgnoredAny,
    #[serde(default, skip_serializing)]
    created_timestamp: IgnoredAny,
    #[serde(default, skip_serializing)]
    created_timestamp_iso: IgnoredAny,
    #[serde(default, skip_serializing)]
    updated_timestamp: IgnoredAny,
    #[serde(default, skip_serializing)]
    updated_timestamp_iso: IgnoredAny,
}

/// The thresholds beside the weights are those of whoever asks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Classifier {
    #[serde(default)]
    group_weights: BTreeMap<String, f64>,
    #[serde(default, skip_serializing)]
    score_thresholds: IgnoredAny,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct JudgeName {
    name: String,
    #[serde(default, skip_serializing)]
    judge_configurations: IgnoredAny,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MetricConfig {
    pub(super) name: String,
    pub(super) query: QueryConfig,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    analysis_configurations: Configurations,
    #[serde(default = "default_scope")]
    pub(super) scope_name: String,
    #[serde(default, skip_serializing)]
    id: IgnoredAny,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct QueryConfig {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing)]
    service_type: IgnoredAny,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) metric_name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) label_bindings: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    group_by_fields: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    custom_inline_template: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    custom_filter_template: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Configurations {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    canary: Option<Box<Canary>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Canary {
    direction: Side,
    nan_strategy: Nan,
    critical: bool,
    must_have_data: bool,
    muted: bool,
    effect_size: Effect,
    outliers: Outliers,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Side {
    Increase,
    Decrease,
    #[default]
    Either,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Nan {
    #[default]
    #[serde(alias = "none")]
    Remove,
    Replace,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Effect {
    measure: Measure,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_increase: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_decrease: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    critical_increase: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    critical_decrease: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Measure {
    #[default]
    MeanRatio,
    Cles,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Outliers {
    strategy: OutlierStrategy,
    #[serde(skip_serializing_if = "Option::is_none")]
    outlier_factor: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum OutlierStrategy {
    #[default]
    #[serde(alias = "none")]
    Keep,
    Remove,
}

impl MetricConfig {
    fn canary(&self) -> Canary {
        self.analysis_configurations.canary.as_deref().cloned().unwrap_or_default()
    }

    fn check(&self, templates: &BTreeMap<String, String>) -> Result<(), ConfigError> {
        let fault = |field, value: &str, expected| {
            Err(ConfigError::Metric { metric: self.name.clone(), field, value: value.to_owned(), expected })
        };
        let query = &self.query;
        if query.kind != "prometheus" {
            return fault("query.type", &query.kind, "`prometheus`: others cannot be asked yet");
        }
        if !query.group_by_fields.is_empty() {
            let expected = "no fields: several series would be judged as one; write a metric for each";
            return fault("query.groupByFields", &query.group_by_fields.join(","), expected);
        }
        if let Some(name) = &query.custom_filter_template
            && !templates.contains_key(name)
        {
            return fault("query.customFilterTemplate", name, "the name of one of `templates`");
        }
        let has_template = [&query.custom_inline_template, &query.custom_filter_template]
            .into_iter()
            .any(|template| template.as_ref().is_some_and(|text| !text.is_empty()));
        if !has_template {
            let expected = "the query itself, as `PromQL:…` with `${scope}` in it";
            return fault("query.customInlineTemplate", "", expected);
        }
        let canary = self.canary();
        let effect = canary.effect_size;
        for (field, value) in [
            ("allowedIncrease", effect.allowed_increase),
            ("allowedDecrease", effect.allowed_decrease),
            ("criticalIncrease", effect.critical_increase),
            ("criticalDecrease", effect.critical_decrease),
            ("outlierFactor", canary.outliers.outlier_factor),
        ] {
            if let Some(value) = value.filter(|value| value.is_nan() || *value <= 0.0) {
                return fault(field, &value.to_string(), "a number above zero");
            }
        }
        Ok(())
    }

    fn judge(&self, values: &Values) -> (Classification, bool) {
        let judge = self.canary().judge();
        let mut canary = values.experiment.clone();
        let mut baseline = values.control.clone();
        if judge.missing == MissingValues::Replace {
            // No value is as good as NaN: what is there is compared with zeros.
            let points = canary.len().max(baseline.len());
            canary.resize(points, f64::NAN);
            baseline.resize(points, f64::NAN);
        }
        scale(&mut canary, &mut baseline);
        let assessed = assess(&canary, &baseline, &judge);
        match assessed.classification {
            Classification::Error if judge.must_have_data && !judge.critical => {
                (Classification::NodataFailMetric, false)
            }
            Classification::Error => (Classification::Nodata, judge.critical),
            other => (other, assessed.is_critical),
        }
    }
}

impl Canary {
    fn judge(&self) -> Judge {
        let (effect, none) = match self.effect_size.measure {
            Measure::MeanRatio => (EffectSize::MeanRatio, 1.0),
            Measure::Cles => (EffectSize::CommonLanguage, 0.5),
        };
        let size = |value: Option<f64>| value.unwrap_or(none);
        Judge {
            direction: match self.direction {
                Side::Increase => Direction::Increase,
                Side::Decrease => Direction::Decrease,
                Side::Either => Direction::Either,
            },
            effect,
            allowed_decrease: size(self.effect_size.allowed_decrease),
            allowed_increase: size(self.effect_size.allowed_increase),
            critical_decrease: size(self.effect_size.critical_decrease),
            critical_increase: size(self.effect_size.critical_increase),
            outliers: match self.outliers.strategy {
                OutlierStrategy::Keep => None,
                OutlierStrategy::Remove => Some(self.outliers.outlier_factor.unwrap_or(OUTLIER_FACTOR)),
            },
            missing: match self.nan_strategy {
                Nan::Remove => MissingValues::Remove,
                Nan::Replace => MissingValues::Replace,
            },
            must_have_data: self.must_have_data,
            critical: self.critical,
            ..Judge::default()
        }
    }
}

/// Multiplies both by the same power of two, which is exact, until they spread so far that the absolute tolerance of
/// the judge's search is nothing beside it.
fn scale(canary: &mut [f64], baseline: &mut [f64]) {
    let finite = || canary.iter().chain(baseline.iter()).copied().filter(|value| value.is_finite());
    let spread = finite().fold(f64::NEG_INFINITY, f64::max) - finite().fold(f64::INFINITY, f64::min);
    let greatest = finite().fold(0.0, |greatest: f64, value| greatest.max(value.abs()));
    if !(spread > 0.0 && spread < LEAST_SPREAD) {
        return;
    }
    // Not beyond what a number can be.
    let by = libm::exp2(libm::ceil(libm::log2(LEAST_SPREAD / spread)).min(900.0));
    if (greatest * by).is_finite() {
        canary.iter_mut().chain(baseline).for_each(|value| *value *= by);
    }
}

fn default_scope() -> String {
    "default".to_owned()
}

/// Why a text is no canary config that can be judged here.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It is not JSON, or has other fields.
    #[error("not a canary config of Kayenta: {reason}")]
    Syntax {
        /// What is wrong, and where.
        reason: String,
    },
    /// Another judge.
    #[error("the judge `{name}` is not known: use `NetflixACAJudge-v1.0`")]
    Judge {
        /// Its name.
        name: String,
    },
    /// Nothing to judge.
    #[error("there is no metric, or all are muted: add one to `metrics`")]
    NoMetrics,
    /// Two metrics of one name.
    #[error("there are two metrics `{metric}`: rename one")]
    Twice {
        /// Their name.
        metric: String,
    },
    /// A weight out of range.
    #[error("the group `{group}` weighs {weight}: use 0 to 100")]
    Weight {
        /// The group.
        group: String,
        /// Its weight.
        weight: f64,
    },
    /// More than everything.
    #[error("the weights of the groups come to {sum}: lower them to 100 or less")]
    Weights {
        /// Their sum.
        sum: f64,
    },
    /// A metric that cannot be asked or judged.
    #[error("metric `{metric}`: `{field}` is `{value}`, expected {expected}")]
    Metric {
        /// The metric.
        metric: String,
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What was expected.
        expected: &'static str,
    },
}

const JUDGE: &str = "NetflixACAJudge-v1.0";
const OUTLIER_FACTOR: f64 = 3.0;
/// 2²⁰: the tolerance of 1e-4 is then 1e-10 of the spread.
const LEAST_SPREAD: f64 = 1_048_576.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn config(canary: &str) -> CanaryConfig {
        let metric = |name: &str, canary: &str| {
            format!(
                r#"{{"name": "{name}", "query": {{"type": "prometheus", "customInlineTemplate": "PromQL:{name}"}},
                "groups": ["{name}"], "analysisConfigurations": {{"canary": {canary}}}}}"#
            )
        };
        let text = format!(r#"{{"metrics": [{}, {}]}}"#, metric("tested", canary), metric("fine", "{}"));
        text.parse().unwrap()
    }

    fn judged(canary: &str, control: &[f64], experiment: &[f64]) -> (Classification, f64) {
        let of = |control: &[f64], experiment: &[f64]| Values {
            control: control.to_vec(),
            experiment: experiment.to_vec(),
        };
        let values = [
            ("tested".to_owned(), of(control, experiment)),
            ("fine".to_owned(), of(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0])),
        ];
        let judgement = config(canary).judge(&values.into()).unwrap();
        (judgement.metrics["tested"], judgement.score)
    }

    fn rising(count: u32, by: f64) -> Vec<f64> {
        (0..count).map(|index| by * (1.0 + 0.01 * f64::from(index))).collect()
    }

    #[test]
    fn the_unit_of_a_metric_plays_no_part() {
        for unit in [1e-9, 1e-6, 1.0, 1e6] {
            let (control, worse) = (rising(40, unit), rising(40, 1.2 * unit));
            assert_eq!(judged("{}", &control, &worse), (Classification::High, 50.0), "{unit}");
        }
    }

    #[test]
    fn what_cannot_be_worked_out_is_no_data_and_stays_critical() {
        let infinite = [f64::INFINITY, 1.0, 2.0];
        assert_eq!(judged("{}", &[1.0, 2.0, 3.0], &infinite), (Classification::Nodata, 0.0));
        assert_eq!(judged(r#"{"critical": true}"#, &[1.0, 2.0, 3.0], &infinite).1, 0.0);
        let must = r#"{"mustHaveData": true}"#;
        assert_eq!(judged(must, &[1.0, 2.0, 3.0], &infinite), (Classification::NodataFailMetric, 50.0));
    }

    #[test]
    fn failures_against_nothing_are_compared_with_zeros() {
        let replace = r#"{"nanStrategy": "replace", "direction": "increase"}"#;
        assert_eq!(judged(replace, &[], &rising(20, 5.0)).0, Classification::High);
        assert_eq!(judged(replace, &rising(20, 5.0), &[]).0, Classification::Pass);
        assert_eq!(judged(replace, &[], &[]).0, Classification::Pass);
        assert_eq!(judged("{}", &[], &rising(20, 5.0)).0, Classification::Nodata);
    }

    #[test]
    fn a_change_must_be_as_great_as_it_is_certain() {
        let (control, worse) = (rising(40, 1.0), rising(40, 1.2));
        let with = |effect: &str| {
            judged(&format!(r#"{{"critical": true, "effectSize": {effect}}}"#), &control, &worse)
        };
        assert_eq!(with("{}"), (Classification::High, 0.0));
        assert_eq!(with(r#"{"allowedIncrease": 1.5}"#), (Classification::Pass, 100.0));
        assert_eq!(with(r#"{"criticalIncrease": 1.5}"#), (Classification::High, 50.0));
        assert_eq!(with(r#"{"measure": "cles", "allowedIncrease": 0.99}"#).0, Classification::Pass);
        assert_eq!(with(r#"{"measure": "cles"}"#), (Classification::High, 0.0));
    }

    #[test]
    fn outliers_are_left_out_if_asked_for() {
        let control = rising(200, 1.0);
        let mut spiked = control.clone();
        spiked[7] = 1e9;
        let sorted = |sample: &[f64], outliers| {
            let judge = Judge { outliers, ..Judge::default() };
            assess(sample, &control, &judge).ratio
        };
        assert!(sorted(&spiked, None) > 1e6);
        assert!((sorted(&spiked, Some(3.0)) - 1.0).abs() < 0.01);
    }

    #[test]
    fn without_any_value_there_is_no_score() {
        let values = Values { control: vec![1.0; 9], experiment: vec![f64::NAN; 9] };
        let all: BTreeMap<_, _> = ["tested", "fine"].map(|name| (name.to_owned(), values.clone())).into();
        assert_eq!(config(r#"{"nanStrategy": "replace"}"#).judge(&all), None);
        assert_eq!(config("{}").judge(&BTreeMap::new()), None);
    }

    #[test]
    fn configs_that_mean_something_else_are_refused_by_name() {
        let query = r#"{"type": "prometheus", "customInlineTemplate": "PromQL:up"}"#;
        let metric = format!(r#"{{"name": "up", "query": {query}}}"#);
        for (text, expected) in [
            ("[]".to_owned(), "not a canary config"),
            (r#"{"metrics": []}"#.to_owned(), "no metric"),
            (format!(r#"{{"metrics": [{metric}, {metric}]}}"#), "two metrics `up`"),
            (format!(r#"{{"metrics": [{metric}], "judge": {{"name": "other"}}}}"#), "judge `other`"),
            (
                format!(
                    r#"{{"metrics": [{metric}], "classifier": {{"groupWeights": {{"a": 60, "b": 50}}}}}}"#
                ),
                "come to 110",
            ),
            (
                format!(r#"{{"metrics": [{metric}], "classifier": {{"groupWeights": {{"a": -1}}}}}}"#),
                "`a` weighs -1",
            ),
            (metric_of(&metric, "prometheus", "datadog"), "`query.type` is `datadog`"),
            (metric_of(&metric, "PromQL:up", ""), "`query.customInlineTemplate`"),
            (metric_of(&metric, "\"name\"", "\"nane\""), "unknown field `nane`"),
            (
                metric_of(&metric, "\"type\"", "\"groupByFields\": [\"zone\"], \"type\""),
                "`query.groupByFields` is `zone`",
            ),
        ] {
            let error = text.parse::<CanaryConfig>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    fn metric_of(metric: &str, from: &str, to: &str) -> String {
        format!(r#"{{"metrics": [{}]}}"#, metric.replace(from, to))
    }
}
