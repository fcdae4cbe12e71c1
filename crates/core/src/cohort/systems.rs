//! Where other systems put a subject, so that a team that moves keeps its users where they are.
//!
//! Each module computes the number that the system's own libraries compute from the same texts, and from it whether a
//! rollout holds the subject or which variation it gets. What surrounds that (targeting rules, prerequisites, stored
//! assignments, the choice of the attribute) is the caller's.
//!
//! | module | system | number | resolution |
//! |---|---|---|---|
//! | [`eppo`] | Eppo, Datadog | a shard of as many as the flag says | usually 0.01 % |
//! | [`flagsmith`] | Flagsmith | a percentage | 0.01 % |
//! | [`growthbook`] | GrowthBook | a number from 0 to below 1 | 0.1 % or 0.01 % |
//! | [`launchdarkly`] | LaunchDarkly | a number from 0 to 1 | 0.001 % |
//! | [`split`] | Split, Harness FME | a bucket of 100 | 1 % |
//! | [`unleash`] | Unleash | a bucket of 100, or of the weights' sum | 1 %, variants usually 0.1 % |
//!
//! A team also needs what a system does with a subject that lacks the attribute it is hashed by, and on the edges of a
//! percentage; each module says both, and what it leaves to the caller.
//!
//! Not here: ConfigCat, Optimizely and Statsig, whose numbers we know from their documentation only and have not compared
//! with those of their libraries. [`murmur3`](super::murmur3) is the hash that Optimizely uses.
//!
//! To move without moving anybody: keep evaluating a rollout that is under way with its old arithmetic until it ends, and
//! start the next one under a [`Salt`](super::Salt).

pub mod eppo;
pub mod flagsmith;
pub mod growthbook;
pub mod launchdarkly;
pub mod split;
pub mod unleash;
