//! Many p-values at once.
