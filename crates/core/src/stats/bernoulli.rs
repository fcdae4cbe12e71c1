//! Confidence sequences of a rate of success.
