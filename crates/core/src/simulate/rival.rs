//! The rules of other tools, as they are, defects included: to be compared with, never to decide by.

pub mod growthbook;
pub mod kayenta;
pub mod peeking;
pub mod r;
pub mod scipy;
pub mod statsig;
pub mod statsmodels;

#[cfg(feature = "simulate")]
pub use self::rule::{Call, Look, Rival, Rule, Seen};

#[cfg(feature = "simulate")]
mod rule;
