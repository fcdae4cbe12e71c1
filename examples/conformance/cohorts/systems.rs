//! Where other systems put a subject.

use serde_json::{Map, Value};
use serinus_core::cohort::systems::{
    eppo, flagsmith,
    growthbook::{self, HashVersion},
    launchdarkly::Bucket,
    split::{self, Algorithm},
    unleash,
};

use super::{difference, need, text};

pub(super) fn check(system: &str, row: &Map<String, Value>) -> Result<Option<String>, String> {
    let answers = match system {
        "unleash" => unleash(row)?,
        "growthbook" => growthbook(row)?,
        "launchdarkly" => vec![("bucket", launchdarkly(row)?.as_f64().into())],
        "split" => vec![("bucket", split(row)?.into())],
        "flagsmith" => vec![("percentage", flagsmith(row)?.into())],
        "eppo" => {
            vec![("shard_of_10000", eppo::shard(text(row, "salt")?, text(row, "subject")?, 10_000).into())]
        }
        _ => return Err(format!("unknown system `{system}`")),
    };
    for (key, answer) in answers {
        let expected = need(row, key)?;
        if !is_same_number(&answer, expected) {
            return Ok(difference(&format!("`{key}`"), &answer, expected));
        }
    }
    Ok(None)
}

fn unleash(row: &Map<String, Value>) -> Result<Vec<(&'static str, Value)>, String> {
    let (group, identifier) = (text(row, "groupId")?, text(row, "identifier")?);
    Ok(vec![
        ("rollout_1_100", unleash::rollout(group, identifier).into()),
        ("variant_1_1000", unleash::variant(group, identifier, 1000).into()),
    ])
}

fn growthbook(row: &Map<String, Value>) -> Result<Vec<(&'static str, Value)>, String> {
    let (seed, value) = (text(row, "seed")?, text(row, "value")?);
    Ok(vec![
        ("v1", growthbook::hash(seed, value, HashVersion::One).into()),
        ("v2", growthbook::hash(seed, value, HashVersion::Two).into()),
    ])
}

fn launchdarkly(row: &Map<String, Value>) -> Result<Bucket, String> {
    let key = match need(row, "contextKey")? {
        Value::Null => return Ok(Bucket::MISSING),
        _ => text(row, "contextKey")?,
    };
    match row.get("seed").filter(|seed| !seed.is_null()) {
        Some(seed) => Ok(Bucket::of_seed(seed.as_i64().ok_or("`seed` is no whole number")?, key)),
        None => Ok(Bucket::of_rollout(text(row, "flagKey")?, text(row, "salt")?, key)),
    }
}

fn split(row: &Map<String, Value>) -> Result<u32, String> {
    let seed = need(row, "seed")?.as_i64().and_then(|seed| i32::try_from(seed).ok());
    let seed = seed.ok_or("`seed` is no signed number of 32 bits")?;
    let algorithm = match row.get("algo").and_then(Value::as_u64) {
        Some(1) => Algorithm::Legacy,
        _ => Algorithm::Murmur,
    };
    Ok(split::bucket(text(row, "key")?, seed, algorithm))
}

fn flagsmith(row: &Map<String, Value>) -> Result<f64, String> {
    let ids = need(row, "ids")?.as_array().ok_or("`ids` is no list")?;
    let ids: Vec<_> =
        ids.iter().map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned)).collect();
    Ok(flagsmith::percentage(&ids.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// But for the last bit: a division of whole numbers beyond 53 bits is rounded once or twice, by language.
fn is_same_number(answer: &Value, expected: &Value) -> bool {
    match (answer.as_f64(), expected.as_f64()) {
        (Some(answer), Some(expected)) => (answer - expected).abs() <= f64::EPSILON * expected.abs(),
        _ => answer == expected,
    }
}
