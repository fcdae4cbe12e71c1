//! The service that sends each request where it belongs.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use serinus_core::traffic::Track;
use tower_service::Service;

use crate::{
    builder::SplitBuilder,
    future::ResponseFuture,
    meter::Flight,
    mirror::{Mirroring, Unmirrored},
    shared::{Backend, Lane, Shared},
};

/// Sends each request to the service of one revision, by the route in force.
///
/// Cheap to clone; clones share everything. All services are of one type `S`, which is cloned for each request (as
/// is usual in tower, a clone must be cheap); services of several types fit into `tower::util::BoxCloneSyncService`.
///
/// Always ready itself: which service takes a request is known only when the request is there, so the wait for that
/// service's readiness is part of the answer. A service that sheds load does so by its answers.
///
/// A request goes to the candidate if one of the route's `matches` fits it; else, if it names a subject, by the
/// subject's place (see [`Sticky`](crate::Sticky)); else by weight, evenly and without randomness. A route takes
/// effect with the next request; requests in flight stay where they are.
pub struct Split<S, M = Unmirrored> {
    shared: Arc<Shared<S>>,
    mirror: M,
    is_preview: bool,
}

impl<S> Split<S> {
    /// A builder without any revision.
    pub fn builder() -> SplitBuilder<S> {
        SplitBuilder::new()
    }
}

impl<S, M> Split<S, M> {
    pub(crate) fn new(shared: Arc<Shared<S>>, mirror: M) -> Self {
        Self { shared, mirror, is_preview: false }
    }

    /// The same services at the preview address: all requests go to the candidate while the route says `preview`,
    /// to stable otherwise. They count for their revision, and are never mirrored.
    pub fn preview(&self) -> Self
    where
        M: Clone,
    {
        Self { is_preview: true, ..self.clone() }
    }

    /// The track that a request would take now. Counts as a request where shares are dealt out, but not in metrics.
    pub fn choose<B>(&self, request: &Request<B>) -> Track {
        let table = self.shared.table();
        if !self.is_preview {
            self.shared.lane(&table, request).track()
        } else if table.route.preview && table.candidate.is_some() {
            Track::Candidate
        } else {
            Track::Stable
        }
    }
}

impl<S, M: Clone> Clone for Split<S, M> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), mirror: self.mirror.clone(), is_preview: self.is_preview }
    }
}

impl<S, M> fmt::Debug for Split<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Split")
            .field("route", &self.shared.table().route)
            .field("is_preview", &self.is_preview)
            .finish_non_exhaustive()
    }
}

impl<S, M, B, A> Service<Request<B>> for Split<S, M>
where
    S: Service<Request<B>, Response = Response<A>> + Clone,
    M: Mirroring<S, B>,
{
    type Response = Response<A>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let table = self.shared.table();
        let candidate = table.candidate.as_ref();
        let lane = match self.is_preview {
            false => self.shared.lane(&table, &request),
            true if table.route.preview => Lane::Candidate,
            true => Lane::Stable,
        };
        if let Some(candidate) = candidate.filter(|_| lane == Lane::Candidate) {
            return start(candidate, request, lane);
        }
        if let Some(candidate) = candidate
            && !self.is_preview
            && self.shared.is_copied(&table)
        {
            let tap = self
                .mirror
                .mirror(&request, table.pairs.as_ref(), |copy| start(candidate, copy, Lane::Candidate));
            return start(&table.stable, request, lane).tapped(tap);
        }
        start(&table.stable, request, lane)
    }
}

fn start<S, B>(backend: &Backend<S>, request: Request<B>, lane: Lane) -> ResponseFuture<S, B>
where
    S: Service<Request<B>> + Clone,
{
    let flight = Flight::start(Arc::clone(&backend.meter), lane == Lane::Control);
    ResponseFuture::new(backend.service.clone(), request, flight)
}
