//! The engine in a world with virtual time.

mod canary;
mod counted;
mod sim;
