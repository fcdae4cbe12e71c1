//! Which revision answers a request, and which routes are refused.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use http::{Request, Response};
use serinus_core::{
    port::{Fence, PortErrorKind, TrafficRouter as _},
    traffic::{Match, NamedPattern, Pattern, Revision, Route, Weight},
};
use serinus_tower::{BuildError, Handle, Split, Sticky};
use tower::{Service, ServiceExt as _};

/// Answers with its name.
#[derive(Clone)]
struct Named(&'static str);

impl Service<Request<()>> for Named {
    type Response = Response<&'static str>;
    type Error = Infallible;
    type Future = Ready<Result<Response<&'static str>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(self.0)))
    }
}

fn fence(seq: u64) -> Fence {
    Fence { epoch: 1, seq }
}

fn canary(percent: f64) -> Route {
    Route { candidate: Some("v2".into()), weight: Weight::percent(percent), ..Route::all_to("v1".into()) }
}

fn pair() -> (Split<Named>, Handle<Named>) {
    Split::builder().revision("v1", Named("v1")).revision("v2", Named("v2")).stable("v1").build().unwrap()
}

async fn ask(split: &Split<Named>, request: Request<()>) -> &'static str {
    split.clone().oneshot(request).await.unwrap().into_body()
}

fn get(path: &str, headers: &[(&str, &str)]) -> Request<()> {
    let start = Request::builder().uri(path);
    headers.iter().fold(start, |request, (name, value)| request.header(*name, *value)).body(()).unwrap()
}

#[tokio::test]
async fn without_a_route_everything_goes_to_stable() {
    let (split, handle) = pair();
    assert_eq!(handle.read().await.unwrap(), None);
    for _ in 0..100 {
        assert_eq!(ask(&split, get("/", &[])).await, "v1");
    }
}

#[tokio::test]
async fn shares_are_right_to_two_requests_of_ten_thousand() {
    let (split, handle) = pair();
    for (seq, percent) in [0.0, 0.5, 1.0, 5.0, 10.0, 12.5, 33.333, 50.0, 99.0, 100.0].into_iter().enumerate()
    {
        handle.route(&canary(percent), fence(seq as u64)).await.unwrap();
        let mut candidate = 0_u32;
        for _ in 0..10_000 {
            candidate += u32::from(ask(&split, get("/", &[])).await == "v2");
        }
        let wanted = canary(percent).weight.parts() / 10;
        assert!(candidate.abs_diff(wanted) <= 2, "{percent}%: {candidate} instead of {wanted}");
    }
}

#[tokio::test]
async fn a_subject_who_has_the_candidate_keeps_it_while_the_weight_grows() {
    for sticky in [Sticky::cookie("session"), Sticky::header("X-User").salt("shop")] {
        let is_cookie = sticky == Sticky::cookie("session");
        let (split, handle) = Split::builder()
            .revision("v1", Named("v1"))
            .revision("v2", Named("v2"))
            .stable("v1")
            .sticky(sticky)
            .build()
            .unwrap();
        let subject = |number: usize| {
            if is_cookie {
                get("/", &[("cookie", &format!("theme=dark; session=s{number}"))])
            } else {
                get("/", &[("x-user", &format!("u{number}"))])
            }
        };
        let mut had = vec![false; 2000];
        for (seq, percent) in [0.0, 1.0, 10.0, 20.0, 50.0, 100.0].into_iter().enumerate() {
            handle.route(&canary(percent), fence(seq as u64)).await.unwrap();
            for (number, had) in had.iter_mut().enumerate() {
                let has = ask(&split, subject(number)).await == "v2";
                assert!(has || !*had, "subject {number} lost the candidate at {percent}%");
                assert_eq!(ask(&split, subject(number)).await == "v2", has, "and is asked twice");
                *had = has;
            }
            let share = had.iter().filter(|had| **had).count() as f64 / 20.0;
            assert!((share - percent).abs() < 4.0, "{share}% instead of {percent}%");
        }
    }
}

#[tokio::test]
async fn a_request_without_a_subject_goes_by_weight() {
    let (split, handle) = Split::builder()
        .revision("v1", Named("v1"))
        .revision("v2", Named("v2"))
        .stable("v1")
        .sticky(Sticky::cookie("session"))
        .build()
        .unwrap();
    handle.route(&canary(50.0), fence(1)).await.unwrap();
    let mut candidate = 0_u32;
    for number in 0..1000 {
        let headers: &[_] = if number % 2 == 0 { &[] } else { &[("cookie", "session=")] };
        candidate += u32::from(ask(&split, get("/", headers)).await == "v2");
    }
    assert!(candidate.abs_diff(500) <= 2, "{candidate}");
}

#[tokio::test]
async fn a_request_that_fits_a_match_goes_to_the_candidate_whatever_the_weight() {
    let (split, handle) = pair();
    let named = |name: &str, value| NamedPattern { name: name.into(), value };
    let matches = vec![
        Match {
            headers: vec![named("X-Beta", Pattern::Exact("yes".into()))],
            cookies: vec![named("tier", Pattern::Regex("gold|silver".into()))],
            path: None,
        },
        Match { headers: vec![], cookies: vec![], path: Some(Pattern::Prefix("/beta/".into())) },
    ];
    handle.route(&Route { matches, ..canary(0.0) }, fence(1)).await.unwrap();
    let both: &[_] = &[("x-beta", "no"), ("x-beta", "yes"), ("cookie", "a=b; tier=gold")];
    for (path, headers, expected) in [
        ("/", both, "v2"),
        ("/", &[("x-beta", "yes")], "v1"),
        ("/", &[("x-beta", "yes"), ("cookie", "tier=golden")], "v1"),
        ("/", &[("x-beta", "yes!"), ("cookie", "tier=gold")], "v1"),
        ("/beta/cart?x=1", &[], "v2"),
        ("/beta", &[], "v1"),
        ("/?/beta/", &[], "v1"),
    ] {
        assert_eq!(ask(&split, get(path, headers)).await, expected, "{path} {headers:?}");
    }
}

#[tokio::test]
async fn a_route_that_cannot_be_followed_is_refused_and_the_old_one_stays() {
    let (split, handle) = pair();
    handle.route(&canary(100.0), fence(1)).await.unwrap();
    let regex = NamedPattern { name: "x".into(), value: Pattern::Regex("(unclosed".into()) };
    let matches = vec![Match { headers: vec![regex], cookies: vec![], path: None }];
    for (route, kind, named) in [
        (Route { candidate: Some("v3".into()), ..canary(5.0) }, PortErrorKind::NotFound, "`v3`"),
        (Route { stable: "v0".into(), ..canary(5.0) }, PortErrorKind::NotFound, "`v0`"),
        (Route { matches, ..canary(5.0) }, PortErrorKind::Invalid, "(unclosed"),
        (Route { mirror: Weight::percent(5.0), ..canary(5.0) }, PortErrorKind::Invalid, "spawner"),
        (Route { candidate: None, ..canary(5.0) }, PortErrorKind::Invalid, "candidate"),
    ] {
        let error = handle.route(&route, fence(2)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{}", error.chain());
        assert!(error.chain().contains(named), "{}", error.chain());
        let found = handle.read().await.unwrap().unwrap();
        assert_eq!((found.value, found.fence), (canary(100.0), Some(fence(1))));
        assert_eq!(ask(&split, get("/", &[])).await, "v2");
    }
}

#[tokio::test]
async fn an_older_fence_is_refused_and_an_equal_one_changes_nothing() {
    let (_split, handle) = pair();
    handle.route(&canary(5.0), fence(7)).await.unwrap();
    handle.route(&canary(5.0), fence(7)).await.unwrap();
    for older in [fence(6), Fence { epoch: 0, seq: 99 }] {
        let error = handle.route(&canary(50.0), older).await.unwrap_err();
        assert_eq!(error.kind(), PortErrorKind::Fenced);
    }
    assert_eq!(handle.read().await.unwrap().unwrap().value, canary(5.0));
    handle.route(&canary(50.0), Fence { epoch: 2, seq: 0 }).await.unwrap();
    assert_eq!(handle.read().await.unwrap().unwrap().fence, Some(Fence { epoch: 2, seq: 0 }));
}

#[tokio::test]
async fn services_come_and_go_for_the_next_rollout() {
    let (split, handle) = pair();
    let next = Route { candidate: Some("v3".into()), ..canary(100.0) };
    assert_eq!(handle.route(&next, fence(1)).await.unwrap_err().kind(), PortErrorKind::NotFound);
    handle.insert("v3", Named("v3"));
    handle.route(&next, fence(1)).await.unwrap();
    assert_eq!(ask(&split, get("/", &[])).await, "v3");
    handle.insert("v3", Named("v3 again"));
    assert_eq!(ask(&split, get("/", &[])).await, "v3 again");
    assert_eq!(handle.totals(&"v3".into()).requests, 2, "counters go on");
    assert_eq!(handle.remove(&"v3".into()).unwrap_err().kind(), PortErrorKind::Invalid);
    handle.remove(&"v2".into()).unwrap();
    assert_eq!(handle.remove(&"v2".into()).unwrap_err().kind(), PortErrorKind::NotFound);
}

#[tokio::test]
async fn the_preview_leads_to_the_candidate_while_the_route_says_so() {
    let (split, handle) = pair();
    let preview = split.preview();
    assert_eq!(ask(&preview, get("/", &[])).await, "v1");
    handle.route(&Route { preview: true, ..canary(0.0) }, fence(1)).await.unwrap();
    assert_eq!(ask(&preview, get("/", &[])).await, "v2");
    assert_eq!(ask(&split, get("/", &[])).await, "v1");
    handle.route(&canary(100.0), fence(2)).await.unwrap();
    assert_eq!(ask(&preview, get("/", &[])).await, "v1");
    assert_eq!(ask(&split, get("/", &[])).await, "v2");
}

#[test]
fn a_split_that_cannot_work_is_not_built() {
    let start = || Split::builder().revision("v1", Named("v1"));
    assert_eq!(start().build().unwrap_err(), BuildError::NoStable);
    assert_eq!(
        start().stable("v2").build().unwrap_err(),
        BuildError::NoService { revision: Revision::from("v2") }
    );
    for bad in [
        start().stable("v1").label("a-b", "c"),
        start().stable("v1").label_revision("v1", "track", "c"),
        start().stable("v1").speed(0.0),
        start().stable("v1").speed(f64::NAN),
        start().stable("v1").sticky(Sticky::header("not a name")),
        start().stable("v1").sticky(Sticky::cookie("")),
    ] {
        bad.build().unwrap_err();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_request_is_dropped_while_the_route_changes_a_thousand_times() {
    /// Yields in the middle, so that routes change while requests are in flight.
    async fn slow(name: &'static str) -> Result<Response<&'static str>, Infallible> {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        Ok(Response::new(name))
    }
    let service = |name| tower::service_fn(move |_: Request<()>| slow(name));
    let (split, handle) = Split::builder()
        .revision("v1", service("v1"))
        .revision("v2", service("v2"))
        .stable("v1")
        .build()
        .unwrap();
    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let users: Vec<_> = (0..8)
        .map(|_| {
            let (mut split, stop, answered) = (split.clone(), Arc::clone(&stop), Arc::clone(&answered));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let response = split.call(Request::new(())).await.unwrap();
                    assert!(["v1", "v2"].contains(response.body()));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for seq in 0..1000 {
        handle.route(&canary((seq % 101) as f64), fence(seq)).await.unwrap();
        tokio::task::yield_now().await;
    }
    while answered.load(Ordering::Relaxed) < 1000 {
        tokio::task::yield_now().await;
    }
    stop.store(true, Ordering::Relaxed);
    for user in users {
        user.await.unwrap();
    }
    let totals = handle.all_totals();
    let counted: u64 = totals.values().map(|totals| totals.requests).sum();
    assert_eq!(counted, answered.load(Ordering::Relaxed));
    assert!(
        totals.values().all(|totals| totals.in_flight == 0 && totals.cancelled == 0 && totals.errors == 0)
    );
}

#[tokio::test]
async fn a_service_that_is_not_ready_is_waited_for() {
    #[derive(Clone)]
    struct Slow {
        waits: u32,
    }
    impl Service<Request<()>> for Slow {
        type Response = Response<()>;
        type Error = &'static str;
        type Future = Ready<Result<Response<()>, &'static str>>;

        fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
            match self.waits {
                0 => Poll::Ready(Ok(())),
                99 => Poll::Ready(Err("broken")),
                _ => {
                    self.waits -= 1;
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
            }
        }

        fn call(&mut self, _: Request<()>) -> Self::Future {
            ready(if self.waits == 0 { Ok(Response::new(())) } else { Err("called before it was ready") })
        }
    }
    let (split, handle) = Split::builder()
        .revision("v1", Slow { waits: 3 })
        .revision("v2", Slow { waits: 99 })
        .stable("v1")
        .build()
        .unwrap();
    split.clone().oneshot(Request::new(())).await.unwrap();
    handle.route(&canary(100.0), fence(1)).await.unwrap();
    assert_eq!(split.clone().oneshot(Request::new(())).await.unwrap_err(), "broken");
    let totals = handle.totals(&"v2".into());
    assert_eq!((totals.requests, totals.errors), (1, 1));
}
