//! Worlds that are made up, to learn what a rule does before it decides.

pub mod rival;

#[cfg(feature = "simulate")]
pub use self::{
    contestant::Contestant,
    course::{Course, Ending, Turn},
    ladder::Ladder,
    report::{Cell, Report, Share, Spread, StrategyReport, Trail},
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
mod draw;
#[cfg(feature = "simulate")]
mod ladder;
#[cfg(feature = "simulate")]
mod report;
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
