//! What a manifest compiles to.

use std::fmt;

use serinus_core::rollout::Plan;

use crate::{fault::Fault, kind::Kind};

/// A rollout or canary as a plan, with what the plan does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compiled {
    /// What it was compiled from.
    pub kind: Kind,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`, if written.
    pub namespace: Option<String>,
    /// What the field calls this strategy.
    pub strategy: Strategy,
    /// What happens, step by step.
    pub plan: Plan,
    /// What the manifest calls the things around it. In a local run the data plane stands in for them.
    pub names: Names,
    /// Where the metrics are, if the manifest says it for all of them (Flagger's `spec.metricsServer`).
    pub metrics_server: Option<String>,
    /// What runs, and is probably not what was meant, or not what a cluster would take.
    pub warnings: Vec<Fault>,
}

/// What the field calls a strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Strategy {
    /// Growing shares of the traffic.
    Canary,
    /// A canary without steps: instances are replaced, a few at a time.
    RollingUpdate,
    /// All traffic at once, after trial out of sight.
    BlueGreen,
    /// Only requests that match.
    AbTest,
    /// All traffic at once, without any check.
    Unchecked,
    /// All old instances stopped, then all new ones started.
    Recreate,
    /// A fixed cohort gets the candidate, and the result says how it does.
    Experiment,
    /// Copies of the requests, whose answers nobody gets.
    Shadow,
    /// Steps of a plan, written one by one.
    Plan,
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Canary => "canary",
            Self::RollingUpdate => "rolling update",
            Self::BlueGreen => "blue/green",
            Self::AbTest => "A/B test",
            Self::Unchecked => "unchecked switch",
            Self::Recreate => "recreate",
            Self::Experiment => "experiment",
            Self::Shadow => "shadow",
            Self::Plan => "plan",
        })
    }
}

/// What a manifest calls the things that a cluster has and a local run stands in for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Names {
    /// The workload: Flagger's `targetRef.name`, Argo's `workloadRef.name` or the Rollout itself.
    pub workload: String,
    /// The service users call, where it is not that of a track: Flagger's `service.name`.
    pub service: Option<String>,
    /// The service of the stable revision: `stableService`, `activeService`, `NAME-primary`.
    pub stable_service: Option<String>,
    /// The service of the candidate: `canaryService`, `previewService`, `NAME-canary`.
    pub candidate_service: Option<String>,
    /// The routers, ingresses or meshes named, such as `istio`; none means that shares of instances split the traffic.
    pub routers: Vec<String>,
    /// The host names under which users come.
    pub hosts: Vec<String>,
}
