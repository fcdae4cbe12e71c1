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

use crate::{
    compare::{Comparing, Side, Tap, Uncompared, Which},
    future::ResponseFuture,
    pairs::Pairs,
};

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
    fn mirror(
        &self,
        request: &Request<B>,
        pairs: Option<&Arc<Pairs>>,
        call: impl FnOnce(Request<B>) -> ResponseFuture<S, B>,
    ) -> Option<Tap<S::Response>>;
}

/// Copies nothing, and so asks nothing of requests.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Unmirrored;

/// Copies requests, whose bodies must be `Clone`, and runs the copies through a [`Spawner`]; their answers are compared
/// if `C` is a [`Compare`](crate::Compare).
#[derive(Debug)]
pub struct Mirror<P, C = Uncompared> {
    spawner: Arc<P>,
    gauge: Arc<Gauge>,
    compare: C,
}

impl<P> Mirror<P> {
    pub(crate) fn new(spawner: P, gauge: Arc<Gauge>) -> Self {
        Self { spawner: Arc::new(spawner), gauge, compare: Uncompared }
    }

    pub(crate) fn gauge(&self) -> &Gauge {
        &self.gauge
    }

    pub(crate) fn comparing<C>(self, compare: C, gauge: Arc<Gauge>) -> Mirror<P, C> {
        Mirror { spawner: self.spawner, gauge, compare }
    }
}

impl<P, C: Clone> Clone for Mirror<P, C> {
    fn clone(&self) -> Self {
        Self {
            spawner: Arc::clone(&self.spawner),
            gauge: Arc::clone(&self.gauge),
            compare: self.compare.clone(),
        }
    }
}

impl<S, B> Mirroring<S, B> for Unmirrored
where
    S: Service<Request<B>>,
{
    fn mirror(
        &self,
        _: &Request<B>,
        _: Option<&Arc<Pairs>>,
        _: impl FnOnce(Request<B>) -> ResponseFuture<S, B>,
    ) -> Option<Tap<S::Response>> {
        None
    }
}

impl<S, B, A, P, C> Mirroring<S, B> for Mirror<P, C>
where
    S: Service<Request<B>, Response = Response<A>> + Send + 'static,
    S::Future: Send,
    B: Clone + Send + 'static,
    A: 'static,
    P: Spawner,
    C: Comparing<A>,
{
    fn mirror(
        &self,
        request: &Request<B>,
        pairs: Option<&Arc<Pairs>>,
        call: impl FnOnce(Request<B>) -> ResponseFuture<S, B>,
    ) -> Option<Tap<Response<A>>> {
        let permit = Arc::new(Permit::take(&self.gauge)?);
        let mut copy = request.clone();
        copy.extensions_mut().insert(Mirrored);
        let answer = call(copy);
        let compared = self.compare.compare().zip(pairs);
        let (live, mirrored) = compared
            .map(|(compare, pairs)| Side::both(compare, pairs, &permit))
            .map_or((None, None), |[live, mirrored]| (Some(live), Some(mirrored)));
        self.spawner.spawn(Box::pin(async move {
            // The future counts the answer; nobody sees it, but it may be compared.
            let pending = match answer.await {
                Ok(answer) => mirrored.and_then(|side| side.arrive(Which::Mirrored, &answer)),
                Err(_) => {
                    drop(mirrored);
                    None
                }
            };
            if let Some(pending) = pending {
                pending.await;
            }
            drop(permit);
        }));
        let live = live?;
        let spawner = Arc::clone(&self.spawner);
        Some(Box::new(move |answer: &Response<A>| {
            if let Some(pending) = live.arrive(Which::Live, answer) {
                spawner.spawn(pending);
            }
        }))
    }
}

/// How many copies there are.
#[derive(Debug)]
pub(crate) struct Gauge {
    limit: usize,
    /// Whether answers to copies are compared.
    pub(crate) compares: bool,
    in_flight: AtomicUsize,
    sent: AtomicU64,
    skipped: AtomicU64,
}

impl Gauge {
    pub(crate) fn new(limit: usize, compares: bool) -> Self {
        Self {
            limit,
            compares,
            in_flight: AtomicUsize::new(0),
            sent: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
        }
    }

    /// The same limit, for copies whose answers are compared.
    pub(crate) fn comparing(&self) -> Self {
        Self::new(self.limit, true)
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
#[derive(Debug)]
pub(crate) struct Permit(Arc<Gauge>);

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
    impl<P, C> Sealed for super::Mirror<P, C> {}
}
