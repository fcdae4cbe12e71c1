//! The forms in which people write what is serialised as plain numbers.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

use super::Weight;

/// A share: hundred-thousandths or, where the format has types of its own, also a percentage with its sign.
pub(super) fn weight<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Weight, D::Error> {
    if deserializer.is_human_readable() {
        // By name, so that a reader that knows better can tell a share from a number.
        deserializer.deserialize_newtype_struct("Weight", Share)
    } else {
        u32::deserialize(deserializer).and_then(|parts| Weight::try_parts(parts).map_err(Error::custom))
    }
}

struct Share;

impl<'de> Visitor<'de> for Share {
    type Value = Weight;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a share such as `12.5%`, or hundred-thousandths")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Weight, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_u64<E: Error>(self, parts: u64) -> Result<Weight, E> {
        Weight::try_parts(u32::try_from(parts).unwrap_or(u32::MAX)).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, parts: i64) -> Result<Weight, E> {
        let negative = || {
            E::custom(format!(
                "a weight of {parts} hundred-thousandths is out of range: expected 0 to 100000"
            ))
        };
        u64::try_from(parts).map_err(|_| negative()).and_then(|parts| self.visit_u64(parts))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Weight, E> {
        // Without the sign nobody knows whether percent or hundred-thousandths are meant.
        if !text.ends_with('%') {
            return Err(E::custom(format!("`{text}` is not a weight: expected a percentage such as 12.5%")));
        }
        text.parse().map_err(E::custom)
    }
}

/// What the schema says about a share.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum WeightSchema {
    /// Hundred-thousandths.
    Parts(u32),
    /// A percentage, such as `12.5%`.
    Percent(#[schemars(regex(pattern = "^[0-9.]+ *%$"))] String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read_as_parts_and_with_its_sign_and_as_nothing_else() {
        for (json, parts) in [("12500", 12_500), ("\"12.5%\"", 12_500), ("\"0%\"", 0), ("100000", 100_000)] {
            assert_eq!(serde_json::from_str::<Weight>(json).unwrap().parts(), parts, "{json}");
        }
        for json in ["100001", "-1", "\"12.5\"", "\"101%\"", "\"NaN%\"", "0.5", "null", "[]", "99999999999"] {
            assert!(serde_json::from_str::<Weight>(json).is_err(), "{json}");
        }
        assert_eq!(serde_json::to_string(&Weight::percent(12.5)).unwrap(), "12500");
    }
}
