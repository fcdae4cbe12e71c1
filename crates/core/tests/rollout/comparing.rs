//! Rollouts judged by comparing candidate and stable: when windows are asked for, and what the evidence decides.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{cell::RefCell, rc::Rc};

use serinus_core::{
    analysis::{Analysis, Compared, Comparison},
    metric::{ArmCounts, Arms, Number, Query, Question, Sample, Window},
    port::PortErrorKind,
    rollout::{
        Background, Capacity, Command, Failure, Outcome, Phase, Place, Plan, PlanError, PlanSpec, Rule, Step,
    },
    strategy::Canary,
    time::GoDuration,
    traffic::{Match, Weight},
};

use crate::sim::Sim;

/// 10 % and 50 % of 1000 requests a second, each for ten minutes.
fn canary() -> Canary {
    Canary::new(4).ladder([10.0, 50.0].map(Weight::percent), GoDuration::from_mins(10))
}

/// Both arms at 1000 requests a second; stable fails once in a hundred, the candidate `times` as often.
pub(crate) fn arms(times: f64) -> impl FnMut(&Question) -> Result<Sample, Failure> {
    move |question| {
        let window = question.window.unwrap();
        let requests = (GoDuration::between(window.from, window.to).as_secs_f64() * 1000.0).round();
        let counts = |times: f64| ArmCounts {
            requests: requests as u64,
            failures: (requests * 0.01 * times).round() as u64,
            latency: vec![
                (Number::new(0.05), (requests * 0.5).round() as u64),
                (Number::new(0.1), (requests * 0.9).round() as u64),
                (Number::new(1.0), (requests * 0.99).round() as u64),
                (Number::new(f64::INFINITY), requests as u64),
            ],
        };
        Ok(Sample::from(Arms { stable: counts(1.0), candidate: counts(times), control: None }))
    }
}

fn run(plan: Plan, source: impl FnMut(&Question) -> Result<Sample, Failure> + 'static) -> Sim {
    let mut sim = Sim::new(plan.into());
    sim.source = Box::new(source);
    let mut sim = sim.deliver("v2");
    sim.run_until_idle();
    sim
}

#[test]
fn a_canary_that_names_no_analysis_compares_and_promotes_what_is_as_good() {
    let plan = canary().plan().unwrap();
    assert!(plan.spec().analyses[0].metrics.iter().all(|metric| metric.comparison().is_some()));
    let sim = run(plan, arms(1.0));
    assert!(sim.is_promoted(), "{:#?}", sim.notes);
    assert!(sim.noted(Rule::AnalysisEnded));
}

#[test]
fn what_is_half_again_as_bad_goes_back_and_one_sentence_says_why() {
    let sim = run(canary().plan().unwrap(), arms(1.5));
    let Phase::Done(done) = &sim.state.phase else { panic!("{:#?}", sim.state) };
    let Outcome::Aborted(reason) = &done.outcome else { panic!("{done:#?}") };
    assert!(reason.contains("failures: candidate "), "{reason}");
    assert!(reason.contains("(1.50%), stable "), "{reason}");
    assert!(reason.contains(" times (99.25% interval "), "{reason}");
    assert!(reason.ends_with(": worse"), "{reason}");
    assert_eq!(*sim.ladder.last().unwrap(), Weight::ZERO);
}

#[test]
fn windows_follow_one_another_and_none_lies_across_a_change_of_weight() {
    let windows = Rc::new(RefCell::new(Vec::<Window>::new()));
    let seen = Rc::clone(&windows);
    let mut source = arms(1.0);
    let sim = run(canary().plan().unwrap(), move |question: &Question| {
        if question.query.text == Query::ARMS {
            seen.borrow_mut().push(question.window.unwrap());
        }
        source(question)
    });
    assert!(sim.is_promoted());
    let windows = windows.borrow();
    // Two metrics ask about the same windows, some more than once; each weight is one stretch, which begins with an
    // empty window.
    let mut one = windows.clone();
    one.dedup();
    assert_eq!(one.iter().filter(|window| window.from == window.to).count(), 2);
    for pair in one.windows(2) {
        let begins = pair[1].from == pair[1].to;
        assert!(begins || pair[1].from == pair[0].to, "{pair:?}");
    }
    let lengths = one.iter().map(|window| GoDuration::between(window.from, window.to).as_secs_f64());
    assert!(lengths.clone().all(|length| length == 0.0 || (15.0..15.1).contains(&length)));
    assert!(lengths.count() >= 70);
}

#[test]
fn without_evidence_for_it_the_candidate_does_not_get_all_traffic() {
    // So few requests that an hour cannot tell.
    let few = |question: &Question| {
        let empty = question.window.is_some_and(|window| window.from == window.to);
        let counts = ArmCounts { requests: u64::from(!empty), ..ArmCounts::default() };
        Ok(Sample::from(Arms { stable: counts.clone(), candidate: counts, control: None }))
    };
    let failures = Analysis::of("failures", [Comparison::default().metric("failures")]).without_end();
    let plan = Canary::new(4)
        .analyse_beside(failures)
        .ladder([10.0, 50.0].map(Weight::percent), GoDuration::from_mins(10))
        .plan()
        .unwrap();
    let mut sim = Sim::new(plan.into());
    sim.source = Box::new(few);
    let mut sim = sim.deliver("v2");
    sim.run_until("it is paused", is_paused);
    let Phase::Progressing(attempt) = &sim.state.phase else { panic!("{:#?}", sim.state.phase) };
    assert!(attempt.paused.is_some(), "{attempt:#?}");
    assert_eq!(attempt.route.weight, Weight::percent(50.0));
    let told = sim.told.last().unwrap();
    assert!(told.contains("not certain after 1h"), "{told}");
}

#[test]
fn an_arm_that_nobody_counts_never_passes_and_takes_nothing_back() {
    let missing = |question: &Question| {
        let mut source = arms(1.0);
        let mut arms = source(question).unwrap().into_map().unwrap();
        arms.remove("candidate");
        Ok(Sample::Map(arms))
    };
    let mut sim = Sim::new(canary().plan().unwrap().into());
    sim.source = Box::new(missing);
    let mut sim = sim.deliver("v2");
    sim.run_until("it is paused", is_paused);
    let told = sim.told.last().unwrap();
    assert!(told.contains("not certain after 1h"), "{told}");
    assert!(told.contains("no data of the candidate arm"), "{told}");
}

#[test]
fn an_outage_of_the_source_costs_windows_and_no_verdict() {
    let mut asked = 0;
    let mut source = arms(1.0);
    let flaky = move |question: &Question| {
        asked += 1;
        if asked % 3 == 0 {
            return Err(Failure { kind: PortErrorKind::Transient, message: "away".into() });
        }
        source(question)
    };
    assert!(run(canary().plan().unwrap(), flaky).is_promoted());
}

#[test]
fn a_step_that_compares_waits_for_the_evidence_and_the_next_keeps_what_speaks_against() {
    let analysis = Analysis::of("compare", [Comparison::default().metric("failures")]);
    let plan = Canary::new(4)
        .weight(Weight::percent(10.0))
        .analyse(analysis.clone())
        .weight(Weight::percent(50.0))
        .analyse(analysis)
        .plan()
        .unwrap();
    let sim = run(plan.clone(), arms(1.0));
    assert!(sim.is_promoted(), "{:#?}", sim.state);
    // Worse from the second step on: what was learned in the first does not hide it.
    let mut began = Vec::new();
    let (mut good, mut bad) = (arms(1.0), arms(2.0));
    let late = move |question: &Question| {
        let Window { from, to } = question.window.unwrap();
        if from == to && !began.contains(&to) {
            began.push(to);
        }
        if began.len() < 2 { good(question) } else { bad(question) }
    };
    let sim = run(plan, late);
    assert!(!sim.is_promoted());
    assert!(sim.ladder.contains(&Weight::percent(50.0)));
}

#[test]
fn plans_that_would_compare_with_nobody_are_refused() {
    let spec = |steps: Vec<Step>| PlanSpec {
        steps,
        analyses: vec![Analysis::comparison("compare")],
        capacity: Capacity::Unmanaged,
        ..PlanSpec::default()
    };
    let half = Step::Weight(Weight::percent(50.0));
    let anybody = Match { headers: Vec::new(), cookies: Vec::new(), path: None };
    for (steps, is_fine) in [
        (vec![half.clone(), Step::Analyse(0)], true),
        (vec![Step::Mirror(Weight::FULL), Step::Analyse(0)], true),
        (vec![Step::Analyse(0), half.clone()], false),
        // Who fits still gets the candidate when the copies end, and the other way round.
        (vec![Step::Match(vec![anybody.clone()]), Step::Mirror(Weight::ZERO), Step::Analyse(0)], true),
        (vec![Step::Mirror(Weight::FULL), Step::Match(Vec::new()), Step::Analyse(0)], true),
        (vec![Step::Mirror(Weight::FULL), Step::Mirror(Weight::ZERO), Step::Analyse(0)], false),
        (vec![half, Step::Switch, Step::Analyse(0)], false),
    ] {
        let plan = Plan::try_from(spec(steps));
        let refused = matches!(plan, Err(PlanError::NothingToCompare { .. }));
        assert_eq!((plan.is_ok(), refused), (is_fine, !is_fine), "{plan:?}");
    }
}

#[test]
fn numbers_out_of_range_are_refused_with_their_place() {
    let number = |value: f64| Number::new(value);
    let base = Comparison::default();
    for (comparison, expected) in [
        (Comparison { margin: number(0.9), ..base.clone() }, "margin is 0.9: expected a number from 1"),
        (Comparison { margin: number(f64::NAN), ..base.clone() }, "margin is NaN"),
        (Comparison { safety_margin: number(1.1), ..base.clone() }, "safetyMargin is 1.1"),
        (Comparison { error_probability: Some(number(0.0)), ..base.clone() }, "errorProbability is 0"),
        (Comparison { error_probability: Some(number(1.0)), ..base.clone() }, "errorProbability is 1"),
        (Comparison { miss_probability: number(f64::INFINITY), ..base.clone() }, "missProbability is"),
        (Comparison { negligible: number(1.0), ..base.clone() }, "negligible is 1"),
        (Comparison { dispersion: number(0.5).into(), ..base.clone() }, "dispersion is 0.5"),
        (Comparison { weight: 0, ..base.clone() }, "weight is 0"),
        (Comparison { horizon: Some(GoDuration::ZERO), ..base.clone() }, "horizon is 0s"),
        (Comparison { settle: GoDuration::from_nanos(-1), ..base.clone() }, "settle is"),
    ] {
        let error = Analysis::of("a", [comparison.metric("m")]).validate().unwrap_err().to_string();
        assert!(error.contains("analysis `a`: metrics[0].judge.compare"), "{error}");
        assert!(error.contains(expected), "{error}");
    }
    let mut endless = base.metric("m");
    endless.interval = None;
    let error = Analysis::of("a", [endless]).validate().unwrap_err().to_string();
    assert!(error.contains("interval is none: expected the length of a window"), "{error}");
}

#[test]
fn metrics_share_one_error_probability_by_weight() {
    let of = |weight, own: Option<f64>| Comparison {
        of: Compared::Failures,
        weight,
        error_probability: own.map(Number::new),
        ..Comparison::default()
    };
    let comparisons = [of(1, None), of(3, None), of(1, Some(0.002))];
    let analysis =
        Analysis::of("a", comparisons.iter().cloned().zip(["a", "b", "c"]).map(|(it, name)| it.metric(name)));
    let parts = comparisons.map(|comparison| analysis.error_probability(&comparison));
    for (part, expected) in parts.into_iter().zip([0.002, 0.006, 0.002]) {
        assert!((part - expected).abs() < 1e-12, "{parts:?}");
    }
}

/// An analysis beside all steps: whether requests are split as planned, and failures.
fn split_and_failures() -> Plan {
    let mut split = Comparison { sample_ratio: true, ..Comparison::default() }.metric("split");
    split.query = Query::new("test", "split");
    let failures = Comparison::default().metric("failures");
    Canary::new(4)
        .analyse_beside(Analysis::of("both", [split, failures]).without_end())
        .ladder([10.0, 50.0].map(Weight::percent), GoDuration::from_mins(10))
        .plan()
        .unwrap()
}

/// Requests that are not split as planned, by one metric; by the other the candidate is as good as stable for so many
/// windows, and then five times as bad.
fn uneven_then_worse(good: usize) -> impl FnMut(&Question) -> Result<Sample, Failure> {
    let mut windows = 0;
    move |question: &Question| {
        if question.query.text == "split" {
            let mut both = Arms::try_from(&arms(1.0)(question)?).unwrap();
            both.candidate.requests /= 2;
            both.candidate.failures /= 2;
            return Ok(Sample::from(both));
        }
        windows += 1;
        arms(if windows > good { 5.0 } else { 1.0 })(question)
    }
}

pub(crate) fn is_paused(sim: &Sim) -> bool {
    sim.state.attempt_under_way().is_some_and(|attempt| attempt.paused.is_some())
}

#[test]
fn harm_takes_the_candidate_back_while_an_inconclusive_end_waits_for_a_person() {
    let mut sim = Sim::new(split_and_failures().into());
    sim.source = Box::new(uneven_then_worse(20));
    let mut sim = sim.deliver("v2");
    sim.run_until("it is paused", is_paused);
    assert_eq!(sim.state.weight(), Weight::percent(10.0), "the candidate still takes traffic");
    sim.run_until_idle();
    let Some(Outcome::Aborted(reason)) = sim.state.outcome() else { panic!("{:#?}", sim.state) };
    assert!(reason.contains("failures: candidate ") && reason.ends_with(": worse"), "{reason}");
}

#[test]
fn harm_takes_the_candidate_back_after_a_person_went_on_without_the_verdict() {
    let mut sim = Sim::new(split_and_failures().into());
    sim.source = Box::new(uneven_then_worse(20));
    let mut sim = sim.deliver("v2");
    sim.run_until("it is paused", is_paused);
    sim.command(Command::Promote);
    assert!(!is_paused(&sim) && sim.is_progressing());
    sim.run_until_idle();
    assert!(sim.is_aborted(), "{:#?}", sim.state);
}

#[test]
fn an_inconclusive_end_waits_for_a_person_as_long_as_nothing_is_worse() {
    let mut sim = Sim::new(split_and_failures().into());
    sim.source = Box::new(uneven_then_worse(usize::MAX));
    let mut sim = sim.deliver("v2");
    sim.run_until("it is paused", is_paused);
    let day = GoDuration::from_mins(24 * 60).after(sim.now);
    while sim.now < day && sim.step() {}
    assert!(is_paused(&sim), "{:#?}", sim.state);
    sim.command(Command::Promote);
    sim.run_until("it is over", |sim| !sim.is_progressing());
    assert!(sim.is_promoted(), "{:#?}", sim.state);
}

#[test]
fn a_split_is_checked_only_where_one_is_planned() {
    let checked = Comparison { sample_ratio: true, ..Comparison::default() };
    let half = Step::Weight(Weight::percent(50.0));
    let matching = Step::Match(vec![Match { headers: Vec::new(), cookies: Vec::new(), path: None }]);
    let hold = Step::Hold(Some(GoDuration::from_mins(1)));
    for (steps, is_fine) in [
        (vec![half.clone(), Step::Analyse(0)], true),
        (vec![Step::Mirror(Weight::FULL), Step::Analyse(0)], false),
        (vec![matching.clone(), Step::Analyse(0)], false),
        (vec![half.clone(), matching.clone(), Step::Analyse(0)], false),
        (vec![half.clone(), Step::Mirror(Weight::FULL), Step::Analyse(0)], false),
        (vec![matching.clone(), Step::Match(Vec::new()), half.clone(), Step::Analyse(0)], true),
    ] {
        let analyses = vec![Analysis::of("a", [checked.clone().metric("m")])];
        let plan = Plan::try_from(PlanSpec { steps, analyses, ..PlanSpec::default() });
        assert_eq!(plan.is_ok(), is_fine, "{plan:?}");
        let error = plan.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(is_fine || error.contains("checks the split of the requests"), "{error}");
    }
    for (steps, is_fine) in [
        (vec![half.clone(), hold.clone()], true),
        (vec![matching, half, Step::Match(Vec::new()), hold], false),
    ] {
        let analyses = vec![Analysis::of("a", [checked.clone().metric("m")]).without_end()];
        let background = vec![Background { analysis: 0, during: 0..steps.len() }];
        let plan = Plan::try_from(PlanSpec { steps, analyses, background, ..PlanSpec::default() });
        assert_eq!(plan.is_ok(), is_fine, "{plan:?}");
    }
}

#[test]
fn all_analyses_of_a_plan_share_one_error_probability() {
    let failures = Comparison::default().metric("failures");
    let heavy = Comparison { weight: 2, ..Comparison::default() }.metric("heavy");
    let steps = vec![Step::Weight(Weight::percent(50.0)), Step::Analyse(0), Step::Analyse(0)];
    let spec = PlanSpec {
        background: vec![Background { analysis: 1, during: 0..steps.len() }],
        steps,
        analyses: vec![
            Analysis::of("step", [failures.clone()]),
            Analysis::of("beside", [heavy]).without_end(),
        ],
        ..PlanSpec::default()
    };
    let plan = Plan::try_from(spec.clone()).unwrap();
    let of = |place| {
        let analysis = plan.analysis_at(place).unwrap();
        analysis.error_probability(analysis.metrics[0].comparison().unwrap())
    };
    let (step, beside) = (of(Place::Step(1)), of(Place::Background(0)));
    assert!((step + beside - 0.01).abs() < 1e-12 && (beside / step - 2.0).abs() < 1e-9, "{step} {beside}");
    assert_eq!(plan.spec(), &spec, "what is written stays as it is");
    let own =
        Comparison { error_probability: Some(Number::new(0.01)), ..Comparison::default() }.metric("own");
    let all =
        PlanSpec { analyses: vec![Analysis::of("step", [failures]), Analysis::of("own", [own])], ..spec };
    let error = Plan::try_from(all).unwrap_err().to_string();
    assert!(
        error.contains("nothing is left of an error probability of 0.01 for the metric `failures`"),
        "{error}"
    );
}
