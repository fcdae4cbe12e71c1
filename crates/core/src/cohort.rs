#![doc = include_str!("../../../docs/cohorts.md")]

mod error;
mod layer;
mod layers;
pub mod murmur3;
mod pieces;
mod place;
mod salt;
mod slot;
mod split;
#[cfg(feature = "systems")]
pub mod systems;
mod trial;
mod written;

pub use self::{
    error::CohortError,
    layer::{Experiment, Layer},
    layers::{Assignment, Holdout, Layers},
    place::Place,
    salt::{Reseed, Salt},
    slot::Slot,
    split::{Share, Split},
    trial::{Cohort, Trial},
};
