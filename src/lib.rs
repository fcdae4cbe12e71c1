//! Progressive delivery as an embeddable library: canary, blue/green and rolling releases, judged by metrics, promoted
//! or rolled back by themselves.
//!
//! One dependency for all of Serinus: the engine at the root, the rest as modules behind features.
//!
//! ```
//! use serinus::{
//!     rollout::{Command, Effect, Input, State, Waits, decide, waits_for},
//!     strategy::Canary,
//!     time::Timestamp,
//!     traffic::Weight,
//! };
//!
//! // Ten per cent, until a person has seen enough. Nothing is scaled: both versions run anyway.
//! let plan = Canary::between_variants().weight(Weight::percent(10.0)).hold_until_resumed().plan()?;
//!
//! let now: Timestamp = "2026-01-01T00:00:00Z".parse()?;
//! let state = State::new("v1".into(), now);
//! let decision = decide(&plan, state, &Input::Revised("v2".into()), now);
//! assert_eq!(decision.notes[0].to_string(), "attempt 1: v2 goes out, stable is v1");
//!
//! // What the world is to show. A driver writes it, and tells the engine what it sees.
//! assert!(matches!(&decision.effects[0], Effect::Route { route, .. } if route.stable.as_str() == "v1"));
//! assert_eq!(waits_for(&plan, &decision.state), Waits::Route);
//!
//! // Whatever happens, a person can end it.
//! let abort = Input::Commanded(Command::Abort("the support desk is on fire".to_owned()));
//! let decision = decide(&plan, decision.state, &abort, now);
//! println!("{}", decision.notes[0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The [`rollout`] module explains plans and decisions, [`strategy`] the builders, [`driver`] how the engine is
//! connected to the world, [`port`] what a host provides. A whole rollout, in virtual time, stands at the top of the
//! documentation of `serinus-core`.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `flags` | `flags`: feature flags; `flags-tokio`, `flags-http` and `flags-grpc` to follow files, addresses and the stream of a flagd, `flags-ofrep` to ask a server, `open-feature` for that SDK |
//! | `k8s` | `k8s`: readers of Argo Rollouts and Flagger manifests |
//! | `prom` | `prom`: a Prometheus client and metric provider |
//! | `tls-ring`, `tls-aws-lc-rs` | TLS for `prom` and `flags`, as far as they are there; `tls` with the provider that the process installed |
//! | `tower` | `tower`: the in-process data plane |
//! | `simulate` | simulated rollouts: what a plan does before it decides, in [`simulate`] |
//! | `systems` | where other flag systems put a subject, in `cohort::systems` |
//! | `schema` | `schemars::JsonSchema` for every type that people write |

#![doc(test(attr(deny(warnings))))]

#[doc(inline)]
pub use serinus_core::{
    analysis, capacity, cohort, driver, metric, port, rollout, simulate, strategy, time, traffic,
};

#[cfg(feature = "flags")]
pub use serinus_flags as flags;
#[cfg(feature = "k8s")]
pub use serinus_k8s as k8s;
#[cfg(feature = "prom")]
pub use serinus_prom as prom;
#[cfg(feature = "tower")]
pub use serinus_tower as tower;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
