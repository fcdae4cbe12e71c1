//! What a guard remembers does not grow with the time that it watches.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use guarded::{DOCUMENT, drive_for, flags, ladder};
use serinus_core::{
    metric::{Arms, Query, Question, Window},
    port::{Clock as _, MetricProvider as _, TrafficRouter as _, memory::ManualClock},
    time::{GoDuration, Timestamp},
};
use serinus_flags::{Context, Deciding, Outcome, Reason};

#[expect(dead_code, reason = "shared by several test programs")]
mod guarded;

#[test]
fn a_day_of_two_comparisons_every_thirty_seconds_takes_less_than_two_megabytes() {
    let (flags, clock) = (flags(DOCUMENT), Arc::new(ManualClock::default()));
    let guard =
        flags.guard("checkout").candidate("new").plan(ladder()).deciding(Deciding::here()).build().unwrap();
    drive_for(&clock, GoDuration::from_mins(1), guard.run(Arc::clone(&clock) as _), |_| {});
    let candidate = guard.read().now_or_never().unwrap().unwrap().unwrap().value.candidate.unwrap();
    let snapshot = flags.snapshot();
    let contexts: Vec<_> = (0..400)
        .map(|number| Context::new(format!("user-{number}")))
        .filter(|context| snapshot.evaluate_at("checkout", context, 0).reason == Reason::Split)
        .collect();
    drop(snapshot);
    let ask = |from: Timestamp, to: Timestamp| {
        let query = Query::new(Query::BUILTIN, Query::ARMS).into();
        let window = Some(Window { from, to });
        let question = Question { query, candidate: candidate.clone(), stable: "old".into(), at: to, window };
        let answer = guard.ask(&question).now_or_never().unwrap();
        answer.map(|answer| Arms::try_from(&answer).unwrap())
    };
    let start = clock.now();
    assert!(ask(Timestamp::UNIX_EPOCH, start).is_err(), "nobody counted at its beginning");
    let long = GoDuration::from_mins(60 * 4).after(start);
    let mut requests = 0;
    let day = allocation_counter::measure(|| {
        let mut at = start;
        for window in 0..2 * 60 * 24_u64 {
            // From a tenth of a millisecond to ten seconds: as wide as latencies get.
            for (number, context) in contexts.iter().enumerate() {
                let micros = 100_u64 << ((number as u64 + window) % 17);
                let outcome = if number % 20 == 0 { Outcome::Error } else { Outcome::Success };
                guard.record(context, outcome.after(Duration::from_micros(micros)));
            }
            let next = GoDuration::from_secs(30).after(at);
            for apart in [0, 1] {
                let moved = |time| GoDuration::from_millis(apart).after(time);
                if let Ok(arms) = ask(moved(at), moved(next)) {
                    requests += arms.candidate.requests * u64::from(apart == 0);
                }
            }
            // A window of hours finds its beginning.
            if next == long {
                let counted = ask(start, long).unwrap();
                assert!(counted.candidate.requests > 0, "{counted:?}");
            }
            at = next;
        }
    });
    assert!(requests > 10_000, "{requests}");
    assert!((0..2 << 20).contains(&day.bytes_current), "{} bytes", day.bytes_current);
}
