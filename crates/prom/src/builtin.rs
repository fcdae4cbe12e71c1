//! The two metrics that every mesh and ingress counts under names of its own.

use std::{fmt, str::FromStr};

use serinus_core::{metric::Query, time::GoDuration};

pub(crate) use self::queries::window;

mod queries;

/// A metric known by name.
///
/// ```
/// use serinus_core::time::GoDuration;
/// use serinus_prom::{Builtin, Source, Variables};
///
/// let mut variables = Variables::new(GoDuration::from_mins(1));
/// variables.candidate = Some("v2".into());
/// assert_eq!(
///     Builtin::Duration.render(Source::Serinus, &variables)?,
///     "1000 * histogram_quantile(0.99, sum by (le) \
///      (rate(http_request_duration_seconds_bucket{revision=\"v2\"}[60s])))",
/// );
/// # Ok::<(), serinus_prom::BuiltinError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Builtin {
    /// [`Query::SUCCESS_RATE`]: requests not answered with a 5xx, in percent of all, `0..=100`.
    SuccessRate,
    /// [`Query::DURATION`]: 99th percentile of the time to answer, in milliseconds; where the source counts no
    /// histogram (nginx, Skipper), the mean.
    Duration,
}

impl Builtin {
    /// The PromQL for this metric of the candidate, as `source` counts it.
    ///
    /// A candidate that fails every request scores 0, also while the source has not yet seen one of them succeed;
    /// a candidate without requests gives NaN or no series.
    ///
    /// # Errors
    ///
    /// If the source needs a variable that is missing, or a variable has characters that would change the query.
    pub fn render(self, source: Source, variables: &Variables) -> Result<String, BuiltinError> {
        queries::render(self, source, variables)
    }

    /// The name plans use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SuccessRate => Query::SUCCESS_RATE,
            Self::Duration => Query::DURATION,
        }
    }
}

impl fmt::Display for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Builtin {
    type Err = BuiltinError;

    fn from_str(name: &str) -> Result<Self, BuiltinError> {
        match name {
            Query::SUCCESS_RATE => Ok(Self::SuccessRate),
            Query::DURATION => Ok(Self::Duration),
            _ => Err(BuiltinError::Metric { name: name.to_owned() }),
        }
    }
}

/// Who counts the requests.
///
/// Parsed from the provider names that Flagger uses: `istio`, `gatewayapi:v1`, `appmesh:v1beta2`. A name it does
/// not know is an error, not Istio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Source {
    /// `apisix`: needs `namespace`, `route`, `service`.
    Apisix,
    /// `appmesh`: needs `namespace`, `target`.
    AppMesh,
    /// `contour`: needs `namespace`, `service`.
    Contour,
    /// `envoy`: an Envoy by itself. The cluster is `target`, or named like the candidate.
    Envoy,
    /// `gloo`: needs `namespace`, `service`.
    Gloo,
    /// `kubernetes`, `gatewayapi`: the application counts by itself. Needs `namespace`, `target`.
    Kubernetes,
    /// `istio`: needs `namespace`, `target`.
    Istio,
    /// `knative`: needs `namespace` and the candidate, which is the Knative revision; a `route` goes before it.
    Knative,
    /// `kuma`: needs `namespace`, `service`.
    Kuma,
    /// `linkerd`: needs `namespace`, `target`.
    Linkerd,
    /// `nginx`: needs `namespace`, `ingress`.
    Nginx,
    /// `osm`: needs `namespace`, `target`.
    Osm,
    /// `serinus`: the data plane in this process. Needs the candidate.
    Serinus,
    /// `skipper`: needs `namespace`, `ingress`, `service`.
    Skipper,
    /// `traefik`: needs `namespace`, `service`.
    Traefik,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 15] = [
        Self::Apisix,
        Self::AppMesh,
        Self::Contour,
        Self::Envoy,
        Self::Gloo,
        Self::Kubernetes,
        Self::Istio,
        Self::Knative,
        Self::Kuma,
        Self::Linkerd,
        Self::Nginx,
        Self::Osm,
        Self::Serinus,
        Self::Skipper,
        Self::Traefik,
    ];

    /// The name plans use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apisix => "apisix",
            Self::AppMesh => "appmesh",
            Self::Contour => "contour",
            Self::Envoy => "envoy",
            Self::Gloo => "gloo",
            Self::Kubernetes => "kubernetes",
            Self::Istio => "istio",
            Self::Knative => "knative",
            Self::Kuma => "kuma",
            Self::Linkerd => "linkerd",
            Self::Nginx => "nginx",
            Self::Osm => "osm",
            Self::Serinus => "serinus",
            Self::Skipper => "skipper",
            Self::Traefik => "traefik",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Source {
    type Err = BuiltinError;

    fn from_str(name: &str) -> Result<Self, BuiltinError> {
        let unknown = || BuiltinError::Source { name: name.to_owned() };
        let family = name.split(':').next().unwrap_or(name);
        match family {
            "gatewayapi" | "kubernetes" => Ok(Self::Kubernetes),
            "appmesh" => Ok(Self::AppMesh),
            "gloo" => Ok(Self::Gloo),
            // Only the families above have versions behind a colon.
            _ => Self::ALL.into_iter().find(|source| source.name() == name).ok_or_else(unknown),
        }
    }
}

/// One of the two revisions that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arm {
    Candidate,
    Stable,
}

/// The raw counters of one arm, as selectors of PromQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ArmSelectors {
    pub(crate) requests: String,
    pub(crate) failures: String,
    pub(crate) buckets: Option<String>,
    pub(crate) edges_in_milliseconds: bool,
}

impl ArmSelectors {
    /// Those of a source. The names of the stable side are those that Flagger gives it.
    pub(crate) fn of(arm: Arm, source: Source, variables: &Variables) -> Result<Self, BuiltinError> {
        queries::arm(arm, source, variables)
    }
}

/// What a built-in query is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Variables {
    /// The namespace.
    pub namespace: Option<String>,
    /// The workload that is delivered; for Envoy, the cluster.
    pub target: Option<String>,
    /// The service the routing objects are named after; `target` if there is none.
    pub service: Option<String>,
    /// The ingress; `target` if there is none.
    pub ingress: Option<String>,
    /// The route; `target` if there is none.
    pub route: Option<String>,
    /// The revision on trial.
    pub candidate: Option<String>,
    /// The window of rates; above zero.
    pub interval: GoDuration,
}

impl Variables {
    /// Variables without names.
    pub fn new(interval: GoDuration) -> Self {
        Self { interval, ..Self::default() }
    }
}

/// Why a built-in query cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuiltinError {
    /// No such metric.
    #[error("there is no built-in metric `{name}`: expected request-success-rate or request-duration")]
    Metric {
        /// What was asked for.
        name: String,
    },
    /// No such source.
    #[error(
        "there is no source `{name}`: expected one of apisix, appmesh, contour, envoy, gatewayapi, gloo, istio, \
         knative, kubernetes, kuma, linkerd, nginx, osm, serinus, skipper, traefik"
    )]
    Source {
        /// What was asked for.
        name: String,
    },
    /// The source needs more.
    #[error("{metric} of {source_name} needs the variable `{variable}`")]
    Missing {
        /// The metric.
        metric: &'static str,
        /// The source.
        source_name: Source,
        /// What is missing.
        variable: &'static str,
    },
    /// A variable would change the query.
    #[error(
        "the variable `{variable}` is `{value}`: expected letters, digits and the characters - _ . : / @ +"
    )]
    Variable {
        /// Which one.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// The source counts both arms together.
    #[error(
        "{source_name} does not count candidate and stable apart: give the selectors of both arms as settings, such as \
         `stable.requests`"
    )]
    OneCount {
        /// The source.
        source_name: Source,
    },
    /// The window is no window.
    #[error("the window is {interval}: expected at least 1ms")]
    Interval {
        /// The window.
        interval: GoDuration,
    },
}
