//! The data plane in this process.

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Uri, header, uri::Authority};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Error, ResponseFuture};
use serinus_tower::{Handle, Split};
use tower::Service;

use crate::{
    beat::Beat,
    load::PREVIEW_HOST,
    problem::{Because as _, Problem},
    server::{self, Client, serve},
    workload::{CANDIDATE, STABLE},
};

/// Starts a split of the two versions on loopback; the `first` takes all traffic until there is a route.
pub(crate) async fn start(
    first: &str,
    stable: SocketAddr,
    candidate: SocketAddr,
    speed: f64,
    beat: Beat,
) -> Result<(SocketAddr, Handle<Upstream>), Problem> {
    let client = server::client();
    let upstream = |address: SocketAddr| {
        let authority = address.to_string().parse().because("not an address")?;
        Ok(Upstream { client: client.clone(), authority })
    };
    let (split, handle) = Split::builder()
        .revision(STABLE, upstream(stable)?)
        .revision(CANDIDATE, upstream(candidate)?)
        .stable(first)
        .speed(speed)
        .window_clock(move || beat.elapsed())
        .mirror(MOST_COPIES, spawn as Spawn)
        .build()
        .because("cannot build the split")?;
    let preview = split.preview();
    let front = serve(move |request: Request<Incoming>| {
        let is_preview = request.headers().get(header::HOST) == Some(&HeaderValue::from_static(PREVIEW_HOST));
        let mut split = if is_preview { preview.clone() } else { split.clone() };
        async move {
            let (head, body) = request.into_parts();
            let Ok(body) = body.collect().await else { return status(StatusCode::BAD_REQUEST) };
            match split.call(Request::from_parts(head, Full::new(body.to_bytes()))).await {
                Ok(response) => response.map(Either::Left),
                Err(_) => status(StatusCode::BAD_GATEWAY),
            }
        }
    })
    .await?;
    Ok((front, handle))
}

fn status(status: StatusCode) -> Response<Either<Incoming, Full<Bytes>>> {
    let mut response = Response::new(Either::Right(Full::default()));
    *response.status_mut() = status;
    response
}

/// Passes requests on to one version.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    client: Client,
    authority: Authority,
}

impl Service<Request<Full<Bytes>>> for Upstream {
    type Response = Response<Incoming>;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Full<Bytes>>) -> ResponseFuture {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        // Both parts were valid before, so the whole is.
        let uri =
            Uri::builder().scheme("http").authority(self.authority.clone()).path_and_query(path).build();
        *request.uri_mut() = uri.unwrap_or_default();
        self.client.request(request)
    }
}

type Spawn = fn(Pin<Box<dyn Future<Output = ()> + Send>>);

fn spawn(future: Pin<Box<dyn Future<Output = ()> + Send>>) {
    tokio::spawn(future);
}

const MOST_COPIES: usize = 128;
