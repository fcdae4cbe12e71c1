//! The picture of a run: tracks, weights, rates, progress.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serinus::{
    rollout::{Decision, Outcome, Phase, Rule, State, Waits},
    time::{GoDuration, Timestamp},
    traffic::{Revision, Route, Weight},
};

use crate::{
    looks::Looks,
    paint::{Paint, tidy},
    stage::Answered,
    workload::{CANDIDATE, STABLE},
};

/// What is known of a run, for drawing it.
#[derive(Debug, Default)]
pub(crate) struct Picture {
    /// Whether there is anything to draw.
    pub(crate) is_live: bool,
    steps: usize,
    step: usize,
    began: Option<Timestamp>,
    now: Option<Timestamp>,
    route: Option<Route>,
    waits: Option<Waits>,
    counts: VecDeque<(Duration, Answered)>,
    measured: BTreeMap<String, String>,
    looks: Looks,
    drawn_lines: usize,
}

impl Picture {
    pub(crate) fn new(steps: usize) -> Self {
        Self { steps, ..Self::default() }
    }

    /// The run takes up this state.
    pub(crate) fn started(&mut self, state: &State) {
        self.began = Some(state.attempt_under_way().map_or(state.clock, |attempt| attempt.began));
        self.is_live = true;
    }

    /// Takes a decision in, and says to whom traffic goes if that is new: stable, candidate, the candidate's share.
    pub(crate) fn turn(&mut self, decision: &Decision) -> Option<(Revision, Option<Revision>, Weight)> {
        self.waits = Some(decision.waits.clone());
        self.step = match &decision.state.phase {
            Phase::Progressing(attempt) => attempt.step,
            Phase::Done(done) if done.outcome == Outcome::Promoted => self.steps,
            _ => self.step,
        };
        // From the notes: the state forgets a run as soon as the next step begins.
        for note in decision.notes.iter().filter(|note| note.rule == Rule::Measured) {
            if let Some((name, result)) = note.message.split_once(": ") {
                self.measured.insert(name.to_owned(), tidy(result));
            }
        }
        // What is in force, not what is to be.
        let route = decision.state.route.as_ref().filter(|aim| aim.seen).map(|aim| aim.value.clone())?;
        let is_new = self.route.as_ref().is_none_or(|old| {
            (&old.stable, &old.candidate, old.weight) != (&route.stable, &route.candidate, route.weight)
        });
        self.route = Some(route.clone());
        is_new.then_some((route.stable, route.candidate, route.weight))
    }

    /// Whether a measurement is worth a line, and how many were left out since the last ([`Looks`]).
    pub(crate) fn left_out(&mut self, measurement: &str) -> Option<u32> {
        self.looks.is_worth_a_line(measurement)
    }

    /// Takes the counters of the data plane in, when so much time has passed since some beginning.
    pub(crate) fn count(&mut self, totals: &Answered, now: Timestamp, passed: Duration) {
        self.now = Some(now);
        self.counts.push_back((passed, totals.clone()));
        while self.counts.len() > 8 {
            self.counts.pop_front();
        }
    }

    /// The time since the run began, in the rollout's time.
    pub(crate) fn elapsed(&self, now: Timestamp) -> String {
        let nanos = self.began.map_or(0, |began| GoDuration::between(began, now).as_nanos());
        GoDuration::from_secs((nanos.max(0) / 1_000_000_000) as u64).to_string()
    }

    /// What each metric said last.
    pub(crate) fn measured(&self) -> String {
        if self.measured.is_empty() {
            return "nothing was measured: the manifest has no analysis".to_owned();
        }
        let one = |(name, result): (&String, &String)| format!("{name}: {result}");
        self.measured.iter().map(one).collect::<Vec<_>>().join("; ")
    }

    /// Requests per second, by revision.
    pub(crate) fn rates(&self) -> BTreeMap<String, f64> {
        [STABLE, CANDIDATE]
            .iter()
            .map(|name| ((*name).to_owned(), self.rate(&(*name).into()).0.round()))
            .collect()
    }

    /// Shares and rates in one line.
    pub(crate) fn one_line(&self) -> String {
        let one = |name: &&str| {
            let revision = Revision::from(*name);
            let (rate, errors) = self.rate(&revision);
            format!("{name} {} {rate:.0} req/s {errors:.1}% errors", self.share(&revision))
        };
        let rates: Vec<_> = [STABLE, CANDIDATE].iter().map(one).collect();
        format!("{}   {}", rates.join("   "), self.progress())
    }

    /// What removes the picture from the terminal.
    pub(crate) fn erasure(&mut self) -> String {
        match std::mem::take(&mut self.drawn_lines) {
            0 => String::new(),
            lines => format!("\x1b[{lines}A\r\x1b[J"),
        }
    }

    /// What replaces the picture in the terminal.
    pub(crate) fn drawn(&mut self, paint: Paint) -> String {
        let mut text = self.erasure();
        if !self.is_live {
            return text;
        }
        let mut lines = vec![paint.dim(&"─".repeat(78))];
        for name in [STABLE, CANDIDATE] {
            let revision = Revision::from(name);
            let (rate, errors) = self.rate(&revision);
            let share = self.share(&revision);
            let track = match &self.route {
                Some(route) if route.stable == revision => "stable",
                Some(route) if route.candidate.as_ref() == Some(&revision) => "candidate",
                _ => "",
            };
            let bar = bar(f64::from(share.parts()) / 1e5, 30);
            let bar = if track == "candidate" { paint.cyan(&bar) } else { paint.green(&bar) };
            let errors = format!("{errors:>5.1}% errors");
            let errors =
                if errors.trim_start().starts_with("0.0%") { paint.dim(&errors) } else { paint.red(&errors) };
            lines.push(format!(
                " {name} {track:<9} {bar} {:>6} {rate:>6.0} req/s {errors}",
                share.to_string()
            ));
        }
        let done = if self.steps == 0 { 0.0 } else { self.step as f64 / self.steps as f64 };
        lines.push(format!(" progress     {} {}", bar(done, 30), self.progress()));
        lines.push(paint.dim(&format!(" {}", self.waiting())));
        self.drawn_lines = lines.len();
        // Without wrapping, so that a narrow terminal does not make more lines of them.
        text.push_str("\x1b[?7l");
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
        text.push_str("\x1b[?7h");
        text
    }

    fn progress(&self) -> String {
        let elapsed = self.now.map(|now| self.elapsed(now)).unwrap_or_default();
        format!("{} of {} steps  {elapsed}", self.step.min(self.steps), self.steps)
    }

    fn waiting(&self) -> String {
        match &self.waits {
            None | Some(Waits::Nothing) => "nothing to wait for".to_owned(),
            Some(Waits::Person) => "waits for a person: p + Enter promotes, a + Enter aborts".to_owned(),
            Some(Waits::Time(at)) => format!("waits until {}", self.elapsed(*at)),
            Some(Waits::Instances { revision, wanted, ready }) => {
                format!("waits for instances of {revision}: {ready} of {wanted} are ready")
            }
            Some(Waits::Route) => "waits for the route to be in force".to_owned(),
            Some(Waits::Verdict(_)) => "waits for a verdict".to_owned(),
            Some(Waits::Gate(gate)) => format!("waits for the gate `{gate}`: p + Enter opens it"),
            Some(_) => "waits".to_owned(),
        }
    }

    fn share(&self, revision: &Revision) -> Weight {
        self.route.as_ref().map_or(Weight::ZERO, |route| route.share_of(revision))
    }

    /// Requests per second, and the percentage of them that failed.
    fn rate(&self, revision: &Revision) -> (f64, f64) {
        let (Some((from, old)), Some((to, new))) = (self.counts.front(), self.counts.back()) else {
            return (0.0, 0.0);
        };
        let of = |totals: &Answered| totals.get(revision).copied().unwrap_or_default();
        let requests = of(new).0.saturating_sub(of(old).0) as f64;
        let errors = of(new).1.saturating_sub(of(old).1) as f64;
        let seconds = to.saturating_sub(*from).as_secs_f64();
        (
            if seconds > 0.0 { requests / seconds } else { 0.0 },
            if requests > 0.0 { 100.0 * errors / requests } else { 0.0 },
        )
    }
}

fn bar(share: f64, width: usize) -> String {
    let full = (share.clamp(0.0, 1.0) * width as f64).round() as usize;
    "█".repeat(full) + &"░".repeat(width - full)
}
