//! Flags that roll themselves out, as the store sees them.

use std::sync::{Arc, PoisonError};

use serinus_core::cohort::Trial;

use super::Flags;
use crate::{
    guard::{GuardBuilder, Over, Recorded, Subject, exposition, over::Rollout},
    snapshot::State,
};

impl Flags {
    /// Describes a guard of a flag: something that rolls one of its variants out, and takes it back if it is worse.
    pub fn guard(&self, key: impl Into<Arc<str>>) -> GuardBuilder {
        GuardBuilder::new(self.clone(), key.into())
    }

    /// Takes the guard of a flag away: from now on everybody gets what the document says. False if there was none.
    pub fn unguard(&self, key: &str) -> bool {
        self.change_over(|over| over.rollout(key).is_some().then(|| over.clone().without(key)))
    }

    /// What is counted of guarded flags, in the text format of Prometheus, version 0.0.4: exposures, outcomes and their
    /// latencies by flag, variant and cohort, the share of each candidate, and whether the counts can be relied on
    /// ([`Health`](crate::Health)).
    ///
    /// Where several instances are scraped, these are the selectors by which a comparison asks Prometheus about all:
    ///
    /// | setting of the query | selector |
    /// |---|---|
    /// | `candidate.requests` | `feature_flag_outcomes_total{feature_flag_key="KEY",cohort="candidate"}` |
    /// | `candidate.failures` | `feature_flag_outcomes_total{feature_flag_key="KEY",cohort="candidate",outcome="error"}` |
    /// | `candidate.buckets` | `feature_flag_outcome_duration_seconds_bucket{feature_flag_key="KEY",cohort="candidate"}` |
    /// | `stable.…` | the same with `cohort="control"` |
    pub fn metrics(&self) -> String {
        exposition::render(self, None)
    }

    /// Tells one in so many evaluations as an event `feature_flag.evaluation` of `tracing`, with the attributes that
    /// OpenFeature's conventions have for it; 1 tells all of them, and 0 none, which is the default and costs nothing.
    ///
    /// Which ones is left to chance, for each evaluation by itself: of `n` about `n / one_in` are told, of every flag
    /// alike, in whatever order flags are asked for. Choosing takes no lock and allocates nothing.
    ///
    /// An event says what the document and its guards make of a flag, before anybody reads it as a type: a variant that
    /// turns out to be of another type is told as a success. A key that no flag has is not told, nor is the message of
    /// an error, only its type; [`Flags::details`] has both.
    pub fn sample_evaluations(&self, one_in: u32) {
        self.change_over(|over| Some(over.clone().sampling(one_in)));
    }

    /// False if the flag is guarded already.
    pub(crate) fn begin(&self, rollout: Rollout) -> bool {
        self.change_over(|over| over.rollout(&rollout.key).is_none().then(|| over.clone().with(rollout)))
    }

    /// False if the flag is not guarded by the same guard any more.
    pub(crate) fn change(&self, rollout: Rollout) -> bool {
        self.change_over(|over| {
            let found = over.rollout(&rollout.key)?;
            Arc::ptr_eq(&found.live, &rollout.live).then(|| over.clone().with(rollout))
        })
    }

    pub(crate) fn trial(&self, key: &str) -> Option<Trial> {
        let state = self.state();
        state.over.as_ref()?.trial(state.find(key))
    }

    /// Counts an outcome of a subject, if it is in a cohort.
    pub(crate) fn record<S: Subject + ?Sized>(&self, key: &str, subject: &S, recorded: Recorded) {
        let state = self.state();
        let Some(over) = &state.over else { return };
        let flag = state.find(key);
        if let Some(context) = subject.as_context() {
            over.record(&state, flag, context, recorded);
        } else if let Some(subject) = subject.as_key() {
            over.record_by_key(flag, subject, recorded);
        }
    }

    /// Swaps what lies over the document, the document staying as it is.
    fn change_over(&self, change: impl FnOnce(&Over) -> Option<Over>) -> bool {
        let _one_at_a_time = self.0.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.0.current.load_full();
        let none = Over::default();
        let Some(over) = change(before.over.as_deref().unwrap_or(&none)) else { return false };
        let over = over.onto(&before.document);
        self.0.current.store(Arc::new(State { over, ..State::clone(&before) }));
        true
    }
}
