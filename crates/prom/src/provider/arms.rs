//! What both arms did within a window, from raw counters.

use serinus_core::{
    metric::{ArmCounts, Number, Question, Sample, Window},
    stats::counters::{ClassicHistogram, whole},
    time::GoDuration,
};

use self::increase::{Histogram, Siblings, grouped, increase};
use super::{AskError, PrometheusProvider, settings::Settings, template};
use crate::{
    builtin::{Arm, ArmSelectors, window},
    client::Client,
    value::{Series, Value},
};

mod increase;

impl PrometheusProvider {
    /// The counts of both arms, and of a control group if selectors name one; an arm without a counter of requests is left out, which whoever compares takes as
    /// missing.
    pub(super) async fn arms(&self, question: &Question, settings: &Settings) -> Result<Sample, AskError> {
        let asked = question.window.ok_or(AskError::NoWindow)?;
        if asked.to < asked.from {
            return Err(AskError::BadWindow);
        }
        let client = self.client_for(settings)?;
        let source = Raw { client: &client, window: asked };
        let mut fetched = Vec::new();
        for arm in [Arm::Stable, Arm::Candidate] {
            fetched.push(source.fetch(&self.selectors(arm, question, settings)?).await?);
        }
        if settings.selectors.keys().any(|key| CONTROL.contains(key)) {
            fetched.push(source.fetch(&written(CONTROL, question, settings)?).await?);
        }
        // Requests of both tell which processes ran already when a series begins.
        let siblings = Siblings::of(fetched.iter().flat_map(|fetched| &fetched.requests));
        let mut arms = Vec::new();
        for (name, fetched) in ["stable", "candidate", "control"].into_iter().zip(&fetched) {
            if let Some(counts) = fetched.count(asked, &siblings)? {
                arms.push((name.to_owned(), sample_of(&counts)));
            }
        }
        Ok(Sample::Map(arms.into_iter().collect()))
    }

    fn selectors(
        &self,
        arm: Arm,
        question: &Question,
        settings: &Settings,
    ) -> Result<ArmSelectors, AskError> {
        if settings.selectors.is_empty() {
            let metric = serinus_core::metric::Query::ARMS;
            let source = settings.source.or(self.source).ok_or(AskError::NoSource { metric })?;
            let mut variables = self.variables_for(question, settings);
            if arm == Arm::Stable {
                // What is named after the workload goes on being so.
                for name in [&mut variables.service, &mut variables.ingress, &mut variables.route] {
                    if name.is_none() {
                        name.clone_from(&variables.target);
                    }
                }
                variables.target = variables.target.map(|target| format!("{target}-primary"));
                variables.candidate = Some(question.stable.to_string());
            }
            return Ok(ArmSelectors::of(arm, source, &variables)?);
        }
        let keys = match arm {
            Arm::Candidate => ["candidate.requests", "candidate.failures", "candidate.buckets"],
            Arm::Stable => ["stable.requests", "stable.failures", "stable.buckets"],
        };
        written(keys, question, settings)
    }
}

/// The selectors that the settings have under these keys; buckets may be missing.
fn written(
    keys: [&'static str; 3],
    question: &Question,
    settings: &Settings,
) -> Result<ArmSelectors, AskError> {
    let [requests, failures, buckets] = keys.map(|key| {
        let text = settings.selectors.get(key).ok_or(AskError::NoSelector { key })?;
        template::fill_in(text, question)
    });
    Ok(ArmSelectors {
        requests: requests?,
        failures: failures?,
        buckets: match buckets {
            Err(AskError::NoSelector { .. }) => None,
            buckets => Some(buckets?),
        },
        edges_in_milliseconds: settings.edges_in_milliseconds,
    })
}

/// Raw samples of a window and of the time before it.
struct Raw<'a> {
    client: &'a Client,
    window: Window,
}

/// The raw counters of one arm.
struct Fetched {
    requests: Vec<Series>,
    failures: Vec<Series>,
    buckets: Vec<Series>,
    /// What an edge is in seconds.
    unit: f64,
}

impl Raw<'_> {
    async fn fetch(&self, selectors: &ArmSelectors) -> Result<Fetched, AskError> {
        // A scrape between the questions may add requests, but no failures or latencies of requests not counted.
        let buckets = match &selectors.buckets {
            Some(selector) => self.samples(selector).await?,
            None => Vec::new(),
        };
        let failures = self.samples(&selectors.failures).await?;
        let requests = self.samples(&selectors.requests).await?;
        let unit = if selectors.edges_in_milliseconds { 0.001 } else { 1.0 };
        Ok(Fetched { requests, failures, buckets, unit })
    }

    async fn samples(&self, selector: &str) -> Result<Vec<Series>, AskError> {
        let Window { from, to } = self.window;
        let length = GoDuration::between(from, to).as_nanos().saturating_add(BEFORE.as_nanos());
        let text = format!("{selector}[{}]", window(GoDuration::from_nanos(length))?);
        tracing::debug!(address = self.client.address(), query = %text, at = %to, "asks Prometheus for raw counters");
        let answer = self.client.query(&text, Some(to)).await?;
        match answer.value {
            Value::Matrix(series) => Ok(series),
            other => Err(AskError::NotRaw { selector: selector.to_owned(), found: other.type_name() }),
        }
    }
}

impl Fetched {
    /// None if nobody counts this arm's requests.
    fn count(&self, window: Window, siblings: &Siblings) -> Result<Option<ArmCounts>, AskError> {
        if self.requests.is_empty() {
            return Ok(None);
        }
        let sum = |all: &[Series]| -> Result<u64, AskError> {
            let mut sum = 0.0;
            for series in all {
                sum += increase(series, window, siblings)?;
            }
            Ok(whole(sum)?)
        };
        let requests = sum(&self.requests)?;
        let failures = sum(&self.failures)?;
        Ok(Some(ArmCounts { requests, failures, latency: self.latency(window, siblings)? }))
    }

    /// How many requests took at most how long: over the edges that every process has.
    fn latency(&self, window: Window, siblings: &Siblings) -> Result<Vec<(Number, u64)>, AskError> {
        let mut sums: Option<Vec<(Number, f64)>> = None;
        for histogram in grouped(&self.buckets) {
            let more = Histogram::increase(&histogram, window, siblings)?;
            sums = Some(match sums {
                None => more,
                Some(sums) => {
                    let of =
                        |edge: Number| more.iter().find(|(other, _)| *other == edge).map(|(_, count)| count);
                    sums.into_iter().filter_map(|(edge, sum)| Some((edge, sum + of(edge)?))).collect()
                }
            });
        }
        let sums = sums.unwrap_or_default();
        if sums.last().is_none_or(|(edge, _)| edge.get() != f64::INFINITY) {
            return Ok(Vec::new());
        }
        // Buckets that were scraped while they were counted may fall, and are raised as Prometheus does.
        ClassicHistogram::new(sums.iter().map(|(edge, sum)| (edge.get(), *sum)))?;
        let mut below = 0;
        let mut latency = Vec::with_capacity(sums.len());
        for (edge, sum) in sums {
            below = whole(sum)?.max(below);
            latency.push((Number::new(edge.get() * self.unit), below));
        }
        Ok(latency)
    }
}

/// As [`Arms`](serinus_core::metric::Arms) have it.
fn sample_of(counts: &ArmCounts) -> Sample {
    let count = |count: u64| Sample::number(count as f64);
    let pairs =
        counts.latency.iter().map(|(edge, below)| Sample::List(vec![Sample::Number(*edge), count(*below)]));
    let mut map = vec![
        ("requests".to_owned(), count(counts.requests)),
        ("failures".to_owned(), count(counts.failures)),
    ];
    if !counts.latency.is_empty() {
        map.push(("latency".to_owned(), Sample::List(pairs.collect())));
    }
    Sample::Map(map.into_iter().collect())
}

/// The settings that name a control group.
const CONTROL: [&str; 3] = ["control.requests", "control.failures", "control.buckets"];
/// How long before a window the last sample before it is looked for: as long as Prometheus itself looks back.
const BEFORE: GoDuration = GoDuration::from_mins(5);
