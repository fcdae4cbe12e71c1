//! What steers a split, and reads it.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use serinus_core::{
    metric::{Query, Question, Sample},
    port::{Fence, Fenced, MetricProvider, PortError, PortErrorKind, TrafficRouter},
    time::GoDuration,
    traffic::{Revision, Route},
};

use crate::{
    exposition,
    meter::{Meter, Totals},
    mirror::{Gauge, MirrorTotals},
    pairs::PairTotals,
    shared::Shared,
    time::saturating_nanos,
};

/// Steers a [`Split`](crate::Split) and reads its metrics. Cheap to clone.
///
/// As a [`TrafficRouter`] it keeps the route and its fence in memory: they are gone with the process, and the split
/// then sends everything to the stable revision it was built with until the next route.
///
/// As a [`MetricProvider`] it answers [`Query::SUCCESS_RATE`] and [`Query::DURATION`] of [`Query::BUILTIN`] for the
/// candidate of the question: over the window of the query (one minute if it has none) before the moment it is
/// asked. [`Query::ARMS`] is answered for both revisions and for the window of the question, which is taken to end when
/// it is first asked about and must begin where another one ended; an empty one makes a beginning. A window that was
/// answered is answered the same again, and none goes on across a change of the route. The answer has a control group
/// if the split was built with [`control_group`](crate::SplitBuilder::control_group).
///
/// [`Query::AGREEMENT`] is answered if the split was built with [`compare`](crate::SplitBuilder::compare), for the
/// window of the query before the moment it is asked.
///
/// The window of a rate is met to within 5 % or 20 ms of real time, whichever is more. Latency ends when the head of
/// the answer is there, and is right to 3.2 %. Without a request in the window the answer is [`Sample::empty`].
pub struct Handle<S> {
    shared: Arc<Shared<S>>,
}

impl<S> Handle<S> {
    pub(crate) fn new(shared: Arc<Shared<S>>) -> Self {
        Self { shared }
    }

    /// Adds the service of a revision, for a route to come, or replaces it. Counters go on; requests in flight stay
    /// with the old service.
    pub fn insert(&self, revision: impl Into<Revision>, service: S) {
        self.shared.insert(revision.into(), service);
    }

    /// Removes a revision and its counters. Requests in flight are still answered.
    ///
    /// # Errors
    ///
    /// [`PortErrorKind::Invalid`] if the route in force names the revision, [`PortErrorKind::NotFound`] if it has no
    /// service.
    pub fn remove(&self, revision: &Revision) -> Result<(), PortError> {
        self.shared.remove(revision)
    }

    /// The counters of a revision since it was added; zeros if it has no service.
    pub fn totals(&self, revision: &Revision) -> Totals {
        self.shared.meter(revision).map(|meter| meter.totals()).unwrap_or_default()
    }

    /// The counters of every revision.
    pub fn all_totals(&self) -> BTreeMap<Revision, Totals> {
        self.shared.meters().into_iter().map(|(revision, meter)| (revision, meter.totals())).collect()
    }

    /// Answered requests per second of real time over the last `window` of real time; zero if the revision has no
    /// service.
    pub fn rate(&self, revision: &Revision, window: Duration) -> f64 {
        let Ok(meter) = self.shared.meter(revision) else { return 0.0 };
        let within = meter.within(saturating_nanos(window));
        if within.nanos == 0 { 0.0 } else { within.counts.total() as f64 / (within.nanos as f64 / 1e9) }
    }

    /// How many requests were copied, and how many were not.
    pub fn mirror_totals(&self) -> MirrorTotals {
        self.shared.gauge.as_deref().map(Gauge::totals).unwrap_or_default()
    }

    /// What became of the pairs of answers: of `stable` to a request, of `candidate` to its copy. Zeros if they were
    /// never compared.
    pub fn pair_totals(&self, stable: &Revision, candidate: &Revision) -> PairTotals {
        self.shared.pair(stable, candidate).map(|pairs| pairs.totals()).unwrap_or_default()
    }

    /// The metrics in the text format of Prometheus, version 0.0.4: `http_requests_total` and the histogram
    /// `http_request_duration_seconds`, by revision, track and status; and `mirrored_answers_total`, by the revision
    /// that answered the copy, the one that answered the user (`live`) and what a comparison of both came to (`result`:
    /// `agreed`, `differed`, `missing`, `too_long`), if there was one.
    ///
    /// A service that fails counts under status 500. The label `track` is `stable` or `candidate` by the route in
    /// force, and `none` for a revision it does not name.
    pub fn render_prometheus(&self) -> String {
        let table = self.shared.table();
        exposition::render(&self.shared.meters(), &self.shared.all_pairs(), &table.route, &self.shared.labels)
    }

    fn window_nanos(&self, query: &Query) -> Result<u64, PortError> {
        let window = query.window.unwrap_or(DEFAULT_WINDOW);
        if window.is_negative() || window.is_zero() {
            return Err(PortError::new(
                PortErrorKind::Invalid,
                format!(
                    "a window of {window} for the query `{}` is too short: expected more than 0s",
                    query.text
                ),
            ));
        }
        // A window too long for the type saturates, and so does this cast.
        Ok((window.as_nanos() as f64 / self.shared.speed) as u64)
    }

    fn arms(&self, question: &Question) -> Result<Sample, PortError> {
        let invalid = |message: &str| PortError::new(PortErrorKind::Invalid, message);
        let window = question.window.ok_or_else(|| {
            invalid("a question about both arms needs a window: ask it by a metric that compares")
        })?;
        if window.to < window.from {
            return Err(invalid("the window ends before it begins"));
        }
        let arms = self.shared.arms(&question.stable, &question.candidate, window)?;
        arms.map(Sample::from).ok_or_else(|| {
            PortError::new(
                PortErrorKind::Transient,
                "this split does not know what was before the window: the next one begins now",
            )
        })
    }

    fn agreement(&self, question: &Question) -> Result<Sample, PortError> {
        let invalid = |message: String| PortError::new(PortErrorKind::Invalid, message);
        if !self.shared.gauge.as_ref().is_some_and(|gauge| gauge.compares) {
            return Err(invalid(
                "this split compares no answers: call `mirror` and then `compare` when it is built"
                    .to_owned(),
            ));
        }
        let least = match question.query.settings.get(Query::LEAST_PAIRS) {
            None => 1,
            Some(text) => text.parse().ok().filter(|least| *least > 0).ok_or_else(|| {
                invalid(format!("`{}` is `{text}`: expected a whole number from 1", Query::LEAST_PAIRS))
            })?,
        };
        let window = self.window_nanos(&question.query)?;
        let pairs = self.shared.pair(&question.stable, &question.candidate);
        let (agreed, compared): (u64, u64) = pairs.map_or((0, 0), |pairs| pairs.within(window));
        if compared < least {
            return Ok(Sample::empty());
        }
        Ok(Sample::number(100.0 * agreed as f64 / compared as f64))
    }

    fn meter_for(&self, question: &Question) -> Result<(Arc<Meter>, u64), PortError> {
        Ok((self.shared.meter(&question.candidate)?, self.window_nanos(&question.query)?))
    }
}

impl<S> Clone for Handle<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S> fmt::Debug for Handle<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("route", &self.shared.table().route).finish_non_exhaustive()
    }
}

#[async_trait]
impl<S: Send + Sync> TrafficRouter for Handle<S> {
    async fn read(&self) -> Result<Option<Fenced<Route>>, PortError> {
        Ok(self.shared.current())
    }

    async fn route(&self, route: &Route, fence: Fence) -> Result<(), PortError> {
        self.shared.set_route(route, fence)
    }
}

#[async_trait]
impl<S: Send + Sync> MetricProvider for Handle<S> {
    async fn ask(&self, question: &Question) -> Result<Sample, PortError> {
        let Query { provider, text, .. } = &*question.query;
        let unknown = || {
            PortError::new(
                PortErrorKind::Invalid,
                format!(
                    "a split does not know the query `{text}` of provider `{provider}`: it answers `{}`, `{}`, `{}` and `{}` of provider `{}`",
                    Query::SUCCESS_RATE,
                    Query::DURATION,
                    Query::AGREEMENT,
                    Query::ARMS,
                    Query::BUILTIN
                ),
            )
        };
        if (provider.as_str(), text.as_str()) == (Query::BUILTIN, Query::ARMS) {
            return self.arms(question);
        }
        if (provider.as_str(), text.as_str()) == (Query::BUILTIN, Query::AGREEMENT) {
            return self.agreement(question);
        }
        let answer: fn(&Meter, u64) -> Option<f64> = match (provider.as_str(), text.as_str()) {
            (Query::BUILTIN, Query::SUCCESS_RATE) => success_rate,
            (Query::BUILTIN, Query::DURATION) => slowest_percent,
            _ => return Err(unknown()),
        };
        let (meter, window) = self.meter_for(question)?;
        Ok(answer(&meter, window).map_or_else(Sample::empty, Sample::number))
    }
}

/// In percent.
fn success_rate(meter: &Meter, window: u64) -> Option<f64> {
    let within = meter.within(window);
    let total = within.counts.total();
    (total > 0).then(|| 100.0 * total.saturating_sub(within.errors) as f64 / total as f64)
}

/// The 99th percentile of the latency, in milliseconds.
fn slowest_percent(meter: &Meter, window: u64) -> Option<f64> {
    meter.within(window).counts.quantile(0.99).map(|nanos| nanos / 1e6)
}

const DEFAULT_WINDOW: GoDuration = GoDuration::from_mins(1);
