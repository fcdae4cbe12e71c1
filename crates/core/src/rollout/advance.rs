//! An attempt, step by step.

use super::{
    Attempt, Capacity, Command, DeadlineAction, Done, Ending, Note, Outcome, Pause, Phase, Place, PlacedRun,
    Plan, Rule, Stage, Step,
    aim::Managed,
    decide::{Next, Turn},
    retreat::Cause,
};
use crate::{
    analysis::{
        Analysis, Phase as RunPhase,
        run::{Measurement, Run},
    },
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

    fn enter(&mut self, stage: Stage, now: Timestamp) {
        self.stage = stage;
        self.progress = now;
        self.most_ready = 0;
        self.stalled = false;
    }

    /// Forgets the run of the current step, but not its rounds: other steps may share them.
    fn leave(&mut self, plan: &Plan) {
        let place = Place::Step(self.step);
        if let (Some(Step::Analyse(analysis)), Some(placed)) =
            (plan.steps().get(self.step), self.runs.iter().find(|placed| placed.place == place))
        {
            let carried = placed.run.carried();
            self.carried.retain(|(of, _)| of != analysis);
            self.carried.push((*analysis, carried));
        }
        self.runs.retain(|placed| placed.place != place);
    }

    fn begin_run(&mut self, plan: &Plan, place: Place, now: Timestamp) {
        let Some(analysis) = plan.analysis_at(place) else { return };
        let earlier = self.run_at(place).map(Run::carried);
        let carried = earlier.or_else(|| match (place, plan.steps().get(self.step)) {
            (Place::Step(_), Some(Step::Analyse(index))) => {
                self.carried.iter().find(|(of, _)| of == index).map(|(_, carried)| carried.clone())
            }
            _ => None,
        });
        let run = Run::continuing(analysis, carried.unwrap_or_default(), now);
        match self.runs.iter_mut().find(|placed| placed.place == place) {
            Some(placed) => {
                placed.ordinal = placed.ordinal.saturating_add(1);
                placed.run = run;
            }
            None => self.runs.push(PlacedRun { place, ordinal: 0, run }),
        }
    }

    fn run_at(&self, place: Place) -> Option<&Run> {
        self.runs.iter().find(|placed| placed.place == place).map(|placed| &placed.run)
    }

    /// A background analysis whose steps are over and which has not yet ended conclusively: the next step waits.
    ///
    /// A promotion must not overtake an open question, an outage of the source, or a first measurement still due.
    pub(super) fn unconcluded(&self, plan: &Plan) -> Option<Place> {
        plan.spec().background.iter().enumerate().find_map(|(index, background)| {
            let place = Place::Background(index);
            if background.during.end > self.step || self.waived_places.contains(&place) {
                return None;
            }
            let placed = self.runs.iter().find(|placed| placed.place == place)?;
            let analysis = plan.analysis_at(place)?;
            (!placed.run.is_conclusive(analysis)).then_some(place)
        })
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
            self.note(
                Rule::StepStarted,
                format!("step {} of {}: {step}", attempt.step + 1, plan.steps().len()),
            );
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

    fn ends_on_stable(&self) -> bool {
        self.plan.spec().ends == Ending::Return
    }

    /// What the analyses came to so far that are not forgotten, metric by metric.
    fn results(&self, attempt: &Attempt) -> Vec<String> {
        let placed = attempt.runs.iter();
        placed
            .filter_map(|placed| Some(placed.run.results(self.plan.analysis_at(placed.place)?)))
            .flatten()
            .map(|result| result.to_string())
            .collect()
    }

    fn step_done(&mut self, mut attempt: Box<Attempt>) -> Next {
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

    /// Runs what is to run now, and looks at how the runs stand. The reason to go back, if there is one.
    fn tend_runs(&mut self, attempt: &mut Attempt) -> Option<(String, Cause)> {
        let now = self.state.clock;
        let plan = self.plan;
        for (index, background) in plan.spec().background.iter().enumerate() {
            let place = Place::Background(index);
            if attempt.stage != Stage::Opening
                && background.during.contains(&attempt.step)
                && !attempt.runs.iter().any(|placed| placed.place == place)
            {
                attempt.begin_run(plan, place, now);
            }
        }
        let share = self.compared_share(attempt);
        for index in 0..attempt.runs.len() {
            let place = attempt.runs[index].place;
            let Some(analysis) = plan.analysis_at(place) else { continue };
            let is_behind = match place {
                Place::Background(index) => plan.spec().background[index].during.end <= attempt.step,
                Place::Step(_) => false,
            };
            let run = &mut attempt.runs[index].run;
            if run.is_over() {
                continue;
            }
            if is_behind && run.is_conclusive(analysis) {
                run.terminate();
                let results: Vec<_> = run.results(analysis).iter().map(ToString::to_string).collect();
                self.notes.push(Note {
                    rule: Rule::AnalysisEnded,
                    message: format!(
                        "analysis {} ends with the steps it runs beside: {}",
                        analysis.name,
                        results.join("; ")
                    ),
                });
                continue;
            }
            for measurement in run.expire(analysis, now) {
                self.notes.push(Note { rule: Rule::Measured, message: told(analysis, &measurement) });
            }
            match share {
                Some(share) => run.open_windows(analysis, share, now),
                None => run.close_windows(),
            }
            run.start_due(analysis, now);
        }
        for index in 0..attempt.runs.len() {
            let place = attempt.runs[index].place;
            let Some(analysis) = plan.analysis_at(place) else { continue };
            if !attempt.runs[index].run.is_over() {
                continue;
            }
            let assessed = attempt.runs[index].run.assess(analysis);
            match assessed.phase {
                RunPhase::Failed | RunPhase::Error => {
                    let verdict =
                        if assessed.phase == RunPhase::Failed { "failed" } else { "could not be measured" };
                    let message = format!("analysis {} {verdict}: {}", analysis.name, assessed.message);
                    self.note(Rule::AnalysisEnded, message.clone());
                    return Some((self.with_results(message, attempt), Cause::Refused));
                }
                // It asks for nobody's word: there is nothing to promote.
                RunPhase::Inconclusive
                    if self.ends_on_stable() && !attempt.waived_places.contains(&place) =>
                {
                    let message = format!("analysis {} is inconclusive: {}", analysis.name, assessed.message);
                    self.note(Rule::AnalysisEnded, message.clone());
                    return Some((self.with_results(message, attempt), Cause::Concluded));
                }
                RunPhase::Inconclusive
                    if attempt.paused.is_none() && !attempt.waived_places.contains(&place) =>
                {
                    attempt.paused = Some(Pause::Inconclusive(place));
                    self.say(
                        Rule::Paused,
                        format!(
                            "analysis {} is inconclusive: {}; resume to measure again, promote to go on without it, or abort",
                            analysis.name, assessed.message
                        ),
                    );
                }
                RunPhase::Inconclusive | RunPhase::Successful | RunPhase::Running | RunPhase::Pending => {}
            }
        }
        None
    }

    /// Opens and closes the windows of comparisons after what they depend on has changed.
    fn tend_windows(&self, attempt: &mut Attempt) {
        let share = self.compared_share(attempt);
        for placed in &mut attempt.runs {
            match (self.plan.analysis_at(placed.place), share) {
                (Some(analysis), Some(share)) => {
                    placed.run.open_windows(analysis, share, self.state.clock);
                }
                (_, _) => placed.run.close_windows(),
            }
        }
    }

    /// A reason to go back, with what was found out until then if finding out is what the plan is for.
    fn with_results(&self, reason: String, attempt: &Attempt) -> String {
        let results = if self.ends_on_stable() { self.results(attempt) } else { Vec::new() };
        if results.is_empty() { reason } else { format!("{reason}; {}", results.join("; ")) }
    }

    /// The candidate's share of the traffic, while the share is steady and both arms have one: only then are they
    /// compared.
    fn compared_share(&self, attempt: &Attempt) -> Option<Weight> {
        let is_moving = match attempt.stage {
            Stage::Opening | Stage::Shifting => true,
            // Without a router, instances that come and go are the share.
            Stage::Settling => self.managed() == Managed::Counted,
            Stage::Starting | Stage::Holding(_) | Stage::Analysing | Stage::Gating { .. } | Stage::Passed => {
                false
            }
        };
        let Route { weight, mirror, .. } = &attempt.route;
        let both = !weight.is_full() && (attempt.route.serves(&attempt.candidate) || !mirror.is_zero());
        (both && !is_moving && !attempt.short).then_some(*weight)
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
    fn is_wanted(&self, revision: &Revision) -> bool {
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

    pub(super) fn command_attempt(&mut self, mut attempt: Box<Attempt>, command: &Command) -> Phase {
        if attempt.paused.is_none()
            && let (Command::Promote | Command::Skip, Some(place)) = (command, attempt.unconcluded(self.plan))
        {
            return self.waive(attempt, place);
        }
        match command {
            Command::Pause if attempt.paused.is_none() => {
                attempt.paused = Some(Pause::Person);
                self.say(Rule::Paused, format!("a person paused the attempt at step {}", attempt.step + 1));
            }
            Command::Resume | Command::Promote if attempt.paused == Some(Pause::Person) => {
                attempt.paused = None;
                attempt.progress = self.state.clock;
                self.note(Rule::Resumed, "a person ended the pause".to_owned());
            }
            Command::Resume => match attempt.paused.take() {
                Some(Pause::Inconclusive(place)) => {
                    self.note(
                        Rule::Resumed,
                        "a person asked for the inconclusive analysis to be run again".to_owned(),
                    );
                    attempt.begin_run(self.plan, place, self.state.clock);
                }
                Some(Pause::Person) | None => {
                    if attempt.stage == Stage::Holding(None) {
                        self.note(Rule::Resumed, "a person ended the hold".to_owned());
                        return self.skip(attempt, None);
                    }
                    self.note(
                        Rule::CommandIgnored,
                        "`resume` changes nothing: the attempt is not paused".to_owned(),
                    );
                }
            },
            Command::Promote => match attempt.paused.take() {
                Some(Pause::Inconclusive(place @ Place::Background(_))) => return self.waive(attempt, place),
                Some(Pause::Inconclusive(Place::Step(_)) | Pause::Person) | None => {
                    let held = matches!(attempt.stage, Stage::Holding(_));
                    if held {
                        self.note(Rule::Resumed, "a person ended the hold".to_owned());
                    }
                    return self.skip(attempt, (!held).then_some(command));
                }
            },
            Command::Skip => {
                attempt.paused = None;
                return self.skip(attempt, Some(command));
            }
            Command::PromoteFully if self.ends_on_stable() => {
                self.note(
                    Rule::CommandIgnored,
                    "`promote fully` changes nothing: this plan ends by going back to stable; abort, and submit the revision with a plan that promotes".to_owned(),
                );
            }
            Command::PromoteFully
                if attempt.step == self.plan.steps().len()
                    && attempt.paused.is_none()
                    && attempt.unconcluded(self.plan).is_none() =>
            {
                self.note(
                    Rule::CommandIgnored,
                    "`promote fully` changes nothing: the candidate is being promoted".to_owned(),
                );
            }
            Command::PromoteFully => {
                let steps = self.plan.steps().len();
                attempt.waived.extend(attempt.step..steps);
                for (index, _) in self.plan.spec().background.iter().enumerate() {
                    let place = Place::Background(index);
                    if !attempt.waived_places.contains(&place) {
                        attempt.waived_places.push(place);
                    }
                }
                attempt.runs.clear();
                attempt.paused = None;
                self.say(
                    Rule::StepSkipped,
                    format!(
                        "a person promotes fully: the {} steps from step {} on are left out",
                        steps.saturating_sub(attempt.step),
                        attempt.step + 1
                    ),
                );
                attempt.step = steps;
                if attempt.stage != Stage::Opening {
                    attempt.enter(Stage::Starting, self.state.clock);
                }
            }
            Command::Pause => {
                self.note(Rule::CommandIgnored, "`pause` changes nothing: the attempt is paused".to_owned());
            }
            Command::Retry => {
                self.note(
                    Rule::CommandIgnored,
                    "`retry` changes nothing: the attempt is under way".to_owned(),
                );
            }
            // Handled by the caller, from every phase.
            Command::Abort(_) => {}
        }
        Phase::Progressing(attempt)
    }

    /// Goes on without a background analysis; on record.
    fn waive(&mut self, mut attempt: Box<Attempt>, place: Place) -> Phase {
        attempt.paused = None;
        attempt.waived_places.push(place);
        let name = self.plan.analysis_at(place).map_or("", |analysis| analysis.name.as_str());
        self.say(Rule::Resumed, format!("a person goes on without the verdict of the analysis {name}"));
        Phase::Progressing(attempt)
    }

    /// Moves past the current step; with a command, on record as left out.
    fn skip(&mut self, mut attempt: Box<Attempt>, command: Option<&Command>) -> Phase {
        let Some(step) = self.plan.steps().get(attempt.step) else {
            self.note(
                Rule::CommandIgnored,
                "no step is left to skip: the candidate is being promoted".to_owned(),
            );
            return Phase::Progressing(attempt);
        };
        if matches!(attempt.stage, Stage::Opening | Stage::Shifting) {
            self.note(
                Rule::CommandIgnored,
                format!("step {} ({step}) cannot be skipped while its route is on its way", attempt.step + 1),
            );
            return Phase::Progressing(attempt);
        }
        if let Some(command) = command {
            attempt.waived.push(attempt.step);
            self.say(
                Rule::StepSkipped,
                format!("`{command}` by a person: step {} ({step}) is left out", attempt.step + 1),
            );
        }
        attempt.leave(self.plan);
        attempt.step += 1;
        attempt.enter(Stage::Starting, self.state.clock);
        Phase::Progressing(attempt)
    }
}

/// A measurement in one line: whose, what it was, what it came to, why.
pub(super) fn told(analysis: &Analysis, measurement: &Measurement) -> String {
    let name = analysis.metrics.get(measurement.metric).map_or("", |metric| metric.name.as_str());
    let outcome = measurement.outcome;
    let mut line =
        String::with_capacity(64 + name.len() + measurement.value.len() + measurement.reason.len());
    for part in [&analysis.name, "/", name, ": ", outcome.as_str()] {
        line.push_str(part);
    }
    for (before, part, after) in [(", value ", &measurement.value, ""), (" (", &measurement.reason, ")")] {
        if !part.is_empty() {
            line.push_str(before);
            line.push_str(part);
            line.push_str(after);
        }
    }
    line
}
