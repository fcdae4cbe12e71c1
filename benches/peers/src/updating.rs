//! Reading while a document of ten thousand flags is replaced again and again.

use std::{
    fmt,
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use cpu_time::ThreadTime;
use serde_json::{Map, json};
use serinus_flags::{Flags, Format};

use crate::serinus::contexts;

/// What was seen. Times of updates are processor time, those of reads are not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Updated {
    /// Of a first document, the median: from its text to the flags in force.
    pub(crate) first: Duration,
    /// Of the median update in which every tenth flag changed.
    pub(crate) update: Duration,
    pub(crate) read_median: Duration,
    /// What the slowest of a thousand reads takes at the least.
    pub(crate) read_999: Duration,
    pub(crate) reads: usize,
}

impl fmt::Display for Updated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "ten thousand flags from their text: {:?} at first, {:?} where a tenth changed; a read meanwhile, with the \
             reading of the clock: median {:?}, 99.9 % within {:?} ({} reads)",
            self.first, self.update, self.read_median, self.read_999, self.reads
        )
    }
}

pub(crate) fn measure() -> Updated {
    let texts = [text(0), text(1)];
    let flags = Flags::default();
    let mut first: Vec<_> = (0..FIRST).map(|_| update(&Flags::default(), &texts[0])).collect();
    first.sort();
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
        first: first[FIRST / 2],
        update: updates[updates.len() / 2],
        read_median: reads[reads.len() / 2],
        read_999: reads[reads.len() * 999 / 1_000],
        reads: reads.len(),
    }
}

fn update(flags: &Flags, text: &str) -> Duration {
    let start = ThreadTime::now();
    let report = flags.update(text.as_bytes(), Format::Json).expect("the document can be read");
    assert!(report.faults().is_empty(), "the document has no faults");
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
const FIRST: usize = 9;
const UPDATES: usize = 40;
const MOST_READS: usize = 20_000_000;
