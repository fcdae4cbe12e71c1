//! What a metric measures, from what is written about it.

use super::{Signal, bounds::Bounds};
use crate::{
    analysis::Metric,
    metric::{Number, Query},
};

/// Why it is not known what a metric measures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// Nothing says it.
    #[error(
        "cannot tell what the metric `{metric}` measures ({why}): say it with a signal for `{metric}`, such as \
         success-ratio, error-percent or latency-p99-seconds"
    )]
    Unknown {
        /// The metric.
        metric: String,
        /// What is missing or contradictory.
        why: String,
    },
    /// A signal for a metric that is not there.
    #[error("there is no metric `{metric}` to give a signal to: the plan has {known}")]
    NoSuchMetric {
        /// What was named.
        metric: String,
        /// What there is.
        known: String,
    },
}

pub(super) fn infer(metric: &Metric) -> Result<Signal, SignalError> {
    let unknown = |why: &str| SignalError::Unknown { metric: metric.name.clone(), why: why.to_owned() };
    if metric.query.provider == Query::BUILTIN {
        return match metric.query.text.as_str() {
            Query::SUCCESS_RATE => Ok(Signal::SuccessPercent),
            Query::DURATION => Ok(Signal::LatencyMillis(Number::new(0.99))),
            Query::ARMS => Ok(Signal::Arms),
            other => Err(unknown(&format!("there is no built-in query `{other}`"))),
        };
    }
    let text = Text::of(metric);
    let bounds = Bounds::of(&metric.judge);
    let signal = if text.is_latency() { text.latency() } else { text.share(&bounds) };
    signal.map_err(unknown)
}

/// What is written about a metric, in lower case and without white space where that plays no part.
struct Text {
    name: String,
    query: String,
}

impl Text {
    fn of(metric: &Metric) -> Self {
        let query = metric.query.text.to_lowercase();
        Self { name: metric.name.to_lowercase(), query: query.split_whitespace().collect() }
    }

    fn is_latency(&self) -> bool {
        self.query.contains("quantile")
            || has(&self.name, &["latency", "duration", "response-time", "responsetime"])
            || percentile(&self.name).is_some()
    }

    fn latency(&self) -> Result<Signal, &'static str> {
        let quantile = after(&self.query, "histogram_quantile(")
            .or_else(|| after(&self.query, "quantile=\""))
            .or_else(|| percentile(&self.name).map(|percent| percent / 100.0))
            .filter(|quantile| (0.0..=1.0).contains(quantile))
            .ok_or("it is a latency, but neither query nor name says which quantile")?;
        let quantile = Number::new(quantile);
        if has(&self.query, &["*1000", "1000*"]) || has(&self.query, &["millisecond", "_ms"]) {
            Ok(Signal::LatencyMillis(quantile))
        } else if self.query.contains("second") {
            Ok(Signal::LatencySeconds(quantile))
        } else {
            Err("it is a latency, but the query does not say whether in seconds or milliseconds")
        }
    }

    fn share(&self, bounds: &Bounds) -> Result<Signal, &'static str> {
        let counts = has(&self.query, &["rate(", "increase("]) && !self.query.contains('/');
        if counts {
            return Err("it counts, and is no share of anything");
        }
        let is_share = self.query.contains('/')
            || has(&self.name, &["rate", "ratio", "percent", "success", "error", "availability"]);
        if !is_share {
            return Err("its query divides nothing, and its name speaks of no share");
        }
        let of_successes = self.of_successes().ok_or(
            "neither its name nor its query says whether it is the share of successes or of failures",
        )?;
        let contradicted = if of_successes {
            bounds.lower.is_empty() && !bounds.upper.is_empty()
        } else {
            bounds.upper.is_empty() && !bounds.lower.is_empty()
        };
        if contradicted {
            return Err("its name or query speaks of the other outcome than its bounds");
        }
        let in_percent = has(&self.query, &["*100", "100*", "100-"]) || bounds.all().any(|bound| bound > 1.0);
        Ok(match (of_successes, in_percent) {
            (true, false) => Signal::SuccessRatio,
            (true, true) => Signal::SuccessPercent,
            (false, false) => Signal::ErrorRatio,
            (false, true) => Signal::ErrorPercent,
        })
    }

    /// By name, else by the selector of status codes, else by the words in the query.
    fn of_successes(&self) -> Option<bool> {
        if let Some(said) = outcome(&self.name) {
            return Some(said);
        }
        let quoted = self.query.replace(['(', '[', '^'], "");
        let without = has(&quoted, &["!~\"5", "!=\"5", "!~\"4", "!~'5"]);
        let only_good = has(&quoted, &["=~\"2", "=\"2", "=~'2"]);
        let only_bad = has(&quoted.replace("!=", "≠"), &["=~\"5", "=\"5", "=~\"4", "=\"4", "=~'5"]);
        let selected = match (without || only_good, only_bad) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            // Both or neither: no sign.
            (true, true) | (false, false) => outcome(&self.query),
        };
        // 1 - failures / all are the successes.
        let is_rest = self.query.starts_with("1-") || self.query.starts_with("100-");
        selected.map(|of_successes| of_successes != is_rest)
    }
}

fn outcome(text: &str) -> Option<bool> {
    match (has(text, &["success", "availability", "non-5xx"]), has(text, &["error", "fail", "5xx"])) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        (true, true) => text.contains("non-5xx").then_some(true),
        (false, false) => None,
    }
}

fn has(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// The number that follows `mark`.
fn after(text: &str, mark: &str) -> Option<f64> {
    let (_, rest) = text.split_once(mark)?;
    let end = rest.find(|letter: char| !(letter.is_ascii_digit() || letter == '.')).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// The number in a word such as `p99`, in percent.
fn percentile(name: &str) -> Option<f64> {
    name.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '.'))
        .filter_map(|word| word.strip_prefix('p')?.parse().ok())
        .find(|percent| (0.0..=100.0).contains(percent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{analysis::Judge, time::GoDuration};

    fn at_least(min: f64) -> Judge {
        Judge::Range { min: Some(Number::new(min)), max: None }
    }

    fn at_most(max: f64) -> Judge {
        Judge::Range { min: None, max: Some(Number::new(max)) }
    }

    fn signal(name: &str, query: &str, judge: Judge) -> Result<String, SignalError> {
        let metric = Metric::new(name, Query::new("prometheus", query), judge);
        Signal::of(&metric).map(|signal| signal.to_string())
    }

    #[test]
    fn what_manifests_measure_is_recognised() {
        let rates = "sum(rate(requests{status!~\"5..\"}[1m])) / sum(rate(requests[1m]))";
        let errors = "sum(rate(requests{code=~\"5..\"}[1m])) / sum(rate(requests[1m])) * 100";
        let rest = "100 - sum(rate(requests{status=~\"5.*\"}[1m])) / sum(rate(requests[1m])) * 100";
        let quantile =
            "histogram_quantile(0.95, sum(rate(http_request_duration_seconds_bucket[1m])) by (le))";
        let istio =
            "histogram_quantile(0.999, sum(rate(istio_request_duration_milliseconds_bucket[1m])) by (le))";
        for (name, query, judge, expected) in [
            ("success-rate", rates, at_least(0.99), "success-ratio"),
            ("health", rates, at_least(0.99), "success-ratio"),
            ("health", errors, at_most(1.0), "error-percent"),
            ("error-rate", errors, at_most(0.5), "error-percent"),
            ("health", rest, at_least(99.0), "success-percent"),
            ("404s percentage", "sum(a{status=\"404\"}) / sum(a) * 100", at_most(5.0), "error-percent"),
            ("latency", quantile, at_most(0.5), "latency-p95-seconds"),
            ("latency", istio, at_most(500.0), "latency-p99.9-ms"),
            ("p90", "app:latency_ms:p90", at_most(500.0), "latency-p90-ms"),
        ] {
            assert_eq!(signal(name, query, judge).unwrap(), expected, "{name}: {query}");
        }
        let builtin = |name| Query::builtin(name, GoDuration::from_mins(1));
        for (name, expected) in [
            (Query::SUCCESS_RATE, "success-percent"),
            (Query::DURATION, "latency-p99-ms"),
            (Query::ARMS, "arms"),
        ] {
            let metric = Metric::new("m", builtin(name), at_least(99.0));
            assert_eq!(Signal::of(&metric).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn what_cannot_be_told_is_an_error_with_the_remedy() {
        for (name, query, judge, expected) in [
            ("errors", "sum(rate(errors_total[1m]))", at_most(10.0), "it counts"),
            ("memory", "container_memory_usage_bytes", at_most(1e9), "divides nothing"),
            ("saturation", "used / total", at_most(0.8), "successes or of failures"),
            ("success-rate", "good / all", at_most(0.01), "other outcome than its bounds"),
            ("latency", "app_latency", at_most(0.5), "which quantile"),
            ("p99", "app_latency", at_most(0.5), "seconds or milliseconds"),
        ] {
            let error = signal(name, query, judge).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains(&format!("signal for `{name}`")), "{error}");
        }
    }
}
