//! What another plan would have done with what a recorded rollout measured.
//!
//! The world is not asked again: it does what the other plan wants at once, and every question is answered by what the
//! record holds of that time: the measurement nearest to it, within a quarter of the metric's interval, or else the one
//! before, within its whole interval. The requests were split as the recorded plan split them, whatever the other one would have
//! wanted; that is said where it matters.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use serinus::{
    driver::{Driver, Ports, replay},
    metric::{Arms, Query, Question, Sample},
    port::{
        MetricProvider, PortError, PortErrorKind,
        memory::{ManualClock, MemoryRouter, MemoryStore, MemoryWorkload},
    },
    rollout::{Answer, Effect, Input, Outcome, Plan, RequestId, State, Waits},
    time::{GoDuration, Timestamp},
    traffic::Revision,
};

use crate::{
    arguments::Arguments,
    hook::NoWebhooks,
    manifest,
    paint::{self, Paint},
    problem::{Because as _, Problem},
    promql,
    record::{self, Section},
};

/// Runs every rollout of a record through the manifests of `--what-if`, and prints what each would have come to.
/// Whether all would have been promoted.
pub(crate) async fn run(
    path: &Path,
    arguments: &Arguments,
    out: &mut impl io::Write,
) -> Result<bool, Problem> {
    let sources = manifest::files(&arguments.what_if)?;
    let compiled = manifest::compile(&sources, arguments.name.as_deref())?;
    let text = record::text(path)?;
    let mut promotes = true;
    for (number, section) in record::sections(&text, path)?.iter().enumerate() {
        let Some(recorded) = Recorded::of(section) else {
            say(out, &format!("rollout {} of the record: nothing was brought out in it", number + 1))?;
            continue;
        };
        say(
            out,
            &format!(
                "━━ rollout {} of the record, {} after {}, as {} `{}` would have decided it",
                number + 1,
                recorded.revision,
                recorded.stable,
                compiled.kind,
                compiled.name
            ),
        )?;
        promotes &= imagine(&compiled.plan, recorded, out).await?;
    }
    Ok(promotes)
}

/// Runs one plan through what was measured; whether the candidate would have been promoted.
async fn imagine(plan: &Plan, recorded: Recorded, out: &mut impl io::Write) -> Result<bool, Problem> {
    let Recorded { began, last, ref stable, ref revision, ref ended, .. } = recorded;
    let (stable, revision, ended) = (stable.clone(), revision.clone(), ended.clone());
    let clock = Arc::new(ManualClock::new(began));
    let memory = Arc::new(Memory {
        recorded,
        names: names(plan, &stable, &revision),
        missing: Mutex::default(),
        is_split_otherwise: Mutex::default(),
    });
    let ports = Ports {
        router: Some(Arc::new(MemoryRouter::new())),
        workload: Some(Arc::new(MemoryWorkload::new())),
        metrics: Some(Arc::clone(&memory) as _),
        hook: Some(Arc::new(NoWebhooks)),
        store: Arc::new(MemoryStore::new()),
        clock: Arc::clone(&clock) as _,
    };
    let first = State::new(stable.clone(), began);
    let mut driver = Driver::start(plan.clone(), ports, first).await.because("the plan cannot be run")?;
    driver.push(Input::Revised(revision.clone()));
    // A person who is waited for does not come, and background analyses have nothing to go by after the record.
    let latest = LONGEST.after(last);
    let (end, waits) = loop {
        let step = driver.step(pending()).await.because("the plan cannot go on")?;
        let mut waits = Waits::Nothing;
        for (entry, decision) in &step.turns {
            for note in decision.notes.iter().filter(|note| paint::is_worth_a_line(note.rule)) {
                let message = paint::with_names(&note.message, plan);
                let elapsed = elapsed(began, entry.now);
                say(out, &paint::note(Paint { has_colours: false }, &elapsed, note.rule, &message))?;
            }
            waits = decision.waits.clone();
        }
        if driver.state().outcome().is_some() {
            break (driver.state().clock, None);
        }
        let for_somebody = matches!(waits, Waits::Person | Waits::Gate(_));
        let now = driver.wake();
        if now > if for_somebody { last } else { latest } {
            break (driver.state().clock, Some(waits));
        }
        clock.set(now);
    };
    for name in lock(&memory.missing).iter() {
        say(out, &format!("   no counterpart in the record: {name}; each of its measurements is an error"))?;
    }
    if *lock(&memory.is_split_otherwise) {
        say(
            out,
            "   both arms took the requests that the record's plan sent them, not the shares of this one",
        )?;
    }
    let did = match (driver.state().outcome(), waits) {
        (Some(Outcome::Promoted), _) => "would have been promoted".to_owned(),
        (Some(Outcome::Aborted(reason)), _) => {
            format!("would have been rolled back, because {}", paint::tidy(reason))
        }
        (_, Some(Waits::Person)) => "would have waited for a person".to_owned(),
        (_, Some(Waits::Gate(gate))) => format!("would have waited for the gate `{gate}`"),
        _ => "would not have come to an end with what was measured".to_owned(),
    };
    let (then, compared) = match &ended {
        None => ("in the record it came to no end".to_owned(), String::new()),
        Some((at, outcome)) => {
            let then = match outcome {
                Outcome::Promoted => "it was promoted".to_owned(),
                Outcome::Aborted(reason) => format!("it was rolled back, because {}", paint::tidy(reason)),
                _ => "it ended".to_owned(),
            };
            let apart = GoDuration::between(*at, end).as_nanos() / 1_000_000_000;
            let compared = match apart {
                0 => ", at the same time".to_owned(),
                1.. => format!(", {} later", seconds(apart)),
                _ => format!(", {} earlier", seconds(-apart)),
            };
            (format!("in the record {then} after {}", elapsed(began, *at)), compared)
        }
    };
    say(out, &format!("   {revision} {did}, after {}{compared}: {then}", elapsed(began, end)))?;
    Ok(driver.state().outcome() == Some(&Outcome::Promoted))
}

/// What a record holds of one rollout.
#[derive(Debug)]
struct Recorded {
    began: Timestamp,
    /// When something was heard for the last time.
    last: Timestamp,
    stable: Revision,
    revision: Revision,
    ended: Option<(Timestamp, Outcome)>,
    metrics: Vec<Measured>,
}

/// All measurements of one metric, oldest first.
#[derive(Debug)]
struct Measured {
    name: String,
    query: Query,
    /// For how long a measurement speaks.
    holds: GoDuration,
    answers: Vec<(Question, Result<Sample, String>)>,
}

impl Recorded {
    /// None if no candidate is in it.
    fn of(section: &Section<'_>) -> Option<Self> {
        let heard = || section.turns.iter().map(|turn| &turn.heard);
        let mut asked: BTreeMap<RequestId, Question> = BTreeMap::new();
        let mut metrics: Vec<Measured> = Vec::new();
        let (mut began, mut revision, mut ended) = (None, None, None);
        let decisions = replay(&section.plan, section.state.clone(), heard());
        for (entry, decision) in heard().zip(decisions) {
            match &entry.input {
                Input::Revised(new) => {
                    began.get_or_insert(entry.now);
                    revision = Some(new.clone());
                }
                Input::Answered { id, answer } => {
                    if let (Some(question), Some((name, holds))) =
                        (asked.remove(id), named(&section.plan, *id))
                    {
                        let sample = match answer {
                            Ok(Answer::Sample(sample)) => Ok(sample.clone()),
                            Ok(_) => continue,
                            Err(failure) => Err(failure.message.clone()),
                        };
                        let known = |measured: &Measured| {
                            measured.name == name && is_same(&measured.query, &question.query)
                        };
                        let place = metrics.iter().position(known).unwrap_or_else(|| {
                            let query = Query::clone(&question.query);
                            metrics.push(Measured { name, query, holds, answers: Vec::new() });
                            metrics.len() - 1
                        });
                        metrics[place].answers.push((question, sample));
                    }
                }
                _ => {}
            }
            for effect in decision.effects {
                if let Effect::Ask { id, question, .. } = effect {
                    asked.insert(id, question);
                }
            }
            if ended.is_none() {
                ended = decision.state.outcome().map(|outcome| (entry.now, outcome.clone()));
            }
        }
        for measured in &mut metrics {
            measured.answers.sort_by_key(|(question, _)| question.at);
        }
        let last = section.turns.last()?.heard.now;
        let stable = section.state.stable.clone();
        Some(Self { began: began?, last, stable, revision: revision?, ended, metrics })
    }

    /// The metric that answers a question: one that asked the same, preferably under the same name, else one of the same
    /// name.
    fn counterpart(&self, name: &str, query: &Query) -> Option<&Measured> {
        let same = || self.metrics.iter().filter(|measured| is_same(&measured.query, query));
        let named = |measured: &&Measured| measured.name == name;
        same().find(named).or_else(|| same().next()).or_else(|| {
            // What compares wants two arms, and everything else does not.
            self.metrics.iter().find(|measured| named(measured) && is_arms(&measured.query) == is_arms(query))
        })
    }
}

/// Answers with what is recorded.
#[derive(Debug)]
struct Memory {
    recorded: Recorded,
    /// The metrics of the plan, by what they ask.
    names: Vec<(Query, String)>,
    missing: Mutex<BTreeSet<String>>,
    is_split_otherwise: Mutex<bool>,
}

#[async_trait]
impl MetricProvider for Memory {
    async fn ask(&self, question: &Question) -> Result<Sample, PortError> {
        let invalid = |message: String| PortError::new(PortErrorKind::Invalid, message);
        let query = &question.query;
        let name = self.names.iter().find(|(asks, _)| is_same(asks, query)).map_or("", |(_, name)| name);
        let Some(measured) = self.recorded.counterpart(name, query) else {
            let flat = query.text.split_whitespace().collect::<Vec<_>>().join(" ");
            lock(&self.missing).insert(format!("`{name}` asks {} for `{flat}`", query.provider));
            return Err(invalid(format!("the record has no measurement of `{name}`")));
        };
        if is_arms(query) {
            *lock(&self.is_split_otherwise) = true;
            return measured.arms(question).map(Sample::from).map_err(invalid);
        }
        let apart = |known: &Question| GoDuration::between(known.at, question.at).as_nanos();
        let holds = measured.holds.as_nanos();
        let answers = || measured.answers.iter();
        // Two plans that ask at the same time differ by what their worlds took to follow.
        let nearest = answers().min_by_key(|(known, _)| apart(known).unsigned_abs());
        let nearest = nearest.filter(|(known, _)| apart(known).unsigned_abs() <= holds.unsigned_abs() / 4);
        match nearest.or_else(|| answers().rev().find(|(known, _)| apart(known) >= 0)) {
            Some((known, answer)) if apart(known) <= holds => {
                answer.clone().map_err(|error| invalid(format!("in the record: {error}")))
            }
            Some((known, _)) => Err(invalid(format!(
                "the record's last measurement of `{}` before is {} old, and is good for {}",
                measured.name,
                elapsed(known.at, question.at),
                measured.holds
            ))),
            None => Err(invalid(format!("the record has no measurement of `{}` yet", measured.name))),
        }
    }
}

impl Measured {
    /// The sum of the recorded windows that end within the window of a question: each counts once.
    fn arms(&self, question: &Question) -> Result<Arms, String> {
        let window = question.window.ok_or("the question has no window")?;
        let mut sum: Option<Arms> = None;
        for (known, answer) in &self.answers {
            let (Some(recorded), Ok(sample)) = (known.window, answer) else { continue };
            if recorded.from == recorded.to || recorded.to <= window.from || recorded.to > window.to {
                continue;
            }
            let Ok(arms) = Arms::try_from(sample) else { continue };
            sum = Some(match sum {
                None => arms,
                Some(sum) => added(sum, &arms),
            });
        }
        match sum {
            Some(sum) => Ok(sum),
            // Nobody looked in between; what happened meanwhile is in a later window.
            None if self.answers.iter().any(|(known, _)| known.at >= window.to) => Ok(Arms::default()),
            None => Err(format!("the record has no window of `{}` any more", self.name)),
        }
    }
}

fn added(mut sum: Arms, more: &Arms) -> Arms {
    // A control group that was not counted all the time cannot be added up.
    sum.control = sum.control.filter(|_| more.control.is_some());
    let control = sum.control.as_mut().zip(more.control.as_ref());
    let both = [(&mut sum.stable, &more.stable), (&mut sum.candidate, &more.candidate)];
    for (arm, more) in both.into_iter().chain(control) {
        arm.requests = arm.requests.saturating_add(more.requests);
        arm.failures = arm.failures.saturating_add(more.failures);
        let edges = |pairs: &[(serinus::metric::Number, u64)]| {
            pairs.iter().map(|(edge, _)| *edge).collect::<Vec<_>>()
        };
        if edges(&arm.latency) == edges(&more.latency) {
            for ((_, count), (_, more)) in arm.latency.iter_mut().zip(&more.latency) {
                *count = count.saturating_add(*more);
            }
        } else {
            // Counts over other edges cannot be added; without any, latencies are not known.
            arm.latency.clear();
        }
    }
    sum
}

/// The name of a measurement's metric, and for how long a measurement of it speaks.
fn named(plan: &Plan, id: RequestId) -> Option<(String, GoDuration)> {
    let RequestId::Measurement { place, metric, .. } = id else { return None };
    let analysis = plan.analysis_at(place)?;
    let metric = analysis.metrics.get(metric)?;
    let rounds = analysis.rounds.as_ref().map(|rounds| rounds.interval);
    let holds = metric.interval.or(rounds).or(metric.query.window);
    Some((metric.name.clone(), holds.unwrap_or(GoDuration::from_mins(1))))
}

/// The metrics of a plan, by what they ask once the revisions are known.
fn names(plan: &Plan, stable: &Revision, candidate: &Revision) -> Vec<(Query, String)> {
    let metrics = plan.spec().analyses.iter().flat_map(|analysis| &analysis.metrics);
    let filled = |query: &Query| {
        let mut query = query.clone();
        for (name, revision) in [("candidate", candidate), ("stable", stable)] {
            for braced in [format!("{{{{{name}}}}}"), format!("{{{{ {name} }}}}")] {
                query.text = query.text.replace(&braced, revision.as_str());
            }
        }
        query
    };
    metrics.map(|metric| (filled(&metric.query), metric.name.clone())).collect()
}

/// Whether two queries ask the same, whatever the windows: those of a record were made shorter by its speed.
fn is_same(a: &Query, b: &Query) -> bool {
    let asked = |query: &Query| promql::with_scaled_windows(&query.text, f64::INFINITY);
    a.provider == b.provider && (a.text == b.text || asked(a) == asked(b))
}

fn is_arms(query: &Query) -> bool {
    (query.provider.as_str(), query.text.as_str()) == (Query::BUILTIN, Query::ARMS)
}

fn elapsed(began: Timestamp, now: Timestamp) -> String {
    seconds(GoDuration::between(began, now).as_nanos().max(0) / 1_000_000_000)
}

fn seconds(seconds: i64) -> String {
    GoDuration::from_secs(seconds.unsigned_abs()).to_string()
}

fn say(out: &mut impl io::Write, line: &str) -> Result<(), Problem> {
    writeln!(out, "{line}").because("cannot write what would have been")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long after the end of the record a plan may still wait for time to pass.
const LONGEST: GoDuration = GoDuration::from_mins(24 * 60);
