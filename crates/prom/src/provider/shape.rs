//! How a result becomes a sample.

use serinus_core::metric::Sample;

use super::AskError;
use crate::value::{Point, Value};

/// How a result becomes one [`Sample`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shape {
    /// As Argo Rollouts reads results: a scalar is a number, a vector the list of its numbers, a matrix the list of
    /// all its numbers, one series after the other. A string is refused.
    #[default]
    Argo,
    /// As Flagger reads results: the number of the last series of a vector; no series, or NaN, is
    /// [`Sample::empty`]. Everything but a vector is refused.
    Flagger,
}

impl Shape {
    /// The sample.
    pub(super) fn sample(self, value: Value) -> Result<Sample, AskError> {
        let found = value.type_name();
        let refused = |shape, remedy| Err(AskError::Result { found, shape, remedy });
        let number = |point: Point| Sample::Number(point.value);
        match (self, value) {
            (Self::Argo, Value::Scalar(point)) => Ok(number(point)),
            (Self::Argo, Value::Vector(samples)) => {
                Ok(Sample::List(samples.into_iter().map(|sample| number(sample.point)).collect()))
            }
            (Self::Argo, Value::Matrix(series)) => {
                Ok(Sample::List(series.into_iter().flat_map(|series| series.points).map(number).collect()))
            }
            (Self::Argo, Value::String(_)) => refused("argo", "a query must give numbers"),
            (Self::Flagger, Value::Vector(mut samples)) => Ok(match samples.pop() {
                Some(last) if !last.point.value.is_nan() => number(last.point),
                _ => Sample::empty(),
            }),
            (Self::Flagger, Value::Matrix(_)) => {
                refused("flagger", "multiple values; aggregate them in the query, and leave range.* away")
            }
            (Self::Flagger, Value::Scalar(_)) => refused("flagger", "wrap the scalar in vector(…)"),
            (Self::Flagger, Value::String(_)) => refused("flagger", "a query must give numbers"),
        }
    }
}
