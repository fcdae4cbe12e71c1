//! Feature flags: flagd's documents evaluated exactly and fast, and flags that roll themselves out.

#[cfg(feature = "tokio")]
pub use self::feed::{Feed, FeedError, Following};
pub use self::{
    context::Context,
    details::{ErrorCode, Reason},
    document::{Chosen, Document, DocumentError, Fault, Format, Options, Problem},
    flags::{Change, Details, Flags, Handle, Held, NoValue, ObjectRef, Report, Text},
    lifecycle::{Event, EventKind, Events, EventsError, Status, Trouble},
    metadata::Metadata,
    snapshot::{Evaluation, EvaluationError, Snapshot, typed::FlagType},
    value::{Kind, Map, Number, Value},
};

mod context;
mod details;
mod document;
#[cfg(feature = "tokio")]
mod feed;
mod flags;
#[cfg(any(feature = "http", feature = "ofrep"))]
pub mod http;
mod lifecycle;
pub mod logic;
mod metadata;
#[cfg(feature = "open-feature")]
pub mod openfeature;
#[cfg(feature = "ofrep")]
pub mod remote;
mod snapshot;
pub mod source;
mod value;
