//! Comparisons without a rollout around them: what windows of both arms come to.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use serinus_core::{
    analysis::{
        Analysis, Compared, Comparison, Data, Outcome, Phase,
        run::{Measurement, Reading, Run},
    },
    metric::{ArmCounts, Arms, Number, Sample},
    time::{GoDuration, Timestamp},
    traffic::Weight,
};

/// A run of one comparison that is asked every 15 seconds.
struct Bench {
    analysis: Analysis,
    run: Run,
    now: Timestamp,
}

impl Bench {
    fn new(comparison: Comparison) -> Self {
        let analysis = Analysis::of("compare", [comparison.metric("m")]);
        analysis.validate().unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let mut run = Run::begin(&analysis, now);
        run.open_windows(&analysis, Weight::percent(10.0), now);
        let mut bench = Self { analysis, run, now };
        let first = bench.window(&Arms::default()).unwrap();
        assert_eq!((first.outcome, first.reason.as_str()), (Outcome::Undecided, "windows begin here"));
        bench
    }

    /// The next window comes to these counts; none once there is a verdict.
    fn window(&mut self, arms: &Arms) -> Option<Measurement> {
        self.answer(Sample::from(arms.clone()))
    }

    fn answer(&mut self, sample: Sample) -> Option<Measurement> {
        self.now = self.run.wake(&self.analysis)?;
        self.run.start_due(&self.analysis, self.now);
        // A run survives being stored at any moment.
        let stored = serde_json::to_string(&self.run).unwrap();
        assert_eq!(serde_json::from_str::<Run>(&stored).unwrap(), self.run);
        let open = self.run.open().next().unwrap();
        let reading = Reading::Answer(sample);
        self.run.record(&self.analysis, open.metric, open.ordinal, reading, self.now).cloned()
    }

    /// The same counts over and over, until there is a verdict, for at most `windows`.
    fn windows(&mut self, windows: usize, arms: &Arms) -> Measurement {
        let mut last = None;
        for _ in 0..windows {
            match self.window(arms) {
                Some(measurement) => last = Some(measurement),
                None => break,
            }
        }
        last.unwrap()
    }

    fn phase(&self) -> Phase {
        self.run.assess(&self.analysis).phase
    }
}

fn arms(stable: (u64, u64), candidate: (u64, u64)) -> Arms {
    let counts = |(requests, failures)| ArmCounts { requests, failures, latency: Vec::new() };
    Arms { stable: counts(stable), candidate: counts(candidate) }
}

#[test]
fn as_good_is_safe_worse_is_failed_and_both_say_why() {
    let mut good = Bench::new(Comparison::default());
    let last = good.windows(200, &arms((13_500, 135), (1_500, 15)));
    assert_eq!((last.outcome, good.phase()), (Outcome::Successful, Phase::Successful));
    assert!(last.reason.ends_with(": safe"), "{}", last.reason);
    let mut bad = Bench::new(Comparison::default());
    let last = bad.windows(200, &arms((13_500, 135), (1_500, 30)));
    assert_eq!((last.outcome, bad.phase()), (Outcome::Failed, Phase::Failed));
    let expected = "failures: candidate ";
    assert!(last.reason.starts_with(expected) && last.reason.contains("(2.00%), stable "), "{}", last.reason);
    assert_eq!(bad.run.assess(&bad.analysis).message.matches("worse than 1.1 times").count(), 1);
}

#[test]
fn what_speaks_against_it_outlives_what_comes_later() {
    let analysis = Analysis::of("compare", [Comparison::default().metric("m")]).without_end();
    let mut bad = Bench::new(Comparison::default());
    bad.windows(200, &arms((13_500, 135), (1_500, 60)));
    let next = Run::continuing(&analysis, bad.run.carried(), bad.now);
    let before = bad.run.evidence(0).unwrap().findings(0.01).unwrap();
    let after = next.evidence(0).unwrap().findings(0.01).unwrap();
    assert_eq!(after.log_harm, before.log_harm);
    assert!(after.log_safety.abs() < 1e-9, "a pass needs evidence of its own: {after:?}");
}

#[test]
fn not_enough_data_says_how_much_is_missing() {
    let mut bench = Bench::new(Comparison::default());
    let none = bench.window(&arms((0, 0), (0, 0))).unwrap();
    assert_eq!(none.outcome, Outcome::Undecided);
    assert!(none.reason.contains("nothing to compare yet"), "{}", none.reason);
    let few = bench.window(&arms((90, 0), (10, 0))).unwrap();
    assert!(few.reason.contains("90 more requests of the candidate needed"), "{}", few.reason);
    let clean = bench.window(&arms((900, 0), (100, 0))).unwrap();
    // (ln 20 + ln 4) / 0.001, less the 110 of so far.
    let expected = "as nothing has failed yet in either, about 4300 more requests of the candidate needed";
    assert!(clean.reason.ends_with(expected), "{}", clean.reason);
    let some = bench.window(&arms((900, 9), (100, 1))).unwrap();
    assert!(some.reason.contains("not enough data, about "), "{}", some.reason);
    assert_eq!(bench.phase(), Phase::Running);
}

#[test]
fn where_nothing_fails_enough_requests_are_evidence_enough() {
    let clean = arms((9_000, 0), (1_000, 0));
    let mut bench = Bench::new(Comparison::default());
    let last = bench.windows(20, &clean);
    assert_eq!(last.outcome, Outcome::Successful, "{}", last.reason);
    assert!(last.reason.ends_with("safe, as certainly less than 0.1% fail"), "{}", last.reason);
    // The mean of exp(n (p0 - p1)) over p1 of 0, 0.1, 0.25 and 0.5 times p0 = 0.001 is first above 20 at 4000.
    assert_eq!(bench.run.evidence(0).unwrap().findings(0.01).unwrap().candidate.exposure, 4_000);
    let mut strict = Bench::new(Comparison { negligible: Number::new(0.0), ..Comparison::default() });
    assert_eq!(strict.windows(20, &clean).outcome, Outcome::Undecided);
    let mut faulty = Bench::new(Comparison::default());
    assert_ne!(faulty.windows(20, &arms((9_000, 0), (1_000, 1))).outcome, Outcome::Successful);
}

#[test]
fn fewer_successes_are_harm_and_more_are_not() {
    let comparison = Comparison::of(Compared::Successes);
    let mut bench = Bench::new(comparison.clone());
    let last = bench.windows(500, &arms((1_000, 500), (1_000, 300)));
    assert_eq!(last.outcome, Outcome::Failed, "{}", last.reason);
    assert!(last.reason.contains("candidate 3") && last.reason.contains("(30.00%)"), "{}", last.reason);
    let mut bench = Bench::new(comparison);
    assert_eq!(bench.windows(500, &arms((1_000, 300), (1_000, 500))).outcome, Outcome::Successful);
}

#[test]
fn without_being_critical_it_only_pauses() {
    let mut bench = Bench::new(Comparison { critical: false, ..Comparison::default() });
    bench.windows(200, &arms((13_500, 135), (1_500, 60)));
    assert_eq!(bench.phase(), Phase::Inconclusive);
}

#[test]
fn requests_that_are_not_split_as_planned_are_invalid_but_hide_no_harm() {
    let comparison = Comparison { sample_ratio: true, ..Comparison::default() };
    let mut bench = Bench::new(comparison.clone());
    let last = bench.windows(200, &arms((13_500, 13), (500, 0)));
    assert_eq!(last.outcome, Outcome::Inconclusive, "{}", last.reason);
    assert!(last.reason.starts_with("invalid: the requests ["), "{}", last.reason);
    let mut bench = Bench::new(comparison);
    let last = bench.windows(200, &arms((13_500, 13), (500, 250)));
    assert_eq!(last.outcome, Outcome::Failed, "{}", last.reason);
}

#[test]
fn counts_that_scatter_more_weigh_less() {
    let of = |dispersion: f64| Comparison { dispersion: Number::new(dispersion), ..Comparison::default() };
    let windows = |comparison| {
        let mut bench = Bench::new(comparison);
        let mut windows = 0;
        while bench.window(&arms((13_500, 135), (1_500, 30))).is_some() {
            windows += 1;
        }
        windows
    };
    let (independent, clumped) = (windows(of(1.0)), windows(of(3.0)));
    assert!((2 * independent..5 * independent).contains(&clumped), "{independent} {clumped}");
}

#[test]
fn slower_is_harm_and_the_edge_is_named() {
    let latency = |slow: u64| {
        let counts = |slow: u64| ArmCounts {
            requests: 1_000,
            failures: 0,
            latency: [(0.05, 400), (0.1, 800), (0.5, 1_000 - slow), (f64::INFINITY, 1_000)]
                .map(|(edge, count)| (Number::new(edge), count))
                .to_vec(),
        };
        Arms { stable: counts(20), candidate: counts(slow) }
    };
    let comparison = Comparison::of(Compared::Latency);
    let mut bench = Bench::new(comparison.clone());
    assert_eq!(bench.window(&latency(100)).unwrap().outcome, Outcome::Undecided, "it only chooses edges");
    let last = bench.windows(500, &latency(60));
    assert_eq!(last.outcome, Outcome::Failed, "{}", last.reason);
    assert!(last.reason.starts_with("slower than 0.5 s: candidate "), "{}", last.reason);
    let mut bench = Bench::new(comparison.clone());
    assert_eq!(bench.windows(500, &latency(20)).outcome, Outcome::Successful);
    // A bucket that is gone, and no buckets at all.
    let mut bench = Bench::new(comparison);
    let _ = bench.window(&latency(20)).unwrap();
    let mut changed = latency(20);
    changed.candidate.latency.remove(2);
    let gone = bench.window(&changed).unwrap();
    assert_eq!((gone.outcome, gone.data), (Outcome::Error, Data::Erroneous));
    assert!(gone.reason.contains("candidate arm has no bucket up to 0.5 s any more"), "{}", gone.reason);
    let none = bench.window(&arms((10, 0), (10, 0))).unwrap();
    assert!(none.reason.contains("no latencies of the stable arm"), "{}", none.reason);
}

#[test]
fn an_edge_that_hardly_anything_exceeds_any_more_does_not_keep_a_verdict_waiting() {
    let windows = |slow: u64, of: u64| {
        let counts = |slow: u64| ArmCounts {
            requests: of,
            failures: 0,
            latency: [(0.1, of / 2), (0.5, of - slow), (f64::INFINITY, of)]
                .map(|(edge, count)| (Number::new(edge), count))
                .to_vec(),
        };
        Arms { stable: counts(slow), candidate: counts(slow) }
    };
    let mut bench = Bench::new(Comparison::of(Compared::Latency));
    // By chance two of the first hundred are slow, so a pass depends on that edge.
    assert_eq!(bench.window(&windows(2, 100)).unwrap().outcome, Outcome::Undecided);
    let few = bench.window(&windows(0, 100)).unwrap();
    assert!(few.reason.ends_with("about 340 more requests of the candidate needed"), "{}", few.reason);
    let last = bench.windows(20, &windows(0, 100));
    assert_eq!(last.outcome, Outcome::Successful, "{}", last.reason);
    assert!(
        last.reason.ends_with("safe, as certainly less than 1% are slower than 0.5 s"),
        "{}",
        last.reason
    );
    assert_eq!(bench.run.evidence(0).unwrap().findings(0.01).unwrap().candidate.exposure, 400);
}

#[test]
fn a_slow_candidate_is_caught_and_rarely_passes() {
    let mut draws = 7_u64;
    let mut slow_of = |requests: u64, share: f64| {
        let is_slow = |_: &u64| {
            draws = draws.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((draws >> 11) as f64) < share * 2_f64.powi(53)
        };
        (0..requests).filter(is_slow).count() as u64
    };
    let mut runs = |stable: f64, candidate: f64| {
        let mut endings = [0, 0];
        for _ in 0..RUNS {
            let mut bench = Bench::new(Comparison::of(Compared::Latency));
            let mut window = |shares: [f64; 2]| {
                let counts = |share: f64| ArmCounts {
                    requests: 200,
                    failures: 0,
                    latency: vec![(Number::new(0.5), 200 - share as u64), (Number::new(f64::INFINITY), 200)],
                };
                let [stable, candidate] = shares.map(|share| slow_of(200, share) as f64).map(counts);
                Arms { stable, candidate }
            };
            for number in 0..WINDOWS {
                // The first chooses the edge, as one that is exceeded often enough.
                let shares = if number == 0 { [0.02, 0.02] } else { [stable, candidate] };
                if bench.window(&window(shares)).is_none() {
                    break;
                }
            }
            match bench.phase() {
                Phase::Successful => endings[0] += 1,
                Phase::Failed => endings[1] += 1,
                _ => {}
            }
        }
        endings.map(|count| f64::from(count) / f64::from(RUNS))
    };
    // At both limits at once: 1 %, and 1.5 times stable's. Each way may err in 5 % of all runs.
    let [passed, _] = runs(0.01 / 1.5, 0.01);
    assert!(passed <= 0.1, "{passed}");
    // Slow far more often than stable and than anybody minds.
    let [passed, failed] = runs(0.005, 0.03);
    assert!(passed == 0.0 && failed > 0.95, "{passed} {failed}");
    // Hardly ever slow: at 0.1 %, comparing alone would take a hundred times as long.
    let [passed, failed] = runs(0.001, 0.001);
    assert!(passed > 0.95 && failed == 0.0, "{passed} {failed}");
}

#[test]
fn answers_that_are_no_counts_are_errors_and_never_a_pass() {
    for sample in [Sample::Null, Sample::number(1.0), Sample::number(f64::NAN), Sample::List(Vec::new())] {
        let mut bench = Bench::new(Comparison::default());
        assert_eq!(bench.answer(sample).unwrap().outcome, Outcome::Error);
    }
    let mut bench = Bench::new(Comparison::default());
    let last = bench.windows(3, &arms((u64::from(u32::MAX), 0), (u64::from(u32::MAX), u64::from(u32::MAX))));
    assert_eq!(last.outcome, Outcome::Failed);
    let more_failures_than_requests = arms((1, 2), (1, 0));
    let mut bench = Bench::new(Comparison::default());
    assert_eq!(bench.window(&more_failures_than_requests).unwrap().outcome, Outcome::Error);
}

#[test]
fn a_horizon_without_certainty_is_inconclusive() {
    let mut bench =
        Bench::new(Comparison { horizon: Some(GoDuration::from_mins(5)), ..Comparison::default() });
    let last = bench.windows(1_000, &arms((900, 9), (100, 1)));
    assert_eq!((last.outcome, bench.phase()), (Outcome::Inconclusive, Phase::Inconclusive));
    assert!(last.reason.contains("not certain after 5m"), "{}", last.reason);
}

/// Of each kind.
const RUNS: u32 = 120;
const WINDOWS: u32 = 60;
