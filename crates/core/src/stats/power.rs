//! Planning: sample sizes and time to detection.
