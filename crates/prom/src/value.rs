//! What Prometheus answers with.

use std::collections::BTreeMap;

use serde::Deserialize;
use serinus_core::{metric::Number, time::Timestamp};

/// The labels of a series, by name; the metric's name is the label `__name__`.
pub type Labels = BTreeMap<String, String>;

/// A successful answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The result of the query.
    pub value: Value,
    /// What Prometheus had to say about the query although it answered it.
    pub warnings: Vec<String>,
}

/// The result of a query, of one of the four types PromQL has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// One number.
    Scalar(Point),
    /// A text.
    String(String),
    /// One number for each series at one moment; empty if no series matched.
    Vector(Vec<VectorSample>),
    /// Several numbers for each series; empty if no series matched.
    Matrix(Vec<Series>),
}

impl Value {
    /// The name PromQL has for this type of result.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Scalar(_) => "scalar",
            Self::String(_) => "string",
            Self::Vector(_) => "vector",
            Self::Matrix(_) => "matrix",
        }
    }
}

/// A number at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Point {
    /// The moment, to the millisecond.
    pub at: Timestamp,
    /// The number; may be NaN or infinite.
    pub value: Number,
}

/// One series of a vector.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VectorSample {
    /// What tells the series from the others.
    pub labels: Labels,
    /// Its number.
    pub point: Point,
}

/// One series of a matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Series {
    /// What tells the series from the others.
    pub labels: Labels,
    /// Its numbers, oldest first.
    pub points: Vec<Point>,
}

/// The envelope around every answer, good or bad.
#[derive(Deserialize)]
pub(crate) struct Envelope {
    pub(crate) status: String,
    data: Option<WrittenValue>,
    #[serde(default, rename = "errorType")]
    pub(crate) error_type: Option<String>,
    #[serde(default)]
    pub(crate) error: Option<String>,
    #[serde(default)]
    warnings: Option<Vec<String>>,
}

impl Envelope {
    /// The answer in the envelope, or what is wrong with it.
    pub(crate) fn into_answer(self) -> Result<Answer, String> {
        let Some(data) = self.data else { return Err("there is no `data` in it".to_owned()) };
        Ok(Answer { value: data.read()?, warnings: self.warnings.unwrap_or_default() })
    }
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum WrittenValue {
    Scalar(WrittenPoint),
    String(WrittenPoint),
    Vector(Vec<WrittenSample>),
    Matrix(Vec<WrittenSeries>),
}

impl WrittenValue {
    fn read(self) -> Result<Value, String> {
        Ok(match self {
            Self::Scalar(point) => Value::Scalar(point.read()?),
            Self::String(WrittenPoint(_, text)) => Value::String(text),
            Self::Vector(samples) => {
                Value::Vector(samples.into_iter().map(WrittenSample::read).collect::<Result<_, _>>()?)
            }
            Self::Matrix(series) => {
                Value::Matrix(series.into_iter().map(WrittenSeries::read).collect::<Result<_, _>>()?)
            }
        })
    }
}

#[derive(Deserialize)]
struct WrittenPoint(f64, String);

impl WrittenPoint {
    fn read(self) -> Result<Point, String> {
        let at = Timestamp::from_millisecond((self.0 * 1000.0).round() as i64)
            .map_err(|_| format!("its time {} is out of range", self.0))?;
        let value = self.1.parse().map_err(|error| format!("{error}"))?;
        Ok(Point { at, value })
    }
}

#[derive(Deserialize)]
struct WrittenSample {
    #[serde(default)]
    metric: Labels,
    value: Option<WrittenPoint>,
}

impl WrittenSample {
    fn read(self) -> Result<VectorSample, String> {
        let point = self.value.ok_or(NATIVE_HISTOGRAM)?.read()?;
        Ok(VectorSample { labels: self.metric, point })
    }
}

#[derive(Deserialize)]
struct WrittenSeries {
    #[serde(default)]
    metric: Labels,
    values: Option<Vec<WrittenPoint>>,
}

impl WrittenSeries {
    fn read(self) -> Result<Series, String> {
        let points = self.values.ok_or(NATIVE_HISTOGRAM)?;
        let points = points.into_iter().map(WrittenPoint::read).collect::<Result<_, _>>()?;
        Ok(Series { labels: self.metric, points })
    }
}

const NATIVE_HISTOGRAM: &str =
    "a series in it has no numbers: make numbers of a native histogram, for example with histogram_quantile";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Answer, String> {
        serde_json::from_str::<Envelope>(json).map_err(|error| error.to_string())?.into_answer()
    }

    #[test]
    fn the_result_may_stand_before_its_type() {
        let answer =
            read(r#"{"data":{"result":[1.5,"2"],"resultType":"scalar"},"status":"success"}"#).unwrap();
        let Value::Scalar(point) = answer.value else { panic!("{answer:?}") };
        assert_eq!((point.at.as_millisecond(), point.value.get()), (1500, 2.0));
    }

    #[test]
    fn a_native_histogram_is_named_as_the_reason() {
        let error = read(
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}}"#,
        )
        .unwrap_err();
        assert!(error.contains("native histogram"), "{error}");
    }

    #[test]
    fn no_beginning_of_an_answer_is_taken_for_an_answer() {
        let whole = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"ä":"b"},"values":[[1.5,"2"],[2,"NaN"]]}]}}"#;
        read(whole).unwrap();
        for (end, _) in whole.char_indices() {
            assert!(read(&whole[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn a_time_beyond_all_ages_is_refused() {
        let error =
            read(r#"{"status":"success","data":{"resultType":"scalar","result":[1e300,"1"]}}"#).unwrap_err();
        assert!(error.contains("out of range"), "{error}");
    }
}
