//! What a record holds, as a source of metrics that answers another plan.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use serinus::{
    driver::replay,
    metric::{Arms, Query, Question, Sample},
    port::{MetricProvider, PortError, PortErrorKind},
    rollout::{Answer, Effect, Input, Outcome, Plan, RequestId},
    time::{GoDuration, Timestamp},
    traffic::{Revision, Weight},
};

use super::elapsed;
use crate::{promql, record::Section};

/// What a record holds of one rollout.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) began: Timestamp,
    /// When something was heard for the last time.
    pub(super) last: Timestamp,
    pub(super) stable: Revision,
    pub(super) revision: Revision,
    pub(super) ended: Option<(Timestamp, Outcome)>,
    metrics: Vec<Measured>,
}

/// All measurements of one metric, oldest first.
#[derive(Debug)]
struct Measured {
    name: String,
    query: Query,
    /// For how long a measurement speaks.
    holds: GoDuration,
    answers: Vec<Answered>,
}

/// One measurement.
#[derive(Debug)]
struct Answered {
    question: Question,
    sample: Result<Sample, String>,
    /// The candidate's share while it was taken.
    weight: Weight,
}

/// What comparisons were answered from.
#[derive(Debug, Default)]
struct Compared {
    /// The windows of the record that answers were made of, by their beginnings and ends.
    used: BTreeSet<(Timestamp, Timestamp)>,
    /// Those left out, as the shares changed within a window of this plan.
    left_out: BTreeSet<(Timestamp, Timestamp)>,
    /// Those that the record has no counts of.
    failed: BTreeSet<(Timestamp, Timestamp)>,
}

impl Recorded {
    /// None if no candidate is in it.
    pub(super) fn of(section: &Section<'_>) -> Option<Self> {
        let heard = || section.turns.iter().map(|turn| &turn.heard);
        let mut asked: BTreeMap<RequestId, Question> = BTreeMap::new();
        let mut metrics: Vec<Measured> = Vec::new();
        let (mut began, mut revision, mut ended) = (None, None, None);
        let mut weights = vec![(Timestamp::MIN, section.state.weight())];
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
                        let began = question.window.map_or(question.at, |window| window.from);
                        let weight = weights.iter().rev().find(|(since, _)| *since <= began);
                        let weight = weight.map_or(Weight::ZERO, |(_, weight)| *weight);
                        metrics[place].answers.push(Answered { question, sample, weight });
                    }
                }
                _ => {}
            }
            let weight = decision.state.weight();
            if weights.last().is_none_or(|(_, last)| *last != weight) {
                weights.push((entry.now, weight));
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
            measured.answers.sort_by_key(|answered| answered.question.at);
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
pub(super) struct Memory {
    recorded: Recorded,
    /// The metrics of the plan, by what they ask.
    names: Vec<(Query, String)>,
    missing: Mutex<BTreeSet<String>>,
    compared: Mutex<Compared>,
}

impl Memory {
    pub(super) fn new(recorded: Recorded, plan: &Plan) -> Self {
        let names = names(plan, &recorded.stable, &recorded.revision);
        Self { recorded, names, missing: Mutex::default(), compared: Mutex::default() }
    }

    /// What whoever reads the answers' consequences must know of them, in lines.
    pub(super) fn tell(&self) -> Vec<String> {
        let missing = lock(&self.missing);
        let missing = missing.iter().map(|name| {
            format!("no counterpart in the record: {name}; each of its measurements is an error")
        });
        missing.chain(lock(&self.compared).tell()).collect()
    }
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
            let mut compared = lock(&self.compared);
            return measured.arms(question, &mut compared).map(Sample::from).map_err(invalid);
        }
        let apart = |known: &Question| GoDuration::between(known.at, question.at).as_nanos();
        let holds = measured.holds.as_nanos();
        let answers = || measured.answers.iter().map(|answered| (&answered.question, &answered.sample));
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
    /// The sum of the recorded windows that end within the window of a question: each counts once. If the shares were
    /// not the same in all of them, those of the share under which the candidate took most requests.
    fn arms(&self, question: &Question, compared: &mut Compared) -> Result<Arms, String> {
        let window = question.window.ok_or("the question has no window")?;
        let mut sums: BTreeMap<Weight, (Arms, Vec<(Timestamp, Timestamp)>)> = BTreeMap::new();
        for Answered { question: known, sample, weight } in &self.answers {
            let Some(recorded) = known.window else { continue };
            if recorded.from == recorded.to || recorded.to <= window.from || recorded.to > window.to {
                continue;
            }
            let ends = (recorded.from, recorded.to);
            let Some(arms) = sample.as_ref().ok().and_then(|sample| Arms::try_from(sample).ok()) else {
                compared.failed.insert(ends);
                continue;
            };
            match sums.entry(*weight) {
                Entry::Vacant(entry) => drop(entry.insert((arms, vec![ends]))),
                Entry::Occupied(mut entry) => {
                    let (sum, windows) = entry.get_mut();
                    add(sum, &arms);
                    windows.push(ends);
                }
            }
        }
        let most = sums.iter().max_by_key(|(_, (sum, _))| sum.candidate.requests).map(|(weight, _)| *weight);
        let Some((sum, windows)) = most.and_then(|weight| sums.remove(&weight)) else {
            // Nobody looked in between; what happened meanwhile is in a later window.
            if self.answers.iter().any(|answered| answered.question.at >= window.to) {
                return Ok(Arms::default());
            }
            return Err(format!("the record has no window of `{}` any more", self.name));
        };
        compared.used.extend(windows);
        compared.left_out.extend(sums.into_values().flat_map(|(_, windows)| windows));
        Ok(sum)
    }
}

impl Compared {
    fn tell(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.used.is_empty() {
            lines.push(
                "both arms took the requests that the record's plan sent them, not the shares of this one"
                    .to_owned(),
            );
        }
        let left_out = self.left_out.difference(&self.used).count();
        if left_out > 0 {
            lines.push(format!(
                "{left_out} of the record's windows were left out of comparisons: its shares changed within a window of this plan"
            ));
        }
        let failed = self.failed.difference(&self.used).count();
        if failed > 0 {
            lines.push(format!("{failed} of the record's windows have no counts: they were not compared"));
        }
        lines
    }
}

fn add(sum: &mut Arms, more: &Arms) {
    // A control group that was not counted all the time cannot be added up.
    if more.control.is_none() {
        sum.control = None;
    }
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

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
