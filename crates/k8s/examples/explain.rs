//! Reads manifests, and tells what they do or what is wrong with them.
//!
//! ```sh
//! cargo run -p serinus-k8s --example explain -- examples/manifests/checkout-rollout.yaml
//! ```

use std::process::ExitCode;

use serinus_k8s::{Faults, Mode, Source, explain, read};

fn main() -> ExitCode {
    let mut mode = Mode::Strict;
    let mut sources = Vec::new();
    for argument in std::env::args().skip(1) {
        if argument == "--lenient" {
            mode = Mode::Lenient;
            continue;
        }
        match std::fs::read_to_string(&argument) {
            Ok(text) => sources.push(Source::new(argument, text)),
            Err(error) => {
                eprintln!("{argument}: {error}");
                return ExitCode::from(2);
            }
        }
    }
    if sources.is_empty() {
        eprintln!(
            "usage: explain [--lenient] FILE...: name the files of a Rollout or Canary and its templates"
        );
        return ExitCode::from(2);
    }
    match told(&sources, mode) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(faults) => {
            eprintln!("{faults}");
            ExitCode::FAILURE
        }
    }
}

fn told(sources: &[Source], mode: Mode) -> Result<String, Faults> {
    let manifests = read(sources, mode)?;
    let mut text = String::new();
    for dropped in manifests.dropped() {
        text += &format!("dropped: {dropped}\n");
    }
    let compiled = manifests.compile_all()?;
    if compiled.is_empty() {
        manifests.compile_only()?;
    }
    for compiled in compiled {
        text += &explain(&compiled);
        for warning in &compiled.warnings {
            text += &format!("warning: {warning}\n");
        }
    }
    Ok(text)
}
