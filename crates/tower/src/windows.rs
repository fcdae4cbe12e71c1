//! What both arms of a comparison did between two moments.

use serinus_core::{
    metric::{self, ArmCounts, Arms, Counts, Window},
    traffic::Revision,
};

use crate::meter::Meter;

/// Remembers what all meters held when a window ended, and when the route changed.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    windows: metric::Windows<Vec<(Revision, Reading)>>,
}

/// What one meter held at one moment, or counted between two.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) rest: Counted,
    pub(crate) control: Option<Counted>,
}

/// One group of requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) errors: u64,
    pub(crate) counts: Counts,
}

impl Windows {
    /// The route changes: no window goes on across this moment.
    pub(crate) fn cut<'a>(&self, meters: impl Iterator<Item = (&'a Revision, &'a Meter)>) {
        self.windows.cut(|| read(meters));
    }

    /// What both arms did in a window; the same again for a window that was answered before. None if its beginning was
    /// never the end of another one: the next can begin where this one ends.
    pub(crate) fn answer<'a>(
        &self,
        stable: &Revision,
        candidate: &Revision,
        window: Window,
        meters: impl Iterator<Item = (&'a Revision, &'a Meter)>,
    ) -> Option<Arms> {
        let (start, end) = self.windows.ends_of(window, || read(meters))?;
        let stable = between(&start, &end, stable)?;
        let candidate = between(&start, &end, candidate)?.rest.into_arm();
        let control = stable.control.map(Counted::into_arm);
        Some(Arms { stable: stable.rest.into_arm(), candidate, control })
    }
}

impl Counted {
    fn since(&self, earlier: &Self) -> Self {
        Self {
            errors: self.errors.saturating_sub(earlier.errors),
            counts: self.counts.since(&earlier.counts),
        }
    }

    fn into_arm(self) -> ArmCounts {
        let requests = self.counts.total();
        // Meters are read while requests are counted, so an error may be seen before the request that it is.
        let failures = self.errors.min(requests);
        ArmCounts { requests, failures, latency: self.counts.edges() }
    }
}

fn read<'a>(meters: impl Iterator<Item = (&'a Revision, &'a Meter)>) -> Vec<(Revision, Reading)> {
    meters.map(|(revision, meter)| (revision.clone(), meter.reading())).collect()
}

fn between(
    start: &[(Revision, Reading)],
    end: &[(Revision, Reading)],
    revision: &Revision,
) -> Option<Reading> {
    let of = |readings: &[(Revision, Reading)]| {
        readings.iter().find(|(of, _)| of == revision).map(|(_, reading)| reading.clone())
    };
    let end = of(end)?;
    // A revision that came after the beginning started from nothing.
    let start = of(start).unwrap_or_default();
    let control = end.control.map(|control| control.since(&start.control.unwrap_or_default()));
    Some(Reading { rest: end.rest.since(&start.rest), control })
}
