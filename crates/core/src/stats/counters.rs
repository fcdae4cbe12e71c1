//! Prometheus counters and histograms as data.
