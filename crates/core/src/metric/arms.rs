//! What both arms of a comparison did within one window.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Number, Sample};
use crate::time::Timestamp;

/// A stretch of time, half open: `from` belongs to it, `to` does not.
///
/// The windows of one comparison are disjoint and follow one another; a source that is asked for the same window again
/// gives the same answer, or an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_structs, reason = "an interval has two ends")]
pub struct Window {
    /// The beginning.
    pub from: Timestamp,
    /// The end.
    pub to: Timestamp,
}

/// What each arm did within the same window.
///
/// As a [`Sample`] it is a map with the keys `stable` and `candidate`, and perhaps `control`, each a map with `requests`,
/// `failures` and, if latencies are known, `latency`: a list of pairs of an edge in seconds and the requests that took at
/// most that long. Beside them may stand what the source has against its own counts
/// ([`Objection`](crate::analysis::comparison::Objection)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a comparison has two arms")]
pub struct Arms {
    /// The proven revision.
    pub stable: ArmCounts,
    /// The new revision.
    pub candidate: ArmCounts,
    /// A second group of instances of the proven revision that are not counted in `stable`, about as many as the candidate
    /// has: between the two there is no difference but chance, by which
    /// [`Dispersal::Calibrated`](crate::analysis::comparison::Dispersal::Calibrated) measures how much counts scatter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<ArmCounts>,
}

/// Raw counts of one arm within one window: differences of counters, never rates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "plain counts")]
pub struct ArmCounts {
    /// Requests that ended within the window.
    pub requests: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// How many took at most how long: edges in seconds, rising, the last one `+Inf`, with counts that do not fall.
    /// Empty if latencies are not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latency: Vec<(Number, u64)>,
}

/// Why an answer holds no counts of two arms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArmsError {
    /// An arm is not there: it took no request, or nobody counts it.
    #[error("no data of the {arm} arm: a window counts only with data of both")]
    Missing {
        /// `stable` or `candidate`.
        arm: &'static str,
    },
    /// Something that must be a count is none.
    #[error("{place} is {value}: expected a whole number from 0 to 9007199254740992")]
    NoCount {
        /// Where it stands.
        place: String,
        /// What was found.
        value: String,
    },
    /// More failures than requests.
    #[error(
        "the {arm} arm has {failures} failures in {requests} requests: do both counters count the same requests?"
    )]
    TooManyFailures {
        /// `stable` or `candidate`.
        arm: &'static str,
        /// Failures.
        failures: u64,
        /// Requests.
        requests: u64,
    },
    /// A histogram that is none.
    #[error("the latencies of the {arm} arm are no histogram: {what}")]
    BadHistogram {
        /// `stable` or `candidate`.
        arm: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Not a map with both arms.
    #[error(
        "the answer {value} has no counts of two arms: expected `stable` and `candidate`, each with `requests` and `failures`"
    )]
    NoArms {
        /// What was found, shortened.
        value: String,
    },
}

impl Arms {
    /// Checks what a comparison relies on.
    ///
    /// # Errors
    ///
    /// More failures than requests; edges or counts of a histogram out of order.
    pub fn check(&self) -> Result<(), ArmsError> {
        let control = self.control.as_ref().map(|control| ("control", control));
        for (arm, counts) in
            [("stable", &self.stable), ("candidate", &self.candidate)].into_iter().chain(control)
        {
            let ArmCounts { requests, failures, ref latency } = *counts;
            if failures > requests {
                return Err(ArmsError::TooManyFailures { arm, failures, requests });
            }
            let fault = |what| Err(ArmsError::BadHistogram { arm, what });
            if latency.iter().any(|(edge, _)| edge.is_nan()) {
                return fault("an edge is NaN");
            }
            for pair in latency.windows(2) {
                if pair[0].0 >= pair[1].0 {
                    return fault("its edges do not rise");
                }
                if pair[0].1 > pair[1].1 {
                    return fault("its counts fall, but they are to count everything at or below the edge");
                }
            }
            if latency.last().is_some_and(|(edge, _)| edge.get() != f64::INFINITY) {
                return fault("its last edge is not +Inf");
            }
        }
        Ok(())
    }

    /// The counts in an answer, as they are kept if it keeps them.
    pub(crate) fn of(sample: &Sample) -> Result<Cow<'_, Self>, ArmsError> {
        let arms = match sample {
            Sample::Arms(arms) => Cow::Borrowed(&**arms),
            Sample::Map(map) => {
                let control = match arm(map, "control") {
                    Ok(control) => Some(control),
                    Err(ArmsError::Missing { .. }) => None,
                    Err(error) => return Err(error),
                };
                Cow::Owned(Self { stable: arm(map, "stable")?, candidate: arm(map, "candidate")?, control })
            }
            Sample::Null | Sample::Bool(_) | Sample::Number(_) | Sample::Text(_) | Sample::List(_) => {
                let value = sample.to_string().chars().take(SHOWN).collect();
                return Err(ArmsError::NoArms { value });
            }
        };
        arms.check()?;
        Ok(arms)
    }

    pub(super) fn to_map(&self) -> BTreeMap<String, Sample> {
        let arm = |counts: &ArmCounts| {
            let mut map = BTreeMap::from([
                ("requests".to_owned(), Sample::number(counts.requests as f64)),
                ("failures".to_owned(), Sample::number(counts.failures as f64)),
            ]);
            if !counts.latency.is_empty() {
                let pair = |(edge, count): &(Number, u64)| {
                    Sample::List(vec![Sample::Number(*edge), Sample::number(*count as f64)])
                };
                map.insert("latency".to_owned(), Sample::List(counts.latency.iter().map(pair).collect()));
            }
            Sample::Map(map)
        };
        let control = self.control.as_ref().map(|control| ("control".to_owned(), arm(control)));
        let both = [("stable".to_owned(), arm(&self.stable)), ("candidate".to_owned(), arm(&self.candidate))];
        both.into_iter().chain(control).collect()
    }

    /// Whether every count is a number of its own in JSON, too.
    fn is_exact(&self) -> bool {
        [&self.stable, &self.candidate].into_iter().chain(&self.control).all(|counts| {
            let latency = counts.latency.iter().map(|(_, count)| *count);
            latency.chain([counts.requests, counts.failures]).all(|count| count <= MOST as u64)
        })
    }
}

impl TryFrom<&Sample> for Arms {
    type Error = ArmsError;

    fn try_from(sample: &Sample) -> Result<Self, ArmsError> {
        Self::of(sample).map(Cow::into_owned)
    }
}

impl From<Arms> for Sample {
    fn from(arms: Arms) -> Self {
        // Greater counts are no counts to whoever reads the answer from a log, so they must not be any here.
        if arms.is_exact() { Self::Arms(Arc::new(arms)) } else { Self::Map(arms.to_map()) }
    }
}

fn arm(map: &BTreeMap<String, Sample>, arm: &'static str) -> Result<ArmCounts, ArmsError> {
    let missing = ArmsError::Missing { arm };
    let counts = match map.get(arm) {
        Some(Sample::Map(counts)) => counts,
        Some(sample) if !sample.is_empty() => {
            return Err(ArmsError::NoCount { place: arm.to_owned(), value: sample.to_string() });
        }
        Some(_) | None => return Err(missing),
    };
    let requests = match counts.get("requests") {
        Some(sample) if !sample.is_empty() => count(sample, arm, "requests")?,
        Some(_) | None => return Err(missing),
    };
    // Whoever counts requests and has never seen a failure may have no counter of failures yet.
    let failures = match counts.get("failures") {
        Some(sample) if !sample.is_empty() => count(sample, arm, "failures")?,
        Some(_) | None => 0,
    };
    let mut latency = Vec::new();
    match counts.get("latency") {
        None | Some(Sample::Null) => {}
        Some(Sample::List(pairs)) => {
            for pair in pairs {
                let Sample::List(pair) = pair else {
                    return Err(ArmsError::BadHistogram { arm, what: "it is no list of pairs" });
                };
                match pair.as_slice() {
                    [Sample::Number(edge), below] => latency.push((*edge, count(below, arm, "latency")?)),
                    _ => {
                        return Err(ArmsError::BadHistogram {
                            arm,
                            what: "it is no list of pairs of numbers",
                        });
                    }
                }
            }
        }
        Some(_) => return Err(ArmsError::BadHistogram { arm, what: "it is no list" }),
    }
    Ok(ArmCounts { requests, failures, latency })
}

fn count(sample: &Sample, arm: &str, name: &str) -> Result<u64, ArmsError> {
    match sample.as_number().map(Number::get) {
        Some(value) if (0.0..=MOST).contains(&value) && value.fract() == 0.0 => Ok(value as u64),
        _ => Err(ArmsError::NoCount { place: format!("{arm}.{name}"), value: sample.to_string() }),
    }
}

/// Up to here every whole number is a number of its own.
const MOST: f64 = 9_007_199_254_740_992.0;
/// How much of a strange answer an error shows, in characters.
const SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arms_survive_being_an_answer() {
        let latency = vec![(Number::new(0.1), 3), (Number::new(f64::INFINITY), 10)];
        let arms = Arms {
            stable: ArmCounts { requests: 90, failures: 1, latency: Vec::new() },
            candidate: ArmCounts { requests: 10, failures: 0, latency },
            control: None,
        };
        assert_eq!(Arms::try_from(&Sample::from(arms.clone())), Ok(arms.clone()));
        let arms = Arms { control: Some(ArmCounts { requests: 9, ..ArmCounts::default() }), ..arms };
        assert_eq!(Arms::try_from(&Sample::from(arms.clone())), Ok(arms));
    }

    #[test]
    fn arms_are_the_same_answer_as_the_map_they_are_written_as() {
        use std::hash::{BuildHasher, RandomState};

        let arms = |failures| Arms {
            stable: ArmCounts { requests: 90, failures, latency: Vec::new() },
            candidate: ArmCounts {
                requests: 10,
                failures: 0,
                latency: vec![(Number::new(0.1), 3), (Number::new(f64::INFINITY), 10)],
            },
            control: None,
        };
        let (answer, other) = (Sample::from(arms(1)), Sample::from(arms(2)));
        let text = serde_json::to_string(&answer).unwrap();
        let read: Sample = serde_json::from_str(&text).unwrap();
        assert!(matches!((&answer, &read), (Sample::Arms(_), Sample::Map(_))), "{answer:?} {read:?}");
        assert_eq!((&answer, answer.to_string(), answer.rank()), (&read, read.to_string(), read.rank()));
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        let hasher = RandomState::new();
        assert_eq!(hasher.hash_one(&answer), hasher.hash_one(&read));
        assert!(read < other && answer < other);
        assert!(Sample::empty() < answer);
        assert_eq!(answer.into_map(), read.into_map());
    }

    #[test]
    fn more_than_json_can_count_is_no_count_written_or_not() {
        let count = ArmCounts { requests: u64::MAX, ..ArmCounts::default() };
        let answer = Sample::from(Arms { stable: count, ..Arms::default() });
        let error = Arms::try_from(&answer).unwrap_err();
        let read: Sample = serde_json::from_str(&serde_json::to_string(&answer).unwrap()).unwrap();
        assert_eq!(Arms::try_from(&read).unwrap_err(), error);
    }

    #[test]
    fn whatever_is_no_count_is_an_error_that_says_where() {
        for (answer, expected) in [
            (r"[]", "the answer [] has no counts of two arms"),
            (r#"{"stable":{"requests":1}}"#, "no data of the candidate arm"),
            (r#"{"stable":null,"candidate":{"requests":1}}"#, "no data of the stable arm"),
            (r#"{"stable":{"requests":1},"candidate":{"failures":1}}"#, "no data of the candidate arm"),
            (r#"{"stable":{"requests":-1},"candidate":{"requests":1}}"#, "stable.requests is -1"),
            (r#"{"stable":{"requests":1.5},"candidate":{"requests":1}}"#, "stable.requests is 1.5"),
            (
                r#"{"stable":{"requests":{"$number":"NaN"}},"candidate":{"requests":1}}"#,
                "stable.requests is NaN",
            ),
            (r#"{"stable":{"requests":1e300},"candidate":{"requests":1}}"#, "stable.requests is 1e"),
            (
                r#"{"stable":{"requests":1,"failures":2},"candidate":{"requests":1}}"#,
                "2 failures in 1 requests",
            ),
            (r#"{"stable":7,"candidate":{"requests":1}}"#, "stable is 7"),
            (
                r#"{"stable":{"requests":1,"latency":[[0.1,1]]},"candidate":{"requests":1}}"#,
                "last edge is not +Inf",
            ),
            (
                r#"{"stable":{"requests":1,"latency":[[0.2,1],[0.1,1]]},"candidate":{"requests":1}}"#,
                "do not rise",
            ),
            (
                r#"{"stable":{"requests":1,"latency":[[0.2,1],[0.3,0]]},"candidate":{"requests":1}}"#,
                "its counts fall",
            ),
            (
                r#"{"stable":{"requests":1},"candidate":{"requests":1},"control":{"requests":-1}}"#,
                "control.requests is -1",
            ),
            (r#"{"stable":{"requests":1,"latency":[1]},"candidate":{"requests":1}}"#, "no list of pairs"),
        ] {
            let sample: Sample = serde_json::from_str(answer).unwrap();
            let error = Arms::try_from(&sample).unwrap_err().to_string();
            assert!(error.contains(expected), "{answer}: {error}");
        }
    }
}
