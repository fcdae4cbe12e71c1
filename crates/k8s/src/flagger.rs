//! Canaries of Flagger as plans.

mod ladder;
mod matching;
mod metrics;
mod variables;

use serinus_core::{
    analysis::{Analysis, FailureBudget, Rounds},
    capacity::Amount,
    rollout::{Capacity, DeadlineAction, Plan, PlanSpec, ProgressDeadline, Step},
    time::GoDuration,
    traffic::Weight,
};

use self::variables::Variables;
use crate::{
    compare,
    compiled::{Compiled, Names, Strategy},
    fault::{FaultKind, Faults},
    ledger::Ledger,
    manifests::{Document, Manifests},
    place::Place,
};

/// Compiles a Canary.
pub(crate) fn compile(manifests: &Manifests, document: &Document) -> Result<Compiled, Faults> {
    let root = document.place();
    let Some(spec) = root.get("spec") else {
        let message = "this Canary has no `spec`: add it, with `targetRef` and `analysis`";
        return Err(root.fault(FaultKind::Missing, message).into());
    };
    let mut ledger = Ledger::default();
    let names = names(&spec, &mut ledger);
    let metrics_server = spec.name_in("metricsServer").map(str::to_owned);
    let variables = Variables::new(document, &spec, &names);
    let mut compiler =
        Compiler { manifests, document, spec: spec.clone(), ledger, variables, metrics_server };
    let drafted = match spec.get("analysis") {
        Some(analysis) => Some(compiler.draft(&analysis)),
        None => {
            let message = "no analysis: add it, with `interval`, `threshold`, `stepWeight` and `metrics`";
            compiler.ledger.fault_in(&spec, "analysis", FaultKind::Missing, message);
            None
        }
    };
    if spec.is_set("suspend") {
        let message = "not supported yet: remove it, and pause the rollout while it runs";
        compiler.ledger.fault_in(&spec, "suspend", FaultKind::Unsupported, message);
    }
    let Compiler { mut ledger, metrics_server, .. } = compiler;
    if let (Some((strategy, drafted)), true) = (drafted, ledger.faults.is_empty()) {
        match Plan::try_from(drafted) {
            Ok(plan) => {
                return Ok(Compiled {
                    kind: document.kind,
                    name: document.name.clone(),
                    namespace: document.namespace.clone(),
                    strategy,
                    plan,
                    names,
                    metrics_server,
                    warnings: ledger.into_warnings(),
                });
            }
            Err(error) => ledger.fault_in(&spec, "analysis", FaultKind::Invalid, error.to_string()),
        }
    }
    Err(Faults::check(ledger.faults).err().unwrap_or_else(|| {
        // A draft is missing only together with a fault.
        spec.fault(FaultKind::Missing, "no analysis").into()
    }))
}

fn names(spec: &Place<'_>, ledger: &mut Ledger) -> Names {
    let target = spec.find(&["targetRef"]).and_then(|target| target.name_in("name"));
    if target.is_none() {
        let message = "no target: add `targetRef` with `apiVersion`, `kind` and `name` of the workload";
        ledger.fault_in(spec, "targetRef", FaultKind::Missing, message);
    }
    let workload = target.unwrap_or_default().to_owned();
    let service = spec.get("service");
    let apex = service.as_ref().and_then(|service| service.name_in("name")).unwrap_or(&workload).to_owned();
    let hosts = service.iter().flat_map(|service| service.items("hosts"));
    Names {
        stable_service: Some(format!("{apex}-primary")),
        candidate_service: Some(format!("{apex}-canary")),
        service: Some(apex),
        routers: spec.name_in("provider").map(str::to_owned).into_iter().collect(),
        hosts: hosts.filter_map(|host| host.node.text().map(str::to_owned)).collect(),
        workload,
    }
}

struct Compiler<'a> {
    manifests: &'a Manifests,
    document: &'a Document,
    spec: Place<'a>,
    ledger: Ledger,
    variables: Variables,
    metrics_server: Option<String>,
}

impl Compiler<'_> {
    fn draft(&mut self, analysis: &Place<'_>) -> (Strategy, PlanSpec) {
        let check = self.check(analysis);
        let (strategy, steps) = self.strategy(analysis, &check);
        let within = self.ledger.deadline(&self.spec);
        let capacity = self.capacity(analysis);
        let uses_check = steps.iter().any(|step| matches!(step, Step::Analyse(_)));
        let analyses = if uses_check { check.analysis.into_iter().collect() } else { Vec::new() };
        let mut spec = PlanSpec {
            steps,
            analyses,
            capacity,
            progress_deadline: Some(ProgressDeadline { within, then: DeadlineAction::Abort }),
            ..PlanSpec::default()
        };
        let added = compare::add(&self.document.place(), &mut spec, &mut self.ledger);
        if let Some(analysis) = added.and_then(|added| spec.analyses.get_mut(added)) {
            for metric in &mut analysis.metrics {
                self.name_the_subject(&mut metric.query);
            }
        }
        (strategy, spec)
    }

    /// What happens between two changes of the traffic.
    fn check(&mut self, analysis: &Place<'_>) -> Check {
        let interval = self.interval(analysis);
        let threshold = self.ledger.integer(analysis, "threshold", i64::MIN..=i64::from(i32::MAX));
        let budget = FailureBudget::Cumulative(threshold.filter(|threshold| *threshold > 0).unwrap_or(1));
        let metrics = self.metrics(analysis);
        let rounds = Rounds { interval, passes: 1, budget };
        let analysis = (!metrics.is_empty()).then(|| Analysis {
            name: self.document.name.clone(),
            metrics,
            rounds: Some(rounds),
        });
        Check { analysis, interval }
    }

    fn strategy(&mut self, analysis: &Place<'_>, check: &Check) -> (Strategy, Vec<Step>) {
        let iterations = self.ledger.integer(analysis, "iterations", 0..=MOST_ITERATIONS).unwrap_or(0);
        let matches = self.matches(analysis);
        let mirror = self.mirror(analysis);
        self.warn_of_provider(iterations == 0 || !matches.is_empty(), mirror.is_some());
        if self.spec.is_set("skipAnalysis") {
            return (Strategy::Unchecked, vec![Step::Switch]);
        }
        let mut steps = Vec::new();
        if iterations == 0 {
            let rungs = self.rungs(analysis);
            if !matches.is_empty() {
                let message = "weights within the matching requests are not supported yet: add `iterations` for an \
                               A/B test, or remove `match`";
                self.ledger.fault_in(analysis, "match", FaultKind::Unsupported, message);
            }
            if let Some(share) = mirror {
                steps.extend([Step::Mirror(share), check.step(), Step::Mirror(Weight::ZERO)]);
            }
            for rung in rungs {
                steps.extend([Step::Weight(rung), check.step()]);
            }
            return (Strategy::Canary, steps);
        }
        self.warn_of_unused_weights(analysis);
        let rounds = (0..iterations).map(|_| check.step());
        if matches.is_empty() {
            steps.extend(mirror.map(Step::Mirror));
            steps.extend(rounds);
            steps.extend(mirror.map(|_| Step::Mirror(Weight::ZERO)));
            steps.extend([Step::Switch, check.step()]);
            (Strategy::BlueGreen, steps)
        } else {
            if mirror.is_some() {
                let message = "requests that match are not mirrored, they are sent: remove one of the two";
                self.ledger.fault_in(analysis, "mirror", FaultKind::Conflict, message);
            }
            steps.push(Step::Match(matches));
            steps.extend(rounds);
            (Strategy::AbTest, steps)
        }
    }

    /// What the provider named cannot do in a cluster, and the data plane of a local run can.
    fn warn_of_provider(&mut self, splits: bool, mirrors: bool) {
        let spec = self.spec.clone();
        let provider = spec.name_in("provider").unwrap_or("istio");
        if splits && provider == "kubernetes" {
            let message = "in a cluster `kubernetes` splits no traffic: use `iterations` without `match`, or another \
                           provider";
            self.ledger.warn(&spec, "provider", message);
        }
        if mirrors && provider != "istio" && (splits || !provider.starts_with("gatewayapi")) {
            let message = format!(
                "in a cluster `{provider}` copies no requests, and the canary never advances: use istio"
            );
            self.ledger.warn(&spec, "provider", message);
        }
    }

    fn warn_of_unused_weights(&mut self, analysis: &Place<'_>) {
        for name in ["stepWeight", "stepWeights", "maxWeight", "stepWeightPromotion"] {
            if analysis.has(name) {
                let message = "plays no part beside `iterations`, which moves all traffic at once: remove it, or \
                               remove `iterations`";
                self.ledger.warn(analysis, name, message);
            }
        }
    }

    fn interval(&mut self, analysis: &Place<'_>) -> GoDuration {
        let Some(field) = analysis.get("interval") else { return DEFAULT_INTERVAL };
        let Some(text) = field.node.text().filter(|text| !text.is_empty()) else { return DEFAULT_INTERVAL };
        let Some(interval) = self.ledger.duration(&field, text) else { return DEFAULT_INTERVAL };
        if interval < LEAST_INTERVAL {
            let message =
                format!("{text} is below the least interval of Flagger, and counts as {LEAST_INTERVAL}");
            self.ledger.warn(analysis, "interval", message);
        }
        interval.max(LEAST_INTERVAL)
    }

    fn capacity(&mut self, analysis: &Place<'_>) -> Capacity {
        let target = self.spec.get("targetRef");
        let replicas = target.and_then(|target| {
            self.manifests.replicas_of(
                self.document.namespace.as_deref(),
                target.text("kind")?,
                target.text("name")?,
            )
        });
        let ready = self.ledger.integer(analysis, "canaryReadyThreshold", 0..=100);
        if self.ledger.integer(analysis, "primaryReadyThreshold", 0..=100).is_some_and(|ready| ready < 100) {
            let message =
                "has no effect here: only a rollback waits for stable's instances, and for all of them";
            self.ledger.warn(analysis, "primaryReadyThreshold", message);
        }
        Capacity::Routed {
            replicas: replicas.unwrap_or(1),
            dynamic_stable: false,
            min_per_revision: 0,
            ready_enough: ready.filter(|ready| *ready < 100).map(Amount::Percent),
        }
    }
}

/// The checks of one tick.
struct Check {
    /// Without metrics there is nothing to check, only time passes.
    analysis: Option<Analysis>,
    interval: GoDuration,
}

impl Check {
    /// One successful round. The step is repeated instead of one step with many rounds, so that all share the budget
    /// of failures, those after the switch too.
    fn step(&self) -> Step {
        if self.analysis.is_some() { Step::Analyse(0) } else { Step::Hold(Some(self.interval)) }
    }
}

const DEFAULT_INTERVAL: GoDuration = GoDuration::from_secs(60);
/// Flagger raises shorter intervals to this.
const LEAST_INTERVAL: GoDuration = GoDuration::from_secs(10);
/// Each iteration is a step of the plan; a week of them at the least interval.
const MOST_ITERATIONS: i64 = 60_480;
