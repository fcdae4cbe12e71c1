//! Shadows: copies only, then a canary or the end.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use serinus_core::{
    metric::{Number, Query, Question, Sample},
    rollout::{Capacity, Command, Failure, Outcome, Phase, PlanError, Step},
    strategy::{AfterShadow, Canary, Shadow},
    time::GoDuration,
    traffic::Weight,
};

use crate::{comparing::arms, sim::Sim};

const LASTING: GoDuration = GoDuration::from_mins(30);

fn shadow() -> Shadow {
    Shadow::new(4, Weight::percent(20.0), LASTING).agreement(Number::new(99.0))
}

/// The candidate fails `times` as often; `agree` percent of the answers agree.
fn source(times: f64, agree: f64) -> impl FnMut(&Question) -> Result<Sample, Failure> {
    let mut arms = arms(times);
    move |question| match question.query.text.as_str() {
        Query::AGREEMENT => {
            assert_eq!(question.query.window, Some(LASTING));
            assert_eq!(question.query.settings[Query::LEAST_PAIRS], "100");
            Ok(Sample::number(agree))
        }
        _ => arms(question),
    }
}

fn begin(shadow: Shadow, source: impl FnMut(&Question) -> Result<Sample, Failure> + 'static) -> Sim {
    let mut sim = Sim::new(shadow.plan().unwrap().into());
    sim.source = Box::new(source);
    sim.deliver("v2")
}

/// Runs to the end; no user's request ever goes to the candidate while it is shadowed.
fn run(shadow: Shadow, source: impl FnMut(&Question) -> Result<Sample, Failure> + 'static) -> Sim {
    let mut sim = begin(shadow, source);
    sim.run_until("the shadow is over", |sim| {
        let route = sim.route.as_ref().map(|route| &route.value);
        assert!(route.is_none_or(|route| route.mirror.is_zero() || !route.serves(&"v2".into())));
        sim.step_number().is_none_or(|step| step >= 3)
            || sim.state.attempt_under_way().is_some_and(|attempt| attempt.paused.is_some())
    });
    sim.run_until_idle();
    sim
}

#[test]
fn a_good_shadow_stops_with_its_result_and_never_had_a_user() {
    let sim = run(shadow(), source(1.0, 100.0));
    let Some(Outcome::Returned(result)) = sim.state.outcome() else { panic!("{:#?}", sim.state) };
    assert!(result.contains("failures: candidate 1.00% of "), "{result}");
    assert!(result.contains("latency: slower than ") && result.contains("agreement: 100, "), "{result}");
    assert_eq!(sim.ladder_percent(), [0.0]);
    let Phase::Done(done) = &sim.state.phase else { panic!("{:#?}", sim.state) };
    assert!(GoDuration::between("2026-01-01T00:00:00Z".parse().unwrap(), done.at) >= LASTING);
    assert!(sim.route.unwrap().value.mirror.is_zero());
}

#[test]
fn a_good_shadow_goes_on_to_its_canary() {
    let canary = Canary::new(4).ladder([10.0, 50.0].map(Weight::percent), GoDuration::from_mins(10));
    let sim = run(shadow().then(canary), source(1.0, 99.5));
    assert!(sim.is_promoted(), "{:#?}", sim.state);
    assert_eq!(sim.ladder_percent(), [0.0, 10.0, 50.0, 0.0], "in the end the candidate is stable");
}

#[test]
fn failures_and_answers_that_differ_end_it_without_a_user_harmed() {
    let canary = Canary::new(4).ladder([10.0, 50.0].map(Weight::percent), GoDuration::from_mins(10));
    for (times, agree, why) in
        [(2.0, 100.0, "failures"), (1.0, 90.0, "agreement"), (1.0, f64::NAN, "agreement")]
    {
        for shadow in [shadow(), shadow().then(canary.clone())] {
            let sim = run(shadow, source(times, agree));
            let Some(Outcome::Aborted(reason)) = sim.state.outcome() else { panic!("{:#?}", sim.state) };
            assert!(reason.contains(why), "{reason}");
            assert_eq!(sim.ladder_percent(), [0.0]);
        }
    }
}

#[test]
fn without_answers_to_compare_no_canary_begins() {
    let nothing = |question: &Question| match question.query.text.as_str() {
        Query::AGREEMENT => Ok(Sample::empty()),
        _ => arms(1.0)(question),
    };
    let sim = run(shadow().then(Canary::new(4).weight(Weight::percent(10.0))), nothing);
    assert!(!sim.is_promoted(), "{:#?}", sim.state);
    assert_eq!(sim.ladder_percent(), [0.0]);
}

#[test]
fn a_person_can_end_a_shadow_and_pass_over_it() {
    let canary = Canary::new(4).weight(Weight::percent(10.0)).without_comparison();
    let mut sim = begin(shadow().then(canary), source(1.0, 100.0));
    sim.run_until("it holds", |sim| sim.step_number() == Some(1));
    sim.command(Command::Promote);
    sim.run_until("it waits for the evidence", |sim| sim.step_number() == Some(2));
    sim.command(Command::Promote);
    sim.run_until_idle();
    assert!(sim.is_promoted(), "{:#?}", sim.state);
    let mut sim = begin(shadow(), source(1.0, 100.0));
    sim.run_until("it holds", |sim| sim.step_number() == Some(1));
    sim.command(Command::Abort("enough".into()));
    sim.run_until_idle();
    assert!(sim.is_aborted());
}

#[test]
fn the_steps_and_analyses_of_the_canary_keep_their_places() {
    let healthy = serinus_core::analysis::Analysis::comparison("canary");
    let canary = Canary::new(4)
        .weight(Weight::percent(10.0))
        .analyse(healthy.clone())
        .analyse_beside(healthy.without_end())
        .hold(GoDuration::from_mins(1));
    let plan = shadow().then(canary).plan().unwrap();
    let spec = plan.spec();
    assert_eq!(
        spec.steps[2..5],
        [Step::Mirror(Weight::ZERO), Step::Weight(Weight::percent(10.0)), Step::Analyse(1)]
    );
    assert_eq!(spec.background[1].during, 5..6);
    assert_eq!(spec.analyses[spec.background[1].analysis].name, "canary");
}

#[test]
fn a_shadow_needs_a_router_and_a_share() {
    let counted = Canary::counted(4);
    let plan = shadow().then(counted).plan();
    assert!(matches!(plan, Err(PlanError::NeedsRouter { .. })), "{plan:?}");
    let nothing = Shadow::new(4, Weight::ZERO, LASTING).plan();
    assert!(matches!(nothing, Err(PlanError::NothingToCompare { .. })), "{nothing:?}");
    let unseen = Shadow::new(4, Weight::FULL, LASTING).comparisons([]).plan();
    assert!(matches!(unseen, Err(PlanError::Analysis { .. })), "{unseen:?}");
}

#[test]
fn a_shadow_is_written_as_it_is_read() {
    let text = r#"{
        "share": 20000,
        "lasting": "30m",
        "agreement": {"atLeast": 99.0},
        "then": {"stop": {"capacity": "unmanaged"}}
    }"#;
    let read: Shadow = serde_json::from_str(text).unwrap();
    let mut built = shadow();
    built.then = AfterShadow::Stop { capacity: Capacity::Unmanaged };
    assert_eq!(read, built);
    assert_eq!(serde_json::from_str::<Shadow>(&serde_json::to_string(&read).unwrap()).unwrap(), read);
}
