//! The weights a canary takes, one after the other.

use serinus_core::traffic::Weight;

use super::Compiler;
use crate::{fault::FaultKind, node::Value, place::Place};

impl Compiler<'_> {
    /// The rungs: in steps of `stepWeight` until `maxWeight` is reached or passed, or those of `stepWeights`.
    pub(super) fn rungs(&mut self, analysis: &Place<'_>) -> Vec<Weight> {
        let step = self.ledger.integer(analysis, "stepWeight", 0..=100).unwrap_or(0);
        let most =
            self.ledger.integer(analysis, "maxWeight", 0..=100).filter(|most| *most > 0).unwrap_or(100);
        let listed = self.listed(analysis);
        if analysis.integer("stepWeightPromotion").is_some_and(|step| step > 0) {
            let message = "has no effect here: a promoted revision gets all traffic at once";
            self.ledger.warn(analysis, "stepWeightPromotion", message);
        }
        let is_at_fault = analysis.has("stepWeight") && analysis.integer("stepWeight") != Some(0);
        let rungs = match (step, listed.last()) {
            (0, None) => {
                if !is_at_fault && !analysis.has("stepWeights") {
                    let message = "the weight would never grow: add `stepWeight: 10`, or `stepWeights`, or \
                                   `iterations` to move all traffic at once";
                    self.ledger.fault_in(analysis, "stepWeight", FaultKind::Missing, message);
                }
                Vec::new()
            }
            (0, Some(_)) => listed,
            // A list beside a step only says where to stop.
            (step, top) => climb(step, top.copied().unwrap_or(most)),
        };
        rungs.into_iter().filter_map(|percent| Weight::try_percent(percent.into()).ok()).collect()
    }

    fn listed(&mut self, analysis: &Place<'_>) -> Vec<u32> {
        let mut listed: Vec<u32> = Vec::new();
        for item in analysis.items("stepWeights") {
            let Value::Integer(weight) = item.node.value else { continue };
            let before = listed.last().copied().unwrap_or(0);
            match u32::try_from(weight).ok().filter(|weight| (1..=100).contains(weight)) {
                Some(weight) if weight > before => listed.push(weight),
                Some(weight) => {
                    let message = format!(
                        "{weight} is not above the {before} before it, and a weight never falls: use more than \
                         {before}, or remove it"
                    );
                    self.ledger.fault(&item, FaultKind::Invalid, message);
                }
                None => {
                    let message = format!("{weight} is out of range: use 1 to 100");
                    self.ledger.fault(&item, FaultKind::Invalid, message);
                }
            }
        }
        listed
    }

    /// The share of requests to copy before the first weight, if any are to be.
    pub(super) fn mirror(&mut self, analysis: &Place<'_>) -> Option<Weight> {
        let share = self.ledger.integer(analysis, "mirrorWeight", 0..=100).filter(|share| *share > 0);
        if !analysis.is_set("mirror") {
            if share.is_some() {
                self.ledger.warn(analysis, "mirrorWeight", "plays no part without `mirror: true`: add that");
            }
            return None;
        }
        Weight::try_percent(share.unwrap_or(100).into()).ok()
    }
}

/// Up in equal steps until the top is reached or passed.
fn climb(step: u32, top: u32) -> Vec<u32> {
    let mut rungs = Vec::new();
    let mut weight = 0;
    while weight < top {
        weight = (weight + step).min(100);
        rungs.push(weight);
    }
    rungs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_ends_at_or_above_its_top() {
        assert_eq!(climb(10, 50), [10, 20, 30, 40, 50]);
        assert_eq!(climb(20, 50), [20, 40, 60]);
        assert_eq!(climb(60, 100), [60, 100]);
        assert_eq!(climb(100, 1), [100]);
    }
}
