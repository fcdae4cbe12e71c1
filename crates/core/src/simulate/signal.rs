//! What a metric measures, so that a made-up world can answer for its source.

use std::{fmt, str::FromStr};

use super::traffic::Tally;
use crate::{
    analysis::Metric,
    metric::{Number, Query},
};

pub use self::infer::SignalError;

mod bounds;
mod infer;

/// What a metric measures about the candidate.
///
/// Printed and parsed as `success-ratio`, `success-percent`, `error-ratio`, `error-percent`, `latency-p99-seconds`,
/// `latency-p99.9-ms`, `requests-per-second`, `errors-per-second`, `value:0.3` and `arms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// Share of the requests that did not fail, `0..=1`.
    SuccessRatio,
    /// Share of the requests that did not fail, `0..=100`.
    SuccessPercent,
    /// Share of the requests that failed, `0..=1`.
    ErrorRatio,
    /// Share of the requests that failed, `0..=100`.
    ErrorPercent,
    /// The time that this share of the requests took at most, `0..=1`, in seconds.
    LatencySeconds(Number),
    /// The time that this share of the requests took at most, `0..=1`, in milliseconds.
    LatencyMillis(Number),
    /// Requests per second.
    RequestsPerSecond,
    /// Failed requests per second.
    ErrorsPerSecond,
    /// Always this value: what the world knows nothing of, such as the use of memory.
    Constant(Number),
    /// Counts of both versions: what a comparison asks for.
    Arms,
}

impl Signal {
    /// Infers what a metric measures from its name, its query and its bounds.
    ///
    /// Built-in queries are known. Of any other:
    ///
    /// - It is a latency if the query takes a quantile of a histogram, or the name says `latency`, `duration` or `p99`.
    ///   Which quantile stands in the query or in the name (`p95`); the unit in the query (`milliseconds`, `* 1000`,
    ///   `seconds`).
    /// - It is a share if the query divides, or the name says `rate`, `ratio`, `percent`, `success` or `error`. Of what,
    ///   the name says (`success`, `error`, …), else the selector (`!~"5.."` or `=~"5.."`), else the words of the
    ///   query; it must agree with the bounds, a lower one for successes and an upper one for failures. In percent, if
    ///   the query multiplies by 100 or a bound is above 1.
    ///
    /// # Errors
    ///
    /// If it cannot be told, or the signs contradict each other; never a guess.
    pub fn of(metric: &Metric) -> Result<Self, SignalError> {
        infer::infer(metric)
    }

    /// Whether times of answers are needed.
    pub(super) const fn needs_latency(self) -> bool {
        matches!(self, Self::LatencySeconds(_) | Self::LatencyMillis(_) | Self::Arms)
    }

    /// The value over a window of this many seconds; NaN without requests, as 0/0 is.
    pub(super) fn value(self, candidate: &Tally, seconds: f64) -> f64 {
        match self {
            Self::SuccessRatio => 1.0 - candidate.failure_rate(),
            Self::SuccessPercent => 100.0 - 100.0 * candidate.failure_rate(),
            Self::ErrorRatio => candidate.failure_rate(),
            Self::ErrorPercent => 100.0 * candidate.failure_rate(),
            Self::LatencySeconds(quantile) => candidate.quantile(quantile.get()),
            Self::LatencyMillis(quantile) => 1000.0 * candidate.quantile(quantile.get()),
            Self::RequestsPerSecond => candidate.requests as f64 / seconds,
            Self::ErrorsPerSecond => candidate.failures as f64 / seconds,
            Self::Constant(value) => value.get(),
            Self::Arms => f64::NAN,
        }
    }

    /// What it is, in words.
    pub fn in_words(self) -> String {
        let percentile = |quantile: Number| Number::new(hundredfold(quantile));
        match self {
            Self::SuccessRatio => "the share of requests that succeed, 0 to 1".to_owned(),
            Self::SuccessPercent => "the share of requests that succeed, in percent".to_owned(),
            Self::ErrorRatio => "the share of requests that fail, 0 to 1".to_owned(),
            Self::ErrorPercent => "the share of requests that fail, in percent".to_owned(),
            Self::LatencySeconds(quantile) => {
                format!("percentile {} of the latency, in s", percentile(quantile))
            }
            Self::LatencyMillis(quantile) => {
                format!("percentile {} of the latency, in ms", percentile(quantile))
            }
            Self::RequestsPerSecond => "requests per second".to_owned(),
            Self::ErrorsPerSecond => "failed requests per second".to_owned(),
            Self::Constant(value) => format!("always {value}"),
            Self::Arms => "counts of both versions".to_owned(),
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SuccessRatio => f.write_str("success-ratio"),
            Self::SuccessPercent => f.write_str("success-percent"),
            Self::ErrorRatio => f.write_str("error-ratio"),
            Self::ErrorPercent => f.write_str("error-percent"),
            Self::LatencySeconds(quantile) => {
                write!(f, "latency-p{}-seconds", Number::new(hundredfold(*quantile)))
            }
            Self::LatencyMillis(quantile) => write!(f, "latency-p{}-ms", Number::new(hundredfold(*quantile))),
            Self::RequestsPerSecond => f.write_str("requests-per-second"),
            Self::ErrorsPerSecond => f.write_str("errors-per-second"),
            Self::Constant(value) => write!(f, "value:{value}"),
            Self::Arms => f.write_str("arms"),
        }
    }
}

impl FromStr for Signal {
    type Err = SignalTextError;

    fn from_str(text: &str) -> Result<Self, SignalTextError> {
        let fault = || SignalTextError { text: text.to_owned() };
        if let Some(value) = text.strip_prefix("value:") {
            return value.parse().map(Self::Constant).map_err(|_| fault());
        }
        if let Some(rest) = text.strip_prefix("latency-p") {
            let (percentile, unit) = rest.rsplit_once('-').ok_or_else(fault)?;
            let percentile: f64 = percentile.parse().map_err(|_| fault())?;
            if !(0.0..=100.0).contains(&percentile) {
                return Err(fault());
            }
            let quantile = Number::new(percentile / 100.0);
            return match unit {
                "seconds" => Ok(Self::LatencySeconds(quantile)),
                "ms" => Ok(Self::LatencyMillis(quantile)),
                _ => Err(fault()),
            };
        }
        Ok(match text {
            "success-ratio" => Self::SuccessRatio,
            "success-percent" => Self::SuccessPercent,
            "error-ratio" => Self::ErrorRatio,
            "error-percent" => Self::ErrorPercent,
            "requests-per-second" => Self::RequestsPerSecond,
            "errors-per-second" => Self::ErrorsPerSecond,
            "arms" => Self::Arms,
            _ => return Err(fault()),
        })
    }
}

/// A text that names no signal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a signal: expected success-ratio, success-percent, error-ratio, error-percent, \
     latency-p99-seconds, latency-p99-ms, requests-per-second, errors-per-second, value:NUMBER or arms"
)]
pub struct SignalTextError {
    text: String,
}

/// How long back a metric looks: the window of its query, else the first range in PromQL, else its interval, else a
/// minute. In nanoseconds.
pub(super) fn window_of(metric: &Metric) -> i64 {
    let Query { window, text, .. } = &metric.query;
    window
        .or_else(|| range(text))
        .or(metric.interval)
        .filter(|window| !window.is_negative() && !window.is_zero())
        .map_or(MINUTE, crate::time::GoDuration::as_nanos)
}

fn range(text: &str) -> Option<crate::time::GoDuration> {
    text.split('[').skip(1).find_map(|rest| rest.split([']', ':']).next()?.trim().parse().ok())
}

/// Of 0.999 a hundredfold is 99.9, which 99.9 is, and 0.999 * 100 is not.
fn hundredfold(quantile: Number) -> f64 {
    (quantile.get() * 1e8).round() / 1e6
}

const MINUTE: i64 = 60_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_prints_what_it_parses() {
        for text in [
            "success-ratio",
            "success-percent",
            "error-ratio",
            "error-percent",
            "latency-p99-seconds",
            "latency-p99.9-ms",
            "latency-p50-ms",
            "requests-per-second",
            "errors-per-second",
            "value:0.3",
            "arms",
        ] {
            assert_eq!(text.parse::<Signal>().unwrap().to_string(), text);
        }
        for text in ["", "latency", "latency-p99", "latency-p101-ms", "latency-p9x-ms", "value:x", "p99"] {
            let error = text.parse::<Signal>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is not a signal")), "{error}");
        }
    }

    #[test]
    fn the_first_range_of_a_query_is_its_window() {
        assert_eq!(range("sum(rate(a{b=~\"[x]\"}[2m])) / sum(rate(a[5m]))"), Some("2m".parse().unwrap()));
        assert_eq!(range("max_over_time(a[1h:1m])"), Some("1h".parse().unwrap()));
        assert_eq!(range("a / b"), None);
    }
}
