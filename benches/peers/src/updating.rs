//! Reading while a document of ten thousand flags is replaced again and again.

use std::{
    fmt,
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Map, json};
use serinus_flags::{Document, Flags};

use crate::serinus::contexts;

/// What was seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Updated {
    /// From the text to the new flags in force.
    pub(crate) slowest_update: Duration,
    pub(crate) median_update: Duration,
    /// What the slowest of a thousand reads takes at the least; of this, `clock` is the reading of the clock.
    pub(crate) read_999: Duration,
    pub(crate) read_median: Duration,
    pub(crate) reads: usize,
}

impl fmt::Display for Updated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "an update of ten thousand flags, from its text: median {:?}, slowest {:?}; while updating, a read with \
             the reading of the clock: median {:?}, 99.9 % within {:?} ({} reads)",
            self.median_update, self.slowest_update, self.read_median, self.read_999, self.reads
        )
    }
}

pub(crate) fn measure() -> Updated {
    let texts = [text(0), text(1)];
    let flags = Flags::default();
    update(&flags, &texts[0]);
    let contexts = contexts();
    let done = AtomicBool::new(false);
    let (mut updates, mut reads) = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = Vec::with_capacity(MOST_READS);
            while !done.load(Ordering::Relaxed) && reads.len() < MOST_READS {
                let context = &contexts[reads.len() % contexts.len()];
                let start = Instant::now();
                black_box(flags.bool("flag-number-5000", context).unwrap_or(false));
                reads.push(start.elapsed());
            }
            reads
        });
        let updates: Vec<_> = (0..UPDATES).map(|number| update(&flags, &texts[(number + 1) % 2])).collect();
        done.store(true, Ordering::Relaxed);
        (updates, reader.join().expect("reading does not panic"))
    });
    updates.sort();
    reads.sort();
    Updated {
        slowest_update: updates[updates.len() - 1],
        median_update: updates[updates.len() / 2],
        read_999: reads[reads.len() * 999 / 1_000],
        read_median: reads[reads.len() / 2],
        reads: reads.len(),
    }
}

fn update(flags: &Flags, text: &str) -> Duration {
    let start = Instant::now();
    let document = Document::from_json(text).expect("the document can be read");
    flags.load(&document);
    start.elapsed()
}

/// Two documents differ in every tenth flag.
fn text(edition: usize) -> String {
    let flags: Map<_, _> = (0..FLAGS)
        .map(|number| {
            let changed = number % 10 == 0 && edition == 1;
            let targeting = match number % 3 {
                0 => json!({}),
                1 => json!({ "if": [{ "==": [{ "var": "plan" }, "gold"] }, "on", "off"] }),
                _ => json!({ "fractional": [["on", 50 + number % 7], ["off", 50]] }),
            };
            let flag = json!({
                "state": "ENABLED",
                "variants": { "on": true, "off": false },
                "defaultVariant": if changed { "on" } else { "off" },
                "targeting": targeting,
            });
            (format!("flag-number-{number}"), flag)
        })
        .collect();
    json!({ "flags": flags }).to_string()
}

const FLAGS: usize = 10_000;
const UPDATES: usize = 40;
const MOST_READS: usize = 20_000_000;
