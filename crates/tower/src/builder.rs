//! How a split is made.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use serinus_core::traffic::{Revision, Track};

use crate::{
    compare::Compare,
    exposition::{self, Labels},
    handle::Handle,
    mirror::{Gauge, Mirror, Unmirrored},
    shared::{Settings, Shared},
    split::Split,
    sticky::Sticky,
    time::{Monotonic, Times},
};

/// Makes a [`Split`] and its [`Handle`].
#[must_use = "nothing is made before `build`"]
pub struct SplitBuilder<S, M = Unmirrored> {
    services: BTreeMap<Revision, S>,
    stable: Option<Revision>,
    sticky: Option<Sticky>,
    labels: Labels,
    times: Times,
    speed: f64,
    gauge: Option<Arc<Gauge>>,
    has_control: bool,
    mirror: M,
}

impl<S> SplitBuilder<S> {
    pub(crate) fn new() -> Self {
        Self {
            services: BTreeMap::new(),
            stable: None,
            sticky: None,
            labels: Labels::default(),
            times: Times::system(),
            speed: 1.0,
            gauge: None,
            has_control: false,
            mirror: Unmirrored,
        }
    }

    /// Makes copies of requests possible, which a route asks for with its `mirror`: `limit` of them in flight at
    /// most, run by `spawner`. Bodies of requests must then be `Clone`; collect a streaming body first.
    pub fn mirror<P>(self, limit: usize, spawner: P) -> SplitBuilder<S, Mirror<P>> {
        let gauge = Arc::new(Gauge::new(limit, false));
        SplitBuilder {
            services: self.services,
            stable: self.stable,
            sticky: self.sticky,
            labels: self.labels,
            times: self.times,
            speed: self.speed,
            has_control: self.has_control,
            mirror: Mirror::new(spawner, Arc::clone(&gauge)),
            gauge: Some(gauge),
        }
    }
}

impl<S, P> SplitBuilder<S, Mirror<P>> {
    /// Compares the answers to copies with the live ones, for [`Query::AGREEMENT`] and
    /// [`Handle::pair_totals`](crate::Handle::pair_totals).
    ///
    /// ```
    /// use std::pin::Pin;
    ///
    /// use http::{Request, Response};
    /// use serinus_tower::{Compare, Split};
    ///
    /// fn spawn(copy: Pin<Box<dyn Future<Output = ()> + Send>>) {
    ///     tokio::spawn(copy);
    /// }
    ///
    /// let model = tower::service_fn(|_: Request<String>| async {
    ///     Ok::<_, std::convert::Infallible>(Response::new("cat".to_owned()))
    /// });
    /// let (_split, _handle) = Split::builder()
    ///     .revision("v1", model)
    ///     .revision("v2", model)
    ///     .stable("v1")
    ///     .mirror(64, spawn)
    ///     .compare(Compare::<String>::bodies(64 * 1024))
    ///     .build()?;
    /// # Ok::<(), serinus_tower::BuildError>(())
    /// ```
    ///
    /// [`Query::AGREEMENT`]: serinus_core::metric::Query::AGREEMENT
    pub fn compare<A>(self, compare: Compare<A>) -> SplitBuilder<S, Mirror<P, Compare<A>>> {
        let gauge = Arc::new(self.mirror.gauge().comparing());
        SplitBuilder {
            services: self.services,
            stable: self.stable,
            sticky: self.sticky,
            labels: self.labels,
            times: self.times,
            speed: self.speed,
            has_control: self.has_control,
            mirror: self.mirror.comparing(compare, Arc::clone(&gauge)),
            gauge: Some(gauge),
        }
    }
}

impl<S, M> SplitBuilder<S, M> {
    /// Adds the service of a revision, in place of one of the same revision. More can come later, by
    /// [`Handle::insert`].
    pub fn revision(mut self, revision: impl Into<Revision>, service: S) -> Self {
        self.services.insert(revision.into(), service);
        self
    }

    /// Sets the revision that takes all requests until there is a route. Required.
    pub fn stable(mut self, revision: impl Into<Revision>) -> Self {
        self.stable = Some(revision.into());
        self
    }

    /// Keeps subjects on their side; without it each request goes by weight alone.
    pub fn sticky(mut self, sticky: Sticky) -> Self {
        self.sticky = Some(sticky);
        self
    }

    /// Counts a part of stable's requests apart, as a control group: as many as the candidate gets (or is sent copies
    /// of), at most half of stable's. They are those with the last places, so that a subject who is in the group stays in
    /// it while the weight rises to a third. Between the group and the rest of stable there is no difference but chance,
    /// by which [`Dispersal::Calibrated`] learns how much the counts scatter. Answers to
    /// [`Query::ARMS`](serinus_core::metric::Query::ARMS) then hold all three, and exported series of the group say
    /// `track="control"`.
    ///
    /// [`Dispersal::Calibrated`]: serinus_core::analysis::comparison::Dispersal::Calibrated
    pub fn control_group(mut self) -> Self {
        self.has_control = true;
        self
    }

    /// Adds a label to every exported series, such as `namespace`.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.all.insert(name.into(), value.into());
        self
    }

    /// Adds a label to the exported series of whichever revision is on this track, such as
    /// `service="shop-canary"` for the candidate; over [`label`](Self::label).
    pub fn label_track(mut self, track: Track, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.by_track.entry(track).or_default().insert(name.into(), value.into());
        self
    }

    /// Adds a label to the exported series of one revision; over [`label_track`](Self::label_track).
    pub fn label_revision(
        mut self,
        revision: impl Into<Revision>,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.labels.by_revision.entry(revision.into()).or_default().insert(name.into(), value.into());
        self
    }

    /// Makes windows of questions pass faster: at a speed of 60, a window of one minute is one second. For programs
    /// whose rollouts run faster than real time. Latencies are not scaled.
    pub fn speed(mut self, speed: f64) -> Self {
        self.speed = speed;
        self
    }

    /// Measures latencies and windows by another clock than the system's: the time since any beginning, never less
    /// than before.
    pub fn clock(mut self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        let given = Monotonic::Given(Arc::new(clock));
        self.times = Times { latencies: given.clone(), windows: given };
        self
    }

    /// Measures windows, and nothing else, by another clock: one that stands still, say, while no requests are sent, so
    /// that every window holds as many. To be set after [`clock`](Self::clock), which sets both.
    pub fn window_clock(mut self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.times.windows = Monotonic::Given(Arc::new(clock));
        self
    }

    /// The split, and the handle that steers it.
    ///
    /// # Errors
    ///
    /// If the stable revision is not set or has no service, or if a label, the subject or the speed is unusable.
    pub fn build(self) -> Result<(Split<S, M>, Handle<S>), BuildError> {
        let stable = self.stable.ok_or(BuildError::NoStable)?;
        if !(self.speed.is_finite() && self.speed > 0.0) {
            return Err(BuildError::Speed { speed: self.speed });
        }
        if let Some(name) = self.labels.names().find(|name| !exposition::is_free_label(name)) {
            return Err(BuildError::Label { name: name.to_owned() });
        }
        let subject = self.sticky.map(|sticky| sticky.compile()).transpose()?;
        let settings = Settings {
            labels: self.labels,
            times: self.times,
            speed: self.speed,
            gauge: self.gauge,
            has_control: self.has_control,
        };
        let shared = Shared::new(self.services, stable, subject, settings)?;
        let shared = Arc::new(shared);
        Ok((Split::new(Arc::clone(&shared), self.mirror), Handle::new(shared)))
    }
}

impl<S, M> fmt::Debug for SplitBuilder<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SplitBuilder")
            .field("revisions", &self.services.keys())
            .field("stable", &self.stable)
            .field("sticky", &self.sticky)
            .finish_non_exhaustive()
    }
}

/// Why a split cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No stable revision was named.
    #[error("no stable revision is set: call `stable` with one of the revisions")]
    NoStable,
    /// The stable revision has no service.
    #[error("the stable revision `{revision}` has no service: add it with `revision`")]
    NoService {
        /// The revision.
        revision: Revision,
    },
    /// The name of a cookie or header is unusable.
    #[error("`{name}` cannot name the subject: expected the name of a cookie or a header")]
    Subject {
        /// The name.
        name: String,
    },
    /// The name of a label is unusable.
    #[error(
        "`{name}` cannot be a label: expected letters, digits and `_`, no digit or `__` first, and none of `revision`, `track`, `status` and `le`, which the split sets"
    )]
    Label {
        /// The name.
        name: String,
    },
    /// The speed is unusable.
    #[error("a speed of {speed} is out of range: expected a number above zero")]
    Speed {
        /// The speed.
        speed: f64,
    },
}
