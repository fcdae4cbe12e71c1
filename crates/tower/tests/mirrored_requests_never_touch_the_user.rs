//! Copies of requests go to the candidate, and nothing of them comes back.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use serinus_core::{
    port::{Fence, TrafficRouter as _},
    traffic::{Route, Weight},
};
use serinus_tower::{Handle, Mirrored, Split};
use tower::{Service as _, ServiceExt as _, util::BoxCloneSyncService};

type Service = BoxCloneSyncService<Request<String>, Response<String>, &'static str>;

fn stable() -> Service {
    BoxCloneSyncService::new(tower::service_fn(async |request: Request<String>| {
        assert!(request.extensions().get::<Mirrored>().is_none());
        Ok(Response::new("from stable".to_owned()))
    }))
}

async fn mirror<S>(handle: &Handle<S>, percent: f64)
where
    S: Send + Sync,
{
    let route = Route {
        candidate: Some("v2".into()),
        mirror: Weight::percent(percent),
        ..Route::all_to("v1".into())
    };
    handle.route(&route, Fence::default()).await.unwrap();
}

#[tokio::test]
async fn copies_carry_the_request_and_a_mark_and_their_failures_are_not_seen() {
    let copied = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&copied);
    let candidate = BoxCloneSyncService::new(tower::service_fn(move |request: Request<String>| {
        assert!(request.extensions().get::<Mirrored>().is_some());
        assert_eq!((request.uri().path(), request.body().as_str()), ("/cart", "two apples"));
        seen.fetch_add(1, Ordering::Relaxed);
        async { Err("the candidate is broken") }
    }));
    let (mut split, handle) = Split::builder()
        .mirror(100_000, |future| drop(tokio::spawn(future)))
        .revision("v1", stable())
        .revision("v2", candidate)
        .stable("v1")
        .build()
        .unwrap();
    mirror(&handle, 20.0).await;
    for _ in 0..1000 {
        let request = Request::builder().uri("/cart").body("two apples".to_owned()).unwrap();
        assert_eq!(split.call(request).await.unwrap().into_body(), "from stable");
    }
    while handle.mirror_totals().in_flight > 0 {
        tokio::task::yield_now().await;
    }
    let sent = handle.mirror_totals().sent;
    assert!(sent.abs_diff(200) <= 2, "{sent}");
    assert_eq!(copied.load(Ordering::Relaxed), sent);
    let totals = handle.totals(&"v2".into());
    assert_eq!((totals.requests, totals.errors), (sent, sent), "they count for the candidate");
    assert_eq!(handle.totals(&"v1".into()).errors, 0);
}

#[tokio::test(start_paused = true)]
async fn a_slow_or_panicking_copy_delays_nobody() {
    for panics in [false, true] {
        let candidate = BoxCloneSyncService::new(tower::service_fn(move |_: Request<String>| async move {
            assert!(!panics, "the candidate panics on purpose");
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok(Response::new("from the candidate".to_owned()))
        }));
        let (split, handle) = Split::builder()
            .mirror(10, |future| drop(tokio::spawn(future)))
            .revision("v1", stable())
            .revision("v2", candidate)
            .stable("v1")
            .build()
            .unwrap();
        mirror(&handle, 100.0).await;
        let start = tokio::time::Instant::now();
        for _ in 0..100 {
            let response = split.clone().oneshot(Request::new(String::new())).await.unwrap();
            assert_eq!(response.into_body(), "from stable");
        }
        assert_eq!(start.elapsed(), Duration::ZERO, "no time passed for users");
        tokio::time::sleep(Duration::from_secs(1)).await;
        let totals = handle.mirror_totals();
        if panics {
            assert_eq!(totals.in_flight, 0, "a copy that died gives its place back");
            let totals = handle.totals(&"v2".into());
            assert_eq!(
                (totals.requests, totals.errors),
                (totals.errors, 100 - handle.mirror_totals().skipped)
            );
        } else {
            assert_eq!((totals.sent, totals.skipped, totals.in_flight), (10, 90, 10));
        }
        tokio::time::sleep(Duration::from_secs(7200)).await;
        assert_eq!(handle.mirror_totals().in_flight, 0);
    }
}
