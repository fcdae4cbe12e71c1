//! A canary analysis as a question that any metrics source can answer.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::future::try_join;
use serde::{Deserialize, Serialize};

use super::config::{CanaryConfig, MetricConfig, Values};
use super::judge::Classification;
use crate::{
    analysis::{TimeExpression, TimeExpressionError},
    metric::{Query, Question, Sample},
    port::{MetricProvider, PortError, PortErrorKind},
    time::{GoDuration, Timestamp},
};

/// What a canary is judged by, and where: the text of a query for [`KayentaProvider`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a specification that people write")]
pub struct CanaryAnalysis {
    /// What is asked, and how it is judged.
    pub config: CanaryConfig,
    /// What both sides are, by the name that metrics call the pair by (`scopeName`; `default` if they name none).
    pub scopes: BTreeMap<String, ScopePair>,
}

/// The two sides of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a specification that people write")]
pub struct ScopePair {
    /// What the canary is compared with.
    pub control: Scope,
    /// The canary.
    pub experiment: Scope,
}

/// One side of a comparison: whose values, from when to when, how often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a specification that people write")]
pub struct Scope {
    /// What stands for `${scope}` in queries. `{{candidate}}` and `{{stable}}` in it stand for the two revisions.
    pub scope: String,
    /// What stands for `${location}`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// The first moment: a time in RFC 3339, or an expression such as `now() - duration("10m")`.
    pub start: String,
    /// The last moment, likewise.
    pub end: String,
    /// Time between two values; above zero.
    pub step: GoDuration,
}

impl CanaryAnalysis {
    /// The name of the provider.
    pub const PROVIDER: &str = "kayenta";

    /// The question. Its settings go to the source that is asked: `address`, `timeout` and the like.
    ///
    /// The answer is a map with the number `score`, from 0 to 100, and `suspect`, the metrics that did not pass and what
    /// was made of each; or empty if there is nothing to judge.
    ///
    /// # Errors
    ///
    /// If a metric names a pair of scopes that is not there, a time is none, or a text has a placeholder that stands for
    /// nothing.
    pub fn query(&self) -> Result<Query, KayentaError> {
        // Whatever is wrong with it is found now and not when the rollout runs.
        self.questions(Timestamp::UNIX_EPOCH)?;
        let text = serde_json::to_string(self)
            .map_err(|error| KayentaError::Unreadable { reason: error.to_string() })?;
        Ok(Query::new(Self::PROVIDER, text))
    }

    fn questions(&self, now: Timestamp) -> Result<Vec<(&MetricConfig, Side, Side)>, KayentaError> {
        let of_metric = |metric: &'_ _| self.sides(metric, now);
        self.config
            .metrics()
            .map(|metric| of_metric(metric).map(|(control, experiment)| (metric, control, experiment)))
            .collect()
    }

    fn sides(&self, metric: &MetricConfig, now: Timestamp) -> Result<(Side, Side), KayentaError> {
        let pair = self.scopes.get(&metric.scope_name).ok_or_else(|| KayentaError::NoScope {
            metric: metric.name.clone(),
            scope: metric.scope_name.clone(),
        })?;
        let side = |scope: &Scope| {
            Ok::<_, KayentaError>(Side { text: self.text(metric, scope)?, range: scope.range(now)? })
        };
        Ok((side(&pair.control)?, side(&pair.experiment)?))
    }

    /// The query of a metric about a scope, in PromQL.
    fn text(&self, metric: &MetricConfig, scope: &Scope) -> Result<String, KayentaError> {
        let template = self.config.template(&metric.query).unwrap_or_default();
        let filled = fill(&template, scope)
            .map_err(|placeholder| KayentaError::Placeholder { metric: metric.name.clone(), placeholder })?;
        if let Some(query) = filled.strip_prefix("PromQL:") {
            return Ok(query.to_owned());
        }
        // A filter, and the name it belongs to.
        let Some(name) = metric.query.metric_name.as_ref().filter(|name| !name.is_empty()) else {
            return Err(KayentaError::NoName { metric: metric.name.clone() });
        };
        let filters: Vec<&str> =
            filled.split(',').chain(metric.query.label_bindings.iter().map(String::as_str)).collect();
        Ok(format!("avg({name}{{{}}})", filters.join(",")))
    }
}

impl Scope {
    fn range(&self, now: Timestamp) -> Result<Range, KayentaError> {
        let moment = |text: &str| match text.trim().parse::<Timestamp>() {
            Ok(moment) => Ok(moment),
            Err(_) => text.parse::<TimeExpression>().map(|expression| expression.evaluate(now)),
        };
        let (start, end) = (moment(&self.start)?, moment(&self.end)?);
        let length = GoDuration::between(start, end).as_nanos();
        let points = length.checked_div(self.step.as_nanos()).filter(|_| self.step > GoDuration::ZERO);
        match points.and_then(|points| usize::try_from(points).ok()) {
            Some(points) if points < MOST_POINTS => {
                Ok(Range { start, end, step: self.step, points: points + 1 })
            }
            Some(_) | None => Err(KayentaError::Range { start, end, step: self.step, most: MOST_POINTS }),
        }
    }
}

/// Answers canary analyses of Kayenta by asking another provider and judging what it answers; hands every other
/// question on.
///
/// For each metric both scopes are asked, as a range query of the provider `prometheus`, with the settings of the
/// question. All that a scope answers is one sample: a query is to give one series.
#[derive(Clone, Debug)]
pub struct KayentaProvider<P> {
    source: P,
}

impl<P> KayentaProvider<P> {
    /// Judges what this provider answers.
    pub const fn new(source: P) -> Self {
        Self { source }
    }
}

#[async_trait]
impl<P: MetricProvider> MetricProvider for KayentaProvider<P> {
    async fn ask(&self, question: &Question) -> Result<Sample, PortError> {
        if question.query.provider != CanaryAnalysis::PROVIDER {
            return self.source.ask(question).await;
        }
        let analysis: CanaryAnalysis = serde_json::from_str(&question.query.text)
            .map_err(|error| invalid(KayentaError::Unreadable { reason: error.to_string() }))?;
        let questions = analysis.questions(question.at).map_err(invalid)?;
        let mut values = BTreeMap::new();
        for (metric, control, experiment) in questions {
            let (control, experiment) = try_join(
                self.values(question, &metric.name, control),
                self.values(question, &metric.name, experiment),
            )
            .await?;
            values.insert(metric.name.clone(), Values { control, experiment });
        }
        let Some(judgement) = analysis.config.judge(&values) else { return Ok(Sample::empty()) };
        let suspect = judgement
            .metrics
            .into_iter()
            .filter(|(_, classification)| *classification != Classification::Pass)
            .map(|(name, classification)| (name, Sample::Text(format!("{classification:?}"))))
            .collect();
        Ok(Sample::Map(BTreeMap::from([
            ("score".to_owned(), Sample::number(judgement.score)),
            ("suspect".to_owned(), Sample::Map(suspect)),
        ])))
    }
}

impl<P: MetricProvider> KayentaProvider<P> {
    /// One value for each step, NaN where the source has none.
    async fn values(&self, question: &Question, metric: &str, side: Side) -> Result<Vec<f64>, PortError> {
        let Range { start, end, step, points } = side.range;
        let mut query = Query::new("prometheus", side.text);
        query.settings.clone_from(&question.query.settings);
        let range = [
            ("shape", "argo".to_owned()),
            ("range.start", start.to_string()),
            ("range.end", end.to_string()),
            ("range.step", step.to_string()),
        ];
        query.settings.extend(range.map(|(key, value)| (key.to_owned(), value)));
        let answer =
            self.source.ask(&Question { query: query.into(), window: None, ..question.clone() }).await?;
        let unlike = || invalid(KayentaError::Answer { metric: metric.to_owned(), answer: short(&answer) });
        let mut values = match &answer {
            Sample::Null => Vec::new(),
            Sample::Number(number) => vec![number.get()],
            Sample::List(items) => items
                .iter()
                .map(|item| match item {
                    Sample::Null => Ok(f64::NAN),
                    Sample::Number(number) => Ok(number.get()),
                    _ => Err(unlike()),
                })
                .collect::<Result<_, _>>()?,
            _ => return Err(unlike()),
        };
        if values.len() < points {
            values.resize(points, f64::NAN);
        }
        Ok(values)
    }
}

/// What is asked about one side.
struct Side {
    text: String,
    range: Range,
}

struct Range {
    start: Timestamp,
    end: Timestamp,
    step: GoDuration,
    points: usize,
}

/// The text with `${scope}` and `${location}` filled in; `${name:-otherwise}` where a name may stand for nothing.
fn fill(template: &str, scope: &Scope) -> Result<String, String> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let (inside, after) =
            after.split_once('}').ok_or_else(|| after.chars().take(SHOWN).collect::<String>())?;
        let (name, otherwise) = match inside.split_once(":-") {
            Some((name, otherwise)) => (name, Some(otherwise)),
            None => (inside, None),
        };
        let value = match name {
            "scope" => Some(scope.scope.as_str()),
            "location" => Some(scope.region.as_str()),
            _ => None,
        };
        let value = value.filter(|value| !value.is_empty()).or(otherwise);
        filled.push_str(value.ok_or_else(|| name.chars().take(SHOWN).collect::<String>())?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn invalid(error: KayentaError) -> PortError {
    PortError::new(PortErrorKind::Invalid, error)
}

fn short(answer: &Sample) -> String {
    answer.to_string().chars().take(SHOWN).collect()
}

/// Why a canary cannot be judged.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KayentaError {
    /// The text of the query is no [`CanaryAnalysis`].
    #[error("not a canary analysis with `config` and `scopes`: {reason}")]
    Unreadable {
        /// What is wrong, and where.
        reason: String,
    },
    /// A pair of scopes that is not there.
    #[error(
        "metric `{metric}` is about the scope `{scope}`, which is not given: add one of this name to `scopes`"
    )]
    NoScope {
        /// The metric.
        metric: String,
        /// The name of the pair.
        scope: String,
    },
    /// A time that is none.
    #[error(transparent)]
    Time(#[from] TimeExpressionError),
    /// A range without values, or with too many.
    #[error(
        "from {start} to {end} in steps of {step}: the end must not come before the start, the step must be above \
         zero, and there must be {most} values at most"
    )]
    Range {
        /// The first moment.
        start: Timestamp,
        /// The last moment.
        end: Timestamp,
        /// Time between two values.
        step: GoDuration,
        /// The greatest number of values.
        most: usize,
    },
    /// A placeholder that stands for nothing.
    #[error(
        "metric `{metric}`: nothing stands for `${{{placeholder}}}`: use `${{scope}}` or `${{location}}`, or give a \
         value, as in `${{name:-value}}`"
    )]
    Placeholder {
        /// The metric.
        metric: String,
        /// What is written between the braces.
        placeholder: String,
    },
    /// A filter without the name it belongs to.
    #[error(
        "metric `{metric}` has a filter and no `metricName`: add it, or write the whole query after `PromQL:`"
    )]
    NoName {
        /// The metric.
        metric: String,
    },
    /// An answer that holds no numbers.
    #[error("metric `{metric}`: expected numbers, got `{answer}`: write a query that gives one series")]
    Answer {
        /// The metric.
        metric: String,
        /// The answer, or its beginning.
        answer: String,
    },
}

/// What Prometheus answers at most.
const MOST_POINTS: usize = 11_000;
const SHOWN: usize = 40;
