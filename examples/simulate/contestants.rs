//! The strategies that are simulated.

use std::{collections::BTreeMap, fs};

use serinus_core::simulate::{Contestant, Ladder, Simulation, World, rival::Rival};
use serinus_k8s::{Mode, Source, read};

use crate::arguments::Arguments;

/// Those that are asked for. What their metrics are taken for is said on standard error.
pub(crate) fn of(arguments: &Arguments, world: &World) -> Result<Vec<Contestant>, String> {
    let mut contestants = from_manifests(arguments, world)?;
    let ladder = Ladder::default();
    if arguments.compare || contestants.is_empty() {
        contestants.extend(by_default(&ladder)?);
    }
    if arguments.compare {
        contestants.extend(rivals(&ladder, world)?);
    } else if contestants.is_empty() {
        contestants.push(thresholds_of_argo(&ladder, world, 2)?);
    }
    Ok(contestants)
}

/// The plan that a canary compiles to where nothing else is said; none if that looks at nothing.
fn by_default(ladder: &Ladder) -> Result<Option<Contestant>, String> {
    let plan = ladder.plan().map_err(|error| format!("the default plan is not valid: {error}"))?;
    let looks = !plan.spec().analyses.is_empty();
    Ok(looks.then(|| Contestant::plan("Serinus", plan)))
}

fn from_manifests(arguments: &Arguments, world: &World) -> Result<Vec<Contestant>, String> {
    if arguments.manifest.is_empty() {
        return Ok(Vec::new());
    }
    let mut sources = Vec::new();
    for path in &arguments.manifest {
        let shown = path.display();
        let text = fs::read_to_string(path).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
        sources.push(Source::new(shown.to_string(), text));
    }
    let manifests = read(&sources, Mode::Strict).map_err(|faults| faults.to_string())?;
    let compiled = manifests.compile_all().map_err(|faults| faults.to_string())?;
    let mut said: BTreeMap<_, _> = arguments.signal.iter().cloned().collect();
    let mut contestants = Vec::new();
    for compiled in compiled {
        for warning in &compiled.warnings {
            eprintln!("warning: {warning}");
        }
        let has = |name: &str| {
            let analyses = &compiled.plan.spec().analyses;
            analyses.iter().flat_map(|analysis| &analysis.metrics).any(|metric| metric.name == name)
        };
        let signals: BTreeMap<_, _> =
            said.iter().filter(|(name, _)| has(name)).map(|(name, signal)| (name.clone(), *signal)).collect();
        let simulation = Simulation::with_signals(compiled.plan.clone(), world.clone(), &signals)
            .map_err(|error| format!("{}: {error}: --signal METRIC=SIGNAL", compiled.name))?;
        for (metric, signal) in simulation.signals() {
            eprintln!("{}: `{metric}` is taken for {} ({signal})", compiled.name, signal.in_words());
        }
        contestants.push(
            Contestant::plan(compiled.name, compiled.plan)
                .with_signals(signals.clone())
                .person_after(arguments.person_after),
        );
        said.retain(|name, _| !signals.contains_key(name));
    }
    match said.first_key_value() {
        Some((name, _)) => Err(format!("--signal {name}=…: no manifest has a metric of that name")),
        None => Ok(contestants),
    }
}

/// Everybody, for the reference scenarios: the default plan, ours by failures alone, which is what the others judge, at
/// two strictnesses, and the others.
pub(crate) fn for_characteristics(world: &World) -> Result<Vec<Contestant>, String> {
    let ladder = Ladder::default();
    let ours = |name: &str, error: f64, margin: f64| {
        let plan = ladder.comparing(error, margin).map_err(|error| error.to_string())?;
        Ok::<_, String>(Contestant::plan(name, plan))
    };
    let default = ladder.plan().map_err(|error| format!("the default plan is not valid: {error}"))?;
    let mut contestants = vec![
        Contestant::plan("Serinus, default", default),
        ours("Serinus, failures only, 1 %, margin 1.1", 0.01, 1.1)?,
        ours("Serinus, failures only, 5 %, margin 1", 0.05, 1.0)?,
    ];
    contestants.extend(rivals(&ladder, world)?);
    Ok(contestants)
}

/// Everybody else, on the same ladder. The thresholds get a present: they are twice the true base rate.
fn rivals(ladder: &Ladder, world: &World) -> Result<Vec<Contestant>, String> {
    let least = least_success(world);
    let flagger = ladder
        .flagger_thresholds(least, 5)
        .map_err(|error| format!("the plan of Flagger's thresholds is not valid: {error}"))?;
    let rival = |name: &str, rival| Contestant::rival(name, rival, ladder.clone());
    Ok(vec![
        thresholds_of_argo(ladder, world, 0)?,
        thresholds_of_argo(ladder, world, 2)?,
        Contestant::plan("Flagger, threshold 5", flagger),
        rival("Kayenta", Rival::Kayenta { pass: 95.0, marginal: 75.0 }),
        rival("GrowthBook", Rival::GrowthBook { alpha: 0.05, tuning: 5000.0 }),
        rival("Statsig", Rival::Statsig { alpha: 0.05 }),
        rival("z-test each look", Rival::ZTestEachLook { alpha: 0.05 }),
    ])
}

fn thresholds_of_argo(ladder: &Ladder, world: &World, limit: u32) -> Result<Contestant, String> {
    let plan = ladder
        .argo_thresholds(least_success(world), limit)
        .map_err(|error| format!("the plan of Argo's thresholds is not valid: {error}"))?;
    Ok(Contestant::plan(format!("Argo, failureLimit {limit}"), plan))
}

fn least_success(world: &World) -> f64 {
    (100.0 - 200.0 * world.failure_rate).max(0.0)
}
