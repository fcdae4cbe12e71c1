//! The engine in a world with virtual time.

mod blue_green;
mod canary;
mod comparing;
mod counted;
mod edges;
mod experiment;
mod laws;
mod shadow;
mod sim;
