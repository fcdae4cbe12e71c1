//! Bounds for a few planned looks.
