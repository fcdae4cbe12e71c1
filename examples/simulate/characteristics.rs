//! What every strategy does in every reference scenario, as Markdown.

use std::fmt::Write as _;

use serinus_core::simulate::{Cell, Scenario, Study};

use crate::{arguments::Arguments, contestants, progress::Bar};

/// The whole page.
pub(crate) fn of(arguments: &Arguments) -> Result<String, String> {
    let mut text = format!(
        "{HEAD}\nPrinted by `cargo run --release --example simulate -- --characteristics --rollouts {} --seed {}`: as many \
         rollouts for each number,\neffects {:?}. None among so many leaves up to {:.2} % possible (with 95 % certainty).\n",
        arguments.rollouts,
        arguments.seed,
        EFFECTS,
        // The upper end of the exact interval of Clopper and Pearson.
        100.0 * (1.0 - 0.025_f64.powf(1.0 / arguments.rollouts.max(1) as f64)),
    );
    for scenario in Scenario::all() {
        let study = Study {
            effects: EFFECTS.to_vec(),
            rollouts: arguments.rollouts,
            seed: arguments.seed,
            threads: arguments.threads,
            ..Study::of(scenario.world.clone())
        };
        let contestants = contestants::for_characteristics(&scenario.world)?;
        let bar = Bar::new();
        let report =
            study.run(&contestants, &|progress| bar.show(progress)).map_err(|error| error.to_string())?;
        bar.clear();
        // Writing to a text cannot fail.
        let _ = writeln!(text, "\n## {}\n\n{TABLE_HEAD}", scenario.name);
        for strategy in &report.strategies {
            let cells: Vec<_> = strategy.cells.iter().map(cell).collect();
            let promoted = strategy.cells.first().map_or(0.0, |cell| cell.promoted.share);
            let _ = writeln!(text, "| {} | {} | {:.0} |", strategy.name, cells.join(" | "), 100.0 * promoted);
        }
    }
    Ok(text)
}

/// A healthy candidate: how often it is rolled back. A faulty one: how often, the median minute, failures too many.
fn cell(cell: &Cell) -> String {
    let share = 100.0 * cell.rolled_back.share;
    if cell.is_healthy {
        return format!("{share:.2}");
    }
    let minute =
        cell.minutes_to_rollback.map_or_else(|| "–".to_owned(), |minutes| format!("{:.0}", minutes.median));
    format!("{share:.0} / {minute} / {:.0}", cell.excess_failures)
}

const EFFECTS: [f64; 4] = [1.0, 1.5, 2.0, 5.0];

const HEAD: &str = "# Operating characteristics

How often each strategy rolls back a healthy candidate, and how often, when and at what cost it rolls back a faulty one.
Every strategy climbs the same ladder (5, 10, 20, 35 and 50 % for twelve minutes each) in the same simulated worlds.
Thresholds get a present: they know the true failure rate and stand at twice that. Kayenta, GrowthBook, Statsig and the
z-test look each minute; Serinus compares windows of 15 seconds. Its default plan judges by failures and by latency, gives
each half of its error probability of 1 %, and promotes nobody who has not passed both; *failures only* gives the whole to
what the others judge by.

In each table: *healthy*, the percentage of healthy candidates that are rolled back; *×1.5*, *×2*, *×5*, for candidates
that fail that many times as often, the percentage rolled back, the median minute of it, and the mean number of requests
that failed and would not have failed on stable; *promoted*, the percentage of healthy candidates promoted without a
person.
";

const TABLE_HEAD: &str = "| strategy | healthy | ×1.5 | ×2 | ×5 | promoted |\n|---|---|---|---|---|---|";
