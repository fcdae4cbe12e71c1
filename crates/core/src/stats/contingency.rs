//! Tests of contingency tables.
