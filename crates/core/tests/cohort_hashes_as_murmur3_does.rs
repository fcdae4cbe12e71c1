//! The hash has the values that independent implementations of MurmurHash3 give.

#![expect(clippy::unwrap_used, reason = "the harness of tests may panic")]

use serde_json::Value;
use serinus_core::cohort::murmur3::{self, Hasher};

#[test]
fn every_vector_holds_in_one_piece_and_cut_in_two() {
    let document: Value = serde_json::from_str(include_str!("data/cohort-vectors.json")).unwrap();
    let vectors = document["murmur3_x86_32"].as_array().unwrap();
    assert_eq!(vectors.len(), 24);
    for vector in vectors {
        let bytes = bytes(vector["hex"].as_str().unwrap());
        let number = |key: &str| u32::try_from(vector[key].as_u64().unwrap()).unwrap();
        let (seed, expected) = (number("seed"), number("hash"));
        assert_eq!(murmur3::hash(&bytes, seed), expected, "{vector}");
        for cut in 0..=bytes.len() {
            let (head, rest) = bytes.split_at(cut);
            assert_eq!(Hasher::new(seed).with(head).with(rest).finish(), expected, "{vector} cut at {cut}");
        }
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
