//! What is kept beside a state: whose rollout it is, and what outlives an attempt.

use std::{
    hash::{BuildHasher as _, RandomState},
    process,
    sync::{Arc, Mutex, MutexGuard},
};

use serde::{Deserialize, Serialize};
use serinus_core::{
    port::{PortError, PortErrorKind},
    rollout::{Outcome, Phase, State},
    traffic::Revision,
};

use super::{lock, says_the_same_value};

/// What is kept beside a state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Record {
    /// The key of the flag.
    flag: String,
    /// Tells this rollout from the one that begins when the store was emptied: fences begin anew then, too.
    begun: String,
    /// What was taken back, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rejected: Vec<Revision>,
    /// What was promoted, as long as the document does not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    promoted: Option<Revision>,
    /// What was promoted before the document took it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    handed_over: Option<Revision>,
}

/// The record as it was last read or written.
#[derive(Debug)]
pub(crate) struct Book {
    flag: Arc<str>,
    record: Mutex<Option<Record>>,
}

impl Book {
    pub(crate) fn of(flag: Arc<str>) -> Self {
        Self { flag, record: Mutex::default() }
    }

    /// Takes in what a store holds.
    ///
    /// # Errors
    ///
    /// If that belongs to another flag.
    pub(crate) fn read(&self, found: Option<Record>, state: Option<&str>) -> Result<(), PortError> {
        let found = match (found, state) {
            (Some(record), _) if *record.flag != *self.flag => {
                return Err(PortError::new(
                    PortErrorKind::Invalid,
                    format!(
                        "it holds the rollout of flag \"{}\", not of \"{}\": give each guard a store of its own",
                        record.flag, self.flag
                    ),
                ));
            }
            (Some(record), _) => Some(record),
            // A state that nothing is said about, such as one from elsewhere.
            (None, Some(state)) => {
                let mut record = Record { flag: self.flag.to_string(), ..Record::default() };
                record.follow(state);
                Some(record)
            }
            (None, None) => None,
        };
        *lock(&self.record) = found;
        Ok(())
    }

    /// What is to be written beside this state.
    pub(crate) fn write(&self, state: Option<&str>) -> Record {
        let mut record = self.record();
        let record = record.get_or_insert_with(|| self.begin());
        if let Some(state) = state {
            record.follow(state);
        }
        record.clone()
    }

    /// What tells this rollout from others in the same store.
    pub(crate) fn begun(&self) -> String {
        self.record().get_or_insert_with(|| self.begin()).begun.clone()
    }

    /// Whether this is what was promoted and the document does not have yet.
    pub(crate) fn has_promoted(&self, revision: &Revision) -> bool {
        self.record().as_ref().is_some_and(|record| record.promoted.as_ref() == Some(revision))
    }

    /// Whether this had its attempt, so that only a person brings it out again.
    pub(crate) fn is_tried(&self, candidate: &Revision) -> bool {
        self.record().as_ref().is_some_and(|record| {
            record.rejected.contains(candidate)
                || record.handed_over.as_ref().is_some_and(|other| says_the_same_value(other, candidate))
        })
    }

    /// A person wants this to be tried again.
    pub(crate) fn forgive(&self, candidate: &Revision) {
        if let Some(record) = &mut *self.record() {
            record.forgive(candidate);
        }
    }

    fn begin(&self) -> Record {
        Record { flag: self.flag.to_string(), begun: new_token(), ..Record::default() }
    }

    fn record(&self) -> MutexGuard<'_, Option<Record>> {
        lock(&self.record)
    }
}

impl Record {
    /// Learns from a state, in the text that is written.
    fn follow(&mut self, state: &str) {
        // It was a state a moment ago, or is found to be none by whoever reads it.
        let Ok(State { stable, phase, .. }) = serde_json::from_str(state) else { return };
        if self.promoted.as_ref().is_some_and(|promoted| *promoted != stable) {
            self.handed_over = self.promoted.take();
        }
        match &phase {
            Phase::Done(done) if done.outcome == Outcome::Promoted => {
                self.forgive(&done.candidate);
                self.promoted = Some(stable);
            }
            Phase::Done(done) if done.is_refused => self.reject(&done.candidate),
            Phase::Retreating(retreat) if retreat.is_refused => self.reject(&retreat.candidate),
            Phase::Progressing(attempt) => self.forgive(&attempt.candidate),
            _ => {}
        }
    }

    fn reject(&mut self, candidate: &Revision) {
        if !self.rejected.contains(candidate) {
            self.rejected.push(candidate.clone());
            let surplus = self.rejected.len().saturating_sub(MOST_REJECTED);
            self.rejected.drain(..surplus);
        }
    }

    fn forgive(&mut self, candidate: &Revision) {
        self.rejected.retain(|rejected| rejected != candidate);
        if self.handed_over.as_ref().is_some_and(|other| says_the_same_value(other, candidate)) {
            self.handed_over = None;
        }
    }
}

/// A name that nothing else has.
pub(crate) fn new_token() -> String {
    // Keyed anew by the system's randomness.
    format!("{:016x}-{}", RandomState::new().hash_one(process::id()), process::id())
}

/// So many definitions that were taken back are remembered.
const MOST_REJECTED: usize = 32;
