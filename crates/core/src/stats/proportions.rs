//! Two proportions.
