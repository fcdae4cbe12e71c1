//! The safety rules over random plans and random histories: commands, flapping instances, writes that are lost,
//! late or refused, answers of every kind, a clock that jumps.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::VecDeque;

use proptest::prelude::*;
use serinus_core::{
    analysis::{Analysis, Comparison, FailureBudget, Judge, Metric, Rounds},
    capacity::Amount,
    metric::{ArmCounts, Arms, Number, Query, Sample},
    port::{Fence, Pool, PortErrorKind},
    rollout::{
        Answer, Background, CandidateScale, Capacity, Command, DeadlineAction, Effect, Ending, Failure,
        Input, Outcome, Phase, Plan, PlanSpec, ProgressDeadline, Rule, State, Step, Waits, decide,
        effects_of,
    },
    time::GoDuration,
    traffic::{Match, Weight},
};

use crate::sim::Sim;

/// The analysis that compares and ends, by its place.
const COMPARING: usize = 3;

#[derive(Clone, Debug)]
enum Event {
    Look,
    Wait(u16),
    StepClockBack,
    Answer(usize, Reply),
    Command(u8),
    Revise(u8),
    Rebase(u8),
    Flap(bool),
    Heal,
    LoseWrites(bool),
    LateWrites(bool),
    DeliverLate,
    Refuse,
    Rescale(u8),
    Elect(u8),
    /// Somebody else, or a damaged object, left a fence far ahead.
    StrangeFence(bool),
    ChangePlan(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    Good,
    Bad,
    Empty,
    NotANumber,
    Error,
    GateOpen,
    GateShut,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => Just(Event::Look),
        3 => (0..900_u16).prop_map(Event::Wait),
        1 => Just(Event::StepClockBack),
        5 => (0..3_usize, reply()).prop_map(|(which, reply)| Event::Answer(which, reply)),
        1 => (0..7_u8).prop_map(Event::Command),
        1 => (0..3_u8).prop_map(Event::Revise),
        1 => (0..3_u8).prop_map(Event::Rebase),
        1 => any::<bool>().prop_map(Event::Flap),
        2 => Just(Event::Heal),
        1 => any::<bool>().prop_map(Event::LoseWrites),
        1 => any::<bool>().prop_map(Event::LateWrites),
        1 => Just(Event::DeliverLate),
        1 => Just(Event::Refuse),
        1 => (0..6_u8).prop_map(Event::Rescale),
        1 => (0..4_u8).prop_map(Event::Elect),
        1 => any::<bool>().prop_map(Event::StrangeFence),
        1 => any::<bool>().prop_map(Event::ChangePlan),
    ];
    prop::collection::vec(event, 0..80)
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        6 => Just(Reply::Good),
        1 => Just(Reply::Bad),
        1 => Just(Reply::Empty),
        1 => Just(Reply::NotANumber),
        1 => Just(Reply::Error),
        2 => Just(Reply::GateOpen),
        1 => Just(Reply::GateShut),
    ]
}

fn plans() -> impl Strategy<Value = PlanSpec> {
    let step = prop_oneof![
        4 => (0..=100_u32).prop_map(|percent| Step::Weight(Weight::percent(percent.into()))),
        2 => prop::option::of(0..600_u64).prop_map(|secs| Step::Hold(secs.map(GoDuration::from_secs))),
        4 => prop_oneof![Just(0_usize), Just(1), Just(COMPARING)].prop_map(Step::Analyse),
        1 => Just(Step::Gate("door".into())),
        1 => Just(Step::Switch),
        1 => Just(Step::Mirror(Weight::percent(10.0))),
        1 => Just(Step::Match(vec![Match { headers: Vec::new(), cookies: Vec::new(), path: None }])),
        1 => (0..4_u32).prop_map(|replicas| Step::Scale(CandidateScale::Replicas(replicas))),
    ];
    let capacity = prop_oneof![
        Just(Capacity::Unmanaged),
        (any::<bool>(), 0..3_u32, prop::option::of(1..=100_u32)).prop_map(
            |(dynamic_stable, min_per_revision, enough)| Capacity::Routed {
                replicas: 4,
                dynamic_stable,
                min_per_revision,
                ready_enough: enough.map(Amount::Percent),
            }
        ),
        (0..3_u32, 0..3_u32).prop_map(|(surge, unavailable)| Capacity::Counted {
            replicas: 4,
            max_surge: Amount::Count(surge),
            max_unavailable: Amount::Count(unavailable),
        }),
    ];
    let deadline = prop::option::of(any::<bool>());
    let kept = prop::option::of(0..60_u64);
    let compared = (0..7_usize, 0..8_usize);
    let ends = prop_oneof![3 => Just(Ending::Promote), 1 => Just(Ending::Return)];
    (prop::collection::vec(step, 0..7), capacity, 0..8_usize, deadline, kept, compared, ends).prop_map(
        |(steps, capacity, beside, deadline, kept, compared, ends)| {
            let (mut weight, mut special) = (Weight::ZERO, [false, false]);
            let steps: Vec<_> = steps
                .into_iter()
                .filter(|step| match (step, &capacity) {
                    (Step::Scale(_), Capacity::Routed { .. }) => true,
                    (Step::Scale(_), _) | (Step::Match(_) | Step::Mirror(_), Capacity::Counted { .. }) => {
                        false
                    }
                    _ => true,
                })
                .map(|step| {
                    let step = match step {
                        Step::Weight(to) => Step::Weight(to.max(weight)),
                        // Elsewhere there is nobody to compare with.
                        Step::Analyse(COMPARING)
                            if weight.is_full() || weight.is_zero() && special == [false, false] =>
                        {
                            Step::Analyse(0)
                        }
                        other => other,
                    };
                    match &step {
                        Step::Match(matches) => special[0] = !matches.is_empty(),
                        Step::Mirror(share) => special[1] = !share.is_zero(),
                        Step::Weight(to) => weight = *to,
                        Step::Switch => weight = Weight::FULL,
                        _ => {}
                    }
                    step
                })
                .collect();
            let during = 0..beside.min(steps.len());
            let background =
                if during.is_empty() { Vec::new() } else { vec![Background { analysis: 2, during }] };
            let spec = PlanSpec {
                ends,
                steps,
                analyses: analyses(),
                background,
                capacity,
                progress_deadline: deadline.map(|aborts| ProgressDeadline {
                    within: GoDuration::from_mins(10),
                    then: if aborts { DeadlineAction::Abort } else { DeadlineAction::Hold },
                }),
                keep_old: GoDuration::from_secs(30),
                keep_aborted: kept.map(GoDuration::from_secs),
                ..PlanSpec::default()
            };
            let mut comparing = spec.clone();
            comparing.background.push(Background { analysis: 4, during: compared.0..compared.1 });
            // Only where both arms take traffic.
            if Plan::try_from(comparing.clone()).is_ok() { comparing } else { spec }
        },
    )
}

fn analyses() -> Vec<Analysis> {
    let metric = |name: &str| {
        let judge = Judge::Range { min: Some(Number::new(1.0)), max: None };
        Metric {
            interval: Some(GoDuration::from_secs(30)),
            failure_limit: Some(1),
            ..Metric::new(name, Query::new("test", name), judge)
        }
    };
    let counted = Metric { count: Some(2), ..metric("counted") };
    let rounds =
        Rounds { interval: GoDuration::from_secs(60), passes: 1, budget: FailureBudget::Cumulative(2) };
    vec![
        Analysis::of("counted", [counted]),
        Analysis { rounds: Some(rounds), ..Analysis::of("rounds", [metric("round")]) },
        Analysis::of("endless", [metric("endless")]),
        Analysis::of("compared", [Comparison::default().metric("failures")]),
        Analysis::of("compared without end", [Comparison::default().metric("failures")]).without_end(),
    ]
}

/// A world that misbehaves as told, and the rules checked at every decision.
struct Chaos {
    sim: Sim,
    open: Vec<Effect>,
    losing: bool,
    late: bool,
    wire: VecDeque<Effect>,
    only_empty_handed: bool,
    /// The plan as it was first.
    spec: PlanSpec,
}

impl Chaos {
    fn hear(&mut self, input: Input) {
        let before = self.sim.state.clone();
        let decision = decide(&self.sim.plan, before.clone(), &input, self.sim.now);
        let again = decide(&self.sim.plan, before.clone(), &input, self.sim.now);
        assert_eq!(decision, again, "rule 8: deciding again differs");
        let text = serde_json::to_string(&decision.state).unwrap();
        let reloaded: State = serde_json::from_str(&text).unwrap();
        assert_eq!(reloaded, decision.state, "the state does not survive storage");
        assert_eq!(decision.effects, effects_of(&self.sim.plan, &reloaded), "effects are no view");
        let tick = decide(&self.sim.plan, reloaded, &Input::Tick, self.sim.now);
        assert_eq!(tick.state, decision.state, "rule 8: a tick at the same time changes something");
        assert!(decision.state.clock >= before.clock, "time ran back");
        if self.spec.ends == Ending::Return && !matches!(input, Input::Rebased(_)) {
            assert_eq!(decision.state.stable, before.stable, "a plan that returns promotes nobody");
        }
        self.check(&before, &decision.state, &decision.effects);
        if matches!(input, Input::Seen(_)) && decision.effects.iter().all(is_write) {
            assert!(
                decision.wake.is_none_or(|wake| wake > decision.state.clock),
                "it asks to be woken at once, over and over: {:#?}",
                decision.state
            );
        }
        if decision.wake.is_none() {
            let named = matches!(decision.waits, Waits::Nothing | Waits::Person | Waits::Gate(_));
            assert!(named, "rule 6: nothing moves by itself, and it waits for {:?}", decision.waits);
        }
        let noted = |rule: Rule| decision.notes.iter().any(|note| note.rule == rule);
        if !noted(Rule::StepSkipped) {
            self.check_analyses(&before, &decision.state, noted(Rule::AnalysisEnded));
        }
        self.sim.state = decision.state;
        self.sim.wake = decision.wake;
        self.open.clear();
        for effect in decision.effects {
            match effect {
                Effect::Route { .. } | Effect::Scale { .. } if self.losing => {}
                Effect::Route { .. } | Effect::Scale { .. } if self.late => self.wire.push_back(effect),
                Effect::Route { .. } | Effect::Scale { .. } => self.land(effect),
                request => self.open.push(request),
            }
        }
    }

    fn land(&mut self, effect: Effect) {
        match effect {
            Effect::Route { route, fence } => self.sim.apply_route(route, fence),
            Effect::Scale { revision, replicas, fence } => self.sim.apply_scale(revision, replicas, fence),
            _ => {}
        }
    }

    fn check(&self, before: &State, after: &State, effects: &[Effect]) {
        let routed = matches!(self.sim.plan.spec().capacity, Capacity::Routed { .. });
        for effect in effects {
            match effect {
                Effect::Route { route, .. } if routed => {
                    if let Some(candidate) = &route.candidate
                        && !route.weight.is_zero()
                        && matches!(after.phase, Phase::Progressing(_))
                    {
                        let ready = after.pools.get(candidate).map_or(0, |pool| pool.ready);
                        let is_nothing = self.sim.replicas == Some(0) || after.replicas == Some(0);
                        assert!(
                            ready > 0 || is_nothing,
                            "rule 1: {candidate} gets {} with nobody ready",
                            route.weight
                        );
                    }
                }
                Effect::Scale { revision, replicas: 0, .. } if routed && after.replicas != Some(0) => {
                    // Told again, because of a fence: nothing is taken away.
                    if self.sim.pools.get(revision).is_none_or(|pool| pool.wanted == 0) {
                        continue;
                    }
                    assert_ne!(*revision, after.stable, "rule 5: the way back is scaled down");
                    let serves = self.sim.route.as_ref().is_some_and(|route| route.value.serves(revision));
                    assert!(!serves, "rule 5: {revision} is scaled down while it takes traffic");
                }
                _ => {}
            }
        }
        if let (Phase::Progressing(one), Phase::Progressing(other)) = (&before.phase, &after.phase)
            && before.attempt == after.attempt
        {
            assert!(
                other.route.weight >= one.route.weight || other.route.stable == other.candidate,
                "rule 2"
            );
            if !other.short
                && let (Some(one), Some(two)) = (&before.route, &after.route)
                && two.value.stable == one.value.stable
            {
                assert!(two.value.weight >= one.value.weight, "rule 2: the weight fell");
            }
        }
    }

    /// Rule 3: an analysis step is passed only by its verdict or by a person's word.
    fn check_analyses(&self, before: &State, after: &State, ended: bool) {
        let Phase::Progressing(attempt) = &before.phase else { return };
        let (to, waived) = match &after.phase {
            Phase::Progressing(later) if before.attempt == after.attempt => {
                (later.step, later.waived.clone())
            }
            Phase::Done(done) if done.outcome == Outcome::Promoted => (usize::MAX, attempt.waived.clone()),
            _ => return,
        };
        for (place, step) in self.sim.plan.steps().iter().enumerate() {
            if matches!(step, Step::Analyse(_))
                && place >= attempt.step
                && place < to
                && !waived.contains(&place)
            {
                assert!(ended, "rule 3: analysis step {place} was passed without a verdict");
                assert!(!self.only_empty_handed, "rule 7: passed without any data");
            }
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Look => {
                let seen = Input::Seen(self.sim.world());
                self.hear(seen);
            }
            Event::Wait(secs) => {
                self.sim.advance(GoDuration::from_secs((*secs).into()));
                self.hear(Input::Tick);
            }
            Event::StepClockBack => self.sim.now = "2020-01-01T00:00:00Z".parse().unwrap(),
            Event::Answer(which, reply) => {
                self.only_empty_handed &= *reply != Reply::Good;
                let Some(request) = self.open.get(*which).cloned() else { return };
                let failure = || Failure { kind: PortErrorKind::Transient, message: "away".into() };
                let answer = match reply {
                    Reply::Good => Ok(Answer::Sample(Sample::number(2.0))),
                    Reply::Bad => Ok(Answer::Sample(Sample::number(0.0))),
                    Reply::Empty => Ok(Answer::Sample(Sample::empty())),
                    Reply::NotANumber => Ok(Answer::Sample(Sample::number(f64::NAN))),
                    Reply::Error => Err(failure()),
                    Reply::GateOpen => Ok(Answer::Gate(true)),
                    Reply::GateShut => Ok(Answer::Gate(false)),
                };
                let answer = match (&request, reply) {
                    (Effect::Ask { question, .. }, Reply::Good | Reply::Bad) if question.window.is_some() => {
                        Ok(Answer::Sample(arms(*reply == Reply::Good)))
                    }
                    _ => answer,
                };
                let (id, answer) = match request {
                    Effect::Tell { id, .. } => (id, Ok(Answer::Told)),
                    // A gate's yes is no measurement, and a sample opens no gate.
                    Effect::Ask { id, .. } if !matches!(answer, Ok(Answer::Gate(_))) => (id, answer),
                    Effect::Ask { id, .. } => (id, Err(failure())),
                    Effect::AskGate { id, .. } => (id, answer),
                    _ => return,
                };
                self.hear(Input::Answered { id, answer });
            }
            Event::Command(which) => {
                let command = [
                    Command::Promote,
                    Command::PromoteFully,
                    Command::Skip,
                    Command::Abort("chaos".into()),
                    Command::Retry,
                    Command::Pause,
                    Command::Resume,
                ][usize::from(*which) % 7]
                    .clone();
                self.hear(Input::Commanded(command));
            }
            Event::Revise(which) => {
                self.hear(Input::Revised(["v1", "v2", "v3"][usize::from(*which) % 3].into()))
            }
            Event::Rebase(which) => {
                self.hear(Input::Rebased(["v1", "v2", "v3"][usize::from(*which) % 3].into()))
            }
            Event::Flap(candidate) => {
                let revision = if *candidate { self.sim.state.candidate().cloned() } else { None };
                let revision = revision.unwrap_or_else(|| self.sim.state.stable.clone());
                if let Some(pool) = self.sim.pools.get_mut(&revision) {
                    pool.ready = 0;
                }
            }
            Event::Heal => {
                for pool in self.sim.pools.values_mut() {
                    pool.ready = pool.wanted;
                }
            }
            Event::LoseWrites(lose) => self.losing = *lose,
            Event::LateWrites(late) => self.late = *late,
            Event::DeliverLate => {
                if let Some(effect) = self.wire.pop_front() {
                    self.land(effect);
                }
            }
            Event::Refuse => {
                let aims = self.sim.state.route.iter().map(|aim| aim.fence);
                let pools =
                    self.sim.state.pools.values().filter_map(|pool| pool.aim.as_ref().map(|aim| aim.fence));
                let Some(fence) = aims.chain(pools).last() else { return };
                let failure = Failure { kind: PortErrorKind::Transient, message: "503".into() };
                self.hear(Input::Failed { fence, failure });
            }
            Event::Rescale(replicas) => self.sim.replicas = Some((*replicas).into()),
            Event::Elect(epoch) => self.hear(Input::Elected((*epoch).into())),
            Event::StrangeFence(last) => {
                let fence = self.sim.state.fence;
                let strange =
                    Fence { seq: if *last { u64::MAX } else { fence.seq.saturating_add(7) }, ..fence };
                if let Some(route) = &mut self.sim.route {
                    route.fence = Some(strange);
                } else if let Some(pool) = self.sim.pools.values_mut().next() {
                    pool.fence = Some(strange);
                }
            }
            Event::ChangePlan(whole) => {
                let spec = &self.spec;
                let steps = if *whole { spec.steps.len() } else { spec.steps.len() / 2 };
                let background = if *whole { spec.background.clone() } else { Vec::new() };
                let changed = PlanSpec { steps: spec.steps[..steps].to_vec(), background, ..spec.clone() };
                self.sim.plan = Plan::try_from(changed).unwrap();
            }
        }
    }

    fn all_goes_well(&mut self) {
        (self.losing, self.late) = (false, false);
        self.sim.now = self.sim.now.max(self.sim.state.clock);
        while let Some(effect) = self.wire.pop_front() {
            self.land(effect);
        }
        for _ in 0..400 {
            self.apply(&Event::Heal);
            self.apply(&Event::Look);
            while let Some(place) = self.open.iter().position(|open| matches!(open, Effect::Tell { .. })) {
                self.apply(&Event::Answer(place, Reply::Good));
            }
            match self.sim.wake {
                Some(wake) => self.sim.now = self.sim.now.max(wake),
                None => return,
            }
        }
    }
}

/// Enough of both arms for a verdict at once.
fn arms(is_good: bool) -> Sample {
    let counts = |failures| ArmCounts { requests: 10_000, failures, latency: Vec::new() };
    Sample::from(Arms {
        stable: counts(500),
        candidate: counts(if is_good { 500 } else { 1_000 }),
        control: None,
    })
}

fn is_write(effect: &Effect) -> bool {
    matches!(effect, Effect::Route { .. } | Effect::Scale { .. })
}

fn chaos(spec: PlanSpec) -> Chaos {
    let plan = Plan::try_from(spec.clone());
    assert!(plan.is_ok(), "the plan of the test is no plan: {plan:?}");
    let sim = Sim::new(spec.clone());
    Chaos {
        sim,
        spec,
        open: Vec::new(),
        losing: false,
        late: false,
        wire: VecDeque::new(),
        only_empty_handed: true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_hold_whatever_happens_and_an_abort_always_gets_home(spec in plans(), events in events()) {
        let counted = matches!(spec.capacity, Capacity::Counted { .. });
        let mut chaos = chaos(spec);
        chaos.apply(&Event::Look);
        chaos.apply(&Event::Look);
        chaos.hear(Input::Revised("v2".into()));
        for event in &events {
            chaos.apply(event);
        }
        chaos.hear(Input::Commanded(Command::Abort("home".into())));
        chaos.all_goes_well();
        let state = &chaos.sim.state;
        prop_assert!(matches!(state.phase, Phase::Idle | Phase::Done(_)), "rule 4: not home: {state:#?}");
        if !counted {
            let route = chaos.sim.route.as_ref().map(|route| &route.value);
            prop_assert!(
                route.is_some_and(|route| route.stable == state.stable && route.weight.is_zero() && route.candidate.is_none()),
                "rule 4: traffic is not on stable: {route:?}"
            );
        }
        let wanted = chaos.sim.replicas.unwrap_or(4);
        if !matches!(chaos.sim.plan.spec().capacity, Capacity::Unmanaged) {
            let none = Pool { wanted: 0, ready: 0, fence: None };
            let pool = chaos.sim.pools.get(&state.stable).unwrap_or(&none);
            prop_assert_eq!((pool.wanted, pool.ready), (wanted, wanted), "rule 4: stable has not its full size");
        }
    }
}

#[test]
fn a_stage_that_waits_for_a_gate_asks_again() {
    let spec = PlanSpec { steps: vec![Step::Gate("door".into())], ..PlanSpec::default() };
    let mut sim = Sim::new(spec);
    let mut asked = 0;
    sim.gate = Box::new(move |_| {
        asked += 1;
        asked == 4
    });
    let mut sim = sim.deliver("v2");
    sim.run_until_idle();
    assert!(sim.noted(Rule::GateShut));
    assert!(sim.is_promoted());
}
