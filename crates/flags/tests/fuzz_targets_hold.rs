//! The bodies of the fuzz targets, over seeds and their mutations: a bounded run that needs no cargo-fuzz.
#![cfg(feature = "yaml")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{fs, path::Path};

use proptest::prelude::*;

#[path = "../../../fuzz/src/bodies.rs"]
mod bodies;

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn documents(bytes in mutated(seeds("document"))) {
        bodies::document(&bytes);
    }

    #[test]
    fn evaluations(bytes in mutated(seeds("evaluate"))) {
        bodies::evaluate(&bytes);
    }
}

fn seeds(target: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let seeds: Vec<_> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    assert!(seeds.len() > 3, "{}", folder.display());
    seeds
}

/// One of the seeds, with up to three of its bytes changed, dropped or repeated.
fn mutated(seeds: Vec<String>) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), proptest::sample::select(b"{}[]\":,\\0129e-. \nt$".as_slice()),];
    let change = (any::<proptest::sample::Index>(), byte, 0..3u8);
    (proptest::sample::select(seeds), proptest::collection::vec(change, 0..4)).prop_map(|(seed, changes)| {
        let mut bytes = seed.into_bytes();
        for (place, byte, how) in changes {
            let place = place.index(bytes.len());
            match how {
                0 => bytes[place] = byte,
                1 => drop(bytes.remove(place)),
                _ => bytes.insert(place, byte),
            }
        }
        bytes
    })
}
