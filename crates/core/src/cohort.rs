//! Who belongs to which cohort.

pub mod murmur3;
