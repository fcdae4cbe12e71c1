//! Combination of e-values.
