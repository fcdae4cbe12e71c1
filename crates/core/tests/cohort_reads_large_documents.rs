//! What people write is read in a time that grows with its length, and not with the square of it.

#![expect(clippy::unwrap_used, reason = "the harness of tests may panic")]

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;
use serinus_core::cohort::{Layer, Layers, Split};

// One test, so that its parts do not take the processor from one another.
#[test]
fn a_text_four_times_as_long_takes_about_four_times_as_long() {
    holds("many shares with a slot each", 3200, |count| {
        read::<Split>(&list(count, |at| {
            format!(r#"{{"name":"n{at}","slots":[{{"from":{at},"to":{}}}]}}"#, at + 1)
        }))
    });
    holds("many shares with a weight each", 4000, |count| {
        read::<Split>(&list(count, |at| format!(r#"{{"name":"n{at}","weight":1}}"#)))
    });
    holds("many shares with nothing", 4000, |count| {
        read::<Split>(&list(count, |at| format!(r#"{{"name":"n{at}","weight":0}}"#)))
    });
    holds("one share with many slots", 10_000, |count| {
        read::<Split>(&format!(r#"[{{"name":"a","slots":{}}}]"#, list(count, slot)))
    });
    holds("weights between many slots", 5000, |count| {
        let weights = list(count, |at| format!(r#"{{"name":"n{at}","weight":1}}"#));
        let slots = format!(r#"{{"name":"a","slots":{}}}"#, list(count, slot));
        read::<Split>(&weights.replace(']', &format!(",{slots}]")))
    });
    holds("a layer with many experiments", 2500, |count| {
        let experiments = list(count, |at| format!(r#"{{"name":"n{at}","weight":1,"variants":[]}}"#));
        read::<Layer>(&format!(r#"{{"salt":"search","experiments":{experiments}}}"#))
    });
    holds("many layers and holdouts", 2500, |count| {
        let holdouts = list(count, |at| format!(r#"{{"salt":"h{at}","share":1}}"#));
        let layers = list(count, |at| format!(r#"{{"salt":"l{at}"}}"#));
        read::<Layers>(&format!(r#"{{"holdouts":{holdouts},"layers":{layers}}}"#))
    });
}

#[test]
fn what_is_wrong_is_found_in_a_large_document_too() {
    let with = |last: &str| list(10_000, slot).replace("]", &format!(",{last}]"));
    let document = format!(r#"[{{"name":"a","slots":{}}}]"#, with(r#"{"from":9999,"to":10001}"#));
    let refusal = serde_json::from_str::<Split>(&document).unwrap_err().to_string();
    assert!(refusal.starts_with("`a` and `a` both hold 10% to 10.001%: move one of them"), "{refusal}");

    let shares = list(8000, |at| format!(r#"{{"name":"n{at}","weight":1}}"#));
    let document = shares.replace("n7999", "n17");
    let refusal = serde_json::from_str::<Split>(&document).unwrap_err().to_string();
    assert!(refusal.starts_with("`n17` stands twice: give each its own name"), "{refusal}");

    let experiments = |last: &str| {
        list(8000, |at| {
            let salt = if at == 7999 { last.to_owned() } else { format!("s{at}") };
            format!(r#"{{"name":"n{at}","salt":"{salt}","weight":1,"variants":[]}}"#)
        })
    };
    let layer = |last: &str| format!(r#"{{"salt":"search","experiments":{}}}"#, experiments(last));
    let refusal = serde_json::from_str::<Layer>(&layer("s3")).unwrap_err().to_string();
    assert!(
        refusal.starts_with("the experiment `n3` and the experiment `n7999` have the same salt"),
        "{refusal}"
    );
    let refusal = serde_json::from_str::<Layer>(&layer("search")).unwrap_err().to_string();
    assert!(refusal.starts_with("the layer `search` and the experiment `n7999`"), "{refusal}");
}

/// That both the ratio of times and the longer time are what a linear reader has: the square would make it sixteen.
fn holds(what: &str, count: usize, mut read: impl FnMut(usize) -> Duration) {
    let mut best = [Duration::MAX; 2];
    // The machine has other work, which only ever adds time.
    let is_linear = (0..ROUNDS).any(|_| {
        best = [best[0].min(read(count)), best[1].min(read(4 * count))];
        best[1] < best[0] * 8 && best[1] < LONGEST
    });
    assert!(is_linear, "{what}: {count} take {:?}, and four times as many {:?}", best[0], best[1]);
}

#[expect(clippy::disallowed_methods, reason = "how long reading takes is what is tested")]
fn read<T: DeserializeOwned>(text: &str) -> Duration {
    let begin = Instant::now();
    let value: Result<T, _> = serde_json::from_str(text);
    let took = begin.elapsed();
    value.unwrap();
    took
}

fn slot(at: usize) -> String {
    format!(r#"{{"from":{},"to":{}}}"#, 2 * at, 2 * at + 1)
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    let mut text = String::from("[");
    for at in 0..count {
        let _ = write!(text, "{}{}", if at > 0 { "," } else { "" }, item(at));
    }
    text.push(']');
    text
}

const ROUNDS: u32 = 8;
const LONGEST: Duration = Duration::from_millis(500);
