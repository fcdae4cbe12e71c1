//! What people and programs see of a run.

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use serinus::{
    driver::Entry,
    port::Clock as _,
    rollout::{Decision, Outcome, Plan, Rule, State, Waits},
    time::{GoDuration, Timestamp},
};
use tokio::task::JoinHandle;

use crate::{
    arguments::{Arguments, Fault},
    clock::ScaledClock,
    commands::WORDS,
    manifest::Manifest,
    paint::{self, Paint},
    picture::Picture,
    session::Ended,
    stage::{Answered, Plane, Stage},
};

/// Shows a run: a picture that changes in a terminal, plain lines elsewhere, or JSON.
#[derive(Clone, Debug)]
pub(crate) struct Display {
    mode: Mode,
    paint: Paint,
    picture: Arc<Mutex<Picture>>,
    /// The fingerprint of the plan that was told last: one that is the same in the next run is told once.
    explained: Arc<AtomicU64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Terminal,
    Plain,
    Json,
}

impl Display {
    /// The display that fits where the output goes.
    pub(crate) fn new(json: bool) -> Self {
        let is_terminal =
            io::stdout().is_terminal() && env::var_os("TERM").is_some_and(|term| term != "dumb");
        let mode = match (json, is_terminal) {
            (true, _) => Mode::Json,
            (false, true) => Mode::Terminal,
            (false, false) => Mode::Plain,
        };
        let has_colours =
            mode == Mode::Terminal && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { mode, paint: Paint { has_colours }, picture: Arc::default(), explained: Arc::default() }
    }

    /// A run is about to begin.
    pub(crate) fn begin(&self, manifest: &Manifest, fault: Option<Fault>, arguments: &Arguments) {
        let candidate = fault
            .map_or_else(|| "a healthy candidate".to_owned(), |fault| format!("a faulty candidate: {fault}"));
        let candidate = match arguments.stable_fault {
            Some(usual) => format!("{candidate} (stable: {usual})"),
            None => candidate,
        };
        *self.picture() = Picture::new(manifest.plan.steps().len());
        if self.mode == Mode::Json {
            return self.json(json!({
                "event": "run",
                "manifest": manifest.compiled.name,
                "kind": manifest.compiled.kind.to_string(),
                "strategy": manifest.compiled.strategy.to_string(),
                "fault": fault.map(|fault| fault.to_string()),
                "stableFault": arguments.stable_fault.map(|fault| fault.to_string()),
                "requests": arguments.requests,
                "speed": arguments.speed(),
                "remarks": manifest.remarks,
            }));
        }
        let plane = if arguments.envoy.is_some() { "Envoy" } else { "in this process" };
        let judge = if arguments.uses_prometheus() { "Prometheus" } else { "the data plane" };
        self.line(
            &self.paint.bold(&format!(
                "━━ {} `{}` with {candidate}",
                manifest.compiled.kind, manifest.compiled.name
            )),
        );
        let strategy = manifest.compiled.strategy;
        self.line(&self.paint.dim(&format!(
            "   {strategy}; data plane: {plane}; metrics: {judge}; {}× real time",
            arguments.speed()
        )));
        let fingerprint = manifest.plan.fingerprint();
        if self.explained.swap(fingerprint, Ordering::Relaxed) != fingerprint {
            for line in serinus_k8s::explain(&manifest.compiled).lines().skip(1) {
                self.line(&self.paint.dim(&format!("   {line}")));
            }
            for remark in &manifest.remarks {
                self.line(&self.paint.yellow(&format!("   {remark}")));
            }
        }
        if arguments.uses_prometheus() {
            self.line(&self.paint.dim("   waiting for the first data in Prometheus …"));
        }
    }

    /// Everything is up.
    pub(crate) fn started(&self, state: &State, stage: &Stage, is_continued: bool) {
        self.picture().started(state);
        if self.mode == Mode::Json {
            self.json(json!({"event": "started", "continued": is_continued, "metrics": stage.metrics, "at": state.clock}));
        } else if is_continued {
            self.line("   going on where the state file says");
        }
    }

    /// Something was decided.
    pub(crate) fn turn(&self, entry: &Entry, decision: &Decision, plan: &Plan) {
        let (elapsed, shift) = {
            let mut picture = self.picture();
            let shift = picture.turn(decision);
            (picture.elapsed(entry.now), shift)
        };
        for note in &decision.notes {
            if self.mode == Mode::Json {
                self.json(
                    json!({"event": "note", "at": entry.now, "rule": note.rule, "message": note.message}),
                );
            } else if paint::is_worth_a_line(note.rule) {
                let left_out = match note.rule {
                    Rule::Measured => self.picture().left_out(&note.message),
                    _ => Some(0),
                };
                let Some(left_out) = left_out else { continue };
                let mut line =
                    paint::note(self.paint, &elapsed, note.rule, &paint::with_names(&note.message, plan));
                if left_out > 0 {
                    line.push_str(&self.paint.dim(&format!(" (and {left_out} before)")));
                }
                self.line(&line);
            }
        }
        if let Some((stable, candidate, weight)) = shift {
            if self.mode == Mode::Json {
                self.json(json!({
                    "event": "weights", "at": entry.now, "stable": stable, "candidate": candidate,
                    "weight": weight.as_percent(),
                }));
            } else {
                let rest = weight.rest();
                let candidate =
                    candidate.map(|candidate| format!(", {candidate} {weight}")).unwrap_or_default();
                self.line(&format!("{elapsed:>9}  {} {stable} {rest}{candidate}", self.paint.cyan("→")));
            }
        }
        self.redraw();
    }

    /// The rollout waits for a person.
    pub(crate) fn waits(&self, waits: &Waits, promoted_after: Option<GoDuration>) {
        if self.mode == Mode::Json {
            return self.json(json!({"event": "waits", "waits": waits}));
        }
        let what = match waits {
            Waits::Gate(gate) => {
                format!("waits for the gate `{gate}` (webhooks are not called in a local run)")
            }
            _ => "waits for a person".to_owned(),
        };
        let how = match promoted_after {
            Some(after) => format!("is promoted after {after}"),
            None => format!("{WORDS}; or start with --promote-after 30s"),
        };
        self.line(&self.paint.yellow(&format!("           … {what}: {how}")));
    }

    /// Keeps the live rates up to date, until the task is aborted.
    pub(crate) fn watch(&self, plane: Plane, clock: Arc<ScaledClock>) -> JoinHandle<()> {
        let display = self.clone();
        tokio::spawn(async move {
            let mut told = Instant::now();
            loop {
                tokio::time::sleep(Duration::from_millis(200)).await;
                let Ok(totals) = plane.totals().await else { continue };
                display.picture().count(&totals, clock.now(), clock.passed());
                display.redraw();
                if told.elapsed() >= Duration::from_secs(2) {
                    told = Instant::now();
                    display.rates(clock.now(), &totals);
                }
            }
        })
    }

    /// The run is over.
    pub(crate) async fn ended(&self, state: &State, ended: Ended, stage: Option<&Stage>) {
        let totals = match stage {
            Some(stage) => stage.plane.totals().await.unwrap_or_default(),
            None => Answered::new(),
        };
        let stood_still = stage.map_or(Duration::ZERO, |stage| stage.beat.stood_still()).as_secs_f64();
        let reason = match state.outcome() {
            Some(Outcome::Aborted(reason)) => reason.clone(),
            _ => String::new(),
        };
        if self.mode == Mode::Json {
            let name = match ended {
                Ended::Promoted => "promoted",
                Ended::RolledBack => "rolledBack",
                Ended::Interrupted => "interrupted",
            };
            return self.json(json!({
                "event": "ended", "at": state.clock, "outcome": name, "reason": reason, "stable": state.stable,
                "answered": counted(&totals), "stoodStill": (stood_still * 10.0).round() / 10.0,
            }));
        }
        let (elapsed, measured) = {
            let mut picture = self.picture();
            picture.is_live = false;
            (picture.elapsed(state.clock), picture.measured())
        };
        self.erase();
        let headline = match ended {
            Ended::Promoted => self.paint.green(&format!("✔ promoted: {} is stable now", state.stable)),
            Ended::RolledBack => self.paint.red(&format!("✘ rolled back: {} has all traffic", state.stable)),
            Ended::Interrupted => {
                self.paint.yellow(&format!("■ interrupted: {} has all traffic", state.stable))
            }
        };
        self.line(&self.paint.bold(&format!("   {headline}, after {elapsed}")));
        self.line(&format!("   why: {}", if reason.is_empty() { measured } else { paint::tidy(&reason) }));
        let answered: Vec<_> = totals
            .iter()
            .map(|(revision, (requests, errors))| {
                format!("{revision} answered {requests} requests, {errors} with errors")
            })
            .collect();
        match stage {
            Some(_) => self.line(&format!("   {}", answered.join("; "))),
            None => {
                self.line("   the rollout in the state file was over already: remove the file to begin anew")
            }
        }
        if stood_still >= 1.0 {
            self.line(&self.paint.yellow(&format!(
                "   its clock stood still for {stood_still:.0} s in all: this machine could not send the requests"
            )));
        }
        self.line("");
    }

    /// A sentence about several runs.
    pub(crate) fn conclude(&self, sentence: &str) {
        if self.mode == Mode::Json {
            return self.json(json!({"event": "conclusion", "message": sentence}));
        }
        self.line(&self.paint.bold(&format!("━━ {sentence}")));
    }

    fn rates(&self, now: Timestamp, totals: &Answered) {
        match self.mode {
            Mode::Json => {
                let rates = self.picture().rates();
                self.json(
                    json!({"event": "rates", "at": now, "perSecond": rates, "answered": counted(totals)}),
                );
            }
            Mode::Plain => {
                let (elapsed, line) = {
                    let picture = self.picture();
                    (picture.elapsed(now), picture.one_line())
                };
                self.line(&format!("{elapsed:>9}    {line}"));
            }
            Mode::Terminal => {}
        }
    }

    fn picture(&self) -> MutexGuard<'_, Picture> {
        self.picture.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn json(&self, value: Value) {
        let mut out = io::stdout().lock();
        // Who closed the pipe wants to see no more; the rollout goes on.
        let _ = writeln!(out, "{value}");
    }

    /// Prints a line above the picture.
    fn line(&self, line: &str) {
        if self.mode == Mode::Json {
            return;
        }
        let mut picture = self.picture();
        let mut out = io::stdout().lock();
        let _ = write!(out, "{}", picture.erasure());
        let _ = writeln!(out, "{line}");
        let _ = out.flush();
    }

    fn erase(&self) {
        let mut picture = self.picture();
        let _ = write!(io::stdout().lock(), "{}", picture.erasure());
    }

    fn redraw(&self) {
        if self.mode != Mode::Terminal {
            return;
        }
        let mut picture = self.picture();
        let text = picture.drawn(self.paint);
        let mut out = io::stdout().lock();
        let _ = write!(out, "{text}");
        let _ = out.flush();
    }
}

fn counted(totals: &Answered) -> Value {
    totals
        .iter()
        .map(|(revision, (requests, errors))| {
            (revision.to_string(), json!({"requests": requests, "errors": errors}))
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}
