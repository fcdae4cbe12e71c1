//! What a source itself has against the counts that it gives.

use std::collections::BTreeMap;

use super::Why;
use crate::metric::Sample;

/// What a source itself has against the counts that it gives: nobody may pass by them.
///
/// It travels beside the counts, under the key `invalid` of the same answer, so that it never hides what speaks against
/// the candidate: harm is found in the counts as ever and fails the metric; only without it is the verdict
/// [`Verdict::Invalid`](super::Verdict::Invalid), and the metric inconclusive.
///
/// ```
/// use serinus_core::{
///     analysis::comparison::{Objection, Why},
///     metric::{Arms, Sample},
/// };
///
/// let objection = Objection { why: Why::MultipleExposure, reason: "7 of 90 subjects saw both variants".to_owned() };
/// let answer = objection.clone().raise(Sample::from(Arms::default()));
/// assert_eq!(Objection::of(&answer), Some(objection));
/// assert_eq!(Arms::try_from(&answer), Ok(Arms::default()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "what, and why")]
pub struct Objection {
    /// What is wrong.
    pub why: Why,
    /// The same in words, with the numbers and what to do.
    pub reason: String,
}

impl Objection {
    /// The key of an answer under which it stands.
    pub const KEY: &str = "invalid";

    /// The same answer with this objection, instead of one that it may have. An answer that holds no counts stays as it
    /// is: nobody can pass by it.
    pub fn raise(self, answer: Sample) -> Sample {
        if !matches!(answer, Sample::Map(_) | Sample::Arms(_)) {
            return answer;
        }
        let mut map = answer.into_map().unwrap_or_default();
        let objection = [("why", self.why.name().to_owned()), ("reason", self.reason)];
        let objection = objection.map(|(key, text)| (key.to_owned(), Sample::Text(text)));
        map.insert(Self::KEY.to_owned(), Sample::Map(objection.into()));
        Sample::Map(map)
    }

    /// The objection in an answer. Whatever stands there is one, unless it is nothing.
    pub fn of(answer: &Sample) -> Option<Self> {
        let Sample::Map(map) = answer else { return None };
        let found = map.get(Self::KEY).filter(|found| !found.is_empty())?;
        let text = |map: &BTreeMap<String, Sample>, key| match map.get(key) {
            Some(Sample::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let Sample::Map(map) = found else {
            return Some(Self { why: Why::Source, reason: found.to_string() });
        };
        let why = text(map, "why").and_then(|why| Why::named(&why)).unwrap_or(Why::Source);
        Some(Self { why, reason: text(map, "reason").unwrap_or_else(|| found.to_string()) })
    }
}

impl Why {
    fn name(self) -> &'static str {
        match self {
            Self::SampleRatio => "sampleRatio",
            Self::MissingArm => "missingArm",
            Self::Counts => "counts",
            Self::LostOutcomes => "lostOutcomes",
            Self::MultipleExposure => "multipleExposure",
            Self::Source => "source",
        }
    }

    fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|why| why.name() == name)
    }
}

const ALL: [Why; 6] =
    [Why::SampleRatio, Why::MissingArm, Why::Counts, Why::LostOutcomes, Why::MultipleExposure, Why::Source];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Arms;

    #[test]
    fn every_objection_survives_being_written() {
        for why in ALL {
            let objection = Objection { why, reason: "because".to_owned() };
            let answer = objection.clone().raise(Sample::from(Arms::default()));
            let text = serde_json::to_string(&answer).unwrap();
            assert_eq!(Objection::of(&serde_json::from_str(&text).unwrap()), Some(objection));
            assert_eq!(serde_json::to_string(&why).unwrap(), format!("\"{}\"", why.name()));
        }
    }

    #[test]
    fn whatever_stands_there_is_an_objection() {
        let answer = |text: &str| serde_json::from_str::<Sample>(text).unwrap();
        let of = |text: &str| Objection::of(&answer(text)).map(|it| (it.why, it.reason));
        assert_eq!(of(r#"{"invalid": "no"}"#).unwrap(), (Why::Source, "no".to_owned()));
        assert_eq!(of(r#"{"invalid": {"why": "weather", "reason": "rain"}}"#).unwrap().0, Why::Source);
        assert_eq!(of(r#"{"invalid": null}"#), None);
        assert_eq!(of("[]"), None);
    }

    #[test]
    fn without_counts_there_is_nothing_to_object_to() {
        let objection = Objection { why: Why::Source, reason: "because".to_owned() };
        assert_eq!(objection.raise(Sample::empty()), Sample::empty());
    }
}
