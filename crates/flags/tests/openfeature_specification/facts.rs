//! What the scenarios ask and what must come back.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use serinus_flags::{ErrorCode, Flags, Trouble, logic::Generation};

use crate::support::{self, same};

#[derive(Deserialize)]
pub(crate) struct Specification {
    flags: BTreeMap<String, Value>,
    pub(crate) evaluations: Vec<Evaluation>,
    pub(crate) hooks: Vec<Hooks>,
    pub(crate) contexts: Vec<Merge>,
    pub(crate) statuses: Vec<Status>,
}

impl Specification {
    pub(crate) fn read() -> Self {
        serde_json::from_str(include_str!("../data/openfeature-specification.json")).unwrap()
    }

    /// The flags as a provider has them that is in this state.
    pub(crate) fn flags(&self, provider: Provider) -> Flags {
        let loaded = || support::flags(&json!({"flags": self.flags}), Generation::default());
        let trouble = || Trouble::new(ErrorCode::General, "the cable is cut");
        let with = |flags: Flags, happen: fn(&Flags, Trouble)| {
            happen(&flags, trouble());
            flags
        };
        match provider {
            Provider::Stable => loaded(),
            Provider::NotReady => Flags::default(),
            Provider::Error => with(Flags::default(), Flags::fail),
            Provider::Fatal => with(Flags::default(), Flags::give_up),
            Provider::Stale => with(loaded(), Flags::lose),
        }
    }
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Provider {
    #[default]
    Stable,
    NotReady,
    Error,
    Fatal,
    Stale,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Evaluation {
    pub(crate) feature: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) provider: Provider,
    pub(crate) flag: String,
    #[serde(rename = "type")]
    pub(crate) asked: String,
    pub(crate) default: Value,
    pub(crate) context: Value,
    pub(crate) expect: Expected,
    /// What comes where the context is empty.
    pub(crate) without_context: Option<Expected>,
}

/// What a scenario says nothing about is missing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    pub(crate) value: Option<Value>,
    pub(crate) reason: Option<String>,
    pub(crate) variant: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) metadata: Option<BTreeMap<String, Value>>,
}

impl Expected {
    /// What is not as it must be.
    pub(crate) fn failure(&self, seen: &Seen) -> Option<String> {
        let Seen { value, reason, variant, error, metadata, .. } = seen;
        let is_other = |expected: &Option<String>, seen: Option<&String>| {
            expected.as_ref().is_some_and(|expected| Some(expected) != seen)
        };
        if self.value.as_ref().is_some_and(|expected| !same(expected, value)) {
            return Some(format!("the value is {value}"));
        }
        if is_other(&self.reason, Some(reason)) {
            return Some(format!("the reason is {reason}"));
        }
        if is_other(&self.variant, variant.as_ref()) {
            return Some(format!("the variant is {variant:?}"));
        }
        if self.error != *error {
            return Some(format!("the error is {error:?}"));
        }
        let is_other = self.metadata.as_ref().is_some_and(|expected| expected != metadata);
        is_other.then(|| format!("the metadata is {metadata:?}"))
    }
}

/// What came back, from whomever.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) flag: String,
    pub(crate) value: Value,
    pub(crate) reason: String,
    pub(crate) variant: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) metadata: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hooks {
    pub(crate) feature: String,
    pub(crate) name: String,
    pub(crate) level: HookLevel,
    /// By name, in the order in which they are added.
    pub(crate) hooks: Vec<String>,
    pub(crate) flag: String,
    #[serde(rename = "type")]
    pub(crate) asked: String,
    pub(crate) default: Value,
    /// Which hook at which stage, in order.
    pub(crate) calls: Vec<String>,
    /// What the hooks of a stage are told.
    pub(crate) told: BTreeMap<String, Told>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HookLevel {
    Client,
    Invocation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Told {
    pub(crate) value: Value,
    pub(crate) variant: Option<String>,
    pub(crate) reason: String,
    pub(crate) error: Option<String>,
}

impl Told {
    pub(crate) fn of(seen: &Seen) -> Self {
        let Seen { value, variant, reason, error, .. } = seen.clone();
        Self { value, variant, reason, error }
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        same(&self.value, &other.value)
            && (&self.variant, &self.reason, &self.error) == (&other.variant, &other.reason, &other.error)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Merge {
    pub(crate) feature: String,
    pub(crate) name: String,
    /// What is added at which level.
    pub(crate) levels: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) merged: BTreeMap<String, String>,
}

impl Merge {
    /// For each entry of the merged context a flag that is on if the entry is there.
    pub(crate) fn flags(&self) -> Flags {
        let flag = |name: &String, value: &String| {
            json!({
                "state": "ENABLED", "variants": {"found": true, "missing": false}, "defaultVariant": "missing",
                "targeting": {"if": [{"==": [{"var": name}, value]}, "found"]}
            })
        };
        let flags: BTreeMap<_, _> =
            self.merged.iter().map(|(name, value)| (name, flag(name, value))).collect();
        support::flags(&json!({"flags": flags}), Generation::default())
    }

    /// The last level in the order of precedence that has such an entry.
    pub(crate) fn decisive_level(&self, name: &str) -> &str {
        let mut having = LEVELS
            .iter()
            .rev()
            .filter(|level| self.levels.get(**level).is_some_and(|entries| entries.contains_key(name)));
        having.next().unwrap()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Status {
    pub(crate) feature: String,
    pub(crate) name: String,
    pub(crate) provider: Provider,
    pub(crate) status: String,
}

/// Where entries of contexts come from; a later one counts over an earlier one.
pub(crate) const LEVELS: [&str; 5] = ["API", TRANSACTION, "Client", "Invocation", "Before Hooks"];
pub(crate) const TRANSACTION: &str = "Transaction";
