//! The queries of a plan, as they are asked.

use std::sync::Arc;

use crate::{analysis::Metric, metric::Query, traffic::Revision};

/// A query that many questions have in common.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::rollout) struct Prepared {
    query: Arc<Query>,
    /// Whether revisions may have to be put into its text.
    has_braces: bool,
}

impl Prepared {
    pub(super) fn of(metric: &Metric) -> Self {
        let query = Arc::new(metric.query.clone());
        Self { has_braces: query.text.contains("{{"), query }
    }

    /// The query about these revisions, which are known only now; whatever else stands in double braces is the
    /// provider's.
    pub(in crate::rollout) fn about(&self, candidate: &Revision, stable: &Revision) -> Arc<Query> {
        if !self.has_braces {
            return Arc::clone(&self.query);
        }
        let mut query = Query::clone(&self.query);
        for (name, revision) in [("candidate", candidate), ("stable", stable)] {
            for braced in [format!("{{{{{name}}}}}"), format!("{{{{ {name} }}}}")] {
                query.text = query.text.replace(&braced, revision.as_str());
            }
        }
        Arc::new(query)
    }
}
