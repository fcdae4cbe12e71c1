//! An A/B test in one process: half of the visitors get another checkout; do more of them order?
//!
//! ```sh
//! cargo run --release --example experiment
//! cargo run --release --example experiment -- --variant worse
//! ```

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use clap::{Parser, ValueEnum};
use serinus::{
    analysis::{Compared, Comparison},
    metric::{ArmCounts, Arms, Query, Question, Sample},
    port::{MetricProvider, PortError, PortErrorKind},
    rollout::Outcome,
    strategy::{Cohort, Experiment, Measure, Stop},
    time::{GoDuration, Timestamp},
    traffic::{Revision, Weight},
};
use serinus_tower::{Handle, Split, Sticky};

use crate::stage::{Upstream, chance, service};

#[path = "side_by_side/stage.rs"]
mod stage;

/// An A/B test in one process: half of the visitors get another checkout. Half an hour takes six seconds.
#[derive(Parser)]
struct Arguments {
    /// What the other checkout does to orders: one visitor in ten orders at the old one.
    #[arg(long, value_enum, default_value = "better")]
    variant: Variant,
}

#[derive(Clone, Copy, ValueEnum)]
enum Variant {
    /// One visitor in seven orders.
    Better,
    /// One visitor in twenty orders.
    Worse,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { variant } = Arguments::parse();
    let counts = Counts::default();
    let (split, handle) = Split::builder()
        .revision("v1", checkout("v1", &counts, 10))
        .revision("v2", checkout("v2", &counts, if matches!(variant, Variant::Better) { 7 } else { 20 }))
        .stable("v1")
        .sticky(Sticky::cookie("visitor"))
        .speed(SPEED)
        .build()?;
    let orders = Measure::new("orders", Comparison::of(Compared::Successes))
        .asking(Query::new("shop", "orders"))
        .every(WINDOW);
    let guardrails = [("failures", Compared::Failures), ("latency", Compared::Latency)]
        .map(|(name, of)| Measure::new(name, Comparison::of(of)).every(WINDOW));
    // Each visitor comes once, so requests are as good a unit as visitors, and their split can be checked.
    let plan = Experiment::between_variants(Cohort::Requests(Weight::percent(50.0)), orders)
        .guardrails(guardrails)
        .stop(Stop::Horizon(GoDuration::from_mins(30)))
        .plan()?;
    stage::visitors(&split);
    let metrics = Orders { counts, marks: Mutex::default(), handle: handle.clone() };
    match stage::run(plan, handle, metrics, SPEED).await? {
        Outcome::Returned(result) => {
            println!("\nThe result, with all visitors on v1 again:\n{}", lines(&result))
        }
        Outcome::Aborted(reason) => println!("\nTaken back:\n{}", lines(&reason)),
        other => println!("\n{other:?}"),
    }
    Ok(())
}

fn lines(result: &str) -> String {
    // Within a sentence, numbers are joined by it as well.
    let result = result.replace("; e-value", ", e-value");
    result.split("; ").map(|part| format!("  {part}.\n")).collect()
}

/// How many visitors each revision had, and how many of them ordered.
type Counts = Arc<[(AtomicU64, AtomicU64); 2]>;

/// One visitor in `one_in` orders.
fn checkout(revision: &'static str, counts: &Counts, one_in: u64) -> Upstream {
    let counts = Arc::clone(counts);
    service(move |visitor| {
        let (visits, orders) = &counts[usize::from(revision == "v2")];
        visits.fetch_add(1, Ordering::Relaxed);
        let is_order = chance(visitor, 3).is_multiple_of(one_in);
        orders.fetch_add(u64::from(is_order), Ordering::Relaxed);
        format!("{revision}: {}", if is_order { "thank you for your order" } else { "good bye" })
    })
}

/// Answers how many visitors ordered within a window; whatever else is asked, the data plane knows.
#[derive(Debug)]
struct Orders {
    counts: Counts,
    /// What had been counted at the ends of windows.
    marks: Mutex<BTreeMap<Timestamp, [(u64, u64); 2]>>,
    handle: Handle<Upstream>,
}

impl Orders {
    fn arms(&self, question: &Question) -> Option<Arms> {
        let window = question.window?;
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let read = |(visits, orders): &(AtomicU64, AtomicU64)| {
            // Whoever orders has been counted as a visitor before.
            let orders = orders.load(Ordering::Acquire);
            (visits.load(Ordering::Acquire), orders)
        };
        let now = [read(&self.counts[0]), read(&self.counts[1])];
        let to = *marks.entry(window.to).or_insert(now);
        let from = *marks.get(&window.from)?;
        while marks.len() > MOST_MARKS {
            marks.pop_first();
        }
        let arm = |revision: &Revision| {
            let index = usize::from(revision.as_str() == "v2");
            let requests = to[index].0 - from[index].0;
            // A visitor may be counted in one window and order in the next.
            let failures = (to[index].1 - from[index].1).min(requests);
            ArmCounts { requests, failures, latency: Vec::new() }
        };
        Some(Arms { stable: arm(&question.stable), candidate: arm(&question.candidate), control: None })
    }
}

#[async_trait]
impl MetricProvider for Orders {
    async fn ask(&self, question: &Question) -> Result<Sample, PortError> {
        if question.query.text != "orders" {
            return self.handle.ask(question).await;
        }
        self.arms(question).map(Sample::from).ok_or_else(|| {
            PortError::new(PortErrorKind::Transient, "nobody counted at the beginning of this window")
        })
    }
}

/// Seconds of the experiment in a second.
const SPEED: f64 = 300.0;
const WINDOW: GoDuration = GoDuration::from_mins(1);
const MOST_MARKS: usize = 64;
