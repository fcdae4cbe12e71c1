//! What people ask of an attempt under way.

use super::{Attempt, Command, Pause, Phase, Place, Rule, Stage, decide::Turn};

impl Turn<'_> {
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

    /// Goes on without the verdict of a background analysis; on record. One that compares goes on to look for harm.
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
