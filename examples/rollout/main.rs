//! The front door of Serinus: a rollout on this machine, with nothing but Rust.
//!
//! ```sh
//! cargo run --release --example rollout
//! cargo run --release --example rollout -- --help
//! ```

mod arguments;
mod beat;
mod checks;
#[expect(dead_code, reason = "real time is for the other examples")]
mod clock;
mod commands;
mod display;
mod embedded;
mod envoy;
mod envoy_config;
mod exposition;
mod hook;
mod label;
mod load;
mod looks;
mod manifest;
mod metrics;
mod pace;
mod paint;
mod picture;
mod problem;
mod process;
mod prometheus;
mod promql;
mod record;
mod server;
mod service;
mod session;
mod stage;
mod stage_process;
mod verdicts;
mod what_if;
mod workload;

use std::{io, process::ExitCode};

use clap::Parser as _;

use crate::{
    arguments::Arguments, commands::Commands, display::Display, problem::Problem, record::Recorder,
    session::Ended,
};

#[tokio::main]
async fn main() -> ExitCode {
    match start(Arguments::parse()).await {
        Ok(code) => ExitCode::from(code),
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(NOTHING_TO_RUN)
        }
    }
}

async fn start(mut arguments: Arguments) -> Result<u8, Problem> {
    if let Some(folder) = &arguments.stage {
        return stage_process::keep_up(folder).await.map(|()| 0);
    }
    if let Some(path) = &arguments.replay {
        if !arguments.what_if.is_empty() {
            let promotes = what_if::run(path, &arguments, &mut io::stdout().lock()).await?;
            return Ok(u8::from(!promotes));
        }
        let is_same = record::run(path, &mut io::BufWriter::new(io::stdout().lock()))?;
        return Ok(u8::from(!is_same));
    }
    let shows_all = arguments.shows_all();
    let mut comparing = arguments.for_comparing();
    let manifest = manifest::load(&mut arguments)?;
    let rivals = if shows_all { Some(manifest::rivals(&mut comparing)?) } else { None };
    let arguments = &arguments;
    checks::check(arguments, &manifest).await?;
    let mut recorder = Recorder::new(arguments.record.as_deref(), arguments.state.is_some())?;
    let mut commands = Commands::listen()?;
    let display = Display::new(arguments.json);
    let runs = arguments.runs();
    let mut as_expected = true;
    for fault in &runs {
        let ended =
            session::run(arguments, &manifest, *fault, &mut commands, &mut recorder, &display).await?;
        as_expected &= match ended.ended {
            Ended::Interrupted => return Ok(INTERRUPTED),
            // Alone, only a promotion is a success; in a pair the faulty one is to be rolled back.
            Ended::Promoted => runs.len() == 1 || fault.is_none(),
            Ended::RolledBack => runs.len() > 1 && fault.is_some(),
        };
    }
    let Some(rivals) = &rivals else { return Ok(u8::from(!as_expected)) };
    let mut ends = Vec::new();
    for (manifest, expected) in rivals.iter().zip([Ended::Promoted, Ended::RolledBack]) {
        let fault = comparing.fault;
        let run = session::run(&comparing, manifest, fault, &mut commands, &mut recorder, &display).await?;
        if run.ended == Ended::Interrupted {
            return Ok(INTERRUPTED);
        }
        as_expected &= run.ended == expected;
        ends.push((manifest, run));
    }
    display.conclude(&verdicts::sentence(&ends));
    Ok(u8::from(!as_expected))
}

const NOTHING_TO_RUN: u8 = 2;
const INTERRUPTED: u8 = 130;
