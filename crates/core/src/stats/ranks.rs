//! Tests of ranks and of distribution functions.
