//! Windows in which both arms of a comparison are counted between the same two moments.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use serinus_core::{
    metric::{ArmCounts, Arms, Window},
    time::Timestamp,
    traffic::Revision,
};

use crate::{histogram::Counts, meter::Meter};

/// Remembers what all meters held when a window ended, and when the route changed.
///
/// A moment is known by the time that whoever asks has for it, and is what the meters held when that time was first
/// heard of: so windows that follow one another neither overlap nor leave a gap, whatever the clocks say.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    marks: Mutex<VecDeque<Mark>>,
}

#[derive(Debug)]
struct Mark {
    /// None where the route changed.
    at: Option<Timestamp>,
    meters: Vec<(Revision, Reading)>,
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
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        push(&mut marks, Mark { at: None, meters: read(meters) });
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
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let place = |marks: &VecDeque<Mark>, at| marks.iter().position(|mark| mark.at == Some(at));
        if place(&marks, window.to).is_none() {
            push(&mut marks, Mark { at: Some(window.to), meters: read(meters) });
        }
        let (start, end) = (place(&marks, window.from)?, place(&marks, window.to)?);
        // Whoever asked before the route changed, and is answered after, is told of the time before.
        let end = (start..end).find(|place| *place > start && marks[*place].at.is_none()).unwrap_or(end);
        let between = |revision| between(&marks[start], &marks[end], revision);
        Some(Arms { stable: between(stable)?, candidate: between(candidate)? })
    }
}

fn push(marks: &mut VecDeque<Mark>, mark: Mark) {
    if marks.len() >= MOST_MARKS {
        marks.pop_front();
    }
    marks.push_back(mark);
}

fn read<'a>(meters: impl Iterator<Item = (&'a Revision, &'a Meter)>) -> Vec<(Revision, Reading)> {
    meters.map(|(revision, meter)| (revision.clone(), meter.reading())).collect()
}

fn between(start: &Mark, end: &Mark, revision: &Revision) -> Option<ArmCounts> {
    let of =
        |mark: &Mark| mark.meters.iter().find(|(of, _)| of == revision).map(|(_, reading)| reading.clone());
    let end = of(end)?;
    // A revision that came after the beginning started from nothing.
    let start = of(start).unwrap_or_default();
    let latency = end.counts.since(&start.counts);
    let requests = latency.total();
    // Meters are read while requests are counted, so an error may be seen before the request that it is.
    let failures = end.errors.saturating_sub(start.errors).min(requests);
    Some(ArmCounts { requests, failures, latency: latency.edges() })
}

/// A window of hours beside windows of a quarter of a minute: what a window began with must still be there when it
/// ends. About half a kilobyte for each mark and revision.
const MOST_MARKS: usize = 2048;
