//! Feature flags: flagd's documents evaluated exactly and fast, and flags that roll themselves out.

pub use self::{
    context::Context,
    details::{ErrorCode, Reason},
    document::{Chosen, Document, DocumentError, Fault, Format, Options, Problem},
    flags::{Change, Details, Flags, Handle, Held, NoValue, ObjectRef, Report, Text},
    guard::{ArmTotals, Deciding, Guard, GuardBuilder, GuardError, Outcome, Rate, Recorded, Subject, Totals},
    metadata::Metadata,
    snapshot::{Evaluation, EvaluationError, Snapshot, typed::FlagType},
    value::{Kind, Map, Number, Value},
};

mod context;
mod details;
mod document;
mod flags;
mod guard;
pub mod logic;
mod metadata;
mod snapshot;
mod value;
