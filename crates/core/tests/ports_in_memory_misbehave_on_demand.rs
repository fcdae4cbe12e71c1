//! The ports in memory do what they are told, and go wrong the way they are told.

use std::sync::Arc;

use futures_util::FutureExt as _;
use serinus_core::{
    metric::{Query, Question, Sample},
    port::{
        Clock as _, Fence, Hook as _, MetricProvider as _, Pool, PortErrorKind, StateStore as _,
        TrafficRouter as _, Version, Workload as _,
        memory::{
            ManualClock, MemoryHook, MemoryMetrics, MemoryRouter, MemoryStore, MemoryWorkload, ReadFault,
            Readiness, WriteFault,
        },
    },
    time::{GoDuration, Timestamp},
    traffic::{Revision, Route},
};

fn fence(seq: u64) -> Fence {
    Fence { epoch: 1, seq }
}

fn to(revision: &str) -> Route {
    Route::all_to(revision.into())
}

#[test]
fn a_router_refuses_a_stale_fence_and_takes_the_same_write_twice() {
    let router = MemoryRouter::new();
    assert_eq!(router.read().now_or_never().unwrap().unwrap(), None);
    router.route(&to("v2"), fence(2)).now_or_never().unwrap().unwrap();
    let error = router.route(&to("v1"), fence(1)).now_or_never().unwrap().unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::Fenced);
    assert!(error.chain().contains("1.1") && error.chain().contains("1.2"), "{}", error.chain());
    router.route(&to("v2"), fence(2)).now_or_never().unwrap().unwrap();
    let found = router.read().now_or_never().unwrap().unwrap().unwrap();
    assert_eq!((found.value, found.fence), (to("v2"), Some(fence(2))));
}

#[test]
fn a_late_write_lands_when_delivered_and_is_fenced_then() {
    let router = MemoryRouter::new();
    router.faults().on_next_write(WriteFault::Delay);
    router.faults().on_next_write(WriteFault::Delay);
    router.route(&to("v1"), fence(1)).now_or_never().unwrap().unwrap();
    router.route(&to("v3"), fence(3)).now_or_never().unwrap().unwrap();
    assert_eq!(router.current(), None);
    router.route(&to("v2"), fence(2)).now_or_never().unwrap().unwrap();
    let delivered = router.deliver();
    assert_eq!(delivered[0].as_ref().unwrap_err().kind(), PortErrorKind::Fenced);
    assert!(delivered[1].is_ok());
    assert_eq!(router.current().unwrap().value, to("v3"));
    assert!(router.deliver().is_empty());
}

#[test]
fn a_hanging_answer_waits_for_its_release_though_the_write_is_done() {
    let router = Arc::new(MemoryRouter::new());
    router.faults().on_next_write(WriteFault::Hang);
    let route = to("v1");
    let mut answer = router.route(&route, fence(1));
    assert!((&mut answer).now_or_never().is_none());
    assert_eq!(router.current().unwrap().value, route);
    router.faults().release();
    answer.now_or_never().unwrap().unwrap();

    router.faults().on_next_read(ReadFault::Hang);
    let mut answer = router.read();
    assert!((&mut answer).now_or_never().is_none());
    router.set(to("v2"));
    router.faults().release();
    assert_eq!(answer.now_or_never().unwrap().unwrap().unwrap().value, route, "as it was when asked");
}

#[test]
fn failures_come_with_the_kind_asked_for_until_healed() {
    let router = MemoryRouter::new();
    router.faults().on_every_write(WriteFault::Fail(PortErrorKind::Denied));
    router.faults().on_next_write(WriteFault::FailAfterwards(PortErrorKind::Transient));
    router.faults().on_every_read(ReadFault::Fail(PortErrorKind::NotFound));
    let write = |name: &str| router.route(&to(name), fence(1)).now_or_never().unwrap();
    assert_eq!(write("v1").unwrap_err().kind(), PortErrorKind::Transient);
    assert_eq!(router.current().unwrap().value, to("v1"), "done, though it said otherwise");
    assert_eq!(write("v2").unwrap_err().kind(), PortErrorKind::Denied);
    assert_eq!(write("v2").unwrap_err().kind(), PortErrorKind::Denied);
    assert_eq!(router.read().now_or_never().unwrap().unwrap_err().kind(), PortErrorKind::NotFound);
    router.faults().heal();
    write("v2").unwrap();
    assert_eq!(router.history().len(), 2);
}

#[test]
fn instances_become_ready_at_once_or_on_command_or_never() {
    let workload = MemoryWorkload::new();
    let [stable, candidate, broken] = ["v1", "v2", "v3"].map(Revision::from);
    workload.set_readiness(Readiness::OnCommand);
    workload.set_readiness_of(stable.clone(), Readiness::Instantly);
    workload.set_readiness_of(broken.clone(), Readiness::Never);
    workload.set_replicas(Some(4));
    for revision in [&stable, &candidate, &broken] {
        workload.scale(revision, 4, fence(1)).now_or_never().unwrap().unwrap();
    }
    let ready = || {
        let pools = workload.observe().now_or_never().unwrap().unwrap();
        assert_eq!(pools.replicas, Some(4));
        [&stable, &candidate, &broken].map(|revision| pools.by_revision[revision].ready)
    };
    assert_eq!(ready(), [4, 0, 0]);
    workload.make_ready(&candidate, 3);
    assert_eq!(ready(), [4, 3, 0]);
    workload.scale(&candidate, 2, fence(2)).now_or_never().unwrap().unwrap();
    assert_eq!(ready(), [4, 2, 0]);
    let stale = workload.scale(&candidate, 0, fence(1)).now_or_never().unwrap();
    assert_eq!(stale.unwrap_err().kind(), PortErrorKind::Fenced);
    workload.set_pool("v4", Pool { wanted: 1, ready: 1, fence: None });
    assert_eq!(workload.current().by_revision.len(), 4);
    assert_eq!(workload.history().len(), 4);
}

#[test]
fn metrics_answer_from_the_queue_then_by_function() {
    let metrics = MemoryMetrics::new();
    metrics.next("errors", Ok(Sample::number(f64::NAN)));
    metrics.always("errors", 0.5);
    let ask = |text: &str| {
        let question = Question {
            query: Query::new("test", text).into(),
            candidate: "v2".into(),
            stable: "v1".into(),
            at: Timestamp::UNIX_EPOCH,
            window: None,
        };
        metrics.ask(&question).now_or_never().unwrap()
    };
    assert_eq!(ask("errors").unwrap(), Sample::number(f64::NAN));
    assert_eq!(ask("errors").unwrap(), Sample::number(0.5));
    assert_eq!(ask("errors").unwrap(), Sample::number(0.5));
    let error = ask("latency").unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::NotFound);
    assert!(error.chain().contains("`latency`"));
    metrics.answer_all_with(|question| Ok(Sample::Text(question.candidate.to_string())));
    assert_eq!(ask("latency").unwrap(), Sample::Text("v2".into()));
    assert_eq!(metrics.asked().len(), 5);
}

#[test]
fn a_hook_keeps_its_gates_shut_and_hears_each_key_once() {
    let hook = MemoryHook::new();
    let is_open = || hook.is_open("release", &"v2".into()).now_or_never().unwrap().unwrap();
    assert!(!is_open());
    hook.open("release");
    assert!(is_open());
    hook.shut("release");
    assert!(!is_open());
    assert_eq!(hook.asked()["release"], 3);
    for message in ["first", "again"] {
        hook.tell("key", message).now_or_never().unwrap().unwrap();
    }
    assert_eq!(hook.notices().len(), 1);
    assert_eq!(hook.notices()[0].message, "first");
}

#[test]
fn a_store_gives_one_save_per_version_and_lies_only_on_demand() {
    let store = MemoryStore::new();
    let save = |text: &str, seen: Option<Version>| store.save(text, seen).now_or_never().unwrap();
    let first = save("one", None).unwrap();
    assert_eq!(save("two", None).unwrap_err().kind(), PortErrorKind::Conflict);
    store.faults().on_next_write(WriteFault::Lose);
    let claimed = save("two", Some(first)).unwrap();
    assert_eq!(store.current().unwrap().document, "one");
    assert_eq!(save("three", Some(claimed)).unwrap_err().kind(), PortErrorKind::Conflict);
    store.faults().on_next_write(WriteFault::Delay);
    save("late", Some(first)).unwrap();
    save("timely", Some(first)).unwrap();
    assert_eq!(store.deliver()[0].as_ref().unwrap_err().kind(), PortErrorKind::Conflict);
    let loaded = store.load().now_or_never().unwrap().unwrap().unwrap();
    assert_eq!(loaded.document, "timely");
}

#[test]
fn a_clock_stands_still_until_it_is_set() {
    let clock = ManualClock::default();
    let at = GoDuration::from_mins(1).after(clock.now());
    let mut sleep = clock.sleep_until(at);
    assert!((&mut sleep).now_or_never().is_none());
    assert_eq!(clock.next_wake(), Some(at));
    clock.set(at);
    sleep.now_or_never().unwrap();
    assert_eq!((clock.now(), clock.next_wake()), (at, None));
}
