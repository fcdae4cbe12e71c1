//! The deterministic rollout engine of Serinus: strategies, analysis, ports.
//!
//! Every strategy of progressive delivery (canary, blue/green, rolling update, …) compiles to one
//! [`Plan`](rollout::Plan), and one pure function runs every plan: [`decide`](rollout::decide). It reads no clock,
//! does no I/O and draws no random number, so a rollout can be replayed from its log, simulated in microseconds, and
//! searched for every state it can reach. A [`driver`] connects it to the world through the [`port`]s that a host
//! provides.
//!
//! # A whole rollout, in virtual time
//!
//! ```
//! use std::{future::pending, sync::Arc};
//!
//! use serinus_core::{
//!     analysis::{Analysis, Judge, Metric},
//!     driver::{Driver, Ports},
//!     metric::{Number, Query, Sample},
//!     port::memory::{ManualClock, MemoryMetrics, MemoryRouter, MemoryStore, MemoryWorkload},
//!     rollout::{Input, Outcome, State},
//!     strategy::Canary,
//!     time::{GoDuration, Timestamp},
//!     traffic::Weight,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // 5 %, ten minutes, a look at the success rate, then everybody.
//! let at_least_99 = Judge::Range { min: Some(Number::new(99.0)), max: None };
//! let success_rate = Metric::new("success-rate", Query::new("shop", "success"), at_least_99);
//! let plan = Canary::new(4)
//!     .weight(Weight::percent(5.0))
//!     .hold(GoDuration::from_mins(10))
//!     .analyse(Analysis::of("healthy", [success_rate]))
//!     .plan()?;
//!
//! // The world: here in memory; in production your router, your workload, your metrics.
//! let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
//! let metrics = MemoryMetrics::new();
//! metrics.always("success", Sample::number(99.7));
//! let ports = Ports {
//!     router: Some(Arc::new(MemoryRouter::new())),
//!     workload: Some(Arc::new(MemoryWorkload::new())),
//!     metrics: Some(Arc::new(metrics)),
//!     hook: None,
//!     store: Arc::new(MemoryStore::new()),
//!     clock: clock.clone(),
//! };
//!
//! let first = State::new("v1".into(), Timestamp::UNIX_EPOCH);
//! let mut driver = Driver::start(plan, ports, first).await?;
//! driver.push(Input::Revised("v2".into()));
//! while driver.state().outcome().is_none() {
//!     for (_, decision) in driver.step(pending()).await?.turns {
//!         for note in decision.notes {
//!             println!("{note}");
//!         }
//!     }
//!     clock.set(driver.wake());
//! }
//! assert_eq!(driver.state().outcome(), Some(&Outcome::Promoted));
//! # Ok(())
//! # }
//! ```
//!
//! # What holds, whatever happens
//!
//! 1. No weight on a track that has no ready capacity to take it.
//! 2. Within an attempt the candidate's weight never falls, except by abort or by a shortage of instances, which is
//!    noted.
//! 3. A promotion comes only after every required analysis ended conclusively well, or a person left it out by a
//!    command that is on record.
//! 4. An abort works from every state, asks nothing of the candidate, and ends with all traffic on stable at full
//!    capacity.
//! 5. No track is scaled down while it takes traffic, or to nothing while it is the way back.
//! 6. Every state either moves by itself at a known time, or waits for something with a name.
//! 7. Missing, empty, NaN or late data is its own outcome, never silently a pass.
//! 8. Deciding again gives the same; applying effects again changes nothing.
//!
//! These are checked over random plans and histories, and over *every* reachable state of small plans with crashes,
//! lost and late writes and two drivers at once.
//!
//! # The house
//!
//! A module imports only from floors below its own.
//!
//! | floor | modules |
//! |---|---|
//! | 4 | [`driver`], [`simulate`] |
//! | 3 | [`strategy`] |
//! | 2 | [`rollout`] |
//! | 1 | [`analysis`], [`capacity`] |
//! | 0 | [`stats`], [`cohort`], [`port`], [`metric`], [`traffic`], [`text`], [`time`] |
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `expr` | yes | conditions in the expression language of Argo Rollouts |
//! | `schema` | no | `schemars::JsonSchema` for every type that people write |
//! | `simulate` | no | simulated rollouts: what a plan does before it decides, see [`simulate`] |
//! | `systems` | no | where other flag systems put a subject, in `cohort::systems` |
//!
//! # Minimum supported Rust version
//!
//! 1.89. It may rise in a minor release, never to a compiler younger than six months.

#![doc(test(attr(deny(warnings))))]

pub mod analysis;
pub mod capacity;
pub mod cohort;
pub mod driver;
pub mod metric;
pub mod port;
pub mod rollout;
pub mod simulate;
pub mod stats;
pub mod strategy;
pub mod text;
pub mod time;
pub mod traffic;
