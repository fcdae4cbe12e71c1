//! The sequential boundary of Statsig.
