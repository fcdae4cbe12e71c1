//! A `kayenta` metric: the canary config of the ConfigMap beside it, judged here.

use std::collections::BTreeMap;

use serinus_core::{
    analysis::{
        Judge,
        kayenta::{CanaryAnalysis, CanaryConfig, Scope, ScopePair},
    },
    metric::Query,
    time::GoDuration,
};

use super::{Compiler, arguments::Arguments};
use crate::{fault::FaultKind, place::Place};

impl Compiler<'_> {
    /// What is asked. Kayenta itself is not: its judge is built in.
    pub(super) fn canary_analysis(&mut self, kayenta: &Place<'_>, arguments: &Arguments) -> Option<Query> {
        let config = self.canary_config(kayenta, arguments);
        let scopes = self.scopes(kayenta, arguments);
        let message = "judged here, by the canary config among these files and what Prometheus answers: neither this \
                       address nor the accounts are used";
        self.ledger.warn(kayenta, "address", message);
        match (CanaryAnalysis { config: config?, scopes: scopes? }).query() {
            Ok(query) => Some(query),
            Err(error) => {
                self.ledger.fault(kayenta, FaultKind::Invalid, error.to_string());
                None
            }
        }
    }

    /// Whole numbers are compared, as Argo Rollouts does: 94.9 is 94.
    pub(super) fn score_thresholds(&mut self, metric: &Place<'_>, kayenta: &Place<'_>) -> Option<Judge> {
        for unused in ["successCondition", "failureCondition"] {
            if metric.name_in(unused).is_some() {
                self.ledger.warn(metric, unused, "has no effect: the score is judged by `threshold`");
            }
        }
        let Some(threshold) = kayenta.get("threshold") else {
            let message = "the score is judged by it: add `threshold: {pass: 90, marginal: 75}`";
            self.ledger.fault_in(kayenta, "threshold", FaultKind::Missing, message);
            return None;
        };
        let mut read = |name| {
            if !threshold.has(name) {
                self.ledger.fault_in(&threshold, name, FaultKind::Missing, "add a score, from 0 to 100");
            }
            self.ledger.integer(&threshold, name, 0..=100)
        };
        let (pass, marginal) = (read("pass"), read("marginal"));
        let (pass, marginal) = (pass?, marginal?);
        if marginal > pass {
            let message = format!("{marginal} is above `pass`, which is {pass}: use {pass} or less");
            self.ledger.fault_in(&threshold, "marginal", FaultKind::Conflict, message);
            return None;
        }
        let success = format!("int(result.score) >= {pass}").parse();
        let failure = format!("int(result.score) < {marginal}").parse();
        match (success, failure) {
            (Ok(success), Ok(failure)) => {
                Some(Judge::Conditions { success: Some(success), failure: Some(failure) })
            }
            (Err(error), _) | (_, Err(error)) => {
                self.ledger.fault(&threshold, FaultKind::Invalid, error.to_string());
                None
            }
        }
    }

    fn canary_config(&mut self, kayenta: &Place<'_>, arguments: &Arguments) -> Option<CanaryConfig> {
        let Some(field) = kayenta.get("canaryConfigName").filter(|field| field.node.text() != Some(""))
        else {
            let message = "add the name of a canary config";
            self.ledger.fault_in(kayenta, "canaryConfigName", FaultKind::Missing, message);
            return None;
        };
        let name = self.text(&field, arguments)?;
        let manifests = self.manifests;
        let key = format!("{name}.json");
        let Some(written) = manifests.config_entry(self.document.namespace.as_deref(), &key) else {
            let message = format!(
                "there is no ConfigMap with `{key}` in its `data` among these files: add one, with the JSON that \
                 Kayenta gives for `{name}`"
            );
            self.ledger.fault(&field, FaultKind::Missing, message);
            return None;
        };
        match written.node.text().unwrap_or_default().parse() {
            Ok(config) => Some(config),
            Err(error) => {
                let error: serinus_core::analysis::kayenta::ConfigError = error;
                self.ledger.fault(&written, FaultKind::Invalid, error.to_string());
                None
            }
        }
    }

    fn scopes(&mut self, kayenta: &Place<'_>, arguments: &Arguments) -> Option<BTreeMap<String, ScopePair>> {
        let written = kayenta.items("scopes");
        if written.is_empty() {
            let message = "add one with `name: default`, a `controlScope` and an `experimentScope`";
            self.ledger.fault_in(kayenta, "scopes", FaultKind::Missing, message);
            return None;
        }
        let mut scopes = BTreeMap::new();
        let mut is_whole = true;
        for pair in &written {
            let name = pair.name_in("name");
            if name.is_none() {
                self.ledger.fault_in(pair, "name", FaultKind::Missing, "add the name, such as `default`");
            }
            let control = self.scope(pair, "controlScope", arguments);
            let experiment = self.scope(pair, "experimentScope", arguments);
            let (Some(name), Some(control), Some(experiment)) = (name, control, experiment) else {
                is_whole = false;
                continue;
            };
            if scopes.insert(name.to_owned(), ScopePair { control, experiment }).is_some() {
                let message = format!("`{name}` is there already: rename one");
                self.ledger.fault_in(pair, "name", FaultKind::Conflict, message);
            }
        }
        is_whole.then_some(scopes)
    }

    fn scope(&mut self, pair: &Place<'_>, name: &str, arguments: &Arguments) -> Option<Scope> {
        let Some(scope) = pair.get(name) else {
            self.ledger.fault_in(pair, name, FaultKind::Missing, "a pair of scopes has both sides: add it");
            return None;
        };
        let mut text =
            |field: &str, missing: &str| match scope.get(field).filter(|field| field.node.text() != Some(""))
            {
                Some(field) => self.text(&field, arguments),
                None if missing.is_empty() => Some(String::new()),
                None => {
                    self.ledger.fault_in(&scope, field, FaultKind::Missing, missing);
                    None
                }
            };
        let named = text("scope", "add what stands for `${scope}` in the queries");
        let region = text("region", "");
        let start = text("start", "add `start: now() - duration(\"10m\")`, or a time");
        let end = text("end", "add `end: now()`, or a time");
        if !scope.has("step") {
            self.ledger.fault_in(&scope, "step", FaultKind::Missing, "add `step: 60`, in seconds");
        }
        let step = self.ledger.integer(&scope, "step", 1..=i64::from(i32::MAX));
        Some(Scope {
            scope: named?,
            region: region?,
            start: start?,
            end: end?,
            step: GoDuration::from_secs(step?.into()),
        })
    }
}
