//! The two versions of the small service.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use serinus_tower::{Handle, Split};
use tower::Service;

use crate::{
    arguments::Fault,
    problem::{Because as _, Problem},
    server::serve,
};

/// A version that runs: where, and what it counted of its own requests.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Handle<Version>,
}

/// Starts a version on loopback. It counts its requests by a [`Split`] that has only one side.
pub(crate) async fn start(name: &'static str, fault: Option<Fault>) -> Result<Running, Problem> {
    let version = Version { name, fault, requests: Arc::default() };
    let (split, metrics) = Split::builder()
        .revision(name, version)
        .stable(name)
        .build()
        .because("cannot measure the service")?;
    let address = serve(move |request: Request<Incoming>| {
        let mut split = split.clone();
        async move { split.call(request).await.unwrap_or_else(|never: Infallible| match never {}) }
    })
    .await?;
    Ok(Running { address, metrics })
}

/// One version.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    name: &'static str,
    fault: Option<Fault>,
    requests: Arc<AtomicU64>,
}

impl Version {
    /// How the `number`th request goes: evenly spread rather than drawn, so that a share of errors is that share in
    /// every window.
    fn plan(&self, number: u64) -> (StatusCode, Duration) {
        let usual = Duration::from_micros(1500 + number.wrapping_mul(2_654_435_761) % 3000);
        match self.fault {
            Some(Fault::ErrorRate(share)) => {
                let failed = |requests: u64| requests * u64::from(share.parts()) / 100_000;
                let is_failed = failed(number + 1) > failed(number);
                (if is_failed { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }, usual)
            }
            Some(Fault::Latency(more)) => (StatusCode::OK, usual + more),
            None => (StatusCode::OK, usual),
        }
    }
}

impl Service<Request<Incoming>> for Version {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Incoming>) -> Self::Future {
        let (status, takes) = self.plan(self.requests.fetch_add(1, Ordering::Relaxed));
        let name = self.name;
        Box::pin(async move {
            tokio::time::sleep(takes).await;
            let mut response = Response::new(Full::from(format!("hello from {name}\n")));
            *response.status_mut() = status;
            Ok(response)
        })
    }
}
