//! An in-process data plane for Serinus: a tower service that splits, mirrors and measures.
//!
//! A [`Split`] holds the services of several revisions and sends each request to one of them, by the
//! [`Route`](serinus_core::traffic::Route) in force. Its [`Handle`] is the
//! [`TrafficRouter`](serinus_core::port::TrafficRouter) that a rollout steers and the
//! [`MetricProvider`](serinus_core::port::MetricProvider) that it judges by. No proxy, no cluster, no metrics server.
//!
//! ```
//! use std::convert::Infallible;
//!
//! use http::{Request, Response};
//! use serinus_core::{
//!     metric::{Query, Question},
//!     port::{Fence, MetricProvider as _, TrafficRouter as _},
//!     time::{GoDuration, Timestamp},
//!     traffic::{Route, Weight},
//! };
//! use serinus_tower::{Split, Sticky};
//! use tower::{Service as _, util::BoxCloneSyncService};
//!
//! type Shop = BoxCloneSyncService<Request<String>, Response<String>, Infallible>;
//!
//! fn shop(version: &'static str) -> Shop {
//!     BoxCloneSyncService::new(tower::service_fn(move |_: Request<String>| async move {
//!         Ok(Response::new(format!("hello from {version}")))
//!     }))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (mut split, handle) = Split::builder()
//!     .revision("v1", shop("v1"))
//!     .revision("v2", shop("v2"))
//!     .stable("v1")
//!     .sticky(Sticky::cookie("session"))
//!     .build()?;
//!
//! // A rollout does this: a tenth of the traffic to the candidate.
//! let route = Route {
//!     candidate: Some("v2".into()),
//!     weight: Weight::percent(10.0),
//!     ..Route::all_to("v1".into())
//! };
//! handle.route(&route, Fence { epoch: 1, seq: 1 }).await?;
//!
//! for _ in 0..1000 {
//!     split.call(Request::new(String::new())).await?;
//! }
//! assert!(handle.totals(&"v2".into()).requests.abs_diff(100) <= 2);
//!
//! // And this: how is the candidate doing?
//! let question = Question {
//!     query: Query::builtin(Query::SUCCESS_RATE, GoDuration::from_mins(1)).into(),
//!     candidate: "v2".into(),
//!     stable: "v1".into(),
//!     at: Timestamp::now(),
//!     window: None,
//! };
//! assert_eq!(handle.ask(&question).await?.to_string(), "100");
//! # Ok(())
//! # }
//! ```
//!
//! # Contract
//!
//! - A new route is one atomic swap. It takes effect with the next request; no request in flight is dropped, moved
//!   or delayed.
//! - A route that cannot be followed (a revision without a service, a regular expression that does not compile, an
//!   older fence, a mirror without a spawner) is refused whole, and the old route stays.
//! - Choosing allocates nothing and takes no lock; a regular expression in a route may take memory from a pool.
//! - Copies are made only up to a limit, run elsewhere, and neither their answers nor their failures reach a user.
//!   They count in the metrics of the candidate, which is what they are made for.
//! - Answers to copies are compared with the live ones only where copies run: no user waits for a comparison, and what
//!   is kept for it is bounded by the copies in flight.
//! - The services must be `Clone`, cheaply, and `Sync`; see [`Split`].
//!
//! No runtime is needed. MSRV 1.89.

pub use self::{
    builder::{BuildError, SplitBuilder},
    compare::{Compare, Comparing, Uncompared},
    future::ResponseFuture,
    handle::Handle,
    meter::Totals,
    mirror::{Mirror, MirrorTotals, Mirrored, Mirroring, Spawner, Unmirrored},
    pairs::PairTotals,
    split::Split,
    sticky::Sticky,
};

mod builder;
mod compare;
mod cookies;
mod exposition;
mod future;
mod handle;
mod matching;
mod meter;
mod mirror;
mod pairs;
mod shared;
mod split;
mod spread;
mod sticky;
mod time;
mod windows;
