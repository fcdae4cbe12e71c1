//! How far it is, for whoever waits at a terminal.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    sync::Mutex,
    time::{Duration, Instant},
};

use serinus_core::simulate::Progress;

/// A bar on standard error; nothing if that is no terminal.
pub(crate) struct Bar {
    began: Instant,
    /// When it was drawn last; none where nobody sees it.
    drawn: Option<Mutex<Instant>>,
}

impl Bar {
    pub(crate) fn new() -> Self {
        let began = Instant::now();
        Self { began, drawn: stderr().is_terminal().then(|| Mutex::new(began)) }
    }

    /// Draws it, but not too often. Whoever comes while another draws goes on.
    pub(crate) fn show(&self, Progress { done, all }: Progress) {
        let Some(mut drawn) = self.drawn.as_ref().and_then(|drawn| drawn.try_lock().ok()) else { return };
        if drawn.elapsed() < BETWEEN {
            return;
        }
        *drawn = Instant::now();
        let share = done as f64 / all.max(1) as f64;
        let full = (share * WIDTH as f64) as usize;
        let left = self.began.elapsed().as_secs_f64() * (1.0 - share) / share.max(1e-9);
        let bar = format!("{}{}", "█".repeat(full), "░".repeat(WIDTH.saturating_sub(full)));
        // A terminal that went away is no reason to stop.
        let _ = write!(
            stderr(),
            "\r\x1b[2K{bar} {:3.0} %  {done} of {all} rollouts, {left:.0} s left",
            100.0 * share
        );
    }

    pub(crate) fn clear(&self) {
        if self.drawn.is_some() {
            let _ = write!(stderr(), "\r\x1b[2K");
        }
    }
}

const BETWEEN: Duration = Duration::from_millis(100);
const WIDTH: usize = 30;
