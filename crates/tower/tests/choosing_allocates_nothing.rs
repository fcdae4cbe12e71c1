//! The choice of a track takes no memory.

use http::{Request, Response, header::COOKIE};
use serinus_core::{
    port::{Fence, TrafficRouter as _},
    traffic::{Match, NamedPattern, Pattern, Route, Track, Weight},
};
use serinus_tower::{Split, Sticky};

#[tokio::test]
async fn neither_by_match_nor_by_subject_nor_by_weight() {
    let service =
        || tower::service_fn(async |_: Request<()>| Ok::<_, std::convert::Infallible>(Response::new(())));
    let (split, handle) = Split::builder()
        .revision("v1", service())
        .revision("v2", service())
        .stable("v1")
        .sticky(Sticky::cookie("session"))
        .build()
        .unwrap();
    let named =
        |name: &str, value: &str| NamedPattern { name: name.into(), value: Pattern::Exact(value.into()) };
    let route = Route {
        candidate: Some("v2".into()),
        weight: Weight::percent(50.0),
        matches: vec![Match {
            headers: vec![named("x-beta", "yes")],
            cookies: vec![named("tier", "gold")],
            path: Some(Pattern::Prefix("/b".into())),
        }],
        ..Route::all_to("v1".into())
    };
    handle.route(&route, Fence::default()).await.unwrap();
    let matched = Request::builder()
        .uri("/beta")
        .header("x-beta", "yes")
        .header(COOKIE, "a=b; tier=gold")
        .body(())
        .unwrap();
    let known = Request::builder().header(COOKIE, "session=0123456789").body(()).unwrap();
    let unknown = Request::new(());
    // The first access of a thread registers it with the swap of routes.
    assert_eq!(split.choose(&matched), Track::Candidate);
    let mut candidates = 0;
    let used = allocation_counter::measure(|| {
        for _ in 0..1000 {
            for request in [&matched, &known, &unknown] {
                candidates += u32::from(split.choose(request) == Track::Candidate);
            }
        }
    });
    assert!(candidates >= 1499, "{candidates}");
    assert_eq!(used.count_total, 0, "{used:?}");
    let one = allocation_counter::measure(|| drop(Box::new(7_u64)));
    assert_eq!(one.count_total, 1, "the counter counts");
}
