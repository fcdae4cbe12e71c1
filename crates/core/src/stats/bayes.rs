//! Bayesian comparison, for reports.
