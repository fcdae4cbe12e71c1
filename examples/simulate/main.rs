//! What a strategy does before it ships: thousands of rollouts in made-up worlds.
//!
//! ```sh
//! cargo run --release --example simulate -- --compare --svg compare.svg
//! cargo run --release --example simulate -- --manifest examples/manifests/podinfo-canary.yaml --svg out.svg
//! ```

mod arguments;
mod characteristics;
mod contestants;
mod lanes;
mod panel;
mod picture;
mod progress;
mod table;

use std::{fs, io::Write as _, process::ExitCode};

use clap::Parser as _;
use serinus_core::simulate::Study;

use crate::{arguments::Arguments, progress::Bar};

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    if arguments.characteristics {
        let text = characteristics::of(arguments)?;
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
        return Ok(());
    }
    let world = arguments.world()?;
    let contestants = contestants::of(arguments, &world)?;
    let study = Study {
        sweep: arguments.sweep.into(),
        effects: arguments.effects.clone(),
        rollouts: arguments.rollouts,
        seed: arguments.seed,
        threads: arguments.threads,
        trails: picture::TRAILS,
        ..Study::of(world)
    };
    let bar = Bar::new();
    let report = study.run(&contestants, &|progress| bar.show(progress)).map_err(|error| {
        // The option is what the person at the terminal can do about it.
        format!("{error}; as an option: --signal METRIC=SIGNAL, or --world FILE")
    });
    bar.clear();
    let report = report?;
    let text = if arguments.json {
        serde_json::to_string_pretty(&report).map_err(|error| format!("cannot write the report: {error}"))?
            + "\n"
    } else {
        table::of(&report, &contestants)
    };
    // A reader that has seen enough closes the pipe: nothing is wrong then.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    if let Some(path) = &arguments.svg {
        let picture = picture::of(&report).map_err(|error| format!("cannot draw: {error}"))?;
        fs::write(path, picture).map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
        eprintln!("drawn: {}", path.display());
    }
    Ok(())
}
