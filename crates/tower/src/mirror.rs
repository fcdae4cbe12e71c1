//! Copies of requests whose answers nobody sees.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use http::{Request, Response};
use tower_service::Service;

use crate::future::ResponseFuture;

/// Runs futures in the background: `tokio::spawn` in a closure, as a rule.
///
/// It must return without running the future to its end.
pub trait Spawner: Send + Sync + 'static {
    /// Runs a future in the background.
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>);
}

impl<F> Spawner for F
where
    F: Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync + 'static,
{
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self(future);
    }
}

/// In the extensions of a copied request, so that a service can tell it from the original.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mirrored;

/// How many copies were made, and how many were not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MirrorTotals {
    /// Copies handed to the spawner.
    pub sent: u64,
    /// Copies not made because too many were in flight.
    pub skipped: u64,
    /// Copies in flight now.
    pub in_flight: u64,
}

/// Whether and how a split copies requests: [`Unmirrored`] or [`Mirror`]. Not for others to implement.
pub trait Mirroring<S, B>: sealed::Sealed
where
    S: Service<Request<B>>,
{
    #[doc(hidden)]
    fn mirror(&self, request: &Request<B>, call: impl FnOnce(Request<B>) -> ResponseFuture<S, B>);
}

/// Copies nothing, and so asks nothing of requests.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Unmirrored;

/// Copies requests, whose bodies must be `Clone`, and runs the copies through a [`Spawner`].
#[derive(Debug)]
pub struct Mirror<P> {
    spawner: Arc<P>,
    gauge: Arc<Gauge>,
}

impl<P> Mirror<P> {
    pub(crate) fn new(spawner: P, gauge: Arc<Gauge>) -> Self {
        Self { spawner: Arc::new(spawner), gauge }
    }
}

impl<P> Clone for Mirror<P> {
    fn clone(&self) -> Self {
        Self { spawner: Arc::clone(&self.spawner), gauge: Arc::clone(&self.gauge) }
    }
}

impl<S, B> Mirroring<S, B> for Unmirrored
where
    S: Service<Request<B>>,
{
    fn mirror(&self, _: &Request<B>, _: impl FnOnce(Request<B>) -> ResponseFuture<S, B>) {}
}

impl<S, B, A, P> Mirroring<S, B> for Mirror<P>
where
    S: Service<Request<B>, Response = Response<A>> + Send + 'static,
    S::Future: Send,
    B: Clone + Send + 'static,
    P: Spawner,
{
    fn mirror(&self, request: &Request<B>, call: impl FnOnce(Request<B>) -> ResponseFuture<S, B>) {
        let Some(permit) = Permit::take(&self.gauge) else { return };
        let mut copy = request.clone();
        copy.extensions_mut().insert(Mirrored);
        let answer = call(copy);
        self.spawner.spawn(Box::pin(async move {
            // The future counts the answer; nobody sees it.
            drop(answer.await);
            drop(permit);
        }));
    }
}

/// How many copies there are.
#[derive(Debug)]
pub(crate) struct Gauge {
    limit: usize,
    in_flight: AtomicUsize,
    sent: AtomicU64,
    skipped: AtomicU64,
}

impl Gauge {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, in_flight: AtomicUsize::new(0), sent: AtomicU64::new(0), skipped: AtomicU64::new(0) }
    }

    pub(crate) fn totals(&self) -> MirrorTotals {
        MirrorTotals {
            sent: self.sent.load(Ordering::Relaxed),
            skipped: self.skipped.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::Relaxed) as u64,
        }
    }
}

/// The right to one copy in flight; dropped, it is free again, also if the copy's task dies.
struct Permit(Arc<Gauge>);

impl Permit {
    fn take(gauge: &Arc<Gauge>) -> Option<Self> {
        let limit = gauge.limit;
        let taken = gauge
            .in_flight
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| (count < limit).then_some(count + 1));
        let (counter, permit) = match taken {
            Ok(_) => (&gauge.sent, Some(Self(Arc::clone(gauge)))),
            Err(_) => (&gauge.skipped, None),
        };
        counter.fetch_add(1, Ordering::Relaxed);
        permit
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Unmirrored {}
    impl<P> Sealed for super::Mirror<P> {}
}
