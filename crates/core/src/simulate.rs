//! Worlds that are made up, to learn what a rule does before it decides.
//!
//! [`rival`] holds the rules of other tools. Everything else is behind the feature `simulate`:
//!
//! - `World` says how many requests come, how many fail, how long they take, what goes wrong meanwhile, and how the
//!   candidate differs. `Simulation` runs a plan in it, with the engine that runs real rollouts, in virtual time.
//! - `Contestant` is such a plan, or the rule of another tool on a `Ladder` of weights. `Study` runs contestants against
//!   effects of growing size, thousands of times on all cores, and its `Report` says how often and how fast each was
//!   rolled back, and what that cost.
//! - `Detection` says, without simulating anything, when a plan that compares is expected to find a regression.
//! - `Signal` says what a metric of a manifest measures, so that the world can answer in the place of its source.
//!
//! # Guarantees
//!
//! - *Reproducible.* Every rollout draws from a stream of its own, by seed and number: the report does not depend on the
//!   number of threads. On another processor or with another version the last digits of a draw may differ.
//! - *The real engine.* No shortcut for simulated rollouts: every decision is [`decide`](crate::rollout::decide)'s.
//! - *Nothing is guessed.* What cannot be told is an error that names the metric.
//!
//! # Assumptions
//!
//! Requests arrive independently of one another; failures are binomial given the rate, or scatter more by
//! `World::dispersion`. Whatever the engine wants is so at once: routes, instances, gates. Metrics sources answer at once
//! and miss nothing: windows hold exactly the requests that came, without the extrapolation of PromQL.

pub mod rival;

#[cfg(feature = "simulate")]
pub use self::{
    contestant::Contestant,
    course::{Course, Ending, Turn},
    detection::Detection,
    ladder::Ladder,
    report::{Cell, Report, Share, Spread, StrategyReport, Trail},
    scenario::{Scenario, Theme},
    signal::{Signal, SignalError, SignalTextError},
    simulation::{Simulation, SimulationError},
    study::{Progress, Study, Sweep},
    world::{Behaviour, Incident, Latency, Swing, World, WorldError},
};

#[cfg(feature = "simulate")]
mod contestant;
#[cfg(feature = "simulate")]
mod course;
#[cfg(feature = "simulate")]
mod detection;
#[cfg(feature = "simulate")]
mod draw;
#[cfg(feature = "simulate")]
mod ladder;
#[cfg(feature = "simulate")]
mod report;
#[cfg(feature = "simulate")]
mod scenario;
#[cfg(feature = "simulate")]
mod signal;
#[cfg(feature = "simulate")]
mod simulation;
#[cfg(feature = "simulate")]
mod stage;
#[cfg(feature = "simulate")]
mod study;
#[cfg(feature = "simulate")]
mod traffic;
#[cfg(feature = "simulate")]
mod world;
