//! Prometheus for Serinus: a client, a metric provider and the built-in queries.
