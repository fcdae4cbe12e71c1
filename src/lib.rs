//! Progressive delivery as an embeddable library.
//!
//! One dependency for all of Serinus: the engine at the root, the rest as modules behind features.

#[doc(inline)]
pub use serinus_core::{analysis, capacity, driver, metric, port, rollout, strategy, time, traffic};

#[cfg(feature = "k8s")]
pub use serinus_k8s as k8s;
#[cfg(feature = "prom")]
pub use serinus_prom as prom;
#[cfg(feature = "tower")]
pub use serinus_tower as tower;
