//! The strategies that are simulated.

use std::{collections::BTreeMap, fs};

use serinus_core::{
    analysis::{Analysis, Compared, Comparison, Judge, comparison::Dispersal},
    metric::Number,
    rollout::Plan,
    simulate::{Contestant, Ladder, Scenario, Simulation, Theme, World, rival::Rival},
};
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

/// Everybody, for a reference scenario: the default plan, ours by what the others judge by, and the others.
pub(crate) fn for_characteristics(scenario: &Scenario) -> Result<Vec<Contestant>, String> {
    let (ladder, world) = (Ladder::default(), &scenario.world);
    let default = ladder.plan().map_err(|error| format!("the default plan is not valid: {error}"))?;
    let mut contestants = vec![Contestant::plan(DEFAULT, default)];
    if scenario.theme == Theme::Flat {
        let plan = compared(&ladder, |comparison| {
            let share = if comparison.of == Compared::Failures { 0.75 } else { 0.25 };
            comparison.error_probability = Some(Number::new(0.05 * share));
        })?;
        contestants.push(Contestant::plan("Serinus, 5 %", plan));
    }
    match scenario.theme {
        Theme::Latency => {
            let analysis = Comparison {
                error_probability: Some(Number::new(0.05)),
                margin: Number::new(1.0),
                ..Comparison::of(Compared::Latency)
            };
            let analysis = Analysis::of("comparison with stable", [analysis.metric("latency")]).without_end();
            let plan = ladder.beside(analysis).map_err(|error| error.to_string())?;
            contestants.push(Contestant::plan("Serinus, latency only, 5 %, margin 1", plan));
            let most = 1.5 * world.shown_latency(0.99);
            for limit in [0, 2] {
                let plan = ladder.argo_latency_thresholds(most, limit).map_err(|error| error.to_string())?;
                contestants.push(Contestant::plan(format!("Argo, failureLimit {limit}"), plan));
            }
            let plan = ladder.flagger_latency_thresholds(most, 5).map_err(|error| error.to_string())?;
            contestants.push(Contestant::plan("Flagger, threshold 5", plan));
            contestants.push(kayenta(&ladder));
        }
        _ => {
            for (name, error, margin) in [
                ("Serinus, failures only, 1 %, margin 1.1", 0.01, 1.1),
                ("Serinus, failures only, 5 %, margin 1", 0.05, 1.0),
            ] {
                let plan = ladder.comparing(error, margin).map_err(|error| error.to_string())?;
                contestants.push(Contestant::plan(name, plan));
            }
            if scenario.theme == Theme::Clumped {
                for (name, dispersion) in [
                    (TOLD, Dispersal::Fixed(Number::new(world.dispersion))),
                    (CALIBRATED, Dispersal::Calibrated { windows: 30 }),
                    (CALIBRATED_LONG, Dispersal::Calibrated { windows: 120 }),
                ] {
                    let plan = compared(&ladder, |comparison| {
                        if comparison.of == Compared::Failures {
                            comparison.dispersion = dispersion;
                        }
                    })?;
                    contestants.push(Contestant::plan(name, plan));
                }
            }
            contestants.extend(rivals(&ladder, world)?);
        }
    }
    Ok(contestants)
}

/// The default plan with its comparisons changed.
fn compared(ladder: &Ladder, change: impl Fn(&mut Comparison)) -> Result<Plan, String> {
    let mut metrics = Comparison::defaults();
    for metric in &mut metrics {
        if let Judge::Compare(comparison) = &mut metric.judge {
            change(comparison);
        }
    }
    ladder
        .beside(Analysis::of("comparison with stable", metrics).without_end())
        .map_err(|error| error.to_string())
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
        kayenta(ladder),
        rival("GrowthBook", Rival::GrowthBook { alpha: 0.05, tuning: 5000.0 }),
        rival("Statsig", Rival::Statsig { alpha: 0.05 }),
        rival("z-test each look", Rival::ZTestEachLook { alpha: 0.05 }),
    ])
}

fn kayenta(ladder: &Ladder) -> Contestant {
    Contestant::rival("Kayenta", Rival::Kayenta { pass: 95.0, marginal: 75.0 }, ladder.clone())
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

/// Its name on the page of the reference scenarios.
pub(crate) const DEFAULT: &str = "Serinus, default";
/// With the true dispersion of the failures in its settings.
pub(crate) const TOLD: &str = "Serinus, default, dispersion told";
/// With the dispersion found during the rollout.
pub(crate) const CALIBRATED: &str = "Serinus, default, calibrated in 30 windows";
/// As that, in more of them.
pub(crate) const CALIBRATED_LONG: &str = "Serinus, default, calibrated in 120 windows";
