//! The strategy `blueGreen`.

use serinus_core::{
    rollout::{CandidateScale, Capacity, PlanSpec, Step},
    time::GoDuration,
};

use super::{Compiler, DEFAULT_KEPT, Drafted};
use crate::{compiled::Strategy, fault::FaultKind, node::Value, place::Place};

impl Compiler<'_> {
    pub(super) fn blue_green(&mut self, blue_green: &Place<'_>) -> Drafted {
        self.services(blue_green, "activeService", "previewService");
        if self.names.stable_service.is_none() {
            let message = "add the name of the service that users call";
            self.ledger.fault_in(blue_green, "activeService", FaultKind::Missing, message);
        }
        let capacity = Capacity::Routed {
            replicas: self.replicas(),
            dynamic_stable: false,
            min_per_revision: 0,
            ready_enough: None,
        };
        let spec = PlanSpec {
            steps: self.trial(blue_green),
            capacity,
            keep_old: self.ledger.seconds(blue_green, "scaleDownDelaySeconds").unwrap_or(DEFAULT_KEPT),
            keep_aborted: self.keep_aborted(blue_green),
            preview: true,
            ..PlanSpec::default()
        };
        (Strategy::BlueGreen, spec)
    }

    /// Trial out of sight, the wait, the switch, and trial in sight.
    fn trial(&mut self, blue_green: &Place<'_>) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Some(replicas) =
            self.ledger.count(blue_green, "previewReplicaCount").filter(|count| *count > 0)
        {
            steps.push(Step::Scale(CandidateScale::Replicas(replicas)));
        }
        if let Some(analysis) = blue_green.get("prePromotionAnalysis") {
            steps.extend(self.analysis(&analysis, true).map(Step::Analyse));
        }
        let waits_for_person = blue_green
            .get("autoPromotionEnabled")
            .is_some_and(|enabled| matches!(enabled.node.value, Value::Bool(false)));
        let wait = self
            .ledger
            .seconds(blue_green, "autoPromotionSeconds")
            .filter(|wait: &GoDuration| !wait.is_zero());
        match (waits_for_person, wait) {
            // A wait with an end ends it, whether or not promotion is automatic otherwise.
            (_, Some(wait)) => steps.push(Step::Hold(Some(wait))),
            (true, None) => steps.push(Step::Hold(None)),
            (false, None) => {}
        }
        steps.push(Step::Switch);
        if let Some(analysis) = blue_green.get("postPromotionAnalysis") {
            steps.extend(self.analysis(&analysis, true).map(Step::Analyse));
        }
        steps
    }
}
