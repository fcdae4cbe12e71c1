//! The strategy `canary`.

use serinus_core::{
    capacity::Amount,
    rollout::{Background, Capacity, PlanSpec, Step},
    time::GoDuration,
    traffic::Weight,
};

use super::{Compiler, DEFAULT_KEPT, Drafted, step::Ladder};
use crate::{compiled::Strategy, fault::FaultKind, place::Place};

impl Compiler<'_> {
    pub(super) fn canary(&mut self, canary: &Place<'_>) -> Drafted {
        self.services(canary, "stableService", "canaryService");
        let routing = canary.get("trafficRouting");
        let capacity = self.capacity(canary, routing.as_ref());
        let (keep_old, keep_aborted) = self.kept(canary, routing.is_some());
        let (strategy, steps, starts) = self.steps(canary, routing.as_ref());
        let background = self.background(canary, &steps, &starts);
        let spec = PlanSpec { steps, background, capacity, keep_old, keep_aborted, ..PlanSpec::default() };
        (strategy, spec)
    }

    /// The steps of the plan, and for each step of the manifest where it begins among them.
    fn steps(
        &mut self,
        canary: &Place<'_>,
        routing: Option<&Place<'_>>,
    ) -> (Strategy, Vec<Step>, Vec<usize>) {
        let written = canary.items("steps");
        if written.is_empty() {
            return (Strategy::RollingUpdate, vec![Step::Weight(Weight::FULL)], Vec::new());
        }
        let most = routing
            .and_then(|routing| self.ledger.integer(routing, "maxTrafficWeight", 1..=i64::from(i32::MAX)))
            .unwrap_or(100);
        let mut ladder = Ladder::new(most, routing.cloned());
        let mut starts = Vec::new();
        for step in &written {
            starts.push(ladder.steps.len());
            self.step(step, &mut ladder);
        }
        (Strategy::Canary, ladder.steps, starts)
    }

    fn background(&mut self, canary: &Place<'_>, steps: &[Step], starts: &[usize]) -> Vec<Background> {
        let Some(written) = canary.get("analysis") else { return Vec::new() };
        let last = i64::try_from(starts.len().saturating_sub(1)).unwrap_or(i64::MAX);
        let first = self.ledger.integer(&written, "startingStep", 0..=last).unwrap_or(0);
        let start = starts.get(first as usize).copied().unwrap_or(0);
        let Some(analysis) = self.analysis(&written, false) else { return Vec::new() };
        vec![Background { analysis, during: start..steps.len() }]
    }

    fn capacity(&mut self, canary: &Place<'_>, routing: Option<&Place<'_>>) -> Capacity {
        let replicas = self.replicas();
        let max_surge = self.amount(canary, "maxSurge", MOST_SURGE);
        let max_unavailable = self.amount(canary, "maxUnavailable", 100);
        let ready_enough = self.ready_enough(canary);
        let dynamic_stable = canary.is_set("dynamicStableScale");
        let min_per_revision = self.ledger.count(canary, "minPodsPerReplicaSet").unwrap_or(0);
        let Some(routing) = routing else {
            for (name, set) in [
                ("dynamicStableScale", dynamic_stable),
                ("minPodsPerReplicaSet", min_per_revision > 0),
                ("replicaProgressThreshold", ready_enough.is_some()),
            ] {
                if set {
                    let message = "only with a router: add `trafficRouting`, or remove this";
                    self.ledger.fault_in(canary, name, FaultKind::Conflict, message);
                }
            }
            return Capacity::Counted { replicas, max_surge, max_unavailable };
        };
        self.routers(canary, routing);
        Capacity::Routed { replicas, dynamic_stable, min_per_revision, ready_enough }
    }

    fn routers(&mut self, canary: &Place<'_>, routing: &Place<'_>) {
        let routers = routing.fields().into_iter().map(|(name, _)| name);
        let routers: Vec<_> =
            routers.filter(|name| !matches!(*name, "managedRoutes" | "maxTrafficWeight")).collect();
        if routing.has("maxTrafficWeight") && !routers.iter().any(|name| matches!(*name, "nginx" | "plugins"))
        {
            let message =
                "a cluster takes this with nginx and plugins only: write the weights as percentages";
            self.ledger.warn(routing, "maxTrafficWeight", message);
        }
        // These split by other means than services.
        let splits_otherwise = routing.find(&["istio", "destinationRule"]).is_some()
            || routers.iter().any(|name| matches!(*name, "appMesh" | "plugins"))
            || canary.has("pingPong");
        for name in ["canaryService", "stableService"] {
            if !splits_otherwise && canary.name_in(name).is_none() {
                let message = "a cluster refuses this: the router splits between two services; name both";
                self.ledger.warn(canary, name, message);
            }
        }
        self.names.routers = routers.into_iter().map(str::to_owned).collect();
    }

    fn ready_enough(&mut self, canary: &Place<'_>) -> Option<Amount> {
        let threshold = canary.get("replicaProgressThreshold")?;
        let is_share = match threshold.text("type") {
            None | Some("" | "Percent") => true,
            Some("Pods" | "Pod") => false,
            Some(other) => {
                let message = format!("`{other}` is not a type of threshold: use Percent or Pods");
                self.ledger.fault_in(&threshold, "type", FaultKind::Invalid, message);
                return None;
            }
        };
        if is_share {
            self.ledger.integer(&threshold, "value", 0..=100).map(Amount::Percent)
        } else {
            self.ledger.count(&threshold, "value").map(Amount::Count)
        }
    }

    /// How long the old revision is kept after a promotion, and the candidate after an abort.
    fn kept(&mut self, canary: &Place<'_>, is_routed: bool) -> (GoDuration, Option<GoDuration>) {
        let written = self.ledger.seconds(canary, "scaleDownDelaySeconds");
        let shrinks = canary.is_set("dynamicStableScale");
        if written.is_some_and(|kept| !kept.is_zero()) && (!is_routed || shrinks) {
            let message = if is_routed {
                "the old revision is gone already with `dynamicStableScale`: remove one of the two"
            } else {
                "only with a router: add `trafficRouting`, or remove this"
            };
            self.ledger.fault_in(canary, "scaleDownDelaySeconds", FaultKind::Conflict, message);
        }
        if !is_routed {
            return (GoDuration::ZERO, Some(GoDuration::ZERO));
        }
        let keep_old = if shrinks { GoDuration::ZERO } else { written.unwrap_or(DEFAULT_KEPT) };
        (keep_old, self.keep_aborted(canary))
    }
}

/// In percent; ten times the application beside the application is a slip.
const MOST_SURGE: u32 = 1000;
