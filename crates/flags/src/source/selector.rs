//! Which flags of all sources a program takes.

use std::{fmt, str::FromStr};

use crate::document::Flag;

/// Which flags of all sources a program takes, as flagd has it: `flagSetId=shop`, `source=flags.json`, or just
/// `flags.json`.
///
/// ```
/// use serinus_flags::source::Selector;
///
/// assert_eq!("flagSetId=shop".parse::<Selector>()?, Selector::flag_set("shop"));
/// assert_eq!("flags.json".parse::<Selector>()?, Selector::source("flags.json"));
/// assert!("flagSet=shop".parse::<Selector>().is_err());
/// # Ok::<(), serinus_flags::source::SelectorError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selector(Choice);

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
enum Choice {
    #[default]
    All,
    FlagSet(String),
    Source(String),
}

impl Selector {
    /// Every flag.
    pub fn all() -> Self {
        Self::default()
    }

    /// The flags of this set, which their metadata or that of their document names as `flagSetId`. An empty id stands for
    /// the flags that are in no set.
    pub fn flag_set(id: impl Into<String>) -> Self {
        Self(Choice::FlagSet(id.into()))
    }

    /// The flags of the source of this [name](super::Source::name).
    pub fn source(name: impl Into<String>) -> Self {
        Self(Choice::Source(name.into()))
    }

    pub(crate) fn is_all(&self) -> bool {
        self.0 == Choice::All
    }

    pub(crate) fn is_of_a_set(&self) -> bool {
        matches!(self.0, Choice::FlagSet(_))
    }

    pub(crate) fn takes(&self, source: &str, flag: &Flag) -> bool {
        match &self.0 {
            Choice::All => true,
            Choice::Source(name) => name == source,
            Choice::FlagSet(id) => flag.set() == id.as_str(),
        }
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        match text.split_once('=') {
            None if text.is_empty() => Ok(Self::all()),
            None => Ok(Self::source(text)),
            Some(("flagSetId", id)) => Ok(Self::flag_set(id)),
            Some(("source", name)) => Ok(Self::source(name)),
            Some((key, _)) => Err(SelectorError { key: key.to_owned() }),
        }
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> Self {
        selector.to_string()
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Choice::All => Ok(()),
            Choice::FlagSet(id) => write!(formatter, "flagSetId={id}"),
            Choice::Source(name) => write!(formatter, "source={name}"),
        }
    }
}

/// A selector that selects by what nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` selects nothing: write flagSetId=<id> or source=<name>")]
#[non_exhaustive]
pub struct SelectorError {
    /// What stands before the equals sign.
    pub key: String,
}
