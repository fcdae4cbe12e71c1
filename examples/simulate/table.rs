//! The report as a table.

use std::fmt::Write as _;

use serinus_core::{
    simulate::{Cell, Contestant, Detection, Report, Share, Spread, Sweep, World},
    time::GoDuration,
};

/// The report, a table for each strategy, and what is expected of those that compare.
pub(crate) fn of(report: &Report, contestants: &[Contestant]) -> String {
    let mut text = String::new();
    let world = &report.world;
    let what = match report.sweep {
        Sweep::Failures => "fails ×",
        Sweep::Latency => "slower ×",
        _ => "worse ×",
    };
    // Writing to a text cannot fail.
    let _ = writeln!(
        text,
        "{} rollouts each, seed {}: {} requests per second, {} % of stable's fail",
        report.rollouts,
        report.seed,
        world.requests_per_second,
        percent(world.failure_rate)
    );
    for strategy in &report.strategies {
        let _ = writeln!(text, "\n{}", strategy.name);
        let head = [
            what,
            "rolled back",
            "95 % interval",
            "minute, median",
            "p90",
            "failed more",
            "users",
            "promoted at",
        ];
        row(&mut text, &head.map(str::to_owned));
        for cell in &strategy.cells {
            row(&mut text, &cells(cell));
        }
        if let Some(expected) = contestants
            .iter()
            .find(|contestant| contestant.name() == strategy.name)
            .and_then(|contestant| expected(contestant, world))
        {
            let _ = writeln!(text, "  {expected}");
        }
        for cell in &strategy.cells {
            if cell.left_to_person.count > 0 {
                let share = 100.0 * cell.left_to_person.share;
                let _ = writeln!(text, "  at {}: {share:.1} % left to a person", cell.effect);
            }
            if let Some(waits) = &cell.open_because {
                let share = 100.0 * cell.open.share;
                let _ = writeln!(text, "  at {}: {share:.1} % did not end: {waits}", cell.effect);
            }
        }
    }
    text
}

/// When a strategy that compares failures would find worse candidates.
fn expected(contestant: &Contestant, world: &World) -> Option<String> {
    let [twice, less] = [2.0, 1.5].map(|ratio| {
        Some(match contestant.expected_detection(world, ratio)? {
            Detection::After(length) => format!("after about {} minutes", minutes(length)),
            Detection::NotWithin(length, share) => format!(
                "not within the {} minutes it is compared for ({:.0} % of the evidence that it takes)",
                minutes(length),
                100.0 * share
            ),
            _ => return None,
        })
    });
    let rate = world.requests_per_second;
    Some(format!(
        "by the formula, at {rate} requests a second: a candidate that fails twice as often would be found {}; 1.5 times as \
         often: {}",
        twice?, less?
    ))
}

/// Tenths where they tell something.
fn minutes(length: GoDuration) -> String {
    let minutes = length.as_secs_f64() / 60.0;
    if minutes < 9.95 { format!("{minutes:.1}") } else { format!("{minutes:.0}") }
}

fn cells(cell: &Cell) -> [String; 8] {
    let Share { share, lower, upper, .. } = cell.rolled_back;
    let minutes = |spread: Option<Spread>, of: fn(Spread) -> f64| {
        spread.map_or_else(|| "–".to_owned(), |spread| format!("{:.0}", of(spread)))
    };
    [
        format!("{}{}", cell.effect, if cell.is_healthy { " (healthy)" } else { "" }),
        format!("{:.1} %", 100.0 * share),
        format!("{:.1} – {:.1}", 100.0 * lower, 100.0 * upper),
        minutes(cell.minutes_to_rollback, |spread| spread.median),
        minutes(cell.minutes_to_rollback, |spread| spread.p90),
        format!("{:.0}", cell.excess_failures),
        format!("{:.0}", cell.candidate_users),
        minutes(cell.minutes_to_promotion, |spread| spread.median),
    ]
}

fn row(text: &mut String, cells: &[String; 8]) {
    for (cell, width) in cells.iter().zip(WIDTHS) {
        let _ = write!(text, "{cell:>width$}");
    }
    text.push('\n');
}

/// A share in percent, without the digits that come from counting in halves.
pub(crate) fn percent(share: f64) -> f64 {
    (share * 1e8).round() / 1e6
}

const WIDTHS: [usize; 8] = [14, 13, 16, 16, 6, 13, 9, 13];
