//! Replica arithmetic: how many instances of each revision a weight needs.
//!
//! Two ways to give a revision its share. Without a router ([`counted_move`]) the share of the traffic is the share of
//! the instances, so weights are only approximated, and instances move in small steps within surge and unavailability.
//! With a router ([`routed`]) the router splits exactly, and instances only have to suffice.
//!
//! The rules are those of Argo Rollouts (argo: utils/replicaset/canary). All of it is exact whole-number arithmetic
//! without overflow for every input.

pub use self::{
    amount::{Amount, AmountError},
    approximate::approximate,
    counted::{CountedInput, counted_move, counted_pass},
    routed::{DynamicStable, RoutedInput, returning_share, routed},
    share::{Counts, Pool, Share, weight_to_replicas},
};

mod amount;
mod approximate;
mod counted;
mod routed;
mod share;
