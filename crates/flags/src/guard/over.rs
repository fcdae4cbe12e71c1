//! What lies over a document: rollouts by flag, and the sampling of evaluations.

use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;
use serinus_core::{
    cohort::{Cohort, Place, Salt, Trial},
    metric::Windows,
    traffic::{Revision, Weight},
};

use super::{
    checks::Checks,
    counters::{Apart, Arm, Counters},
    inbox::Inbox,
    is_still, lock,
    mark::Mark,
    outcome::Recorded,
    panel::Event,
    shown::Shown,
    telemetry, variant_of,
};
#[cfg(feature = "open-feature")]
use crate::context::TARGETING_KEY;
use crate::{
    context::Context,
    details::Reason,
    document::{Body, Document, Variant},
    logic::Clock,
    snapshot::{Decision, State},
    value::Value,
};

/// What lies over a document; a store that has none of it has none of these.
#[derive(Clone, Debug, Default)]
pub(crate) struct Over {
    rollouts: Vec<Arc<Rollout>>,
    /// By the index of the flag in the document that this lies over. Only those that change anything.
    placed: FxHashMap<u32, Placed>,
    /// One in so many evaluations of a thread is told; 0 for none.
    sampling: u32,
}

/// The rollout of one flag, whatever the document.
#[derive(Clone, Debug)]
pub(crate) struct Rollout {
    pub(crate) key: Arc<str>,
    pub(crate) salt: Salt,
    /// What was promoted: everybody gets it who is not in the candidate's cohort, as long as its value is the same. The
    /// default variant if it is none.
    pub(crate) promoted: Option<Revision>,
    pub(crate) candidate: Arc<str>,
    pub(crate) weight: Weight,
    /// The definition that the weight was decided for; another one is unproven.
    pub(crate) definition: Option<u32>,
    /// The attribute by which a person is known whose targeting key may change.
    pub(crate) identity: Option<Arc<str>>,
    pub(crate) live: Arc<Live>,
}

/// What of a rollout stays the same from swap to swap.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) counters: Counters,
    pub(crate) windows: Windows<Mark>,
    pub(crate) checks: Checks,
    pub(crate) inbox: Inbox,
    /// What was promoted and has become the default of the document since.
    pub(crate) taken_over: Mutex<Option<Revision>>,
    pub(crate) shown: Shown,
}

/// Whether a value is of the type that is asked for.
pub(crate) type IsRead = fn(&Value) -> bool;

/// A rollout within one document.
#[derive(Clone, Debug)]
struct Placed {
    salt: Salt,
    trial: Trial,
    candidate: u32,
    /// Where everybody else is, if that is not the default variant.
    stable: Option<u32>,
    default: Option<u32>,
    identity: Option<Arc<str>>,
    /// Whether subjects are followed: while both arms are of the same size, nobody passes from one to the other.
    is_even: bool,
    live: Arc<Live>,
}

impl Over {
    /// The same over another document; nothing if there is nothing left.
    pub(crate) fn onto(&self, document: &Document) -> Option<Arc<Self>> {
        if self.rollouts.is_empty() && self.sampling == 0 {
            return None;
        }
        let rollouts: Vec<_> = self.rollouts.iter().map(|rollout| rollout.absorbed_by(document)).collect();
        let placed = rollouts.iter().filter_map(|rollout| rollout.placed(document)).collect();
        Some(Arc::new(Self { rollouts, placed, sampling: self.sampling }))
    }

    /// With this rollout instead of the one of the same flag.
    pub(crate) fn with(mut self, rollout: Rollout) -> Self {
        self = self.without(&rollout.key);
        self.rollouts.push(Arc::new(rollout));
        self
    }

    pub(crate) fn without(mut self, key: &str) -> Self {
        self.rollouts.retain(|rollout| *rollout.key != *key);
        self
    }

    pub(crate) fn sampling(self, one_in: u32) -> Self {
        Self { sampling: one_in, ..self }
    }

    pub(crate) fn rollout(&self, key: &str) -> Option<&Arc<Rollout>> {
        self.rollouts.iter().find(|rollout| *rollout.key == *key)
    }

    pub(crate) fn rollouts(&self) -> &[Arc<Rollout>] {
        &self.rollouts
    }

    /// What the flag is with what lies over it.
    #[inline(never)]
    pub(crate) fn decide<'a>(
        &'a self,
        state: &'a State,
        flag: u32,
        context: &'a Context,
        clock: Clock,
        is_read: IsRead,
    ) -> Decision<'a> {
        let mut decision = state.by_document(flag, context, clock);
        if let Some(placed) = self.placed.get(&flag) {
            let is_read = matches!(clock, Clock::System).then_some(is_read);
            decision = placed.decide(state, flag, decision, context, is_read);
        }
        if self.sampling != 0 {
            telemetry::sample(self.sampling, state, flag, &decision, context);
        }
        decision
    }

    /// An evaluation in this context failed before the flag was looked at.
    #[cfg(feature = "open-feature")]
    pub(crate) fn fail(&self, flag: u32, subject: Option<&str>) {
        let Some(placed) = self.placed.get(&flag) else { return };
        placed.live.counters.leave_out(Apart::Failed);
        let Some(subject) = subject.filter(|key| placed.identity.is_none() && !key.is_empty()) else {
            return;
        };
        let place = placed.salt.place(subject);
        if let Some(arm) = placed.arm(place).filter(|_| placed.is_even) {
            placed.live.checks.panel.note(place, arm, Event::Failed);
        }
    }

    /// Counts an outcome of whoever asks in this context, if the document leaves it to the trial.
    pub(crate) fn record(&self, state: &State, flag: u32, context: &Context, recorded: Recorded) {
        let Some(placed) = self.placed.get(&flag) else { return };
        let Some(subject) = subject_of(context) else { return };
        if is_baseline(&state.by_document(flag, context, Clock::System)) {
            let place = placed.salt.place(subject);
            placed.record(place, placed.followed(place, context), recorded);
        }
    }

    /// Counts an outcome of a targeting key.
    pub(crate) fn record_by_key(&self, flag: u32, subject: &str, recorded: Recorded) {
        let Some(placed) = self.placed.get(&flag).filter(|_| !subject.is_empty()) else { return };
        let place = placed.salt.place(subject);
        let is_followed = placed.is_even && placed.identity.is_none();
        placed.record(place, is_followed.then_some(place), recorded);
    }

    /// Whether it changes or sees what the document says of a flag.
    #[cfg(feature = "open-feature")]
    pub(crate) fn touches(&self, flag: u32) -> bool {
        self.sampling != 0 || self.placed.contains_key(&flag)
    }

    /// The attributes that are looked at beside those of the flag's rule.
    #[cfg(feature = "open-feature")]
    pub(crate) fn reads(&self, flag: u32) -> [Option<&str>; 2] {
        let placed = self.placed.get(&flag);
        let key = (placed.is_some() || self.sampling != 0).then_some(TARGETING_KEY);
        [key, placed.and_then(|placed| placed.identity.as_deref())]
    }

    /// The trial that is in force for a flag.
    pub(crate) fn trial(&self, flag: u32) -> Option<Trial> {
        self.placed.get(&flag).map(|placed| placed.trial)
    }
}

impl Placed {
    #[inline]
    fn decide<'a>(
        &'a self,
        state: &'a State,
        flag: u32,
        decision: Decision<'a>,
        context: &'a Context,
        is_read: Option<IsRead>,
    ) -> Decision<'a> {
        if !is_baseline(&decision) {
            if is_read.is_some() {
                self.stand_aside(&decision, context);
            }
            return decision;
        }
        let variant = |index: u32| {
            let body = state.flag_at(flag)?.body.as_ref()?;
            body.variants.get(index as usize)
        };
        // Who is in no cohort gets it for the same reason as the default: nothing was drawn.
        let stable = |decision| match (self.stable.and_then(variant), decision) {
            (Some(stable), Decision::Variant(_, reason)) => Decision::Variant(stable, reason),
            (_, decision) => decision,
        };
        let Some(subject) = subject_of(context) else {
            if is_read.is_some() {
                self.live.counters.leave_out(Apart::Keyless);
            }
            return stable(decision);
        };
        let place = self.salt.place(subject);
        let Some(arm) = self.arm(place) else { return stable(decision) };
        let decision = match (arm, stable(decision)) {
            (Arm::Candidate, decision) => match variant(self.candidate) {
                Some(candidate) => Decision::Variant(candidate, Reason::Split),
                None => decision,
            },
            (Arm::Control, Decision::Variant(stable, _)) => Decision::Variant(stable, Reason::Split),
            (Arm::Control, decision) => decision,
        };
        if let Some(is_read) = is_read {
            // Whom the program serves its own default, because it asks for another type, has seen neither variant.
            let is_shown = matches!(&decision, Decision::Variant(variant, _) if is_read(&variant.value));
            if is_shown {
                self.live.counters.expose(arm, place);
            } else {
                self.live.counters.leave_out(Apart::Failed);
            }
            if let Some(place) = self.followed(place, context) {
                let event = if is_shown { Event::Exposed(arm) } else { Event::Failed };
                self.live.checks.panel.note(place, arm, event);
            }
        }
        decision
    }

    /// The document decides. Whom it gives the variant of the other arm has seen both, if it does not always do so.
    #[cold]
    fn stand_aside(&self, decision: &Decision<'_>, context: &Context) {
        let why = if matches!(decision, Decision::Variant(..)) { Apart::Ruled } else { Apart::Failed };
        self.live.counters.leave_out(why);
        let Some(place) = subject_of(context).map(|subject| self.salt.place(subject)) else { return };
        let Some(arm) = self.arm(place) else { return };
        let other = match arm {
            Arm::Candidate => self.stable.or(self.default),
            Arm::Control => Some(self.candidate),
        };
        let event = match decision {
            Decision::Variant(given, _) => Event::Ruled { to_other: other == Some(given.index) },
            Decision::Failed(_) => Event::Failed,
            Decision::Nothing(_) => return,
        };
        if let Some(place) = self.followed(place, context) {
            self.live.checks.panel.note(place, arm, event);
        }
    }

    #[inline]
    fn arm(&self, place: Place) -> Option<Arm> {
        match self.trial.cohort_of(place) {
            Cohort::Candidate => Some(Arm::Candidate),
            Cohort::Control => Some(Arm::Control),
            Cohort::Rest => None,
        }
    }

    /// The place by which a subject is followed: that of its identity, if it has one of its own.
    #[inline]
    fn followed(&self, place: Place, context: &Context) -> Option<Place> {
        if !self.is_even {
            return None;
        }
        match &self.identity {
            None => Some(place),
            Some(name) => {
                let identity = context.get(name)?.as_str().filter(|identity| !identity.is_empty())?;
                Some(self.salt.place(identity))
            }
        }
    }

    fn record(&self, place: Place, followed: Option<Place>, recorded: Recorded) {
        let Some(arm) = self.arm(place) else { return };
        self.live.counters.record(arm, recorded);
        if let Some(place) = followed {
            self.live.checks.panel.note(place, arm, Event::Heard);
        }
    }
}

impl Live {
    /// Whether this was promoted and has become the default of the document since: from then on, the document says who
    /// gets what.
    pub(crate) fn is_taken_over(&self, promoted: &Revision) -> bool {
        lock(&self.taken_over).as_ref() == Some(promoted)
    }
}

impl Rollout {
    /// The variant that everybody gets in this document who is not in the candidate's cohort.
    pub(crate) fn stable_in<'a>(&self, body: &'a Body) -> Option<&'a Variant> {
        let promoted = self.promoted.as_ref();
        let promoted =
            promoted.and_then(|promoted| body.variants.iter().find(|variant| is_still(promoted, variant)));
        promoted.or_else(|| body.variants.get(body.default? as usize))
    }

    fn placed(&self, document: &Document) -> Option<(u32, Placed)> {
        let flag = document.index_of(&self.key)?;
        let body = document.flag_at(flag)?.body.as_ref()?;
        let candidate = body.variants.iter().find(|variant| *variant.name == *self.candidate)?.index;
        let stable = self.stable_in(body);
        if let Some(stable) = stable {
            self.live.shown.switch_to(&stable.name, || self.live.counters.look().control);
        }
        let stable = stable.map(|variant| variant.index).filter(|of| body.default != Some(*of));
        // Only what was decided for this very definition counts for it: another one has shown nothing yet.
        let is_proven = self.definition.is_none() || self.definition == document.fingerprint(flag);
        let weight = if is_proven { self.weight } else { Weight::ZERO };
        let trial = Trial::even(weight);
        let is_idle = weight.is_zero() && stable.is_none() || body.default == Some(candidate);
        let placed = Placed {
            salt: self.salt.clone(),
            trial,
            candidate,
            stable,
            default: body.default,
            identity: self.identity.clone(),
            is_even: trial.candidate() == trial.control(),
            live: Arc::clone(&self.live),
        };
        (!is_idle).then_some((flag, placed))
    }

    /// Once a document makes the promoted variant its default, the document has it, and may take it back.
    fn absorbed_by(self: &Arc<Self>, document: &Document) -> Arc<Self> {
        let default = document.flag(&self.key).and_then(|flag| flag.default_variant());
        match &self.promoted {
            Some(promoted) if default == Some(variant_of(promoted)) => {
                *lock(&self.live.taken_over) = Some(promoted.clone());
                Arc::new(Self { promoted: None, ..Self::clone(self) })
            }
            _ => Arc::clone(self),
        }
    }
}

/// Whether the document leaves it at the default variant.
#[inline]
fn is_baseline(decision: &Decision<'_>) -> bool {
    matches!(decision, Decision::Variant(_, Reason::Static | Reason::Default))
}

/// Who is placed. An empty key is none: all who have it would stand in one place.
#[inline]
fn subject_of(context: &Context) -> Option<&str> {
    context.targeting_key().filter(|key| !key.is_empty())
}
