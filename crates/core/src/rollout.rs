//! The engine: plans, state, and the pure function that decides.
//!
//! Every strategy compiles to one [`Plan`], and [`decide`] runs every plan:
//!
//! ```text
//! decide(&plan, state, &input, now) -> Decision { state, effects, wake, notes, waits }
//! ```
//!
//! # Guarantees
//!
//! - *Pure and total.* No clock, no I/O, no randomness, no error. The same arguments give the same result.
//! - *Effects are a view.* `effects` is always [`effects_of`] the state: absolute, repeatable, derived again after a
//!   crash.
//! - *Acknowledgement is observation, under a fence.* A phase ends only when the world shows our value under our
//!   fence. Whoever says "I wrote it" is not believed.
//! - *Time never runs back.* The state remembers the latest time it heard.
//!
//! # The driver's part
//!
//! Save the state first, by compare-and-swap; then apply the effects; then report what was seen and answered as
//! inputs. [`driver`](crate::driver) does exactly that.

pub use self::{
    decide::{Decision, decide},
    effect::{Effect, Place, RequestId, effects_of},
    input::{Answer, Command, Failure, Input, World},
    note::{Note, Rule},
    per_revision::PerRevision,
    plan::{
        Background, CandidateScale, Capacity, DeadlineAction, Ending, Plan, PlanError, PlanSpec,
        ProgressDeadline, Step,
    },
    state::{
        Aim, Attempt, Done, Notice, Outcome, Pause, Phase, PlacedRun, PoolState, Retiring, Retreat, Retry,
        SCHEMA, Stage, State, Waits, waits_for,
    },
    wake::wake_of,
};

mod advance;
mod aim;
mod budget;
mod command;
mod decide;
mod effect;
mod input;
mod note;
mod per_revision;
mod plan;
mod retreat;
mod runs;
mod state;
mod wake;
