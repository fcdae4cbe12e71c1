//! The engine: plans, state, and the pure function that decides.

pub use self::plan::{
    Background, CandidateScale, Capacity, DeadlineAction, Plan, PlanError, PlanSpec, ProgressDeadline, Step,
};

mod plan;
