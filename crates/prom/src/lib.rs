//! Prometheus for Serinus: a [`Client`] of its HTTP interface, a [`PrometheusProvider`] that answers the metrics of
//! a plan, and the [`Builtin`] queries that every mesh and ingress spells differently.
//!
//! ```
//! use serinus_core::{
//!     metric::{Query, Question, Sample},
//!     port::MetricProvider,
//! };
//! use serinus_prom::{Client, PrometheusProvider};
//! # use std::{io::{Read, Write}, net::TcpListener, thread};
//! # // A stand-in for Prometheus that gives every connection the same answer.
//! # fn start_prometheus() -> std::io::Result<String> {
//! #     let listener = TcpListener::bind("127.0.0.1:0")?;
//! #     let address = format!("http://{}", listener.local_addr()?);
//! #     thread::spawn(move || {
//! #         for stream in listener.incoming() {
//! #             let Ok(mut stream) = stream else { continue };
//! #             let _ = stream.read(&mut [0; 4096]);
//! #             let body = r#"{"status":"success","data":{"resultType":"vector","result":[
//! #                 {"metric":{"revision":"v2"},"value":[1700000000,"0.995"]}]}}"#;
//! #             let length = body.len();
//! #             let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
//! #         }
//! #     });
//! #     Ok(address)
//! # }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let address = start_prometheus()?;
//!     let client = Client::builder(address).tenant("shop").build()?;
//!     let provider = PrometheusProvider::new(client);
//!
//!     let text = r#"sum(rate(http_requests_total{revision="{{candidate}}",status!~"5.."}[1m]))
//!                 / sum(rate(http_requests_total{revision="{{candidate}}"}[1m]))"#;
//!     let question = Question {
//!         query: Query::new("prometheus", text),
//!         candidate: "v2".into(),
//!         stable: "v1".into(),
//!         at: "2023-11-14T22:13:20Z".parse()?,
//!         window: None,
//!     };
//!     let answer = provider.ask(&question).await?;
//!     assert_eq!(answer, Sample::List(vec![Sample::number(0.995)]));
//!     Ok(())
//! }
//! ```
//!
//! # Settings of a query
//!
//! The keys that [`PrometheusProvider`] knows in [`Query::settings`](serinus_core::metric::Query::settings). Any
//! other key is refused.
//!
//! | Key | Meaning | Without it |
//! |---|---|---|
//! | `address` | where Prometheus is; user and password in it are sent as basic authentication | the provider's client |
//! | `timeout` | how long to wait, `30s` | as the client, else 30 s |
//! | `insecure` | `true`: do not verify certificates; only beside `address` | `false` |
//! | `header.<Name>` | a header to send | |
//! | `method` | `auto`, `get` or `post` | `auto`: GET unless the query is too long for it |
//! | `range.start`, `range.step` | make it a range query: a moment, and a length such as `1m` | an instant query |
//! | `range.end` | the moment the range ends | the moment of the question |
//! | `shape` | `argo` or `flagger`, see [`Shape`] | `argo`; `flagger` for built-in metrics |
//! | `source` | for built-in metrics: who counts the requests, see [`Source`] | the provider's source |
//! | `namespace`, `target`, `service`, `ingress`, `route` | for built-in metrics: see [`Variables`] | the provider's variables |
//!
//! A moment is a time as RFC 3339 has it, or `now()` plus or minus lengths: `now() - duration("1h")`.
//!
//! In the text of a query `{{candidate}}` and `{{stable}}` stand for the two revisions, and `{{interval}}` for
//! [`Query::window`](serinus_core::metric::Query::window).
//!
//! When a query brings its own address, the headers and the credentials of the provider's client stay at home: they
//! are only ever sent to the address they were given for.
//!
//! # Contract
//!
//! - One request for each question: nothing is retried, redirects are not followed, proxies of the environment are
//!   not used. A host that wants otherwise passes its own [`reqwest::Client`].
//! - Instant queries ask for the moment of the question, not for the moment the request arrives.
//! - No data is not an error: an empty vector is an empty list, and 0/0 is NaN.
//! - An answer is held in memory, up to [`ClientBuilder::body_limit`].
//! - Credentials are in no `Debug` output and in no error.
//!
//! # Features
//!
//! | Feature | |
//! |---|---|
//! | `tls-ring` | HTTPS, with ring unless the process installed a default provider |
//! | `tls-aws-lc-rs` | HTTPS, with AWS-LC unless the process installed a default provider |
//! | `tls` | HTTPS, with the provider that the process installed; without one no client can be built |
//!
//! None is on by default, and plain HTTP needs none. This crate never installs a default provider. With none of
//! these features, a program that turns on reqwest's `rustls-no-provider` itself must install a provider or hand in
//! a ready client, because reqwest insists on one as soon as it has TLS.
//!
//! The minimum supported Rust version is 1.89.

#![doc(test(attr(deny(warnings))))]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub use self::{
    builtin::{Builtin, BuiltinError, Source, Variables},
    client::{BuildError, Client, ClientBuilder, Method, QueryError, Range},
    provider::{AskError, PrometheusProvider, Shape},
    value::{Answer, Labels, Point, Series, Value, VectorSample},
};

mod builtin;
mod client;
mod provider;
mod value;
