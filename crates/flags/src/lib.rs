//! Feature flags: flagd's documents evaluated exactly and fast, and flags that roll themselves out.

pub use self::{
    context::Context,
    details::{ErrorCode, Reason},
    value::{Kind, Map, Number, Value},
};

mod context;
mod details;
pub mod logic;
mod value;
