//! What is known of the one for whom a flag is evaluated.

use serde::{Deserialize, Serialize};

use crate::value::{Map, Value};

/// Who asks: a targeting key and attributes.
///
/// A small ordered map. Keep it and reuse it: building it allocates, evaluating with it does not.
///
/// ```
/// use serinus_flags::Context;
///
/// let context = Context::new("user-42").with("plan", "gold").with("age", 37);
/// assert_eq!(context.targeting_key(), Some("user-42"));
/// assert_eq!(context.get("plan").and_then(|plan| plan.as_str()), Some("gold"));
/// ```
///
/// The targeting key is the attribute `targetingKey`, whichever way it is set. An attribute `$flagd` can be set, but no
/// rule sees it: `$flagd` is what the evaluation says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Context(Map);

impl Context {
    /// Of this targeting key, without attributes. For one without a targeting key there is [`Context::default`].
    pub fn new(targeting_key: impl Into<String>) -> Self {
        Self::default().with(TARGETING_KEY, targeting_key.into())
    }

    /// With this attribute too.
    #[must_use = "the context is returned, not changed in place; for that there is `set`"]
    pub fn with(mut self, name: impl Into<String> + AsRef<str>, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets an attribute.
    pub fn set(&mut self, name: impl Into<String> + AsRef<str>, value: impl Into<Value>) {
        self.0.insert(name, value);
    }

    /// Sets another targeting key, in the memory of the one before where it fits.
    pub fn set_targeting_key(&mut self, targeting_key: &str) {
        self.0.insert_str(TARGETING_KEY, targeting_key);
    }

    /// Takes an attribute out, and returns it.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// The attribute of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The targeting key, if there is one and it is a text.
    pub fn targeting_key(&self) -> Option<&str> {
        self.get(TARGETING_KEY).and_then(Value::as_str)
    }

    /// Takes every attribute of `other`, over those of the same name here.
    ///
    /// OpenFeature merges in this order: global, transaction, client, invocation, hooks.
    pub fn merge(&mut self, other: &Self) {
        for (name, value) in other.0.iter() {
            self.0.insert(name, value.clone());
        }
    }

    /// With these attributes over those of the same name here; but a targeting key that is here stays.
    pub(crate) fn enriched_by(&self, enrichment: &Self) -> Self {
        let mut enriched = self.clone();
        for (name, value) in enrichment.0.iter() {
            if name != TARGETING_KEY || self.get(name).is_none() {
                enriched.0.insert(name, value.clone());
            }
        }
        enriched
    }

    /// The attributes, the targeting key among them, ordered by name.
    pub fn attributes(&self) -> &Map {
        &self.0
    }
}

impl From<Map> for Context {
    fn from(attributes: Map) -> Self {
        Self(attributes)
    }
}

impl<K: Into<String> + AsRef<str>, V: Into<Value>> FromIterator<(K, V)> for Context {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(attributes: I) -> Self {
        Self(attributes.into_iter().collect())
    }
}

/// The name of the attribute by which a subject is told from another.
pub(crate) const TARGETING_KEY: &str = "targetingKey";
