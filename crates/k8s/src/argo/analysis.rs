//! Templates flattened to one analysis.

use std::collections::VecDeque;

use regex::Regex;
use serinus_core::analysis::{Analysis, Metric};

use super::{Compiler, arguments::Arguments};
use crate::{fault::FaultKind, kind::Kind, manifests::Document, place::Place};

impl<'a> Compiler<'a> {
    /// Builds the analysis of a step or strategy and gives its place in the plan. One that blocks must be able to
    /// end.
    pub(super) fn analysis(&mut self, written: &Place<'_>, blocks: bool) -> Option<usize> {
        let templates = self.templates(written)?;
        let arguments = self.arguments(written, &templates);
        let mut metrics: Vec<(Place<'_>, Metric)> = Vec::new();
        for template in &templates {
            for metric in template.place().find(&["spec"]).iter().flat_map(|spec| spec.items("metrics")) {
                let Some(built) = self.metric(&metric, &arguments) else { continue };
                self.check_metric(&metric, &built, &metrics, blocks);
                metrics.push((metric, built));
            }
        }
        self.dry_runs(written, &templates, &mut metrics);
        self.retentions(written, &templates, &mut metrics);
        let names: Vec<_> = templates.iter().map(|template| template.name.as_str()).collect();
        let metrics = metrics.into_iter().map(|(_, metric)| metric).collect();
        self.analyses.push(Analysis { name: names.join("+"), metrics, rounds: None });
        Some(self.analyses.len() - 1)
    }

    /// The templates named, and those that they name, each once.
    fn templates(&mut self, written: &Place<'_>) -> Option<Vec<&'a Document>> {
        let manifests = self.manifests;
        let mut waiting: VecDeque<Place<'_>> = written.items("templates").into();
        if waiting.is_empty() {
            let message = "no template: add `- templateName: NAME` of an AnalysisTemplate";
            self.ledger.fault_in(written, "templates", FaultKind::Missing, message);
            return None;
        }
        let mut found: Vec<&'a Document> = Vec::new();
        let mut is_whole = true;
        while let Some(reference) = waiting.pop_front() {
            let Some(name) = reference.name_in("templateName") else {
                self.ledger.fault_in(
                    &reference,
                    "templateName",
                    FaultKind::Missing,
                    "add the name of a template",
                );
                is_whole = false;
                continue;
            };
            let is_cluster_wide = reference.is_set("clusterScope");
            let kind = if is_cluster_wide { Kind::ClusterAnalysisTemplate } else { Kind::AnalysisTemplate };
            let Some(template) = manifests.find(kind, self.document.namespace.as_deref(), name) else {
                let message = self.no_template(kind, name);
                self.ledger.fault_in(&reference, "templateName", FaultKind::Missing, message);
                is_whole = false;
                continue;
            };
            if found.iter().any(|old| old.is_same(template)) {
                let message = format!("`{name}` is included already: include it once");
                self.ledger.fault_in(&reference, "templateName", FaultKind::Conflict, message);
                is_whole = false;
                continue;
            }
            found.push(template);
            waiting.extend(template.place().find(&["spec"]).iter().flat_map(|spec| spec.items("templates")));
        }
        is_whole.then_some(found)
    }

    fn no_template(&self, kind: Kind, name: &str) -> String {
        let other = match kind {
            Kind::AnalysisTemplate => Kind::ClusterAnalysisTemplate,
            _ => Kind::AnalysisTemplate,
        };
        if self.manifests.find(other, self.document.namespace.as_deref(), name).is_some() {
            let scope = if other == Kind::ClusterAnalysisTemplate { "add" } else { "remove" };
            return format!("`{name}` is not {kind} but {other}: {scope} `clusterScope: true`");
        }
        format!(
            "there is no {kind} `{name}` among these files: add the file it is in; there: {}",
            self.manifests.names_of(kind)
        )
    }

    fn check_metric(
        &mut self,
        place: &Place<'_>,
        metric: &Metric,
        before: &[(Place<'_>, Metric)],
        blocks: bool,
    ) {
        if let Some((first, _)) = before.iter().find(|(_, other)| other.name == metric.name) {
            let message = format!(
                "a second metric `{}`; the first is in {}, line {}: rename one",
                metric.name, first.file, first.node.line
            );
            self.ledger.fault_in(place, "name", FaultKind::Conflict, message);
        }
        let ends =
            metric.interval.is_none() || metric.count.is_some() || metric.consecutive_success_limit.is_some();
        if blocks && !ends {
            let message = format!(
                "`{}` is measured for ever, and a step of `{}` waits for its end: add `count: 5` beside `interval`, \
                 or name the template in `spec.strategy.canary.analysis`, which runs beside the steps",
                metric.name, self.document.name
            );
            self.ledger.fault_in(place, "count", FaultKind::Missing, message);
        }
    }

    fn dry_runs(
        &mut self,
        written: &Place<'_>,
        templates: &[&Document],
        metrics: &mut [(Place<'_>, Metric)],
    ) {
        for rule in rules("dryRun", written, templates) {
            for index in self.fitting(&rule, metrics) {
                metrics[index].1.dry_run = true;
            }
        }
    }

    fn retentions(
        &mut self,
        written: &Place<'_>,
        templates: &[&Document],
        metrics: &mut [(Place<'_>, Metric)],
    ) {
        for rule in rules("measurementRetention", written, templates) {
            let Some(limit) = self.ledger.count(&rule, "limit") else { continue };
            for index in self.fitting(&rule, metrics) {
                let retention = &mut metrics[index].1.retention;
                *retention = limit.max(*retention);
            }
        }
    }

    /// The metrics a rule is about: those whose name its expression fits anywhere.
    fn fitting(&mut self, rule: &Place<'_>, metrics: &[(Place<'_>, Metric)]) -> Vec<usize> {
        let written = rule.text("metricName").unwrap_or_default();
        let expression = match Regex::new(written) {
            Ok(expression) => expression,
            Err(_) => {
                let message = format!("`{written}` is not a regular expression: for every metric write `.*`");
                self.ledger.fault_in(rule, "metricName", FaultKind::Invalid, message);
                return Vec::new();
            }
        };
        let fits = |index: &usize| expression.is_match(&metrics[*index].1.name);
        let fitting: Vec<_> = (0..metrics.len()).filter(fits).collect();
        if fitting.is_empty() && !metrics.is_empty() {
            let names: Vec<_> = metrics.iter().map(|(_, metric)| format!("`{}`", metric.name)).collect();
            let message = format!("`{written}` fits no metric: use one of {}", names.join(", "));
            self.ledger.fault_in(rule, "metricName", FaultKind::Missing, message);
        }
        fitting
    }

    fn arguments(&mut self, written: &Place<'_>, templates: &[&Document]) -> Arguments {
        Arguments::collect(&self.root, written, templates, &mut self.ledger)
    }
}

/// The rules of this name, of the step and of its templates.
fn rules<'a>(name: &str, written: &Place<'a>, templates: &[&'a Document]) -> Vec<Place<'a>> {
    let of_templates = templates.iter().filter_map(|template| template.place().get("spec"));
    std::iter::once(written.clone()).chain(of_templates).flat_map(|place| place.items(name)).collect()
}
