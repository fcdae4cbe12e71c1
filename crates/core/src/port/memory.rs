//! The ports in memory, for tests and examples.
//!
//! Deterministic: no clock, no randomness, no runtime. Each port does what it is told, and shows what it was told;
//! each can also misbehave on demand, through its [`Faults`]. A port is shared by putting it into an `Arc`.
//!
//! ```
//! use futures_util::FutureExt as _;
//! use serinus_core::{
//!     port::{Fence, TrafficRouter as _, memory::{MemoryRouter, WriteFault}},
//!     traffic::Route,
//! };
//!
//! let router = MemoryRouter::new();
//! router.faults().on_next_write(WriteFault::Lose);
//! let route = Route::all_to("v1".into());
//! let answer = router.route(&route, Fence::default()).now_or_never();
//! assert!(answer.unwrap().is_ok(), "it says that it was done");
//! assert_eq!(router.current(), None, "and nothing was");
//! ```

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::{
    clock::ManualClock,
    faults::{Faults, ReadFault, WriteFault},
    hook::{MemoryHook, Notice},
    metrics::MemoryMetrics,
    router::MemoryRouter,
    store::MemoryStore,
    workload::{MemoryWorkload, Readiness},
};

mod clock;
mod faults;
mod hook;
mod metrics;
mod router;
mod store;
mod wire;
mod workload;

/// Takes a lock that a panicking test may have left poisoned: every holder leaves the value whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
