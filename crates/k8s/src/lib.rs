//! placeholder

mod argo;
mod compiled;
mod explain;
mod fault;
mod flagger;
mod ledger;
mod manifests;
mod node;
mod pattern;
mod place;
mod placeholder;
mod read;
mod schema;

pub use self::{
    compiled::{Compiled, Names, Strategy},
    explain::explain,
    fault::{Fault, FaultKind, Faults},
    manifests::{Kind, Manifests, Named, Other},
    read::{Mode, Source, read},
};
