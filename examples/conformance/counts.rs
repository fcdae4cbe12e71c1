//! Replica arithmetic.

use serde_json::{Value, json};
use serinus_core::capacity::{
    self, Amount, CountedInput, Counts, DynamicStable, Pool, RoutedInput, Share, counted_move, counted_pass,
    returning_share, routed,
};

use crate::reading::{Answer, Input, Unreadable, whole};

pub(crate) fn approximate_weight(input: &Input<'_>) -> Result<Answer, Unreadable> {
    let replicas = replicas(input)?;
    let surge = amount(input, "maxSurge")?.up(replicas);
    Ok(counts(capacity::approximate(replicas, share(input, "weight")?, surge)))
}

pub(crate) fn weight_to_replicas(input: &Input<'_>) -> Result<Answer, Unreadable> {
    let needed = capacity::weight_to_replicas(replicas(input)?, share(input, "weight")?);
    Ok(Answer::default().with("replicas", needed))
}

pub(crate) fn basic(input: &Input<'_>) -> Result<Answer, Unreadable> {
    if input.is("router")? {
        return behind_router(input);
    }
    // Without a router these have no effect.
    let _ = (input.get("setCanaryScale"), input.get("minPodsPerReplicaSet"));
    let _ = (input.get("dynamicStableScale"), input.get("abortScaleDownDelaySeconds"));
    let older = input.count("olderReplicas")?.unwrap_or(0);
    let others = Pool { wanted: older, ready: input.count("olderAvailable")?.unwrap_or(older) };
    let (surge, unavailable, replicas) = limits(input)?;
    Ok(counts(counted_move(CountedInput {
        replicas,
        share: wanted_share(input)?,
        surge,
        unavailable,
        candidate: pool(input, "canary")?.unwrap_or_default(),
        stable: pool(input, "stable")?,
        others,
    })))
}

pub(crate) fn behind_router(input: &Input<'_>) -> Result<Answer, Unreadable> {
    let _ =
        (input.get("router"), input.get("maxSurge"), input.get("maxUnavailable"), input.get("olderReplicas"));
    let replicas = replicas(input)?;
    let (candidate, stable) = (pool(input, "canary")?, pool(input, "stable")?);
    let aborted = input.is("abort")?;
    let delay = input.count("abortScaleDownDelaySeconds")?;
    let dynamic = input.is("dynamicStableScale")?;
    let actual = input.object("actualWeights")?;

    let mut wanted = wanted_share(input)?;
    if aborted && dynamic {
        let kept = delay.is_some_and(|delay| delay > 0);
        wanted = returning_share(replicas, candidate, stable, &steps(input)?, kept);
    }
    let mut size = None;
    if let Some(scale) = input.object("setCanaryScale")? {
        let (number, weight) = (scale.count("replicas")?, scale.number("weight")?);
        let follows = scale.is("matchTrafficWeight")?;
        scale.finish()?;
        // An abort ends it, unless the candidate is then kept for ever.
        let ended = follows || (aborted && delay != Some(0)) || input.is("promoteFull")?;
        if !ended {
            size = number;
            if let (None, Some(weight)) = (number, weight) {
                wanted = share_of(input, weight)?;
            }
        }
    }
    let in_force = match &actual {
        Some(actual) => {
            let _ = actual.get("stable");
            let weight = actual.number("canary")?.unwrap_or(0);
            actual.finish()?;
            share_of(input, weight)?
        }
        None => wanted,
    };
    Ok(counts(routed(RoutedInput {
        replicas,
        share: wanted,
        candidate: size,
        min_per_revision: input.count("minPodsPerReplicaSet")?.unwrap_or(0),
        dynamic_stable: dynamic.then_some(DynamicStable { in_force, aborted }),
    })))
}

pub(crate) fn trajectory(input: &Input<'_>) -> Result<Answer, Unreadable> {
    let schedule = input.text("schedule")?.unwrap_or(SCHEDULE);
    if !schedule.starts_with(SCHEDULE) {
        return Err(Unreadable(format!("unknown schedule `{schedule}`")));
    }
    let ready = !input.has("podsReadyInstantly") || input.is("podsReadyInstantly")?;
    let start = input.object("start")?.ok_or_else(|| Unreadable("there is no `start`".to_owned()))?;
    let mut at = Counts {
        candidate: start.count("canary")?.unwrap_or(0),
        stable: start.count("stable")?.unwrap_or(0),
    };
    start.finish()?;
    let (surge, unavailable, replicas) = limits(input)?;
    let share = wanted_share(input)?;
    let mut path = vec![json!([at.candidate, at.stable])];
    while path.len() < LONGEST_PATH {
        let next = counted_pass(CountedInput {
            replicas,
            share,
            surge,
            unavailable,
            candidate: Pool { wanted: at.candidate, ready: if ready { at.candidate } else { 0 } },
            stable: Some(Pool { wanted: at.stable, ready: at.stable }),
            others: Pool::default(),
        });
        if next == at {
            break;
        }
        at = next;
        path.push(json!([at.candidate, at.stable]));
    }
    Ok(Answer::default().with("canaryStable", path))
}

pub(crate) fn threshold(input: &Input<'_>) -> Result<Answer, Unreadable> {
    let missing = input.has("replicaSet") && input.get("replicaSet").is_none();
    let _ = input.get("specReplicas");
    let (available, desired) = (input.count("available")?.unwrap_or(0), input.count("desired")?.unwrap_or(0));
    let Some(threshold) = input.object("threshold")? else {
        return Err(Unreadable("there is no `threshold`".to_owned()));
    };
    let value = threshold.number("value")?.unwrap_or(0);
    let value = u32::try_from(value.max(0)).unwrap_or(u32::MAX);
    let amount = match threshold.text("type")? {
        Some("Percent") => Amount::Percent(value),
        Some("Pods") => Amount::Count(value),
        other => return Err(Unreadable(format!("unknown type {other:?} of threshold"))),
    };
    threshold.finish()?;
    Ok(Answer::default().with("met", !missing && amount.is_met(available, desired)))
}

fn counts(counts: Counts) -> Answer {
    Answer::default().with("canary", counts.candidate).with("stable", counts.stable)
}

fn replicas(input: &Input<'_>) -> Result<u32, Unreadable> {
    Ok(input.count("replicas")?.unwrap_or(1))
}

fn share(input: &Input<'_>, key: &'static str) -> Result<Share, Unreadable> {
    share_of(input, input.number(key)?.unwrap_or(0))
}

fn share_of(input: &Input<'_>, weight: i64) -> Result<Share, Unreadable> {
    let unsigned = |number: i64| {
        u64::try_from(number).map_err(|_| Unreadable(format!("a weight of {number} is below zero")))
    };
    Ok(Share::of(unsigned(weight)?, unsigned(input.number("maxWeight")?.unwrap_or(100))?))
}

/// The share that the steps and commands ask for.
fn wanted_share(input: &Input<'_>) -> Result<Share, Unreadable> {
    let index = input.number("currentStepIndex")?.unwrap_or(0);
    let (steps, set) = (steps(input)?, input.number("setWeight")?);
    if input.is("promoteFull")? {
        return Ok(Share::FULL);
    }
    if input.is("abort")? {
        return Ok(Share::NONE);
    }
    match set {
        Some(weight) => share_of(input, weight),
        None => {
            Ok(usize::try_from(index).ok().and_then(|index| steps.get(index)).copied().unwrap_or(Share::FULL))
        }
    }
}

fn steps(input: &Input<'_>) -> Result<Vec<Share>, Unreadable> {
    let steps = input.get("setWeightSteps").and_then(Value::as_array);
    steps.into_iter().flatten().map(|step| share_of(input, whole("setWeightSteps", step)?)).collect()
}

fn limits(input: &Input<'_>) -> Result<(u32, u32, u32), Unreadable> {
    let replicas = replicas(input)?;
    let (surge, unavailable) =
        Amount::limits(amount(input, "maxSurge")?, amount(input, "maxUnavailable")?, replicas);
    Ok((surge, unavailable, replicas))
}

fn amount(input: &Input<'_>, key: &'static str) -> Result<Amount, Unreadable> {
    match input.get(key) {
        None => Ok(Amount::Percent(25)),
        Some(Value::String(text)) => {
            Amount::from_argo_text(text).map_err(|error| Unreadable(format!("`{key}`: {error}")))
        }
        Some(value) => u32::try_from(whole(key, value)?)
            .map(Amount::Count)
            .map_err(|_| Unreadable(format!("`{key}` is {value}"))),
    }
}

fn pool(input: &Input<'_>, key: &'static str) -> Result<Option<Pool>, Unreadable> {
    let Some(pool) = input.object(key)? else { return Ok(None) };
    let wanted = pool.count("spec")?.unwrap_or(0);
    let ready = pool.count("available")?.unwrap_or(wanted);
    pool.finish()?;
    Ok(Some(Pool { wanted, ready }))
}

const SCHEDULE: &str = "one ReplicaSet changed per pass, stable first";
const LONGEST_PATH: usize = 1000;
