//! Two Poisson counters, once.
