//! One error probability for a whole plan, shared by all that compares in it.

use super::{PlanError, PlanSpec, Step};
use crate::{
    analysis::{Analysis, Comparison, Judge, Metric},
    metric::Number,
};

/// The analyses of a plan, in order, each comparison with the error probability that it has within the plan: its own, or
/// its part, by weight, of what all of them leave of [`Comparison::ERROR_PROBABILITY`].
///
/// An analysis that steps name again goes on with the evidence it has, and counts once; beside the steps, each
/// background counts.
pub(super) fn shared(spec: &PlanSpec) -> Result<Vec<Analysis>, PlanError> {
    let uses: Vec<u32> = (0..spec.analyses.len()).map(|index| uses(spec, index)).collect();
    let deciding = || {
        let analyses = spec.analyses.iter().zip(&uses);
        analyses.flat_map(|(analysis, uses)| {
            let metrics = analysis.metrics.iter().filter(|metric| !metric.dry_run);
            metrics.filter_map(Metric::comparison).map(move |comparison| (comparison, f64::from(*uses)))
        })
    };
    let all = deciding().filter(|(_, uses)| *uses > 0.0);
    let taken: f64 = all.clone().filter_map(|(it, uses)| Some(it.error_probability?.get() * uses)).sum();
    let parts: f64 = all
        .filter(|(it, _)| it.error_probability.is_none())
        .map(|(it, uses)| f64::from(it.weight) * uses)
        .sum();
    let left = Comparison::ERROR_PROBABILITY - taken;
    let mut analyses = spec.analyses.clone();
    let comparing = uses.iter().zip(&analyses).filter(|(_, analysis)| analysis.compares());
    // One analysis shares it out by itself.
    if comparing.map(|(uses, _)| u64::from(*uses)).sum::<u64>() < 2 {
        return Ok(analyses);
    }
    for (index, analysis) in analyses.iter_mut().enumerate() {
        for metric in &mut analysis.metrics {
            let Judge::Compare(comparison) = &mut metric.judge else { continue };
            if comparison.error_probability.is_some() {
                continue;
            }
            if left <= 0.0 {
                return Err(PlanError::NoErrorProbabilityLeft {
                    place: format!("analyses[{index}]"),
                    metric: metric.name.clone(),
                    taken: Number::new(taken),
                });
            }
            // A dry run, or what nobody runs, decides nothing and takes nothing from the others.
            let weight = f64::from(comparison.weight);
            comparison.error_probability = Some(Number::new(left * weight / parts.max(weight)));
        }
    }
    Ok(analyses)
}

fn uses(spec: &PlanSpec, analysis: usize) -> u32 {
    let by_steps = spec.steps.iter().any(|step| matches!(step, Step::Analyse(index) if *index == analysis));
    let beside = spec.background.iter().filter(|background| background.analysis == analysis).count();
    u32::from(by_steps).saturating_add(u32::try_from(beside).unwrap_or(u32::MAX))
}
