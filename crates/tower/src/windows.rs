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

/// What one meter held at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
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
        let between = |revision| between(&start, &end, revision);
        Some(Arms { stable: between(stable)?, candidate: between(candidate)?, control: None })
    }
}

fn read<'a>(meters: impl Iterator<Item = (&'a Revision, &'a Meter)>) -> Vec<(Revision, Reading)> {
    meters.map(|(revision, meter)| (revision.clone(), meter.reading())).collect()
}

fn between(
    start: &[(Revision, Reading)],
    end: &[(Revision, Reading)],
    revision: &Revision,
) -> Option<ArmCounts> {
    let of = |readings: &[(Revision, Reading)]| {
        readings.iter().find(|(of, _)| of == revision).map(|(_, reading)| reading.clone())
    };
    let end = of(end)?;
    // A revision that came after the beginning started from nothing.
    let start = of(start).unwrap_or_default();
    let latency = end.counts.since(&start.counts);
    let requests = latency.total();
    // Meters are read while requests are counted, so an error may be seen before the request that it is.
    let failures = end.errors.saturating_sub(start.errors).min(requests);
    Some(ArmCounts { requests, failures, latency: latency.edges() })
}
