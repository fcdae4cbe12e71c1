//! What the engine sees of a guarded flag: something that takes shares, and answers questions.

use std::{collections::VecDeque, sync::Arc};

use async_trait::async_trait;
use serinus_core::{
    metric::{Arms, Query, Question, Sample, Window},
    port::{Fence, Fenced, MetricProvider, PortError, PortErrorKind, TrafficRouter},
    rollout::State,
    time::{GoDuration, Timestamp},
    traffic::{Revision, Route, Weight},
};

use super::{
    Guard, Inner,
    counters::{ArmReading, Reading},
    definition_of, lock,
    mark::Mark,
    over::Rollout,
    variant_of,
};

/// A source of metrics that is not this guard, whose counts are trusted only as long as the preconditions hold here.
#[derive(Debug)]
pub(super) struct Doubted {
    pub(super) source: Arc<dyn MetricProvider>,
    pub(super) guard: Arc<Inner>,
}

#[async_trait]
impl MetricProvider for Doubted {
    async fn ask(&self, question: &Question) -> Result<Sample, PortError> {
        let answer = self.source.ask(question).await?;
        let Inner { key, live, .. } = &*self.guard;
        Ok(live.checks.object(key, &live.counters, answer))
    }
}

/// What failures are counted per.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rate {
    /// Per outcome that was recorded: for those who record what goes well as well as what fails.
    #[default]
    PerOutcome,
    /// Per exposure: for those who record only what fails. More failures than exposures count as that many.
    PerExposure,
}

/// Keeps the route and its fence in memory. It is in force for every evaluation that begins after it is set.
#[async_trait]
impl TrafficRouter for Guard {
    async fn read(&self) -> Result<Option<Fenced<Route>>, PortError> {
        Ok(lock(&self.0.route).clone())
    }

    async fn route(&self, route: &Route, fence: Fence) -> Result<(), PortError> {
        self.0.put(route, fence)
    }
}

/// Answers [`Query::ARMS`], [`Query::SUCCESS_RATE`] and [`Query::DURATION`] of [`Query::BUILTIN`] from what this process
/// counted.
///
/// [`Query::ARMS`] for the window of the question, which is taken to end when it is first asked about and must begin
/// where another one ended; no window goes on across a change of weight. The others are answered for the candidate and
/// for the window of the query (one minute if it has none) before the moment asked about, or for as much of it as there
/// is; it is met to within the time since anybody looked before, which is 10 s while a guard runs, or 20 % of a long
/// window.
#[async_trait]
impl MetricProvider for Guard {
    async fn ask(&self, question: &Question) -> Result<Sample, PortError> {
        let Query { provider, text, .. } = &*question.query;
        if provider != Query::BUILTIN {
            return Err(unknown(&question.query));
        }
        self.0.is_on_trial(&question.candidate)?;
        match text.as_str() {
            Query::ARMS => {
                let arms = self.0.arms(question.window)?;
                Ok(self.0.live.checks.object(&self.0.key, &self.0.live.counters, arms))
            }
            Query::SUCCESS_RATE => self.0.within(question, |arm| {
                (arm.outcomes() > 0).then(|| 100.0 * arm.successes as f64 / arm.outcomes() as f64)
            }),
            Query::DURATION => {
                self.0.within(question, |arm| arm.latency.quantile(0.99).map(|nanos| nanos / 1e6))
            }
            _ => Err(unknown(&question.query)),
        }
    }
}

impl Inner {
    /// Puts a route in force.
    pub(super) fn put(&self, route: &Route, fence: Fence) -> Result<(), PortError> {
        let invalid = |text: &str| Err(PortError::new(PortErrorKind::Invalid, text));
        if !route.matches.is_empty() {
            return invalid("a flag has no requests to match: match by a rule of the flag");
        }
        if !route.mirror.is_zero() {
            return invalid("a flag has no requests to mirror: take `mirror` out of the route");
        }
        let (weight, definition) = match &route.candidate {
            Some(candidate) if variant_of(candidate) == &*self.candidate => {
                (route.weight, definition_of(candidate))
            }
            Some(candidate) if !route.weight.is_zero() => {
                return Err(PortError::new(
                    PortErrorKind::NotFound,
                    format!("`{candidate}` is not the candidate of this flag, which is `{}`", self.candidate),
                ));
            }
            None if !route.weight.is_zero() => {
                return invalid("a route with a weight needs a candidate: name one");
            }
            Some(_) | None => (Weight::ZERO, None),
        };
        // Held to the end, so that two writers cannot both find their fence the newer.
        let mut current = lock(&self.route);
        let found = current.as_ref().and_then(|current| current.fence);
        if let Some(newer) = found.filter(|found| fence < *found) {
            return Err(PortError::new(
                PortErrorKind::Fenced,
                format!("fence {fence} is older than {newer}, which is in force"),
            ));
        }
        let is_same = current.as_ref().is_some_and(|current| current.value == *route);
        let attempt = self.state().as_ref().map_or(1, |state| state.attempt);
        let rollout = Rollout {
            key: Arc::clone(&self.key),
            salt: self.salt.of_attempt(attempt, self.reseed),
            promoted: Some(&route.stable).filter(|stable| self.is_in_force(stable)).cloned(),
            candidate: Arc::clone(&self.candidate),
            weight,
            definition,
            identity: self.identity.clone(),
            live: Arc::clone(&self.live),
        };
        self.live.checks.set_attempt(attempt, weight, &self.live.counters);
        if !self.flags.change(rollout) {
            return Err(PortError::new(
                PortErrorKind::NotFound,
                "this flag is no longer guarded: guard it again",
            ));
        }
        *current = Some(Fenced { value: route.clone(), fence: Some(fence) });
        if !is_same {
            self.live.windows.cut(|| Mark::from(&self.live.counters.close_window()));
            tracing::event!(
                target: "serinus_flags",
                tracing::Level::INFO,
                feature_flag.key = &*self.key,
                feature_flag.result.variant = &*self.candidate,
                feature_flag.provider.name = "serinus",
                weight = %weight,
                fence = %fence,
                "the share of a variant changed"
            );
        }
        Ok(())
    }

    /// Whether everybody gets this though the document has another default: what was promoted or is about to be, up to
    /// when the document takes it over.
    fn is_in_force(&self, stable: &Revision) -> bool {
        let is_on_its_way = || {
            let state = self.state();
            let attempt = state.as_ref().and_then(State::attempt_under_way);
            attempt.is_some_and(|attempt| attempt.candidate == *stable)
        };
        (self.book.has_promoted(stable) || is_on_its_way()) && !self.live.is_taken_over(stable)
    }

    fn is_on_trial(&self, revision: &Revision) -> Result<(), PortError> {
        let current = lock(&self.route);
        let candidate = current.as_ref().and_then(|current| current.value.candidate.as_ref());
        if candidate == Some(revision) {
            return Ok(());
        }
        Err(PortError::new(PortErrorKind::NotFound, format!("`{revision}` is not on trial here")))
    }

    fn arms(&self, window: Option<Window>) -> Result<Sample, PortError> {
        let invalid = |message: &str| PortError::new(PortErrorKind::Invalid, message);
        let window = window.ok_or_else(|| {
            invalid("a question about both arms needs a window: ask it by a metric that compares")
        })?;
        if window.to < window.from {
            return Err(invalid("the window ends before it begins"));
        }
        let ends = self.live.windows.ends_of(window, || Mark::from(&self.live.counters.close_window()));
        let (start, end) = ends.ok_or_else(|| {
            PortError::new(
                PortErrorKind::Transient,
                "nobody counted at the beginning of this window: the next one begins now",
            )
        })?;
        let stable = end.control.since(&start.control, self.rate);
        let candidate = end.candidate.since(&start.candidate, self.rate);
        Ok(Arms { stable, candidate, control: None }.into())
    }

    fn within(
        &self,
        question: &Question,
        answer: impl Fn(&ArmReading) -> Option<f64>,
    ) -> Result<Sample, PortError> {
        let window = question.query.window.unwrap_or(DEFAULT_WINDOW);
        if window.is_negative() || window.is_zero() {
            return Err(PortError::new(
                PortErrorKind::Invalid,
                format!("a window of {window} is too short: expected more than 0s"),
            ));
        }
        let now = self.look(question.at);
        let start = GoDuration::from_nanos(window.as_nanos().saturating_neg()).after(question.at);
        let past = lock(&self.past);
        let closest =
            |(at, _): &&(Timestamp, Reading)| GoDuration::between(*at, start).as_nanos().saturating_abs();
        let before = past.iter().min_by_key(closest).map(|(_, reading)| reading.candidate.clone());
        let within = now.candidate.since(&before.unwrap_or_default());
        Ok(answer(&within).map_or_else(Sample::empty, Sample::number))
    }

    /// What is counted now, remembered by this time.
    pub(super) fn look(&self, at: Timestamp) -> Reading {
        self.live.checks.settle(at);
        let now = self.live.counters.look();
        let mut past = lock(&self.past);
        if past.is_empty() {
            past.push_back((at, Reading::default()));
        }
        if past.back().is_some_and(|(last, _)| *last < at) {
            past.push_back((at, now.clone()));
            thin(&mut past);
        }
        now
    }
}

/// Keeps the older half at half its density, so that a long window finds its beginning, too.
fn thin(past: &mut VecDeque<(Timestamp, Reading)>) {
    if past.len() <= MOST_PAST {
        return;
    }
    let mut place = 0;
    past.retain(|_| {
        place += 1;
        place > MOST_PAST / 2 || place % 2 == 1
    });
}

fn unknown(query: &Query) -> PortError {
    PortError::new(
        PortErrorKind::Invalid,
        format!(
            "a guarded flag does not know the query `{}` of provider `{}`: it answers `{}`, `{}` and `{}` of provider `{}`",
            query.text,
            query.provider,
            Query::ARMS,
            Query::SUCCESS_RATE,
            Query::DURATION,
            Query::BUILTIN
        ),
    )
}

const DEFAULT_WINDOW: GoDuration = GoDuration::from_mins(1);
const MOST_PAST: usize = 64;
