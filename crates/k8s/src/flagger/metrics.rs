//! The metrics of a canary.

use serinus_core::{
    analysis::{Judge, Metric},
    metric::{Number, Query},
    time::GoDuration,
};

use super::Compiler;
use crate::{fault::FaultKind, kind::Kind, place::Place};

impl Compiler<'_> {
    /// Every check of every entry: an entry may ask a built-in metric, a query of its own and a template, and all
    /// must pass.
    pub(super) fn metrics(&mut self, analysis: &Place<'_>) -> Vec<Metric> {
        let mut metrics: Vec<Metric> = Vec::new();
        for entry in analysis.items("metrics") {
            for (suffix, metric) in self.entry(&entry) {
                let Some(mut metric) = metric else { continue };
                let name = entry.name_in("name").unwrap_or("metric");
                let is_taken =
                    |name: &str, metrics: &[Metric]| metrics.iter().any(|other| other.name == name);
                metric.name = name.to_owned();
                if is_taken(&metric.name, &metrics) {
                    metric.name = format!("{name} ({suffix})");
                }
                let mut number = 2;
                while is_taken(&metric.name, &metrics) {
                    metric.name = format!("{name} ({suffix} {number})");
                    number += 1;
                }
                metrics.push(metric);
            }
        }
        metrics
    }

    /// The checks of one entry, each with a word for it; `None` for one that is at fault.
    fn entry(&mut self, entry: &Place<'_>) -> Vec<(&'static str, Option<Metric>)> {
        let name = entry.name_in("name").unwrap_or_default();
        let is_builtin = name == Query::SUCCESS_RATE || name == Query::DURATION;
        let mut checks = Vec::new();
        if is_builtin {
            checks.push(("built-in", self.builtin(entry, name)));
        }
        if let Some(query) = entry.get("query").filter(|query| query.node.text() != Some("")) {
            checks.push(("query", self.inline(entry, &query)));
        }
        if let Some(template) = entry.get("templateRef") {
            checks.push(("template", self.template(entry, &template)));
        }
        if checks.is_empty() {
            let message = format!(
                "nothing to measure: name it `{}` or `{}`, or add `templateRef` or `query`",
                Query::SUCCESS_RATE,
                Query::DURATION
            );
            self.ledger.fault_in(entry, "name", FaultKind::Missing, message);
        }
        checks
    }

    fn builtin(&mut self, entry: &Place<'_>, name: &str) -> Option<Metric> {
        let window = match entry.get("interval").filter(|field| field.node.text() != Some("")) {
            Some(field) => self.ledger.duration(&field, field.node.text()?)?,
            None => DEFAULT_WINDOW,
        };
        if window.is_zero() {
            self.ledger.fault_in(entry, "interval", FaultKind::Invalid, "a rate over no time: use 1m");
            return None;
        }
        let mut query = Query::builtin(name, window);
        self.name_the_subject(&mut query);
        let judge = self.judge(entry, name == Query::SUCCESS_RATE);
        Some(measured(query, judge))
    }

    /// Tells a built-in query what it is about, and who counts.
    pub(super) fn name_the_subject(&self, query: &mut Query) {
        let about = self.variables.0.iter().filter(|(name, _)| **name != "name");
        query.settings = about.map(|(name, value)| ((*name).into(), value.clone())).collect();
        let source = self.spec.name_in("provider").map(source);
        query.settings.extend(source.map(|source| ("source".into(), source.into())));
        self.settle(query);
    }

    fn inline(&mut self, entry: &Place<'_>, text: &Place<'_>) -> Option<Metric> {
        let interval = entry.name_in("interval").unwrap_or("1m");
        let text = self.variables.filled(text, entry, Some(interval), &mut self.ledger)?;
        let mut query = Query::new("prometheus", text);
        self.settle(&mut query);
        Some(measured(query, self.judge(entry, false)))
    }

    fn template(&mut self, entry: &Place<'_>, reference: &Place<'_>) -> Option<Metric> {
        let manifests = self.manifests;
        let Some(name) = reference.name_in("name") else {
            self.ledger.fault_in(reference, "name", FaultKind::Missing, "add the name of a MetricTemplate");
            return None;
        };
        let namespace = reference.name_in("namespace").or(self.document.namespace.as_deref());
        let Some(template) = manifests.find(Kind::MetricTemplate, namespace, name) else {
            let message = format!(
                "there is no MetricTemplate `{name}` among these files: add the file it is in; there: {}",
                manifests.names_of(Kind::MetricTemplate)
            );
            self.ledger.fault_in(reference, "name", FaultKind::Missing, message);
            return None;
        };
        let root = template.place();
        let spec = root.get("spec");
        let provider = spec.as_ref().and_then(|spec| spec.get("provider"));
        match provider.as_ref().and_then(|provider| provider.name_in("type")) {
            Some("prometheus") => {}
            Some(other) => {
                let message =
                    format!("`{other}` is not supported yet: only `prometheus` answers so far; ask it");
                let provider = provider.as_ref()?;
                self.ledger.fault_in(provider, "type", FaultKind::Unsupported, message);
                return None;
            }
            None => {
                let place = provider.as_ref().or(spec.as_ref()).unwrap_or(&root);
                self.ledger.fault(place, FaultKind::Missing, "no provider: add `provider.type: prometheus`");
                return None;
            }
        }
        let (spec, provider) = (spec?, provider?);
        let Some(text) = spec.get("query").filter(|query| query.node.text() != Some("")) else {
            self.ledger.fault_in(&spec, "query", FaultKind::Missing, "add the query, in PromQL");
            return None;
        };
        let text = self.variables.filled(&text, entry, entry.name_in("interval"), &mut self.ledger)?;
        let mut query = Query::new("prometheus", text);
        query.settings.insert("shape".into(), "flagger".into());
        query.settings.extend(provider.name_in("address").map(|address| ("address".into(), address.into())));
        for (name, value) in provider.get("headers").map(|headers| headers.fields()).unwrap_or_default() {
            query.settings.extend(value.node.text().map(|value| (format!("header.{name}"), value.into())));
        }
        if provider.is_set("insecureSkipVerify") {
            query.settings.insert("insecure".into(), "true".into());
        }
        Some(measured(query, self.judge(entry, false)))
    }

    /// What the canary's own queries share.
    fn settle(&self, query: &mut Query) {
        query.settings.insert("shape".into(), "flagger".into());
        query.settings.extend(self.metrics_server.clone().map(|address| ("address".into(), address)));
    }

    /// `thresholdRange`, else the old `threshold`: a least value for the success rate, a greatest for all others.
    fn judge(&mut self, entry: &Place<'_>, is_success_rate: bool) -> Judge {
        if let Some(range) = entry.get("thresholdRange") {
            let (min, max) = (range.number("min"), range.number("max"));
            match (min, max) {
                (None, None) => {
                    self.ledger.warn(entry, "thresholdRange", "every value passes: add `min` or `max`");
                }
                (Some(min), Some(max)) if min > max => {
                    let message = format!("no value is both {min} or more and {max} or less: exchange them");
                    self.ledger.fault(&range, FaultKind::Invalid, message);
                }
                _ => {}
            }
            return Judge::Range { min: min.map(Number::new), max: max.map(Number::new) };
        }
        if !entry.has("threshold") {
            let message = if is_success_rate {
                "no threshold, so every value passes: add `min: 99`"
            } else {
                "no threshold, so every value above 0 fails: add `max: 500`"
            };
            self.ledger.warn(entry, "thresholdRange", message);
        }
        let threshold = Some(Number::new(entry.number("threshold").unwrap_or(0.0)));
        if is_success_rate {
            Judge::Range { min: threshold, max: None }
        } else {
            Judge::Range { min: None, max: threshold }
        }
    }
}

/// Whose metrics a provider's built-in queries ask for; what Flagger does not know counts as Istio there.
fn source(provider: &str) -> &str {
    match provider {
        "linkerd" | "contour" | "nginx" | "skipper" | "traefik" | "osm" | "kuma" | "apisix" | "knative" => {
            provider
        }
        _ if provider.starts_with("appmesh") => "appmesh",
        _ if provider.starts_with("gloo") => "gloo",
        _ if provider.starts_with("gatewayapi") || provider == "kubernetes" => "kubernetes",
        _ => "istio",
    }
}

fn measured(query: Query, judge: Judge) -> Metric {
    let mut metric = Metric::new(String::new(), query, judge);
    metric.timeout = TIMEOUT;
    metric
}

/// Over which Flagger takes rates where nothing is said.
const DEFAULT_WINDOW: GoDuration = GoDuration::from_secs(60);
/// How long Flagger waits for Prometheus.
const TIMEOUT: GoDuration = GoDuration::from_secs(5);
