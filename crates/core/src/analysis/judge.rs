//! From an answer to an outcome.

use super::{Data, Judge, Outcome};
use crate::{
    metric::{Arms, Number, Sample},
    text::Text,
};

/// An answer, judged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the whole of a judgement")]
pub struct Judged {
    /// What it came to.
    pub outcome: Outcome,
    /// What data it rests on.
    pub data: Data,
    /// Why, in words, with the numbers.
    pub reason: Text,
}

impl Judge {
    /// Judges one answer.
    ///
    /// Absent data never passes by accident: if the answer is empty or NaN and nothing in the conditions asks about
    /// that (`isNaN`, `isNil`, `len`, `default`, …), a pass becomes an error. A range never passes it at all.
    pub fn judge(&self, sample: &Sample) -> Judged {
        let data = Data::of(sample);
        let (outcome, data, reason) = match self {
            #[cfg(feature = "expr")]
            Self::Conditions { success, failure } => {
                by_conditions(success.as_ref(), failure.as_ref(), sample, data)
            }
            Self::Range { min, max } => by_range(*min, *max, sample, data),
            Self::Compare(_) => one_window(sample, data),
        };
        Judged { outcome, data, reason }
    }
}

impl Data {
    /// What kind of data an answer is.
    pub fn of(sample: &Sample) -> Self {
        fn all(items: &[Sample], is: impl Fn(Number) -> bool) -> bool {
            items.iter().all(|item| matches!(item, Sample::Number(number) if is(*number)))
        }
        match sample {
            _ if sample.is_empty() => Self::Empty,
            Sample::List(items) if items.iter().all(Sample::is_empty) => Self::Empty,
            Sample::Number(number) if number.is_nan() => Self::NotANumber,
            Sample::Number(number) if !number.is_finite() => Self::Infinite,
            Sample::List(items) if all(items, Number::is_nan) => Self::NotANumber,
            Sample::List(items) if all(items, |number| number.get().is_infinite()) => Self::Infinite,
            Sample::Null
            | Sample::Bool(_)
            | Sample::Number(_)
            | Sample::Text(_)
            | Sample::List(_)
            | Sample::Map(_)
            | Sample::Arms(_) => Self::Present,
        }
    }
}

/// Both conditions are always evaluated, and an error in either is an error, even if the other would decide
/// (argo: metric/evaluate, the four cases).
#[cfg(feature = "expr")]
fn by_conditions(
    success: Option<&super::Condition>,
    failure: Option<&super::Condition>,
    sample: &Sample,
    data: Data,
) -> (Outcome, Data, Text) {
    let holds = |condition: Option<&super::Condition>| condition.map(|it| it.holds(sample)).transpose();
    let (good, bad) = match (holds(success), holds(failure)) {
        (Ok(good), Ok(bad)) => (good, bad),
        (Err(error), _) | (Ok(_), Err(error)) => {
            let data = if data == Data::Empty { data } else { Data::Erroneous };
            return (Outcome::Error, data, error.to_string().into());
        }
    };
    let named =
        |condition: Option<&super::Condition>| condition.map(|it| it.as_str().to_owned()).unwrap_or_default();
    let (outcome, reason) = match (good, bad) {
        (_, Some(true)) => (Outcome::Failed, format!("failure condition `{}` holds", named(failure))),
        (Some(true), _) => (Outcome::Successful, format!("success condition `{}` holds", named(success))),
        (None, None) => (Outcome::Successful, "no condition to judge by".to_owned()),
        (None, Some(false)) => {
            (Outcome::Successful, format!("failure condition `{}` does not hold", named(failure)))
        }
        (Some(false), None) => {
            (Outcome::Failed, format!("success condition `{}` does not hold", named(success)))
        }
        (Some(false), Some(false)) => {
            (Outcome::Inconclusive, format!("neither `{}` nor `{}` holds", named(success), named(failure)))
        }
    };
    let asked = success.is_some_and(super::Condition::asks_about_absence)
        || failure.is_some_and(super::Condition::asks_about_absence);
    match (outcome, data) {
        (Outcome::Successful, Data::Empty | Data::NotANumber) if !asked => (
            Outcome::Error,
            data,
            format!(
                "no data: the answer is {sample}, and no condition says what that means; use isNaN, len or default"
            )
            .into(),
        ),
        _ => (outcome, data, reason.into()),
    }
}

/// A comparison is decided by all its windows together ([`Run::record`](super::run::Run::record)), never by one.
fn one_window(sample: &Sample, data: Data) -> (Outcome, Data, Text) {
    match Arms::of(sample) {
        Ok(_) => (Outcome::Undecided, data, "one window of a comparison decides nothing".into()),
        Err(error) => (Outcome::Error, data, error.to_string().into()),
    }
}

fn by_range(min: Option<Number>, max: Option<Number>, sample: &Sample, data: Data) -> (Outcome, Data, Text) {
    if data == Data::Empty {
        return (Outcome::Error, data, "no data: the answer has no value".into());
    }
    let Some(number) = sample.as_number() else {
        return (
            Outcome::Error,
            Data::NotANumber,
            format!("expected one number, but the answer is {sample}").into(),
        );
    };
    if number.is_nan() {
        return (Outcome::Error, Data::NotANumber, "no data: the answer is NaN".into());
    }
    // Not `Number`'s own order: that is total and would put a NaN bound somewhere.
    let value = number.get();
    match (min, max) {
        (Some(min), _) if value < min.get() => {
            (Outcome::Failed, data, format!("{number} is below the minimum {min}").into())
        }
        (_, Some(max)) if value > max.get() => {
            (Outcome::Failed, data, format!("{number} is above the maximum {max}").into())
        }
        _ => (Outcome::Successful, data, "within range".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(min: Option<f64>, max: Option<f64>) -> Judge {
        Judge::Range { min: min.map(Number::new), max: max.map(Number::new) }
    }

    #[test]
    fn a_range_holds_both_its_ends() {
        let judge = range(Some(0.0), Some(100.0));
        for (value, outcome) in [
            (0.0, Outcome::Successful),
            (100.0, Outcome::Successful),
            (-0.1, Outcome::Failed),
            (100.1, Outcome::Failed),
            (f64::INFINITY, Outcome::Failed),
        ] {
            assert_eq!(judge.judge(&value.into()).outcome, outcome, "{value}");
        }
    }

    #[test]
    fn a_range_never_passes_what_is_not_a_number() {
        for judge in [range(None, None), range(Some(0.0), None), range(None, Some(1.0))] {
            for (sample, data) in [
                (Sample::number(f64::NAN), Data::NotANumber),
                (Sample::List(vec![Sample::number(f64::NAN)]), Data::NotANumber),
                (Sample::empty(), Data::Empty),
                (Sample::Null, Data::Empty),
                (Sample::List(vec![Sample::Null]), Data::Empty),
                (Sample::Text("5".into()), Data::NotANumber),
                (Sample::List(vec![1.0.into(), 2.0.into()]), Data::NotANumber),
            ] {
                let judged = judge.judge(&sample);
                assert_eq!((judged.outcome, judged.data), (Outcome::Error, data), "{sample}");
            }
        }
    }

    #[test]
    fn infinity_is_compared_as_a_number() {
        let judged = range(Some(5.0), None).judge(&f64::INFINITY.into());
        assert_eq!((judged.outcome, judged.data), (Outcome::Successful, Data::Infinite));
    }
}
