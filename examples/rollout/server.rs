//! HTTP over loopback: a server for one function, and a client.

use std::{convert::Infallible, future::Future, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    client::legacy::connect::HttpConnector,
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::TcpListener;

use crate::problem::{Because as _, Problem};

/// A client that keeps its connections.
pub(crate) type Client = hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>;

/// A client without connections.
pub(crate) fn client() -> Client {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_idle_timeout(Duration::from_secs(10))
        .build(connector)
}

/// Serves on a port of loopback that the kernel chooses, until the runtime ends.
pub(crate) async fn serve<H, F, B>(handler: H) -> Result<SocketAddr, Problem>
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    serve_on(0, handler).await
}

/// Serves on this port of loopback, until the runtime ends; 0 is a port that the kernel chooses.
pub(crate) async fn serve_on<H, F, B>(port: u16, handler: H) -> Result<SocketAddr, Problem>
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", port)).await.because("cannot listen on loopback")?;
    let address = listener.local_addr().because("cannot listen on loopback")?;
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            // Without it the kernel holds small answers back, for tens of milliseconds.
            let _ = stream.set_nodelay(true);
            let handler = handler.clone();
            let service = service_fn(move |request| {
                let answer = handler(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            // A client that goes away is no concern of ours.
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Ok(address)
}

/// Asks for a short text; anything but success within `PATIENCE` is a problem.
pub(crate) async fn text(client: &Client, method: Method, uri: &str) -> Result<String, Problem> {
    let uri: Uri = uri.parse().because(format!("`{uri}` is not an address"))?;
    let mut request = Request::new(Full::default());
    *request.method_mut() = method;
    *request.uri_mut() = uri.clone();
    let answer = async {
        let response = client.request(request).await.because(format!("no answer from {uri}"))?;
        let status = response.status();
        let body = response.into_body().collect().await.because(format!("half an answer from {uri}"))?;
        let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        if status.is_success() {
            Ok(text)
        } else {
            Err(Problem::new(format!("{uri} answers {status}: {}", text.trim())))
        }
    };
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(Problem::new(format!("{uri} does not answer within {} s", PATIENCE.as_secs()))),
    }
}

const PATIENCE: Duration = Duration::from_secs(5);
