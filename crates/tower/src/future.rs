//! The way of one request through the service that was chosen for it.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{compare::Tap, meter::Flight};

pin_project! {
    /// The answer of the service chosen for a request: waits until that service is ready, then calls it.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, Request<B>, S::Future>,
        flight: Flight,
        tap: Option<Tap<S::Response>>,
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(crate) fn new(service: S, request: Request<B>, flight: Flight) -> Self {
        Self { state: State::Waiting { service, request: Some(request) }, flight, tap: None }
    }

    /// Shows the answer to somebody before it goes out; never, if there is none.
    pub(crate) fn tapped(self, tap: Option<Tap<S::Response>>) -> Self {
        Self { tap, ..self }
    }
}

impl<S, B, A> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<A>>,
{
    type Output = Result<Response<A>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let answer = loop {
            match this.state.as_mut().project() {
                Projected::Waiting { service, request } => {
                    if let Err(error) = ready!(service.poll_ready(context)) {
                        break Err(error);
                    }
                    // Polled again after its end, a future may stay pending.
                    let Some(request) = request.take() else { return Poll::Pending };
                    let future = service.call(request);
                    this.state.set(State::Called { future });
                }
                Projected::Called { future } => break ready!(future.poll(context)),
            }
        };
        this.flight.land(answer.as_ref().ok().map(Response::status));
        if let (Some(tap), Ok(answer)) = (this.tap.take(), &answer) {
            tap(answer);
        }
        Poll::Ready(answer)
    }
}

impl<S, B> fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("flight", &self.flight).finish_non_exhaustive()
    }
}

pin_project! {
    #[project = Projected]
    enum State<S, R, F> {
        Waiting { service: S, request: Option<R> },
        Called { #[pin] future: F },
    }
}
