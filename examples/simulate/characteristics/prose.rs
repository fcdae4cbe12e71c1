//! The words of the page.

use std::fmt::Write as _;

use super::{Found, none, number};
use crate::{arguments::Arguments, contestants};

/// What the page is, and how it was made.
pub(super) fn head(arguments: &Arguments) -> String {
    let (faulty, seed) = (arguments.rollouts, arguments.seed);
    let healthy = arguments.healthy.unwrap_or(faulty);
    let option = arguments.healthy.map(|healthy| format!(" --healthy {healthy}")).unwrap_or_default();
    format!(
        "{HEAD}\nPrinted by\n\n```sh\ncargo run --release --example simulate -- --characteristics{option} --rollouts {faulty} \
         --seed {seed}\n```\n\nHealthy candidates are rolled out {healthy} times by the default plan (in clumps {faulty}), {faulty} times by the \
         others; faulty ones {faulty} times by each.\nIn parentheses: Wilson's interval of 95 %. None among {healthy} leaves \
         up to {:.2} % possible, none among {faulty} up to {:.2} %\n(Clopper and Pearson).\n",
        most_after_none(healthy),
        most_after_none(faulty),
    )
}

/// What the default plan does not do, with the figures.
pub(super) fn failures(found: &[Found]) -> String {
    let at = |scenario: &str| found.iter().find(|found| found.scenario.name == scenario);
    let cell =
        |scenario: &str, strategy: &str, effect| at(scenario).and_then(|found| found.cell(strategy, effect));
    let default = |scenario: &str, effect| cell(scenario, contestants::DEFAULT, effect);
    let rolled_back = |scenario: &str, strategy: &str, effect| {
        cell(scenario, strategy, effect).map_or_else(none, |cell| number(100.0 * cell.rolled_back.share))
    };
    let promoted = |scenario: &str, effect| {
        default(scenario, effect).map_or_else(none, |cell| number(100.0 * cell.promoted.share))
    };
    let mut text = "\n## Where it fails\n".to_owned();
    let rare = "6000/min, 0.01 %";
    let slow = "60/min, 1 %";
    let middling = "600/min, 1 %";
    let paragraphs = [
        format!(
            "*A bad candidate of a service that hardly ever fails.* What fails less often than 0.1 % is good enough \
             (`negligible`), however\nmuch better stable is; without that a service in which nothing fails could never pass. \
             At 0.01 % and 6000 requests a minute the\ndefault plan promotes {} % of the candidates that fail twice as often, \
             {} % of those that fail five times as often, and {} % of\nthose that fail twenty times as often, which is more \
             than 0.1 %. Set `negligible` to what nobody would mind, or to 0.",
            promoted(rare, 2.0),
            promoted(rare, 5.0),
            promoted(rare, 20.0),
        ),
        format!(
            "*Little traffic.* At 60 requests a minute of which 1 % fail, {} % of the candidates that fail twice as often are \
             rolled back\nwithin the hour, and at 600 a minute {} %. Those that are not are hardly ever promoted, but \
             left to a person: of the\nhealthy candidates {} % and {} % are promoted. Rules that pool totals at 5 %, such as \
             GrowthBook's, find more here; under a drift\nthey roll back every healthy candidate.",
            rolled_back(slow, contestants::DEFAULT, 2.0),
            rolled_back(middling, contestants::DEFAULT, 2.0),
            promoted(slow, 1.0),
            promoted(middling, 1.0),
        ),
        clumps(&rolled_back),
        "*What windows cannot show.* An instance that is worse all the time, for reasons of its own, is a worse candidate as \
         far as anybody\ncan tell: only the margin forgives it. Windows that overlap or are extrapolated count twice what \
         happened once; no scenario here\nhas them, as the counts are read as differences of raw counters over windows that \
         do not overlap."
            .to_owned(),
    ];
    for paragraph in paragraphs {
        // Writing to a text cannot fail.
        let _ = write!(text, "\n{paragraph}\n");
    }
    text
}

fn clumps(rolled_back: &impl Fn(&str, &str, f64) -> String) -> String {
    let (three, ten) = ("clumps, three times the variance", "clumps, ten times the variance");
    let healthy = |scenario: &str, strategy: &str| rolled_back(scenario, strategy, 1.0);
    format!(
        "*Failures in clumps.* The default plan takes requests for independent. If counts have three times the variance of \
         independent\nrequests it rolls back {} % of the healthy candidates, at ten times {} %, instead of at most 1 %. With the \
         dispersion\ntold it is {} % and {} %; calibrated during the rollout against a control group, in 30 \
         windows\n{} % and {} %, in 120 windows {} % and {} %: windows in which hardly anything fails say little about clumps, and \
         the price of\nmore is time, which the tables below show.",
        healthy(three, contestants::DEFAULT),
        healthy(ten, contestants::DEFAULT),
        healthy(three, contestants::TOLD),
        healthy(ten, contestants::TOLD),
        healthy(three, contestants::CALIBRATED),
        healthy(ten, contestants::CALIBRATED),
        healthy(three, contestants::CALIBRATED_LONG),
        healthy(ten, contestants::CALIBRATED_LONG),
    )
}

/// The upper end, in percent, of the exact interval of Clopper and Pearson for none among so many.
fn most_after_none(rollouts: u64) -> f64 {
    100.0 * (1.0 - 0.025_f64.powf(1.0 / rollouts.max(1) as f64))
}

const HEAD: &str = "# Operating characteristics

How often each strategy rolls back a healthy candidate, and how often, when and at what cost it rolls back a faulty one.
Every strategy climbs the same ladder (5, 10, 20, 35 and 50 % for twelve minutes each) in the same simulated worlds.
Thresholds get a present: they know the true failure rate and stand at twice that, those of latency at one and a half times
the 99th percentile. Kayenta, GrowthBook, Statsig and the z-test look each minute; Serinus compares windows of 15 seconds.

*Serinus, default* is the plan that a canary compiles to where nothing else is said: it judges by failures and by latency,
gives failures three quarters and latency one quarter of its error probability of 1 %, and promotes nobody who has not passed
both. *5 %* is the same plan with that error probability. The rows *failures only* and *latency only* give the whole to what some of the others judge by. *Dispersion
told* is the default plan with the true dispersion of the failures in its settings; *calibrated* finds it during the rollout, in
the first 30 or 120 windows with failures, from a control group of stable's instances as large as the candidate.

In the tables, *minute* is the median of the rollouts that were rolled back, *p90* what nine of ten of them need at most.
*failed* is the mean number of requests that failed on the candidate until the rollback, or the promotion, of all rollouts;
*too many*, those of them that stable would have answered; *users*, those that met the candidate, at ten requests each.
*looks* are measurements. The minute in parentheses is what the formula of `simulate::Detection` expects without simulating.
Group sequential tests and mSPRT are left out: they are no rules of the tools that are compared.
";

/// What could be done against each limit, and whether it is.
pub(super) const REMEDIES: &str = "
## Remedies: built, and left out

- Built: a comparison within each window, multiplied over windows, against drift, incidents and the ramp.
- Built: a margin of 1.1, against instances that are never quite equal (`margin`).
- Built: a strict error probability of 1 %, by an exact e-process rather than a normal approximation, which fails there.
- Built: a pass needs its own evidence, against one and a half times stable's rate at 5 % (`safetyMargin`,
  `missProbability`); no evidence by the horizon of an hour is inconclusive, never a pass.
- Built: windows of 15 s, disjoint, closed at each change of weight, the first 10 s after one left out (`settle`).
- Built: one error probability for all metrics and all steps of a plan, not one for each stage.
- Built: latency at up to twelve edges of the histogram above stable's median, the mean of their e-values; an objective for the
  latency is looked at if it is an edge.
- Built, on request: a sequential check of the split at 0.1 % (`sampleRatio`). Not by default: with sticky subjects the split
  of requests differs by nature.
- Built, on request: over-dispersion told or calibrated against a control group (`dispersion`). Not by default: few have a
  control group, and a number that is guessed is worse than none.
- Built: *negligible*, which the literature does not have, so that a service that hardly fails can pass.
- Left out: a second, quick process with a margin of 2 at 0.1 % beside each comparison. A second metric with such a margin
  and an error probability of its own does it; by default the whole error probability finds smaller regressions sooner.
- Left out: a second process that starts anew at each stage and is averaged with the first, for regressions that begin
  late. It costs every other one ln 2 of evidence; what went well before only delays the verdict.
- Left out: wider windows where the candidate expects less than five requests in one. The test is exact at any count.
- Left out: self-normalised scores. They hold at any dispersion, and need at least fourteen windows for any fault, however bad.
- Left out: an equal-sized fresh baseline beside stable. Stable's counts are compared as they are, which finds faults sooner;
  a control group can be given, to calibrate.
";
