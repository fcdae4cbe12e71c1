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
//!         query: Query::new("prometheus", text).into(),
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
//! | `candidate.requests`, `candidate.failures`, `stable.requests`, `stable.failures` | for a comparison: selectors of raw counters, see below | those of the source |
//! | `candidate.buckets`, `stable.buckets` | for a comparison: selectors of the buckets of classic histograms | no latencies |
//! | `control.requests`, `control.failures`, `control.buckets` | for a comparison that calibrates how much counts scatter: selectors of a control group of stable's instances, which stable's own selectors leave out | no control group |
//! | `buckets.unit` | the unit of their edges, `s` or `ms` | `s` |
//!
//! A moment is a time as RFC 3339 has it, or `now()` plus or minus lengths: `now() - duration("1h")`.
//!
//! In the text of a query `{{candidate}}` and `{{stable}}` stand for the two revisions, and `{{interval}}` for
//! [`Query::window`](serinus_core::metric::Query::window).
//!
//! When a query brings its own address, the headers and the credentials of the provider's client stay at home: they
//! are only ever sent to the address they were given for.
//!
//! # Both arms of a comparison
//!
//! [`Query::ARMS`](serinus_core::metric::Query::ARMS) of the provider
//! [`Query::BUILTIN`](serinus_core::metric::Query::BUILTIN) is answered with what candidate and stable did between the two
//! ends of the question's window. Of each arm the raw samples of its counters are asked for, by instant queries with a
//! range selector at the end of the window, such as these of a window of 15 s of the source `serinus`:
//!
//! ```text
//! http_request_duration_seconds_bucket{revision="v2"}[315s]
//! http_requests_total{revision="v2",status=~"5.."}[315s]
//! http_requests_total{revision="v2"}[315s]
//! ```
//!
//! `rate` and `increase` are never used: they extrapolate to the ends of a window, and a test on counts that were made
//! larger fails healthy candidates. Instead, series by series, what a counter grew by is the difference between its last
//! sample up to the beginning (at most five minutes before) and its last one up to the end; after a sample that is
//! smaller than the one before, it began anew. So windows that follow one another share no request. A series
//! that begins within the window counts from 0 if its process (`job` and `instance`) was scraped before; if not, its first
//! sample is where counting begins. A scrape that is stored only after the question is left out of both windows. An arm
//! without any counter of requests is missing from the answer, and whoever compares takes neither.
//!
//! | source | the candidate is | stable is |
//! |---|---|---|
//! | `istio`, `linkerd`, `osm`, `appmesh`, `kubernetes` | the workload `target` | the workload `target-primary` |
//! | `nginx` | `canary!=""` of the ingress | `canary=""` |
//! | `contour`, `gloo`, `kuma`, `skipper`, `traefik` | `service-canary` | `service-primary` |
//! | `envoy` | the cluster `target`, or named like the candidate | `target-primary`, or named like stable |
//! | `knative`, `serinus` | the revision on trial | the proven revision |
//! | `apisix` | refused: it counts both together | |
//!
//! Those of `nginx` and `skipper` have no buckets, so they compare failures only. Anything else is compared by selectors
//! of its own:
//!
//! ```
//! # use std::collections::BTreeMap;
//! # use serinus_core::analysis::{Compared, Comparison};
//! let mut failures = Comparison::of(Compared::Failures).metric("failures");
//! failures.query.settings = BTreeMap::from([
//!     ("candidate.requests".into(), r#"shop_orders_total{version="{{candidate}}"}"#.into()),
//!     ("candidate.failures".into(), r#"shop_orders_total{version="{{candidate}}",ok="no"}"#.into()),
//!     ("stable.requests".into(), r#"shop_orders_total{version="{{stable}}"}"#.into()),
//!     ("stable.failures".into(), r#"shop_orders_total{version="{{stable}}",ok="no"}"#.into()),
//! ]);
//! ```
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
