//! What stands for `{{ target }}` and its like in queries.

use std::collections::BTreeMap;

use crate::{
    compiled::Names,
    fault::FaultKind,
    ledger::Ledger,
    manifests::Document,
    place::Place,
    placeholder::{Unfilled, fill},
};

/// The variables that all queries of a canary share.
pub(super) struct Variables(pub(super) BTreeMap<&'static str, String>);

impl Variables {
    pub(super) fn new(document: &Document, spec: &Place<'_>, names: &Names) -> Self {
        let named = |reference: &str| {
            let name = spec.get(reference).and_then(|reference| reference.name_in("name").map(str::to_owned));
            name.unwrap_or_else(|| names.workload.clone())
        };
        Self(BTreeMap::from([
            ("name", document.name.clone()),
            ("namespace", document.namespace.clone().unwrap_or_else(|| "default".into())),
            ("target", names.workload.clone()),
            ("service", names.service.clone().unwrap_or_default()),
            ("ingress", named("ingressRef")),
            ("route", named("routeRef")),
        ]))
    }

    /// The query with its variables filled in, `variables.x` from the metric.
    pub(super) fn filled(
        &self,
        query: &Place<'_>,
        metric: &Place<'_>,
        interval: Option<&str>,
        ledger: &mut Ledger,
    ) -> Option<String> {
        let text = query.node.text()?;
        let own = metric.get("templateVariables");
        let lookup = |inside: &str| {
            let found = match inside.strip_prefix("variables.") {
                Some(name) => own.as_ref().and_then(|own| own.node.get(name)).and_then(|node| node.text()),
                None if inside == "interval" => interval,
                None => self.0.get(inside).map(String::as_str),
            };
            found.ok_or_else(|| inside.to_owned())
        };
        let message = match fill(text, lookup) {
            Ok(filled) => return Some(filled),
            Err(Unfilled::Open) => "`{{` without `}}`: close it, as in `{{ target }}`".to_owned(),
            Err(Unfilled::Unknown(inside)) if inside == "interval" => {
                let message = "the query uses `{{ interval }}`, and for a template there is no default: add \
                               `interval: 1m`";
                ledger.fault_in(metric, "interval", FaultKind::Missing, message);
                return None;
            }
            Err(Unfilled::Unknown(inside)) => match inside.strip_prefix("variables.") {
                Some(name) => {
                    let message = format!(
                        "the query uses `{{{{ {inside} }}}}`: add `{name}` to `templateVariables` of this metric"
                    );
                    ledger.fault_in(metric, "templateVariables", FaultKind::Missing, message);
                    return None;
                }
                None => format!(
                    "`{{{{ {inside} }}}}` is not supported: use one of name, namespace, target, service, ingress, \
                     route, interval and variables.NAME, without functions"
                ),
            },
        };
        ledger.fault(query, FaultKind::Unsupported, message);
        None
    }
}
