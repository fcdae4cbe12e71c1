//! Kubernetes for Serinus: Argo Rollouts and Flagger manifests compiled to plans.
