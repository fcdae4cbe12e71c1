//! Eppo, now part of Datadog: splits by shards.
//!
//! Of the splits of an allocation the first counts that holds the subject, and an allocation of which none does is
//! passed over. To the caller is left: the rules and dates of allocations, bandits, stored assignments, and documents for
//! browsers, whose salts are encoded.

use md5::{Digest as _, Md5};

/// The shard of a subject under a salt, `0..total_shards`; none if there are no shards.
pub fn shard(salt: &str, subject: &str, total_shards: u32) -> Option<u32> {
    let mut hash = Md5::new();
    hash.update(salt);
    hash.update("-");
    hash.update(subject);
    let [a, b, c, d, ..] = hash.finalize().0;
    u32::from_be_bytes([a, b, c, d]).checked_rem(total_shards)
}

/// One condition of a split: under this salt the subject's shard lies in one of these ranges, the upper end excluded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "as the document has it")]
pub struct Shard {
    /// The salt.
    pub salt: String,
    /// The ranges.
    pub ranges: Vec<(u32, u32)>,
}

/// Whether a split holds a subject: all of its shards must, and a split without shards holds everybody.
pub fn is_in(shards: &[Shard], subject: &str, total_shards: u32) -> bool {
    shards.iter().all(|Shard { salt, ranges }| {
        shard(salt, subject, total_shards)
            .is_some_and(|shard| ranges.iter().any(|(from, to)| (*from..*to).contains(&shard)))
    })
}
