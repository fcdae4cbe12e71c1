//! A guard can be judged by a source that sees every instance: here one that scrapes them all, as Prometheus does.

#![expect(clippy::unwrap_used, reason = "the harness of tests may panic")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use guarded::{DOCUMENT, Visitors, drive, drive_for, flags, ladder};
use serinus_core::{
    metric::{ArmCounts, Arms, Number, Question, Sample},
    port::{MetricProvider, PortError, PortErrorKind, memory::ManualClock, memory::MemoryStore},
    rollout,
    time::{GoDuration, Timestamp},
};
use serinus_flags::{Deciding, Finding, Flags};

#[expect(dead_code, reason = "shared by several test programs")]
mod guarded;

/// Scrapes all instances when it is asked, and remembers what it read.
#[derive(Debug, Default)]
struct Scraper {
    instances: Vec<Flags>,
    read: Mutex<BTreeMap<Timestamp, BTreeMap<String, u64>>>,
}

impl Scraper {
    fn scrape(&self) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for line in self.instances.iter().flat_map(|flags| {
            let text = flags.metrics();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        }) {
            if let Some((series, value)) = line.rsplit_once(' ')
                && let Ok(value) = value.parse::<u64>()
            {
                *sums.entry(series.to_owned()).or_default() += value;
            }
        }
        sums
    }
}

#[async_trait]
impl MetricProvider for Scraper {
    async fn ask(&self, question: &Question) -> Result<Sample, PortError> {
        let window = question.window.unwrap();
        let mut read = self.read.lock().unwrap();
        read.entry(window.to).or_insert_with(|| self.scrape());
        let Some(start) = read.get(&window.from).cloned() else {
            return Err(PortError::new(PortErrorKind::Transient, "not scraped at the beginning"));
        };
        let end = read[&window.to].clone();
        let increase = |parts: &[&str]| -> u64 {
            let of = |sums: &BTreeMap<String, u64>| -> u64 {
                let matching =
                    sums.iter().filter(|(series, _)| parts.iter().all(|part| series.contains(part)));
                matching.map(|(_, value)| value).sum()
            };
            of(&end) - of(&start)
        };
        let arm = |cohort: &str| {
            let requests = increase(&["feature_flag_outcomes_total", cohort]);
            let failures = increase(&["feature_flag_outcomes_total", cohort, "outcome=\"error\""]);
            let bucket = |edge: &str| {
                let le = format!("le=\"{edge}\"");
                increase(&["feature_flag_outcome_duration_seconds_bucket", cohort, &le])
            };
            let mut latency: Vec<_> = ["0.024576", "0.032768", "0.049152"]
                .map(|edge| (Number::new(edge.parse().unwrap()), bucket(edge)))
                .into();
            latency.push((Number::new(f64::INFINITY), bucket("+Inf")));
            ArmCounts { requests, failures, latency }
        };
        let (stable, candidate) = (arm("cohort=\"control\""), arm("cohort=\"candidate\""));
        Ok(Arms { stable, candidate, control: None }.into())
    }
}

/// One leads and hardly anybody comes to it; at the other one, candidates fail `new_faults` times in a thousand.
fn judged_by_all(new_faults: u64) -> (rollout::Outcome, String) {
    let (clock, store) = (Arc::new(ManualClock::default()), Arc::new(MemoryStore::new()));
    let (leading, following) = (flags(DOCUMENT), flags(DOCUMENT));
    let scraper = Scraper { instances: vec![leading.clone(), following.clone()], ..Scraper::default() };
    let guard =
        |flags: &Flags, deciding| flags.guard("checkout").candidate("new").plan(ladder()).deciding(deciding);
    let leader = guard(&leading, Deciding::leader(Arc::clone(&store) as _, "one"));
    let leader = leader.metrics(Arc::new(scraper)).build().unwrap();
    let follower = guard(&following, Deciding::follower(store)).build().unwrap();
    let (mut few, mut many) = (Visitors::new(0), Visitors::new(new_faults));
    few.per_second = 1;
    let both = futures_util::future::join(
        leader.finish(Arc::clone(&clock) as _),
        follower.finish(Arc::clone(&clock) as _),
    );
    let ends = drive(&clock, both, |lasting| {
        few.come(&leading, &leader, lasting);
        many.come(&following, &follower, lasting);
    });
    (ends.0.unwrap(), format!("{:?}", leader.notes()))
}

#[test]
fn harm_that_only_others_see_takes_the_candidate_back() {
    let (outcome, notes) = judged_by_all(150);
    assert!(matches!(&outcome, rollout::Outcome::Aborted(reason) if reason.contains("failures")), "{notes}");
}

#[test]
fn what_is_well_everywhere_goes_out() {
    let (outcome, notes) = judged_by_all(20);
    assert_eq!(outcome, rollout::Outcome::Promoted, "{notes}");
}

#[test]
fn the_preconditions_hold_for_another_source_too() {
    let (flags, clock) = (flags(DOCUMENT), Arc::new(ManualClock::default()));
    let scraper = Scraper { instances: vec![flags.clone()], ..Scraper::default() };
    let builder = flags.guard("checkout").candidate("new").plan(ladder()).deciding(Deciding::here());
    let guard = builder.metrics(Arc::new(scraper)).build().unwrap();
    let mut visitors = Visitors::new(20);
    let salt = serinus_core::cohort::Salt::new("checkout");
    let half = serinus_core::traffic::Weight::percent(50.0);
    let mut number = 0;
    visitors.contexts.retain(|context| {
        number += 1;
        number % 2 == 0 || salt.place(context.targeting_key().unwrap()).is_below(half)
    });
    drive_for(&clock, GoDuration::from_mins(90), guard.run(Arc::clone(&clock) as _), |lasting| {
        visitors.come(&flags, &guard, lasting);
    });
    assert_eq!(guard.health().invalid(), Some(Finding::SampleRatio));
    assert_eq!(guard.outcome(), None, "{:?}", guard.notes());
    let told = guard.notes().iter().map(|(_, note)| note.to_string()).collect::<Vec<_>>().join("\n");
    assert!(told.contains("candidates and ") && told.contains("invalid: "), "{told}");
}
