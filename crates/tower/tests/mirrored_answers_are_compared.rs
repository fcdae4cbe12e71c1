//! Answers to copies are compared with the live ones, and no user waits for it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Request, Response};
use serinus_core::{
    metric::{Query, Question, Sample},
    port::{Fence, MetricProvider as _, PortErrorKind, TrafficRouter as _},
    time::{GoDuration, Timestamp},
    traffic::{Route, Weight},
};
use serinus_tower::{Compare, Handle, PairTotals, Split};
use tower::{Service as _, ServiceExt as _, util::BoxCloneSyncService};

type Service = BoxCloneSyncService<Request<String>, Response<String>, &'static str>;

/// Answers by the request's body, after as many seconds as it is told.
fn service(delay: u64, answer: fn(&str) -> Result<(u16, String), &'static str>) -> Service {
    BoxCloneSyncService::new(tower::service_fn(move |request: Request<String>| async move {
        tokio::time::sleep(Duration::from_secs(delay)).await;
        let (status, body) = answer(request.body())?;
        Ok(Response::builder().status(status).body(body).unwrap())
    }))
}

fn echo(text: &str) -> Result<(u16, String), &'static str> {
    Ok((200, text.to_owned()))
}

fn by_request(text: &str) -> Result<(u16, String), &'static str> {
    match text {
        "other" => Ok((200, "something else".to_owned())),
        "class" => Ok((503, text.to_owned())),
        "long" => Ok((200, "long".repeat(100))),
        "fails" => Err("the candidate is broken"),
        "panics" => panic!("the candidate panics on purpose"),
        _ => echo(text),
    }
}

async fn mirror<S: Send + Sync>(handle: &Handle<S>) {
    let route = Route { candidate: Some("v2".into()), mirror: Weight::FULL, ..Route::all_to("v1".into()) };
    handle.route(&route, Fence::default()).await.unwrap();
}

async fn compared(
    compare: Compare<String>,
    delays: [u64; 2],
    requests: &[&str],
) -> (PairTotals, Handle<Service>) {
    let (mut split, handle) = Split::builder()
        .mirror(100, |future| drop(tokio::spawn(future)))
        .compare(compare)
        .revision("v1", service(delays[0], echo))
        .revision("v2", service(delays[1], by_request))
        .stable("v1")
        .build()
        .unwrap();
    mirror(&handle).await;
    for request in requests {
        let start = tokio::time::Instant::now();
        let answer = split.call(Request::new((*request).to_owned())).await.unwrap();
        assert_eq!(answer.body(), request, "the live answer is stable's, and whole");
        assert_eq!(start.elapsed(), Duration::from_secs(delays[0]), "nobody waits for the copy");
    }
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(handle.mirror_totals().in_flight, 0, "every pair is over");
    (handle.pair_totals(&"v1".into(), &"v2".into()), handle)
}

fn counts(totals: PairTotals) -> [u64; 4] {
    [totals.agreed, totals.differed, totals.missing, totals.too_long]
}

#[tokio::test(start_paused = true)]
async fn bodies_are_compared_whichever_answer_comes_first() {
    let requests = ["a", "b", "other", "class", "long", "fails", "panics"];
    for delays in [[0, 0], [3, 0], [0, 3]] {
        let (totals, _) = compared(Compare::bodies(50), delays, &requests).await;
        assert_eq!(counts(totals), [2, 2, 2, 1], "{delays:?}");
        assert_eq!(totals.compared(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn classes_of_statuses_are_enough_for_some_and_predictions_for_others() {
    let (totals, _) = compared(Compare::status(), [0, 1], &["a", "other", "class", "long"]).await;
    assert_eq!(counts(totals), [3, 1, 0, 0]);
    // As long as what the models say has as many letters, it is the same prediction.
    let letters = Compare::answers(1_000, |live, mirrored| live.body().len() == mirrored.body().len());
    let (totals, _) = compared(letters, [0, 1], &["a", "other", "class", "something alse"]).await;
    assert_eq!(counts(totals), [2, 2, 0, 0]);
    let panics = Compare::answers(1_000, |_, _| panic!("the comparison panics on purpose"));
    assert_eq!(counts(compared(panics, [0, 1], &["a", "b"]).await.0), [0, 0, 2, 0]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_waited_for_is_missing() {
    let (split, handle) = Split::builder()
        .mirror(100, |future| drop(tokio::spawn(future)))
        .compare(Compare::<String>::bodies(50))
        .revision("v1", service(10, echo))
        .revision("v2", service(0, echo))
        .stable("v1")
        .build()
        .unwrap();
    mirror(&handle).await;
    let call = split.oneshot(Request::new("a".to_owned()));
    assert!(tokio::time::timeout(Duration::from_secs(1), call).await.is_err());
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(counts(handle.pair_totals(&"v1".into(), &"v2".into())), [0, 0, 1, 0]);
    assert_eq!(handle.mirror_totals().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn pairs_are_part_of_the_copies_in_flight() {
    let (split, handle) = Split::builder()
        .mirror(10, |future| drop(tokio::spawn(future)))
        .compare(Compare::<String>::bodies(50))
        .revision("v1", service(60, echo))
        .revision("v2", service(0, echo))
        .stable("v1")
        .build()
        .unwrap();
    mirror(&handle).await;
    let calls: Vec<_> =
        (0..30).map(|_| tokio::spawn(split.clone().oneshot(Request::new("a".to_owned())))).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let totals = handle.mirror_totals();
    assert_eq!((totals.sent, totals.skipped, totals.in_flight), (10, 20, 10), "what they said is kept");
    for call in calls {
        call.await.unwrap().unwrap();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(handle.pair_totals(&"v1".into(), &"v2".into()).agreed, 10);
    assert_eq!(handle.mirror_totals().in_flight, 0);
}

fn question(window: GoDuration, least: Option<&str>) -> Question {
    let mut query = Query::builtin(Query::AGREEMENT, window);
    if let Some(least) = least {
        query.settings.insert(Query::LEAST_PAIRS.to_owned(), least.to_owned());
    }
    let at = Timestamp::UNIX_EPOCH;
    Question { query: query.into(), candidate: "v2".into(), stable: "v1".into(), at, window: None }
}

#[tokio::test(start_paused = true)]
async fn agreement_is_a_share_of_the_window_and_silent_below_its_least_number_of_pairs() {
    let time = Arc::new(Mutex::new(Duration::ZERO));
    let clock = Arc::clone(&time);
    let (mut split, handle) = Split::builder()
        .mirror(100, |future| drop(tokio::spawn(future)))
        .compare(Compare::<String>::bodies(50))
        .revision("v1", service(0, echo))
        .revision("v2", service(0, by_request))
        .stable("v1")
        .clock(move || *clock.lock().unwrap())
        .build()
        .unwrap();
    let minute = GoDuration::from_mins(1);
    assert_eq!(handle.ask(&question(minute, None)).await.unwrap(), Sample::empty());
    mirror(&handle).await;
    for requests in [vec!["other"; 10], vec!["a", "a", "a", "other"]] {
        for request in requests {
            split.call(Request::new(request.to_owned())).await.unwrap();
        }
        while handle.mirror_totals().in_flight > 0 {
            tokio::task::yield_now().await;
        }
        *time.lock().unwrap() += Duration::from_secs(600);
        handle.ask(&question(minute, None)).await.unwrap();
        *time.lock().unwrap() += Duration::from_secs(1);
    }
    // The four of the second round began 602 seconds ago.
    let within = GoDuration::from_secs(605);
    assert_eq!(handle.ask(&question(within, None)).await.unwrap().to_string(), "75");
    assert_eq!(handle.ask(&question(within, Some("4"))).await.unwrap().to_string(), "75");
    assert_eq!(handle.ask(&question(within, Some("5"))).await.unwrap(), Sample::empty());
    assert_eq!(handle.ask(&question(minute, None)).await.unwrap(), Sample::empty());
    for bad in ["0", "-1", "many"] {
        let error = handle.ask(&question(minute, Some(bad))).await.unwrap_err();
        assert_eq!(error.kind(), PortErrorKind::Invalid);
        assert!(error.chain().contains(&format!("`leastPairs` is `{bad}`")), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_split_that_compares_nothing_says_so() {
    let (mut split, handle) = Split::builder()
        .mirror(100, |future| drop(tokio::spawn(future)))
        .revision("v1", service(0, echo))
        .revision("v2", service(0, echo))
        .stable("v1")
        .build()
        .unwrap();
    mirror(&handle).await;
    split.call(Request::new("a".to_owned())).await.unwrap();
    let error = handle.ask(&question(GoDuration::from_mins(1), None)).await.unwrap_err();
    assert!(error.chain().contains("call `mirror` and then `compare`"), "{error:?}");
    assert!(!handle.render_prometheus().contains("mirrored_answers_total"));
}

#[tokio::test(start_paused = true)]
async fn pairs_are_exported_and_forgotten_with_their_revision() {
    let (_, handle) = compared(Compare::bodies(50), [0, 0], &["a", "b", "other"]).await;
    let text = handle.render_prometheus();
    for line in [
        "# TYPE mirrored_answers_total counter",
        r#"mirrored_answers_total{revision="v2",live="v1",result="agreed"} 2"#,
        r#"mirrored_answers_total{revision="v2",live="v1",result="differed"} 1"#,
        r#"mirrored_answers_total{revision="v2",live="v1",result="missing"} 0"#,
    ] {
        assert!(text.contains(line), "{text}");
    }
    handle.route(&Route::all_to("v1".into()), Fence::default()).await.unwrap();
    handle.remove(&"v2".into()).unwrap();
    assert_eq!(handle.pair_totals(&"v1".into(), &"v2".into()), PairTotals::default());
}
