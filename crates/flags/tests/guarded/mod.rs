//! A guarded flag in virtual time: visitors come, the clock is set to whatever is waited for next.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "the harness of tests may panic")]

use std::{collections::BTreeMap, future::Future, pin::pin, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use serinus_core::{
    port::{Clock as _, memory::ManualClock},
    rollout::Plan,
    strategy::Canary,
    time::{GoDuration, Timestamp},
    traffic::Weight,
};
use serinus_flags::{Context, Flags, Format, Guard, Outcome};

/// Two variants of a checkout, the old one for everybody but those with a wish of their own.
pub(crate) const DOCUMENT: &str = r#"{"flags": {"checkout": {
    "state": "ENABLED",
    "variants": {"new": "new", "old": "old"},
    "defaultVariant": "old",
    "targeting": {"if": [{"!!": [{"var": "wish"}]}, {"var": "wish"}, null]}
}}}"#;

pub(crate) fn flags(document: &str) -> Flags {
    let flags = Flags::default();
    let report = flags.update(document.as_bytes(), Format::Json).unwrap();
    assert!(report.faults().is_empty(), "{:?}", report.faults());
    flags
}

pub(crate) fn ladder() -> Plan {
    Canary::between_variants()
        .ladder([5.0, 20.0, 50.0].map(Weight::percent), GoDuration::from_mins(10))
        .plan()
        .unwrap()
}

/// Visitors, each of whom comes again and again.
pub(crate) struct Visitors {
    pub(crate) contexts: Vec<Context>,
    visits: u64,
    /// How many in a thousand visits fail, by the variant that they see.
    pub(crate) faults: BTreeMap<&'static str, u64>,
    pub(crate) per_second: u64,
}

impl Visitors {
    pub(crate) fn new(new_faults: u64) -> Self {
        Self {
            contexts: (0..5_000).map(|number| Context::new(format!("user-{number}"))).collect(),
            visits: 0,
            faults: BTreeMap::from([("old", 20), ("new", new_faults)]),
            per_second: 100,
        }
    }

    pub(crate) fn come(&mut self, flags: &Flags, guard: &Guard, lasting: GoDuration) {
        for _ in 0..(lasting.as_secs_f64() * self.per_second as f64) as u64 {
            self.visits += 1;
            let drawn = mixed(self.visits);
            let context = &self.contexts[(drawn % self.contexts.len() as u64) as usize];
            let seen = flags.string("checkout", context).unwrap();
            let fails = mixed(drawn) % 1000 < self.faults[&*seen];
            let outcome = if fails { Outcome::Error } else { Outcome::Success };
            let latency = Duration::from_micros(20_000 + mixed(drawn + 1) % 20_000);
            guard.record(context, outcome.after(latency));
        }
    }

    /// What each of them would see, without being counted.
    pub(crate) fn views(&self, flags: &Flags) -> Vec<(String, String)> {
        let snapshot = flags.snapshot();
        let view = |context| {
            let seen = snapshot.evaluate_at("checkout", context, 0);
            (seen.variant.unwrap().to_owned(), seen.reason.to_string())
        };
        self.contexts.iter().map(view).collect()
    }

    /// How many of them would see the new one.
    pub(crate) fn with_new(&self, flags: &Flags) -> usize {
        self.views(flags).iter().filter(|(variant, _)| variant == "new").count()
    }
}

/// Awaits a future in virtual time. `meanwhile` happens before the clock moves on by so much.
pub(crate) fn drive<T>(
    clock: &Arc<ManualClock>,
    future: impl Future<Output = T>,
    mut meanwhile: impl FnMut(GoDuration),
) -> T {
    let mut future = pin!(future);
    for _ in 0..20_000 {
        if let Some(result) = future.as_mut().now_or_never() {
            return result;
        }
        let wake = clock.next_wake().expect("somebody sleeps");
        let left = GoDuration::between(clock.now(), wake);
        meanwhile(left);
        clock.set(wake);
    }
    panic!("it does not end");
}

/// The same for a while; then the future is dropped, as by a crash.
pub(crate) fn drive_for<T>(
    clock: &Arc<ManualClock>,
    lasting: GoDuration,
    future: impl Future<Output = T>,
    mut meanwhile: impl FnMut(GoDuration),
) {
    let end: Timestamp = lasting.after(clock.now());
    let mut future = pin!(future);
    while clock.now() < end {
        assert!(future.as_mut().now_or_never().is_none(), "it ended");
        // Without anybody who sleeps, somebody waits to be told.
        let wake = clock.next_wake().map_or(end, |wake| wake.min(end));
        meanwhile(GoDuration::between(clock.now(), wake));
        clock.set(wake);
    }
    assert!(future.as_mut().now_or_never().is_none(), "it ended");
}

fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
