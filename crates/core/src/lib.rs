//! The deterministic rollout engine of Serinus: strategies, analysis, ports.

pub mod analysis;
pub mod capacity;
pub mod driver;
pub mod metric;
pub mod port;
pub mod rollout;
pub mod strategy;
pub mod time;
pub mod traffic;
