//! What every strategy does in every reference scenario, as Markdown.

use std::fmt::Write as _;

use serinus_core::simulate::{
    Cell, Contestant, Detection, Ladder, Report, Scenario, Share, Spread, Study, Sweep, Theme,
};

use crate::{arguments::Arguments, contestants, progress::Bar};

mod prose;

/// The whole page.
pub(crate) fn of(arguments: &Arguments) -> Result<String, String> {
    let found = Scenario::all()
        .into_iter()
        .map(|scenario| Found::of(scenario, arguments))
        .collect::<Result<Vec<_>, _>>()?;
    let mut text = prose::head(arguments);
    glance(&mut text, &found);
    text.push_str(&prose::failures(&found));
    text.push_str(prose::REMEDIES);
    for found in &found {
        found.write(&mut text);
    }
    Ok(text)
}

/// What came out in one scenario.
pub(crate) struct Found {
    scenario: Scenario,
    /// Of healthy candidates, if there are any.
    healthy: Option<Report>,
    /// Of all others.
    faulty: Report,
}

impl Found {
    fn of(scenario: Scenario, arguments: &Arguments) -> Result<Self, String> {
        let contestants = contestants::for_characteristics(&scenario)?;
        let run = |contestants: &[Contestant], effects: &[f64], rollouts| {
            let study = Study {
                sweep: scenario.sweep,
                effects: effects.to_vec(),
                rollouts,
                seed: arguments.seed,
                threads: arguments.threads,
                ..Study::of(scenario.world.clone())
            };
            let bar = Bar::new();
            let report = study.run(contestants, &|progress| bar.show(progress));
            bar.clear();
            report.map_err(|error| error.to_string())
        };
        let (healthy, faulty): (Vec<f64>, Vec<f64>) =
            scenario.effects.iter().partition(|effect| scenario.begins_healthy() && **effect == 1.0);
        let healthy = match contestants.split_first() {
            Some((default, others)) if !healthy.is_empty() => {
                // Where the promise is void a share is not so small that it takes many.
                let of_default = match scenario.theme {
                    Theme::Clumped => arguments.rollouts,
                    _ => arguments.healthy.unwrap_or(arguments.rollouts),
                };
                let mut report = run(std::slice::from_ref(default), &healthy, of_default)?;
                report.strategies.extend(run(others, &healthy, arguments.rollouts)?.strategies);
                Some(report)
            }
            _ => None,
        };
        let faulty = run(&contestants, &faulty, arguments.rollouts)?;
        eprintln!("{}", scenario.name);
        Ok(Self { scenario, healthy, faulty })
    }

    fn write(&self, text: &mut String) {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "\n## {}", self.scenario.name);
        if let Some(report) = &self.healthy {
            let _ = writeln!(text, "\nHealthy candidates:\n\n{HEALTHY}");
            for strategy in &report.strategies {
                for cell in &strategy.cells {
                    let _ = writeln!(
                        text,
                        "| {} | {} | {} | {} | {} | {} | {:.0} |",
                        strategy.name,
                        cell.rollouts,
                        percent(cell.rolled_back),
                        percent(cell.promoted),
                        percent(cell.left_to_person),
                        median(cell.minutes_to_promotion),
                        cell.looks
                    );
                }
            }
        }
        let effects = self.faulty.strategies.first().map_or(0, |strategy| strategy.cells.len());
        for index in 0..effects {
            let cells = self
                .faulty
                .strategies
                .iter()
                .filter_map(|strategy| Some((strategy.name.as_str(), strategy.cells.get(index)?)));
            let mut head = Some(());
            for (name, cell) in cells {
                if head.take().is_some() {
                    let what = self.candidates(cell.effect);
                    let _ =
                        writeln!(text, "\n{what}, {} rollouts of each strategy:\n\n{FAULTY}", cell.rollouts);
                }
                let _ = writeln!(
                    text,
                    "| {name} | {} | {} | {} | {:.0} | {:.0} | {:.0} | {} |",
                    percent(cell.rolled_back),
                    median(cell.minutes_to_rollback),
                    cell.minutes_to_rollback.map_or_else(none, |minutes| minute(minutes.p90)),
                    cell.candidate_failures,
                    cell.excess_failures,
                    cell.candidate_users,
                    percent(cell.promoted),
                );
            }
        }
    }

    /// Those of an effect, in words.
    fn candidates(&self, effect: f64) -> String {
        match (self.scenario.sweep, self.scenario.begins_healthy()) {
            (_, false) => "Candidates 2 % of whose answers come 1 s late".to_owned(),
            (Sweep::Latency, true) => format!("Candidates whose answers take ×{effect} as long"),
            (_, true) => format!("Candidates that fail ×{effect} as often"),
        }
    }

    /// A strategy against an effect; 1 is healthy.
    fn cell(&self, strategy: &str, effect: f64) -> Option<&Cell> {
        let reports = self.healthy.iter().chain([&self.faulty]);
        let strategies = reports.flat_map(|report| &report.strategies);
        let cells = strategies.filter(|found| found.name == strategy).flat_map(|found| &found.cells);
        cells.into_iter().find(|cell| cell.effect == effect)
    }
}

/// The default plan in every scenario.
fn glance(text: &mut String, found: &[Found]) {
    // Writing to a text cannot fail.
    let _ = writeln!(text, "\n## The default plan at a glance\n\n{GLANCE}");
    for found in found {
        let default = |effect| found.cell(contestants::DEFAULT, effect);
        let (rolled_back, promoted) = default(1.0)
            .filter(|cell| cell.is_healthy)
            .map_or_else(|| (none(), none()), |cell| (percent(cell.rolled_back), percent(cell.promoted)));
        let faulty: Vec<_> = found
            .faulty
            .strategies
            .iter()
            .filter(|strategy| strategy.name == contestants::DEFAULT)
            .flat_map(|strategy| &strategy.cells)
            .map(|cell| {
                let name = if found.scenario.begins_healthy() {
                    format!("×{}: ", cell.effect)
                } else {
                    String::new()
                };
                let share = number(100.0 * cell.rolled_back.share);
                let expected = expected(&found.scenario, cell.effect);
                match cell.minutes_to_rollback {
                    Some(minutes) => format!("{name}{share} %, minute {}{expected}", minute(minutes.median)),
                    None => format!("{name}{share} %"),
                }
            })
            .collect();
        let _ = writeln!(
            text,
            "| {} | {rolled_back} | {promoted} | {} |",
            found.scenario.name,
            faulty.join("; ")
        );
    }
}

/// When the formula expects a failure rate so many times stable's to be found, if there is one.
fn expected(scenario: &Scenario, ratio: f64) -> String {
    let plan = (scenario.theme == Theme::Flat).then(|| Ladder::default().plan().ok()).flatten();
    match plan.and_then(|plan| Detection::expected(&plan, &scenario.world, ratio)) {
        Some(Detection::After(length)) => format!(" ({})", minute(length.as_secs_f64() / 60.0)),
        Some(_) => " (later)".to_owned(),
        None => String::new(),
    }
}

/// A share in percent, with its interval.
fn percent(Share { share, lower, upper, .. }: Share) -> String {
    let [share, lower, upper] = [share, lower, upper].map(|share| number(100.0 * share));
    format!("{share} ({lower}–{upper})")
}

/// Two digits below one percent and close to a hundred, none between.
fn number(percent: f64) -> String {
    if percent == 0.0 || percent == 100.0 {
        format!("{percent:.0}")
    } else if (10.0..99.0).contains(&percent) {
        format!("{percent:.1}")
    } else {
        format!("{percent:.2}")
    }
}

fn median(spread: Option<Spread>) -> String {
    spread.map_or_else(none, |minutes| minute(minutes.median))
}

/// Whole minutes from twenty on, tenths before.
fn minute(minutes: f64) -> String {
    if minutes < 20.0 { format!("{minutes:.1}") } else { format!("{minutes:.0}") }
}

fn none() -> String {
    "–".to_owned()
}

const GLANCE: &str =
    "| scenario | healthy, rolled back, % | healthy, promoted, % | faulty: rolled back, median minute (expected) |
|---|---|---|---|";

const HEALTHY: &str =
    "| strategy | rollouts | rolled back, % | promoted, % | left to a person, % | minute of promotion | looks |
|---|---|---|---|---|---|---|";

const FAULTY: &str = "| strategy | rolled back, % | minute | p90 | failed | too many | users | promoted, % |
|---|---|---|---|---|---|---|---|";
