//! Flagsmith: multivariate flags and segments of a percentage.
//!
//! A flag hashes its key and that of the identity. A segment hashes its key and the value of the property that its
//! condition names, or the key of the identity if it names none or the identity has no such value.
//!
//! To the caller is left: an identity without a key gets the flag's own value; overrides of identities and of segments,
//! which come before the variants. Flagsmith's library for Rust computes in 32 bits and hashes once only, so it differs
//! for one identity in ten thousand and within a hundred-thousandth of a percent of an edge.

use md5::{Digest as _, Md5};

/// The percentage that Flagsmith gives to ids, from 0 to below 100: the key of the feature or of the segment, then the
/// key of the identity.
pub fn percentage(ids: &[&str]) -> f64 {
    let joined = ids.join(",");
    let mut text = joined.clone();
    loop {
        let hash = u128::from_be_bytes(Md5::digest(&text).0);
        // Below 9999, so exact.
        let percentage = (hash % 9999) as f64 / 9998.0 * 100.0;
        // One text in ten thousand hits the very end, and is hashed again with all ids once more.
        if percentage != 100.0 || ids.is_empty() {
            return percentage;
        }
        text.push(',');
        text.push_str(&joined);
    }
}

/// Whether a segment of so many percent holds these ids; unlike that of a variant, its edge is part of it, so that even
/// one of 0 percent holds one identity in ten thousand.
pub fn is_in_segment(ids: &[&str], percent: f64) -> bool {
    percentage(ids) <= percent
}

/// The index of the variant, given the weights of all in percent and in the order of their priority, each up to below the
/// sum of those so far; none if the weights end before, where the flag has its own value.
pub fn pick(percentage: f64, weights: &[f64]) -> Option<usize> {
    let mut from = 0.0;
    weights.iter().position(|weight| {
        let to = from + weight;
        let holds = from <= percentage && percentage < to;
        from = to;
        holds
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_very_end_is_hashed_again_with_all_ids_once_more() {
        let at_the_end = |text: &str| u128::from_be_bytes(Md5::digest(text).0) % 9999 == 9998;
        let key =
            (0..100_000).map(|number: u32| number.to_string()).find(|key| at_the_end(&format!("flag,{key}")));
        let key = key.unwrap();
        let again = u128::from_be_bytes(Md5::digest(format!("flag,{key},flag,{key}")).0) % 9999;
        assert_eq!(percentage(&["flag", &key]), again as f64 / 9998.0 * 100.0);
        assert!(percentage(&["flag", &key]) < 100.0);
    }

    #[test]
    fn variants_follow_one_another_and_may_end_early() {
        assert_eq!(pick(0.0, &[0.0, 10.0, 20.0]), Some(1));
        assert_eq!(pick(10.0, &[0.0, 10.0, 20.0]), Some(2));
        assert_eq!(pick(30.0, &[0.0, 10.0, 20.0]), None);
    }
}
