//! Plans written for Serinus itself: the kind `Delivery`.

mod reader;

use serde::Deserialize;
use serinus_core::{
    analysis::Analysis,
    rollout::{Plan, PlanSpec, Step},
    strategy::{BlueGreen, Canary, CanaryStep, Experiment, Recreate, RollingUpdate, Shadow},
};

use self::reader::{Reader, Unknown};
use crate::{
    compiled::{Compiled, Names, Strategy},
    fault::{Fault, FaultKind, Faults},
    manifests::Document,
    place::Place,
};

/// Compiles a Delivery.
pub(crate) fn compile(document: &Document) -> Result<Compiled, Faults> {
    let root = document.place();
    let (strategy, plan) = Drafted::read(&root, &Unknown::default())?;
    Ok(Compiled {
        kind: document.kind,
        name: document.name.clone(),
        namespace: document.namespace.clone(),
        strategy,
        plan,
        names: Names { workload: document.name.clone(), ..Names::default() },
        metrics_server: None,
        warnings: Vec::new(),
    })
}

/// The fields below `strategy` and `plan` that are not known.
pub(crate) fn unknown(root: &Place<'_>) -> Vec<Fault> {
    let unknown = Unknown::default();
    // What else is wrong is said when it is compiled.
    let _ = Drafted::read(root, &unknown);
    unknown.into_inner()
}

/// A strategy in the form that serde gives it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Written {
    Canary(Canary),
    BlueGreen(BlueGreen),
    RollingUpdate(RollingUpdate),
    Recreate(Recreate),
    Experiment(Experiment),
    Shadow(Shadow),
}

struct Drafted;

impl Drafted {
    fn read(root: &Place<'_>, unknown: &Unknown) -> Result<(Strategy, Plan), Faults> {
        let Some(spec) = root.get("spec") else {
            let message = "this Delivery has no `spec`: add it, with a `strategy`";
            return Err(root.fault(FaultKind::Missing, message).into());
        };
        let (place, strategy, plan) = match (spec.get("strategy"), spec.get("plan")) {
            (Some(written), None) => {
                let (strategy, plan) = match read(&written, unknown)? {
                    Written::Canary(canary) => (Strategy::Canary, canary.into()),
                    Written::BlueGreen(blue_green) => (Strategy::BlueGreen, blue_green.into()),
                    Written::RollingUpdate(rolling) => (Strategy::RollingUpdate, rolling.into()),
                    Written::Recreate(recreate) => (Strategy::Recreate, recreate.into()),
                    Written::Experiment(experiment) => (Strategy::Experiment, experiment.into()),
                    Written::Shadow(shadow) => (Strategy::Shadow, shadow.into()),
                };
                (written, strategy, plan)
            }
            (None, Some(written)) => {
                let plan: PlanSpec = read(&written, unknown)?;
                (written, Strategy::Plan, plan)
            }
            (Some(_), Some(plan)) => {
                let message = "there is a `strategy` too, and each gives the steps: remove one of the two";
                return Err(plan.fault(FaultKind::Conflict, message).into());
            }
            (None, None) => {
                let message = "no strategy: write `canary`, `blueGreen`, `rollingUpdate`, `recreate`, `experiment` or \
                               `shadow` in it, or the steps of a `plan`";
                return Err(spec.fault_in("strategy", FaultKind::Missing, message).into());
            }
        };
        let invalid = |error: serinus_core::rollout::PlanError| {
            Faults::from(place.fault(FaultKind::Invalid, error.to_string()))
        };
        Ok((strategy, Plan::try_from(plan).map_err(invalid)?))
    }
}

/// The value at a place. If it is at fault, every element of its lists is looked at, so that one look shows all.
fn read<T: for<'de> Deserialize<'de>>(place: &Place<'_>, unknown: &Unknown) -> Result<T, Faults> {
    let error = match T::deserialize(Reader::new(place.clone(), unknown)) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let mut faults = vec![error.into_fault(place)];
    let canary = place.get("canary");
    for step in canary.iter().flat_map(|canary| canary.items("steps")) {
        faults.extend(fault_in::<CanaryStep>(&step, unknown));
    }
    for step in place.items("steps") {
        faults.extend(fault_in::<Step>(&step, unknown));
    }
    for analysis in place.items("analyses") {
        faults.extend(fault_in::<Analysis>(&analysis, unknown));
    }
    match Faults::check(faults) {
        Err(faults) => Err(faults),
        // There is at least the first.
        Ok(()) => Err(place.fault(FaultKind::Invalid, "it cannot be read").into()),
    }
}

fn fault_in<T: for<'de> Deserialize<'de>>(place: &Place<'_>, unknown: &Unknown) -> Option<Fault> {
    T::deserialize(Reader::new(place.clone(), unknown)).err().map(|error| error.into_fault(place))
}
