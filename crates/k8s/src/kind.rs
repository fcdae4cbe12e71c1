//! The kinds of documents.

use std::fmt;

use crate::schema::{self, Field};

/// The kinds that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A rollout of Argo Rollouts.
    Rollout,
    /// Metrics for rollouts of one namespace.
    AnalysisTemplate,
    /// Metrics for rollouts of every namespace.
    ClusterAnalysisTemplate,
    /// A rollout of Flagger.
    Canary,
    /// A query for canaries.
    MetricTemplate,
    /// A rollout in the words of Serinus itself.
    Delivery,
}

impl Kind {
    pub(crate) fn of(group: &str, kind: &str) -> Option<Self> {
        match (group, kind) {
            ("argoproj.io", "Rollout") => Some(Self::Rollout),
            ("argoproj.io", "AnalysisTemplate") => Some(Self::AnalysisTemplate),
            ("argoproj.io", "ClusterAnalysisTemplate") => Some(Self::ClusterAnalysisTemplate),
            ("flagger.app", "Canary") => Some(Self::Canary),
            ("flagger.app", "MetricTemplate") => Some(Self::MetricTemplate),
            ("serinus.dev", "Delivery") => Some(Self::Delivery),
            _ => None,
        }
    }

    pub(crate) const fn api_version(self) -> &'static str {
        match self {
            Self::Rollout | Self::AnalysisTemplate | Self::ClusterAnalysisTemplate => "argoproj.io/v1alpha1",
            Self::Canary | Self::MetricTemplate => "flagger.app/v1beta1",
            Self::Delivery => "serinus.dev/v1alpha1",
        }
    }

    pub(crate) const fn fields(self) -> &'static [Field] {
        match self {
            Self::Rollout => schema::argo::ROLLOUT,
            Self::AnalysisTemplate | Self::ClusterAnalysisTemplate => schema::argo::ANALYSIS_TEMPLATE,
            Self::Canary => schema::flagger::CANARY,
            Self::MetricTemplate => schema::flagger::METRIC_TEMPLATE,
            Self::Delivery => schema::native::DELIVERY,
        }
    }

    pub(crate) const fn is_rollout(self) -> bool {
        matches!(self, Self::Rollout | Self::Canary | Self::Delivery)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rollout => "Rollout",
            Self::AnalysisTemplate => "AnalysisTemplate",
            Self::ClusterAnalysisTemplate => "ClusterAnalysisTemplate",
            Self::Canary => "Canary",
            Self::MetricTemplate => "MetricTemplate",
            Self::Delivery => "Delivery",
        })
    }
}
