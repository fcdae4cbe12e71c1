//! The rules of other tools, as they are, defects included: to be compared with, never to decide by.

pub mod growthbook;
pub mod kayenta;
pub mod peeking;
pub mod r;
pub mod scipy;
pub mod statsig;
pub mod statsmodels;

mod brent;
