//! An attempt, step by step.

use super::{
    Attempt, Capacity, DeadlineAction, Done, Ending, Outcome, Phase, Place, Plan, Rule, Stage, Step,
    aim::Managed,
    decide::{Next, Turn},
    retreat::Cause,
};
use crate::{
    analysis::Phase as RunPhase,
    text::Text,
    time::Timestamp,
    traffic::{Revision, Route, Weight},
};

impl Attempt {
    pub(super) fn new(stable: &Revision, candidate: Revision, preview: bool, now: Timestamp) -> Self {
        let route = Route { candidate: Some(candidate.clone()), preview, ..Route::all_to(stable.clone()) };
        Self {
            candidate,
            began: now,
            step: 0,
            stage: Stage::Opening,
            progress: now,
            most_ready: 0,
            stalled: false,
            short: false,
            paused: None,
            route,
            scale: None,
            runs: Vec::new(),
            carried: Vec::new(),
            waived: Vec::new(),
            waived_places: Vec::new(),
        }
    }

    pub(super) fn enter(&mut self, stage: Stage, now: Timestamp) {
        self.stage = stage;
        self.progress = now;
        self.most_ready = 0;
        self.stalled = false;
    }

    /// When the world has taken too long, if it is the world that is waited for.
    pub(super) fn deadline(&self, plan: &Plan) -> Option<Timestamp> {
        let deadline = plan.spec().progress_deadline?;
        let waits_for_the_world = match self.stage {
            Stage::Opening | Stage::Settling | Stage::Shifting => true,
            Stage::Starting | Stage::Holding(_) | Stage::Analysing | Stage::Gating { .. } | Stage::Passed => {
                self.short
            }
        };
        (waits_for_the_world && self.paused.is_none() && !self.stalled)
            .then(|| deadline.within.after(self.progress))
    }
}

impl Turn<'_> {
    pub(super) fn advance(&mut self, mut attempt: Box<Attempt>) -> Next {
        if self.state.plan != self.plan.fingerprint() {
            let again = Cause::Changed(Some(attempt.candidate.clone()));
            return Next::Go(self.begin_retreat(attempt, "the plan changed".to_owned(), again));
        }
        if let Some((reason, cause)) = self.tend_runs(&mut attempt) {
            return Next::Go(self.begin_retreat(attempt, reason, cause));
        }
        self.aim_pools(&attempt);
        let was_short = attempt.short;
        self.mind_shortage(&mut attempt);
        if attempt.short != was_short {
            self.tend_windows(&mut attempt);
            self.aim_pools(&attempt);
        }
        if let Some(reason) = self.mind_deadline(&mut attempt) {
            return Next::Go(self.begin_retreat(attempt, reason, Cause::Refused));
        }
        if attempt.paused.is_some() || attempt.short || attempt.unconcluded(self.plan).is_some() {
            return Next::Stay(Phase::Progressing(attempt));
        }
        let now = self.state.clock;
        if attempt.stage == Stage::Opening {
            if !self.is_routed() {
                return Next::Stay(Phase::Progressing(attempt));
            }
            attempt.enter(Stage::Starting, now);
        }
        let plan = self.plan;
        let Some(step) = plan.steps().get(attempt.step) else { return self.finish(attempt) };
        if attempt.stage == Stage::Starting {
            let (number, of, step) = (attempt.step + 1, plan.steps().len(), step.clone());
            let message = Text::lazily(move || format!("step {number} of {of}: {step}"));
            self.note(Rule::StepStarted, message);
        }
        match step {
            Step::Weight(weight) => {
                let route = Route { weight: (*weight).max(attempt.route.weight), ..attempt.route.clone() };
                self.shift(attempt, route, *weight)
            }
            Step::Switch => {
                let route = Route { weight: Weight::FULL, ..attempt.route.clone() };
                self.shift(attempt, route, Weight::FULL)
            }
            Step::Match(matches) => {
                let route = Route { matches: matches.clone(), ..attempt.route.clone() };
                let weight = attempt.route.weight;
                self.shift(attempt, route, weight)
            }
            Step::Mirror(share) => {
                let route = Route { mirror: *share, ..attempt.route.clone() };
                let weight = attempt.route.weight;
                self.shift(attempt, route, weight)
            }
            Step::Scale(scale) => {
                attempt.scale = Some(*scale);
                let (route, weight) = (attempt.route.clone(), attempt.route.weight);
                self.shift(attempt, route, weight)
            }
            Step::Hold(lasting) => match attempt.stage {
                Stage::Holding(Some(until)) if until <= now => self.step_done(attempt),
                Stage::Holding(_) => Next::Stay(Phase::Progressing(attempt)),
                _ => {
                    attempt.enter(Stage::Holding(lasting.map(|lasting| lasting.after(now))), now);
                    Next::Go(Phase::Progressing(attempt))
                }
            },
            Step::Analyse(_) => self.analyse(attempt),
            Step::Gate(_) => match attempt.stage {
                Stage::Passed => self.step_done(attempt),
                Stage::Gating { ordinal, again: Some(again) } if again <= now => {
                    attempt.stage = Stage::Gating { ordinal: ordinal.saturating_add(1), again: None };
                    Next::Stay(Phase::Progressing(attempt))
                }
                Stage::Gating { .. } => Next::Stay(Phase::Progressing(attempt)),
                _ => {
                    attempt.enter(Stage::Gating { ordinal: 0, again: None }, now);
                    Next::Go(Phase::Progressing(attempt))
                }
            },
        }
    }

    /// Instances first, then the route, then the next step.
    fn shift(&mut self, mut attempt: Box<Attempt>, route: Route, weight: Weight) -> Next {
        let now = self.state.clock;
        match attempt.stage {
            Stage::Shifting => {
                if !self.is_routed() {
                    return Next::Stay(Phase::Progressing(attempt));
                }
                self.step_done(attempt)
            }
            Stage::Settling => {
                self.aim_pools(&attempt);
                if !self.has_capacity(&attempt, weight) {
                    return Next::Stay(Phase::Progressing(attempt));
                }
                if self.managed() == Managed::Counted {
                    attempt.route = route;
                    return self.step_done(attempt);
                }
                if route == attempt.route {
                    return self.step_done(attempt);
                }
                attempt.route = route;
                self.aim_route(attempt.route.clone(), true);
                attempt.enter(Stage::Shifting, now);
                Next::Go(Phase::Progressing(attempt))
            }
            _ => {
                attempt.enter(Stage::Settling, now);
                Next::Go(Phase::Progressing(attempt))
            }
        }
    }

    fn has_capacity(&self, attempt: &Attempt, weight: Weight) -> bool {
        match &self.plan.spec().capacity {
            Capacity::Unmanaged => true,
            Capacity::Routed { ready_enough, .. } => self.is_there(&attempt.candidate, *ready_enough),
            Capacity::Counted { .. } => self.is_counted(&attempt.candidate, weight),
        }
    }

    /// All steps are done: full capacity, then all traffic, then the candidate is stable. Or back to stable, if that is
    /// how the plan ends.
    fn finish(&mut self, mut attempt: Box<Attempt>) -> Next {
        let now = self.state.clock;
        if self.ends_on_stable() {
            let results = self.results(&attempt);
            let steps = self.plan.steps().len();
            let reason =
                if results.is_empty() { format!("all {steps} steps are done") } else { results.join("; ") };
            return Next::Go(self.begin_retreat(attempt, reason, Cause::Concluded));
        }
        match attempt.stage {
            Stage::Settling => {
                self.aim_pools(&attempt);
                if !self.has_capacity(&attempt, Weight::FULL) {
                    return Next::Stay(Phase::Progressing(attempt));
                }
                if self.managed() == Managed::Counted {
                    return self.promote(attempt);
                }
                attempt.route = Route::all_to(attempt.candidate.clone());
                self.aim_route(attempt.route.clone(), true);
                attempt.enter(Stage::Shifting, now);
                Next::Go(Phase::Progressing(attempt))
            }
            Stage::Shifting => {
                if !self.is_routed() {
                    return Next::Stay(Phase::Progressing(attempt));
                }
                self.promote(attempt)
            }
            _ => {
                attempt.scale = None;
                attempt.enter(Stage::Settling, now);
                self.note(
                    Rule::StepStarted,
                    format!("all {} steps are done: {} is promoted", attempt.step, attempt.candidate),
                );
                Next::Go(Phase::Progressing(attempt))
            }
        }
    }

    fn promote(&mut self, attempt: Box<Attempt>) -> Next {
        let now = self.state.clock;
        let old = std::mem::replace(&mut self.state.stable, attempt.candidate.clone());
        self.let_go(old, Some(self.plan.spec().keep_old.after(now)));
        self.say(
            Rule::Promoted,
            format!("attempt {}: {} is promoted: it is stable now", self.state.attempt, attempt.candidate),
        );
        Next::Go(Phase::Done(Done {
            candidate: attempt.candidate,
            outcome: Outcome::Promoted,
            at: now,
            is_refused: false,
        }))
    }

    pub(super) fn ends_on_stable(&self) -> bool {
        self.plan.spec().ends == Ending::Return
    }

    pub(super) fn step_done(&mut self, mut attempt: Box<Attempt>) -> Next {
        attempt.leave(self.plan);
        attempt.step += 1;
        attempt.enter(Stage::Starting, self.state.clock);
        Next::Go(Phase::Progressing(attempt))
    }

    fn analyse(&mut self, mut attempt: Box<Attempt>) -> Next {
        let place = Place::Step(attempt.step);
        if attempt.stage != Stage::Analysing {
            attempt.begin_run(self.plan, place, self.state.clock);
            attempt.enter(Stage::Analysing, self.state.clock);
            return Next::Go(Phase::Progressing(attempt));
        }
        let passed = attempt.run_at(place).is_some_and(|run| run.phase() == RunPhase::Successful);
        if !passed {
            return Next::Stay(Phase::Progressing(attempt));
        }
        if let Some(analysis) = self.plan.analysis_at(place) {
            self.note(Rule::AnalysisEnded, format!("analysis {} passed", analysis.name));
        }
        self.step_done(attempt)
    }

    /// With nobody to take the candidate's traffic, it goes to stable until there is somebody.
    fn mind_shortage(&mut self, attempt: &mut Attempt) {
        if self.managed() != Managed::Routed {
            return;
        }
        if attempt.short {
            let enough = match &self.plan.spec().capacity {
                Capacity::Routed { ready_enough, .. } => *ready_enough,
                Capacity::Unmanaged | Capacity::Counted { .. } => None,
            };
            if self.is_there(&attempt.candidate, enough) {
                attempt.short = false;
                attempt.progress = self.state.clock;
                self.aim_route(attempt.route.clone(), true);
                self.note(
                    Rule::ShortageOver,
                    format!(
                        "{} has {} instances ready again: its traffic comes back",
                        attempt.candidate,
                        self.ready(&attempt.candidate)
                    ),
                );
            }
        } else if attempt.route.serves(&attempt.candidate)
            && self.ready(&attempt.candidate) == 0
            && self.is_wanted(&attempt.candidate)
        {
            attempt.short = true;
            attempt.progress = self.state.clock;
            let route = Route {
                candidate: Some(attempt.candidate.clone()),
                preview: self.plan.spec().preview,
                ..Route::all_to(self.state.stable.clone())
            };
            self.aim_route(route, true);
            self.say(
                Rule::Shortage,
                format!("{} has no instance ready: stable takes its traffic until it has", attempt.candidate),
            );
        }
    }

    /// Whether there are to be instances of a revision at all. An application that is scaled to nothing has no traffic
    /// to lose.
    pub(super) fn is_wanted(&self, revision: &Revision) -> bool {
        let pool = self.state.pools.get(revision);
        pool.and_then(|pool| pool.aim.as_ref()).is_none_or(|aim| aim.value > 0)
    }

    /// Whether the world took too long; the reason to abort, if that is what follows.
    fn mind_deadline(&mut self, attempt: &mut Attempt) -> Option<String> {
        let due = attempt.deadline(self.plan)?;
        if due > self.state.clock || attempt.stalled {
            return None;
        }
        let deadline = self.plan.spec().progress_deadline?;
        let message = format!(
            "no progress for {} at step {}: {} instances of {} are ready",
            deadline.within,
            attempt.step + 1,
            self.ready(&attempt.candidate),
            attempt.candidate
        );
        match deadline.then {
            DeadlineAction::Abort => {
                self.note(Rule::DeadlineExceeded, message.clone());
                Some(message)
            }
            DeadlineAction::Hold => {
                attempt.stalled = true;
                self.say(Rule::DeadlineExceeded, message);
                None
            }
        }
    }
}
