//! How fast a rollout can go and still be judged: at a greater speed its windows hold fewer requests, and none in the
//! end, and a rollout without data is rolled back.

use serinus::{
    metric::Query,
    rollout::{Capacity, PlanSpec, Step},
    time::GoDuration,
    traffic::Weight,
};

use crate::{
    arguments::{Arguments, MOST_REQUESTS, SLOWEST},
    load::{MARKED, PREVIEWED},
    problem::Problem,
    promql,
};

/// Slows the rollout down, unless a speed was asked for, until the shortest window of its metrics holds enough
/// requests of the candidate at its first share of the traffic.
///
/// # Errors
///
/// If the speed that was asked for is too great, or no speed is small enough.
pub(crate) fn settle(
    arguments: &mut Arguments,
    plan: &PlanSpec,
    remarks: &mut Vec<String>,
) -> Result<(), Problem> {
    let metrics = plan.analyses.iter().flat_map(|analysis| &analysis.metrics);
    // The windows of PromQL are in its text, and in real time they are never short.
    let windows = metrics.filter(|metric| metric.query.provider == Query::BUILTIN).map(|metric| {
        // What compares asks about the time since it asked last.
        let window = metric.comparison().and(metric.interval).or(metric.query.window);
        (window.unwrap_or(GoDuration::from_mins(1)), &metric.name)
    });
    let Some((window, name)) = windows.min() else { return Ok(()) };
    let shortest = if arguments.uses_prometheus() { promql::SHORTEST.as_secs_f64() } else { 0.0 };
    let share = first_share(plan);
    let (speed, requests) = (arguments.speed(), f64::from(arguments.requests));
    let real = (window.as_secs_f64() / speed).max(shortest);
    let held = requests * share * real;
    if held >= ENOUGH && real >= SHORTEST {
        return Ok(());
    }
    let seconds = (ENOUGH / (requests * share)).max(SHORTEST);
    let fitting = (window.as_secs_f64() / seconds * 10.0).floor() / 10.0;
    let is_slow_enough = fitting >= SLOWEST;
    let holds = format!(
        "at a speed of {speed} and with {requests} requests per second, the window of {window} of the metric \
         `{name}` is {real:.3} s and holds about {held:.1} requests of the candidate at its first share of the \
         traffic, {:.1}%",
        share * 100.0
    );
    if arguments.speed.is_none() && is_slow_enough {
        remarks.push(format!("the speed is {fitting}, as {holds}"));
        arguments.speed = Some(fitting);
        return Ok(());
    }
    let needed = (requests * ENOUGH / held).ceil();
    let more =
        (needed <= f64::from(MOST_REQUESTS) && real >= SHORTEST).then(|| format!("--requests {needed}"));
    let slower = is_slow_enough.then(|| format!("--speed {fitting}"));
    let remedies: Vec<_> = more.into_iter().chain(slower).collect();
    let remedy = if remedies.is_empty() {
        "make that window or that share larger".to_owned()
    } else {
        format!("start with {}", remedies.join(" or "))
    };
    let fault = if held < ENOUGH { "too few" } else { "too short" };
    Err(Problem::new(format!("{holds}: {fault} to judge by")).remedy(&remedy))
}

/// The candidate's share of all requests when it gets any for the first time.
fn first_share(plan: &PlanSpec) -> f64 {
    if plan.preview {
        return PREVIEWED;
    }
    let full = f64::from(Weight::FULL.parts());
    let of_instances = |share: f64| match plan.capacity {
        // There is at least one instance, and at most one more than asked for.
        Capacity::Counted { replicas, .. } => share.max(1.0 / (f64::from(replicas) + 1.0)),
        _ => share,
    };
    let first = plan.steps.iter().find_map(|step| match step {
        Step::Weight(weight) | Step::Mirror(weight) if !weight.is_zero() => {
            Some(of_instances(f64::from(weight.parts()) / full))
        }
        Step::Match(matches) if !matches.is_empty() => Some(MARKED),
        _ => None,
    });
    first.unwrap_or(1.0)
}

/// How many requests a window is to hold, so that chance does not leave it empty.
const ENOUGH: f64 = 5.0;
/// The shortest window in seconds: the requests come in bursts, some of which it must hold.
const SHORTEST: f64 = 0.05;
