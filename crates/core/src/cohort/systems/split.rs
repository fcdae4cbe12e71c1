//! Split, now Harness Feature Management & Experimentation.
//!
//! The key is the bucketing key, which is the matching key unless a client gives both. A condition of the type `ROLLOUT`
//! asks for the limit of exposure first, [`is_exposed`] under its own seed, and gives whoever is beyond it the default
//! treatment; one of the type `WHITELIST` does not.
//!
//! To the caller is left: a flag that is killed, prerequisites, the matchers of conditions, rule-based segments.

use crate::cohort::murmur3;

/// The field `algo` of a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// `1`: the hash of Java's strings, over UTF-16 code units. Uneven for small numbers of keys.
    Legacy,
    /// `2`: MurmurHash3.
    Murmur,
}

/// The bucket of a key under the flag's `seed` (or, for the limit of exposure, its `trafficAllocationSeed`), `1..=100`.
pub fn bucket(key: &str, seed: i32, algorithm: Algorithm) -> u32 {
    let remainder = match algorithm {
        Algorithm::Legacy => (legacy(key, seed) % 100).unsigned_abs(),
        Algorithm::Murmur => murmur3::hash(key.as_bytes(), seed.cast_unsigned()) % 100,
    };
    remainder + 1
}

/// Whether the limit of exposure lets a key into the rollout: so many percent of `trafficAllocation`.
pub fn is_exposed(key: &str, seed: i32, algorithm: Algorithm, percentage: u32) -> bool {
    percentage >= 100 || bucket(key, seed, algorithm) <= percentage
}

/// The index of the treatment, given the sizes of all in percent and in the order of the rule; none if the sizes end
/// before the bucket, where the libraries answer `control`.
pub fn pick(bucket: u32, sizes: &[u32]) -> Option<usize> {
    let mut sum = 0_u32;
    sizes.iter().position(|size| {
        sum = sum.saturating_add(*size);
        bucket <= sum
    })
}

fn legacy(key: &str, seed: i32) -> i32 {
    let step = |hash: i32, unit: u16| hash.wrapping_mul(31).wrapping_add(i32::from(unit));
    key.encode_utf16().fold(0, step) ^ seed
}

#[cfg(test)]
mod tests {
    use super::*;

    // From the samples that the vendor tests its libraries with.
    #[test]
    fn the_legacy_hash_is_that_of_the_samples() {
        for (key, hash, expected) in [
            ("aUfEsdPN1twuEjff9Sl", 890_874_271, 72),
            ("EPxM1cYQnL4AuqD", -1_765_572_410, 11),
            ("cMQGLKXz", -1_203_345_484, 85),
            ("Sx1JzS1TDc", -1_363_387_700, 1),
            ("88qS3P7", -476_727_699, 100),
        ] {
            assert_eq!(legacy(key, 467_569_525), hash, "{key}");
            assert_eq!(bucket(key, 467_569_525, Algorithm::Legacy), expected, "{key}");
        }
    }

    #[test]
    fn a_negative_seed_of_murmur_counts_as_its_bits() {
        for (key, expected) in [
            ("00018112-7d59-46cf-b9e0-f8fa625aa20b", 43),
            ("0083aaa2-eaa3-4408-8425-709edd299422", 55),
            ("03333c5e-0d8b-4ae2-ad7d-0582e53f5c09", 45),
            ("0aff89d6-3e28-4dac-bf91-5b52aaf5b7dc", 100),
        ] {
            assert_eq!(bucket(key, -52_311_562, Algorithm::Murmur), expected, "{key}");
        }
    }

    #[test]
    fn treatments_follow_one_another_and_may_end_early() {
        assert_eq!(pick(1, &[50, 50]), Some(0));
        assert_eq!(pick(50, &[50, 50]), Some(0));
        assert_eq!(pick(51, &[50, 50]), Some(1));
        assert_eq!(pick(1, &[0, 100]), Some(1));
        assert_eq!(pick(100, &[50, 49]), None);
        assert_eq!(pick(100, &[u32::MAX, u32::MAX]), Some(0));
    }
}
