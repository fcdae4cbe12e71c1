//! From files to a plan that can run here.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serinus::{
    analysis::kayenta::CanaryAnalysis,
    metric::Query,
    rollout::{Plan, PlanSpec},
    time::GoDuration,
};
use serinus_k8s::{Compiled, Mode, Source, Strategy, read};

use crate::{
    arguments::Arguments,
    pace,
    problem::{Because as _, Problem},
    promql,
};

/// A manifest, ready to run.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) compiled: Compiled,
    /// The compiled plan, adapted to the surroundings here.
    pub(crate) plan: Plan,
    /// What was adapted, and what is probably not as it was meant.
    pub(crate) remarks: Vec<String>,
}

/// Reads the manifests that are asked for. They may ask for a smaller speed than the usual one.
pub(crate) fn load(arguments: &mut Arguments) -> Result<Manifest, Problem> {
    let sources = if arguments.manifest.is_empty() { vec![default()] } else { files(&arguments.manifest)? };
    prepare(compile(&sources, arguments.name.as_deref())?, arguments)
}

/// The two ways to judge a candidate that is a little worse than stable: by a threshold, and by comparing.
pub(crate) fn rivals(arguments: &mut Arguments) -> Result<[Manifest; 2], Problem> {
    let mut ready = |name: &str, text: &str| prepare(compile(&[Source::new(name, text)], None)?, arguments);
    Ok([
        ready("examples/manifests/checkout-canary.yaml", THRESHOLD)?,
        ready("examples/manifests/checkout-delivery.yaml", COMPARISON)?,
    ])
}

/// The files as sources.
pub(crate) fn files(files: &[PathBuf]) -> Result<Vec<Source>, Problem> {
    files.iter().map(|file| Ok(Source::new(file.display().to_string(), text(file)?))).collect()
}

/// The rollout of this name in the sources, or the only one.
pub(crate) fn compile(sources: &[Source], name: Option<&str>) -> Result<Compiled, Problem> {
    let manifests = read(sources, Mode::Strict).map_err(|faults| Problem::new(faults.to_string()))?;
    let compiled = match name {
        Some(name) => manifests.compile(name),
        None => manifests.compile_only(),
    };
    compiled.map_err(|faults| Problem::new(faults.to_string()))
}

fn default() -> Source {
    Source::new("examples/manifests/podinfo-canary.yaml", DEFAULT)
}

fn prepare(compiled: Compiled, arguments: &mut Arguments) -> Result<Manifest, Problem> {
    let mut remarks: Vec<_> = compiled.warnings.iter().map(|warning| format!("warning: {warning}")).collect();
    let mut spec: PlanSpec = compiled.plan.clone().into();
    // Where all traffic moves at once, those who try the candidate before do it at its own address.
    spec.preview |= compiled.strategy == Strategy::BlueGreen;
    pace::settle(arguments, &spec, &mut remarks)?;
    let plan = adapt(spec, arguments, &mut remarks)?;
    Ok(Manifest { compiled, plan, remarks })
}

fn text(file: &Path) -> Result<String, Problem> {
    fs::read_to_string(file).because(format!("cannot read `{}`", file.display()))
}

/// Lets the plan's questions go to what answers here, over windows that fit the speed.
fn adapt(mut spec: PlanSpec, arguments: &Arguments, remarks: &mut Vec<String>) -> Result<Plan, Problem> {
    let speed = arguments.speed();
    let metrics = spec.analyses.iter_mut().flat_map(|analysis| &mut analysis.metrics);
    for metric in metrics {
        // An answer takes as long as it takes, however fast the rollout's time goes by.
        metric.timeout = GoDuration::from_nanos((metric.timeout.as_nanos() as f64 * speed) as i64);
        let query = &mut metric.query;
        match query.provider.as_str() {
            Query::BUILTIN => {
                query.settings.clear();
                if arguments.uses_prometheus() {
                    let source = if arguments.envoy.is_some() { "envoy" } else { "serinus" };
                    query.settings.insert("source".into(), source.into());
                    if query.text != Query::ARMS {
                        let window = query.window.unwrap_or(GoDuration::from_mins(1));
                        query.window = Some(promql::scaled(window, speed));
                    }
                }
            }
            "prometheus" if arguments.uses_prometheus() => {
                // The address, and how to be let in there, are those of the cluster.
                let is_foreign = |key: &str| {
                    key == "address" || key == "insecure" || key == "timeout" || key.starts_with("header.")
                };
                query.settings.retain(|key, _| !is_foreign(key));
                query.window = query.window.map(|window| promql::scaled(window, speed));
                query.text = promql::with_scaled_windows(&query.text, speed);
                let flat: Vec<_> = query.text.split_whitespace().collect();
                remarks.push(format!(
                    "`{}` asks, with windows {speed} times shorter: {}",
                    metric.name,
                    flat.join(" ")
                ));
            }
            CanaryAnalysis::PROVIDER if arguments.uses_prometheus() => {}
            "prometheus" | CanaryAnalysis::PROVIDER => {
                return Err(Problem::new(format!(
                    "the metric `{}` is PromQL, which the data plane in this process cannot answer: add \
                     `--prometheus auto` (needs `prometheus` on the PATH), or `--prometheus URL`",
                    metric.name
                )));
            }
            other => {
                return Err(Problem::new(format!(
                    "the metric `{}` asks `{other}`, which nobody answers in a local run: use Prometheus, or the \
                     built-in `{}` and `{}`",
                    metric.name,
                    Query::SUCCESS_RATE,
                    Query::DURATION
                )));
            }
        }
    }
    Plan::try_from(spec).because("the adapted plan is not valid")
}

const DEFAULT: &str = include_str!("../manifests/podinfo-canary.yaml");
const THRESHOLD: &str = include_str!("../manifests/checkout-canary.yaml");
const COMPARISON: &str = include_str!("../manifests/checkout-delivery.yaml");
