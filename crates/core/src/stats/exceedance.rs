//! Latency as exceedance counts over fixed edges.
