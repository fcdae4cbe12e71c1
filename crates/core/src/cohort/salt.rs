use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Place, murmur3};

/// What makes one draw of lots independent of another: subjects are drawn anew under every salt, and always the same
/// under one.
///
/// Any text that stays the same for as long as the assignment should: the name of a flag, of an experiment, of a split.
/// Serialised as that text.
///
/// ```
/// use serinus_core::{cohort::Salt, traffic::Weight};
///
/// let checkout = Salt::new("checkout");
/// assert_eq!(checkout.place("user-1").part(), 73_432);
/// assert_eq!(Salt::new("search").place("user-1").part(), 83_135);
/// assert!(!checkout.place("user-1").is_below(Weight::percent(20.0)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Arc<str>", into = "Arc<str>")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
pub struct Salt {
    text: Arc<str>,
    seed: u32,
}

impl Salt {
    /// The salt of this text. An empty one is as good as any other, once.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let seed = murmur3::hash(text.as_bytes(), 0);
        Self { text, seed }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The hash of the text, with which the hash of a subject begins.
    pub const fn seed(&self) -> u32 {
        self.seed
    }

    /// Where this draw puts a subject, named by any bytes: a text by its UTF-8.
    ///
    /// Everybody without a name would stand in one place; leave them out first.
    #[inline]
    pub fn place(&self, subject: impl AsRef<[u8]>) -> Place {
        Place::new(murmur3::hash(subject.as_ref(), self.seed))
    }

    /// The salt of one attempt (from 1). With [`Reseed::EachAttempt`] the second is drawn under the text with `#2` at
    /// its end, and so on; the first is drawn under the text as it is.
    #[must_use = "the salt to draw with is the value returned"]
    pub fn of_attempt(&self, attempt: u32, reseed: Reseed) -> Self {
        match reseed {
            Reseed::Never => self.clone(),
            Reseed::EachAttempt if attempt <= 1 => self.clone(),
            Reseed::EachAttempt => Self::new(format!("{}#{attempt}", self.text)),
        }
    }
}

/// Whether another attempt draws its subjects anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Reseed {
    /// The same subjects come first in every attempt: nobody sees a change come and go without need.
    #[default]
    Never,
    /// Every attempt begins with others, so that those who met the first fault do not meet all.
    EachAttempt,
}

impl From<Arc<str>> for Salt {
    fn from(text: Arc<str>) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Salt {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Salt {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<Salt> for Arc<str> {
    fn from(salt: Salt) -> Self {
        salt.text
    }
}

impl fmt::Display for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
