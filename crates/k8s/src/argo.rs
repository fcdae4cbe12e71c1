//! Rollouts of Argo Rollouts as plans.

mod analysis;
mod arguments;
mod blue_green;
mod canary;
mod field_path;
mod kayenta;
mod metric;
mod step;

use serinus_core::{
    analysis::Analysis,
    capacity::Amount,
    rollout::{DeadlineAction, Plan, PlanSpec, ProgressDeadline},
    time::GoDuration,
};

use self::arguments::Arguments;
use crate::{
    compare,
    compiled::{Compiled, Names, Strategy},
    fault::{Fault, FaultKind, Faults},
    kind::Kind,
    ledger::Ledger,
    manifests::{Document, Manifests},
    node::Value,
    place::Place,
};

/// Compiles a Rollout.
pub(crate) fn compile(manifests: &Manifests, document: &Document) -> Result<Compiled, Faults> {
    let root = document.place();
    let Some(spec) = root.get("spec") else {
        return Err(root
            .fault(FaultKind::Missing, "this Rollout has no `spec`: add it, with a `strategy`")
            .into());
    };
    let mut compiler = Compiler::new(manifests, document, root.clone(), spec.clone());
    compiler.check_cluster_fields();
    let drafted = match (spec.find(&["strategy", "canary"]), spec.find(&["strategy", "blueGreen"])) {
        (Some(canary), None) => Some(compiler.canary(&canary)),
        (None, Some(blue_green)) => Some(compiler.blue_green(&blue_green)),
        (Some(_), Some(blue_green)) => {
            let message = "a rollout has one strategy, and this has `canary` too: remove one of the two";
            compiler.ledger.fault(&blue_green, FaultKind::Conflict, message);
            None
        }
        (None, None) => {
            let message =
                "no strategy: write `canary: {}` for a rolling update, `canary` with `steps`, or `blueGreen`";
            compiler.ledger.fault_in(&spec, "strategy", FaultKind::Missing, message);
            None
        }
    };
    let deadline = compiler.progress_deadline();
    let Compiler { mut ledger, analyses, names, .. } = compiler;
    let drafted = drafted.map(|(strategy, drafted)| {
        let mut plan = PlanSpec { analyses, progress_deadline: Some(deadline), ..drafted };
        compare::add(&root, &mut plan, &mut ledger);
        (strategy, plan)
    });
    if let (Some((strategy, spec_of_plan)), true) = (drafted, ledger.faults.is_empty()) {
        match Plan::try_from(spec_of_plan) {
            Ok(plan) => {
                return Ok(Compiled {
                    kind: document.kind,
                    name: document.name.clone(),
                    namespace: document.namespace.clone(),
                    strategy,
                    plan,
                    names,
                    metrics_server: None,
                    warnings: ledger.into_warnings(),
                });
            }
            Err(error) => ledger.fault_in(&spec, "strategy", FaultKind::Invalid, error.to_string()),
        }
    }
    Err(Faults::check(ledger.faults).err().unwrap_or_else(|| {
        // A draft is missing only together with a fault.
        spec.fault(FaultKind::Missing, "no strategy").into()
    }))
}

/// The faults in a template that no rollout uses.
pub(crate) fn check_template(manifests: &Manifests, document: &Document) -> Vec<Fault> {
    let root = document.place();
    let (Kind::AnalysisTemplate | Kind::ClusterAnalysisTemplate, Some(spec)) =
        (document.kind, root.get("spec"))
    else {
        return Vec::new();
    };
    let metrics = spec.items("metrics");
    let mut compiler = Compiler::new(manifests, document, root, spec);
    let arguments = Arguments::unset(&compiler.spec);
    for metric in &metrics {
        compiler.metric(metric, &arguments);
    }
    compiler.ledger.faults
}

/// What a strategy compiles to, but for the analyses and what all strategies share.
type Drafted = (Strategy, PlanSpec);

struct Compiler<'a> {
    manifests: &'a Manifests,
    document: &'a Document,
    root: Place<'a>,
    spec: Place<'a>,
    ledger: Ledger,
    analyses: Vec<Analysis>,
    names: Names,
}

impl<'a> Compiler<'a> {
    fn new(manifests: &'a Manifests, document: &'a Document, root: Place<'a>, spec: Place<'a>) -> Self {
        let names = Names { workload: document.name.clone(), ..Names::default() };
        Self { manifests, document, root, spec, ledger: Ledger::default(), analyses: Vec::new(), names }
    }

    /// What a cluster would refuse and a local run does not need.
    fn check_cluster_fields(&mut self) {
        let spec = self.spec.clone();
        if spec.is_set("paused") {
            let message = "not supported yet: remove it, and pause the rollout while it runs";
            self.ledger.fault_in(&spec, "paused", FaultKind::Unsupported, message);
        }
        if let Some(workload) = spec.get("workloadRef") {
            if let Some(name) = workload.name_in("name") {
                self.names.workload = name.to_owned();
            }
            if let Some(mode) = workload.name_in("scaleDown").filter(|mode| *mode != "never") {
                let message = format!(
                    "`{mode}` is not supported yet: use `never`, and scale the workload down by hand"
                );
                self.ledger.fault_in(&workload, "scaleDown", FaultKind::Unsupported, message);
            }
            return;
        }
        let Some(labels) = spec.find(&["template", "metadata", "labels"]) else {
            let message = "a cluster refuses this: add `metadata.labels` that `spec.selector` selects";
            return self.ledger.warn(&spec, "template", message);
        };
        let Some(selector) = spec.get("selector") else {
            let message = "a cluster refuses this: add `matchLabels` with labels of `spec.template`";
            return self.ledger.warn(&spec, "selector", message);
        };
        for (name, wanted) in selector.get("matchLabels").map(|labels| labels.fields()).unwrap_or_default() {
            if labels.text(name) != wanted.node.text() {
                let message =
                    "a cluster refuses this: the labels of `spec.template` must have the same label";
                self.ledger.warnings.push(wanted.fault(FaultKind::Warning, message));
            }
        }
    }

    fn progress_deadline(&mut self) -> ProgressDeadline {
        let within = self.ledger.deadline(&self.spec);
        let aborts = self.spec.is_set("progressDeadlineAbort");
        ProgressDeadline { within, then: if aborts { DeadlineAction::Abort } else { DeadlineAction::Hold } }
    }

    /// The number of replicas; of the workload named, if that is among the manifests; else one.
    fn replicas(&mut self) -> u32 {
        let own = self.ledger.count(&self.spec, "replicas");
        let named = || {
            let workload = self.spec.get("workloadRef")?;
            self.manifests.replicas_of(
                self.document.namespace.as_deref(),
                workload.text("kind")?,
                workload.text("name")?,
            )
        };
        own.or_else(named).unwrap_or(1)
    }

    /// Two services that must not be one.
    fn services(&mut self, strategy: &Place<'_>, stable: &str, candidate: &str) {
        let (stable_service, candidate_service) = (strategy.name_in(stable), strategy.name_in(candidate));
        if let (Some(service), true) = (stable_service, stable_service == candidate_service) {
            let message = format!("`{service}` is the `{stable}` too: name another service");
            self.ledger.fault_in(strategy, candidate, FaultKind::Conflict, message);
        }
        self.names.stable_service = stable_service.map(str::to_owned);
        self.names.candidate_service = candidate_service.map(str::to_owned);
    }

    /// How long the candidate is kept after an abort: 30 seconds, and with zero for ever.
    fn keep_aborted(&mut self, strategy: &Place<'_>) -> Option<GoDuration> {
        let kept = self.ledger.seconds(strategy, "abortScaleDownDelaySeconds").unwrap_or(DEFAULT_KEPT);
        (!kept.is_zero()).then_some(kept)
    }

    /// A number of instances, or a share of them; any text is a share, with or without its sign.
    fn amount(&mut self, place: &Place<'_>, name: &str, most: u32) -> Amount {
        let otherwise = DEFAULT_AMOUNT;
        let Some(field) = place.get(name) else { return otherwise };
        match &field.node.value {
            Value::Integer(_) => self.ledger.count(place, name).map_or(otherwise, Amount::Count),
            Value::Text(text) => match text.strip_suffix('%').unwrap_or(text).parse::<u32>() {
                Ok(share) if share <= most => Amount::Percent(share),
                _ => {
                    let message = format!("`{text}` is not an amount: use a whole number, or 0% to {most}%");
                    self.ledger.fault(&field, FaultKind::Invalid, message);
                    otherwise
                }
            },
            _ => otherwise,
        }
    }
}

/// What Argo Rollouts lets surge, and lets be missing.
const DEFAULT_AMOUNT: Amount = Amount::Percent(25);
/// How long Argo Rollouts keeps what takes no traffic any more.
const DEFAULT_KEPT: GoDuration = GoDuration::from_secs(30);
