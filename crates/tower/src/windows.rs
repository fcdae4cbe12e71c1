//! Windows in which both arms of a comparison are counted between the same two moments.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use serinus_core::{
    metric::{ArmCounts, Arms, Window},
    traffic::Revision,
};

use crate::{histogram::Counts, meter::Meter};

/// Remembers what all meters held when the route changed and when somebody asked.
///
/// A window begins at a moment that is remembered, and never before the end of the one that was answered last: windows
/// are disjoint even if the clock of whoever asks and ours differ.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    marks: VecDeque<Mark>,
    answers: VecDeque<(Pair, Window, Arms)>,
}

/// Stable and candidate.
type Pair = (Revision, Revision);

#[derive(Debug)]
struct Mark {
    at: u64,
    meters: Vec<(Revision, Reading)>,
}

/// What one meter held at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) errors: u64,
    pub(crate) counts: Counts,
}

impl Windows {
    /// Remembers this moment.
    pub(crate) fn mark<'a>(&self, now: u64, meters: impl Iterator<Item = (&'a Revision, &'a Meter)>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.push(now, read(meters));
    }

    /// What both arms did in a window that ends now and began `length` nanoseconds ago; the same again for a window
    /// that was answered before. None if its beginning is not remembered: then the next one begins now.
    pub(crate) fn answer<'a>(
        &self,
        pair: &Pair,
        window: Window,
        length: u64,
        now: u64,
        meters: impl Iterator<Item = (&'a Revision, &'a Meter)>,
    ) -> Option<Arms> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, arms)) = inner.answers.iter().find(|(of, at, _)| of == pair && *at == window) {
            return Some(arms.clone());
        }
        let start = now.saturating_sub(length);
        let beginning = inner.marks.iter().min_by_key(|mark| mark.at.abs_diff(start));
        let beginning = beginning.filter(|mark| mark.at.abs_diff(start) <= length / 4);
        let end = read(meters);
        let arms = beginning.and_then(|mark| {
            Some(Arms { stable: between(mark, &end, &pair.0)?, candidate: between(mark, &end, &pair.1)? })
        });
        // What lies before the end of an answered window is never counted again.
        inner.marks.clear();
        inner.push(now, end);
        if let Some(arms) = &arms {
            if inner.answers.len() >= MOST_ANSWERS {
                inner.answers.pop_front();
            }
            inner.answers.push_back((pair.clone(), window, arms.clone()));
        }
        arms
    }
}

impl Inner {
    fn push(&mut self, at: u64, meters: Vec<(Revision, Reading)>) {
        if self.marks.len() >= MOST_MARKS {
            self.marks.pop_front();
        }
        self.marks.push_back(Mark { at, meters });
    }
}

fn read<'a>(meters: impl Iterator<Item = (&'a Revision, &'a Meter)>) -> Vec<(Revision, Reading)> {
    meters.map(|(revision, meter)| (revision.clone(), meter.reading())).collect()
}

fn between(start: &Mark, end: &[(Revision, Reading)], revision: &Revision) -> Option<ArmCounts> {
    let of = |readings: &[(Revision, Reading)]| {
        readings.iter().find(|(of, _)| of == revision).map(|(_, reading)| reading.clone())
    };
    let end = of(end)?;
    // A revision that came after the beginning started from nothing.
    let start = of(&start.meters).unwrap_or_default();
    let latency = end.counts.since(&start.counts);
    let requests = latency.total();
    // Meters are read while requests are counted, so an error may be seen before the request that it is.
    let failures = end.errors.saturating_sub(start.errors).min(requests);
    Some(ArmCounts { requests, failures, latency: latency.edges() })
}

/// Enough for every change of weight of a long plan between two questions.
const MOST_MARKS: usize = 64;
/// A question is asked again only shortly after: when its answer was lost on the way.
const MOST_ANSWERS: usize = 16;
