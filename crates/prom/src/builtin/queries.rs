//! The built-in queries as PromQL.
//!
//! Series, labels and patterns are those Flagger reads (`fluxcd/flagger: pkg/metrics/observers`), with these
//! differences: names that go into a regular expression are escaped; where the objects of a mesh are named after the
//! service, the service is used rather than the workload; and a success rate without a single success is 0.

use serinus_core::{metric::Query, time::GoDuration};

use super::{Arm, ArmSelectors, Builtin, BuiltinError, Source, Variables};

pub(super) fn render(metric: Builtin, source: Source, variables: &Variables) -> Result<String, BuiltinError> {
    let names = Names { metric: metric.name(), source, variables };
    let window = window(variables.interval)?;
    let series = series(source, &names, Arm::Candidate)?;
    Ok(match metric {
        Builtin::SuccessRate => {
            let Counter { name, selector, good } = series.requests;
            format!(
                "100 * (sum(rate({name}{{{selector},{good}}}[{window}])) or vector(0)) \
                 / sum(rate({name}{{{selector}}}[{window}]))"
            )
        }
        Builtin::Duration => {
            let Timer { name, selector, unit, quantile } = series.times;
            let scale = match unit {
                Unit::Seconds => "1000 * ",
                Unit::Milliseconds => "",
            };
            if quantile {
                format!(
                    "{scale}histogram_quantile(0.99, sum by (le) (rate({name}_bucket{{{selector}}}[{window}])))"
                )
            } else {
                format!(
                    "{scale}sum(rate({name}_sum{{{selector}}}[{window}])) / sum(rate({name}_count{{{selector}}}[{window}]))"
                )
            }
        }
    })
}

/// What one arm counts, as selectors of raw counters.
pub(super) fn arm(arm: Arm, source: Source, variables: &Variables) -> Result<ArmSelectors, BuiltinError> {
    if source == Source::Apisix {
        return Err(BuiltinError::OneCount { source_name: source });
    }
    let names = Names { metric: Query::ARMS, source, variables };
    let Series { requests, times } = series(source, &names, arm)?;
    let Counter { name, selector, good } = requests;
    // What is not good has failed.
    let bad = match good.split_once('!') {
        Some((label, test)) if test.starts_with('~') => format!("{label}={test}"),
        Some((label, test)) => format!("{label}{test}"),
        None => return Err(BuiltinError::OneCount { source_name: source }),
    };
    let Timer { name: times, selector: of_times, unit, quantile } = times;
    Ok(ArmSelectors {
        requests: format!("{name}{{{selector}}}"),
        failures: format!("{name}{{{selector},{bad}}}"),
        buckets: quantile.then(|| format!("{times}_bucket{{{of_times}}}")),
        edges_in_milliseconds: matches!(unit, Unit::Milliseconds),
    })
}

fn series(source: Source, names: &Names<'_>, arm: Arm) -> Result<Series, BuiltinError> {
    use Unit::{Milliseconds, Seconds};
    let role = match arm {
        Arm::Candidate => "canary",
        Arm::Stable => "primary",
    };
    Ok(match source {
        Source::Istio => {
            let selector = format!(
                r#"reporter="destination",destination_workload_namespace="{}",destination_workload="{}""#,
                names.namespace()?,
                names.target()?
            );
            Series::of(
                ("istio_requests_total", r#"response_code!~"5..""#),
                ("istio_request_duration_milliseconds", Milliseconds),
                selector,
            )
        }
        Source::Linkerd => {
            let selector = format!(
                r#"namespace="{}",deployment="{}",direction="inbound""#,
                names.namespace()?,
                names.target()?
            );
            Series::of(
                ("response_total", r#"classification!="failure""#),
                ("response_latency_ms", Milliseconds),
                selector,
            )
        }
        Source::AppMesh => Series::envoy(names.pods()?),
        Source::Kubernetes => {
            // The histogram counts the requests, too.
            Series::of(
                ("http_request_duration_seconds_count", r#"status!~"5..""#),
                ("http_request_duration_seconds", Seconds),
                names.pods()?,
            )
        }
        Source::Nginx => {
            let track = match arm {
                Arm::Candidate => r#"canary!="""#,
                Arm::Stable => r#"canary="""#,
            };
            let selector =
                format!(r#"namespace="{}",ingress="{}",{track}"#, names.namespace()?, names.ingress()?);
            Series::of(
                ("nginx_ingress_controller_requests", r#"status!~"5..""#),
                ("nginx_ingress_controller_response_duration_seconds", Seconds),
                selector,
            )
            .mean()
        }
        Source::Skipper => {
            let route = format!(
                r#"route=~"kube(ew)?_{}__{}_canary__.*__{}_{role}(_[0-9]+)?""#,
                words(names.namespace()?),
                words(names.ingress()?),
                words(names.service()?)
            );
            Series {
                requests: Counter {
                    name: "skipper_response_duration_seconds_bucket",
                    selector: format!(r#"{route},le="+Inf""#),
                    good: r#"code!~"5..""#,
                },
                times: Timer {
                    name: "skipper_serve_route_duration_seconds",
                    selector: route,
                    unit: Seconds,
                    quantile: false,
                },
            }
        }
        Source::Contour => Series::envoy(format!(
            r#"envoy_cluster_name=~"{}_{}-{role}_[0-9a-zA-Z-]+""#,
            escaped(names.namespace()?),
            escaped(names.service()?)
        )),
        Source::Gloo => Series::envoy(format!(
            r#"envoy_cluster_name=~"{}-{}-{role}upstream-[0-9a-zA-Z-]+_[0-9a-zA-Z-]+""#,
            escaped(names.namespace()?),
            escaped(names.service()?)
        )),
        Source::Kuma => Series::envoy(format!(
            r#"service=~"{}-{role}_{}_svc_[0-9a-zA-Z-]+""#,
            escaped(names.service()?),
            escaped(names.namespace()?)
        )),
        Source::Knative => Series::envoy(format!(
            r#"envoy_cluster_name="{}/{}""#,
            names.namespace()?,
            names.knative_revision()?
        )),
        Source::Osm => {
            let selector = format!(
                r#"destination_namespace="{}",destination_kind="Deployment",destination_name="{}""#,
                names.namespace()?,
                names.target()?
            );
            Series::of(
                ("osm_request_total", r#"response_code!~"5..""#),
                ("osm_request_duration_ms", Milliseconds),
                selector,
            )
        }
        Source::Traefik => {
            let service = format!(
                r#"service=~"{}-{}-{role}-[0-9a-zA-Z-]+@kubernetescrd""#,
                escaped(names.namespace()?),
                escaped(names.service()?)
            );
            let mut series = Series::of(
                ("traefik_service_request_duration_seconds_bucket", r#"code!~"5..""#),
                ("traefik_service_request_duration_seconds", Seconds),
                service,
            );
            series.requests.selector.push_str(r#",le="+Inf""#);
            series
        }
        Source::Apisix => {
            let route = format!(
                r#"route=~"{}_{}-{}-canary_.+""#,
                escaped(names.namespace()?),
                escaped(names.route()?),
                escaped(names.service()?)
            );
            let mut series = Series::of(
                ("apisix_http_status", r#"code!~"5..""#),
                ("apisix_http_latency", Milliseconds),
                route,
            );
            series.times.selector.push_str(r#",type="request""#);
            series
        }
        Source::Envoy => Series::of(
            ("envoy_cluster_upstream_rq_xx", r#"envoy_response_code_class!="5""#),
            ("envoy_cluster_upstream_rq_time", Milliseconds),
            format!(r#"envoy_cluster_name="{}""#, names.cluster()?),
        ),
        Source::Serinus => Series::of(
            ("http_requests_total", r#"status!~"5..""#),
            ("http_request_duration_seconds", Seconds),
            format!(r#"revision="{}""#, names.candidate()?),
        ),
    })
}

/// What one source counts.
struct Series {
    requests: Counter,
    times: Timer,
}

impl Series {
    fn of(
        (requests, good): (&'static str, &'static str),
        (times, unit): (&'static str, Unit),
        selector: String,
    ) -> Self {
        Self {
            requests: Counter { name: requests, selector: selector.clone(), good },
            times: Timer { name: times, selector, unit, quantile: true },
        }
    }

    /// An Envoy that a mesh runs; its extended statistics tell the codes apart.
    fn envoy(selector: String) -> Self {
        Self::of(
            ("envoy_cluster_upstream_rq", r#"envoy_response_code!~"5..""#),
            ("envoy_cluster_upstream_rq_time", Unit::Milliseconds),
            selector,
        )
    }

    /// There is a sum and a count, but no buckets that say which side was asked.
    fn mean(mut self) -> Self {
        self.times.quantile = false;
        self
    }
}

struct Counter {
    name: &'static str,
    selector: String,
    good: &'static str,
}

struct Timer {
    name: &'static str,
    selector: String,
    unit: Unit,
    quantile: bool,
}

enum Unit {
    Seconds,
    Milliseconds,
}

/// The variables, checked when they are used.
struct Names<'a> {
    metric: &'static str,
    source: Source,
    variables: &'a Variables,
}

impl<'a> Names<'a> {
    fn namespace(&self) -> Result<&'a str, BuiltinError> {
        self.need("namespace", &[&self.variables.namespace])
    }

    fn target(&self) -> Result<&'a str, BuiltinError> {
        self.need("target", &[&self.variables.target])
    }

    fn service(&self) -> Result<&'a str, BuiltinError> {
        self.need("service", &[&self.variables.service, &self.variables.target])
    }

    fn ingress(&self) -> Result<&'a str, BuiltinError> {
        self.need("ingress", &[&self.variables.ingress, &self.variables.target])
    }

    fn route(&self) -> Result<&'a str, BuiltinError> {
        self.need("route", &[&self.variables.route, &self.variables.target])
    }

    fn candidate(&self) -> Result<&'a str, BuiltinError> {
        self.need("candidate", &[&self.variables.candidate])
    }

    fn knative_revision(&self) -> Result<&'a str, BuiltinError> {
        self.need("candidate", &[&self.variables.route, &self.variables.candidate])
    }

    fn cluster(&self) -> Result<&'a str, BuiltinError> {
        self.need("target", &[&self.variables.target, &self.variables.candidate])
    }

    /// The pods of a Deployment: its name, the hash of a template, an identifier. Two groups at most, so that the
    /// pods of `<target>-primary` do not match.
    fn pods(&self) -> Result<String, BuiltinError> {
        Ok(format!(
            r#"kubernetes_namespace="{}",kubernetes_pod_name=~"{}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)""#,
            self.namespace()?,
            escaped(self.target()?)
        ))
    }

    fn need(&self, variable: &'static str, choices: &[&'a Option<String>]) -> Result<&'a str, BuiltinError> {
        let found = choices.iter().find_map(|choice| choice.as_deref().filter(|value| !value.is_empty()));
        let Some(value) = found else {
            return Err(BuiltinError::Missing { metric: self.metric, source_name: self.source, variable });
        };
        if !value.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/@+".contains(c)) {
            return Err(BuiltinError::Variable { variable, value: value.to_owned() });
        }
        Ok(value)
    }
}

/// A window as PromQL writes it, to the millisecond.
pub(crate) fn window(interval: GoDuration) -> Result<String, BuiltinError> {
    let millis = interval.as_nanos() / 1_000_000;
    match millis {
        ..=0 => Err(BuiltinError::Interval { interval }),
        _ if millis % 1000 == 0 => Ok(format!("{}s", millis / 1000)),
        _ => Ok(format!("{millis}ms")),
    }
}

/// For a regular expression inside a PromQL string; of the characters that [`Names::need`] lets pass, only these
/// mean something there.
fn escaped(name: &str) -> String {
    name.replace('.', "[.]").replace('+', "[+]")
}

/// As Skipper names its routes.
fn words(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Variables {
        Variables {
            namespace: Some("shop".into()),
            target: Some("cart".into()),
            service: Some("cart-svc".into()),
            ingress: Some("front.door".into()),
            route: Some("main".into()),
            candidate: Some("cart-00002".into()),
            interval: GoDuration::from_mins(1),
        }
    }

    #[test]
    fn every_query_balances_its_brackets_and_names_the_window() {
        for source in Source::ALL {
            for metric in [Builtin::SuccessRate, Builtin::Duration] {
                let text = metric.render(source, &full()).unwrap();
                for (open, close) in [('(', ')'), ('{', '}'), ('[', ']')] {
                    assert_eq!(text.matches(open).count(), text.matches(close).count(), "{text}");
                }
                assert_eq!(text.matches('"').count() % 2, 0, "{text}");
                assert!(text.contains("[60s]"), "{text}");
            }
        }
    }

    #[test]
    fn every_source_says_what_it_is_missing() {
        for source in Source::ALL {
            let nothing = Variables::new(GoDuration::from_mins(1));
            let error = Builtin::SuccessRate.render(source, &nothing).unwrap_err();
            assert!(matches!(error, BuiltinError::Missing { .. }), "{source}: {error}");
        }
    }

    #[test]
    fn names_are_escaped_where_they_are_patterns() {
        let mut variables = full();
        variables.target = Some("cart.v2".into());
        let text = Builtin::SuccessRate.render(Source::AppMesh, &variables).unwrap();
        assert!(text.contains(r#"kubernetes_pod_name=~"cart[.]v2-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)""#), "{text}");
        let text = Builtin::SuccessRate.render(Source::Skipper, &variables).unwrap();
        assert!(
            text.contains(r#""kube(ew)?_shop__front_door_canary__.*__cart_svc_canary(_[0-9]+)?""#),
            "{text}"
        );
    }

    #[test]
    fn a_name_cannot_break_out_of_its_quotes() {
        let mut variables = full();
        variables.namespace = Some(r#"shop"} or vector(1) #"#.into());
        let error = Builtin::SuccessRate.render(Source::Istio, &variables).unwrap_err();
        assert!(matches!(error, BuiltinError::Variable { variable: "namespace", .. }), "{error}");
    }

    #[test]
    fn windows_are_written_as_prometheus_reads_them() {
        assert_eq!(window("1h30m".parse().unwrap()).unwrap(), "5400s");
        assert_eq!(window("1.5s".parse().unwrap()).unwrap(), "1500ms");
        assert!(window(GoDuration::ZERO).is_err());
        assert!(window("-1m".parse().unwrap()).is_err());
    }

    #[test]
    fn sources_are_read_with_and_without_versions() {
        for source in Source::ALL {
            assert_eq!(source.name().parse(), Ok(source));
        }
        assert_eq!("gatewayapi:v1beta1".parse(), Ok(Source::Kubernetes));
        assert_eq!("appmesh:v1beta2".parse(), Ok(Source::AppMesh));
        assert!("istio:service".parse::<Source>().is_err());
        assert!("".parse::<Source>().is_err());
    }
}
