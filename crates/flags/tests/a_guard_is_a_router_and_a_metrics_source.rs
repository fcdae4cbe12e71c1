//! What the engine sees of a guarded flag: a router that refuses what a flag cannot do, and a source of metrics.

#![expect(clippy::unwrap_used, reason = "the harness of tests may panic")]

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use guarded::{DOCUMENT, Visitors, drive_for, flags, ladder};
use serinus_core::{
    metric::{Arms, Query, Question, Sample, Window},
    port::{Clock as _, Fence, MetricProvider as _, PortErrorKind, TrafficRouter as _, memory::ManualClock},
    time::{GoDuration, Timestamp},
    traffic::{Match, Revision, Route, Weight},
};
use serinus_flags::{Deciding, Flags, Guard, Outcome, Rate};

#[expect(dead_code, reason = "shared by several test programs")]
mod guarded;

fn guard(flags: &Flags, rate: Rate) -> Guard {
    let guard = flags.guard("checkout").candidate("new").plan(ladder()).deciding(Deciding::here());
    guard.rate(rate).build().unwrap()
}

fn candidate(guard: &Guard) -> Revision {
    guard.read().now_or_never().unwrap().unwrap().unwrap().value.candidate.unwrap()
}

fn ask(guard: &Guard, query: Query, at: Timestamp, window: Option<Window>) -> Result<Sample, PortErrorKind> {
    let (query, stable) = (query.into(), "old".into());
    let question = Question { query, candidate: candidate(guard), stable, at, window };
    guard.ask(&question).now_or_never().unwrap().map_err(|error| error.kind())
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn rates_and_latencies_are_those_of_the_candidate_within_the_window() {
    let (flags, clock, mut visitors) =
        (flags(DOCUMENT), Arc::new(ManualClock::default()), Visitors::new(100));
    let guard = guard(&flags, Rate::PerOutcome);
    let minute = |visitors: &mut Visitors| {
        drive_for(&clock, GoDuration::from_mins(1), guard.run(Arc::clone(&clock) as _), |lasting| {
            visitors.come(&flags, &guard, lasting);
        });
    };
    let ask = |name, seconds| {
        let query = Query::builtin(name, GoDuration::from_secs(seconds));
        let sample = ask(&guard, query, clock.now(), None).unwrap();
        sample.as_number().map(serinus_core::metric::Number::get)
    };
    minute(&mut visitors);
    let rate = ask(Query::SUCCESS_RATE, 60).unwrap();
    assert!((85.0..95.0).contains(&rate), "{rate}");
    let slowest = ask(Query::DURATION, 60).unwrap();
    assert!((37.0..41.5).contains(&slowest), "{slowest}");
    visitors.faults.insert("new", 0);
    minute(&mut visitors);
    let (late, both) = (ask(Query::SUCCESS_RATE, 30).unwrap(), ask(Query::SUCCESS_RATE, 120).unwrap());
    assert!(late > 99.9 && (rate..99.9).contains(&both), "{late} {both}");
    // Nobody comes any more.
    visitors.per_second = 0;
    minute(&mut visitors);
    assert_eq!(ask(Query::SUCCESS_RATE, 30), None);
}

#[test]
fn windows_of_both_arms_are_disjoint_and_end_where_the_weight_changes() {
    let (flags, clock) = (flags(DOCUMENT), Arc::new(ManualClock::default()));
    for (rate, requests) in [(Rate::PerOutcome, 2), (Rate::PerExposure, 1)] {
        let guard = guard(&flags, rate);
        drive_for(&clock, GoDuration::from_mins(1), guard.run(Arc::clone(&clock) as _), |_| {});
        let visitors = Visitors::new(0);
        let once = || {
            for context in &visitors.contexts {
                drop(flags.string("checkout", context));
                guard.record(context, Outcome::Success.after(Duration::from_millis(1)));
                guard.record(context, Outcome::Error);
            }
        };
        let count = |from, to| {
            let window = Window { from: at(from), to: at(to) };
            let query = Query::new(Query::BUILTIN, Query::ARMS);
            let sample = ask(&guard, query, at(to), Some(window))?;
            let Arms { stable, candidate, .. } = Arms::try_from(&sample).unwrap();
            assert!(stable.requests.abs_diff(candidate.requests) < 120, "{stable:?} {candidate:?}");
            assert_eq!(candidate.failures * requests, candidate.requests);
            Ok(candidate.failures)
        };
        assert_eq!(count(1_000, 1_010), Err(PortErrorKind::Transient), "nobody counted at its beginning");
        once();
        let first = count(1_010, 1_020).unwrap();
        assert!((150..350).contains(&first), "{first}");
        once();
        once();
        let twice = count(1_020, 1_030).unwrap();
        assert_eq!(twice, if rate == Rate::PerOutcome { 2 * first } else { first });
        once();
        let mut now = guard.read().now_or_never().unwrap().unwrap().unwrap();
        now.value.weight = Weight::percent(20.0);
        guard.route(&now.value, now.fence.unwrap()).now_or_never().unwrap().unwrap();
        once();
        assert_eq!(count(1_030, 1_040).unwrap(), first, "what came after the change is not in it");
        assert!(flags.unguard("checkout"));
    }
}

#[test]
fn it_refuses_older_fences_and_what_a_flag_cannot_do() {
    let (flags, clock) = (flags(DOCUMENT), Arc::new(ManualClock::default()));
    let guard = guard(&flags, Rate::PerOutcome);
    drive_for(&clock, GoDuration::from_mins(1), guard.run(Arc::clone(&clock) as _), |_| {});
    let (before, now) = (guard.trial(), guard.read().now_or_never().unwrap().unwrap().unwrap());
    let refused = |route: &Route, fence| {
        let error = guard.route(route, fence).now_or_never().unwrap().unwrap_err();
        assert_eq!(guard.trial(), before);
        error.kind()
    };
    let (fence, route) = (now.fence.unwrap(), now.value);
    let older = Fence { seq: fence.seq - 1, ..fence };
    assert_eq!(refused(&Route::all_to("old".into()), older), PortErrorKind::Fenced);
    let matches = vec![Match { headers: Vec::new(), cookies: Vec::new(), path: None }];
    assert_eq!(refused(&Route { matches, ..route.clone() }, fence), PortErrorKind::Invalid);
    assert_eq!(refused(&Route { mirror: Weight::FULL, ..route.clone() }, fence), PortErrorKind::Invalid);
    assert_eq!(refused(&Route { candidate: None, ..route.clone() }, fence), PortErrorKind::Invalid);
    let other = Some("newest@00000000".into());
    assert_eq!(refused(&Route { candidate: other, ..route.clone() }, fence), PortErrorKind::NotFound);
    let query = |query| ask(&guard, query, at(0), None).unwrap_err();
    assert_eq!(query(Query::new("prometheus", "up")), PortErrorKind::Invalid);
    assert_eq!(query(Query::new(Query::BUILTIN, "heat")), PortErrorKind::Invalid);
    assert_eq!(query(Query::new(Query::BUILTIN, Query::ARMS)), PortErrorKind::Invalid);
    let backwards = GoDuration::from_secs(0);
    assert_eq!(query(Query::builtin(Query::SUCCESS_RATE, backwards)), PortErrorKind::Invalid);
    assert!(flags.unguard("checkout"));
    assert_eq!(
        guard.route(&route, fence).now_or_never().unwrap().unwrap_err().kind(),
        PortErrorKind::NotFound
    );
}
