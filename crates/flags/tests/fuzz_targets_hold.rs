//! The bodies of the fuzz targets, over seeds and their mutations: a bounded run that needs no cargo-fuzz.
#![cfg(feature = "yaml")]

use proptest::prelude::*;

#[path = "../../../fuzz/src/bodies.rs"]
mod bodies;

const DOCUMENTS: [&str; 4] = [
    r#"{"flags":{"a":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"on","targeting":{"if":[{"$ref":"s"},"on",{"fractional":[["on",1],["off",9]]}]}}},"$evaluators":{"s":{"in":["@x",{"var":"email"}]}},"metadata":{"v":1}}"#,
    r#"{"flags":{"a":{"state":"ENABLED","variants":{"1":1,"2":2.5},"targeting":{"reduce":[{"var":"l"},{"+":[{"var":"current"},{"var":"accumulator"}]},0]}},"b":{"state":"DISABLED","variants":{"o":{}}}}}"#,
    r#"{"flags":[{"key":"a","state":"ENABLED","variants":{"x":"y"},"defaultVariant":"x","targeting":{"sem_ver":[{"var":"v"},"^","1.2.3"]},"metadata":{"m":true}}]}"#,
    "flags:\n  a: &f\n    state: ENABLED\n    variants: {on: true}\n    defaultVariant: on\n  b: *f\n",
];
const CONTEXTS: [&str; 3] = [
    "{}",
    r#"{"targetingKey":"u","email":"a@x","l":[1,2]}"#,
    r#"{"targetingKey":1,"v":"1.3.0","$flagd":{}}"#,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn documents(bytes in mutated(DOCUMENTS.map(str::to_owned).to_vec())) {
        bodies::document(&bytes);
    }

    #[test]
    fn evaluations(bytes in mutated(pairs())) {
        bodies::evaluate(&bytes);
    }
}

fn pairs() -> Vec<String> {
    let pair = |document: &str| CONTEXTS.map(|context| format!("{document}\n---\n{context}"));
    DOCUMENTS.iter().flat_map(|document| pair(document)).collect()
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
