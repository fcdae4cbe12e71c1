//! Bytes and their hashes.

use serde_json::{Map, Value};
use serinus_core::cohort::murmur3;

use super::{difference, need, text};

pub(super) fn murmur3(row: &Map<String, Value>) -> Result<Option<String>, String> {
    let bytes = bytes(text(row, "hex")?)?;
    let seed = need(row, "seed")?.as_i64();
    // Languages without unsigned numbers write the upper half as negative ones.
    let seed = seed.and_then(|seed| {
        u32::try_from(seed).ok().or_else(|| i32::try_from(seed).ok().map(i32::cast_unsigned))
    });
    let seed = seed.ok_or("`seed` is no number of 32 bits")?;
    Ok(difference("the hash", &murmur3::hash(&bytes, seed).into(), need(row, "hash")?))
}

fn bytes(hex: &str) -> Result<Vec<u8>, String> {
    let digits: Option<Vec<_>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0);
    let digits = digits.ok_or_else(|| format!("`{hex}` is not hexadecimal"))?;
    Ok(digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect())
}
