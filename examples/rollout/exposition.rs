//! What Prometheus scrapes, as it would look in a cluster.

use serde::{Deserialize, Serialize};
use serinus::traffic::{Revision, Route};
use serinus_k8s::{Compiled, Strategy};

/// The services of a cluster, and to which revision each leads: in a cluster each is scraped under its own name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Services {
    namespace: String,
    workload: String,
    stable: Option<String>,
    candidate: Option<String>,
    /// Whether the stable service follows the traffic, as the active service of a blue/green rollout does.
    follows: bool,
}

impl Services {
    /// The services a manifest names.
    pub(crate) fn of(compiled: &Compiled) -> Self {
        Self {
            namespace: compiled.namespace.clone().unwrap_or_else(|| "default".to_owned()),
            workload: compiled.names.workload.clone(),
            stable: compiled.names.stable_service.clone(),
            candidate: compiled.names.candidate_service.clone(),
            follows: compiled.strategy == Strategy::BlueGreen,
        }
    }

    /// The series in `text`, once for each service that leads to their revision under this route, with the labels
    /// `service`, `job` and `namespace` that a scrape through that service would give them.
    pub(crate) fn label(&self, text: &str, route: &Route) -> String {
        let mut labelled = String::new();
        for line in text.lines() {
            if line.starts_with('#') {
                labelled.push_str(line);
                labelled.push('\n');
                continue;
            }
            let Some((name, rest)) = line.split_once('{') else { continue };
            for (service, revision) in self.leading(route) {
                if revision.is_none_or(|revision| rest.contains(&format!("revision=\"{revision}\""))) {
                    let namespace = &self.namespace;
                    labelled.push_str(&format!(
                        "{name}{{service=\"{service}\",job=\"{service}\",namespace=\"{namespace}\",{rest}\n"
                    ));
                }
            }
        }
        labelled
    }

    /// Each service and the revision it leads to; none stands for every revision.
    fn leading<'a>(&'a self, route: &'a Route) -> Vec<(&'a str, Option<&'a Revision>)> {
        let candidate = route.candidate.as_ref().unwrap_or(&route.stable);
        let stable = if self.follows && route.weight.is_full() { candidate } else { &route.stable };
        let mut leading = vec![(self.workload.as_str(), None)];
        for (service, revision) in [(&self.stable, stable), (&self.candidate, candidate)] {
            if let Some(service) = service.as_deref().filter(|service| *service != self.workload) {
                leading.push((service, Some(revision)));
            }
        }
        leading
    }
}
