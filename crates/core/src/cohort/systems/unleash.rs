//! Unleash: gradual rollouts and variants.
//!
//! `group_id` is the strategy's or variants' `groupId`, which is the name of the flag unless it is set; `identifier` is
//! the value of the field of stickiness: for the stickiness `default`, or none, what [`default_identifier`] finds, and for
//! any other that field or property alone. Of variants the stickiness is that of the first.
//!
//! Without an identifier a gradual rollout with a stickiness of its own holds nobody, and everything else is drawn at
//! random by Unleash at each evaluation, so there is nobody to keep where they are; so is the stickiness `random`.
//!
//! The older strategies `gradualRolloutUserId` and `gradualRolloutSessionId` are gradual rollouts by that one field, and
//! hold nobody unless they have a `groupId`.
//!
//! To the caller is left: overrides of variants, which come before the weights; constraints and segments; strategies
//! without a hash.

use crate::cohort::murmur3::Hasher;

/// What stickiness is by where it is `default` or not set: the id of the user, else that of the session; none if there is
/// neither.
pub fn default_identifier<'a>(user_id: Option<&'a str>, session_id: Option<&'a str>) -> Option<&'a str> {
    user_id.or(session_id)
}

/// The bucket of a gradual rollout, `1..=100`.
pub fn rollout(group_id: &str, identifier: &str) -> u32 {
    hash(group_id, identifier, ROLLOUT_SEED) % 100 + 1
}

/// Whether a gradual rollout of so many percent holds the identifier.
pub fn is_enabled(group_id: &str, identifier: &str, percentage: u32) -> bool {
    rollout(group_id, identifier) <= percentage
}

/// The bucket of variants, `1..=total_weight`; none if the weights sum to nothing.
pub fn variant(group_id: &str, identifier: &str, total_weight: u32) -> Option<u32> {
    Some(hash(group_id, identifier, VARIANT_SEED).checked_rem(total_weight)? + 1)
}

/// The index of the variant, given the weights of all in the order of the flag; none if they sum to nothing or to more
/// than fits into 32 bits.
pub fn pick(group_id: &str, identifier: &str, weights: &[u32]) -> Option<usize> {
    let total = weights.iter().try_fold(0_u32, |sum, weight| sum.checked_add(*weight))?;
    let bucket = variant(group_id, identifier, total)?;
    let mut sum = 0;
    weights.iter().position(|weight| {
        sum += weight;
        bucket <= sum
    })
}

fn hash(group_id: &str, identifier: &str, seed: u32) -> u32 {
    Hasher::new(seed).with(group_id.as_bytes()).with(b":").with(identifier.as_bytes()).finish()
}

const ROLLOUT_SEED: u32 = 0;
const VARIANT_SEED: u32 = 86_028_157;
