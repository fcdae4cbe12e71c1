//! The analyses of an attempt: when they begin, what they see, what their verdicts mean for it.

use super::{
    Attempt, Note, Pause, Place, PlacedRun, Plan, Rule, Stage, Step, aim::Managed, decide::Turn,
    retreat::Cause,
};
use crate::{
    analysis::{
        Analysis, Phase as RunPhase,
        run::{Measurement, Run},
    },
    text::Text,
    time::Timestamp,
    traffic::{Route, Weight},
};

impl Attempt {
    /// Forgets the run of the current step, but not its rounds: other steps may share them.
    pub(super) fn leave(&mut self, plan: &Plan) {
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

    pub(super) fn begin_run(&mut self, plan: &Plan, place: Place, now: Timestamp) {
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

    pub(super) fn run_at(&self, place: Place) -> Option<&Run> {
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
}

impl Turn<'_> {
    /// Runs what is to run now, and looks at how the runs stand. The reason to go back, if there is one.
    pub(super) fn tend_runs(&mut self, attempt: &mut Attempt) -> Option<(String, Cause)> {
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
        let compares = attempt.runs.iter().any(|placed| placed.run.compares());
        let share = if compares { self.compared_share(attempt) } else { None };
        for index in 0..attempt.runs.len() {
            let place = attempt.runs[index].place;
            let Some(analysis) = plan.analysis_at(place) else { continue };
            let is_behind = match place {
                Place::Background(index) => plan.spec().background[index].during.end <= attempt.step,
                Place::Step(_) => false,
            };
            let run = &mut attempt.runs[index].run;
            if run.is_over() && !run.is_watching(analysis) {
                continue;
            }
            if is_behind && !run.is_over() && run.is_conclusive(analysis) {
                run.terminate();
                let (run, analysis) = (run.clone(), analysis.clone());
                let message = Text::lazily(move || {
                    let results: Vec<_> = run.results(&analysis).iter().map(ToString::to_string).collect();
                    format!(
                        "analysis {} ends with the steps it runs beside: {}",
                        analysis.name,
                        results.join("; ")
                    )
                });
                self.notes.push(Note { rule: Rule::AnalysisEnded, message });
                continue;
            }
            for measurement in run.expire(analysis, now) {
                self.notes.push(measured(analysis, &measurement));
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

    /// What the analyses came to so far that are not forgotten, metric by metric.
    pub(super) fn results(&self, attempt: &Attempt) -> Vec<String> {
        let placed = attempt.runs.iter();
        placed
            .filter_map(|placed| Some(placed.run.results(self.plan.analysis_at(placed.place)?)))
            .flatten()
            .map(|result| result.to_string())
            .collect()
    }

    /// Opens and closes the windows of comparisons after what they depend on has changed.
    pub(super) fn tend_windows(&self, attempt: &mut Attempt) {
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
    pub(super) fn with_results(&self, reason: String, attempt: &Attempt) -> String {
        let results = if self.ends_on_stable() { self.results(attempt) } else { Vec::new() };
        if results.is_empty() { reason } else { format!("{reason}; {}", results.join("; ")) }
    }

    /// The candidate's share of the traffic, while the share is steady and both arms have one: only then are they
    /// compared.
    pub(super) fn compared_share(&self, attempt: &Attempt) -> Option<Weight> {
        let is_moving = match attempt.stage {
            Stage::Opening => true,
            // Nothing ends a phase while it is paused, but the route may be there.
            Stage::Shifting => attempt.paused.is_none() || !self.is_routed(),
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
}

/// What is noted of a measurement.
pub(super) fn measured(analysis: &Analysis, measurement: &Measurement) -> Note {
    let name = analysis.metrics.get(measurement.metric).map_or("", |metric| metric.name.as_str());
    Note { rule: Rule::Measured, message: measurement.told([&analysis.name, name]) }
}
