//! What a split costs: the choice alone, and the whole way through it beside the service alone.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot set itself up has nothing to measure")]

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Instant,
};

use criterion::{Criterion, criterion_group, criterion_main};
use http::{Request, Response, header::COOKIE};
use serinus_core::{
    port::{Fence, TrafficRouter as _},
    traffic::{Match, NamedPattern, Pattern, Route, Weight},
};
use serinus_tower::{Handle, Split, Sticky};
use tower::Service;

criterion_group!(benches, choice, whole);
criterion_main!(benches);

fn choice(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("choice");
    let request = Request::builder()
        .uri("/cart/items?page=2")
        .header("user-agent", "benchmark")
        .header(COOKIE, "theme=dark; session=0123456789abcdef")
        .body(())
        .unwrap();
    let (split, handle) =
        Split::builder().revision("v1", Hello).revision("v2", Hello).stable("v1").build().unwrap();
    put(&handle, Vec::new());
    group.bench_function("by weight", |bencher| bencher.iter(|| split.choose(black_box(&request))));
    let exact = |name: &str| NamedPattern { name: name.into(), value: Pattern::Exact("yes".into()) };
    put(
        &handle,
        vec![
            Match { headers: vec![exact("x-beta")], cookies: Vec::new(), path: None },
            Match { headers: Vec::new(), cookies: Vec::new(), path: Some(Pattern::Prefix("/beta".into())) },
        ],
    );
    group.bench_function("by two matches, then weight", |bencher| {
        bencher.iter(|| split.choose(black_box(&request)));
    });
    let (split, handle) = Split::builder()
        .revision("v1", Hello)
        .revision("v2", Hello)
        .stable("v1")
        .sticky(Sticky::cookie("session"))
        .build()
        .unwrap();
    put(&handle, Vec::new());
    group.bench_function("by the cookie's subject", |bencher| {
        bencher.iter(|| split.choose(black_box(&request)));
    });
    group.finish();
}

fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("request");
    let mut alone = Hello;
    group.bench_function("service alone", |bencher| bencher.iter(|| answer(&mut alone)));
    let (mut split, handle) =
        Split::builder().revision("v1", Hello).revision("v2", Hello).stable("v1").build().unwrap();
    put(&handle, Vec::new());
    group.bench_function("through the split", |bencher| bencher.iter(|| answer(&mut split)));
    // Of which this is a large part: a latency has a beginning and an end.
    group.bench_function("two readings of the clock", |bencher| {
        bencher.iter(|| (black_box(Instant::now()), black_box(Instant::now())));
    });
    group.finish();
}

fn answer(
    service: &mut impl Service<Request<()>, Response = Response<()>, Error = Infallible>,
) -> Response<()> {
    match run(service.call(black_box(Request::new(())))) {
        Ok(response) => response,
    }
}

/// Runs a future that does not wait.
fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

fn put(handle: &Handle<Hello>, matches: Vec<Match>) {
    let route = Route {
        candidate: Some("v2".into()),
        weight: Weight::percent(10.0),
        matches,
        ..Route::all_to("v1".into())
    };
    run(handle.route(&route, Fence::default())).unwrap();
}

#[derive(Clone, Copy)]
struct Hello;

impl Service<Request<()>> for Hello {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(())))
    }
}
