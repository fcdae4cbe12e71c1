//! Mixture boundaries and confidence sequences.
