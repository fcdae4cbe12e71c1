//! A source that objects to its own counts makes the verdict invalid, and hides no harm.

#![expect(clippy::unwrap_used, reason = "the harness of tests may panic")]

use serinus_core::{
    analysis::{
        Analysis, Comparison, Outcome, Phase,
        comparison::{Objection, Verdict, Why},
        run::{Reading, Run},
    },
    metric::{ArmCounts, Arms, Sample},
    time::Timestamp,
    traffic::Weight,
};

struct Bench {
    analysis: Analysis,
    run: Run,
    now: Timestamp,
}

impl Bench {
    fn new() -> Self {
        let analysis = Analysis::of("compare", [Comparison::default().metric("m")]);
        let now = Timestamp::UNIX_EPOCH;
        let mut run = Run::begin(&analysis, now);
        run.open_windows(&analysis, Weight::percent(10.0), now);
        let mut bench = Self { analysis, run, now };
        let _ = bench.window(Sample::from(arms(0, 0)));
        bench
    }

    fn window(&mut self, sample: Sample) -> (Outcome, String) {
        self.now = self.run.wake(&self.analysis).unwrap();
        self.run.start_due(&self.analysis, self.now);
        let open = self.run.open().next().unwrap();
        let reading = Reading::Answer(sample);
        let last = self.run.record(&self.analysis, open.metric, open.ordinal, reading, self.now).unwrap();
        (last.outcome, last.reason.as_str().to_owned())
    }

    fn verdict(&self) -> Verdict {
        self.run.results(&self.analysis)[0].verdict.unwrap()
    }
}

fn arms(requests: u64, failures: u64) -> Arms {
    let counts = |failures| ArmCounts { requests, failures, latency: Vec::new() };
    Arms { stable: counts(requests / 100), candidate: counts(failures), control: None }
}

fn objecting(arms: Arms) -> Sample {
    let reason = "9 of 90 subjects saw both variants".to_owned();
    Objection { why: Why::MultipleExposure, reason }.raise(Sample::from(arms))
}

#[test]
fn nobody_passes_by_counts_that_their_source_objects_to() {
    let (mut trusted, mut doubted) = (Bench::new(), Bench::new());
    let plenty = || arms(50_000, 500);
    assert_eq!(trusted.window(plenty().into()).0, Outcome::Successful);
    let (outcome, reason) = doubted.window(objecting(plenty()));
    assert_eq!(
        (outcome, reason.as_str()),
        (Outcome::Inconclusive, "invalid: 9 of 90 subjects saw both variants")
    );
    assert_eq!(doubted.verdict(), Verdict::Invalid(Why::MultipleExposure));
    assert_eq!(doubted.run.assess(&doubted.analysis).phase, Phase::Inconclusive);
    assert!(doubted.run.assess(&doubted.analysis).message.contains("9 of 90"));
}

#[test]
fn an_objection_hides_no_harm_neither_in_its_own_window_nor_later() {
    let mut at_once = Bench::new();
    assert_eq!(at_once.window(objecting(arms(50_000, 5_000))).0, Outcome::Failed);
    assert_eq!(at_once.verdict(), Verdict::Worse);
    let mut later = Bench::new();
    assert_eq!(later.window(objecting(arms(1_000, 10))).0, Outcome::Inconclusive);
    assert!(later.run.is_watching(&later.analysis));
    assert_eq!(later.window(objecting(arms(50_000, 5_000))).0, Outcome::Failed);
    assert_eq!(later.run.assess(&later.analysis).phase, Phase::Failed);
}
