//! Every statistic has the value that an independent implementation gives, through the adapters of the
//! `conformance` example, so that the two cannot differ.

use serde_json::Value;

#[path = "../../../examples/conformance/stats.rs"]
mod stats;

#[test]
fn every_vector_holds() {
    let document: Value = serde_json::from_str(include_str!("data/stat-vectors.json")).unwrap();
    let vectors = document["vectors"].as_array().unwrap();
    let (mut held, mut wrong) = (0, Vec::new());
    for vector in vectors {
        let (id, method) = (vector["id"].as_str().unwrap(), vector["method"].as_str().unwrap());
        if stats::left_out(method).is_some() {
            continue;
        }
        match stats::check(vector) {
            Ok(None) => held += 1,
            Ok(Some(difference)) => wrong.push(format!("{id}: {difference}")),
            Err(reason) => wrong.push(format!("{id}: no answer: {reason}")),
        }
    }
    assert!(wrong.is_empty(), "{held} hold, these do not:\n{}", wrong.join("\n"));
}
