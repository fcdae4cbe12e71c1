//! Who gets which share of the traffic: revisions, weights, routes.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

mod written;

/// One version of the thing delivered: a pod-template hash, an image tag, a commit, the name of a flag's variant.
///
/// Cheap to clone. Two revisions are the same if their texts are.
#[derive(Clone, Debug, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
pub struct Revision(Arc<str>);

impl Revision {
    /// The revision of this name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// Most comparisons are between clones of one revision, and those need not look at the text.
impl PartialEq for Revision {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Ord for Revision {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
    }
}

impl PartialOrd for Revision {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Revision {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Revision {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Revision {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

/// The role a revision plays while it runs and takes traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Track {
    /// The proven revision, and the way back.
    Stable,
    /// The new revision on trial.
    Candidate,
}

impl fmt::Display for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stable => "stable",
            Self::Candidate => "candidate",
        })
    }
}

/// A share of the traffic, in hundred-thousandths: `0..=100_000`, so `0.001 %` is the smallest step.
///
/// An integer, so that it survives every format and compares exactly. Serialised as that integer, and read from it or,
/// in formats for people, from a text such as `12.5%`; printed as a percentage; parsed from a percentage with or without
/// the sign.
///
/// ```
/// use serinus_core::traffic::Weight;
///
/// assert_eq!(Weight::percent(12.5).parts(), 12_500);
/// assert_eq!("0.5%".parse::<Weight>()?.to_string(), "0.5%");
/// assert!("101%".parse::<Weight>().is_err());
/// # Ok::<(), serinus_core::traffic::WeightError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "u32")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "written::WeightSchema"))]
pub struct Weight(u32);

impl Weight {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// Everything.
    pub const FULL: Self = Self(100_000);

    /// A share in percent, for values known when the program is written.
    ///
    /// # Panics
    ///
    /// If `percent` is not within `0.0..=100.0`; at compile time in a `const`. For a value from outside use
    /// [`Weight::try_percent`].
    #[expect(clippy::panic, reason = "a constructor for literals; the checked one is try_percent")]
    pub const fn percent(percent: f64) -> Self {
        if in_range(percent) {
            Self(nearest_parts(percent))
        } else {
            panic!("a weight lies within 0 and 100 percent")
        }
    }

    /// A share in percent, rounded to the nearest hundred-thousandth.
    ///
    /// # Errors
    ///
    /// If `percent` is not within `0.0..=100.0` (NaN is not).
    pub const fn try_percent(percent: f64) -> Result<Self, WeightError> {
        if in_range(percent) {
            Ok(Self(nearest_parts(percent)))
        } else {
            Err(WeightError::Percent(percent.to_bits()))
        }
    }

    /// A share in hundred-thousandths.
    ///
    /// # Errors
    ///
    /// If `parts` is above 100 000.
    pub const fn try_parts(parts: u32) -> Result<Self, WeightError> {
        if parts <= Self::FULL.0 { Ok(Self(parts)) } else { Err(WeightError::Parts(parts)) }
    }

    /// The share in hundred-thousandths.
    pub const fn parts(self) -> u32 {
        self.0
    }

    /// The share in percent.
    pub fn as_percent(self) -> f64 {
        f64::from(self.0) / 1000.0
    }

    /// What is left for the others.
    pub const fn rest(self) -> Self {
        Self(Self::FULL.0 - self.0)
    }

    /// Whether the share is nothing.
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// Whether the share is everything.
    pub const fn is_full(self) -> bool {
        self.0 == Self::FULL.0
    }
}

const fn in_range(percent: f64) -> bool {
    percent >= 0.0 && percent <= 100.0
}

const fn nearest_parts(percent: f64) -> u32 {
    (percent * 1000.0 + 0.5) as u32
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 1000, self.0 % 1000);
        if fraction == 0 {
            return write!(f, "{whole}%");
        }
        let digits = format!("{fraction:03}");
        write!(f, "{whole}.{}%", digits.trim_end_matches('0'))
    }
}

impl FromStr for Weight {
    type Err = WeightError;

    fn from_str(text: &str) -> Result<Self, WeightError> {
        let number = text.strip_suffix('%').unwrap_or(text).trim();
        let percent: f64 = number.parse().map_err(|_| WeightError::Text(text.to_owned()))?;
        Self::try_percent(percent)
    }
}

impl TryFrom<u32> for Weight {
    type Error = WeightError;

    fn try_from(parts: u32) -> Result<Self, WeightError> {
        Self::try_parts(parts)
    }
}

impl From<Weight> for u32 {
    fn from(weight: Weight) -> Self {
        weight.0
    }
}

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        written::weight(deserializer)
    }
}

/// A value that is not a share of traffic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeightError {
    /// A percentage out of range; its bits, so that the error is `Eq`.
    #[error("a weight of {}% is out of range: expected 0% to 100%", f64::from_bits(*.0))]
    Percent(u64),
    /// A count of hundred-thousandths out of range.
    #[error("a weight of {0} hundred-thousandths is out of range: expected 0 to 100000")]
    Parts(u32),
    /// A text that is no number.
    #[error("`{0}` is not a weight: expected a percentage such as 12.5%")]
    Text(String),
}

/// Where the traffic goes: absolute and repeatable, so that applying it twice changes nothing.
///
/// Requests that fit one of `matches` go to the candidate whatever the weight; of the rest the candidate gets
/// `weight` and stable everything else.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::exhaustive_structs,
    reason = "a router must handle every part of a route; a new part is a breaking change"
)]
pub struct Route {
    /// The revision that takes what the candidate does not.
    pub stable: Revision,
    /// The revision on trial, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Revision>,
    /// The candidate's share.
    #[serde(default, skip_serializing_if = "Weight::is_zero")]
    pub weight: Weight,
    /// Requests that go to the candidate in any case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<Match>,
    /// Share of stable's requests that is copied to the candidate; the answers to copies are thrown away.
    #[serde(default, skip_serializing_if = "Weight::is_zero")]
    pub mirror: Weight,
    /// Whether the preview address leads to the candidate; it leads to stable otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preview: bool,
}

impl Route {
    /// All traffic to one revision.
    pub fn all_to(stable: Revision) -> Self {
        Self {
            stable,
            candidate: None,
            weight: Weight::ZERO,
            matches: Vec::new(),
            mirror: Weight::ZERO,
            preview: false,
        }
    }

    /// The share of the traffic that a revision gets, matches aside.
    pub fn share_of(&self, revision: &Revision) -> Weight {
        if self.stable == *revision {
            self.weight.rest()
        } else if self.candidate.as_ref() == Some(revision) {
            self.weight
        } else {
            Weight::ZERO
        }
    }

    /// Whether a user's request may be answered by `revision` under this route. Mirrored copies and the preview
    /// address do not count.
    pub fn serves(&self, revision: &Revision) -> bool {
        (self.stable == *revision && !self.weight.is_full())
            || (self.candidate.as_ref() == Some(revision)
                && (!self.weight.is_zero() || !self.matches.is_empty()))
    }
}

/// A condition on a request: every part given must hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(
    clippy::exhaustive_structs,
    reason = "a router must handle every part of a match; a new part is a breaking change"
)]
pub struct Match {
    /// Headers by name (case does not matter), each with what its value must be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<NamedPattern>,
    /// Cookies by name, each with what its value must be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cookies: Vec<NamedPattern>,
    /// What the path must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Pattern>,
}

/// A pattern for the value of a named header or cookie.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "a pair by nature")]
pub struct NamedPattern {
    /// The name of the header or cookie.
    pub name: String,
    /// What its value must be.
    pub value: Pattern,
}

/// What a text must look like.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Pattern {
    /// The whole text, exactly.
    Exact(String),
    /// The beginning of the text.
    Prefix(String),
    /// A regular expression that must fit the whole text.
    Regex(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_prints_what_it_parses() {
        for text in ["0%", "100%", "0.001%", "12.5%", "33.333%"] {
            assert_eq!(text.parse::<Weight>().unwrap().to_string(), text);
        }
        for text in ["100.001%", "-1%", "NaN", "inf", "", "ten", "1e9%"] {
            assert!(text.parse::<Weight>().is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Weight>("100001").is_err());
    }
}
