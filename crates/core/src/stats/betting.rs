//! Confidence sequences of a bounded mean by betting and by empirical Bernstein.
