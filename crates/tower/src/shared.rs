//! What a split and its handles have in common: the services, the route in force, the meters.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;
use http::Request;
use serinus_core::{
    metric::{Arms, Window},
    port::{Fence, Fenced, PortError, PortErrorKind},
    traffic::{Revision, Route, Track, Weight},
};

use crate::{
    builder::BuildError,
    exposition::Labels,
    matching::Matchers,
    meter::Meter,
    mirror::Gauge,
    pairs::{PairTotals, Pairs},
    spread::{Share, Spread},
    sticky::Subject,
    time::Times,
    windows::Windows,
};

#[derive(Debug)]
pub(crate) struct Shared<S> {
    table: ArcSwap<Table<S>>,
    backends: Mutex<BTreeMap<Revision, Arc<Backend<S>>>>,
    /// By the revisions whose answers are compared: the live one first. As many as the backends allow.
    pairs: Mutex<BTreeMap<(Revision, Revision), Arc<Pairs>>>,
    subject: Option<Subject>,
    requests: Spread,
    copies: Spread,
    times: Times,
    windows: Windows,
    /// Whether a part of stable's requests is counted apart.
    has_control: bool,
    pub(crate) labels: Labels,
    pub(crate) speed: f64,
    pub(crate) gauge: Option<Arc<Gauge>>,
}

/// What a split does beside sending requests where they belong.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) labels: Labels,
    pub(crate) times: Times,
    pub(crate) speed: f64,
    pub(crate) gauge: Option<Arc<Gauge>>,
    /// Whether a part of stable's requests is counted apart.
    pub(crate) has_control: bool,
}

impl<S> Shared<S> {
    pub(crate) fn new(
        services: BTreeMap<Revision, S>,
        stable: Revision,
        subject: Option<Subject>,
        settings: Settings,
    ) -> Result<Self, BuildError> {
        let Settings { labels, times, speed, gauge, has_control } = settings;
        let backends: BTreeMap<_, _> = services
            .into_iter()
            .map(|(revision, service)| {
                let meter = Arc::new(Meter::new(times.clone(), has_control));
                (revision, Arc::new(Backend { service, meter }))
            })
            .collect();
        let Some(first) = backends.get(&stable).cloned() else {
            return Err(BuildError::NoService { revision: stable });
        };
        let table = Table {
            route: Route::all_to(stable),
            fence: None,
            is_set: false,
            stable: first,
            candidate: None,
            weight: Share::from(Weight::ZERO),
            mirror: Share::from(Weight::ZERO),
            control: Weight::ZERO,
            matchers: Arc::default(),
            pairs: None,
        };
        Ok(Self {
            table: ArcSwap::from_pointee(table),
            backends: Mutex::new(backends),
            pairs: Mutex::default(),
            subject,
            requests: Spread::default(),
            copies: Spread::default(),
            times,
            windows: Windows::default(),
            has_control,
            labels,
            speed,
            gauge,
        })
    }

    pub(crate) fn table(&self) -> arc_swap::Guard<Arc<Table<S>>> {
        self.table.load()
    }

    /// The lane of one request under a table.
    pub(crate) fn lane<B>(&self, table: &Table<S>, request: &Request<B>) -> Lane {
        if table.candidate.is_none() {
            return Lane::Stable;
        }
        if table.matchers.is_match(request) {
            return Lane::Candidate;
        }
        if table.weight.is_zero() && table.control.is_zero() {
            return Lane::Stable;
        }
        let place = self.subject.as_ref().and_then(|subject| subject.place(request.headers()));
        let (is_first, is_last) = match place {
            Some(place) => (place.is_below(table.route.weight), place.is_among_the_last(table.control)),
            None => {
                let spot = self.requests.next();
                (spot.is_in(table.weight), spot.is_among_the_last(table.control.into()))
            }
        };
        match (is_first, is_last) {
            (true, _) => Lane::Candidate,
            (false, true) => Lane::Control,
            (false, false) => Lane::Stable,
        }
    }

    /// Whether the next of stable's requests is to be copied.
    pub(crate) fn is_copied(&self, table: &Table<S>) -> bool {
        !table.mirror.is_zero() && self.copies.next().is_in(table.mirror)
    }

    pub(crate) fn current(&self) -> Option<Fenced<Route>> {
        let table = self.table();
        table.is_set.then(|| Fenced { value: table.route.clone(), fence: table.fence })
    }

    pub(crate) fn set_route(&self, route: &Route, fence: Fence) -> Result<(), PortError> {
        let invalid = |text: &str| PortError::new(PortErrorKind::Invalid, text);
        if route.candidate.is_none() && !(route.weight.is_zero() && route.mirror.is_zero()) {
            return Err(invalid("a route with a weight or a mirror needs a candidate: name one"));
        }
        if !route.mirror.is_zero() && self.gauge.is_none() {
            return Err(invalid(
                "this split cannot mirror: call `mirror` with a spawner when it is built, or take `mirror` out of the route",
            ));
        }
        let matchers = Arc::new(Matchers::compile(&route.matches)?);
        // Held to the end, so that two writers cannot both find their fence the newer.
        let backends = self.backends();
        if let Some(newer) = self.table().fence.filter(|found| fence < *found) {
            return Err(PortError::new(
                PortErrorKind::Fenced,
                format!("fence {fence} is older than {newer}, which is in force"),
            ));
        }
        let table = Table {
            stable: find(&backends, &route.stable)?,
            candidate: route.candidate.as_ref().map(|candidate| find(&backends, candidate)).transpose()?,
            weight: route.weight.into(),
            mirror: route.mirror.into(),
            control: if self.has_control { control_of(route) } else { Weight::ZERO },
            pairs: self.pairs_of(route),
            matchers,
            route: route.clone(),
            fence: Some(fence),
            is_set: true,
        };
        let before = self.table.swap(Arc::new(table));
        // The same split under another fence is no change for those who are counted.
        if !before.is_set || before.route != *route {
            self.windows.cut(backends.iter().map(|(revision, backend)| (revision, backend.meter.as_ref())));
        }
        Ok(())
    }

    /// What both arms did in a window that ends now.
    pub(crate) fn arms(
        &self,
        stable: &Revision,
        candidate: &Revision,
        window: Window,
    ) -> Result<Option<Arms>, PortError> {
        let backends = self.backends();
        for revision in [stable, candidate] {
            find(&backends, revision)?;
        }
        let meters = backends.iter().map(|(revision, backend)| (revision, backend.meter.as_ref()));
        Ok(self.windows.answer(stable, candidate, window, meters))
    }

    pub(crate) fn insert(&self, revision: Revision, service: S) {
        let mut backends = self.backends();
        let meter = match backends.get(&revision) {
            Some(backend) => Arc::clone(&backend.meter),
            None => Arc::new(Meter::new(self.times.clone(), self.has_control)),
        };
        let backend = Arc::new(Backend { service, meter });
        backends.insert(revision.clone(), Arc::clone(&backend));
        let table = self.table();
        let is_stable = table.route.stable == revision;
        let is_candidate = table.route.candidate.as_ref() == Some(&revision);
        if is_stable || is_candidate {
            let mut changed = Table::clone(&table);
            if is_stable {
                changed.stable = Arc::clone(&backend);
            }
            if is_candidate {
                changed.candidate = Some(backend);
            }
            self.table.store(Arc::new(changed));
        }
    }

    pub(crate) fn remove(&self, revision: &Revision) -> Result<(), PortError> {
        let mut backends = self.backends();
        let table = self.table();
        if table.route.stable == *revision || table.route.candidate.as_ref() == Some(revision) {
            return Err(PortError::new(
                PortErrorKind::Invalid,
                format!("revision `{revision}` is in the route in force: route around it first"),
            ));
        }
        backends.remove(revision).map(|_| ()).ok_or_else(|| no_service(revision))?;
        self.pairs().retain(|(live, mirrored), _| live != revision && mirrored != revision);
        Ok(())
    }

    /// The counters that copies under a route go to.
    fn pairs_of(&self, route: &Route) -> Option<Arc<Pairs>> {
        let compares = self.gauge.as_ref().is_some_and(|gauge| gauge.compares);
        let candidate = route.candidate.as_ref().filter(|_| compares && !route.mirror.is_zero())?;
        let key = (route.stable.clone(), candidate.clone());
        let mut pairs = self.pairs();
        Some(Arc::clone(pairs.entry(key).or_insert_with(|| Arc::new(Pairs::new(self.times.windows.clone())))))
    }

    /// The pairs of a live and a mirrored revision; none if none was ever compared.
    pub(crate) fn pair(&self, live: &Revision, mirrored: &Revision) -> Option<Arc<Pairs>> {
        self.pairs().get(&(live.clone(), mirrored.clone())).cloned()
    }

    pub(crate) fn all_pairs(&self) -> Vec<(Revision, Revision, PairTotals)> {
        let pairs = self.pairs();
        let totals = |((live, mirrored), pairs): (&(Revision, Revision), &Arc<Pairs>)| {
            (live.clone(), mirrored.clone(), pairs.totals())
        };
        pairs.iter().map(totals).collect()
    }

    fn pairs(&self) -> MutexGuard<'_, BTreeMap<(Revision, Revision), Arc<Pairs>>> {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn meter(&self, revision: &Revision) -> Result<Arc<Meter>, PortError> {
        let backends = self.backends();
        let backend = backends.get(revision).ok_or_else(|| no_service(revision))?;
        Ok(Arc::clone(&backend.meter))
    }

    pub(crate) fn meters(&self) -> Vec<(Revision, Arc<Meter>)> {
        let backends = self.backends();
        backends.iter().map(|(revision, backend)| (revision.clone(), Arc::clone(&backend.meter))).collect()
    }

    fn backends(&self) -> MutexGuard<'_, BTreeMap<Revision, Arc<Backend<S>>>> {
        self.backends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a request goes, and as whose it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Stable,
    /// To stable, and counts in its control group.
    Control,
    Candidate,
}

impl Lane {
    pub(crate) fn track(self) -> Track {
        match self {
            Self::Stable | Self::Control => Track::Stable,
            Self::Candidate => Track::Candidate,
        }
    }
}

/// The service of one revision, and its meter.
#[derive(Debug)]
pub(crate) struct Backend<S> {
    pub(crate) service: S,
    pub(crate) meter: Arc<Meter>,
}

/// A route, ready to be followed. Replaced as a whole, never changed.
#[derive(Debug)]
pub(crate) struct Table<S> {
    pub(crate) route: Route,
    fence: Option<Fence>,
    /// Whether somebody set the route; the split's own first one does not count.
    is_set: bool,
    pub(crate) stable: Arc<Backend<S>>,
    pub(crate) candidate: Option<Arc<Backend<S>>>,
    weight: Share,
    mirror: Share,
    /// The last of stable's places, which are counted apart.
    control: Weight,
    matchers: Arc<Matchers>,
    /// Where copies are counted, if their answers are compared.
    pub(crate) pairs: Option<Arc<Pairs>>,
}

// Not derived: a table is cloned without its services.
impl<S> Clone for Table<S> {
    fn clone(&self) -> Self {
        Self {
            route: self.route.clone(),
            fence: self.fence,
            is_set: self.is_set,
            stable: Arc::clone(&self.stable),
            candidate: self.candidate.clone(),
            weight: self.weight,
            mirror: self.mirror,
            control: self.control,
            matchers: Arc::clone(&self.matchers),
            pairs: self.pairs.clone(),
        }
    }
}

/// As much as the candidate has, itself or in copies, and at most half of what is stable's.
fn control_of(route: &Route) -> Weight {
    let half = Weight::FULL.parts().saturating_sub(route.weight.parts()) / 2;
    let half = Weight::try_parts(half).unwrap_or(Weight::ZERO);
    route.weight.max(route.mirror).min(half)
}

fn find<S>(
    backends: &BTreeMap<Revision, Arc<Backend<S>>>,
    revision: &Revision,
) -> Result<Arc<Backend<S>>, PortError> {
    backends.get(revision).cloned().ok_or_else(|| no_service(revision))
}

fn no_service(revision: &Revision) -> PortError {
    PortError::new(
        PortErrorKind::NotFound,
        format!("revision `{revision}` has no service in this split: insert one"),
    )
}
