//! The time of the example `rollout` where nobody else needs to agree with it: it passes only as far as requests go.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use serinus::{
    port::Clock as _,
    time::{GoDuration, Timestamp},
};
use tokio::sync::Mutex;

use crate::{beat::Beat, clock::ScaledClock, load::Mix, server::serve};

#[path = "../examples/rollout/beat.rs"]
mod beat;
#[expect(dead_code, reason = "shared by several programs")]
#[path = "../examples/rollout/clock.rs"]
mod clock;
#[expect(dead_code, reason = "shared with an example")]
#[path = "../examples/rollout/load.rs"]
mod load;
#[expect(dead_code, reason = "shared with an example")]
#[path = "../examples/rollout/problem.rs"]
mod problem;
#[expect(dead_code, reason = "shared with an example")]
#[path = "../examples/rollout/server.rs"]
mod server;

const LONGEST: Duration = Duration::from_millis(20);

#[test]
fn without_ticks_it_stands_still_and_with_them_it_goes_on() {
    let beat = Beat::of_traffic(LONGEST);
    thread::sleep(LONGEST * 5);
    assert_eq!(beat.elapsed(), LONGEST);
    assert!(beat.stood_still() >= LONGEST * 3, "{:?}", beat.stood_still());
    assert_eq!(beat.tick(), Some(LONGEST));
    let mut last = beat.elapsed();
    assert!(last >= LONGEST);
    for _ in 0..1_000 {
        beat.tick();
        let now = beat.elapsed();
        assert!(now >= last, "{now:?} after {last:?}");
        last = now;
    }
    let real = Beat::real();
    thread::sleep(LONGEST);
    assert!(real.elapsed() >= LONGEST && real.stood_still().is_zero() && real.tick().is_none());
}

#[test]
fn a_clock_by_it_stands_still_too() {
    let beat = Beat::of_traffic(LONGEST);
    let of_clock = beat.clone();
    let clock = ScaledClock::by(Timestamp::UNIX_EPOCH, 60.0, move || of_clock.elapsed());
    thread::sleep(LONGEST * 3);
    let shown = GoDuration::between(Timestamp::UNIX_EPOCH, clock.now()).to_std();
    assert!(shown <= LONGEST * 60, "{shown:?}");
}

/// However slowly they are answered, as many requests are sent in the time that has passed.
#[tokio::test(flavor = "multi_thread")]
async fn as_many_requests_are_sent_as_belong_to_the_time() {
    const RATE: u32 = 1_000;
    let answered = Arc::new(AtomicU32::new(0));
    let (one_by_one, counted) = (Arc::new(Mutex::new(())), Arc::clone(&answered));
    // A service of two hundred requests in a second at the most.
    let service = serve(move |_| {
        let (one_by_one, counted) = (Arc::clone(&one_by_one), Arc::clone(&counted));
        async move {
            let _turn = one_by_one.lock().await;
            tokio::time::sleep(Duration::from_millis(4)).await;
            counted.fetch_add(1, Ordering::Relaxed);
            Response::new(Full::<Bytes>::default())
        }
    })
    .await
    .unwrap();
    let beat = load::beat();
    let began = Instant::now();
    let sender = load::start(service, Mix { rate: RATE, ..Mix::default() }, beat.clone(), Duration::ZERO);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (passed, count) = (beat.elapsed().as_secs_f64(), f64::from(answered.load(Ordering::Relaxed)));
    assert!(
        passed < 0.6 * began.elapsed().as_secs_f64(),
        "the service is too slow for {RATE}: {passed} s passed"
    );
    assert!(!beat.stood_still().is_zero());
    // But for those under way: 51 and a tick's.
    let sent = passed * f64::from(RATE);
    assert!(count <= sent && count >= sent - 151.0, "{count} answered of {sent} in {passed} s");

    drop(sender);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let ended = answered.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(answered.load(Ordering::Relaxed), ended, "nobody sends any more");
}

/// Of a service that is known to be slow, requests are left out; time does not wait for it.
#[tokio::test]
async fn time_does_not_wait_for_a_service_that_is_known_to_be_slow() {
    let service = serve(|_| async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        Response::new(Full::<Bytes>::default())
    })
    .await
    .unwrap();
    for slowest in [Duration::from_secs(60), Duration::from_hours(4_000)] {
        let beat = load::beat();
        let _sender = load::start(service, Mix { rate: 3_000, ..Mix::default() }, beat.clone(), slowest);
        let began = Instant::now();
        while beat.elapsed() < Duration::from_millis(500) {
            assert!(began.elapsed() < Duration::from_secs(30), "only {:?} passed", beat.elapsed());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
