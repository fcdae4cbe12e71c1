//! Worlds that are made up, to learn what a rule does before it decides.

pub mod rival;
