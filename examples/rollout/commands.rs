//! What people type, and Ctrl-C.

use std::{
    io::{self, BufRead as _},
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use serinus::rollout::{Command, Input};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use crate::problem::{Because as _, Problem};

/// The inputs from outside, for all runs of this process.
#[derive(Debug)]
pub(crate) struct Commands {
    pub(crate) receiver: UnboundedReceiver<Input>,
    pub(crate) sender: UnboundedSender<Input>,
    interrupted: Arc<AtomicBool>,
}

impl Commands {
    /// Listens to the standard input, to Ctrl-C and to SIGTERM.
    pub(crate) fn listen() -> Result<Self, Problem> {
        let (sender, receiver) = unbounded_channel();
        let typed = sender.clone();
        thread::spawn(move || {
            for line in io::stdin().lock().lines() {
                let Ok(line) = line else { return };
                match command(line.trim()) {
                    Some(command) => drop(typed.send(Input::Commanded(command))),
                    None if line.trim().is_empty() => {}
                    None => eprintln!("`{}` is not a command: {WORDS}", line.trim()),
                }
            }
        });
        let interrupted = Arc::new(AtomicBool::new(false));
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let mut signals = signal(kind).because("cannot listen to signals")?;
            let (sender, interrupted) = (sender.clone(), Arc::clone(&interrupted));
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    if interrupted.swap(true, Ordering::Relaxed) {
                        // The second time somebody means it.
                        process::exit(130);
                    }
                    let abort = Command::Abort("interrupted by Ctrl-C".to_owned());
                    drop(sender.send(Input::Commanded(abort)));
                    tokio::spawn(async {
                        tokio::time::sleep(PATIENCE).await;
                        eprintln!("the rollout did not come back to stable in time: it is left as it is");
                        process::exit(130);
                    });
                }
            });
        }
        Ok(Self { receiver, sender, interrupted })
    }

    /// Whether somebody pressed Ctrl-C.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

fn command(word: &str) -> Option<Command> {
    Some(match word {
        "promote" | "p" => Command::Promote,
        "full" | "f" => Command::PromoteFully,
        "abort" | "a" => Command::Abort("somebody typed `abort`".to_owned()),
        "pause" => Command::Pause,
        "resume" | "r" => Command::Resume,
        "skip" | "s" => Command::Skip,
        _ => return None,
    })
}

/// The commands, for messages.
pub(crate) const WORDS: &str = "type promote, full, pause, resume, skip or abort, and Enter";
/// How long an abort may take after Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(10);
