//! The annotation that adds a comparison of candidate and stable to a manifest of Argo Rollouts or Flagger.

use serinus_core::{
    analysis::{Analysis, Compared, Comparison, Metric},
    rollout::{Background, PlanSpec, Step},
};

use crate::{fault::FaultKind, ledger::Ledger, place::Place};

/// Adds what the annotation asks for, beside the steps during which both arms take traffic, and says so in a warning.
/// The place of the added analysis among those of the plan.
pub(crate) fn add(root: &Place<'_>, spec: &mut PlanSpec, ledger: &mut Ledger) -> Option<usize> {
    let annotation = root.find(&["metadata", "annotations", ANNOTATION])?;
    let written = annotation.node.text()?;
    let metrics = match metrics(written) {
        Ok(metrics) => metrics,
        Err(message) => {
            ledger.fault(&annotation, FaultKind::Invalid, message);
            return None;
        }
    };
    let end = spec.steps.iter().position(is_full).unwrap_or(spec.steps.len());
    let Some(start) = spec.steps[..end].iter().position(leads_to_candidate) else {
        let message = "there is no step in which both revisions take traffic, so nothing can be compared: remove the \
                       annotation, or add steps with weights between 0 and 100";
        ledger.fault(&annotation, FaultKind::Conflict, message);
        return None;
    };
    let names: Vec<_> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    let message = format!(
        "adds to what the manifest says: {} of candidate and stable are compared beside steps {} to {end}; evidence \
         that the candidate is worse takes it back, and without evidence that it is not, it is not promoted",
        names.join(" and "),
        start + 1
    );
    ledger.warnings.push(annotation.fault(FaultKind::Warning, message));
    let analysis = spec.analyses.len();
    spec.analyses.push(Analysis::of(ANNOTATION, metrics).without_end());
    spec.background.push(Background { analysis, during: start..end });
    Some(analysis)
}

fn metrics(written: &str) -> Result<Vec<Metric>, String> {
    if written.trim() == "default" {
        return Ok(Comparison::defaults().into());
    }
    let mut metrics: Vec<Metric> = Vec::new();
    for name in written.split(',').map(str::trim) {
        let compared = match name {
            "failures" => Compared::Failures,
            "latency" => Compared::Latency,
            _ => return Err(format!("`{name}` is nothing that is compared: use {CHOICES}")),
        };
        if metrics.iter().any(|metric| metric.name == name) {
            return Err(format!("`{name}` stands here twice: use {CHOICES}"));
        }
        metrics.push(Comparison::of(compared).metric(name));
    }
    Ok(metrics)
}

fn leads_to_candidate(step: &Step) -> bool {
    match step {
        Step::Weight(share) | Step::Mirror(share) => !share.is_zero(),
        Step::Match(matches) => !matches.is_empty(),
        _ => false,
    }
}

fn is_full(step: &Step) -> bool {
    match step {
        Step::Weight(weight) => weight.is_full(),
        Step::Switch => true,
        _ => false,
    }
}

const ANNOTATION: &str = "serinus.dev/compare";
const CHOICES: &str = "`failures`, `latency`, `failures,latency` or `default`";
