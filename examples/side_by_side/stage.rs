//! What the examples of experiments and shadows have in common: visitors, a clock that runs fast, a rollout that tells
//! what it does.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use serinus::{
    driver::{Driver, Ports},
    port::{Clock, MetricProvider, TrafficRouter, memory::MemoryStore},
    rollout::{Command, Input, Outcome, Plan, Rule, State, Waits},
    time::{GoDuration, Timestamp},
};
use tower::{Service, util::BoxCloneSyncService};

use self::clock::ScaledClock;

#[expect(dead_code, reason = "shared by several examples")]
#[path = "../rollout/clock.rs"]
mod clock;

pub(crate) type Upstream = BoxCloneSyncService<Request<String>, Response<String>, &'static str>;

/// A service that thinks for two to four milliseconds, and has nothing for three visitors in a hundred.
pub(crate) fn service(answer: impl Fn(u64) -> String + Clone + Send + Sync + 'static) -> Upstream {
    BoxCloneSyncService::new(tower::service_fn(move |request: Request<String>| {
        let answer = answer.clone();
        async move {
            let visitor: u64 = request.body().parse().map_err(|_| "no visitor")?;
            tokio::time::sleep(Duration::from_micros(2_000 + chance(visitor, 1) % 2_000)).await;
            let mut response = Response::new(answer(visitor));
            if chance(visitor, 2) % 100 < 3 {
                *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
            }
            Ok(response)
        }
    }))
}

/// A number that looks drawn, the same for the same visitor.
pub(crate) fn chance(visitor: u64, of: u64) -> u64 {
    let mut mixed = visitor.wrapping_add(of << 48).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Visitors who come without a pause, each once and with a cookie of their own.
pub(crate) fn visitors<S>(split: &S)
where
    S: Service<Request<String>> + Clone + Send + 'static,
    S::Future: Send,
{
    let next = Arc::new(AtomicU64::new(0));
    for _ in 0..VISITORS_AT_ONCE {
        let (mut split, next) = (split.clone(), Arc::clone(&next));
        tokio::spawn(async move {
            loop {
                let visitor = next.fetch_add(1, Ordering::Relaxed);
                let request = Request::builder().header("cookie", format!("visitor={visitor}"));
                if let Ok(request) = request.body(visitor.to_string()) {
                    // Whatever a visitor gets, the next one comes.
                    drop(split.call(request).await);
                }
            }
        });
    }
}

/// Brings v2 out by this plan, and tells what happens, in the time of the rollout.
pub(crate) async fn run(
    plan: Plan,
    router: impl TrafficRouter + 'static,
    metrics: impl MetricProvider + 'static,
    speed: f64,
) -> Result<Outcome, Box<dyn Error>> {
    let began = Timestamp::UNIX_EPOCH;
    let clock = Arc::new(ScaledClock::starting_at(began, speed));
    let ports = Ports {
        router: Some(Arc::new(router)),
        workload: None,
        metrics: Some(Arc::new(metrics)),
        hook: None,
        store: Arc::new(MemoryStore::new()),
        clock: Arc::clone(&clock) as _,
    };
    let mut driver = Driver::start(plan, ports, State::new("v1".into(), began)).await?;
    driver.push(Input::Revised("v2".into()));
    loop {
        let step = driver.step(std::future::pending()).await?;
        let mut waits = Waits::Nothing;
        for (_, decision) in step.turns {
            waits = decision.waits;
            let told = decision.notes.iter().filter(|note| TOLD.contains(&note.rule));
            let passed = GoDuration::between(began, clock.now()).as_secs_f64();
            told.for_each(|note| println!("{:>5.1} min  {note}", passed / 60.0));
        }
        match driver.state().outcome() {
            Some(outcome) if driver.state().is_settled() => return Ok(outcome.clone()),
            Some(_) => {}
            None if waits == Waits::Person => {
                driver.push(Input::Commanded(Command::Abort("nobody is here to decide".to_owned())));
            }
            None => {}
        }
    }
}

const VISITORS_AT_ONCE: usize = 16;
/// The end is told by each example itself.
const TOLD: [Rule; 5] =
    [Rule::AttemptStarted, Rule::StepStarted, Rule::AnalysisEnded, Rule::Paused, Rule::Promoted];
